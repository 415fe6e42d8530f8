import Testing

@testable import SkeinRESP

@Suite("NodeRing") struct NodeRingTests {
  private func ring(_ own: String, _ peers: String...) throws -> NodeRing {
    try #require(NodeRing(own: own, peers: peers))
  }

  private func owner(_ ring: NodeRing, _ key: [UInt8]) -> String { ring.names[ring.owner(of: key.span)] }
  private func number(_ text: String) -> UInt64 { NodeRing.number(of: Array(text.utf8).span) }

  private func keys(_ count: Int) -> [[UInt8]] { (0..<count).map { Array("key:\($0)".utf8) } }

  @Test func `numbers are those of FNV-1a with MurmurHash3's finalizer`() {
    // Computed apart, with a program in another language.
    #expect(number("") == 0xEFD0_1F60_BA99_2926)
    #expect(number("db1#0") == 0x09E8_4656_AE99_C15F)
  }

  @Test func `every node finds the same owner, whatever the order of its list`() throws {
    let first = try ring("db1", "db3", "db2")
    let second = try ring("db2", "db1", "db3")
    #expect(first.names == ["db1", "db2", "db3"] && first.own == 0 && second.own == 1)
    #expect(first.peers == ["db2", "db3"] && second.peers == ["db1", "db3"])
    #expect(first.fingerprint == second.fingerprint)
    for key in keys(1_000) { #expect(owner(first, key) == owner(second, key)) }
  }

  @Test func `keys are spread evenly, within a fifth`() throws {
    let ring = try ring("a", "b", "c", "d")
    var counts = [0, 0, 0, 0]
    for key in keys(100_000) { counts[ring.owner(of: key.span)] += 1 }
    for count in counts { #expect((20_000...30_000).contains(count), "\(counts)") }
  }

  @Test func `a node that leaves takes only its own keys along`() throws {
    let three = try ring("a", "b", "c")
    let two = try ring("a", "b")
    for key in keys(10_000) {
      let before = owner(three, key)
      if before != "c" { #expect(owner(two, key) == before) }
    }
  }

  @Test func `other names have another fingerprint, and no list is mistaken for another`() throws {
    let prints = try [ring("a", "b"), ring("a", "c"), ring("ab"), ring("a", "b", "c"), ring("b")].map(\.fingerprint)
    #expect(Set(prints).count == prints.count)
  }

  @Test(arguments: ["a,b", ",", "a\nb", "a\r\nb", "a\0", "\u{7F}", "\u{1}a", "a\u{85}"])
  func `a name that a list or a line cannot hold makes no ring`(name: String) {
    #expect(NodeRing(own: name, peers: ["b"]) == nil)
    #expect(NodeRing(own: "b", peers: [name]) == nil)
    #expect(NodeRing(own: "b", peers: ["a b", "é", "a:b", "a=b"]) != nil)
  }

  @Test func `names that are empty or occur twice make no ring`() {
    #expect(NodeRing(own: "a", peers: ["a"]) == nil)
    #expect(NodeRing(own: "", peers: ["a"]) == nil)
    #expect(NodeRing(own: "a", peers: (0..<1_024).map { "b\($0)" }) == nil)
  }
}
