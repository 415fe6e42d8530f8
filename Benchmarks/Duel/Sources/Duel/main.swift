// skein-duel ROW COUNT: runs a row of the table with COUNT operations and prints its figures as one line of JSON.
// Ends with status 1 when the row's own check fails, with 2 when there is no such row.

internal import CaseSupport

let arguments = CommandLine.arguments
guard arguments.count == 3, let row = rows[arguments[1]], let count = Int(arguments[2]), count > 0 else {
  endProgram(2, "usage: skein-duel ROW COUNT, ROW one of: \(rows.keys.sorted().joined(separator: " "))")
}
do {
  let figures = try row(count)
  print("{" + figures.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}")
} catch {
  endProgram(1, "\(arguments[1]): \(error)")
}
