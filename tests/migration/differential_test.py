"""The package and Stepper get the same requests. Whatever they answer differently is a row of docs/migrate.md, and seen."""
import re
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import expected
from compare import differences
from servers import seen_by_both
from table import WORLDS, requests
from lib import PLUGINS, ROOT, Case, Simulator, provider, run_stepper
from lib.markdown import tables
from lib.node_package import why_not

PAGE = (ROOT / "docs" / "migrate.md").read_text(encoding="utf-8")


def in_every_world(simulator, folder):
    """What both answered, by WORLD/NAME of the request; a job that only one of them took has no counterpart."""
    asked = requests()

    def both(name):
        package, stepper = seen_by_both(simulator, folder, name, WORLDS[name], [ask for ask in asked if ask.world == name])
        return {f"{name}/{request}": (package[request], stepper[request]) for request in package if request in stepper}

    with ThreadPoolExecutor(2) as pool:
        return {request: pair for answers in pool.map(both, WORLDS) for request, pair in answers.items()}


class Differential(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        if obstacle := why_not():
            raise unittest.SkipTest(f"the package cannot run here: {obstacle}")
        simulator = Simulator()
        cls.addClassCleanup(simulator.stop)
        with tempfile.TemporaryDirectory() as folder:
            cls.answers = in_every_world(simulator, Path(folder))
        cls.seen = [(request, one) for request, pair in cls.answers.items() for one in differences(*pair)]

    def test_every_difference_has_a_row(self):
        unexplained = [f"{request}: {one}" for request, one in self.seen if not expected.is_known(request, one)]
        self.assertEqual(unexplained, [])

    def test_every_row_is_still_seen(self):
        unseen = [rule for rule in expected.RULES if not any(expected.matches(rule, *seen) for seen in self.seen)]
        self.assertEqual(unseen, [])

    def test_most_is_the_same(self):
        """What the rules above cannot hide: so many requests, and so many answers of the same status."""
        same = sum(package.status == stepper.status for package, stepper in self.answers.values())
        self.assertGreater(len(self.answers), 600)
        self.assertGreater(same, len(self.answers) * 3 // 4)


class Page(Case):
    def test_the_lines_that_bring_the_old_back_are_taken(self):
        lines = [line for row in tables(PAGE)["Differences"] for line in re.findall("`([^`]*)`", row[3])]
        self.assertGreater(len(lines), 2)
        for line in lines:
            with self.subTest(line):
                variable = re.fullmatch("([A-Z_]+)=(.*)", line)
                config = self.write_config([provider(self.simulator, "one")])
                if not variable:
                    config.write_text(f"{line}\nproviders_file: providers.yaml\nplugins_dir: {PLUGINS}\n")
                environment = dict([variable.groups()] if variable else [])
                done = run_stepper("check", config, env=environment)
                self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)

    def test_the_ids_are_the_same_on_the_page(self):
        listed = [row[0] for row in tables(PAGE)["Differences"]]
        self.assertEqual(len(listed), len(set(listed)))
        self.assertEqual(set(listed), {rule.id for rule in expected.RULES})

    def test_whatever_the_tables_refer_to_is_there(self):
        self.assertLessEqual(set(re.findall(r"\bD\d+\b", PAGE)), {row[0] for row in tables(PAGE)["Differences"]})


if __name__ == "__main__":
    unittest.main()
