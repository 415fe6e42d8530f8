// ThreadStack: where another thread is, for reports about one that does not come back.

internal import CSkeinPlatform
internal import Glibc

/// The call stack of a thread at one moment.
///
/// Taken by a signal (`SIGRTMIN + 9`) whose handler follows the frame pointers, so frames of C functions that were built
/// without them are missing. A blocking call of the thread that the kernel does not restart, such as `poll`, ends
/// with `EINTR`.
public struct ThreadStack: Hashable, Sendable {
  /// Where the thread was, then the return addresses of its callers, innermost first.
  public let addresses: [UInt]

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
    let addresses = unsafe withUnsafeBytes(of: &stack.addresses) { bytes in
      (0..<Int(stack.depth)).map { index in
        unsafe bytes.load(fromByteOffset: index * MemoryLayout<UInt>.size, as: UInt.self)
      }
    }
    return (ThreadStack(addresses: addresses), result)
  }

  /// The functions' names, innermost first, with the offset in each; an address where there is no symbol.
  ///
  /// - Complexity: reads the symbol tables of the files: some milliseconds.
  public var frames: [String] {
    addresses.enumerated().map { index, address in
      // A return address may be the first byte after the function that called.
      ThreadStack.describe(index == 0 ? address : address - 1)
    }
  }

  private static func describe(_ address: UInt) -> String {
    var offset: UInt = 0
    let found = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 2_048) { buffer -> String? in
      guard unsafe skein_symbol_find(address, buffer.baseAddress!, buffer.count, &offset) == 1 else { return nil }
      if let demangled = unsafe skein_symbol_demangle(buffer.baseAddress!) {
        defer { unsafe free(demangled) }
        return unsafe String(cString: demangled)
      }
      return unsafe String(cString: buffer.baseAddress!)
    }
    guard let found else { return "0x" + String(address, radix: 16) }
    return "\(found) + \(offset)"
  }
}
