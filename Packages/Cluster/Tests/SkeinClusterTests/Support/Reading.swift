// Reading: packets and messages out of a byte stream, in any cut.

import Glibc
import SkeinPlatform
import Testing

@testable import SkeinCluster

extension [UInt8] {
  /// The bytes, lent for the call.
  func withRawSpan<Result>(_ body: (RawSpan) throws -> Result) rethrows -> Result {
    // Bytes have no padding that could be read uninitialized.
    try unsafe body(span.bytes)
  }
}

/// The packets of `stream`, cut before each of `cuts`.
func packets(of stream: [UInt8], cuts: [Int] = []) -> [[UInt8]] {
  var reader = FrameReader()
  var found: [[UInt8]] = []
  var start = 0
  for end in cuts + [stream.count] {
    Array(stream[start..<end]).withRawSpan { reader.read($0) { found.append([UInt8](copying: $0)) } }
    start = end
  }
  #expect(reader.unfinishedBytes == 0)
  return found
}

/// Whether two lists of packets are equal; without optimization `==` takes a function call for each byte.
func areEqual(_ left: [[UInt8]], _ right: [[UInt8]]) -> Bool {
  left.count == right.count && zip(left, right).allSatisfy(areEqual)
}

private func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
  if left.count != right.count || left.isEmpty { return left.count == right.count }
  return unsafe memcmp(left, right, left.count) == 0
}

/// A request as it arrives.
struct ArrivedRequest: Equatable {
  var kind: ClusterRequestKind
  var address: ClusterAddress
  var session: UInt32?
  var trace: [UInt8]?
  var body: [UInt8]
}

/// An answer as it arrives.
struct ArrivedAnswer: Equatable {
  var isError: Bool
  var session: UInt32
  var body: [UInt8]
}

/// The answers in `packets`, joined.
func answers(in packets: [[UInt8]]) throws -> [ArrivedAnswer] {
  var joiner = LargeJoiner<Void>()
  var found: [ArrivedAnswer] = []
  for packet in packets {
    try packet.withRawSpan { span in
      switch try AnswerPacket(decoding: span) {
      case .error(let session, let text):
        found.append(ArrivedAnswer(isError: true, session: session, body: Array(packet[text])))
      case .small(let session, let body):
        found.append(ArrivedAnswer(isError: false, session: session, body: Array(packet[body])))
      case .begin(let session, let total): try joiner.begin(session, total: total, (), now: start)
      case .part(let session, let isLast, let range):
        if let (_, body) = try joiner.add(span.extracting(range), to: session, isLast: isLast) {
          found.append(ArrivedAnswer(isError: false, session: session, body: body))
        }
      }
    }
  }
  return found
}

/// The requests in `packets`, joined, and the tags of traces that no request followed.
func requests(in packets: [[UInt8]]) throws -> (requests: [ArrivedRequest], trace: [UInt8]?) {
  var joiner = LargeJoiner<(ArrivedRequest)>()
  var found: [ArrivedRequest] = []
  var trace: [UInt8]?
  for packet in packets {
    try packet.withRawSpan { span in
      switch try RequestPacket(decoding: span) {
      case .trace(let tag): trace = Array(packet[tag])
      case .small(let address, let session, let body):
        let kind: ClusterRequestKind = session == 0 ? .push : address == .nameQuery ? .nameQuery : .call
        found.append(
          ArrivedRequest(kind: kind, address: address, session: session, trace: trace, body: Array(packet[body])))
        trace = nil
      case .begin(let address, let session, let isPush, let total):
        let kind: ClusterRequestKind = isPush ? .push : address == .nameQuery ? .nameQuery : .call
        let request = ArrivedRequest(kind: kind, address: address, session: session, trace: trace, body: [])
        trace = nil
        try joiner.begin(session, total: total, request, now: start)
      case .part(let session, let isLast, let range):
        if var (request, body) = try joiner.add(span.extracting(range), to: session, isLast: isLast) {
          swap(&request.body, &body)
          found.append(request)
        }
      }
    }
  }
  return (found, trace)
}

/// Where virtual time begins.
let start = MonotonicInstant(nanoseconds: 1_000_000_000)

func at(_ seconds: Double) -> MonotonicInstant { start.advanced(by: .nanoseconds(Int64(seconds * 1e9))) }
