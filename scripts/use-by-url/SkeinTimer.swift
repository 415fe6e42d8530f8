import SkeinTimer

var wheel = TimerWheel<String>(capacity: 16)
let late = try wheel.arm(at: Tick(20), payload: "late")
try wheel.arm(at: Tick(10), payload: "soon")
precondition(wheel.cancel(late) == "late")
precondition(wheel.popExpired(upTo: Tick(30)) == "soon")
