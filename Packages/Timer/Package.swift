// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .strictMemorySafety(), .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .define("SKEIN_TSAN", .when(traits: ["TSan"])),
]

let package = Package(
  name: "skein-timer",
  products: [.library(name: "SkeinTimer", targets: ["SkeinTimer"])],
  traits: [
    .trait(name: "TSan", description: "Tell ThreadSanitizer about our locks"),
    .default(enabledTraits: []),
  ],
  dependencies: [
    .package(path: "../Platform", traits: [.trait(name: "TSan", condition: .when(traits: ["TSan"]))])
  ],
  targets: [
    .target(
      name: "SkeinTimer", dependencies: [.product(name: "SkeinPlatform", package: "Platform")],
      swiftSettings: settings),
    .testTarget(
      name: "SkeinTimerTests", dependencies: ["SkeinTimer", .product(name: "SkeinPlatform", package: "Platform")],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
