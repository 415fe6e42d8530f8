// SocketServices: the services behind the connections of SocketTests, and the book in which they report.

import Skein
import SkeinPlatform
import SkeinSocketIO

/// What the services of one test report.
final class SocketBook: Sendable {
  struct Facts: Sendable {
    var made = 0
    var bytesRead = 0
    var largestRead = 0
    var largestQueue = 0
    var services: [ServiceRef<SocketProbe>] = []
  }
  private let facts = Lock(Facts())
  /// Signalled for each service that is released.
  let released = Event()
  /// Signalled whenever a service has read something.
  let progress = Event()
  /// Signalled for each service that has stopped in order.
  let stopped = Event()

  var now: Facts { facts.withLock { $0 } }
  func note(_ change: (inout Facts) -> Void) { facts.withLock { change(&$0) } }
}

/// What a service does with what it receives.
enum SocketManner: Sendable {
  /// Sends it back, and reads no more than it can send.
  case echo
  /// Reads nothing before it is told to; then counts the bytes.
  case reluctant
  /// Sends so many bytes when the input has ended.
  case answersAtEnd(Int)
  /// Sends so many bytes when the node drains.
  case answersWhenDraining(Int)
}

/// A service behind a connection.
actor SocketProbe: SocketService {
  nonisolated let context: SkeinContext
  nonisolated let socket: ServiceSocket
  private let book: SocketBook
  private let manner: SocketManner
  private var mayRead = false

  init(_ context: SkeinContext, _ socket: ServiceSocket, _ book: SocketBook, _ manner: SocketManner) {
    self.context = context
    self.socket = socket
    self.book = book
    self.manner = manner
    let reference = self.reference
    book.note { facts in
      facts.made += 1
      facts.services.append(reference)
    }
  }

  deinit { book.released.signal() }
  func stop() { book.stopped.signal() }

  static let readNow = Command("READ") { (probe: isolated SocketProbe) in
    probe.mayRead = true
    probe.socketChanged()
  }
  /// Ends the service, which has not closed its connection.
  static let leave = Command("LEAVE") { (probe: isolated SocketProbe, text: [UInt8]) in
    probe.socket.write(text)
    probe.context.exit()
  }

  func socketChanged() {
    if socket.closeReason != nil { return }
    switch manner {
    case .echo:
      guard socket.isWritable else { return }
      socket.write(take())
      let queued = socket.queuedBytes
      book.note { $0.largestQueue = max($0.largestQueue, queued) }
    case .reluctant:
      if mayRead { _ = take() }
    case .answersAtEnd(let count):
      _ = take()
      if socket.inputEnded { socket.write(pattern(count)) }
    case .answersWhenDraining(let count):
      _ = take()
      if socket.isDraining { socket.write(pattern(count)) }
    }
    if socket.inputEnded || socket.isDraining && !socket.hasUnread { socket.close() }
  }

  private func take() -> [UInt8] {
    let bytes = socket.read()
    guard !bytes.isEmpty else { return bytes }
    book.note { facts in
      facts.bytesRead += bytes.count
      facts.largestRead = max(facts.largestRead, bytes.count)
    }
    book.progress.signal()
    return bytes
  }
}
