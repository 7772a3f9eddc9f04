"""A test that drives the programs from outside."""
import tempfile
import unittest
from pathlib import Path

from .child import call
from .programs import Simulator, launch, link_plugins, provider, serve_command, write_config
from .waiting import wait_until


class Case(unittest.TestCase):
    """Starts what a test asks for and ends it whatever happens; one simulator serves all tests of a class."""

    @classmethod
    def setUpClass(cls):
        cls.simulator = Simulator()
        cls.addClassCleanup(cls.simulator.stop)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.log_path = self.folder / "log"

    def write_config(self, providers, settings=None):
        return write_config(self.folder, providers, settings)

    def launch(self, command, env=None):
        """The server of this command, whose log is added to self.log_path."""
        server = launch(command, env, self.log_path)
        self.addCleanup(self.check_stopped, server)
        return server

    def start(self, providers, settings=None, env=None):
        """A server of this configuration; started again after stop(), it finds what the one before it stored."""
        return self.launch(serve_command("--config", self.write_config(providers, settings)), env)

    def start_one(self, behaviour=None, settings=None, **more):
        """A server with one provider that behaves like that and is tried once per run of a job; it ends quickly."""
        self.simulator.reset()
        self.simulator.behave("one", behaviour or {})
        plugins = link_plugins(self.folder / "plugins", "openai-compatible")
        return self.start([provider(self.simulator, "one", **{"retry": {"attempts": 1}, **more})],
                          {"server": {"drain_timeout": "100ms"}, "plugins_dir": str(plugins), **(settings or {})})

    def log_text(self):
        return self.log_path.read_text(encoding="utf-8")

    def check_stopped(self, server):
        self.assertIn(server.stop(), (0, -9), self.log_text()[-4000:])

    def upstream_calls(self, instance="one"):
        return self.simulator.counters(instance)["requests"]

    def await_upstream(self, in_flight, instance="one"):
        wait_until(lambda: self.simulator.counters(instance)["in_flight"], what="calls in flight", wanted=in_flight)

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
