// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .strictMemorySafety(), .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .define("SKEIN_TSAN", .when(traits: ["TSan"])),
]
// InlineCell.swift says what for.
let platformSettings =
  settings + [.enableExperimentalFeature("RawLayout"), .enableExperimentalFeature("BuiltinModule")]

let package = Package(
  name: "skein-platform",
  products: [.library(name: "SkeinPlatform", targets: ["SkeinPlatform"])],
  traits: [
    .trait(name: "TSan", description: "Tell ThreadSanitizer about our locks"),
    .default(enabledTraits: []),
  ],
  dependencies: [
    .package(path: "../ModelCheck", traits: [.trait(name: "TSan", condition: .when(traits: ["TSan"]))])
  ],
  targets: [
    .target(name: "CSkeinPlatform"),
    .target(name: "SkeinPlatform", dependencies: ["CSkeinPlatform"], swiftSettings: platformSettings),
    .testTarget(name: "SkeinPlatformTests", dependencies: ["SkeinPlatform"], swiftSettings: settings),
    // The sources of lock and waiter, made of the model checker's atomics.
    .target(
      name: "SkeinPlatformModel",
      dependencies: ["SkeinPlatform", .product(name: "SkeinModelCheck", package: "ModelCheck")],
      path: "Tests/SkeinPlatformModel", swiftSettings: platformSettings + [.define("SKEIN_MODEL")]),
    .testTarget(
      name: "SkeinPlatformModelTests",
      dependencies: ["SkeinPlatformModel", "SkeinPlatform", .product(name: "SkeinModelCheck", package: "ModelCheck")],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
