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
    messages("pair-1", {"ours": 500_000, "go": 1_000_000, "erlang": 500_000}, {"go": 3, "erlang": 5}),
    messages("pairs-1000", {"ours": 2_000_000, "go": 2_000_000, "erlang": 500_000}, {"go": 1.5, "erlang": 8}),
    messages("call-1", {"ours": 2_000_000, "go": 1_000_000, "erlang": 500_000}, {"go": 2, "erlang": 4}),
    messages("call-1000", {"ours": 2_000_000, "go": 2_000_000, "erlang": 500_000}, {"go": 1.2, "erlang": 4}),
    messages("call-chain", {"ours": 100_000, "go": 500_000, "erlang": 200_000}, {"go": 0.7, "erlang": 2}),
    messages("flood-1to1", {"ours": 5_000_000, "go": 5_000_000, "erlang": 3_000_000}, {"go": 1.2, "erlang": 4}),
    messages("flood-8to1", {"ours": 5_000_000, "go": 5_000_000, "erlang": 3_000_000}, {"go": 0.9, "erlang": 4}),
    messages("ring-1000", {"ours": 2_000_000, "go": 2_000_000, "erlang": 1_000_000}, {"go": 4, "erlang": 6}),
    messages("spawn", {"ours": 100_000, "go": 1_000_000, "erlang": 200_000}, {"go": 0.7, "erlang": 3}),
)

TABLES = {"core": CORE}
