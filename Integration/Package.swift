// swift-tools-version: 6.2

// Tests with several processes: the executable `skein` against real clients, beside Debian's redis-server. The package
// depends on nothing of Skein's: it starts the executable named by SKEIN_EXECUTABLE, else ../bin/skein.

import PackageDescription

let settings: [SwiftSetting] = [
  .strictMemorySafety(), .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
  name: "skein-integration",
  targets: [
    .testTarget(name: "SkeinIntegrationTests", exclude: ["Programs"], swiftSettings: settings)
  ],
  swiftLanguageModes: [.v6]
)
