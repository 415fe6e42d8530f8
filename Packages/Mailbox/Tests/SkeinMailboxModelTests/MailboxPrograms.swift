// MailboxPrograms: small programs round one mailbox, for the model checker.

import SkeinMailboxModel
import SkeinModelCheck

/// A message whose content is plain memory: a reader to whom it was not published is found.
struct Parcel: ~Copyable, Sendable {
  let sender: Int
  let content: ModelCell<Int>

  init(_ sender: Int, _ number: Int) {
    self.sender = sender
    content = ModelCell(-1)
    content.value = number
  }
}

/// A mailbox, its consumer, and who has it.
final class Post: @unchecked Sendable {
  // @unchecked: the consumer is touched by whoever is awake for the mailbox; `visits` shows whether that is ordered.
  let mailbox: Mailbox<Parcel>
  private var consumer: MailboxConsumer<Parcel>
  private let visits = ModelCell(0)
  private var isVisited = false
  /// What was read: the numbers of each sender, in their order.
  private(set) var read: [Int: [Int]] = [:]
  private var rests = true

  init(capacity: Int, busyPolicy: BusyPolicy = .refuse) {
    consumer = MailboxConsumer(capacity: capacity, busyPolicy: busyPolicy)
    mailbox = consumer.mailbox
  }

  /// Sends and, where that is asked for, reads.
  ///
  /// - Returns: whether it was taken.
  func send(_ sender: Int, _ number: Int) -> Bool {
    switch mailbox.post(Parcel(sender, number)) {
    case .delivered(let mustSchedule):
      if mustSchedule { run() }
      return true
    case .refused: return false
    case .awaitCredit: return false
    case .dropped: return false
    case .closed: return false
    }
  }

  func sendSystem(_ sender: Int, _ number: Int) { if mailbox.pushSystem(Parcel(sender, number)) { run() } }

  /// One who has to read does so until he may rest.
  func run() {
    while true {
      enter()
      look()
      // Touched before the rest: afterwards it is somebody else's.
      isVisited = false
      if consumer.rest() { return }
      ModelRun.relax()
    }
  }

  private func enter() {
    ModelRun.require(!isVisited, "two are in at once")
    isVisited = true
    visits.value += 1
  }

  private func look() {
    if consumer.takeSignal() {
      var batch = consumer.takeSystem()
      while let parcel = batch.next() { note(parcel) }
    }
    while let parcel = consumer.dequeue() { note(parcel) }
  }

  private func note(_ parcel: consuming Parcel) { read[parcel.sender, default: []].append(parcel.content.value) }

  /// Goes to rest whatever there is to read, or reads it where somebody came between; by one who is awake for it.
  func hold() {
    enter()
    isVisited = false
    if !consumer.restHolding() { run() }
  }

  /// Awakes it, if it rests.
  func awaken() -> Bool { mailbox.tryAwaken() }

  /// Closes it and reads what is left; by one who is awake for it.
  func close() {
    enter()
    consumer.close()
    while consumer.hasUnread {
      if let parcel = consumer.dequeue() { note(parcel) } else { ModelRun.relax() }
    }
    isVisited = false
  }

  /// Sends and reads so many in the set-up, without a rest, so that the next index is near a block's end.
  func fill(_ count: Int) {
    for number in 0..<count {
      _ = mailbox.push(Parcel(0, number))
      while let parcel = consumer.dequeue() { note(parcel) }
    }
    read = [:]
  }

  /// Ends a turn of the set-up's.
  func rest() { ModelRun.require(consumer.rest(), "there is nothing to do") }
}

