// Environment: what the tests are told from outside, and the one bound on every wait.

import Foundation

/// A sentence that says why a test cannot go on.
struct Failure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// The outside world of the tests.
enum Environment {
  /// Upper bound on any wait for an event, in seconds. No test relies on its length: reaching it is a failure.
  static let hangGuardSeconds = 20

  /// The variable `name` of the test's own environment.
  static func variable(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }

  /// The path of the executable under test.
  static func skein() throws -> String {
    let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let path = variable("SKEIN_EXECUTABLE") ?? package.deletingLastPathComponent().appending(path: "bin/skein").path
    guard FileManager.default.isExecutableFile(atPath: path) else {
      throw Failure("there is no executable at \(path): run scripts/build, or set SKEIN_EXECUTABLE")
    }
    return path
  }

  /// The path of the file `name` in the tests' folder `Programs`.
  static func program(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Programs").appending(path: name).path
  }

  /// The path of a file of this repository, from its root.
  static func repositoryFile(_ path: String) -> URL {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appending(path: path)
  }
}
