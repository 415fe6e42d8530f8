// swift-tools-version: 6.2

// Benchmarks of every layer, one executable a layer:
//   swift package --package-path Benchmarks benchmark --target MailboxBenchmarks
//
// Cases/<Layer>Cases holds what is measured as named closures that end in a checksum. The executables measure them,
// and the tests run each one on a small count and check its sum, so that no case can rot.

import PackageDescription

let settings: [SwiftSetting] = [
  .strictMemorySafety(), .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// The layers that have benchmarks, each with the modules that its cases use.
let layers: [(name: String, modules: [String])] = [
  ("Mailbox", ["Mailbox", "Platform"]),
  ("Timer", ["Timer", "Platform"]),
  ("Scheduler", ["Scheduler", "Mailbox", "Platform"]),
  ("SocketIO", ["SocketIO", "Platform"]),
  ("Serialization", ["Serialization"]),
  ("Runtime", ["Runtime", "Cluster", "SocketIO"]),
]

/// A layer's cases.
func cases(_ name: String, _ modules: [String]) -> Target {
  let products = modules.map { module -> Target.Dependency in
    .product(name: module == "Runtime" ? "Skein" : "Skein\(module)", package: module)
  }
  let payloads: [Target.Dependency] = name == "Serialization" ? ["SerializationPayloads"] : []
  return .target(
    name: "\(name)Cases", dependencies: ["CaseSupport"] + payloads + products, path: "Cases/\(name)Cases",
    swiftSettings: settings)
}

/// The parser of `skein serve` belongs to an executable's package, which has no library: its sources, by a link.
let resp: [Target] = [
  .target(name: "SkeinRESP", path: "Cases/SkeinRESP", swiftSettings: settings),
  .target(
    name: "RESPCases", dependencies: ["CaseSupport", "SkeinRESP"], path: "Cases/RESPCases", swiftSettings: settings),
  program("RESP"),
]

/// The messages that are measured, which SerializationCompare measures too, beside C.
let serializationPayloads = Target.target(
  name: "SerializationPayloads",
  dependencies: [.product(name: "SkeinSerialization", package: "Serialization")],
  path: "Cases/SerializationPayloads", swiftSettings: settings)

/// The program that measures a layer's cases. The tool looks for it in a folder called Benchmarks.
func program(_ name: String) -> Target {
  .executableTarget(
    name: "\(name)Benchmarks",
    dependencies: [
      "BenchmarkSupport", .target(name: "\(name)Cases"), .product(name: "Benchmark", package: "benchmark"),
    ],
    path: "\(name)Benchmarks", swiftSettings: settings,
    plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
}

let package = Package(
  name: "skein-benchmarks",
  dependencies: [
    .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    .package(path: "../Packages/Platform"),
    .package(path: "../Packages/Mailbox"),
    .package(path: "../Packages/Timer"),
    .package(path: "../Packages/Scheduler"),
    .package(path: "../Packages/SocketIO"),
    .package(path: "../Packages/Serialization"),
    .package(path: "../Packages/Cluster"),
    .package(path: "../Packages/Runtime", traits: ["IOUring"]),
  ],
  targets: [
    .target(name: "CCaseSupport", path: "Cases/CCaseSupport"),
    // What a case is; threads and gates for them.
    .target(
      name: "CaseSupport", dependencies: ["CCaseSupport", .product(name: "SkeinPlatform", package: "Platform")],
      path: "Cases/CaseSupport", swiftSettings: settings),
    // Cases as benchmarks of the tool.
    .target(
      name: "BenchmarkSupport",
      dependencies: [
        "CaseSupport", .product(name: "SkeinPlatform", package: "Platform"),
        .product(name: "Benchmark", package: "benchmark"),
      ],
      path: "Cases/BenchmarkSupport", swiftSettings: settings),
    .testTarget(
      name: "CasesTests",
      dependencies: ["CaseSupport", "RESPCases"] + layers.map { layer in .target(name: "\(layer.name)Cases") },
      path: "Tests/CasesTests", swiftSettings: settings),
  ] + resp + [serializationPayloads]
    + layers.flatMap { layer in [cases(layer.name, layer.modules), program(layer.name)] },
  swiftLanguageModes: [.v6]
)
