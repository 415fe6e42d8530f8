// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .strictMemorySafety(), .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
  name: "skein-cli",
  targets: [
    .target(name: "SkeinRESP", swiftSettings: settings),
    .testTarget(name: "SkeinRESPTests", dependencies: ["SkeinRESP"], swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
