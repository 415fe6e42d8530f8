// swift-tools-version: 6.2

// Skein's libraries: every layer as a target by path and as a product named like its module, so that a package can
// depend on one layer of this repository by URL. Executables, benchmarks and examples are packages of their own.
// The same targets stand in Packages/<Layer>/Package.swift; scripts/check-manifests compares the two.

import PackageDescription

let settings: [SwiftSetting] = [
  .strictMemorySafety(), .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .define("SKEIN_TSAN", .when(traits: ["TSan"])),
]
// InlineCell.swift of Platform says what for.
let platformSettings =
  settings + [.enableExperimentalFeature("RawLayout"), .enableExperimentalFeature("BuiltinModule")]
let socketSettings = settings + [.define("SKEIN_IOURING", .when(traits: ["IOUring"]))]
let runtimeSettings = settings + [.define("SKEIN_LOGGING", .when(traits: ["Logging"]))]

let package = Package(
  name: "skein",
  products: [
    .library(name: "SkeinPlatform", targets: ["SkeinPlatform"]),
    .library(name: "SkeinModelCheck", targets: ["SkeinModelCheck"]),
    .library(name: "SkeinMailbox", targets: ["SkeinMailbox"]),
    .library(name: "SkeinTimer", targets: ["SkeinTimer"]),
    .library(name: "SkeinScheduler", targets: ["SkeinScheduler"]),
    .library(name: "SkeinSchedulerTesting", targets: ["SkeinSchedulerTesting"]),
    .library(name: "SkeinSocketIO", targets: ["SkeinSocketIO"]),
    .library(name: "SkeinSocketIOTesting", targets: ["SkeinSocketIOTesting"]),
    .library(name: "SkeinSerialization", targets: ["SkeinSerialization"]),
    .library(name: "SkeinTaggedJSON", targets: ["SkeinTaggedJSON"]),
    .library(name: "SkeinCluster", targets: ["SkeinCluster"]),
    .library(name: "Skein", targets: ["Skein"]),
  ],
  traits: [
    .trait(name: "IOUring", description: "The io_uring backend; needs liburing-dev"),
    .trait(name: "Logging", description: "The runtime logs through swift-log"),
    .trait(name: "TSan", description: "Tell ThreadSanitizer about our locks"),
    .default(enabledTraits: ["IOUring", "Logging"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0")
  ],
  targets: [
    // Platform: lock, waiter, monotonic clock, C shims.
    .target(name: "CSkeinPlatform", path: "Packages/Platform/Sources/CSkeinPlatform"),
    .target(
      name: "SkeinPlatform", dependencies: ["CSkeinPlatform"],
      path: "Packages/Platform/Sources/SkeinPlatform", swiftSettings: platformSettings),

    // ModelCheck: concurrent programs in all orders, for tests.
    .target(
      name: "SkeinModelCheck", dependencies: ["SkeinPlatform"],
      path: "Packages/ModelCheck/Sources/SkeinModelCheck", swiftSettings: settings),

    // Mailbox: bounded mailbox, ring, slot.
    .target(
      name: "SkeinMailbox", dependencies: ["SkeinPlatform"],
      path: "Packages/Mailbox/Sources/SkeinMailbox", swiftSettings: settings),

    // Timer: wheel, clock.
    .target(
      name: "SkeinTimer", dependencies: ["SkeinPlatform"],
      path: "Packages/Timer/Sources/SkeinTimer", swiftSettings: settings),

    // Scheduler: strands, worker pool.
    .target(
      name: "SkeinScheduler", dependencies: ["SkeinPlatform", "SkeinMailbox", "SkeinTimer"],
      path: "Packages/Scheduler/Sources/SkeinScheduler", swiftSettings: settings),
    .target(name: "CGlobalPoolHooks", path: "Packages/Scheduler/Sources/CGlobalPoolHooks"),
    .target(
      name: "SkeinSchedulerTesting", dependencies: ["SkeinScheduler", "CGlobalPoolHooks"],
      path: "Packages/Scheduler/Sources/SkeinSchedulerTesting", swiftSettings: settings),

    // SocketIO: epoll and io_uring behind one protocol, connections.
    .systemLibrary(
      name: "CLiburing", path: "Packages/SocketIO/Sources/CLiburing",
      pkgConfig: "liburing", providers: [.apt(["liburing-dev"])]),
    .target(
      name: "CSkeinRing", dependencies: [.target(name: "CLiburing", condition: .when(traits: ["IOUring"]))],
      path: "Packages/SocketIO/Sources/CSkeinRing",
      cSettings: [.define("SKEIN_IOURING", .when(traits: ["IOUring"]))]),
    .target(
      name: "SkeinSocketIO",
      dependencies: [
        "SkeinPlatform", "SkeinTimer", .target(name: "CSkeinRing", condition: .when(traits: ["IOUring"])),
      ],
      path: "Packages/SocketIO/Sources/SkeinSocketIO", swiftSettings: socketSettings),
    .target(
      name: "SkeinSocketIOTesting", dependencies: ["SkeinPlatform"],
      path: "Packages/SocketIO/Sources/SkeinSocketIOTesting", swiftSettings: socketSettings),

    // Serialization: values, Skynet's encoding, its messages as JSON.
    .target(
      name: "SkeinSerialization", path: "Packages/Serialization/Sources/SkeinSerialization", swiftSettings: settings),
    .target(
      name: "SkeinTaggedJSON", dependencies: ["SkeinSerialization"],
      path: "Packages/Serialization/Sources/SkeinTaggedJSON", swiftSettings: settings),

    // Cluster: Skynet's protocol, links and acceptors.
    .target(
      name: "SkeinCluster", dependencies: ["SkeinPlatform", "SkeinTimer", "SkeinSocketIO", "SkeinSerialization"],
      path: "Packages/Cluster/Sources/SkeinCluster", swiftSettings: settings),

    // Runtime: node, services, commands.
    .target(
      name: "Skein",
      dependencies: [
        "SkeinPlatform", "SkeinMailbox", "SkeinTimer", "SkeinScheduler", "SkeinSocketIO", "SkeinSerialization",
        "SkeinCluster",
        .product(name: "Logging", package: "swift-log", condition: .when(traits: ["Logging"])),
      ],
      path: "Packages/Runtime/Sources/Skein", swiftSettings: runtimeSettings),

    .testTarget(
      name: "SkeinTests",
      dependencies: ["Skein", "SkeinPlatform", "SkeinTimer", "SkeinScheduler", "SkeinSchedulerTesting"],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
