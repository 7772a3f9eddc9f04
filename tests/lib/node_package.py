"""The Node package that Stepper replaces, on a redis-server of its own. Used by the benchmarks and the migration tests."""
import fcntl
import json
import shutil
import subprocess
import time
from pathlib import Path

from .child import Server, free_port
from .waiting import wait_until
from .wire import listens

NAME = "ai-inference-stepper"
PACKAGE = NAME + "@1.1.0"
INSTALL_SECONDS = 300
FOLDER = Path(__file__).resolve().parents[2] / "build" / "node-package"


def why_not():
    """Installs the package below build/ on first use. What keeps it from running, or None."""
    missing = [program for program in ("npm", "node", "redis-server") if not shutil.which(program)]
    if missing:
        return f"{', '.join(missing)} not found"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open(FOLDER / "lock", "w", encoding="utf-8") as lock:  # tests may run side by side
        fcntl.flock(lock, fcntl.LOCK_EX)
        return None if (FOLDER / "node_modules" / ".package-lock.json").exists() else install()  # npm writes that last


def install():
    """What went wrong, or None."""
    command = ["npm", "install", "--prefix", FOLDER, "--ignore-scripts", "--no-audit", "--no-fund", PACKAGE]
    try:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        return f"npm did not install {PACKAGE} within {INSTALL_SECONDS} s"
    return f"npm could not install {PACKAGE}: {done.stderr.strip()[-200:]}" if done.returncode else None


class Redis:
    """Appends to its log, synchronised every second; ended by stop()."""

    def __init__(self, folder):
        self.home, port = folder / f"redis-{time.monotonic_ns()}", free_port()
        self.home.mkdir()
        self.url = f"redis://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", self.home, "--save", "",
             "--appendonly", "yes", "--appendfsync", "everysec", "--daemonize", "no"], stdout=subprocess.DEVNULL)
        try:
            wait_until(lambda: listens(port), 10, "redis-server")
        except BaseException:
            self.stop()
            raise

    def stop(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.home)


class PackageServer:
    """The package as a server, with its Redis; ended by stop(). `options`: see node_package.mjs."""

    def __init__(self, folder, environment, **options):
        self.redis = Redis(folder)
        try:
            self.server = Server(["node", Path(__file__).with_suffix(".mjs"), FOLDER, json.dumps(options)],
                                 env={**environment, "REDIS_URL": self.redis.url, "LOG_LEVEL": "silent"},
                                 stderr=subprocess.DEVNULL)
        except BaseException:
            self.redis.stop()
            raise
        self.url, self.port = self.server.url, self.server.port

    def stop(self):
        self.server.kill()  # it would wait for its clients' idle connections
        self.redis.stop()
