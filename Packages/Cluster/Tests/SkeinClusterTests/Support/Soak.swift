import Foundation

/// Whether the full counts are to be run.
let isSoak = ProcessInfo.processInfo.environment["SKEIN_SOAK"] == "1"

/// The same for what runs on one thread, where ThreadSanitizer has nothing to see.
#if SKEIN_TSAN
let isPureSoak = false
#else
let isPureSoak = isSoak
#endif
