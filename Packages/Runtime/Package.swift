// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .strictMemorySafety(), .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .define("SKEIN_TSAN", .when(traits: ["TSan"])),
  .define("SKEIN_LOGGING", .when(traits: ["Logging"])),
]

let package = Package(
  name: "skein-runtime",
  products: [.library(name: "Skein", targets: ["Skein"])],
  traits: [
    .trait(name: "TSan", description: "Tell ThreadSanitizer about our locks"),
    .trait(name: "IOUring", description: "Build the io_uring poller, which needs liburing"),
    .trait(name: "Logging", description: "Log through swift-log"),
    .default(enabledTraits: ["IOUring", "Logging"]),
  ],
  dependencies: [
    .package(path: "../Platform", traits: [.trait(name: "TSan", condition: .when(traits: ["TSan"]))]),
    .package(path: "../Mailbox", traits: [.trait(name: "TSan", condition: .when(traits: ["TSan"]))]),
    .package(path: "../Timer", traits: [.trait(name: "TSan", condition: .when(traits: ["TSan"]))]),
    .package(path: "../Scheduler", traits: [.trait(name: "TSan", condition: .when(traits: ["TSan"]))]),
    .package(
      path: "../SocketIO",
      traits: [
        .trait(name: "TSan", condition: .when(traits: ["TSan"])),
        .trait(name: "IOUring", condition: .when(traits: ["IOUring"])),
      ]),
    .package(
      path: "../Cluster",
      traits: [
        .trait(name: "TSan", condition: .when(traits: ["TSan"])),
        .trait(name: "IOUring", condition: .when(traits: ["IOUring"])),
      ]),
    .package(path: "../Serialization"),
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
  ],
  targets: [
    .target(
      name: "Skein",
      dependencies: [
        .product(name: "SkeinPlatform", package: "Platform"),
        .product(name: "SkeinMailbox", package: "Mailbox"),
        .product(name: "SkeinTimer", package: "Timer"),
        .product(name: "SkeinScheduler", package: "Scheduler"),
        .product(name: "SkeinSocketIO", package: "SocketIO"),
        .product(name: "SkeinSerialization", package: "Serialization"),
        .product(name: "SkeinCluster", package: "Cluster"),
        .product(name: "Logging", package: "swift-log", condition: .when(traits: ["Logging"])),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "SkeinRuntimeTests",
      dependencies: [
        "Skein",
        .product(name: "SkeinPlatform", package: "Platform"),
        .product(name: "SkeinSocketIO", package: "SocketIO"),
        .product(name: "SkeinSerialization", package: "Serialization"),
        .product(name: "SkeinCluster", package: "Cluster"),
        .product(name: "SkeinScheduler", package: "Scheduler"),
        .product(name: "SkeinSchedulerTesting", package: "Scheduler"),
      ],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
