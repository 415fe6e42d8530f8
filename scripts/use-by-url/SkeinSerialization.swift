import SkeinSerialization

let bytes = try Seri.encode(["SET", "a", 1])
precondition(bytes.count == 8)
precondition(try Seri.decode(bytes) == ["SET", "a", 1])