/// The programs by name.
enum Program: String, CaseIterable, Sendable {
  /// Two send to one who rests: each parcel is read once, and nobody is forgotten.
  case rest
  /// The same across a block's end, with the mailbox awake in between.
  case border
  /// The same in wide blocks, one of which is left over to be used again.
  case burst
  /// One who has blocks left over goes to rest while another sends and a third signals.
  case ebb
  /// One sends, one signals over the system lane.
  case signal
  /// Two signal, and nobody sends otherwise.
  case signals
  /// One awakes it, reads and rests while another sends.
  case awaken
  /// One goes to rest without reading while another sends: who wakes it reads all.
  case hold
  /// One closes while another sends: what was taken is read, what comes later is handed back.
  case close
  /// Two put elements into one slot: each is read once or handed back once, and somebody reads the last.
  case latest
  /// The same while one closes it.
  case latestClose
  /// As many as there is room for, to one who rests: none is refused, and never more are counted.
  case exact
  /// More than it has room for: a refused parcel is one that was not read.
  case full
  /// The same, where what finds no room is dropped, and counted.
  case drop

  func setUp(_ model: ModelRun) {
    switch self {
    case .rest, .border, .burst, .full, .drop: sendFromTwo(model)
    case .ebb: ebb(model)
    case .signal: signal(model)
    case .signals: signals(model)
    case .awaken: awaken(model)
    case .hold: hold(model)
    case .close: close(model)
    case .latest: latest(model, closes: false)
    case .latestClose: latest(model, closes: true)
    case .exact: exact(model)
    }
  }

  private func sendFromTwo(_ model: ModelRun) {
    let isTight = self == .full || self == .drop
    let post = Post(capacity: isTight ? 1 : 8, busyPolicy: self == .drop ? .dropNewest : .refuse)
    if self == .border {
      // Blocks of the model have two cells, or four.
      post.fill(1)
      post.rest()
      post.fill(2)
    }
    if self == .burst { post.fill(15) }
    if self == .drop {
      // Full from the start: two may be refused at once.
      _ = post.awaken()
      _ = post.send(2, 0)
    }
    let each = self == .burst ? 3 : 2
    let taken = [ModelCell([Int]()), ModelCell([Int]())]
    let refused = [ModelCell(0), ModelCell(0)]
    if [.border, .burst, .drop].contains(self) { model.thread("awake") { post.run() } }
    for sender in 0..<2 {
      model.thread("sender \(sender)") {
        for number in 0..<each {
          if post.send(sender, number) { taken[sender].value.append(number) } else { refused[sender].value += 1 }
        }
      }
    }
    model.afterwards {
      let counts = post.mailbox.statistics
      let missed = refused[0].value + refused[1].value
      ModelRun.require(counts.refused == (self == .drop ? 0 : missed), "refusals are miscounted")
      ModelRun.require(counts.dropped == (self == .drop ? missed : 0), "what was dropped is miscounted")
      for sender in 0..<2 {
        ModelRun.require(post.read[sender] ?? [] == taken[sender].value, "sent and read differ")
        ModelRun.require(isTight || taken[sender].value == Array(0..<each), "there was room")
      }
      ModelRun.require(post.mailbox.count == 0, "something is left")
    }
  }

  private func ebb(_ model: ModelRun) {
    let post = Post(capacity: 8)
    post.fill(9)
    model.thread("awake") { post.run() }
    model.thread("sender") { for number in 0..<4 { ModelRun.require(post.send(0, number), "there was room") } }
    model.thread("signaller") { post.sendSystem(1, 0) }
    model.afterwards { ModelRun.require(post.read == [0: [0, 1, 2, 3], 1: [0]], "read was \(post.read)") }
  }

  private func signal(_ model: ModelRun) {
    let post = Post(capacity: 8)
    model.thread("sender") { for number in 0..<2 { _ = post.send(0, number) } }
    model.thread("signaller") { for number in 0..<2 { post.sendSystem(1, number) } }
    model.afterwards { ModelRun.require(post.read == [0: [0, 1], 1: [0, 1]], "read was \(post.read)") }
  }

  private func signals(_ model: ModelRun) {
    let post = Post(capacity: 8)
    for sender in 0..<2 {
      model.thread("signaller \(sender)") { for number in 0..<2 { post.sendSystem(sender, number) } }
    }
    model.afterwards { ModelRun.require(post.read == [0: [0, 1], 1: [0, 1]], "read was \(post.read)") }
  }

