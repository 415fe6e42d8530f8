// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "probe-mailbox-word",
  dependencies: [
    .package(path: "../../../Packages/Mailbox"),
    .package(path: "../../../Packages/Platform"),
  ],
  targets: [
    .executableTarget(
      name: "mailbox-word",
      dependencies: [
        .product(name: "SkeinMailbox", package: "Mailbox"),
        .product(name: "SkeinPlatform", package: "Platform"),
      ],
      path: "Sources")
  ],
  swiftLanguageModes: [.v6]
)
