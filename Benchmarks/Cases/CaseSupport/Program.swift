// Program: what a small program of measurements needs.

internal import Glibc

/// Ends the process with `status` after a line on standard error.
public func endProgram(_ status: Int32, _ text: String) -> Never {
  let line = text + "\n"
  _ = unsafe write(STDERR_FILENO, line, line.utf8.count)
  exit(status)
}
