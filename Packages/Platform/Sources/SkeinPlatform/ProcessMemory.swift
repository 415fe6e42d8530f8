// ProcessMemory: how the process' allocator treats large blocks.

internal import CSkeinPlatform

/// Settings of the allocator of the whole process.
public enum ProcessMemory {
  /// Has blocks of `bytes` and more given back to the system as soon as they are freed.
  ///
  /// Left alone, glibc raises this threshold by itself, up to 32 MiB, and keeps what was freed: a server then looks as
  /// large as its largest moment. Costs page faults for each large block.
  ///
  /// - Parameter bytes: at least 4,096, at most 32 MiB.
  public static func returnBlocks(from bytes: Int) {
    precondition((4_096...(32 << 20)).contains(bytes), "the allocator takes 4 KiB to 32 MiB")
    _ = skein_memory_return_blocks(bytes)
  }
}
