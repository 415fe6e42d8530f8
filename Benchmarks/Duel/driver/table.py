"""The duel's table: what is measured beside what, and what must come out."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One line of the result: a figure of ours beside one of a reference, or against a limit.

    With a reference, `goal` is the least ratio, and a ratio above 1 means that ours is better. Without, `goal` is the
    greatest value of ours in `unit`.
    """

    row: str
    unit: str
    goal: float
    reference: str | None = None
    ours: str = "value"
    theirs: str = "value"


@dataclass(frozen=True)
class Contest:
    """What one round measures: the programs that run in turn, with their arguments, and the lines that come of it.

    `runs` maps a program ("ours" or a reference) to its arguments. A lower figure is always the better one.
    """

    runs: dict
    lines: tuple

    @property
    def name(self):
        """The row's ID without a variant."""
        return self.lines[0].row.split("/")[0]


def messages(row, counts, goals):
    """A contest in nanoseconds an operation against Go and Erlang."""
    return Contest(
        {program: [row, str(count)] for program, count in counts.items()},
        tuple(Line(row, "ns", goal, reference) for reference, goal in goals.items()))


CORE = (
    Contest(
        {"ours": ["mailbox-alone", "8000000"], "c-ring": ["mailbox-alone", "16000000"]},
        (Line("mailbox-alone", "ns", 0.5, "c-ring"),)),
    Contest(
        {"ours": ["mailbox-1to1", "4000000"], "c-ring": ["mailbox-1to1", "8000000"]},
        (Line("mailbox-1to1", "ns", 0.75, "c-ring"),)),
    Contest(
        {"ours": ["mailbox-8to1", "2000000"], "c-ring": ["mailbox-8to1", "4000000"]},
        (Line("mailbox-8to1", "ns", 0.55, "c-ring"),)),
    messages("pair-1", {"ours": 2_000_000, "go": 1_000_000, "erlang": 500_000}, {"go": 3, "erlang": 5}),
    messages("pairs-1000", {"ours": 4_000_000, "go": 2_000_000, "erlang": 500_000}, {"go": 1.5, "erlang": 8}),
    messages("call-1", {"ours": 4_000_000, "go": 1_000_000, "erlang": 500_000}, {"go": 2, "erlang": 4}),
    messages("call-1000", {"ours": 4_000_000, "go": 2_000_000, "erlang": 500_000}, {"go": 1.2, "erlang": 4}),
    messages("call-chain", {"ours": 300_000, "go": 500_000, "erlang": 200_000}, {"go": 0.7, "erlang": 2}),
    messages("flood-1to1", {"ours": 5_000_000, "go": 5_000_000, "erlang": 3_000_000}, {"go": 1.2, "erlang": 4}),
    messages("flood-8to1", {"ours": 5_000_000, "go": 5_000_000, "erlang": 3_000_000}, {"go": 0.9, "erlang": 4}),
    messages("ring-1000", {"ours": 4_000_000, "go": 2_000_000, "erlang": 1_000_000}, {"go": 4, "erlang": 6}),
    messages("spawn", {"ours": 200_000, "go": 1_000_000, "erlang": 200_000}, {"go": 0.7, "erlang": 3}),
    # 600 bytes are asked for; that they are fewer than Erlang's is told beside.
    Contest(
        {"ours": ["idle-bytes", "1000000"], "erlang": ["idle-bytes", "1000000"]},
        tuple(
            Line(f"idle-bytes/{state}", "bytes", goal, reference, ours=state)
            for state in ("untouched", "after-sync-call", "after-async-call")
            for reference, goal in ((None, 600), ("erlang", 1)))),
    # Called from a service of the node, and from a task outside of it.
    Contest(
        {"ours": ["blocked-p99", "1000"]},
        (Line("blocked-p99", "ms", 1), Line("blocked-p99/outside", "ms", 1, ours="outside"))),
    # A timer's handler, and a task that sleeps: a tick of 1 ms, and 1 ms more.
    Contest(
        {"ours": ["saturated-timer", "300"]},
        (Line("saturated-timer", "ms", 2), Line("saturated-timer/sleep", "ms", 2, ours="sleep"))),
    Contest(
        {"ours": ["idle-wakeups", "3"]},
        (Line("idle-wakeups", "/s", 5), Line("idle-wakeups/cpu", "% CPU", 0.1, ours="cpu"))),
    # The wheel, which one thread uses, as C's; Go's timers are for any thread, as the queue's are.
    Contest(
        {"ours": ["arm-cancel-same", "4000000"], "c-wheel": ["arm-cancel-same", "4000000"],
         "go": ["arm-cancel-same", "1000000"]},
        (Line("arm-cancel-same", "ns", 0.5, "c-wheel"), Line("arm-cancel-same", "ns", 5, "go"))),
    Contest(
        {"ours": ["queue-arm-cancel-same", "2000000"], "go": ["arm-cancel-same", "1000000"]},
        (Line("arm-cancel-same/queue", "ns", 1, "go"),)),
    Contest(
        {"ours": ["arm-cancel-million", "2000000"], "c-wheel": ["arm-cancel-million", "2000000"],
         "go": ["arm-cancel-million", "500000"]},
        (Line("arm-cancel-million", "ns", 0.5, "c-wheel"), Line("arm-cancel-million", "ns", 5, "go"))),
    Contest(
        {"ours": ["queue-arm-cancel-million", "1000000"], "go": ["arm-cancel-million", "500000"]},
        (Line("arm-cancel-million/queue", "ns", 1, "go"),)),
    Contest({"ours": ["timer-bytes", "1000000"]}, (Line("timer-bytes", "bytes", 64),)),
    # 0.3 of Go's CPU time; a tick of 1 ms, and 0.2 ms more.
    Contest(
        {"ours": ["sleepers", "100000"], "go": ["sleepers", "100000"]},
        (Line("sleepers", "s CPU", round(1 / 0.3, 2), "go"), Line("sleepers/late-p99", "ms", 1.2, ours="late-p99"))),
    # A tenth of them: Task.sleep takes half a minute for all.
    Contest(
        {"ours": ["sleepers", "10000"], "task-sleep": ["sleepers-of-task", "10000"]},
        (Line("sleepers/10000", "s CPU", 1, "task-sleep"),)),
    # At most 1.15 of its time.
    Contest(
        {"ours": ["wake-parked", "1000"], "c-park": ["wake-parked", "1000"]},
        tuple(Line(f"wake-parked/{backend}", "ns", 0.87, "c-park", ours=backend) for backend in ("epoll", "io_uring"))),
)

TABLES = {"core": CORE}
