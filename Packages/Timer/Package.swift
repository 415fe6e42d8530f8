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
    .package(path: "../Platform", traits: [.trait(name: "TSan", condition: .when(traits: ["TSan"]))]),
    .package(path: "../ModelCheck", traits: [.trait(name: "TSan", condition: .when(traits: ["TSan"]))]),
  ],
  targets: [
    .target(
      name: "SkeinTimer", dependencies: [.product(name: "SkeinPlatform", package: "Platform")],
      swiftSettings: settings),
    .testTarget(
      name: "SkeinTimerTests", dependencies: ["SkeinTimer", .product(name: "SkeinPlatform", package: "Platform")],
      swiftSettings: settings),
    // The same sources, made of the model checker's atomics and of a lock of such.
    .target(
      name: "SkeinTimerModel",
      dependencies: [
        .product(name: "SkeinPlatform", package: "Platform"),
        .product(name: "SkeinModelCheck", package: "ModelCheck"),
      ],
      path: "Tests/SkeinTimerModel", swiftSettings: settings + [.define("SKEIN_MODEL")]),
    .testTarget(
      name: "SkeinTimerModelTests",
      dependencies: [
        "SkeinTimerModel", .product(name: "SkeinPlatform", package: "Platform"),
        .product(name: "SkeinModelCheck", package: "ModelCheck"),
      ],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
