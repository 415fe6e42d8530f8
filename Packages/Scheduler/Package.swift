// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .strictMemorySafety(), .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .define("SKEIN_TSAN", .when(traits: ["TSan"])),
]

let package = Package(
  name: "skein-scheduler",
  products: [
    .library(name: "SkeinScheduler", targets: ["SkeinScheduler"]),
    .library(name: "SkeinSchedulerTesting", targets: ["SkeinSchedulerTesting"]),
  ],
  traits: [
    .trait(name: "TSan", description: "Tell ThreadSanitizer about our locks"),
    .default(enabledTraits: []),
  ],
  dependencies: [
    .package(path: "../Platform", traits: [.trait(name: "TSan", condition: .when(traits: ["TSan"]))]),
    .package(path: "../Mailbox", traits: [.trait(name: "TSan", condition: .when(traits: ["TSan"]))]),
    .package(path: "../Timer", traits: [.trait(name: "TSan", condition: .when(traits: ["TSan"]))]),
    .package(path: "../ModelCheck", traits: [.trait(name: "TSan", condition: .when(traits: ["TSan"]))]),
  ],
  targets: [
    .target(
      name: "SkeinScheduler",
      dependencies: [
        .product(name: "SkeinPlatform", package: "Platform"),
        .product(name: "SkeinMailbox", package: "Mailbox"),
        .product(name: "SkeinTimer", package: "Timer"),
      ],
      swiftSettings: settings),
    .target(name: "CGlobalPoolHooks"),
    .target(
      name: "SkeinSchedulerTesting", dependencies: ["SkeinScheduler", "CGlobalPoolHooks"], swiftSettings: settings),
    .testTarget(
      name: "SkeinSchedulerTests",
      dependencies: [
        "SkeinScheduler", "SkeinSchedulerTesting",
        .product(name: "SkeinPlatform", package: "Platform"),
        .product(name: "SkeinMailbox", package: "Mailbox"),
        .product(name: "SkeinTimer", package: "Timer"),
      ],
      swiftSettings: settings),
    // The lock-free parts, and the mailbox, made of the model checker's atomics; with small programs round them.
    .target(
      name: "SkeinSchedulerModel",
      dependencies: [
        .product(name: "SkeinPlatform", package: "Platform"),
        .product(name: "SkeinModelCheck", package: "ModelCheck"),
      ],
      path: "Tests/SkeinSchedulerModel", swiftSettings: settings + [.define("SKEIN_MODEL")]),
    .testTarget(
      name: "SkeinSchedulerModelTests",
      dependencies: ["SkeinSchedulerModel", .product(name: "SkeinModelCheck", package: "ModelCheck")],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
