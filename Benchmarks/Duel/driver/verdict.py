"""From the rounds' figures to medians, ratios and verdicts."""

import json
import statistics
from dataclasses import dataclass

# A row this close to its goal is decided by more rounds.
CLOSE = 0.05
MORE_ROUNDS = 15


@dataclass(frozen=True)
class Spread:
    """What several rounds measured."""

    median: float
    least: float
    most: float

    @staticmethod
    def of(values):
        return Spread(statistics.median(values), min(values), max(values))

    def text(self):
        return f"{number(self.median)} ({number(self.least)}–{number(self.most)})"


def number(value):
    """A figure with three digits or so."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.01 or value == 0 else f"{value:.2g}"


@dataclass(frozen=True)
class Verdict:
    """A line of the table with what came of it."""

    line: object
    ours: Spread | None = None
    theirs: Spread | None = None
    reason: str | None = None

    @property
    def ratio(self):
        """How many times better ours is; `None` without a reference."""
        if self.ours is None or self.theirs is None:
            return None
        return self.theirs.median / self.ours.median if self.ours.median > 0 else float("inf")

    @property
    def ok(self):
        if self.reason or self.ours is None:
            return False
        if self.line.reference is None:
            return self.ours.median <= self.line.goal
        return self.ratio is not None and self.ratio >= self.line.goal

    @property
    def is_close(self):
        """Whether more rounds have to decide."""
        if self.reason or self.ours is None:
            return False
        value = self.ours.median if self.line.reference is None else self.ratio
        return value is not None and abs(value / self.line.goal - 1) <= CLOSE

    def json(self):
        line = self.line
        fields = {
            "row": line.row, "reference": line.reference, "ours": self.ours and self.ours.median,
            "theirs": self.theirs and self.theirs.median, "unit": line.unit, "ratio": self.ratio, "goal": line.goal,
            "ok": self.ok,
        }
        for name, spread in (("ours", self.ours), ("theirs", self.theirs)):
            if spread:
                fields[f"{name}_min"], fields[f"{name}_max"] = spread.least, spread.most
        if self.reason:
            fields["reason"] = self.reason
        return json.dumps({key: round(value, 6) if isinstance(value, float) else value for key, value in fields.items()})

    def cells(self):
        """The line as the columns of a table: row, reference, ours, theirs, ratio, goal, verdict."""
        line = self.line
        goal = f"≥ {line.goal:g}×" if line.reference else f"≤ {line.goal:g} {line.unit}"
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return [
            line.row, line.reference or "–", f"{self.ours.text()} {line.unit}" if self.ours else "",
            f"{self.theirs.text()} {line.unit}" if self.theirs else "", ratio, goal,
            "ok" if self.ok else self.reason or "short",
        ]


HEAD = ["row", "reference", "ours: median (min–max)", "theirs", "ratio", "goal", ""]


def judge(line, rounds):
    """The verdict on a line after `rounds`: for each round, the figures or the failure (a text) of each program."""
    spreads = {}
    for program, figure in (("ours", line.ours), (line.reference, line.theirs)):
        if program is None:
            continue
        results = [figures[program] for figures in rounds if program in figures]
        failure = next((result for result in results if isinstance(result, str)), None)
        if failure is None and not results:
            failure = "not measured"
        if failure is None and any(figure not in result for result in results):
            failure = f"no figure {figure}"
        if failure:
            return Verdict(line, spreads.get("ours"), reason=f"{program}: {failure}")
        spreads[program] = Spread.of([result[figure] for result in results])
    return Verdict(line, spreads["ours"], spreads.get(line.reference))


def plain_table(verdicts):
    """The verdicts in columns."""
    rows = [HEAD] + [verdict.cells() for verdict in verdicts]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def markdown_table(verdicts):
    """The verdicts as a table for docs/BENCHMARKS.md."""
    rows = [HEAD, ["---"] * len(HEAD)] + [verdict.cells() for verdict in verdicts]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
