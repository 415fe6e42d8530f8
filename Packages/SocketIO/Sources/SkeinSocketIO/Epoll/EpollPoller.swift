// EpollPoller: readiness made into completions.
//
// Owns:       the epoll descriptor, an eventfd for signals, a timerfd for the alarm, the adopted descriptors, and one
//             read buffer for all of them.
// Shared by:  see Poller. `ownerEvents` is the waiting owner's alone, without the gate, until it collects.
// Level-triggered throughout, so what one turn leaves undone, or another thread does, is not lost: the owner waits
// without the gate and may hold old news of a slot when it gets in; reading then finds nothing, or the generation has
// changed. Interest is written to the kernel in `flush`, once a turn.

internal import CSkeinPlatform
internal import SkeinPlatform

@safe final class EpollPoller: Poller {
  static let eventsPerTurn = 128
  private static let readBytes = 64 << 10
  private static let signalToken = UInt64.max
  private static let alarmToken = UInt64.max - 1

  let backend = SocketBackend.epoll
  let isThreadBound = false
  let writesAtOnce = true

  // MARK: Any thread
  private let epoll: Int32
  private let signalDescriptor: Int32
  private let alarmDescriptor: Int32
  private let acceptsPerTurn: Int
  private let bytesPerTurn: Int

  // MARK: Owner's thread only, until it collects
  private let ownerEvents: UnsafeMutablePointer<skein_epoll_event>
  private var ownerCount = 0

  // MARK: Under the gate
  private var records: [EpollRecord] = unsafe []
  private var dirty: [UInt32] = []
  /// Slots that the kernel would not register, with its errno.
  private var failures: [(token: SlotToken, errorNumber: Int32)] = []
  private let events: UnsafeMutablePointer<skein_epoll_event>
  private let readBuffer: UnsafeMutableRawBufferPointer

  init(limits: SocketLimits) throws(SocketError) {
    acceptsPerTurn = max(limits.acceptsPerTurn, 1)
    bytesPerTurn = max(limits.bytesPerTurn, 1)
    epoll = try Self.check("epoll_create1", skein_epoll_create())
    let signal: Int32
    let alarm: Int32
    do throws(SocketError) {
      signal = try Self.check("eventfd", skein_eventfd())
    } catch {
      _ = skein_close(epoll)
      throw error
    }
    do throws(SocketError) {
      alarm = try Self.check("timerfd_create", skein_timerfd())
    } catch {
      _ = skein_close(epoll)
      _ = skein_close(signal)
      throw error
    }
    signalDescriptor = signal
    alarmDescriptor = alarm
    unsafe ownerEvents = .allocate(capacity: Self.eventsPerTurn)
    unsafe ownerEvents.initialize(repeating: skein_epoll_event(), count: Self.eventsPerTurn)
    unsafe events = .allocate(capacity: Self.eventsPerTurn)
    unsafe events.initialize(repeating: skein_epoll_event(), count: Self.eventsPerTurn)
    unsafe readBuffer = .allocate(byteCount: Self.readBytes, alignment: 64)
    let readable = UInt32(SKEIN_EPOLL_IN)
    _ = try Self.check("epoll_ctl", skein_epoll_add(epoll, signal, readable, Self.signalToken))
    _ = try Self.check("epoll_ctl", skein_epoll_add(epoll, alarm, readable, Self.alarmToken))
  }

  deinit {
    shutDown()
    _ = skein_close(epoll)
    _ = skein_close(signalDescriptor)
    _ = skein_close(alarmDescriptor)
    unsafe ownerEvents.deallocate()
    unsafe events.deallocate()
    unsafe readBuffer.deallocate()
  }

  private static func check(_ call: String, _ result: Int32) throws(SocketError) -> Int32 {
    guard result >= 0 else { throw .system(SystemCallError(call: call, errorNumber: -result)) }
    return result
  }

  // MARK: Descriptors

  func adopt(_ descriptor: Int32, as token: SlotToken, kind: DescriptorKind) {
    let index = Int(token.index)
    while unsafe records.count <= index { unsafe records.append(EpollRecord()) }
    var record = unsafe EpollRecord()
    unsafe record.descriptor = descriptor
    unsafe record.generation = token.generation
    unsafe record.kind = kind
    unsafe record.isDirty = records[index].isDirty
    unsafe records[index] = record
    touch(token)
  }

  func beginAccept(_ token: SlotToken) { setInput(token, true) }
  func stopAccept(_ token: SlotToken) { setInput(token, false) }
  func beginReceive(_ token: SlotToken) { setInput(token, true) }
  func pauseReceive(_ token: SlotToken) { setInput(token, false) }

  private func setInput(_ token: SlotToken, _ wanted: Bool) {
    let index = Int(token.index)
    guard unsafe records[index].matches(token), unsafe records[index].wantsInput != wanted else { return }
    unsafe records[index].wantsInput = wanted
    touch(token)
  }

  func awaitConnect(_ token: SlotToken) {
    guard unsafe records[Int(token.index)].matches(token) else { return }
    unsafe records[Int(token.index)].awaitsConnect = true
    touch(token)
  }

