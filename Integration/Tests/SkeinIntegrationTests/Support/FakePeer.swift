// FakePeer: a cluster port that does what a test tells it, and nothing else.
//
// Owns:       the listening socket, until its thread has seen the end; each connection is its own thread's.
// Shared by:  those threads and the test; `bodies` is under lock.

import Foundation
import Glibc
import Synchronization

/// A peer that listens on loopback and answers each request as `answer` says: a type, 1 for values and 0 for an error,
/// and a body; nil for no answer at all.
final class FakePeer: Sendable {
  let port: UInt16
  private let listener: Int32
  private let received: Received

  private final class Received: Sendable {
    let bodies = Mutex<[[UInt8]]>([])
  }

  /// The bodies of all requests so far.
  var bodies: [[UInt8]] { received.bodies.withLock { $0 } }

  init(_ answer: @escaping @Sendable (_ body: [UInt8]) -> (type: UInt8, body: [UInt8])?) throws {
    let held = try FreePort()
    port = held.port
    listener = held.release()
    received = Received()
    let (socket, received) = (listener, received)
    Thread.detachNewThread {
      while true {
        let descriptor = accept(socket, nil, nil)
        guard descriptor >= 0 else { break }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        Thread.detachNewThread { Self.serve(descriptor, received, answer) }
      }
      close(socket)
    }
  }

  deinit { shutdown(listener, Int32(SHUT_RDWR)) }

  /// Reads requests until the connection ends, or the hang guard is reached.
  private static func serve(
    _ descriptor: Int32, _ received: Received, _ answer: ([UInt8]) -> (type: UInt8, body: [UInt8])?
  ) {
    guard let connection = try? RawClient(adopting: descriptor) else { return }
    while let packet = try? connection.readPacket() {
      let request = Wire.parse(request: packet)
      received.bodies.withLock { $0.append(request.body) }
      if let answer = answer(request.body) {
        try? connection.send(Wire.packet(request.session + [answer.type] + answer.body))
      }
    }
  }
}
