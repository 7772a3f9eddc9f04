"""Both servers of a world, asked the same."""
import contextlib
import http.client
import json
from concurrent.futures import ThreadPoolExecutor

from compare import Seen
from lib import Connection, clean_environment, launch, link_plugins, provider, serve_command, wait_until, write_config
from lib.node_package import PackageServer
from table import Ask

SECONDS = 20
ENDED = ("completed", "failed", "cancelled")


class Client(Connection):
    """Made anew when the server closed it: what an answer changes is in force for the next request."""

    def see(self, ask):
        try:
            answer = self.ask(ask.method, ask.path, ask.body.encode() if isinstance(ask.body, str) else ask.body,
                              {"Host": "localhost", **ask.headers})
            return Seen(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.raw)
        except http.client.HTTPException:
            self.close()
            raise

    def ended(self, ask):
        """The job's page once it is final. The package reads a job before its state, so that what belongs to its end may come a
        page later."""
        wait_until(lambda: json.loads(self.see(ask).raw).get("status") in ENDED, SECONDS, f"{ask.name} ends")
        return self.see(ask)

    def replies(self, ask):
        """The answer, and the end of the job if there is one, by name."""
        first = self.see(ask)
        out = {ask.name: first}
        if ask.job and first.status == 202:
            page = ask._replace(method="GET", path=json.loads(first.raw)["statusUrl"], body=None)
            out[f"{ask.name} > job"] = self.ended(page)
        return out

    def settled(self):
        """The package's limiter answers 500 until it has found its Redis, which it looks for at the first request."""
        wait_until(lambda: self.see(Ask("is it there", "GET", "/nowhere")).status != 500, SECONDS, "the limiter has its Redis")


def start_package(simulator, folder, name, world):
    for one, behaviour in world.providers.items():
        simulator.behave(f"package-{name}-{one}", behaviour)
    providers = [{"name": one, "enabled": True, "apiKey": "k-test", "modelName": "m-1", "concurrency": 64, "timeout": 60000,
                  "baseUrl": f"{simulator.url}/p/package-{name}-{one}"} for one in world.providers]
    return PackageServer(folder, clean_environment(**world.environment), providers=providers, jobPauseMs=20)


def start_stepper(simulator, folder, name, world):
    home = folder / f"stepper-{name}"
    home.mkdir()
    for one, behaviour in world.providers.items():
        simulator.behave(f"stepper-{name}-{one}", behaviour)
    chain = [provider(simulator, one, instance=f"stepper-{name}-{one}") for one in world.providers]
    plugins = link_plugins(home / "plugins", "openai-compatible")
    config = write_config(home, chain, {"plugins_dir": str(plugins), "server": {"drain_timeout": "100ms"}, **world.settings},
                          # A breaker opens at a share of failures, too, however many the world's variable allows in a row.
                          defaults={"limits": {"rpm": None}, "breaker": {"min_calls": 1000}})
    return launch(serve_command("--config", config), world.environment, home / "log")


def seen_by(start, simulator, folder, name, world, asks):
    server, out = start(simulator, folder, name, world), {}
    try:
        with contextlib.closing(Client(server.port, SECONDS)) as client:
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
