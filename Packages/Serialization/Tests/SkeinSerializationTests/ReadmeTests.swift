import SkeinSerialization
import Testing

@Suite("README") struct ReadmeTests {
  @Test func `the example runs`() throws {
    // README: begin
    // Values of any kind.
    let bytes = try Seri.encode(["SET", "gold", 125, ["vip": true]])
    let message = try Seri.decode(bytes)
    let isVIP = message[3].table?["vip"].boolean

    // A type that knows its own form, and a limit.
    struct Point: SeriWritable, SeriReadable {
      var x = 0.0
      var y = 0.0
      enum Key: String, CaseIterable, Sendable { case x, y }
      static let keys = SeriKeys<Key>()

      func write(to writer: inout SeriWriter) {
        writer.beginTable()
        writer.pair("x", x)
        writer.pair("y", y)
        writer.endTable()
      }

      init(reading reader: inout SeriReader) throws(SeriError) {
        var record = try reader.beginRecord(Self.keys)
        while let key = try reader.nextKey(of: &record) {
          switch key {
          case .x: x = try reader.read()
          case .y: y = try reader.read()
          }
        }
      }
    }
    let sent = try Seri.encode([["y": 2.5, "x": 1, "z": "skipped"]])
    let point = try Seri.decode(one: Point.self, from: sent, limits: SeriLimits(bytes: 100))
    // README: end
    #expect(isVIP == true)
    #expect(point.x == 1 && point.y == 2.5)
    #expect(hex(try Seri.encode(one: point)) == "060c7842000000000000f03f0c794200000000000004400" + "0")
  }
}
