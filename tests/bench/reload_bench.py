"""What replacing a plugin and editing the configuration cost, and what requests notice of it. See README.md here.

Two builds of a small plugin, which answers with its own name, take turns in the plugins folder of a server under load.
"""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import load
from lib import ROOT, Connection, Simulator, call, launch, provider, replace, serve_command, write_config
from lib.processes import mib_of

ROUNDS = 3
SECONDS = 4.0
PER_SECOND = 200
CLIENTS = 8
KEY = "of-the-bench"
FRESH = 20  # builds that have never been seen
MOST_MS, MOST_P99_RATIO = 50, 1.5


def build(home, answer, version):
    out = home / f"{answer}-{version}.so"
    subprocess.run(["c++", "-std=c++20", "-O2", "-shared", "-fPIC", "-fvisibility=hidden", "-fno-gnu-unique", f"-I{ROOT}/sdk/include",
                    f'-DANSWER="{answer}"', f'-DVERSION="{version}"', f"-Wl,-z,defs,-z,now,--version-script={ROOT}/sdk/plugin.map",
                    str(ROOT / "tests/reload/variant.cpp"), "-o", str(out)], check=True)
    return out


def put(source, folder):
    replace(folder / "variant.so", source.read_bytes())


class Clients:
    """PER_SECOND requests over CLIENTS connections; how long each took, and what did not succeed."""

    def __init__(self, port):
        self.port, self.seconds, self.failures = port, [], []
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def _run(self):
        connection = Connection(self.port)
        due = time.monotonic()
        while not self._end.is_set():
            began = time.monotonic()
            answer = connection.ask("POST", "/v1/generate/immediate", {"prompt": "in earnest", "responseMode": "text"})
            self.seconds.append(time.monotonic() - began)
            if answer.status != 200 or b'"fallback":true' in answer.raw:
                self.failures.append(answer.raw)
            due += CLIENTS / PER_SECOND
            self._end.wait(max(0.0, due - time.monotonic()))
        connection.close()

    def finish(self):
        self._end.set()
        for thread in self._threads:
            thread.join()
        ordered = sorted(self.seconds)
        return {"p50": ordered[len(ordered) // 2] * 1e3, "p99": ordered[int(len(ordered) * 0.99)] * 1e3,
                "count": len(ordered), "failures": len(self.failures)}


def during(server, work):
    """What clients notice while work() is done again and again; and how often it was."""
    clients, until, times = Clients(server.port), time.monotonic() + SECONDS, 0
    while time.monotonic() < until:
        work(times)
        times += 1
    return {**clients.finish(), "times": times}


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        plugins = home / "plugins"
        plugins.mkdir()
        a, b = build(home, "A", "1.0.0"), build(home, "B", "2.0.0")
        put(a, plugins)
        simulator = Simulator(load.BUILD)
        providers = [provider(simulator, "one", "variant")]
        config = write_config(home, providers, {"plugins_dir": "plugins", "security": {"admin_key": KEY}, "log": {"level": "warn"}})
        server = launch(serve_command("--config", config, build=load.BUILD))
        try:
            return measure(server, plugins, home, providers, (a, b))
        finally:
            server.stop()
            simulator.stop()


def reload(server):
    answer = call("POST", server.url + "/admin/reload", headers={"x-api-key": KEY})
    assert answer.status == 200, answer.raw
    return answer.json


def measure(server, plugins, home, providers, builds):
    fresh, resident = [], []
    for n in range(FRESH):
        put(build(home, f"F{n}", "3.0.0"), plugins)
        report = reload(server)
        assert report["status"] == "applied", report
        call("POST", server.url + "/v1/generate/immediate", {"prompt": "in earnest", "responseMode": "text"})
        fresh.append(report["ms"])
        resident.append(mib_of(server.process.pid) * 1024)

    def swap(n):
        put(builds[n % 2], plugins)
        reload(server)

    def edit(n):
        providers[0]["concurrency"] = 64 + n % 2
        (home / "providers.yaml").write_text(json.dumps({"providers": providers}))
        reload(server)

    calm = lambda _: time.sleep(0.05)  # noqa: E731
    rounds = {"nothing": [], "plugin swapped": [], "YAML edited": []}
    for _ in range(ROUNDS):
        for name, work in (("nothing", calm), ("plugin swapped", swap), ("YAML edited", edit)):
            rounds[name].append(during(server, work))

    print(f"a build never seen before, {FRESH} times: check, copy, probe in a child, create, swap: "
          f"median {statistics.median(fresh):.0f} ms, worst {max(fresh)} ms (aim: {MOST_MS})")
    half = FRESH // 2
    print(f"each retired build stays mapped: {(resident[-1] - resident[half - 1]) / (FRESH - half):.0f} KiB resident")
    print(f"{PER_SECOND} requests/s meanwhile, medians of {ROUNDS} rounds of {SECONDS:.0f} s:")
    print(f"{'':16} {'p50 ms':>8} {'p99 ms':>8} {'times/s':>8} {'failed':>7}")
    median = {}
    for name, seen in rounds.items():
        median[name] = {k: statistics.median(r[k] for r in seen) for k in ("p50", "p99", "times")}
        failed = sum(r["failures"] for r in seen)
        print(f"{name:16} {median[name]['p50']:8.2f} {median[name]['p99']:8.2f} {median[name]['times'] / SECONDS:8.1f} {failed:7}")
    ratio = median["plugin swapped"]["p99"] / median["nothing"]["p99"]
    print(f"p99 while swapping over p99 without: {ratio:.2f}")
    good = statistics.median(fresh) <= MOST_MS and not any(r["failures"] for seen in rounds.values() for r in seen)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
