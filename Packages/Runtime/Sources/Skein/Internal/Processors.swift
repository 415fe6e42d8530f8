// Processors: how many cores this process may use.

internal import Glibc

/// The number of cores that the process may run on.
func processorCount() -> Int { Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
