// MailboxRemains: what a consumer leaves behind when it ends.

internal import Synchronization

/// Drops unread elements and frees every block of a mailbox whose consumer is gone.
///
/// Later pushes are refused: the mailbox is closed first. A producer may still be between its claim
/// and its mark; its element is waited for.
struct MailboxRemains<Element: ~Copyable & Sendable>: ~Copyable {
  let mailbox: Mailbox<Element>
  var cursor: UInt64
  var block: UInt

  mutating func dropAll() {
    // Acquire: sees all claims before the close.
    var word = MailboxWord(bits: mailbox.word.bitwiseOr(MailboxWord.closed, ordering: .acquiringAndReleasing).oldValue)
    while word.has(MailboxWord.installing) {
      skeinRelax()
      // Acquire: sees the block of the installer that was under way.
      word = MailboxWord(bits: mailbox.word.load(ordering: .acquiring))
    }
    if !word.has(MailboxWord.bare) { dropCells(upTo: word.index) }
  }

  private mutating func dropCells(upTo end: UInt64) {
    while cursor != end {
      if cursor & 15 == 15 {
        // Relaxed, both: ordered by the acquire of the word in `dropAll`.
        let next =
          block == 0
          ? mailbox.firstBlock.exchange(0, ordering: .relaxed)
          : unsafe Block<Element>(base: UnsafeMutableRawPointer(bitPattern: block)!).next.pointee.load(
            ordering: .relaxed)
        free()
        block = next
      } else {
        let storage = unsafe Block<Element>(base: UnsafeMutableRawPointer(bitPattern: block)!)
        let offset = Int(truncatingIfNeeded: cursor & 15)
        // Acquire: sees the element; pairs with the release store of the mark in `push`.
        while unsafe storage.mark(offset).pointee.load(ordering: .acquiring) == 0 { skeinRelax() }
        _ = unsafe storage.empty(offset)
      }
      cursor &+= 1
    }
    free()
  }

  private func free() {
    if block != 0 { unsafe Block<Element>(base: UnsafeMutableRawPointer(bitPattern: block)!).deallocate() }
  }
}
