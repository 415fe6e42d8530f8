// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .strictMemorySafety(), .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
  name: "skein-cli",
  products: [.executable(name: "skein", targets: ["skein"])],
  dependencies: [
    .package(path: "../Platform"),
    .package(path: "../SocketIO"),
    .package(path: "../Timer"),
    .package(path: "../Serialization"),
    .package(path: "../Cluster"),
    .package(path: "../Runtime"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
  ],
  targets: [
    .target(name: "SkeinRESP", swiftSettings: settings),
    .target(
      name: "SkeinServe",
      dependencies: [
        "SkeinRESP",
        .product(name: "Skein", package: "Runtime"),
        .product(name: "SkeinPlatform", package: "Platform"),
        .product(name: "SkeinSocketIO", package: "SocketIO"),
        .product(name: "SkeinTimer", package: "Timer"),
        .product(name: "SkeinSerialization", package: "Serialization"),
        .product(name: "SkeinCluster", package: "Cluster"),
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "skein",
      dependencies: [
        "SkeinServe",
        .product(name: "Skein", package: "Runtime"),
        .product(name: "SkeinPlatform", package: "Platform"),
        .product(name: "SkeinSocketIO", package: "SocketIO"),
        .product(name: "SkeinTimer", package: "Timer"),
        .product(name: "SkeinSerialization", package: "Serialization"),
        .product(name: "SkeinTaggedJSON", package: "Serialization"),
        .product(name: "SkeinCluster", package: "Cluster"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: settings),
    .testTarget(name: "SkeinRESPTests", dependencies: ["SkeinRESP"], swiftSettings: settings),
    .testTarget(
      name: "SkeinServeTests",
      dependencies: [
        "SkeinServe", "SkeinRESP",
        .product(name: "Skein", package: "Runtime"),
        .product(name: "SkeinPlatform", package: "Platform"),
        .product(name: "SkeinSocketIO", package: "SocketIO"),
        .product(name: "SkeinSerialization", package: "Serialization"),
        .product(name: "SkeinCluster", package: "Cluster"),
      ],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
