import Foundation

/// Whether the full counts are to be run.
let isSoak = ProcessInfo.processInfo.environment["SKEIN_SOAK"] == "1"