  func writeNow(_ bytes: UnsafeRawBufferPointer, to token: SlotToken) -> WriteOutcome {
    let index = Int(token.index)
    guard unsafe records[index].matches(token), let start = bytes.baseAddress else { return .wrote(0) }
    return unsafe Self.write(start, bytes.count, to: records[index].descriptor)
  }

  private static func write(_ start: UnsafeRawPointer, _ count: Int, to descriptor: Int32) -> WriteOutcome {
    while true {
      let outcome = unsafe skein_socket_send(descriptor, start, count)
      if outcome >= 0 { return .wrote(outcome) }
      switch Int32(-outcome) {
      case Errno.interrupted: continue
      case Errno.again, Errno.noBuffers, Errno.noMemory: return .wrote(0)
      default: return .failed(Int32(-outcome))
      }
    }
  }

  func beginSend(_ bytes: UnsafeRawBufferPointer, to token: SlotToken) {
    let index = Int(token.index)
    guard unsafe records[index].matches(token) else { return }
    unsafe records[index].sending = bytes
    touch(token)
  }

  func shutdownWrite(_ token: SlotToken) {
    guard unsafe records[Int(token.index)].matches(token) else { return }
    _ = unsafe skein_socket_shutdown_write(records[Int(token.index)].descriptor)
  }

  func close(_ token: SlotToken, resetting: Bool) -> Bool {
    let index = Int(token.index)
    guard unsafe records[index].matches(token) else { return true }
    let descriptor = unsafe records[index].descriptor
    unsafe records[index].descriptor = -1
    unsafe records[index].sending = UnsafeRawBufferPointer(start: nil, count: 0)
    if resetting { _ = skein_socket_set_linger_reset(descriptor) }
    // A closed descriptor leaves the set by itself: nobody has a copy of it.
    _ = skein_close(descriptor)
    return true
  }

  /// Notes that the kernel must be told of a change.
  private func touch(_ token: SlotToken) {
    let index = Int(token.index)
    guard unsafe !records[index].isDirty else { return }
    unsafe records[index].isDirty = true
    dirty.append(token.index)
  }

  func flush() {
    guard !dirty.isEmpty else { return }
    for position in dirty {
      let index = Int(position)
      unsafe records[index].isDirty = false
      let record = unsafe records[index]
      let wanted = unsafe record.wanted
      guard unsafe record.descriptor >= 0 && wanted != record.registered else { continue }
      let token = unsafe SlotToken(index: position, generation: record.generation)
      let outcome =
        if unsafe wanted == EpollRecord.unregistered {
          unsafe skein_epoll_remove(epoll, record.descriptor)
        } else if unsafe record.registered == EpollRecord.unregistered {
          unsafe skein_epoll_add(epoll, record.descriptor, wanted, token.packed)
        } else {
          unsafe skein_epoll_modify(epoll, record.descriptor, wanted, token.packed)
        }
      unsafe records[index].registered = wanted
      if outcome < 0 {
        // Out of memory or of watches: reported like a broken connection at the next look.
        unsafe records[index].registered = EpollRecord.unregistered
        failures.append((token, -outcome))
        signal()
      }
    }
    dirty.removeAll(keepingCapacity: true)
  }

  // MARK: Waiting

  func waitInKernel(until deadline: MonotonicInstant?) -> Bool {
    var timeout: Int64 = -1
    if let deadline { timeout = max(deadline.nanoseconds - MonotonicInstant.now.nanoseconds, 0) }
    let count = unsafe skein_epoll_wait(epoll, ownerEvents, Int32(Self.eventsPerTurn), timeout)
    ownerCount = max(Int(count), 0)
    for position in 0..<ownerCount {
      // Cleared by the owner alone: another thread that looks must not take the owner's signal away.
      switch unsafe ownerEvents[position].token {
      case Self.signalToken: _ = skein_eventfd_clear(signalDescriptor)
      case Self.alarmToken: _ = skein_timerfd_clear(alarmDescriptor)
      default: break
      }
    }
    return ownerCount > 0
  }

  func collect(afterWait: Bool, _ body: (SlotToken, PollerEvent) -> Void) -> Bool {
    var anything = false
    if !failures.isEmpty {
      let failed = failures
      failures = []
      for failure in failed { unsafe body(failure.token, .hangUp(failure.errorNumber)) }
      anything = true
    }
    if afterWait {
      let count = ownerCount
      ownerCount = 0
      for position in 0..<count where unsafe handle(ownerEvents[position], body) { anything = true }
    } else {
      let count = unsafe skein_epoll_wait(epoll, events, Int32(Self.eventsPerTurn), 0)
      for position in 0..<max(Int(count), 0) where unsafe handle(events[position], body) { anything = true }
    }
    return anything
  }

  func signal() { _ = skein_eventfd_signal(signalDescriptor) }

  func setAlarm(at deadline: MonotonicInstant) { _ = skein_timerfd_arm(alarmDescriptor, max(deadline.nanoseconds, 0)) }

