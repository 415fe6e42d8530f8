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

let package = Package(
  name: "skein",
  products: [
    .library(name: "SkeinPlatform", targets: ["SkeinPlatform"]),
    .library(name: "SkeinMailbox", targets: ["SkeinMailbox"]),
    .library(name: "SkeinTimer", targets: ["SkeinTimer"]),
    .library(name: "SkeinScheduler", targets: ["SkeinScheduler"]),
  ],
  traits: [
    .trait(name: "TSan", description: "Tell ThreadSanitizer about our locks"),
    .default(enabledTraits: []),
  ],
  targets: [
    // Platform: lock, waiter, monotonic clock, C shims.
    .target(name: "CSkeinPlatform", path: "Packages/Platform/Sources/CSkeinPlatform"),
    .target(
      name: "SkeinPlatform", dependencies: ["CSkeinPlatform"],
      path: "Packages/Platform/Sources/SkeinPlatform", swiftSettings: settings),

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
  ],
  swiftLanguageModes: [.v6]
)
