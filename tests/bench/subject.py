"""What is measured: a server with a store of its own, whose only provider is an instance of the simulator."""
import os
import re
import time

import load
from lib import call, launch, provider, serve_command, write_config
from lib.node_package import PackageServer
from lib.processes import mib_of


class Subject:
    """A `with` block ends it by force, because the jobs of `never` would hold a drain. A subclass sets `server` and `done_metric`."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    @property
    def url(self):
        return self.server.url

    @property
    def generate(self):
        return self.url + "/v1/generate"

    def pids(self):
        return [self.server.process.pid]

    def resident_mib(self):
        return sum(map(mib_of, self.pids()))

    def cpu_seconds(self):
        return sum(map(load.cpu_seconds, self.pids()))

    def metric(self, pattern):
        found = re.search("^" + pattern + r" (\S+)", call("GET", self.url + "/metrics").raw.decode(), re.M)
        return float(found.group(1)) if found else 0.0

    def done(self):
        return self.metric(self.done_metric)

    def end(self):
        self.server.kill()


class Stepper(Subject):
    done_metric = r'(?:stepper_jobs_ended|jobs_processed)_total\{status="completed"\}'  # the latter in older revisions

    def __init__(self, simulator, folder, instance, workers=64, build=load.BUILD):
        self.build = build
        self.home = folder / f"{instance}-{time.monotonic_ns()}"
        self.home.mkdir()
        self.providers = [provider(simulator, instance, concurrency=4096)]
        self.start(workers)

    def start(self, workers):
        """Also after end(): on the jobs that are in the store."""
        store = {"url": f"sqlite:{self.home}/stepper.db", "durability": os.environ.get("DURABILITY", "full")}
        config = write_config(self.home, self.providers, {"queue": {"workers": workers}, "store": store}, build=self.build)
        self.server = launch(serve_command("--config", config, build=self.build))


class NodePackage(Subject):
    """Its logs, rate limits and key are off and nothing throttles its calls: what is measured is its queue and cache."""

    done_metric = r'jobs_processed_total\{status="success"\}'

    def __init__(self, simulator, folder, instance, workers=64):
        environment = {**os.environ, "NODE_ENV": "production", "RATE_LIMIT_ENABLED": "false",
                       "QUEUE_CONCURRENCY": str(workers)}
        openai = {"name": "openai", "enabled": True, "baseUrl": f"{simulator.url}/p/{instance}", "apiKey": "k",
                  "modelName": "m-1", "timeout": 3_000_000, "concurrency": 4096}
        self.package = PackageServer(folder, environment, providers=[openai],
                                     config={"security": {"apiKey": {"enabled": False}}})
        self.server = self.package.server

    def pids(self):
        return [self.server.process.pid, self.package.redis.process.pid]

    def end(self):
        self.package.stop()
