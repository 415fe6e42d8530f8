// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .strictMemorySafety(), .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .define("SKEIN_TSAN", .when(traits: ["TSan"])),
]

let package = Package(
  name: "skein-serialization",
  products: [
    .library(name: "SkeinSerialization", targets: ["SkeinSerialization"]),
    .library(name: "SkeinTaggedJSON", targets: ["SkeinTaggedJSON"]),
  ],
  traits: [
    .trait(name: "TSan", description: "Tell ThreadSanitizer about our locks"),
    .default(enabledTraits: []),
  ],
  targets: [
    .target(name: "SkeinSerialization", swiftSettings: settings),
    .target(name: "SkeinTaggedJSON", dependencies: ["SkeinSerialization"], swiftSettings: settings),
    .target(name: "CSeriTestSupport", path: "Tests/CSeriTestSupport"),
    .testTarget(
      name: "SkeinSerializationTests", dependencies: ["SkeinSerialization", "SkeinTaggedJSON", "CSeriTestSupport"],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
