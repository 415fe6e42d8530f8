import SkeinSerialization

let bytes = try Seri.encode(["SET", "a", 1])
precondition(bytes.count == 8)
let message = try Seri.decode(bytes)
precondition(message == ["SET", "a", 1])
