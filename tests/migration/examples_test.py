"""What the package's own pages tell to set and to type, as it stands there, with Stepper in the package's place."""
import json
import re
import subprocess
import tempfile
import unittest
from contextlib import ExitStack
from pathlib import Path

import servers
from compare import Seen, differences
from expected import is_known
from lib import ROOT, Case, call, clean_environment, serve_command
from lib.markdown import tables, unquoted
from lib.node_package import FOLDER, NAME, why_not
from table import WORLDS

HERE = "localhost:3001"  # where the pages have it
DOCUMENTS = FOLDER / "node_modules" / NAME
README, GUIDE, TESTING = "README.md", "docs/DEVELOPER_IMPLEMENTATION_GUIDE.md", "TESTING_GUIDE.md"
ARCHITECTURE = "ARCHITECTURE.md"


def blocks(document, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", (DOCUMENTS / document).read_text(encoding="utf-8"), re.M | re.S)


def variables(document, language):
    """The longest run of assignments, exported or not."""
    found = [re.findall(r"^(?:export )?([A-Z_]+)=(.*)$", block, re.M) for block in blocks(document, language)]
    return dict(max(found, key=len))


def curls():
    """Each command with all of its lines."""
    text = "\n".join(block for document in (README, ARCHITECTURE) for block in blocks(document, "bash"))
    return re.findall(r"^curl (?:.*\\\n)*(?:[^'\n]|'[^']*')*$", text, re.M)


class Examples(Case):
    @classmethod
    def setUpClass(cls):
        if obstacle := why_not():
            raise unittest.SkipTest(f"the package's pages cannot be had here: {obstacle}")
        super().setUpClass()

    def serve(self, environment):
        self.log_path.unlink(missing_ok=True)  # of the one before
        return self.launch(["env", "-C", self.folder, *serve_command()], environment)

    def test_each_variable_is_honoured_or_named(self):
        page = (ROOT / "docs" / "migrate.md").read_text(encoding="utf-8")
        sets = {unquoted(variable): what for variable, what, *_ in tables(page)["Environment variables"]}
        for document, language in ((README, "env"), (GUIDE, "bash"), (TESTING, "bash")):
            with self.subTest(document):
                example = variables(document, language)
                self.assertGreater(len(example), 5)
                server = self.serve(example)
                log = self.log_text()
                named = set(re.findall(r"variable ([A-Z_]+) is set but has no effect", log))
                self.assertEqual(named, {name for name in example if sets.get(name, "").startswith("nothing")}, log)
                self.check_stopped(server)

    def test_the_guide_s_key_and_provider_are_in_force(self):
        example = variables(GUIDE, "bash")
        server = self.serve(example)
        self.assertEqual(call("GET", server.url + "/v1/providers").status, 401)
        answer = call("GET", server.url + "/v1/providers", headers={"x-api-key": example["STEPPER_API_KEY"]})
        self.assertEqual([p["name"] for p in answer.json["providers"] if p["state"] == "ready"], ["openai"], answer.raw)

    def typed(self, command, server):
        done = subprocess.run(["bash", "-c", command.replace(HERE, server.url.removeprefix("http://"))], capture_output=True,
                              env=clean_environment(), timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return Seen(0, {} if done.stdout.startswith(b"#") else {"content-type": "application/json"}, done.stdout)

    def test_the_curls_say_the_same(self):
        commands = curls()
        self.assertGreater(len(commands), 3)
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            both = [start(self.simulator, Path(folder), "open", WORLDS["open"])
                    for start in (servers.start_package, servers.start_stepper)]
            for server in both:
                stack.callback(server.stop)
            for command in commands:
                with self.subTest(command):
                    self.assertIn(HERE, command)
                    package, stepper = (self.typed(command, server) for server in both)
                    unknown = [str(one) for one in differences(package, stepper) if not is_known("open/" + command, one)]
                    self.assertEqual(unknown, [], json.dumps([package.raw.decode(), stepper.raw.decode()]))


if __name__ == "__main__":
    unittest.main()
