"""scripts/run as a new user meets it, with a build that is there already."""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

from lib import BUILD, ROOT, Case, call, clean_environment, wait_until
from lib.processes import children, is_running


class Demo:
    """A scripts/run in a folder of its own, read line by line."""

    def __init__(self, folder, *arguments, **environment):
        env = clean_environment(STEPPER_BUILD=str(BUILD), PORT="0", **environment)
        self.process = subprocess.Popen([sys.executable, ROOT / "scripts" / "lib" / "run.py", *arguments], cwd=folder, env=env,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.said = ""

    def until(self, words):
        """Reads until a line has these words, and returns the line."""
        for line in self.process.stdout:
            self.said += line
            if words in line:
                return line
        raise AssertionError(f"ended without {words!r}: {self.said}{self.process.stderr.read()}")

    def serve(self):
        """Where it serves, once it has told its story."""
        self.url = self.until("Stepper listens on").split()[3].rstrip(";")
        self.until("Still serving")
        return self

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        rest, self.errors = self.process.communicate(timeout=60)
        self.said += rest
        return self.process.returncode


class Run(Case):
    def demo(self, *arguments, **environment):
        demo = Demo(self.folder, *arguments, **environment)
        self.addCleanup(demo.process.communicate)
        self.addCleanup(demo.process.terminate)
        return demo

    def test_the_demonstration_has_names_quotas_and_a_store_of_its_own(self):
        demo = self.demo().serve()
        self.assertIn("SIMULATED", demo.said)
        self.assertEqual([p["name"] for p in call("GET", demo.url + "/v1/providers").json["providers"]],
                         ["demo-gemini", "demo-groq", "demo-cerebras"])
        for number in range(12):  # more than any free tier of the catalogue has in a minute
            answer = call("POST", demo.url + "/v1/generate/immediate", {"prompt": f"number {number}"}, timeout=10)
            self.assertEqual((answer.status, answer.json["metadata"]["provider"]), (200, "demo-cerebras"), answer.raw)
        self.assertFalse((self.folder / "var" / "stepper.db").exists())

    def test_no_answer_of_the_demonstration_is_given_to_who_has_a_key(self):
        self.assertIn("SIMULATED", self.finished_once())
        self.simulator.behave("real", {})
        said = self.finished_once(GEMINI_API_KEY="x", GEMINI_BASE_URL=self.simulator.base_url("real", "gemini"))
        self.assertNotIn("SIMULATED", said)
        self.assertIn("Answer by gemini", said)
        self.assertEqual(self.simulator.counters("real")["requests"], 1)

    def finished_once(self, **environment):
        demo = self.demo("--once", **environment)
        said, errors = demo.process.communicate(timeout=60)
        self.assertEqual(demo.process.returncode, 0, said + errors)
        return said

    def test_two_at_once_have_each_a_store_and_a_log(self):
        first, second = self.demo(), self.demo()
        self.assertNotEqual(first.serve().url, second.serve().url)
        for log in ("demo.log", "demo-2.log"):
            text = (self.folder / "var" / log).read_text(encoding="utf-8")
            self.assertEqual(sum('"listening"' in line for line in text.splitlines()), 1, log)

    def test_the_second_with_a_key_says_in_one_line_that_the_store_is_in_use(self):
        self.simulator.behave("real", {})
        key = {"GEMINI_API_KEY": "x", "GEMINI_BASE_URL": self.simulator.base_url("real", "gemini")}
        self.demo(**key).serve()
        second = self.demo(**key)
        _, errors = second.process.communicate(timeout=60)
        self.assertEqual(second.process.returncode, 1)
        self.assertRegex(errors, r"\Astepper: The store .* is in use by process \d+\..*\n\Z")

    def test_sigterm_leaves_no_process(self):
        demo = self.demo().serve()
        started = children(demo.process.pid)
        self.assertEqual(len(started), 2)
        self.assertEqual(demo.end(), 128 + signal.SIGTERM)
        self.assertEqual([pid for pid in started if is_running(pid)], [])

    def test_neither_does_a_kill(self):
        demo = self.demo().serve()
        started = children(demo.process.pid)
        self.assertEqual(demo.end(signal.SIGKILL), -signal.SIGKILL)
        wait_until(lambda: not any(map(is_running, started)), 30)

    def test_ctrl_c_is_a_proper_end(self):
        demo = self.demo().serve()
        self.assertEqual(demo.end(signal.SIGINT), 0, demo.errors)
        self.assertIn('"stopped"', (self.folder / "var" / "demo.log").read_text(encoding="utf-8").splitlines()[-1])


class Script(unittest.TestCase):
    """What scripts/run answers before it needs anything."""

    def run_script(self, *arguments, **environment):
        # Nothing that could install or build is found.
        tools = {"bash": "/bin/bash", "dirname": "/usr/bin/dirname", "sed": "/bin/sed"}
        with tempfile.TemporaryDirectory() as folder:
            for name, path in tools.items():
                os.symlink(path, os.path.join(folder, name))
            return subprocess.run(["/bin/bash", ROOT / "scripts" / "run", *arguments], env={"PATH": folder, **environment},
                                  capture_output=True, text=True, timeout=60)

    def test_help_installs_nothing(self):
        done = self.run_script("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("--once stops instead", done.stdout)

    def test_what_is_not_understood_is_refused(self):
        for arguments in (["--twice"], ["--once", "--once"]):
            done = self.run_script(*arguments)
            self.assertEqual((done.returncode, done.stdout), (64, ""))

    def test_a_bad_port_is_a_sentence(self):
        for port in ("abc", "65536", "-1", "99999999999999999999", "3001 "):
            done = self.run_script(PORT=port)
            self.assertEqual(done.returncode, 64, port)
            self.assertRegex(done.stderr, rf"\APORT is \"{re.escape(port)}\", which is no port: .*\n\Z")

    def test_without_root_and_sudo_the_whole_command_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("awk", "sort"):
                os.symlink(shutil.which(name), os.path.join(folder, name))
            for name, text in {"dpkg-query": "exit 1", "id": "echo 1000"}.items():
                path = os.path.join(folder, name)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(f"#!/bin/bash\n{text}\n")
                os.chmod(path, 0o755)
            done = subprocess.run(["/bin/bash", "-c", f"root={ROOT}; . {ROOT}/scripts/lib/packages.sh; ensure_packages build"],
                                  env={"PATH": folder}, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"apt-get update && apt-get install -y .* cmake .*")


if __name__ == "__main__":
    unittest.main()
