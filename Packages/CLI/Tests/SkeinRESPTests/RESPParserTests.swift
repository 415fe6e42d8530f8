import SkeinRESP
import Testing

/// What a parser made of a stream: the requests' arguments, and the error that ended it.
struct Parsed: Equatable, CustomStringConvertible {
  var requests: [[[UInt8]]] = []
  var error: RESPProtocolError?
  var description: String { "\(requests.map { $0.map { String(decoding: $0, as: UTF8.self) } }) \(error as Any)" }
}

/// Feeds a stream in pieces and collects what comes out.
func parse(_ pieces: [ArraySlice<UInt8>], _ limits: RESPLimits = RESPLimits(), authenticated: Bool = true) -> Parsed {
  var parser = RESPParser(limits: limits)
  var parsed = Parsed()
  for piece in pieces {
    parser.append(piece.span)
    do throws(RESPProtocolError) {
      while let request = try parser.next(authenticated: authenticated) {
        let range = request.firstArgument..<request.firstArgument + request.argumentCount
        parsed.requests.append(parser.arguments[range].map { Array(parser.bytes[$0.range]) })
      }
    } catch {
      parsed.error = error
    }
    parser.forgetRequests()
  }
  return parsed
}

func parse(_ text: String, _ limits: RESPLimits = RESPLimits(), authenticated: Bool = true) -> Parsed {
  parse([Array(text.utf8)[...]], limits, authenticated: authenticated)
}

private func words(_ requests: [String]...) -> Parsed {
  Parsed(requests: requests.map { $0.map { Array($0.utf8) } }, error: nil)
}

@Suite("RESPParser") struct RESPParserTests {
  static let corpus = [
    "*1\r\n$4\r\nPING\r\n", "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$5\r\nb\r\nc\n\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n",
    "*2\r\n$3\r\nGET\r\n$0\r\n\r\n", "*0\r\n*-1\r\n\r\n\nPING\r\n", "PING\nPING\r\n  ping  x\t y \r\n",
    "SET a \"x\\x41\\n\\\"y\" 'it\\'s'\r\n*1\r\n$4\r\nQUIT\r\n", "ECHO \"\"\r\nECHO ''\r\nab\"cd\"\r\n",
    "PING\r\n*2\r\n$4\r\nECHO\r\n$12\r\n*1\r\n$4\r\nPING\r\nPING\r\n", "*x\r\n", "*1\r\n+PING\r\n",
    "PING \"abc\r\nPING\r\n",
    "*1\r\n$-1\r\n", "PING\r\n*2\r\n$4\r\nPING\r\n$x\r\n", "ECHO \"a\"b\r\n", "ECHO 'a'b\r\n",
    "*1\r\n$4\r\nPINGxx*1\r\n$1\r\na\r\n",
  ]

  @Test(arguments: corpus)
  func `gives the same requests however the stream is cut`(text: String) {
    let bytes = Array(text.utf8)
    let whole = parse([bytes[...]])
    for first in 0...bytes.count {
      for second in first...bytes.count {
        #expect(parse([bytes[..<first], bytes[first..<second], bytes[second...]]) == whole)
      }
    }
    #expect(parse(bytes.indices.map { bytes[$0...$0] }) == whole)
  }

  @Test func `reads arrays of bulk strings with any bytes`() {
    let value: [UInt8] = [0, 13, 10, 255, 36, 42]
    let stream = request([Array("SET".utf8), [], value]) + request([value])
    #expect(parse([stream[...]]).requests == [[Array("SET".utf8), [], value], [value]])
  }

  @Test func `splits inline commands into words as Redis does`() {
    #expect(parse("ping\r\n\r\n \t\r\nECHO a\n") == words(["ping"], ["ECHO", "a"]))
    #expect(parse(#"a "b c" 'd e' f"#) == Parsed())
    #expect(parse(#"a "b c" 'd e' f"# + "\n") == words(["a", "b c", "d e", "f"]))
    #expect(
      parse(#"x"y z" "\x41\x4g\q\n\t\r\b\a\\\"" 'a\'b\n'"# + "\r\n")
        == words(["xy z", "Ax4gq\n\t\r\u{8}\u{7}\\\"", "a'b\\n"]))
    #expect(parse("\"\" ''\n") == words(["", ""]))
  }

  @Test func `a line ends at a NUL byte`() {
    #expect(parse("ECHO a\0b c\r\nPING\r\n") == words(["ECHO", "a"], ["PING"]))
  }

  @Test(arguments: [
    ("*abc\r\n", RESPProtocolError.invalidArrayLength), ("*\r\n", .invalidArrayLength),
    ("*01\r\n", .invalidArrayLength),
    ("*1048577\r\n", .invalidArrayLength), ("*99999999999999999999\r\n", .invalidArrayLength),
    ("*1\r\nPING\r\n", .expectedBulk(got: UInt8(ascii: "P"))), ("*1\r\n$\r\n", .invalidBulkLength),
    ("*1\r\n$-1\r\n", .invalidBulkLength), ("*1\r\n$1a\r\n", .invalidBulkLength),
    ("*1\r\n$536870913\r\n", .invalidBulkLength), ("PING \"\r\n", .unbalancedQuotes),
    ("PING 'a\r\n", .unbalancedQuotes),
    ("PING \"a\"b\r\n", .unbalancedQuotes), ("PING 'a'b\r\n", .unbalancedQuotes),
  ])
  func `refuses what is no RESP`(text: String, error: RESPProtocolError) {
    #expect(parse("PING\r\n" + text) == Parsed(requests: [[Array("PING".utf8)]], error: error))
  }

