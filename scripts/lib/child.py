"""Starting and ending the programs of a build, and talking JSON to them. Used by scripts/run and tests/lib."""
import json
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from pathlib import Path

START_SECONDS = 30
STOP_SECONDS = 40


class StartError(Exception):
    """The program ended, or said nothing, instead of listening."""


class Server:
    """A child process whose first line says where it listens ("... listening on URL"). Ended by stop()."""

    def __init__(self, argv, env=None, stderr=None, tied=False):
        """`tied`: it ends with this process, however that ends, and does not hear the terminal's Ctrl-C itself."""
        command = [*(["setpriv", "--pdeathsig", "TERM"] if tied else []), *map(str, argv)]
        self.process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=stderr, text=True,
                                        process_group=0 if tied else None)
        impatience = threading.Timer(START_SECONDS, self.process.kill)
        impatience.start()
        try:
            line = self.process.stdout.readline()
        except BaseException:
            self.stop()
            raise
        finally:
            impatience.cancel()
        if "listening on " not in line:
            self.process.wait()
            raise StartError(f"{Path(argv[0]).name} did not start (exit status {self.process.returncode})")
        self.url = line.split("listening on ")[1].strip()
        self.port = int(self.url.rsplit(":", 1)[1])

    def stop(self):
        """Asks it to end, insists after a while, and returns its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self.process.stdout.close()

    def kill(self):
        """Ends it at once."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def free_port():
    """Of loopback, for a program that cannot choose one itself."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Answer:
    def __init__(self, status, headers, raw):
        self.status, self.headers, self.raw = status, headers, raw

    @property
    def json(self):
        return json.loads(self.raw)


def call(method, url, body=None, headers=None, timeout=30):
    """One request, no proxy. `body`: bytes go as they are, anything else as JSON. Error statuses are answers too."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    all_headers = {} if data is None else {"Content-Type": "application/json"}
    all_headers.update(headers or {})
    request = urllib.request.Request(url, data, all_headers, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=timeout) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())
