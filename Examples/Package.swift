// swift-tools-version: 6.2

// What the README shows, as programs that CI builds and runs.

import PackageDescription

let settings: [SwiftSetting] = [
  .strictMemorySafety(), .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
  name: "skein-examples",
  // The name, since without it the clone's folder decides what the package is called.
  dependencies: [.package(name: "skein", path: "..")],
  targets: [
    .executableTarget(
      name: "Readme", dependencies: [.product(name: "Skein", package: "skein")], swiftSettings: settings)
  ],
  swiftLanguageModes: [.v6]
)
