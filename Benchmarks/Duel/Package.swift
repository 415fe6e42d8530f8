// swift-tools-version: 6.2

// What Benchmarks/duel measures of Skein: one program that runs one row of its table and prints what it found.
// A package of its own, so that it builds without the benchmark tool. The cases are those of Benchmarks, by a link.

import PackageDescription

let settings: [SwiftSetting] = [
  .strictMemorySafety(), .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// The product of a layer.
func skein(_ layer: String) -> Target.Dependency {
  .product(name: layer == "Runtime" ? "Skein" : "Skein\(layer)", package: layer)
}

let package = Package(
  name: "skein-duel",
  dependencies: ["Platform", "Mailbox", "Timer", "SocketIO", "Serialization", "Cluster", "Runtime"].map { layer in
    .package(path: "../../Packages/\(layer)")
  },
  targets: [
    .target(name: "CCaseSupport", path: "Cases/CCaseSupport"),
    .target(
      name: "CaseSupport", dependencies: ["CCaseSupport", skein("Platform")], path: "Cases/CaseSupport",
      swiftSettings: settings),
    .target(
      name: "MailboxCases", dependencies: ["CaseSupport", skein("Mailbox"), skein("Platform")],
      path: "Cases/MailboxCases", swiftSettings: settings),
    .target(
      name: "TimerCases", dependencies: ["CaseSupport", skein("Timer"), skein("Platform")], path: "Cases/TimerCases",
      swiftSettings: settings),
    .target(
      name: "RuntimeCases", dependencies: ["CaseSupport", skein("Runtime"), skein("Cluster"), skein("SocketIO")],
      path: "Cases/RuntimeCases", swiftSettings: settings),
    .executableTarget(
      name: "skein-duel",
      dependencies: [
        "CaseSupport", "MailboxCases", "TimerCases", "RuntimeCases",
        skein("Runtime"), skein("Timer"), skein("SocketIO"), skein("Platform"),
      ],
      path: "Sources/Duel", swiftSettings: settings),
    // What scripts/check-instructions counts.
    .target(
      name: "SerializationPayloads", dependencies: [skein("Serialization")], path: "Cases/SerializationPayloads",
      swiftSettings: settings),
    .target(
      name: "SerializationCases", dependencies: ["CaseSupport", "SerializationPayloads", skein("Serialization")],
      path: "Cases/SerializationCases", swiftSettings: settings),
    .target(name: "CVirtualClock", path: "Sources/CVirtualClock"),
    .executableTarget(
      name: "skein-counts",
      dependencies: [
        "CVirtualClock", "CaseSupport", "MailboxCases", "TimerCases", "RuntimeCases", "SerializationCases",
        skein("Runtime"),
      ],
      path: "Sources/Counts", swiftSettings: settings,
      linkerSettings: [
        .unsafeFlags(
          ["skein_monotonic_ns", "skein_approximate_ns"].flatMap { name in ["-Xlinker", "--wrap=\(name)"] })
      ]),
  ],
  swiftLanguageModes: [.v6]
)
