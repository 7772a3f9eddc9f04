"""What is measured: a server with a store of its own, whose only provider is an instance of the simulator."""
import json
import os
import re
import subprocess
import time

import load
from child import Server, call
from node_package import PackageServer


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
        return sum(map(load.resident_mib, self.pids()))

    def cpu_seconds(self):
        return sum(map(load.cpu_seconds, self.pids()))

    def metric(self, pattern):
        found = re.search("^" + pattern + r" (\S+)", call("GET", self.url + "/metrics").raw.decode(), re.M)
        return float(found.group(1)) if found else 0.0

    def done(self):
        return self.metric(self.done_metric)

    def end(self):
        self.server.process.kill()
        self.server.stop()


class Stepper(Subject):
    done_metric = r'(?:stepper_jobs_ended|jobs_processed)_total\{status="completed"\}'  # the latter in older revisions

    def __init__(self, simulator, folder, instance, workers=64, build=load.BUILD):
        self.build = build
        self.home = folder / f"{instance}-{time.monotonic_ns()}"
        self.home.mkdir()
        provider = {"name": instance, "plugin": "openai-compatible", "base_url": f"{simulator.url}/p/{instance}/v1",
                    "model": "m-1", "api_key": "k", "concurrency": 4096}
        (self.home / "providers.yaml").write_text(json.dumps({"providers": [provider]}))
        self.start(workers)

    def start(self, workers):
        """Also after end(): on the jobs that are in the store."""
        config = self.home / "stepper.yaml"
        config.write_text(json.dumps({
            "providers_file": "providers.yaml", "log": {"level": "info"}, "plugins_dir": str(self.build / "plugins"),
            "queue": {"workers": workers},
            "store": {"url": f"sqlite:{self.home}/stepper.db", "durability": os.environ.get("DURABILITY", "full")}}))
        self.server = Server([self.build / "bin/stepper", "serve", "--config", config, "--listen", "127.0.0.1:0"],
                             stderr=subprocess.DEVNULL)


class NodePackage(Subject):
    """Its logs, rate limits and key are off and nothing throttles its calls: what is measured is its queue and cache."""

    done_metric = r'jobs_processed_total\{status="success"\}'

    def __init__(self, simulator, folder, instance, workers=64):
        environment = {**os.environ, "NODE_ENV": "production", "RATE_LIMIT_ENABLED": "false",
                       "QUEUE_CONCURRENCY": str(workers)}
        provider = {"name": "openai", "enabled": True, "baseUrl": f"{simulator.url}/p/{instance}", "apiKey": "k",
                    "modelName": "m-1", "timeout": 3_000_000, "concurrency": 4096}
        self.package = PackageServer(folder, environment, providers=[provider],
                                     config={"security": {"apiKey": {"enabled": False}}})
        self.server = self.package.server

    def pids(self):
        return [self.server.process.pid, self.package.redis.process.pid]

    def end(self):
        self.package.stop()
