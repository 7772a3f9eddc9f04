"""What the benchmarks share: the load generator wrk, its scripts, and figures of it. See README.md in this folder."""
import json
import os
import re
import statistics
import subprocess
import time
from pathlib import Path

from lib import ROOT

BUILD = Path(os.environ.get("STEPPER_BUILD", ROOT / "build" / "release")).resolve()
ROUNDS = int(os.environ.get("ROUNDS", "3"))
SECONDS = int(os.environ.get("SECONDS_EACH", "3"))
PROMPT = "Extract product and price: a bag of coffee beans for 18 euros."

GET = ""
POST = 'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n'


def same(body):
    """A wrk script that posts `body` over and over."""
    return POST + "wrk.body = " + json.dumps(json.dumps(body))


def unique(seed, first=1, last=None, prompt=PROMPT):
    """A wrk script that posts prompts nobody has sent, numbers `first` to `last` of the series `seed`."""
    script = POST + f"""
local n = {first - 1}
request = function()
  n = n + 1
  return wrk.format(nil, nil, nil, '{{"prompt":"{prompt} {seed}-' .. n .. '"}}')
end
"""
    # Connections that have nothing left to send wait: stopping the thread would leave the others' requests unanswered.
    return script if last is None else script + f"""
local due = {first - 1}
delay = function()
  due = due + 1
  return due <= {last} and 0 or 3600000
end
"""


def wrk(url, script, clients, seconds, folder, timeout=20):
    """Latencies in µs, requests per second and their count. Any answer that is not 2xx ends the benchmark."""
    path = folder / "load.lua"
    path.write_text(script)
    out = subprocess.run(["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--latency", f"--timeout={timeout}s", "-s", path, url],
                         capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out:
        raise SystemExit(f"{url} answered errors:\n{out}")
    scale = {"us": 1, "ms": 1e3, "s": 1e6}

    def percentile(n):
        value, unit = re.search(rf"{n}%\s+([\d.]+)(us|ms|s)", out).groups()
        return float(value) * scale[unit]

    return {"p50": percentile(50), "p99": percentile(99), "rps": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)),
            "count": int(re.search(r"(\d+) requests in", out).group(1))}


def median_of(rounds):
    return {k: statistics.median(r[k] for r in rounds) for k in rounds[0]}


def cpu_seconds(pid):
    """User and system time of a process, its ended threads included. /proc/PID/stat counts in hundredths of a second; this is
    clock_getcpuclockid(3), which Python lacks."""
    return time.clock_gettime(~pid << 3 | 2)
