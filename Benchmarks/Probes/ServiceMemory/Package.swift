// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "probe-service-memory",
  dependencies: [
    .package(path: "../../../Packages/Scheduler"),
    .package(path: "../../../Packages/Mailbox"),
    .package(path: "../../../Packages/Platform"),
  ],
  targets: [
    .target(name: "CTrim", path: "CTrim"),
    .executableTarget(
      name: "service-memory",
      dependencies: [
        "CTrim",
        .product(name: "SkeinScheduler", package: "Scheduler"),
        .product(name: "SkeinMailbox", package: "Mailbox"),
        .product(name: "SkeinPlatform", package: "Platform"),
      ],
      path: "Sources"),
  ],
  swiftLanguageModes: [.v6]
)
