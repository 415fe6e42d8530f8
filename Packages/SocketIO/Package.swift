// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .strictMemorySafety(), .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .define("SKEIN_TSAN", .when(traits: ["TSan"])),
  .define("SKEIN_IOURING", .when(traits: ["IOUring"])),
]

let package = Package(
  name: "skein-socketio",
  products: [
    .library(name: "SkeinSocketIO", targets: ["SkeinSocketIO"]),
    .library(name: "SkeinSocketIOTesting", targets: ["SkeinSocketIOTesting"]),
  ],
  traits: [
    .trait(name: "IOUring", description: "The io_uring backend; needs liburing-dev"),
    .trait(name: "TSan", description: "Tell ThreadSanitizer about our locks"),
    .default(enabledTraits: ["IOUring"]),
  ],
  dependencies: [
    .package(path: "../Platform", traits: [.trait(name: "TSan", condition: .when(traits: ["TSan"]))]),
    .package(path: "../Timer", traits: [.trait(name: "TSan", condition: .when(traits: ["TSan"]))]),
  ],
  targets: [
    .systemLibrary(name: "CLiburing", pkgConfig: "liburing", providers: [.apt(["liburing-dev"])]),
    .target(
      name: "CSkeinRing", dependencies: [.target(name: "CLiburing", condition: .when(traits: ["IOUring"]))],
      cSettings: [.define("SKEIN_IOURING", .when(traits: ["IOUring"]))]),
    .target(
      name: "SkeinSocketIO",
      dependencies: [
        .product(name: "SkeinPlatform", package: "Platform"),
        .product(name: "SkeinTimer", package: "Timer"),
        .target(name: "CSkeinRing", condition: .when(traits: ["IOUring"])),
      ],
      swiftSettings: settings),
    .target(
      name: "SkeinSocketIOTesting", dependencies: [.product(name: "SkeinPlatform", package: "Platform")],
      swiftSettings: settings),
    .testTarget(
      name: "SkeinSocketIOTestingTests",
      dependencies: ["SkeinSocketIOTesting", .product(name: "SkeinPlatform", package: "Platform")],
      swiftSettings: settings),
    .testTarget(
      name: "SkeinSocketIOTests",
      dependencies: ["SkeinSocketIO", .product(name: "SkeinPlatform", package: "Platform")],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
