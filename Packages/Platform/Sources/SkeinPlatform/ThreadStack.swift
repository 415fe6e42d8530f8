// ThreadStack: where another thread is, for reports about one that does not come back.

internal import CSkeinPlatform
internal import Glibc

/// The call stack of a thread at one moment.
///
/// Taken by a signal (`SIGRTMIN + 9`) whose handler follows the frame pointers. C functions that were built without
/// them are guessed, from what lies on the stack. A blocking call of the thread that the kernel does not restart, such as `poll`, ends
/// with `EINTR`.
public struct ThreadStack: Hashable, Sendable {
  /// Where the thread was, then the return addresses of its callers, innermost first.
  public let addresses: [UInt]
  /// What lies on the stack below the first frame record.
  private let words: [UInt]

  /// Lets the calling thread's stack be taken by others.
  ///
  /// - Throws: ``SystemCallError``, for example when the program has a handler of its own for the signal.
  public static func prepareThread() throws(SystemCallError) {
    let failure = skein_stack_prepare()
    if failure < 0 { throw SystemCallError(call: "sigaction", errorNumber: -failure) }
  }

  /// Stops a thread, takes its stack, runs `body` and lets the thread go on.
  ///
  /// - Parameters:
  ///   - thread: its ``PlatformThread/currentNumber``; it has called ``prepareThread()``.
  ///   - timeout: how long to wait for it; one that sleeps in the kernel uninterruptibly does not answer.
  ///   - body: runs while the thread stands still, so it must not wait for anything that the thread may hold, such as
  ///     the allocator's lock: it may copy references and numbers, and no more.
  /// - Returns: `nil` when the thread did not answer.
  /// - Thread safety: any thread but the one that is stopped.
  public static func take<Result>(
    ofThread thread: Int32, timeout: Duration = .milliseconds(100), whileStopped body: () -> Result
  ) -> (stack: ThreadStack, result: Result)? {
    var stack = skein_stack()
    guard unsafe skein_stack_take(thread, &stack, timeout.nanosecondsClamped) == 0 else { return nil }
    let result = body()
    skein_stack_release()
    let addresses = unsafe withUnsafeBytes(of: &stack.addresses) { unsafe words(in: $0, count: Int(stack.depth)) }
    let rest = unsafe withUnsafeBytes(of: &stack.words) { unsafe words(in: $0, count: Int(stack.word_count)) }
    return (ThreadStack(addresses: addresses, words: rest), result)
  }

  private static func words(in bytes: UnsafeRawBufferPointer, count: Int) -> [UInt] {
    (0..<count).map { index in
      unsafe bytes.load(fromByteOffset: index * MemoryLayout<UInt>.size, as: UInt.self)
    }
  }

  /// The functions' names, innermost first, with the offset in each; an address where there is no symbol.
  ///
  /// Where the thread is in a C function, names with a question mark may be those of its callers, or older ones.
  /// - Complexity: reads the symbol tables of the files: some milliseconds.
  public var frames: [String] {
    guard let first = addresses.first else { return [] }
    // A return address may be the first byte after the function that called.
    let callers = addresses.dropFirst().map { ThreadStack.describe($0 - 1).text }
    let top = ThreadStack.describe(first)
    if top.isSwift { return [top.text] + callers }
    let guesses = words.filter { skein_is_return_address($0) == 1 }.prefix(8)
    return [top.text] + guesses.map { "? " + ThreadStack.describe($0 - 1).text } + callers
  }

  private static func describe(_ address: UInt) -> (text: String, isSwift: Bool) {
    var offset: UInt = 0
    var isSwift = false
    let found = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 2_048) { buffer -> String? in
      guard unsafe skein_symbol_find(address, buffer.baseAddress!, buffer.count, &offset) == 1 else { return nil }
      guard let demangled = unsafe skein_symbol_demangle(buffer.baseAddress!) else {
        return unsafe String(cString: buffer.baseAddress!)
      }
      defer { unsafe free(demangled) }
      isSwift = true
      return unsafe String(cString: demangled)
    }
    guard let found else { return ("0x" + String(address, radix: 16), false) }
    return ("\(found) + \(offset)", isSwift)
  }
}
