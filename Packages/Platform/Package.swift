// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .strictMemorySafety(), .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .define("SKEIN_TSAN", .when(traits: ["TSan"])),
]

let package = Package(
  name: "skein-platform",
  products: [.library(name: "SkeinPlatform", targets: ["SkeinPlatform"])],
  traits: [
    .trait(name: "TSan", description: "Tell ThreadSanitizer about our locks"),
    .default(enabledTraits: []),
  ],
  targets: [
    .target(name: "CSkeinPlatform"),
    .target(name: "SkeinPlatform", dependencies: ["CSkeinPlatform"], swiftSettings: settings),
    .testTarget(name: "SkeinPlatformTests", dependencies: ["SkeinPlatform"], swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
