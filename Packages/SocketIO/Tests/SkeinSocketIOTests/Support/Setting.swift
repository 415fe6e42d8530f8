// Which backends and drivers every case runs with.

import SkeinSocketIO
import Testing

/// A backend, and who dispatches its events.
struct Setting: Sendable, CustomTestStringConvertible {
  enum Driver: String, Sendable, CaseIterable {
    /// The test's thread, which owns the loop.
    case owner
    /// A LoopThread; the test's thread is a stranger to the loop.
    case thread
  }

  let backend: SocketBackend
  let driver: Driver

  var testDescription: String { "\(backend.rawValue), \(driver.rawValue)" }

  /// What can run here; `SKEIN_IO` narrows it to one.
  static let backends: [SocketBackend] = [.epoll, .ioUring].filter { backend in
    let asked = try? SocketBackend.fromEnvironment
    return (asked == .automatic || asked == backend) && backend.unavailability() == nil
  }

  static let all = backends.flatMap { backend in Driver.allCases.map { Setting(backend: backend, driver: $0) } }
  static let owned = backends.map { Setting(backend: $0, driver: .owner) }
}

/// Thrown when something did not happen within the hang guard.
struct Hang: Error {
  let waitingFor: String
}
