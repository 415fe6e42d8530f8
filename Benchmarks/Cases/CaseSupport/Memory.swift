// Memory: how much the process holds, and what else /proc tells.

internal import CCaseSupport
internal import Glibc

/// Bytes that the process has allocated and not freed, with the allocator's own overhead.
public func heapBytes() -> Int { Int(skein_heap_bytes()) }

/// Bytes of memory that the process occupies.
public func residentBytes() -> Int {
  // The second number: pages in memory.
  guard let pages = textOfFile("/proc/self/statm").split(separator: " ").dropFirst().first.flatMap({ Int($0) })
  else { preconditionFailure("/proc/self/statm cannot be read") }
  return pages * sysconf(Int32(_SC_PAGESIZE))
}

/// The text of a small file, such as those in /proc; empty when there is none.
public func textOfFile(_ path: String) -> String {
  let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
  guard file >= 0 else { return "" }
  defer { close(file) }
  return unsafe String(unsafeUninitializedCapacity: 4_096) { buffer in
    unsafe max(0, read(file, buffer.baseAddress, buffer.count))
  }
}

/// The names of what a folder holds; none when there is no such folder.
public func namesInFolder(_ path: String) -> [String] {
  guard let folder = unsafe opendir(path) else { return [] }
  defer { unsafe closedir(folder) }
  var names: [String] = []
  while let entry = unsafe readdir(folder) {
    let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
      unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
    }
    if name != "." && name != ".." { names.append(name) }
  }
  return names
}
