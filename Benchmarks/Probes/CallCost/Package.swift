// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "probe-call-cost",
  dependencies: [
    .package(path: "../../../Packages/Scheduler"),
    .package(path: "../../../Packages/Mailbox"),
    .package(path: "../../../Packages/Platform"),
    .package(path: "../../../Packages/Timer"),
  ],
  targets: [
    .executableTarget(
      name: "call-cost",
      dependencies: [
        .product(name: "SkeinScheduler", package: "Scheduler"),
        .product(name: "SkeinMailbox", package: "Mailbox"),
        .product(name: "SkeinPlatform", package: "Platform"),
        .product(name: "SkeinTimer", package: "Timer"),
      ],
      path: "Sources")
  ],
  swiftLanguageModes: [.v6]
)
