// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .strictMemorySafety(), .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .define("SKEIN_TSAN", .when(traits: ["TSan"])),
]

let package = Package(
  name: "skein-mailbox",
  products: [.library(name: "SkeinMailbox", targets: ["SkeinMailbox"])],
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
      name: "SkeinMailbox", dependencies: [.product(name: "SkeinPlatform", package: "Platform")],
      swiftSettings: settings),
    .testTarget(
      name: "SkeinMailboxTests",
      dependencies: ["SkeinMailbox", "CMailboxHeap", .product(name: "SkeinPlatform", package: "Platform")],
      swiftSettings: settings),
    .target(name: "CMailboxHeap", path: "Tests/CMailboxHeap"),
    // The same sources, made of the model checker's atomics.
    .target(
      name: "SkeinMailboxModel",
      dependencies: [
        .product(name: "SkeinPlatform", package: "Platform"),
        .product(name: "SkeinModelCheck", package: "ModelCheck"),
      ],
      path: "Tests/SkeinMailboxModel", swiftSettings: settings + [.define("SKEIN_MODEL")]),
    .testTarget(
      name: "SkeinMailboxModelTests",
      dependencies: ["SkeinMailboxModel", .product(name: "SkeinModelCheck", package: "ModelCheck")],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
