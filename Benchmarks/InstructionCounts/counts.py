"""Instructions that one operation of each path needs: the committed counts, and what is said of new ones."""

import re

# The count of a path may differ by this share before it has to be looked at.
TOLERANCE = 0.03

HEAD = """# Instructions an operation, written by scripts/check-instructions --update; see docs/BENCHMARKS.md.
"""


def parse(text):
    """{path: instructions} of a file of counts."""
    counts = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        match = re.fullmatch(r"(\S+)\s+(\d+(?:\.\d+)?)", line)
        if not match:
            raise ValueError(f"line {number}: not a path and a count: {line}")
        counts[match[1]] = float(match[2])
    return counts


def written(counts):
    """The file of `counts`."""
    return HEAD + "".join(f"{path:<14} {count:.1f}\n" for path, count in counts.items())


def total(text):
    """The instructions of the thread whose profile `text` is."""
    match = re.search(r"^(?:totals|summary): (\d+)$", text, re.MULTILINE)
    if not match:
        raise ValueError(f"no count in callgrind's profile: {text[-200:]!r}")
    return int(match[1])


def compare(counts, expected):
    """One line of text for each path, and the paths that are not as expected."""
    lines, wrong = [], []
    for path in list(counts) + [path for path in expected if path not in counts]:
        new, old = counts.get(path), expected.get(path)
        if new is None or old is None:
            lines.append(f"{path:<14} {'was not counted' if new is None else 'has no committed count'}")
            wrong.append(path)
            continue
        share = new / old - 1
        remark = ""
        if abs(share) > TOLERANCE:
            remark = "  more than committed" if share > 0 else "  fewer than committed"
            wrong.append(path)
        lines.append(f"{path:<14} {new:>10,.1f}  committed {old:>10,.1f}  {share:+7.2%}{remark}")
    return lines, wrong
