// ChildProcess: another program, started by a test and ended with it.
//
// Owns:       the child, the read end of its standard output, the write end of its standard input, and the file that
//             collects its standard error.
// Shared by:  one test thread at a time.

import Foundation
import Glibc

/// How a child ended.
enum ExitStatus: Equatable, Sendable {
  case code(Int32)
  case signal(Int32)
}

/// A child process. It is killed when the object goes, and when this process dies in whatever way.
///
/// `@unchecked Sendable`: used by one thread at a time; a test that hands it to another thread awaits that thread.
@safe final class ChildProcess: @unchecked Sendable {
  let pid: pid_t
  private let title: String
  private let output: Int32
  private var input: Int32
  private let errorFile: String
  private var outputBytes: [UInt8] = []
  private(set) var exitStatus: ExitStatus?

  /// Starts `program` with `arguments`. A name without a slash is looked for in PATH.
  ///
  /// - Parameter descriptors: the child's limit on open descriptors, soft and hard.
  init(_ program: String, _ arguments: [String], descriptors: Int? = nil) throws {
    title = "\(program.split(separator: "/").last ?? "") \(arguments.joined(separator: " "))"
    let log = FileManager.default.temporaryDirectory
      .appending(path: "skein-integration-\(getpid())-\(UUID().uuidString).log").path
    errorFile = log
    // setpriv, then perhaps prlimit, then the program: all of them exec, so the pid is the program's.
    var words = ["setpriv", "--pdeathsig", "KILL"]
    if let descriptors { words += ["prlimit", "--nofile=\(descriptors):\(descriptors)"] }
    words += [program] + arguments
    let command = words
    let started = SpawnThread.shared.run { Self.spawn(command, errorFile: log) }
    output = started.output
    input = started.input
    pid = started.pid
    guard started.error == 0 else { throw Failure("\(title) could not be started: errno \(started.error)") }
  }

  deinit {
    kill()
    close(output)
    closeInput()
    try? FileManager.default.removeItem(atPath: errorFile)
  }

  /// Everything that the child has written to standard error so far.
  var log: String { (try? String(contentsOfFile: errorFile, encoding: .utf8)) ?? "" }

  /// Whether the child has not ended yet.
  var isRunning: Bool {
    guard exitStatus == nil else { return false }
    var status: Int32 = 0
    if unsafe waitpid(pid, &status, WNOHANG) == pid { exitStatus = Self.decode(status) }
    return exitStatus == nil
  }

  /// Sends the child a signal.
  func signal(_ number: Int32) {
    if exitStatus == nil { _ = Glibc.kill(pid, number) }
  }

  /// Writes one line to the child's standard input.
  func writeLine(_ line: String) throws {
    let bytes = Array("\(line)\n".utf8)
    let count = unsafe write(input, bytes, bytes.count)
    guard count == bytes.count else { throw Failure("\(title) does not take its input: errno \(errno)") }
  }

  /// Ends the child's standard input.
  func closeInput() {
    if input >= 0 { close(input) }
    input = -1
  }

  /// The next line of standard output, without its end; waits for it.
  func readLine(withinSeconds seconds: Int = Environment.hangGuardSeconds) throws -> String {
    while true {
      if let end = outputBytes.firstIndex(of: 10) {
        let line = String(decoding: outputBytes[..<end], as: UTF8.self)
        outputBytes.removeSubrange(...end)
        return line
      }
      guard try readMore(withinSeconds: seconds) else {
        let status = try waitForExit()
        throw Failure("\(title) ended (\(status)) without another line; its standard error: \(log)")
      }
    }
  }

  /// Waits for the child's end, which closes its standard output, and gives its status.
  @discardableResult
  func waitForExit(withinSeconds seconds: Int = Environment.hangGuardSeconds) throws -> ExitStatus {
    while try readMore(withinSeconds: seconds) {}
    if let exitStatus { return exitStatus }
    var status: Int32 = 0
    guard unsafe waitpid(pid, &status, 0) == pid else { throw Failure("\(title) cannot be waited for: \(errno)") }
    exitStatus = Self.decode(status)
    return Self.decode(status)
  }

  /// Standard output that was not read as lines.
  var restOfOutput: String { String(decoding: outputBytes, as: UTF8.self) }

  /// Ends the child at once.
  func kill() {
    guard isRunning else { return }
    signal(SIGKILL)
    var status: Int32 = 0
    if unsafe waitpid(pid, &status, 0) == pid { exitStatus = Self.decode(status) }
  }

  /// Reads what standard output has; false at its end.
  private func readMore(withinSeconds seconds: Int) throws -> Bool {
    var interest = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
    guard unsafe poll(&interest, 1, Int32(seconds * 1_000)) > 0 else {
      throw Failure("\(title) said nothing and did not end within \(seconds) s; its standard error: \(log)")
    }
    var chunk = [UInt8](repeating: 0, count: 65_536)
    let count = unsafe read(output, &chunk, chunk.count)
    if count > 0 { outputBytes += chunk[..<count] }
    return count > 0
  }

  private static func decode(_ status: Int32) -> ExitStatus {
    status & 0x7F == 0 ? .code((status >> 8) & 0xFF) : .signal(status & 0x7F)
  }

  /// A child that was started, or the number of the error.
  private struct Started: Sendable {
    var pid: pid_t = -1
    var input: Int32 = -1
    var output: Int32 = -1
    var error: Int32 = 0
  }

  /// Starts a child. On the spawn thread only: no other child can inherit the pipes before they are close-on-exec.
  private static func spawn(_ command: [String], errorFile: String) -> Started {
    var inputPipe: [Int32] = [-1, -1]
    var outputPipe: [Int32] = [-1, -1]
    guard unsafe pipe(&inputPipe) == 0, unsafe pipe(&outputPipe) == 0 else { return Started(error: errno) }
    for end in inputPipe + outputPipe { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer {
      close(inputPipe[0])
      close(outputPipe[1])
    }
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, inputPipe[0], 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, outputPipe[1], 1)
    unsafe posix_spawn_file_actions_addopen(&actions, 2, errorFile, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    // The child answers to every signal, whatever this process blocks or ignores.
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(&attributes, &signals)
    unsafe sigfillset(&signals)
    unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    let arguments = unsafe command.map { unsafe strdup($0) } + [nil]
    let variables = unsafe ProcessInfo.processInfo.environment.map { unsafe strdup("\($0.key)=\($0.value)") } + [nil]
    defer {
      let words = unsafe arguments + variables
      for index in unsafe words.indices { unsafe free(words[index]) }
    }
    var pid: pid_t = -1
    let error = unsafe posix_spawnp(&pid, command[0], &actions, &attributes, arguments, variables)
    return Started(pid: pid, input: inputPipe[1], output: outputPipe[0], error: error)
  }
}

/// What a tool that ran to its end has said.
struct ToolResult: Sendable {
  let status: ExitStatus
  let output: String
  let errors: String
}

/// Runs a program to its end.
func runTool(
  _ program: String, _ arguments: [String], inputLines: [String] = [],
  withinSeconds seconds: Int = Environment.hangGuardSeconds
) throws -> ToolResult {
  let child = try ChildProcess(program, arguments)
  for line in inputLines { try child.writeLine(line) }
  child.closeInput()
  let status = try child.waitForExit(withinSeconds: seconds)
  return ToolResult(status: status, output: child.restOfOutput, errors: child.log)
}