  func shutDown() {
    for index in unsafe records.indices where unsafe records[index].descriptor >= 0 {
      _ = unsafe skein_close(records[index].descriptor)
      unsafe records[index].descriptor = -1
    }
    failures = []
  }

  // MARK: Events

  private func handle(_ event: skein_epoll_event, _ body: (SlotToken, PollerEvent) -> Void) -> Bool {
    guard event.token < Self.alarmToken else { return false }
    let token = SlotToken(packed: event.token)
    let index = Int(token.index)
    guard unsafe index < records.count && records[index].matches(token) else { return false }
    if unsafe records[index].kind == .listener {
      unsafe accept(token, body)
      return true
    }
    if unsafe records[index].awaitsConnect {
      unsafe finishConnect(token, event.events, body)
      return true
    }
    // In this order: input that came before a reset is delivered before it.
    let broken = UInt32(SKEIN_EPOLL_ERR) | UInt32(SKEIN_EPOLL_HUP)
    if event.events & (UInt32(SKEIN_EPOLL_IN) | broken) != 0 { unsafe receive(token, body) }
    if event.events & (UInt32(SKEIN_EPOLL_OUT) | broken) != 0 { unsafe send(token, body) }
    if event.events & broken != 0 { unsafe noteBreak(token, event.events, body) }
    return true
  }

  private func accept(_ token: SlotToken, _ body: (SlotToken, PollerEvent) -> Void) {
    let index = Int(token.index)
    for _ in 0..<acceptsPerTurn {
      guard unsafe records[index].matches(token) && records[index].wantsInput else { return }
      let (descriptor, peer) = unsafe SocketCalls.accept(records[index].descriptor)
      if descriptor >= 0 {
        unsafe body(token, .accepted(descriptor: descriptor, peer: peer))
        continue
      }
      switch -descriptor {
      case Errno.again: return
      case let number where Errno.concernsOneClient(number): continue
      case let number:
        setInput(token, false)
        unsafe body(token, .acceptFailed(number))
        return
      }
    }
  }

  private func finishConnect(_ token: SlotToken, _ flags: UInt32, _ body: (SlotToken, PollerEvent) -> Void) {
    let index = Int(token.index)
    let errorNumber = unsafe skein_socket_error(records[index].descriptor)
    guard unsafe errorNumber != 0 || SocketCalls.isConnected(records[index].descriptor) else { return }
    unsafe records[index].awaitsConnect = false
    touch(token)
    unsafe body(token, errorNumber == 0 ? .connected : .connectFailed(errorNumber))
  }

  private func receive(_ token: SlotToken, _ body: (SlotToken, PollerEvent) -> Void) {
    let index = Int(token.index)
    var budget = bytesPerTurn
    while unsafe budget > 0 && records[index].matches(token) && records[index].wantsInput {
      let count = unsafe skein_socket_receive(records[index].descriptor, readBuffer.baseAddress!, readBuffer.count)
      if count > 0 {
        unsafe body(token, .received(UnsafeRawBufferPointer(rebasing: readBuffer[..<count])))
        // A short read has most likely taken all; what it has not is reported again.
        if count < Self.readBytes { return }
        budget -= count
        continue
      }
      if count < 0 && (Int32(-count) == Errno.again || Int32(-count) == Errno.interrupted) { return }
      setInput(token, false)
      unsafe body(token, count == 0 ? .receivedEnd : .receiveFailed(Int32(-count)))
      return
    }
  }

  private func send(_ token: SlotToken, _ body: (SlotToken, PollerEvent) -> Void) {
    let index = Int(token.index)
    var budget = bytesPerTurn
    while unsafe budget > 0 && records[index].matches(token) {
      let bytes = unsafe records[index].sending
      guard let start = bytes.baseAddress else { return }
      let outcome = unsafe Self.write(start, bytes.count, to: records[index].descriptor)
      if case .wrote(0) = outcome { return }
      unsafe records[index].sending = UnsafeRawBufferPointer(start: nil, count: 0)
      touch(token)
      switch outcome {
      case .wrote(let count):
        budget -= count
        unsafe body(token, .sent(count))
      case .failed(let errorNumber):
        unsafe body(token, .sendFailed(errorNumber))
        return
      }
    }
  }

  /// After an error or a hang-up, when reading and writing have not told of it.
  private func noteBreak(_ token: SlotToken, _ flags: UInt32, _ body: (SlotToken, PollerEvent) -> Void) {
    let index = Int(token.index)
    guard unsafe records[index].matches(token) && records[index].wanted == 0 else { return }
    let errorNumber = unsafe skein_socket_error(records[index].descriptor)
    if flags & UInt32(SKEIN_EPOLL_HUP) != 0 {
      unsafe records[index].isHungUp = true
      touch(token)
    }
    if errorNumber != 0 { unsafe body(token, .hangUp(errorNumber)) }
  }
}

// @unchecked: the pointers lead to memory that the poller owns; see above for which thread may use what.
extension EpollPoller: @unchecked Sendable {}
