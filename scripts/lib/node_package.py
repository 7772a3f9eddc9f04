"""The Node package that Stepper replaces, on a redis-server of its own. Used by the benchmarks and the migration tests."""
import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from child import Server, free_port

NAME = "ai-inference-stepper"
PACKAGE = NAME + "@1.1.0"
FOLDER = Path(__file__).resolve().parents[2] / "build" / "node-package"


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
        self.home, port = folder / f"redis-{time.monotonic_ns()}", free_port()
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
        self.url = self.server.url

    def stop(self):
        self.server.process.kill()  # it would wait for its clients' idle connections
        self.server.stop()
        self.redis.stop()
