"""Both servers of a world, asked the same."""
import contextlib
import http.client
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from harness import PLUGINS, ROOT, STEPPER, Server, clean_environment, provider  # noqa: E402,F401
from node_package import PackageServer  # noqa: E402

from compare import Seen  # noqa: E402
from table import Ask  # noqa: E402

SECONDS = 20
ENDED = ("completed", "failed", "cancelled")


class Client:
    """One connection to a server, made anew when that closed it: what an answer changes is in force for the next request."""

    def __init__(self, url):
        self.connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=SECONDS)

    def send(self, ask):
        body = ask.body if isinstance(ask.body, (bytes, str, type(None))) else json.dumps(ask.body)
        headers = {"Host": "localhost", **({} if body is None else {"Content-Type": "application/json"}), **ask.headers}
        try:
            self.connection.request(ask.method, ask.path, body.encode() if isinstance(body, str) else body, headers)
            answer = self.connection.getresponse()
            return Seen(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        except http.client.HTTPException:
            self.connection.close()
            raise

    def close(self):
        self.connection.close()

    def ended(self, ask):
        """The job's page once it is final; what it is by then if it never is. The package reads a job before its state, so that
        what belongs to its end may come a page later."""
        until = time.monotonic() + SECONDS
        while json.loads(self.send(ask).raw).get("status") not in ENDED and time.monotonic() < until:
            time.sleep(0.01)
        return self.send(ask)

    def replies(self, ask):
        """The answer, and the end of the job if there is one, by name."""
        first = self.send(ask)
        out = {ask.name: first}
        if ask.job and first.status == 202:
            page = ask._replace(method="GET", path=json.loads(first.raw)["statusUrl"], body=None)
            out[f"{ask.name} > job"] = self.ended(page)
        return out

    def settled(self):
        """The package's limiter answers 500 until it has found its Redis, which it looks for at the first request."""
        until = time.monotonic() + SECONDS
        while self.send(Ask("is it there", "GET", "/nowhere")).status == 500 and time.monotonic() < until:
            time.sleep(0.01)


def start_package(simulator, folder, name, world):
    for one, behaviour in world.providers.items():
        simulator.behave(f"package-{name}-{one}", behaviour)
    providers = [{"name": one, "enabled": True, "apiKey": "k-test", "modelName": "m-1", "concurrency": 64, "timeout": 60000,
                  "baseUrl": f"{simulator.url}/p/package-{name}-{one}"} for one in world.providers]
    return PackageServer(folder, {**clean_environment(), **world.environment}, providers=providers, jobPauseMs=20)


def start_stepper(simulator, folder, name, world):
    home = folder / f"stepper-{name}"
    home.mkdir()
    (home / "plugins").mkdir()
    (home / "plugins" / "openai-compatible.so").symlink_to(PLUGINS / "openai-compatible.so")
    for one, behaviour in world.providers.items():
        simulator.behave(f"stepper-{name}-{one}", behaviour)
    chain = [provider(simulator, one, instance=f"stepper-{name}-{one}") for one in world.providers]
    # A breaker opens at a share of failures, too, however many the world's variable allows in a row.
    defaults = {"limits": {"rpm": None}, "breaker": {"min_calls": 1000}}
    (home / "providers.yaml").write_text(json.dumps({"defaults": defaults, "providers": chain}))
    settings = {"providers_file": "providers.yaml", "plugins_dir": "plugins", "store": {"url": "sqlite:store.db"},
                "server": {"drain_timeout": "100ms"}, **world.settings}
    (home / "stepper.yaml").write_text(json.dumps(settings))
    with open(home / "log", "w", encoding="utf-8") as log:
        return Server([STEPPER, "serve", "--config", home / "stepper.yaml", "--listen", "127.0.0.1:0"],
                      {**clean_environment(), **world.environment}, log)


def seen_by(start, simulator, folder, name, world, asks):
    server, out = start(simulator, folder, name, world), {}
    try:
        with contextlib.closing(Client(server.url)) as client:
            client.settled()
            for ask in asks:
                out.update(client.replies(ask))
        return out
    finally:
        server.stop()


def seen_by_both(simulator, folder, name, world, asks):
    """What the package and Stepper answered, each by the request's name."""
    with ThreadPoolExecutor(2) as both:
        futures = [both.submit(seen_by, start, simulator, folder, name, world, asks)
                   for start in (start_package, start_stepper)]
        return [future.result() for future in futures]
