"""What the reload tests share: a server with its own plugins folder, plugins to put there, and a load on it."""
import http.client
import threading
import time
from collections import Counter

from lib import BUILD, VARIANTS, Case, Connection, provider, replace, wait_until

BAD = BUILD / "tests" / "abi" / "plugins"
PROMPT = {"prompt": "in earnest", "responseMode": "text"}


def text_of(answer):
    """What a provider answered; None when none did."""
    return answer.json["data"] if answer.status == 200 and not answer.json["metadata"]["fallback"] else None


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
        client = Connection(self.port)
        due = time.monotonic()
        while not self._end.is_set():
            began = time.monotonic()
            try:
                answer = client.ask("POST", "/v1/generate/immediate", self.body)
                text, failure = text_of(answer), (answer.status, answer.json)
            except (OSError, http.client.HTTPException) as error:
                text, failure = None, (0, {"error": repr(error)})
            took = time.monotonic() - began
            with self._lock:
                self.durations.append(took)
                if text is not None:
                    self.answers[text] += 1
                else:
                    self.failures.append(failure)
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
        replace(self.plugins / name, source.read_bytes())

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
        return text_of(self.ask(server))

    def listed(self, server, **wanted):
        """The plugins of /admin/plugins that have all of these values."""
        all_of = self.admin("GET", server, "/admin/plugins").json["plugins"]
        return [p for p in all_of if all(p.get(k) == v for k, v in wanted.items())]

    def await_listed(self, server, seconds=10, **wanted):
        return wait_until(lambda: self.listed(server, **wanted), seconds, f"a plugin with {wanted}")[0]

    def await_answer(self, server, wanted, seconds=10):
        wait_until(lambda: self.answer(server), seconds, "its answer", wanted)

    def reload(self, server):
        return self.admin("POST", server, "/admin/reload")
