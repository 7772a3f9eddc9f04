"""What the fault tests share: one database, one server after the other on it, and a look into what they left."""
import contextlib
import http.client
import resource
import shutil
import signal
import sqlite3
import tempfile
from pathlib import Path

import lib
from lib import PLUGINS, call, echo, launch, provider, run_stepper, serve_command, wait_until, write_config

EXIT_CONFIG = 78
LOST = (OSError, http.client.HTTPException)  # what a client sees when the server dies under it
FINAL = ("completed", "failed", "cancelled")

# Servers die by the dozen here; their cores would fill the disk.
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def post(server, body, key=None):
    return call("POST", server.url + "/v1/generate", body, {"Idempotency-Key": key} if key else None)


def read(server, job_id, wait=0):
    return call("GET", f"{server.url}/v1/jobs/{job_id}?wait={wait}", timeout=wait + 30)


def finish(server, job_id, seconds=30):
    """The job as it ended."""
    def final():
        job = read(server, job_id, wait=1).json
        return job if job["status"] in FINAL else None
    return wait_until(final, seconds, f"job {job_id} ends")


class Stage:
    """A folder with a configuration and a database. `env` comes on top of a clean environment."""

    def __init__(self, folder, providers, settings=None, plugins=PLUGINS):
        self.folder = Path(folder)
        self.database = self.folder / "jobs" / "stepper.db"
        self.wal = self.database.with_name("stepper.db-wal")
        self.log = self.folder / "log"
        self.config = write_config(self.folder, providers, {"plugins_dir": str(plugins), "store": {"url": f"sqlite:{self.database}"},
                                                            **(settings or {})})

    def command(self, *options):
        return serve_command("--config", self.config, *options)

    def start(self, *options, env=None):
        return launch(self.command(*options), env, self.log)

    def refusal(self, *options):
        """How a start that must not succeed ended."""
        return run_stepper(*self.command(*options)[1:])

    def said(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    @contextlib.contextmanager
    def remains(self):
        """The database as a dead server left it. On a copy: looking at it must not tidy it up for the next one."""
        with tempfile.TemporaryDirectory() as folder:
            for file in (self.database, self.wal):
                if file.exists():
                    shutil.copy(file, folder)
            with contextlib.closing(sqlite3.connect(Path(folder) / self.database.name)) as db:
                yield db

    @contextlib.contextmanager
    def watch(self):
        """The database while a server uses it."""
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)) as db:
            yield db


def prompts(log):
    """The bodies of logged upstream calls as (instance, text)."""
    return [(entry["instance"], entry["body"]) for entry in log if entry["method"] == "POST"]


class Case(lib.Case):
    """Has stages, on which servers come and go, in place of one server."""

    def setUp(self):
        super().setUp()
        self.simulator.reset()

    def stage(self, *names, behaviour=None, settings=None, limits=None, **more):
        """A stage whose providers are instances of the simulator of the same names, each with these limits."""
        for name in names:
            self.simulator.behave(name, behaviour or {})
        providers = [provider(self.simulator, name, concurrency=512, limits=limits or {}) for name in names]
        return Stage(self.folder, providers, settings, **more)

    def start(self, stage, *options, env=None, ends=(0, -signal.SIGKILL)):
        server = stage.start(*options, env=env)
        self.addCleanup(self.check_stopped, stage, server, ends)
        return server

    def check_stopped(self, stage, server, ends):
        status = server.stop()
        self.assertIn(status, ends, stage.said()[-4000:])
        self.assertNotIn("ERROR: AddressSanitizer", stage.said())

    def accept(self, server, token, key=None, **more):
        """Posts a job of its own and returns its id."""
        answer = post(server, {"prompt": echo(token), **more}, key)
        self.assertEqual(answer.status, 202, answer.raw)
        return answer.json["jobId"]

    def calls(self, token):
        """How often a provider was asked with this token."""
        log = call("GET", self.simulator.url + "/_sim/log").json
        return sum(f"Repeat {token}." in body for _, body in prompts(log))

    def in_flight(self, *names):
        return sum(self.simulator.counters(name)["in_flight"] for name in names)

    def assert_intact(self, stage):
        with stage.remains() as db:
            self.assertEqual(db.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
