// ReservedMemory: addresses now, memory when it is touched.

internal import CSkeinPlatform

/// A range of addresses whose memory comes page by page, as it is touched, and can be given back in pieces.
///
/// For storage that may become large and must not move: elements stand at a fixed distance from ``base``. Unused
/// addresses cost nothing but address space.
/// - Thread safety: the memory is the holder's to share; giving back what another thread uses loses it.
@safe public struct ReservedMemory: ~Copyable {
  /// The first address; page-aligned.
  public let base: UnsafeMutableRawPointer
  /// Number of bytes reserved.
  public let byteCount: Int

  /// Reserves addresses; all bytes read as zero. The process stops when the system has not that many.
  ///
  /// - Parameter byteCount: 1 or more.
  public init(byteCount: Int) {
    precondition(byteCount > 0, "a reservation has 1 byte or more")
    guard let base = unsafe skein_memory_reserve(byteCount) else {
      preconditionFailure("the system has no \(byteCount) bytes of addresses left")
    }
    unsafe self.base = base
    self.byteCount = byteCount
  }

  deinit { unsafe skein_memory_unreserve(base, byteCount) }

  /// Gives the memory of the whole pages within `bytes` back to the system; they read as zero again.
  ///
  /// - Complexity: a system call, if there is a whole page.
  public func giveBack(_ bytes: Range<Int>) {
    precondition(bytes.lowerBound >= 0 && bytes.upperBound <= byteCount, "not within the reservation")
    let page = skein_memory_page_size()
    let first = (bytes.lowerBound + page - 1) / page * page
    let end = bytes.upperBound / page * page
    if first < end { unsafe skein_memory_give_back(base + first, end - first) }
  }
}

// @unchecked: the pointer leads to memory that this value alone gives back, in its deinit.
extension ReservedMemory: @unchecked Sendable {}
