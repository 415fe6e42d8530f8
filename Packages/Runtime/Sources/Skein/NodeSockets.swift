// placeholder while SocketIO is on its way
import SkeinPlatform
import SkeinScheduler
public struct SocketOptions: Sendable { public init() {} }
final class NodeSockets: Sendable {
  init(_ o: SocketOptions, workers: Int, log: SkeinLog) throws(NodeError) {}
  func waiter(_ i: Int) -> any WorkerWaiter { FutexWaiter() }
  func stopListening() {}
  func connectionRecords() -> [ServiceRecord] { [] }
  func shutDown() {}
}