  @Test func `the errors have Redis' texts`() {
    let texts: [(RESPProtocolError, String)] = [
      (.tooBigInlineRequest, "too big inline request"), (.tooBigArrayHeader, "too big mbulk count string"),
      (.tooBigBulkHeader, "too big bulk count string"), (.invalidArrayLength, "invalid multibulk length"),
      (.unauthenticatedArrayLength, "unauthenticated multibulk length"), (.invalidBulkLength, "invalid bulk length"),
      (.expectedBulk(got: 65), "expected '$', got 'A'"), (.expectedBulk(got: 13), "expected '$', got ' '"),
      (.unauthenticatedBulkLength, "unauthenticated bulk length"), (.unbalancedQuotes, "unbalanced quotes in request"),
    ]
    for (error, text) in texts { #expect(error.replyText == "Protocol error: " + text) }
  }

  @Test func `a line of the limit passes and one byte more does not`() {
    let limits = RESPLimits(lineBytes: 16)
    let word = String(repeating: "a", count: 16)
    #expect(parse(word + "\n", limits) == words([word]))
    #expect(parse(word + "a\n", limits).error == .tooBigInlineRequest)
    #expect(parse(word + "a", limits).error == .tooBigInlineRequest)
    #expect(parse(word, limits) == Parsed())
    #expect(parse("*" + String(repeating: "1", count: 16), limits).error == .tooBigArrayHeader)
    #expect(parse("*1\r\n$" + String(repeating: "1", count: 16), limits).error == .tooBigBulkHeader)
  }

  @Test func `limits of bulk length, argument count and request size hold`() {
    let limits = RESPLimits(bulkBytes: 4, arguments: 3, requestBytes: 6)
    #expect(parse("*1\r\n$4\r\nabcd\r\n", limits) == words(["abcd"]))
    #expect(parse("*1\r\n$5\r\nabcde\r\n", limits).error == .invalidBulkLength)
    #expect(parse("*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n", limits) == words(["a", "b", "c"]))
    #expect(parse("*4\r\n", limits).error == .invalidArrayLength)
    #expect(parse("*2\r\n$4\r\nabcd\r\n$2\r\nef\r\n*1\r\n$4\r\nabcd\r\n", limits) == words(["abcd", "ef"], ["abcd"]))
    #expect(parse("*2\r\n$4\r\nabcd\r\n$3\r\n", limits).error == .invalidBulkLength)
  }

  @Test func `a client that has not authenticated sends ten arguments of 16 KiB at most`() {
    #expect(parse("*10\r\n", authenticated: false) == Parsed())
    #expect(parse("*11\r\n", authenticated: false).error == .unauthenticatedArrayLength)
    #expect(parse("*1\r\n$16384\r\n", authenticated: false) == Parsed())
    #expect(parse("*1\r\n$16385\r\n", authenticated: false).error == .unauthenticatedBulkLength)
  }

  @Test func `an announced length reserves nothing`() throws {
    var parser = RESPParser()
    let announced = Array("*1048576\r\n$536870912\r\nabc".utf8)
    parser.append(announced.span)
    #expect(try parser.next(authenticated: true) == nil)
    #expect(parser.bytes.capacity < 1_024)
    #expect(parser.arguments.capacity < 1_024)
    #expect(parser.unfinishedBytes == announced.count)
  }

  @Test func `after an error the parser stays dead`() {
    var parser = RESPParser()
    parser.append(Array("*x\r\n".utf8).span)
    #expect(throws: RESPProtocolError.invalidArrayLength) { try parser.next(authenticated: true) }
    parser.forgetRequests()
    parser.append(Array("PING\r\n".utf8).span)
    #expect(throws: RESPProtocolError.invalidArrayLength) { try parser.next(authenticated: true) }
    #expect(parser.bytes.isEmpty)
  }

  @Test func `bytes that were shared stay as they were`() throws {
    var parser = RESPParser()
    parser.append(Array("GET a\r\nECHO \"\\x41".utf8).span)
    let request = try #require(try parser.next(authenticated: true))
    let (bytes, arguments) = (parser.bytes, parser.arguments)
    parser.forgetRequests()
    parser.append(Array("b\"\r\n".utf8).span)
    let second = try #require(try parser.next(authenticated: true))
    #expect(Array(bytes[arguments[request.firstArgument + 1].range]) == Array("a".utf8))
    #expect(Array(parser.bytes[parser.arguments[second.firstArgument + 1].range]) == Array("Ab".utf8))
  }

  @Test func `a parser that waits keeps little memory`() throws {
    var parser = RESPParser()
    parser.append(Array(String(repeating: "PING\n", count: 100_000).utf8).span)
    while try parser.next(authenticated: true) != nil {}
    parser.forgetRequests()
    #expect(parser.bytes.capacity <= 4_096 && parser.arguments.capacity <= 512)
    parser.append(Array("ECHO a\n".utf8).span)
    let next = try #require(try parser.next(authenticated: true))
    #expect(next.argumentCount == 2)
  }
}
