// EcosystemNamesTests: no public name of Skein is taken by a package that its users import beside it.
//
// The compiler does the testing: a name of ours that is ambiguous in a file with all these imports does not build. The
// test sees to it that no public name is missing here.

import ArgumentParser
import Configuration
import Dispatch
import Distributed
import Foundation
import Logging
import Metrics
import NIOCore
import ServiceLifecycle
import Skein
import SkeinCluster
import SkeinMailbox
import SkeinModelCheck
import SkeinPlatform
import SkeinScheduler
import SkeinSchedulerTesting
import SkeinSerialization
import SkeinSocketIO
import SkeinSocketIOTesting
import SkeinTaggedJSON
import SkeinTimer
import Synchronization
import Testing
import Tracing

@Suite("Ecosystem names") struct EcosystemNamesTests {
  @Test func `every public name of every library is spelled in this file`() throws {
    let here = URL(filePath: #filePath)
    let spelled = try String(contentsOf: here, encoding: .utf8)
    let packages = (0..<5).reduce(here) { folder, _ in folder.deletingLastPathComponent() }.appending(path: "Packages")
    var names: [(name: String, file: String)] = []
    for path in try FileManager.default.subpathsOfDirectory(atPath: packages.path)
    where path.wholeMatch(of: /(?!CLI\/)\w+\/Sources\/.*\.swift/) != nil {
      let source = try String(contentsOf: packages.appending(path: path), encoding: .utf8)
      // A declaration at the start of a line is one of the module's own names; nested ones come with theirs.
      let declaration =
        /(@.+ )?(public|open) ((indirect|final|nonisolated) )*(class|struct|enum|protocol|actor|typealias) (?<name>\w+)/
      for line in source.split(separator: "\n") {
        if let match = try declaration.prefixMatch(in: line) { names.append((String(match.name), path)) }
      }
    }
    #expect(names.count > 30, "the sources were not found")
    for (name, file) in names {
      let isSpelled = spelled.contains("\n  typealias Of\(name) = \(name)\n")
      #expect(isSpelled, "\(name) of \(file) is missing here")
    }
  }
}

// MARK: Names

/// What SkeinPlatform makes public.
private enum SkeinPlatformNames {
  typealias OfCurrentTask = CurrentTask
  typealias OfFutexWaiter = FutexWaiter
  typealias OfLock = Lock
  typealias OfMonotonicInstant = MonotonicInstant
  typealias OfPlatformThread = PlatformThread
  typealias OfProcessMemory = ProcessMemory
  typealias OfProcessSignals = ProcessSignals
  typealias OfReferenceWord = ReferenceWord
  typealias OfReservedMemory = ReservedMemory
  typealias OfSystemCallError = SystemCallError
  typealias OfTaskGate = TaskGate
  typealias OfThreadSlot = ThreadSlot
  typealias OfThreadStack = ThreadStack
  typealias OfVirtualClock = VirtualClock
  typealias OfWaiter = Waiter
}

/// What SkeinMailbox makes public.
private enum SkeinMailboxNames {
  typealias OfBusyPolicy = BusyPolicy
  typealias OfHandoffSlot = HandoffSlot
  typealias OfLatestConsumer = LatestConsumer
  typealias OfLatestMailbox = LatestMailbox
  typealias OfMailbox = Mailbox
  typealias OfMailboxConsumer = MailboxConsumer
  typealias OfMailboxCore = MailboxCore
  typealias OfMailboxStatistics = MailboxStatistics
  typealias OfPostReceipt = PostReceipt
  typealias OfPushReceipt = PushReceipt
  typealias OfSPSCRing = SPSCRing
  typealias OfSystemBatch = SystemBatch
}

/// What SkeinModelCheck makes public.
private enum SkeinModelCheckNames {
  typealias OfModelAtomic = ModelAtomic
  typealias OfModelCell = ModelCell
  typealias OfModelFailure = ModelFailure
  typealias OfModelLock = ModelLock
  typealias OfModelMutation = ModelMutation
  typealias OfModelOutcome = ModelOutcome
  typealias OfModelRun = ModelRun
  typealias OfModelSite = ModelSite
  typealias OfModelStrategy = ModelStrategy
}

/// What SkeinTimer makes public.
private enum SkeinTimerNames {
  typealias OfPeriodicTimer = PeriodicTimer
  typealias OfSkeinClock = SkeinClock
  typealias OfTick = Tick
  typealias OfTimeoutError = TimeoutError
  typealias OfTimerError = TimerError
  typealias OfTimerHandle = TimerHandle
  typealias OfTimerQueue = TimerQueue
  typealias OfTimerTarget = TimerTarget
  typealias OfTimerThread = TimerThread
  typealias OfTimerWheel = TimerWheel
}

/// What SkeinScheduler makes public.
private enum SkeinSchedulerNames {
  typealias OfDescriptorEvents = DescriptorEvents
  typealias OfDescriptorInterest = DescriptorInterest
  typealias OfEnvelope = Envelope
  typealias OfExclusiveWait = ExclusiveWait
  typealias OfMessageHandler = MessageHandler
  typealias OfOutbox = Outbox
  typealias OfOutboxReceipt = OutboxReceipt
  typealias OfRunBudget = RunBudget
  typealias OfSchedulerSnapshot = SchedulerSnapshot
  typealias OfSimulatedScheduler = SimulatedScheduler
  typealias OfSimulationError = SimulationError
  typealias OfStrand = Strand
  typealias OfStrandBinding = StrandBinding
  typealias OfStrandStatistics = StrandStatistics
  typealias OfStuckWorker = StuckWorker
  typealias OfTaskDriver = TaskDriver
  typealias OfTaskLoop = TaskLoop
  typealias OfWorker = Worker
  typealias OfWorkerPool = WorkerPool
  typealias OfWorkerWaiter = WorkerWaiter
}

/// What SkeinSchedulerTesting makes public.
private enum SkeinSchedulerTestingNames {
  typealias OfGlobalPoolCheck = GlobalPoolCheck
  typealias OfSeedFailure = SeedFailure
}

/// What SkeinSocketIO makes public.
private enum SkeinSocketIONames {
  typealias OfCloseReason = CloseReason
  typealias OfConnection = Connection
  typealias OfConnectionHandler = ConnectionHandler
  typealias OfListenOptions = ListenOptions
  typealias OfListener = Listener
  typealias OfListenerHandler = ListenerHandler
  typealias OfLoopThread = LoopThread
  typealias OfSocketBackend = SocketBackend
  typealias OfSocketEndpoint = SocketEndpoint
  typealias OfSocketError = SocketError
  typealias OfSocketLimits = SocketLimits
  typealias OfSocketLoop = SocketLoop
  typealias OfSocketStatistics = SocketStatistics
  typealias OfWriteReceipt = WriteReceipt
}

/// What SkeinSocketIOTesting makes public.
private enum SkeinSocketIOTestingNames {
  typealias OfFaultPlan = FaultPlan
  typealias OfNetworkConditions = NetworkConditions
  typealias OfNetworkEvent = NetworkEvent
  typealias OfNetworkFault = NetworkFault
  typealias OfSendOutcome = SendOutcome
  typealias OfSimulatedNetwork = SimulatedNetwork
}

/// What SkeinSerialization makes public.
private enum SkeinSerializationNames {
  typealias OfByteString = ByteString
  typealias OfSeri = Seri
  typealias OfSeriError = SeriError
  typealias OfSeriKeys = SeriKeys
  typealias OfSeriKind = SeriKind
  typealias OfSeriLimits = SeriLimits
  typealias OfSeriReadable = SeriReadable
  typealias OfSeriReader = SeriReader
  typealias OfSeriRecord = SeriRecord
  typealias OfSeriWritable = SeriWritable
  typealias OfSeriWriter = SeriWriter
  typealias OfTable = Table
  typealias OfValue = Value
}

/// What SkeinTaggedJSON makes public.
private enum SkeinTaggedJSONNames {
  typealias OfTaggedJSON = TaggedJSON
  typealias OfTaggedJSONError = TaggedJSONError
}

/// What SkeinCluster makes public.
private enum SkeinClusterNames {
  typealias OfAcceptorConfiguration = AcceptorConfiguration
  typealias OfAnswerPacket = AnswerPacket
  typealias OfCluster = Cluster
  typealias OfClusterAddress = ClusterAddress
  typealias OfClusterCallOptions = ClusterCallOptions
  typealias OfClusterError = ClusterError
  typealias OfClusterInboundRequest = ClusterInboundRequest
  typealias OfClusterLogLevel = ClusterLogLevel
  typealias OfClusterName = ClusterName
  typealias OfClusterOptions = ClusterOptions
  typealias OfClusterRequestHandler = ClusterRequestHandler
  typealias OfClusterRequestKind = ClusterRequestKind
  typealias OfClusterSendReceipt = ClusterSendReceipt
  typealias OfClusterWire = ClusterWire
  typealias OfClusterWireError = ClusterWireError
  typealias OfFrameReader = FrameReader
  typealias OfInboundPeer = InboundPeer
  typealias OfLargeJoiner = LargeJoiner
  typealias OfLargeLimits = LargeLimits
  typealias OfLargeMessageError = LargeMessageError
  typealias OfLinkConfiguration = LinkConfiguration
  typealias OfLinkState = LinkState
  typealias OfLinkStatistics = LinkStatistics
  typealias OfPeerAddress = PeerAddress
  typealias OfPeerStateChange = PeerStateChange
  typealias OfPeerStateChanges = PeerStateChanges
  typealias OfRequestPacket = RequestPacket
  typealias OfSessionCounter = SessionCounter
}

/// What Skein makes public.
private enum SkeinNames {
  typealias OfCallContext = CallContext
  typealias OfCallDeadline = CallDeadline
  typealias OfCallError = CallError
  typealias OfCommand = Command
  typealias OfCommandTable = CommandTable
  typealias OfExitReason = ExitReason
  typealias OfNodeCluster = NodeCluster
  typealias OfNodeError = NodeError
  typealias OfNodeOptions = NodeOptions
  typealias OfRemoteServiceRef = RemoteServiceRef
  typealias OfSendReceipt = SendReceipt
  typealias OfServiceCommand = ServiceCommand
  typealias OfServiceHold = ServiceHold
  typealias OfServiceLimits = ServiceLimits
  typealias OfServiceRef = ServiceRef
  typealias OfServiceSocket = ServiceSocket
  typealias OfSkeinContext = SkeinContext
  typealias OfSkeinLog = SkeinLog
  typealias OfSkeinNode = SkeinNode
  typealias OfSkeinService = SkeinService
  typealias OfSocketOptions = SocketOptions
  typealias OfSocketService = SocketService
  typealias OfSpawnError = SpawnError
}
