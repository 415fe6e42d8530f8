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
    // For the tests of this layer and of those above it.
    .library(name: "CGlobalPoolHooks", targets: ["CGlobalPoolHooks"]),
  ],
  traits: [
    .trait(name: "TSan", description: "Tell ThreadSanitizer about our locks"),
    .default(enabledTraits: []),
  ],
  dependencies: [
    .package(path: "../Platform", traits: [.trait(name: "TSan", condition: .when(traits: ["TSan"]))]),
    .package(path: "../Mailbox", traits: [.trait(name: "TSan", condition: .when(traits: ["TSan"]))]),
    .package(path: "../Timer", traits: [.trait(name: "TSan", condition: .when(traits: ["TSan"]))]),
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
    .target(name: "CGlobalPoolHooks", path: "Tests/CGlobalPoolHooks"),
    .testTarget(
      name: "SkeinSchedulerTests",
      dependencies: [
        "SkeinScheduler", "CGlobalPoolHooks",
        .product(name: "SkeinPlatform", package: "Platform"),
        .product(name: "SkeinMailbox", package: "Mailbox"),
        .product(name: "SkeinTimer", package: "Timer"),
      ],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
