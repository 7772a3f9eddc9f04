"""The arithmetic of comparing two revisions, with numbers made by hand."""
import unittest

from verdict import judge, ratio, spread, word


class VerdictTest(unittest.TestCase):
    def test_the_ratio_is_the_median_of_the_rounds_own(self):
        # The machine became three times as slow from round to round; each round says 1.5, 1.5 and 2.
        self.assertAlmostEqual(ratio([15, 45, 180], [10, 30, 90], [10, 30, 90]), 1.5)

    # ubugeeei-prod/vize#3622: medians of each side alone made +15 % of what the pairs knew to be nothing.
    def test_a_machine_that_is_slow_in_half_of_the_rounds_is_no_difference(self):
        load = [1, 3, 1, 3, 1, 3, 3, 1]
        self.assertEqual(judge([100 * x for x in load], [101 * x for x in load], [99 * x for x in load]).word, "same")

    def test_a_round_that_was_disturbed_does_not_decide(self):
        self.assertAlmostEqual(ratio([10, 10, 900], [10, 10, 10], [10, 10, 10]), 1)

    def test_old_is_the_mean_of_its_two_measurements(self):
        self.assertAlmostEqual(ratio([12, 12], [8, 8], [12, 12]), 1.2)

    def test_the_spread_is_within_what_rounds_differ_by(self):
        self.assertAlmostEqual(spread([100] * 8, [110] * 8), 0.1)
        self.assertLess(spread([100] * 8, [101, 102, 103, 104, 105, 106, 107, 108]), 0.08)

    def test_the_spread_does_not_ask_which_of_the_two_was_slower(self):
        self.assertEqual(spread([100, 110, 100, 105], [110, 100, 110, 100]), spread([110] * 3 + [105], [100] * 4))

    def test_a_single_disturbed_round_widens_it_little(self):
        self.assertLess(spread([100] * 15 + [900], [102] * 15 + [100]), 0.03)

    def test_more_rounds_narrow_it(self):
        first, second = [100] * 4, [101, 104, 109, 116]
        self.assertLess(spread(first * 8, second * 8), spread(first * 2, second * 2) - 0.02)

    def test_the_same_numbers_have_the_same_spread(self):
        first, second = [100, 103, 99, 120], [101, 110, 95, 100]
        self.assertEqual(spread(first, second), spread(first, second))

    def test_what_never_varies_has_no_spread(self):
        self.assertEqual(spread([7, 8, 9], [7, 8, 9]), 0)

    def test_exactly_the_limit_is_still_the_same(self):
        self.assertEqual([word(r, 0.25) for r in (1.26, 1.25, 1, 0.8, 0.79)], ["worse", "same", "same", "same", "better"])

    def test_less_than_five_percent_is_the_same_however_quiet_the_machine(self):
        self.assertEqual(judge([104] * 8, [100] * 8, [100] * 8).word, "same")
        self.assertEqual(judge([106] * 8, [100] * 8, [100] * 8).word, "worse")
        self.assertEqual(judge([94] * 8, [100] * 8, [100] * 8).word, "better")

    def test_within_the_spread_is_the_same(self):
        noisy = [100, 120] * 4, [120, 100] * 4  # each round is 20 % from itself, and 110 on average
        self.assertEqual(judge([130] * 8, *noisy).word, "same")
        self.assertEqual(judge([134] * 8, *noisy).word, "worse")

    def test_medians_are_shown(self):
        seen = judge([30, 10, 20], [1, 2, 3], [3, 4, 5])
        self.assertEqual((seen.old, seen.new), (3, 20))

    def test_rounds_that_lack_a_measurement_are_refused(self):
        with self.assertRaises(ValueError):
            judge([1, 2], [1, 2], [1])


if __name__ == "__main__":
    unittest.main()
