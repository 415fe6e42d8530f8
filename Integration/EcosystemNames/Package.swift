// swift-tools-version: 6.2

// One file that imports every library of Skein beside the packages that its users import, and spells each public
// name. It depends on the root, as a user does; a package of its own, since it builds those packages.

import PackageDescription

let settings: [SwiftSetting] = [
  .strictMemorySafety(), .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
  name: "skein-ecosystem-names",
  dependencies: [
    .package(name: "skein", path: "../.."),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/apple/swift-configuration", from: "1.0.0"),
    .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.1.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.5.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.6.0"),
  ],
  targets: [
    .testTarget(
      name: "EcosystemNamesTests",
      dependencies: [
        .product(name: "SkeinPlatform", package: "skein"),
        .product(name: "SkeinMailbox", package: "skein"),
        .product(name: "SkeinModelCheck", package: "skein"),
        .product(name: "SkeinTimer", package: "skein"),
        .product(name: "SkeinScheduler", package: "skein"),
        .product(name: "SkeinSocketIO", package: "skein"),
        .product(name: "SkeinSchedulerTesting", package: "skein"),
        .product(name: "SkeinSocketIOTesting", package: "skein"),
        .product(name: "SkeinSerialization", package: "skein"),
        .product(name: "SkeinTaggedJSON", package: "skein"),
        .product(name: "SkeinCluster", package: "skein"),
        .product(name: "Skein", package: "skein"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Configuration", package: "swift-configuration"),
        .product(name: "Tracing", package: "swift-distributed-tracing"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      swiftSettings: settings)
  ],
  swiftLanguageModes: [.v6]
)
