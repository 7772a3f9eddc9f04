"""What a soak says of a server, with samples made by hand."""
import unittest

from judge import Sample, between, complaints, phases, window


def sample(at=0.0, resident=100.0, descriptors=50, threads=40):
    return Sample(at, resident, descriptors, threads)


class JudgeTest(unittest.TestCase):
    def test_what_stays_level_is_fine(self):
        self.assertEqual(complaints(sample(), sample(), sample()), [])

    def test_memory_may_grow_by_half_and_keep_a_third(self):
        self.assertEqual(complaints(sample(), sample(resident=150), sample(resident=130)), [])
        said = complaints(sample(), sample(resident=151), sample(resident=131))
        self.assertEqual(len(said), 2)
        self.assertIn("151.0 MiB are resident at the end, 1.51 times the 100.0", said[0])
        self.assertIn("131.0 MiB are resident after the rest", said[1])

    def test_threads_and_descriptors_are_counted_apart(self):
        self.assertIn("80 descriptors are open at the end", *complaints(sample(), sample(descriptors=80), sample()))
        self.assertIn("70 threads are open after the rest", *complaints(sample(), sample(), sample(threads=70)))
        self.assertEqual(complaints(sample(), sample(descriptors=78, threads=66), sample()), [])

    def test_windows_are_a_minute_or_half_the_load(self):
        self.assertEqual((window(600), window(120), window(60)), (60, 60, 30))

    def test_a_peak_is_no_level(self):
        seen = [sample(at, 100) for at in range(9)] + [sample(9, 900)]
        self.assertEqual(between(seen, 0, 9).resident, 100)

    def test_each_phase_is_seen_in_its_own_time(self):
        # 40 s of load: the beginning is judged from 10 to 20, the end from 30 to 40, the rest by its last two seconds.
        seen = [sample(at / 2, at / 2) for at in range(121)]
        first, end, rest = phases(seen, 40, 60)
        self.assertEqual((first.resident, end.resident, rest.resident), (15, 35, 59))


if __name__ == "__main__":
    unittest.main()
