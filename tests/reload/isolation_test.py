"""`isolation: process`: what a plugin does wrong there costs its own process only."""
import os
import time
import unittest
from pathlib import Path

from lib import call, link_plugins, wait_until
from lib.processes import children
from stage import Load, ReloadCase, text_of


def words_of(pid):
    """What it was started with; none when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


class Isolation(ReloadCase):
    def hosts(self, server):
        return [pid for pid in children(server.process.pid) if b"host" in words_of(pid)]

    def isolated(self, name="one", **more):
        return self.spec(name, isolation="process", **more)

    def test_it_answers_all_the_same_and_ends_with_the_server(self):
        self.variant("a")
        server = self.serve([self.isolated()])
        self.assertEqual(self.answer(server), "A")
        self.assertEqual(len(self.hosts(server)), 1)
        # Nothing of the plugin is in the server itself.
        self.assertNotIn("variant", Path(f"/proc/{server.process.pid}/maps").read_text())
        child = self.hosts(server)[0]
        server.process.kill()
        server.process.wait()
        wait_until(lambda: not os.path.exists(f"/proc/{child}"), 5)

    def chain(self, flaw):
        """A fragile provider in a process of its own, and one to fall back on; and what that one answers."""
        self.variant(flaw)
        link_plugins(self.plugins, "openai-compatible")
        server = self.serve([self.isolated("fragile"), self.spec("good", plugin="openai-compatible")])
        return server, self.preferred(server, "good")

    def preferred(self, server, name):
        answer = self.ask(server, preferredProviders=[name])
        self.assertEqual(answer.json["metadata"]["provider"], name, answer.raw)
        return answer.json["data"]

    def test_a_crash_on_every_third_call(self):
        """The chain goes on to the next, others notice nothing, and restarts have a limit."""
        server, other = self.chain("CrashesEveryThird")
        seen, began = set(), time.monotonic()
        with Load(server, clients=2) as load:
            while time.monotonic() - began < 6 or len(load.answers) < 2:
                seen.update(self.hosts(server))
                self.assertLess(time.monotonic() - began, 60)
                time.sleep(0.01)  # between two looks at the processes
        self.assertEqual(load.failures, [])
        self.assertEqual(set(load.answers), {"X", other})
        # One at the start, three at once, then after 0.5, 1, 2 and 4 seconds.
        self.assertGreater(len(seen), 3)
        self.assertLessEqual(len(seen), 9)
        listed = self.listed(server, version="9.0.0")[0]
        self.assertGreaterEqual(listed["faults"], 4)

    def test_a_hang_is_ended_and_the_next_provider_answers(self):
        server, other = self.chain("HangsWhenUsed")
        began = time.monotonic()
        answer = self.ask(server)
        self.assertEqual(text_of(answer), other)
        self.assertLess(time.monotonic() - began, 10)
        attempts = answer.json["metadata"]["providersAttempted"]
        self.assertIn("hung in its own process", attempts[0]["error"])
        wait_until(lambda: not self.hosts(server))

    def test_a_replaced_plugin_ends_its_process_and_an_unrelated_edit_does_not(self):
        self.variant("a")
        server = self.serve([self.isolated()])
        self.assertEqual(self.answer(server), "A")
        before = self.hosts(server)
        self.write_config([self.isolated(limits={"rpm": 100000}), self.isolated("second", enabled=False)],
                          {"plugins_dir": str(self.plugins)})
        wait_until(lambda: len(call("GET", server.url + "/health").json["providers"]) == 2)
        self.assertEqual(self.answer(server), "A")
        self.assertEqual(self.hosts(server), before)
        with Load(server, clients=2) as load:
            self.variant("b")
            self.await_answer(server, "B")
        self.assertEqual(load.failures, [])
        wait_until(lambda: len(self.hosts(server)) == 1 and self.hosts(server) != before)

    def test_isolation_can_be_switched_live(self):
        self.variant("a")
        server = self.serve()
        self.assertEqual((self.answer(server), self.hosts(server)), ("A", []))
        self.write_config([self.isolated()], {"plugins_dir": str(self.plugins)})
        wait_until(lambda: self.hosts(server))
        self.assertEqual(self.answer(server), "A")
        self.write_config([self.spec()], {"plugins_dir": str(self.plugins)})
        wait_until(lambda: not self.hosts(server))
        self.assertEqual(self.answer(server), "A")


if __name__ == "__main__":
    unittest.main()
