// SHA256: the hash in which the vectors give long byte strings.

/// The SHA-256 of `message`, as hexadecimal digits.
///
/// - SeeAlso: FIPS 180-4.
func sha256(_ message: [UInt8]) -> String {
  var state: [UInt32] = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
  ]
  var padded = message + [0x80]
  padded += [UInt8](repeating: 0, count: (120 - padded.count % 64) % 64)
  for shift in stride(from: 56, through: 0, by: -8) { padded.append(UInt8((message.count * 8) >> shift & 0xFF)) }
  // Pointers: without optimization an array's subscript costs more than the arithmetic.
  let words = UnsafeMutablePointer<UInt32>.allocate(capacity: 64)
  let constants = UnsafeMutablePointer<UInt32>.allocate(capacity: 64)
  unsafe constants.initialize(from: roundConstants, count: 64)
  defer {
    unsafe words.deallocate()
    unsafe constants.deallocate()
  }
  for block in stride(from: 0, to: padded.count, by: 64) {
    for index in 0..<16 {
      let at = block + 4 * index
      unsafe words[index] =
        UInt32(padded[at]) << 24 | UInt32(padded[at + 1]) << 16 | UInt32(padded[at + 2]) << 8 | UInt32(padded[at + 3])
    }
    var index = 16
    while index < 64 {
      let old = unsafe words[index - 15]
      let new = unsafe words[index - 2]
      let first = (old &>> 7 | old &<< 25) ^ (old &>> 18 | old &<< 14) ^ old &>> 3
      let second = (new &>> 17 | new &<< 15) ^ (new &>> 19 | new &<< 13) ^ new &>> 10
      unsafe words[index] = words[index - 16] &+ first &+ words[index - 7] &+ second
      index += 1
    }
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    index = 0
    while index < 64 {
      let sum1 = (e &>> 6 | e &<< 26) ^ (e &>> 11 | e &<< 21) ^ (e &>> 25 | e &<< 7)
      let first = unsafe h &+ sum1 &+ (e & f ^ ~e & g) &+ constants[index] &+ words[index]
      let sum0 = (a &>> 2 | a &<< 30) ^ (a &>> 13 | a &<< 19) ^ (a &>> 22 | a &<< 10)
      let second = sum0 &+ (a & b ^ a & c ^ b & c)
      h = g
      g = f
      f = e
      e = d &+ first
      d = c
      c = b
      b = a
      a = first &+ second
      index += 1
    }
    for (index, value) in [a, b, c, d, e, f, g, h].enumerated() { state[index] &+= value }
  }
  return state.map { hex([UInt8($0 >> 24), UInt8($0 >> 16 & 0xFF), UInt8($0 >> 8 & 0xFF), UInt8($0 & 0xFF)]) }.joined()
}

func hex(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789abcdef".utf8)
  return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}

/// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
private let roundConstants: [UInt32] = {
  var constants: [UInt32] = []
  var number: UInt64 = 2
  while constants.count < 64 {
    if (2..<number).allSatisfy({ number % $0 != 0 }) {
      // The greatest root with root^3 <= prime * 2^96: 35 bits, of which the lower 32 are the fraction.
      var root: UInt64 = 0
      for bit in stride(from: 34, through: 0, by: -1) {
        let candidate = root | 1 << UInt64(bit)
        if cubeIsAtMost(candidate, number) { root = candidate }
      }
      constants.append(UInt32(truncatingIfNeeded: root))
    }
    number += 1
  }
  return constants
}()

/// Whether root^3 <= prime * 2^96.
private func cubeIsAtMost(_ root: UInt64, _ prime: UInt64) -> Bool {
  let cube = UInt128(root) * UInt128(root) * UInt128(root)
  return cube <= UInt128(prime) << 96
}
