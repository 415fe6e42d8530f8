// FuzzSeri: libFuzzer's entry point for the reader of messages.
//
// The first byte of an input chooses the limits; the rest is the message. Checked for each input:
//   - it is refused with an offset within it, or read as values that are written and read again as the same values;
//   - reading over it, reading it piece by piece with the reader's calls, and keeping it agree, in the error too;
//   - memory is at most 64 times the input and 64 KiB;
//   - what was read comes back from tagged JSON, and any bytes as tagged JSON are refused or read.
// Built together with the sources of the package by run.sh; with `-D PLAIN`, without AddressSanitizer, memory is counted.

private func limits(_ choice: UInt8) -> SeriLimits {
  switch choice % 4 {
  case 0: .default
  case 1: SeriLimits(depth: 3)
  case 2: SeriLimits(values: 20)
  default: SeriLimits(depth: 200, bytes: 250)
  }
}

private func outcome<T>(_ body: () throws(SeriError) -> T) -> Result<T, SeriError> {
  do throws(SeriError) { return .success(try body()) } catch { return .failure(error) }
}

/// A value by the reader's calls for each kind.
private func readPieces(_ reader: inout SeriReader) throws(SeriError) -> Value {
  switch try reader.peekKind() {
  case .nil: return try reader.nullIfPresent() ? .nil : try reader.value()
  case .boolean: return .boolean(try reader.boolean())
  case .integer: return .integer(try reader.integer())
  case .double: return .double(try reader.double())
  case .bytes: return .bytes(try reader.byteString())
  case .pointer: return .pointer(try reader.pointer())
  case .table: break
  }
  var array: [Value] = []
  for _ in 0..<(try reader.beginTable()) { array.append(try readPieces(&reader)) }
  var pairs: [(Value, Value)] = []
  while !(try reader.isTableEnded()) {
    let offset = reader.offset
    let key = try readPieces(&reader)
    if case .double(let number) = key, number.isNaN { throw SeriError(.keyIsNaN, offset: offset) }
    pairs.append((key.normalizedKey, try readPieces(&reader)))
  }
  return .table(Table(array: array, hash: pairs))
}

private func check(_ message: [UInt8], _ choice: UInt8) {
  let limits = limits(choice)
  let decoded = outcome { () throws(SeriError) in try Seri.decode(message, limits: limits) }
  let skipped = outcome { () throws(SeriError) in
    try Seri.read(message, limits: limits) { (reader) throws(SeriError) in while !reader.isAtEnd { try reader.skip() } }
  }
  let pieces = outcome { () throws(SeriError) in
    try Seri.read(message, limits: limits) { (reader) throws(SeriError) in
      var values: [Value] = []
      while !reader.isAtEnd { values.append(try readPieces(&reader)) }
      return values
    }
  }
  switch decoded {
  case .success(let values):
    guard case .success = skipped, case .success(let same) = pieces else { preconditionFailure("the ways disagree") }
    precondition(values == same, "pieces give other values")
    again(values, json: choice & 0x0c == 0)
  case .failure(let error):
    precondition(error.offset >= 0 && error.offset <= message.count, "the offset is outside")
    precondition(!error.description.isEmpty)
    guard case .failure(let skipError) = skipped, case .failure(let pieceError) = pieces else {
      preconditionFailure("the ways disagree")
    }
    precondition(skipError == error, "reading over gives another error")
    // One value may have two faults, and be one too many at that: pieces look in another order, at the same place.
    precondition(pieceError.offset == error.offset, "pieces give an error elsewhere")
  }
}

/// Values that were read are written, and read again; some of them as JSON too, which takes most of the time.
private func again(_ values: [Value], json: Bool) {
  let wide = SeriLimits(depth: 256)
  let written = outcome { () throws(SeriError) in try Seri.encode(values, limits: wide) }
  guard case .success(let bytes) = written else { preconditionFailure("what was read cannot be written") }
  let read = outcome { () throws(SeriError) in try Seri.decode(bytes, limits: wide) }
  guard case .success(let same) = read, same == values else { preconditionFailure("another value came back") }
  guard json else { return }
  guard let same = try? TaggedJSON.decode(TaggedJSON.encode(values), limits: wide), same == values else {
    preconditionFailure("another value came back from JSON")
  }
}

#if PLAIN
private func checkMemory(_ message: [UInt8], _ limits: SeriLimits) {
  seri_heap_begin()
  _ = outcome { () throws(SeriError) in try Seri.decode(message, limits: limits) }
  precondition(seri_heap_peak() <= 64 * Int64(message.count) + 65_536, "too much memory")
  precondition(seri_heap_held() == 0, "memory is left")
}
#else
private func checkMemory(_ message: [UInt8], _ limits: SeriLimits) {}
#endif

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  guard let choice = input.first else { return 0 }
  let message = Array(input.dropFirst())
  if choice >= 0xf0 {
    if let values = try? TaggedJSON.decode(message) { again(values, json: true) }
    return 0
  }
  check(message, choice)
  checkMemory(message, limits(choice))
  return 0
}
