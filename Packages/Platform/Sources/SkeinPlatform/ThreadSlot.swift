// ThreadSlot: what a thread knows about itself, one pointer a slot.

internal import CSkeinPlatform

/// A pointer of which every thread has its own.
///
/// Slots are few and fixed, each with one owner among the layers. Swift's own thread-locals may be
/// cached by the optimizer across a suspension; these are read by a function that is not inlined.
@unsafe public struct ThreadSlot: Sendable {
  let index: UInt32

  /// The worker that the thread is (layer Scheduler).
  public static let worker = unsafe ThreadSlot(index: 0)
  /// The loop whose lock the thread holds (layer SocketIO).
  public static let loop = unsafe ThreadSlot(index: 1)
  /// The context of the handler that the thread runs (layer Runtime).
  public static let context = unsafe ThreadSlot(index: 2)
  /// Whether the thread outlives the loops it works for (layer Platform).
  static let outlivesLoops = unsafe ThreadSlot(index: 3)

  /// The calling thread's value.
  public var value: UnsafeMutableRawPointer? {
    get { unsafe skein_thread_slot_get(index) }
    nonmutating set { unsafe skein_thread_slot_set(index, newValue) }
  }
}
