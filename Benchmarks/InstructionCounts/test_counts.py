import unittest

import counts


class CountsTests(unittest.TestCase):
    def test_what_is_written_is_read_again(self):
        found = {"push-pop": 152.2, "codec": 1018.0}
        self.assertEqual(counts.parse(counts.written(found)), found)

    def test_a_line_that_is_no_count_is_an_error_with_its_number(self):
        with self.assertRaisesRegex(ValueError, "line 2"):
            counts.parse("push-pop 1\ncodec one\n")

    def test_a_threads_count_is_found_in_its_profile(self):
        self.assertEqual(counts.total("version: 1\nevents: Ir\nfn=(1)\n16 400\n\ntotals: 7117849\n"), 7117849)
        with self.assertRaisesRegex(ValueError, "no count"):
            counts.total("version: 1\n")

    def test_three_percent_either_way_are_let_pass_and_more_is_not(self):
        expected = {"same": 100.0, "within": 100.0, "slower": 100.0, "faster": 100.0}
        found = {"same": 100.0, "within": 102.9, "slower": 103.2, "faster": 96.8}
        lines, wrong = counts.compare(found, expected)
        self.assertEqual(wrong, ["slower", "faster"])
        self.assertIn("more than committed", lines[2])
        self.assertIn("fewer than committed", lines[3])

    def test_a_path_without_a_counterpart_is_wrong_on_either_side(self):
        self.assertEqual(counts.compare({"new": 1.0}, {"old": 1.0})[1], ["new", "old"])


if __name__ == "__main__":
    unittest.main()
