"""What a durable job costs: accepting, running, finding in the cache, waiting for it. See README.md in this folder.

One run on one machine; the server, the simulator and the load generator share its cores. `synchronous=FULL` unless
DURABILITY=normal.
"""
import http.client
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "lib"))
from child import Server, call  # noqa: E402

BUILD = Path(os.environ.get("STEPPER_BUILD", ROOT / "build" / "release"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
SECONDS = int(os.environ.get("SECONDS_EACH", "3"))
QUEUED = int(os.environ.get("QUEUED", "100000"))
DURABILITY = os.environ.get("DURABILITY", "full")
WAITS = 100

UNIQUE = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local seed, n = "{seed}", 0
request = function()
  n = n + 1
  return wrk.format(nil, nil, nil, '{{"prompt":"Extract product and price: a bag of coffee beans for 18 euros. ' .. seed .. "-" .. n .. '"}}')
end
"""
SAME = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"prompt":"Extract product and price: a bag of coffee beans for 18 euros."}'
"""


def wrk(url, script, clients, seconds, folder):
    path = folder / "load.lua"
    path.write_text(script)
    out = subprocess.run(["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--latency", "--timeout", "20s", "-s", path, url],
                         capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out:
        raise SystemExit(f"{url} answered errors:\n{out}")
    scale = {"us": 1, "ms": 1e3, "s": 1e6}

    def percentile(n):
        value, unit = re.search(rf"{n}%\s+([\d.]+)(us|ms|s)", out).groups()
        return float(value) * scale[unit]

    return {"p50": percentile(50), "p99": percentile(99), "rps": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)),
            "count": int(re.search(r"(\d+) requests in", out).group(1))}


def resident_mib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()).group(1)) / 1024


def gauge(server, pattern):
    found = re.search("^" + pattern + r" (\S+)", call("GET", server.url + "/metrics").raw.decode(), re.M)
    return float(found.group(1)) if found else 0.0


def start(simulator, folder, name, **queue):
    """A server with a store of its own, whose only provider is the simulator's instance `name`."""
    home = folder / f"{name}-{time.monotonic_ns()}"
    home.mkdir()
    provider = {"name": name, "plugin": "openai-compatible", "base_url": f"{simulator.url}/p/{name}/v1", "model": "m-1",
                "api_key": "k", "concurrency": 4096}
    (home / "providers.yaml").write_text(json.dumps({"providers": [provider]}))
    (home / "stepper.yaml").write_text(json.dumps({
        "providers_file": "providers.yaml", "log": {"level": "info"}, "plugins_dir": str(BUILD / "plugins"), "queue": queue,
        "store": {"url": f"sqlite:{home}/stepper.db", "durability": DURABILITY}}))
    return Server([BUILD / "bin/stepper", "serve", "--config", home / "stepper.yaml", "--listen", "127.0.0.1:0"],
                  stderr=subprocess.DEVNULL)


def median_of(rounds):
    return {k: statistics.median(r[k] for r in rounds) for k in rounds[0]}


def accept(simulator, folder, clients):
    """Posts of new work while nothing of it can be finished."""
    server = start(simulator, folder, "never", workers=1)
    try:
        url = server.url + "/v1/generate"
        wrk(url, UNIQUE.format(seed="warm"), clients, 1, folder)
        return median_of([wrk(url, UNIQUE.format(seed=f"a{i}"), clients, SECONDS, folder) for i in range(ROUNDS)])
    finally:
        server.process.kill()
        server.stop()


def complete(simulator, folder):
    """Posts for some seconds while workers run; then until the last job is done. Jobs per second over all of it."""
    server = start(simulator, folder, "fast")
    try:
        began = time.monotonic()
        load = wrk(server.url + "/v1/generate", UNIQUE.format(seed="c"), 16, SECONDS, folder)
        jobs = load["count"]
        while gauge(server, r'jobs_processed_total\{status="completed"\}') < jobs:
            if time.monotonic() - began > 120:
                raise SystemExit("the jobs did not end within two minutes")
            time.sleep(0.05)
        total = gauge(server, r'jobs_processed_total\{status="completed"\}')
        return {"rps": total / (time.monotonic() - began), "accepted": load["rps"]}
    finally:
        server.process.kill()
        server.stop()


