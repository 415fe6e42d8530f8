// skein-duel ROW COUNT: runs a row of the table with COUNT operations and prints its figures as one line of JSON.
// Ends with status 1 when the row's own check fails, with 2 when there is no such row.

internal import Glibc

func end(_ status: Int32, _ text: String) -> Never {
  let line = text + "\n"
  _ = unsafe write(STDERR_FILENO, line, line.utf8.count)
  exit(status)
}

let arguments = CommandLine.arguments
guard arguments.count == 3, let row = rows[arguments[1]], let count = Int(arguments[2]), count > 0 else {
  end(2, "usage: skein-duel ROW COUNT, ROW one of: \(rows.keys.sorted().joined(separator: " "))")
}
do {
  let figures = try row(count)
  print("{" + figures.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}")
} catch {
  end(1, "\(arguments[1]): \(error)")
}
