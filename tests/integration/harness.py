"""What the integration tests share: the programs under test, a simulator per module, configurations on the fly."""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "lib"))

from child import Answer, Server, StartError, call  # noqa: E402,F401  (the tests import them from here)

BUILD = Path(os.environ.get("STEPPER_BUILD", ROOT / "build" / "dev")).resolve()
STEPPER = BUILD / "bin" / "stepper"
SIMULATOR = BUILD / "bin" / "provider-sim"
PLUGINS = BUILD / "plugins"

PATHS = {"openai-compatible": "/v1", "gemini": "", "cohere": "", "anthropic": "", "hfspace": "", "http-template": ""}


def clean_environment():
    """Ours without what would configure Stepper: the tests must not depend on a developer's keys."""
    kept = ("PATH", "HOME", "TMPDIR", "LANG", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS")
    return {k: v for k, v in os.environ.items() if k in kept}


def run_stepper(*arguments, env=None, **options):
    return subprocess.run([STEPPER, *map(str, arguments)], env=env or clean_environment(), capture_output=True, text=True,
                          timeout=120, **options)


class Simulator(Server):
    def __init__(self):
        super().__init__([SIMULATOR, "--listen", "127.0.0.1:0"])

    def behave(self, instance, behaviour):
        answer = call("PUT", f"{self.url}/_sim/p/{instance}", behaviour)
        if answer.status >= 300:
            raise AssertionError(f"the simulator refused {behaviour}: {answer.raw}")

    def counters(self, instance):
        return call("GET", f"{self.url}/_sim/p/{instance}").json["counters"]

    def base_url(self, instance, plugin="openai-compatible"):
        return f"{self.url}/p/{instance}{PATHS.get(plugin, '')}"


def provider(simulator, name, plugin="openai-compatible", instance=None, **more):
    """A provider of the chain that talks to the simulator's instance of that name."""
    spec = {"name": name, "plugin": plugin, "base_url": simulator.base_url(instance or name, plugin), "model": "m-1",
            "api_key": "k-test", "concurrency": 64}
    spec.update(more)
    return spec


class Case(unittest.TestCase):
    """Starts what a test asks for and ends it whatever happens."""

    @classmethod
    def setUpClass(cls):
        cls.simulator = Simulator()
        cls.addClassCleanup(cls.simulator.stop)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write_config(self, providers, settings=None):
        """stepper.yaml and providers.yaml in the test's folder. JSON is YAML."""
        import json
        (self.folder / "providers.yaml").write_text(json.dumps({"providers": providers}))
        config = {"providers_file": "providers.yaml", "plugins_dir": str(PLUGINS), "log": {"format": "json"}}
        config.update(settings or {})
        path = self.folder / "stepper.yaml"
        path.write_text(json.dumps(config))
        return path

    def start(self, providers, settings=None, env=None):
        path = self.write_config(providers, settings)
        self.log_path = self.folder / "log"
        with open(self.log_path, "w", encoding="utf-8") as log:
            server = Server([STEPPER, "serve", "--config", path, "--listen", "127.0.0.1:0"], env or clean_environment(), log)
        self.addCleanup(self.check_stopped, server)
        return server

    def check_stopped(self, server):
        status = server.stop()
        self.assertIn(status, (0, -9), self.log_path.read_text(encoding="utf-8")[-4000:])

    def generate(self, server, body, **options):
        return call("POST", server.url + "/v1/generate/immediate", body, **options)