def drain(simulator, folder, jobs=20000):
    """A pile that is there already, run to its end by a server that starts on it."""
    server = start(simulator, folder, "never", workers=1)
    url = server.url + "/v1/generate"
    queued = 0
    while queued < jobs:
        queued += wrk(url, UNIQUE.format(seed=f"d{queued}"), 64, 1, folder)["count"]
    config = Path(server.process.args[3])
    server.process.kill()
    server.stop()
    config.write_text(config.read_text().replace('"workers": 1', '"workers": 64'))
    call("PUT", f"{simulator.url}/_sim/p/never", {})
    server = Server([BUILD / "bin/stepper", "serve", "--config", config, "--listen", "127.0.0.1:0"], stderr=subprocess.DEVNULL)
    try:
        began = time.monotonic()
        while gauge(server, "job_queue_size") > 0 and time.monotonic() - began < 120:
            time.sleep(0.05)
        return queued / (time.monotonic() - began)
    finally:
        server.process.kill()
        server.stop()
        call("PUT", f"{simulator.url}/_sim/p/never", {"latency_ms": 3_000_000})


def cache_hits(simulator, folder):
    server = start(simulator, folder, "fast")
    try:
        url = server.url + "/v1/generate"
        call("POST", url, {"prompt": "Extract product and price: a bag of coffee beans for 18 euros."})
        time.sleep(0.5)
        wrk(url, SAME, 16, 1, folder)
        return {n: median_of([wrk(url, SAME, n, SECONDS, folder) for _ in range(ROUNDS)]) for n in (1, 16)}
    finally:
        server.stop()


def wake_ups(simulator, folder):
    """From the moment a job is finished (by its own time stamp) to the answer of the ?wait that waits for it."""
    server = start(simulator, folder, "slow")
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    late = []
    try:
        for i in range(WAITS):
            job = call("POST", server.url + "/v1/generate", {"prompt": f"w-{i}"}).json["jobId"]
            connection.request("GET", f"/v1/jobs/{job}?wait=10")
            connection.getresponse().read()
            answered = time.time()
            listed = call("GET", server.url + "/v1/jobs?limit=1").json["jobs"][0]
            day, clock = listed["finishedAt"].rstrip("Z").split("T")
            seconds, millis = clock.split(".")
            finished = time.mktime(time.strptime(f"{day} {seconds}", "%Y-%m-%d %H:%M:%S")) - time.timezone + int(millis) / 1e3
            late.append((answered - finished) * 1e3)
    finally:
        server.stop()
    late.sort()
    return late[len(late) // 2], late[int(len(late) * 0.99)]


def memory(simulator, folder):
    server = start(simulator, folder, "never", workers=1)
    try:
        idle = resident_mib(server.process.pid)
        url, queued = server.url + "/v1/generate", 0
        while queued < QUEUED:
            queued += wrk(url, UNIQUE.format(seed=f"m{queued}"), 64, 2, folder)["count"]
        return idle, resident_mib(server.process.pid), queued
    finally:
        server.process.kill()
        server.stop()


def main():
    folder = Path(tempfile.mkdtemp(dir=os.environ.get("BENCH_DIR")))
    simulator = Server([BUILD / "bin/provider-sim", "--listen", "127.0.0.1:0"])
    call("PUT", f"{simulator.url}/_sim/p/fast", {})
    call("PUT", f"{simulator.url}/_sim/p/slow", {"latency_ms": 50})
    call("PUT", f"{simulator.url}/_sim/p/never", {"latency_ms": 3_000_000})
    try:
        for clients in (1, 16, 64):
            a = accept(simulator, folder, clients)
            print(f"accepted, {clients:>2} clients: {a['rps']:>7.0f}/s   p50 {a['p50'] / 1e3:.2f} ms, p99 {a['p99'] / 1e3:.2f} ms", flush=True)
        c = median_of([complete(simulator, folder) for _ in range(ROUNDS)])
        print(f"completed end to end:  {c['rps']:>7.0f}/s   (accepted meanwhile {c['accepted']:.0f}/s)", flush=True)
        print(f"completed from a pile: {statistics.median(drain(simulator, folder) for _ in range(ROUNDS)):>7.0f}/s", flush=True)
        for clients, h in cache_hits(simulator, folder).items():
            print(f"cache hit, {clients:>2} clients: {h['rps']:>7.0f}/s   p50 {h['p50'] / 1e3:.2f} ms, p99 {h['p99'] / 1e3:.2f} ms", flush=True)
        p50, p99 = wake_ups(simulator, folder)
        print(f"?wait after completion: p50 {p50:.1f} ms, p99 {p99:.1f} ms (time stamps are whole ms; the client is Python)", flush=True)
        idle, full, queued = memory(simulator, folder)
        print(f"RSS: idle {idle:.1f} MiB, with {queued} jobs queued {full:.1f} MiB", flush=True)
    finally:
        simulator.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
