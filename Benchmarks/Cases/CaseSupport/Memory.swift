// Memory: how much the process holds.

internal import CHeap

/// Bytes that the process has allocated and not freed, with the allocator's own overhead.
public func heapBytes() -> Int { Int(skein_heap_bytes()) }
