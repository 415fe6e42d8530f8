// SystemCallError: what the kernel said, and to which call.

internal import CSkeinPlatform

/// A system call that failed, with the call's name and its `errno`.
public struct SystemCallError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The call's name, such as `bind`.
  public let call: String
  /// The call's `errno`, such as `EADDRINUSE`.
  public let errorNumber: Int32

  /// Makes an error from a call's name and its `errno`.
  public init(call: String, errorNumber: Int32) {
    self.call = call
    self.errorNumber = errorNumber
  }

  /// A sentence such as `bind: Address already in use (errno 98)`.
  public var description: String {
    var buffer = [CChar](repeating: 0, count: 256)
    let text = unsafe buffer.withUnsafeMutableBufferPointer { bytes in
      unsafe String(cString: skein_error_text(errorNumber, bytes.baseAddress!, bytes.count))
    }
    return "\(call): \(text) (errno \(errorNumber))"
  }
}
