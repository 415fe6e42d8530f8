"""Runs every row of ours on a small count, so that none can rot. Builds the program first, which may take minutes."""

import unittest

import programs
import table

# Where 10,000 would take long, or be refused.
COUNTS = {
    "blocked-p99": 20, "saturated-timer": 20, "idle-wakeups": 1, "wake-parked": 20, "sleepers": 1_000,
    "sleepers-of-task": 100, "spawn": 1_000, "idle-bytes": 1_000,
}


class RowsTests(unittest.TestCase):
    def test_every_row_of_ours_ends_well_and_has_the_figures_of_its_lines(self):
        start = programs.build(["ours"])["ours"]
        for contest in table.CORE:
            for program in contest.runs.keys() & {"ours", "task-sleep"}:
                row = contest.runs[program][0]
                with self.subTest(row=row):
                    found = programs.run(start, [row, str(COUNTS.get(row, 10_000))])
                    self.assertIsInstance(found, dict, found)
                    if program == "ours":
                        self.assertLessEqual({line.ours for line in contest.lines}, found.keys())


if __name__ == "__main__":
    unittest.main()
