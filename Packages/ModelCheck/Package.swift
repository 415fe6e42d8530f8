// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .strictMemorySafety(), .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .define("SKEIN_TSAN", .when(traits: ["TSan"])),
]

let package = Package(
  name: "skein-modelcheck",
  products: [.library(name: "SkeinModelCheck", targets: ["SkeinModelCheck"])],
  traits: [
    .trait(name: "TSan", description: "Tell ThreadSanitizer about our locks"),
    .default(enabledTraits: []),
  ],
  dependencies: [
    .package(path: "../Platform", traits: [.trait(name: "TSan", condition: .when(traits: ["TSan"]))])
  ],
  targets: [
    .target(
      name: "SkeinModelCheck", dependencies: [.product(name: "SkeinPlatform", package: "Platform")],
      swiftSettings: settings),
    .testTarget(name: "SkeinModelCheckTests", dependencies: ["SkeinModelCheck"], swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
