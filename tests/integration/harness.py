"""What the integration tests share: the programs under test, a simulator per module, configurations on the fly."""
import json
import os
import subprocess
import sys
import tempfile
import time
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

    def reset(self):
        """All counters and the log start over."""
        call("POST", f"{self.url}/_sim/reset")

    def log(self, instance):
        """The requests in the order they came."""
        return call("GET", f"{self.url}/_sim/log?instance={instance}").json

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
        """stepper.yaml and providers.yaml in the test's folder, where the store is, too. JSON is YAML."""
        (self.folder / "providers.yaml").write_text(json.dumps({"providers": providers}))
        config = {"providers_file": "providers.yaml", "plugins_dir": str(PLUGINS), "log": {"format": "json"},
                  "store": {"url": f"sqlite:{self.folder}/stepper.db"}}
        config.update(settings or {})
        path = self.folder / "stepper.yaml"
        path.write_text(json.dumps(config))
        return path

    def start(self, providers, settings=None, env=None):
        """A server of this configuration; started again after stop(), it finds what the one before it stored."""
        path = self.write_config(providers, settings)
        self.log_path = self.folder / "log"
        with open(self.log_path, "a", encoding="utf-8") as log:
            server = Server([STEPPER, "serve", "--config", path, "--listen", "127.0.0.1:0"], env or clean_environment(), log)
        self.addCleanup(self.check_stopped, server)
        return server

    def start_one(self, behaviour=None, settings=None, **more):
        """A server with one provider that behaves like that and is tried once per run of a job; it ends quickly."""
        self.simulator.reset()
        self.simulator.behave("one", behaviour or {})
        # Every plugin is tried in a process of its own before it is loaded, and this one is enough.
        plugin = self.folder / "plugins" / "openai-compatible.so"
        plugin.parent.mkdir(exist_ok=True)
        if not plugin.exists():
            plugin.symlink_to(PLUGINS / plugin.name)
        return self.start([provider(self.simulator, "one", **{"retry": {"attempts": 1}, **more})],
                          {"server": {"drain_timeout": "100ms"}, "plugins_dir": str(plugin.parent), **(settings or {})})

    def check_stopped(self, server):
        status = server.stop()
        self.assertIn(status, (0, -9), self.log_path.read_text(encoding="utf-8")[-4000:])

    def wait_for(self, condition, seconds=10):
        """Looks until the condition holds, and returns what it gave."""
        until = time.monotonic() + seconds
        while not (seen := condition()):
            self.assertLess(time.monotonic(), until, "it never came")
            time.sleep(0.005)
        return seen

    def upstream_calls(self, instance="one"):
        return self.simulator.counters(instance)["requests"]

    def await_upstream(self, in_flight, instance="one"):
        self.wait_for(lambda: self.simulator.counters(instance)["in_flight"] == in_flight)

    def admin_token(self):
        """What the server of this test keeps where no admin key is configured."""
        return (self.folder / "plugin-state" / "admin-token").read_text(encoding="utf-8").strip()

    def admin(self, method, server, path, **options):
        return call(method, server.url + path, headers={"x-api-key": self.admin_token()}, **options)

    def generate(self, server, body, **options):
        return call("POST", server.url + "/v1/generate/immediate", body, **options)

    def post(self, server, body, path="/v1/generate", **options):
        return call("POST", server.url + path, body, **options)

    def queue(self, server, body, path="/v1/generate", **options):
        """The id of the job that was made for it."""
        answer = self.post(server, body, path, **options)
        self.assertEqual(answer.status, 202, answer.raw)
        return answer.json["jobId"]

    def job(self, server, job_id, query="", path="/v1/jobs/"):
        return call("GET", f"{server.url}{path}{job_id}{query}")

    def finished(self, server, job_id, seconds=20):
        """What the job has become once it is final."""
        seen = self.job(server, job_id, f"?wait={seconds}").json
        self.assertIn(seen["status"], ("completed", "failed", "cancelled"), seen)
        return seen

    def listed(self, server, job_id):
        """The job's line in the list, which tells more than its own page."""
        jobs = call("GET", server.url + "/v1/jobs?limit=1000").json["jobs"]
        return next(job for job in jobs if job["id"] == job_id)
