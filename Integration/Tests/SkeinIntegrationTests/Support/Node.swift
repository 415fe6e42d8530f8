// Node: `skein serve` as a child, known by its ready line.

import Foundation
import Glibc
import Testing

/// The I/O backends that the node can be told to use.
enum IOBackend: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case epoll
  case uring = "io_uring"

  var testDescription: String { rawValue }
}

/// A running node under test.
struct Node {
  let process: ChildProcess
  /// The line that it printed once everything listened.
  let readyLine: String
  let port: UInt16
  /// Where other nodes reach it, if the ready line says so.
  var clusterAddress: String? {
    readyLine.split(separator: " ").first { $0.hasPrefix("cluster=") }.map { String($0.dropFirst("cluster=".count)) }
  }
  var figures: ProcessFigures { ProcessFigures(pid: process.pid) }

  /// Starts a node on a port of the kernel's choice and waits for its ready line.
  init(_ backend: IOBackend, _ options: [String] = [], descriptors: Int? = nil) throws {
    let arguments = ["serve", "--resp", "127.0.0.1:0", "--io", backend.rawValue] + options
    process = try ChildProcess(try Environment.skein(), arguments, descriptors: descriptors)
    readyLine = try process.readLine()
    let words = readyLine.split(separator: " ")
    guard words.first == "ready", words.contains("io=\(backend.rawValue)"),
      let address = words.first(where: { $0.hasPrefix("resp=127.0.0.1:") }),
      let digits = address.split(separator: ":").last, let port = UInt16(digits), port > 0
    else { throw Failure("not the ready line of a node on \(backend.rawValue): \(readyLine)") }
    self.port = port
  }

  /// A new client.
  func client() throws -> RawClient { try RawClient(port: port) }

  /// Tells the node to stop, and waits for its status.
  func stop(_ signal: Int32 = SIGTERM) throws -> ExitStatus {
    process.signal(signal)
    return try process.waitForExit()
  }
}

/// Starts a node, runs `body` with it, and ends it in any case. A node that ended by itself fails the test, unless
/// `body` asked for its exit status; a failure carries the end of the node's log.
func withNode(
  _ backend: IOBackend, _ options: [String] = [], descriptors: Int? = nil, _ body: (Node) throws -> Void
) throws {
  let node = try Node(backend, options, descriptors: descriptors)
  defer { node.process.kill() }
  do {
    try body(node)
  } catch {
    let state = node.process.isRunning ? "runs" : "has ended: \(node.process.exitStatus.map { "\($0)" } ?? "")"
    throw Failure("\(error)\nThe node \(state); its log ends:\n\(node.process.log.suffix(2_000))")
  }
  let known = node.process.exitStatus != nil
  if !known, !node.process.isRunning {
    Issue.record("the node ended by itself: \(String(describing: node.process.exitStatus)); \(node.process.log)")
  }
}
