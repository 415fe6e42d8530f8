import json
import unittest

import table
import verdict
from table import Line


def rounds(ours, theirs=None):
    """Rounds in which ours, and a reference called go, have these figures."""
    both = [{"ours": {"value": value}} for value in ours]
    for figures, value in zip(both, theirs or []):
        figures["go"] = {"value": value}
    return both


class VerdictTests(unittest.TestCase):
    beside_go = Line("pair-1", "ns", 3, "go")
    limit = Line("timer-bytes", "bytes", 64)

    def test_the_ratio_is_of_the_medians_and_above_one_when_ours_is_better(self):
        found = verdict.judge(self.beside_go, rounds([50, 1_000, 60], [300, 180, 1]))
        self.assertEqual(found.ours, verdict.Spread(60, 50, 1_000))
        self.assertEqual(found.ratio, 3)
        self.assertTrue(found.ok)

    def test_a_ratio_below_the_goal_falls_short(self):
        self.assertFalse(verdict.judge(self.beside_go, rounds([61], [180])).ok)

    def test_a_limit_is_the_greatest_value_that_will_do(self):
        self.assertTrue(verdict.judge(self.limit, rounds([64])).ok)
        self.assertFalse(verdict.judge(self.limit, rounds([65])).ok)

    def test_five_percent_round_the_goal_are_close(self):
        for theirs, close in ((284, False), (286, True), (314, True), (316, False)):
            self.assertEqual(verdict.judge(self.beside_go, rounds([100], [theirs])).is_close, close, theirs)
        for bytes_each, close in ((60, False), (61, True), (67, True), (68, False)):
            self.assertEqual(verdict.judge(self.limit, rounds([bytes_each])).is_close, close, bytes_each)

    def test_a_failure_in_one_round_is_the_rows_failure_with_its_reason(self):
        figures = rounds([50, 50], [300, 300])
        figures[1]["go"] = "did not end within 120 s"
        found = verdict.judge(self.beside_go, figures)
        self.assertFalse(found.ok)
        self.assertFalse(found.is_close)
        self.assertEqual(found.reason, "go: did not end within 120 s")

    def test_a_missing_figure_or_program_is_a_failure(self):
        self.assertEqual(verdict.judge(self.beside_go, rounds([50])).reason, "go: not measured")
        other = Line("pair-1", "ns", 3, "go", theirs="other")
        self.assertEqual(verdict.judge(other, rounds([50], [60])).reason, "go: no figure other")

    def test_the_json_has_the_rows_fields(self):
        found = json.loads(verdict.judge(self.beside_go, rounds([50], [300])).json())
        self.assertEqual(
            {key: found[key] for key in ("row", "reference", "ours", "theirs", "unit", "ratio", "goal", "ok")},
            {"row": "pair-1", "reference": "go", "ours": 50, "theirs": 300, "unit": "ns", "ratio": 6, "goal": 3, "ok": True})

    def test_without_a_reference_the_json_has_nulls_and_the_limit(self):
        found = json.loads(verdict.judge(self.limit, rounds([48])).json())
        self.assertEqual((found["reference"], found["theirs"], found["ratio"], found["goal"]), (None, None, None, 64))

    def test_a_row_that_could_not_run_is_a_line_with_its_reason(self):
        found = json.loads(verdict.judge(self.beside_go, [{"ours": {"value": 1}, "go": "could not be built"}]).json())
        self.assertEqual((found["ok"], found["reason"], found["ours"]), (False, "go: could not be built", 1))

    def test_the_tables_have_a_line_for_each_verdict_below_the_head(self):
        verdicts = [verdict.judge(self.beside_go, rounds([50], [300])), verdict.judge(self.limit, rounds([65]))]
        plain, markdown = verdict.plain_table(verdicts).splitlines(), verdict.markdown_table(verdicts).splitlines()
        self.assertEqual((len(plain), len(markdown)), (3, 4))
        self.assertTrue(plain[1].endswith("ok") and plain[2].endswith("short"))
        self.assertEqual({line.count("|") for line in markdown}, {len(verdict.HEAD) + 1})


class TableTests(unittest.TestCase):
    def test_every_reference_of_a_line_runs_in_its_contest(self):
        for contest in table.CORE:
            for line in contest.lines:
                self.assertIn(line.reference or "ours", contest.runs)
                self.assertIn("ours", contest.runs)

    def test_no_line_stands_twice(self):
        lines = [(line.row, line.reference) for contest in table.CORE for line in contest.lines]
        self.assertEqual(len(set(lines)), len(lines))


if __name__ == "__main__":
    unittest.main()