  private func awaken(_ model: ModelRun) {
    let post = Post(capacity: 8)
    model.thread("sender") { for number in 0..<2 { _ = post.send(0, number) } }
    for name in ["a", "b"] { model.thread(name) { if post.awaken() { post.run() } } }
    model.afterwards { ModelRun.require(post.read == [0: [0, 1]], "read was \(post.read)") }
  }

  private func hold(_ model: ModelRun) {
    let post = Post(capacity: 8)
    post.fill(1)
    post.hold()
    model.thread("holder") { if post.awaken() { post.hold() } }
    model.thread("sender") { for number in 0..<2 { ModelRun.require(post.send(0, number), "there was room") } }
    model.afterwards {
      if post.awaken() { post.run() }
      ModelRun.require(post.read == [0: [0, 1]], "read was \(post.read)")
    }
  }

  private func exact(_ model: ModelRun) {
    let post = Post(capacity: 2)
    // Resting skips the rest of a block: an old head would look like many unread.
    for _ in 0..<2 {
      post.fill(1)
      post.rest()
    }
    for sender in 0..<2 {
      model.thread("sender \(sender)") { ModelRun.require(post.send(sender, 0), "there was room") }
    }
    model.thread("watcher") { ModelRun.require(post.mailbox.count <= 2, "\(post.mailbox.count) are counted") }
    model.afterwards { ModelRun.require(post.read == [0: [0], 1: [0]], "read was \(post.read)") }
  }

  private func close(_ model: ModelRun) {
    let post = Post(capacity: 8)
    let taken = ModelCell([Int]())
    _ = post.awaken()
    model.thread("closer") { post.close() }
    model.thread("sender") { for number in 0..<2 where post.send(0, number) { taken.value.append(number) } }
    model.afterwards { ModelRun.require(post.read[0] ?? [] == taken.value, "taken \(taken.value), read \(post.read)") }
  }

  private func latest(_ model: ModelRun, closes: Bool) {
    let slot = Slot()
    if closes { _ = slot.send(2, 0) }
    let came = (0..<3).map { _ in ModelCell([Int]()) }
    for sender in 0..<2 {
      model.thread("sender \(sender)") {
        for number in 0..<2 { came[sender].value += slot.send(sender, number) }
      }
    }
    if closes { model.thread("closer") { came[2].value += slot.close() } }
    model.afterwards {
      let back = came[0].value + came[1].value + came[2].value
      let all = (slot.read + back).sorted()
      ModelRun.require(all == (closes ? [0, 1, 10, 11, 20] : [0, 1, 10, 11]), "came out: \(all)")
    }
  }
}

/// A mailbox for one parcel, its consumer, and what was read, as 10 for each sender and the number.
final class Slot: @unchecked Sendable {
  // @unchecked: as in `Post`.
  private let mailbox: LatestMailbox<Parcel>
  private var consumer: LatestConsumer<Parcel>
  private let visits = ModelCell(0)
  private(set) var read: [Int] = []

  init() {
    consumer = LatestConsumer()
    mailbox = consumer.mailbox
  }

  /// Sends, and reads where that is asked for; what was handed back.
  func send(_ sender: Int, _ number: Int) -> [Int] {
    switch mailbox.push(Parcel(sender, number)) {
    case .delivered(let mustSchedule):
      if mustSchedule && sender < 2 { run() }
      return []
    case .replaced(let old): return [value(old)]
    case .closed(let mine): return [value(mine)]
    }
  }

  private func value(_ parcel: consuming Parcel) -> Int { parcel.sender * 10 + parcel.content.value }

  private func run() {
    repeat {
      visits.value += 1
      while let parcel = consumer.take() { read.append(value(parcel)) }
      visits.value += 1
    } while !consumer.rest()
  }

  /// By the one whom the set-up has made awake.
  func close() -> [Int] {
    visits.value += 1
    guard let parcel = consumer.close() else { return [] }
    return [value(parcel)]
  }
}
