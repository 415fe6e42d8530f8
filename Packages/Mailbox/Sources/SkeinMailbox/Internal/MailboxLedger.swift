// MailboxLedger: what a mailbox counts only when it is full; made when it first is, on a line of its own, so that
// senders who try again and again do not disturb the reader who makes room.

#if !SKEIN_MODEL
public import Synchronization
#endif

/// Counts of what a full mailbox did not take.
@usableFromInline
struct MailboxLedger: ~Copyable {
  @usableFromInline let refused = Atomic<Int>(0)
  @usableFromInline let dropped = Atomic<Int>(0)

  @usableFromInline init() {}

  @usableFromInline
  static func allocate() -> UnsafeMutablePointer<MailboxLedger> {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)
    let ledger = unsafe memory.bindMemory(to: MailboxLedger.self, capacity: 1)
    unsafe ledger.initialize(to: MailboxLedger())
    return unsafe ledger
  }

  @usableFromInline
  static func free(_ ledger: UnsafeMutablePointer<MailboxLedger>) {
    unsafe ledger.deinitialize(count: 1)
    unsafe UnsafeMutableRawPointer(ledger).deallocate()
  }
}
