"""The server of a soak, with providers that fail in every way the simulator knows, and what is changed under it."""
import contextlib
import json
import shutil
from pathlib import Path

from lib import PLUGINS, VARIANTS, Simulator, call, launch, provider, replace, serve_command, write_config

ADMIN_KEY = "soak"
FAILURES = [{"status": 500}, {"status": 503, "retry_after": "1"}, {"reset": "before_head"}, {"reset": "mid_body"}, {},
            {"stream_cut_after": 2}, {"truncate": 0.5}, {"invalid_json": True}, {"html": True}, {"hang": "head"},
            {"error": "overloaded", "status": 200}, {"stream_error_after": 1}, {"hang": "body"}, {"empty": True},
            {"gzip": True}, {"content_length": 100}, {"no_done": True}, {"huge": 1_000_000}]
BEHAVIOURS = {
    "failing": {"steps": FAILURES, "then": "repeat"},
    "limited": {"quota": {"requests": 30, "per_ms": 1000, "kind": "fixed"}, "rate_limit_headers": True},
    "steady": {"latency_ms": {"min": 0, "max": 30, "seed": 1}},
    "plugged": {},
}
BROKEN_ONLY = ["steady", "plugged"]  # left out: such a request has only providers that fail or refuse
SETTINGS = {
    # Short, so that ended jobs are forgotten from the beginning on: a table that still fills is no leak.
    "queue": {"retention": "10s", "workers": 16},
    "cache": {"ttl": "10s", "fresh_for": "2s"},
    "security": {"admin_key": ADMIN_KEY},
    "log": {"level": "error"},
}


class World:
    """A `with` block; the folder is the caller's. `said()` is the server's log."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.plugins = self.folder / "plugins"
        self._end = contextlib.ExitStack()
        self.simulator = Simulator()
        self._end.callback(self.simulator.stop)
        with contextlib.ExitStack() as unless_it_starts:
            unless_it_starts.push(self._end)
            self._start()
            unless_it_starts.pop_all()

    def _start(self):
        for name, behaviour in BEHAVIOURS.items():
            self.simulator.behave(name, behaviour)
        shutil.copytree(PLUGINS, self.plugins)
        self.put_plugin("a")
        self.providers = [
            provider(self.simulator, "failing", first_byte_timeout="500ms", idle_timeout="500ms",
                     breaker={"consecutive": 1_000_000, "min_calls": 1_000_000}),
            provider(self.simulator, "limited"),
            provider(self.simulator, "steady", concurrency=256),
            provider(self.simulator, "plugged", "variant"),
        ]
        config = write_config(self.folder, self.providers, {
            "plugins_dir": str(self.plugins), "store": {"url": f"sqlite:{self.folder}/jobs/stepper.db"}, **SETTINGS})
        self.log = self.folder / "log"
        self.server = launch(serve_command("--config", config), log=self.log)
        self._end.callback(self.server.stop)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._end.close()

    @property
    def pid(self):
        return self.server.process.pid

    @property
    def port(self):
        return self.server.port

    def alive(self):
        return self.server.process.poll() is None

    def said(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def call(self, method, path, body=None, timeout=60):
        return call(method, self.server.url + path, body, timeout=timeout)

    def admin(self, method, path):
        return call(method, self.server.url + path, headers={"Authorization": f"Bearer {ADMIN_KEY}"})

    def upstream(self):
        """What the providers answered, by status; 0 is none at all."""
        return {name: self.simulator.counters(name)["by_status"] for name in BEHAVIOURS}

    def put_plugin(self, variant):
        replace(self.plugins / "variant.so", (VARIANTS / f"variant-{variant}.so").read_bytes())

    def put_providers(self, concurrency):
        self.providers[1]["concurrency"] = concurrency
        replace(self.folder / "providers.yaml", json.dumps({"providers": self.providers}))

    def break_providers(self):
        replace(self.folder / "providers.yaml", "providers: [ { name: \n")
