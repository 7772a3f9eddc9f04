"""The Node package that Stepper replaces, on a redis-server of its own: the baseline of jobs_bench.py.

Its logs and its rate limits are off and nothing throttles its calls, so that what is measured is its queue and cache.
"""
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import load
from child import Server
from subject import Subject

PACKAGE = "ai-inference-stepper@1.1.0"
FOLDER = load.ROOT / "build" / "bench-node"


def why_not():
    """Installs the package below build/ on first use. What keeps it from running, or None."""
    missing = [program for program in ("npm", "node", "redis-server") if not shutil.which(program)]
    if missing:
        return f"{', '.join(missing)} not found"
    if (FOLDER / "node_modules" / ".package-lock.json").exists():  # npm writes it last
        return None
    FOLDER.mkdir(parents=True, exist_ok=True)
    install = subprocess.run(["npm", "install", "--prefix", FOLDER, "--ignore-scripts", "--no-audit", "--no-fund", PACKAGE],
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return f"npm could not install {PACKAGE}: {install.stderr.strip()[-200:]}" if install.returncode else None


class Redis:
    """Appends to its log, synchronised every second; ended by stop()."""

    def __init__(self, folder):
        self.home, port = folder / f"redis-{time.monotonic_ns()}", load.free_port()
        self.home.mkdir()
        self.url = f"redis://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", self.home, "--save", "",
             "--appendonly", "yes", "--appendfsync", "everysec", "--daemonize", "no"], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        self.stop()
        raise SystemExit("redis-server did not start")

    def stop(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.home)


class NodePackage(Subject):
    done_metric = r'jobs_processed_total\{status="success"\}'

    def __init__(self, simulator, folder, instance, workers=64):
        self.redis = Redis(folder)
        environment = {**os.environ, "NODE_ENV": "production", "LOG_LEVEL": "silent", "REDIS_URL": self.redis.url,
                       "RATE_LIMIT_ENABLED": "false", "QUEUE_CONCURRENCY": str(workers)}
        try:
            self.server = Server(["node", Path(__file__).with_suffix(".mjs"), FOLDER, f"{simulator.url}/p/{instance}"],
                                 env=environment, stderr=subprocess.DEVNULL)
        except BaseException:
            self.redis.stop()
            raise

    def pids(self):
        return [self.server.process.pid, self.redis.process.pid]

    def end(self):
        super().end()
        self.redis.stop()
