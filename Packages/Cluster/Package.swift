// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .strictMemorySafety(), .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .define("SKEIN_TSAN", .when(traits: ["TSan"])),
]

let package = Package(
  name: "skein-cluster",
  products: [.library(name: "SkeinCluster", targets: ["SkeinCluster"])],
  traits: [
    .trait(name: "TSan", description: "Tell ThreadSanitizer about our locks"),
    .trait(name: "IOUring", description: "Build the io_uring poller, which needs liburing"),
    .default(enabledTraits: ["IOUring"]),
  ],
  dependencies: [
    .package(path: "../Platform", traits: [.trait(name: "TSan", condition: .when(traits: ["TSan"]))]),
    .package(path: "../Timer", traits: [.trait(name: "TSan", condition: .when(traits: ["TSan"]))]),
    .package(
      path: "../SocketIO",
      traits: [
        .trait(name: "TSan", condition: .when(traits: ["TSan"])),
        .trait(name: "IOUring", condition: .when(traits: ["IOUring"])),
      ]),
    .package(path: "../Serialization"),
  ],
  targets: [
    .target(
      name: "SkeinCluster",
      dependencies: [
        .product(name: "SkeinPlatform", package: "Platform"),
        .product(name: "SkeinTimer", package: "Timer"),
        .product(name: "SkeinSocketIO", package: "SocketIO"),
        .product(name: "SkeinSerialization", package: "Serialization"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "SkeinClusterTests",
      dependencies: [
        "SkeinCluster",
        .product(name: "SkeinPlatform", package: "Platform"),
        .product(name: "SkeinTimer", package: "Timer"),
        .product(name: "SkeinSocketIO", package: "SocketIO"),
        .product(name: "SkeinSerialization", package: "Serialization"),
        .product(name: "SkeinTaggedJSON", package: "Serialization"),
        .product(name: "SkeinSocketIOTesting", package: "SocketIO"),
      ],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
