// IntegrationSuite: the one suite that holds all others, so that nodes run one after the other.

import Testing

/// Every test of this package. Serialized: figures of CPU and latency mean little beside another node on two cores.
@Suite("Integration", .serialized) enum Integration {}

/// Full counts, when the environment asks for them; `make soak` does.
let isSoak = Environment.variable("SKEIN_SOAK") == "1"
