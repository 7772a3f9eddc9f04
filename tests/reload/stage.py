"""What the reload tests share: a server with its own plugins folder, plugins to put there, and a load on it."""
import http.client
import json
import os
import shutil
import sys
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from harness import BUILD, Case, PLUGINS, call, clean_environment, provider, run_stepper  # noqa: E402,F401

VARIANTS = BUILD / "tests" / "reload" / "plugins"
BAD = BUILD / "tests" / "abi" / "plugins"
PROMPT = {"prompt": "in earnest", "responseMode": "text"}


def text_of(status, body):
    """What a provider answered; None when none did."""
    return body["data"] if status == 200 and not body["metadata"]["fallback"] else None


class Client:
    """One kept connection."""

    def __init__(self, port):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def post(self, path, body):
        self._connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        return response.status, json.loads(response.read())

    def close(self):
        self._connection.close()


class Load:
    """Some clients that ask without pause, or at a rate; what they got is counted."""

    def __init__(self, server, clients=4, per_second=None, body=None):
        self.port, self.body = server.port, body or PROMPT
        self.answers, self.failures, self.durations = Counter(), [], []
        self._lock, self._end = threading.Lock(), threading.Event()
        self._pause = clients / per_second if per_second else 0
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _run(self):
        client = Client(self.port)
        due = time.monotonic()
        while not self._end.is_set():
            began = time.monotonic()
            try:
                status, body = client.post("/v1/generate/immediate", self.body)
            except (OSError, http.client.HTTPException) as error:
                status, body = 0, {"error": repr(error)}
            took = time.monotonic() - began
            with self._lock:
                self.durations.append(took)
                text = text_of(status, body)
                if text is not None:
                    self.answers[text] += 1
                else:
                    self.failures.append((status, body))
            due += self._pause
            self._end.wait(max(0.0, due - time.monotonic()))
        client.close()

    def percentile(self, share):
        ordered = sorted(self.durations)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class ReloadCase(Case):
    """Servers here read plugins from self.plugins and are reached at once by whatever the test puts there."""

    ends_with = (0, -9)  # how a server may end

    def check_stopped(self, server):
        self.assertIn(server.stop(), self.ends_with, self.log_text()[-4000:])

    def setUp(self):
        super().setUp()
        self.plugins = self.folder / "plugins"
        self.plugins.mkdir()
        self.simulator.reset()

    def put(self, source, name="variant.so"):
        """As an installer does: written beside, then renamed over."""
        draft = self.plugins / f".{name}.new"
        shutil.copyfile(source, draft)
        os.chmod(draft, 0o644)
        os.rename(draft, self.plugins / name)

    def variant(self, name, as_file="variant.so"):
        self.put(VARIANTS / f"variant-{name}.so", as_file)

    def spec(self, name="one", plugin="variant", **more):
        return provider(self.simulator, name, plugin, instance="one", retry={"attempts": 1}, **more)

    def serve(self, providers=None, settings=None, **options):
        return self.start(providers or [self.spec()],
                          {"plugins_dir": str(self.plugins), "server": {"drain_timeout": "2s"}, **(settings or {})}, **options)

    def ask(self, server, **body):
        return self.generate(server, {**PROMPT, **body})

    def answer(self, server):
        seen = self.ask(server)
        return text_of(seen.status, seen.json)

    def listed(self, server, **wanted):
        """The plugins of /admin/plugins that have all of these values."""
        all_of = self.admin("GET", server, "/admin/plugins").json["plugins"]
        return [p for p in all_of if all(p.get(k) == v for k, v in wanted.items())]

    def await_listed(self, server, seconds=10, **wanted):
        return self.wait_for(lambda: self.listed(server, **wanted), seconds)[0]

    def await_answer(self, server, wanted, seconds=10):
        self.wait_for(lambda: self.answer(server) == wanted, seconds)

    def reload(self, server):
        return self.admin("POST", server, "/admin/reload")

    def log_text(self):
        return self.log_path.read_text(encoding="utf-8")

    def descriptors(self, server):
        return len(os.listdir(f"/proc/{server.process.pid}/fd"))

    def threads(self, server):
        return len(os.listdir(f"/proc/{server.process.pid}/task"))

    def resident_kib(self, server):
        for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1])
        raise AssertionError("no VmRSS")
