// Whether io_uring can be used here, and why not.

#if SKEIN_IOURING
internal import CSkeinRing
internal import Glibc
internal import SkeinPlatform

extension RingPoller {
  /// Asks the kernel.
  ///
  /// - Returns: `nil` when io_uring can be used, else the reason in a phrase.
  static func unavailability() -> String? {
    var call: UnsafePointer<CChar>?
    let result = unsafe skein_ring_probe(&call)
    if result == 0 { return nil }
    let name = unsafe call.map { unsafe String(cString: $0) } ?? "io_uring"
    return phrase(call: name, errorNumber: -result, disabledSetting: disabledSetting())
  }

  /// Puts a failure of the probe into words.
  ///
  /// - Parameter disabledSetting: the value of sysctl kernel.io_uring_disabled, where there is one.
  static func phrase(call: String, errorNumber: Int32, disabledSetting: Int?) -> String {
    let failure = "\(SystemCallError(call: call, errorNumber: errorNumber))"
    switch errorNumber {
    case ENOSYS: return "\(failure): the kernel has no \(call), or a sandbox (seccomp) hides it"
    case EPERM, EACCES:
      if let disabledSetting, disabledSetting > 0 {
        return "\(failure): the sysctl kernel.io_uring_disabled is \(disabledSetting)"
      }
      return "\(failure): a sandbox (seccomp) or a security module forbids it"
    case EOPNOTSUPP, EINVAL: return "\(failure): the kernel is too old; 6.1 or newer is needed"
    case ENOMEM: return "\(failure): the memory limit (RLIMIT_MEMLOCK) or memory itself is used up"
    default: return failure
    }
  }

  private static func disabledSetting() -> Int? {
    let descriptor = unsafe Glibc.open("/proc/sys/kernel/io_uring_disabled", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { _ = Glibc.close(descriptor) }
    var digit: UInt8 = 0
    guard unsafe read(descriptor, &digit, 1) == 1 else { return nil }
    return Int(digit) - Int(UInt8(ascii: "0"))
  }
}
#endif
