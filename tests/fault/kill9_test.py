"""25 rounds of kill9.py, with the seed in KILL9_SEED or a fixed one."""
import os
import unittest

import kill9

ROUNDS = 25


class Kill9Test(unittest.TestCase):
    def test_promises_survive_kill_9(self):
        problems = kill9.run(ROUNDS, int(os.environ.get("KILL9_SEED", "1")))
        self.assertEqual(problems[:20], [])


if __name__ == "__main__":
    unittest.main()
