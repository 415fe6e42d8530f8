import SkeinMailbox

let ring = SPSCRing<Int>(capacity: 2)
precondition(ring.push(7) == nil)
precondition(ring.pop() == 7)
