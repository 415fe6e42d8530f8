// swift-tools-version: 6.2

// The program that stands beside the encoder in C: see compare.

import PackageDescription

let settings: [SwiftSetting] = [
  .strictMemorySafety(), .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
  name: "seri-compare",
  dependencies: [.package(path: "../../Packages/Serialization")],
  targets: [
    // The benchmark cases' messages, by a link.
    .target(
      name: "SerializationPayloads",
      dependencies: [.product(name: "SkeinSerialization", package: "Serialization")], swiftSettings: settings),
    .executableTarget(
      name: "seri-compare",
      dependencies: ["SerializationPayloads", .product(name: "SkeinSerialization", package: "Serialization")],
      path: "Sources/SeriCompare", swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
