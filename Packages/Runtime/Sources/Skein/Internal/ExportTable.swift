// ExportTable: the services that peers may reach, by name and by id.

internal import SkeinCluster
internal import SkeinPlatform
internal import SkeinSerialization
internal import Synchronization

/// One exported service without its type.
struct Export: Sendable {
  let id: UInt32
  /// The service's own name on its node.
  let localName: String?
  /// Reads a request and puts it into the service's mailbox.
  let deliver: @Sendable (ClusterInboundRequest, SkeinLog) -> Void

  init<Service: SkeinService>(_ name: String, _ service: ServiceRef<Service>) {
    id = service.id
    localName = service.record.name
    let table = Service.commands
    let drops = RepeatedLine.drops
    let failures = RepeatedLine.failures
    deliver = { request, log in
      let bound: (command: String, request: RemoteRequest<Service>)
      do throws(RemoteFault) { bound = try Export.bind(request.body, table, name) } catch {
        (request.kind == .push ? drops : failures).note(
          log, ["peer": "\(request.peerAddress)", "reason": error.text])
        return request.fail(error.text)
      }
      if request.kind == .push {
        let receipt = bound.request.send(service)
        if receipt != .delivered {
          drops.note(
            log,
            ["peer": "\(request.peerAddress)", "command": bound.command, "service": name, "reason": "\(receipt)"])
        }
        return
      }
      bound.request.call(service) { result in
        switch result {
        case .success(let body): request.answer(body)
        case .failure(let error):
          failures.note(
            log,
            [
              "peer": "\(request.peerAddress)", "command": bound.command, "service": name, "reason": "\(error)",
            ])
          request.fail("call failed: \(error)")
        }
      }
    }
  }

  /// Reads the command's name and its arguments.
  private static func bind<Service>(
    _ body: [UInt8], _ table: CommandTable<Service>, _ service: String
  ) throws(RemoteFault) -> (command: String, request: RemoteRequest<Service>) {
    var command = ""
    do {
      let request = try Seri.read(body) { (reader) throws(SeriError) -> RemoteRequest<Service>? in
        command = try reader.string()
        guard let bind = table[command]?.bind else {
          while !reader.isAtEnd { _ = try reader.value() }
          return nil
        }
        return try bind(&reader)
      }
      guard let request else { throw RemoteFault(text: "call failed: \(service) has no command \(command) for peers") }
      return (command, request)
    } catch let error as SeriError {
      let what = command.isEmpty ? "the command's name" : "the arguments of \(command)"
      throw RemoteFault(text: "call failed: \(what) of \(service) cannot be read: \(error)")
    } catch let error as RemoteFault { throw error } catch { preconditionFailure("nothing else is thrown: \(error)") }
  }
}

/// Tells of something that may happen in floods: of the first time, and then of each whose number is a power of two.
final class RepeatedLine: Sendable {
  private let message: String
  // MARK: Any thread
  private let count = Atomic<Int>(0)

  init(_ message: String) { self.message = message }

  func note(_ log: SkeinLog, _ facts: [String: String]) {
    // Relaxed: a count.
    let number = count.add(1, ordering: .relaxed).newValue
    guard number.nonzeroBitCount == 1 else { return }
    log(.warning, message, facts.merging(["times": "\(number)"]) { given, _ in given })
  }

  static var drops: RepeatedLine { RepeatedLine("a peer's message was dropped") }
  static var failures: RepeatedLine { RepeatedLine("a peer's call has failed") }
}

/// Why a request is not given to a service.
private struct RemoteFault: Error {
  let text: String
}

/// The exports of a node.
final class ExportTable: ClusterRequestHandler {
  private let log: SkeinLog
  // MARK: Under lock
  private let exports = Lock<[String: Export]>([:])
  private let drops = RepeatedLine.drops
  private let failures = RepeatedLine.failures

  init(_ log: SkeinLog) { self.log = log }

  func add(_ name: String, _ export: Export) -> Bool {
    exports.withLock { exports in
      if let known = exports[name] { return known.id == export.id }
      exports[name] = export
      return true
    }
  }

  func remove(_ name: String) { _ = exports.withLock { $0.removeValue(forKey: name) } }

  var names: [String] { exports.withLock { $0.keys.sorted() } }

  // MARK: What peers ask

  func handle(_ request: ClusterInboundRequest) {
    guard let export = find(request.address) else {
      (request.kind == .push ? drops : failures).note(
        log, ["peer": "\(request.peerAddress)", "reason": "nothing is exported as \(request.address)"])
      return request.fail(isName(request.address) ? "Invalid name" : "call to invalid address")
    }
    export.deliver(request, log)
  }

  func id(exportedAs name: [UInt8]) -> UInt32? {
    guard let name = String(validating: name, as: UTF8.self) else { return nil }
    return exports.withLock { $0[name]?.id }
  }

  private func isName(_ address: ClusterAddress) -> Bool {
    if case .name(let name) = address { name.bytes.first == UInt8(ascii: "@") } else { false }
  }

  /// What is exported under any of Skynet's forms of address: `@name`, `.local name`, `:hexadecimal id`, id.
  private func find(_ address: ClusterAddress) -> Export? {
    switch address {
    case .number(let number): return find(id: number)
    case .name(let name):
      guard let text = String(validating: name.bytes, as: UTF8.self), let form = text.unicodeScalars.first else {
        return nil
      }
      let rest = String(text.unicodeScalars.dropFirst())
      switch form {
      case "@": return exports.withLock { $0[rest] }
      case ".": return exports.withLock { $0.values.first { $0.localName == rest } }
      case ":": return UInt32(rest, radix: 16).flatMap { find(id: $0) }
      default: return nil
      }
    }
  }

  private func find(id: UInt32) -> Export? { exports.withLock { $0.values.first { $0.id == id } } }
}
