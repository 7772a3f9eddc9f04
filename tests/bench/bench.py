"""What Stepper adds to a call, measured beside a direct call and nginx in the same run. See README.md in this folder.

Each figure is the median over rounds; within a round the three targets take turns, so that a drifting machine drifts for all.
"""
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
CLIENTS = (1, 16, 64)
ROUNDS = int(os.environ.get("ROUNDS", "3"))
SECONDS = int(os.environ.get("SECONDS_EACH", "3"))
IN_FLIGHT = 2000

PROMPT = "Extract product and price: a bag of coffee beans for 18 euros."
CHAT = {"model": "m-1", "messages": [{"role": "user", "content": PROMPT}]}


def wrk(url, body, clients, seconds, folder, timeout=10):
    script = folder / "post.lua"
    script.write_text('wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = ' + json.dumps(json.dumps(body)))
    out = subprocess.run(["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--latency", f"--timeout={timeout}s", "-s", script, url],
                         capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out:
        raise SystemExit(f"{url} answered errors:\n{out}")
    scale = {"us": 1, "ms": 1e3, "s": 1e6}

    def percentile(n):
        value, unit = re.search(rf"{n}%\s+([\d.]+)(us|ms|s)", out).groups()
        return float(value) * scale[unit]

    return {"p50": percentile(50), "p99": percentile(99), "rps": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))}


def resident_mib(pid, what="VmRSS"):
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"{what}:\s+(\d+)", text).group(1)) / 1024


def start_nginx(upstream, folder):
    config = folder / "nginx.conf"
    port = free_port()
    config.write_text(f"""
daemon off; worker_processes auto; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream sim {{ server {upstream.removeprefix('http://')}; keepalive 256; }}
  server {{ listen 127.0.0.1:{port}; keepalive_requests 1000000;
    location / {{ proxy_pass http://sim; proxy_http_version 1.1; proxy_set_header Connection ""; }} }}
}}""")
    process = subprocess.Popen(["nginx", "-c", config, "-p", folder], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            call("GET", f"http://127.0.0.1:{port}/_sim/stats")
            return process, f"http://127.0.0.1:{port}"
        except OSError:
            time.sleep(0.02)
    raise SystemExit("nginx did not start")


def free_port():
    import socket
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_stepper(simulator, folder, level):
    providers = [{"name": name, "plugin": "openai-compatible", "base_url": f"{simulator.url}/p/{name}/v1", "model": "m-1",
                  "api_key": "k", "concurrency": 4096} for name in ("fast", "slow")]
    (folder / "providers.yaml").write_text(json.dumps({"providers": providers}))
    (folder / "stepper.yaml").write_text(json.dumps({"providers_file": "providers.yaml", "log": {"level": level},
                                                     "plugins_dir": str(BUILD / "plugins")}))
    return Server([BUILD / "bin/stepper", "serve", "--config", folder / "stepper.yaml", "--listen", "127.0.0.1:0"],
                  stderr=subprocess.DEVNULL)


def main():
    folder = Path(tempfile.mkdtemp())
    simulator = Server([BUILD / "bin/provider-sim", "--listen", "127.0.0.1:0"])
    call("PUT", f"{simulator.url}/_sim/p/fast", {})
    call("PUT", f"{simulator.url}/_sim/p/slow", {"latency_ms": 1000})
    stepper = start_stepper(simulator, folder, "info")
    nginx, nginx_url = start_nginx(simulator.url, folder)
    try:
        idle = resident_mib(stepper.process.pid)
        targets = {
            "direct": (f"{simulator.url}/p/fast/v1/chat/completions", CHAT),
            "nginx": (f"{nginx_url}/p/fast/v1/chat/completions", CHAT),
            "stepper": (f"{stepper.url}/v1/generate/immediate", {"prompt": PROMPT, "preferredProviders": ["fast"]}),
        }
        for url, body in targets.values():
            wrk(url, body, 16, 1, folder)
        print(f"{'clients':>7} {'target':<8} {'p50 us':>8} {'p99 us':>8} {'req/s':>8}   added p50/p99 us   of nginx")
        for clients in CLIENTS:
            rounds = {name: [] for name in targets}
            for _ in range(ROUNDS):
                for name, (url, body) in targets.items():
                    rounds[name].append(wrk(url, body, clients, SECONDS, folder))
            figures = {name: {k: statistics.median(r[k] for r in runs) for k in runs[0]} for name, runs in rounds.items()}
            for name, f in figures.items():
                added = "" if name == "direct" else f"{f['p50'] - figures['direct']['p50']:8.0f} /{f['p99'] - figures['direct']['p99']:8.0f}"
                ratio = f"{f['rps'] / figures['nginx']['rps']:8.2f}" if name == "stepper" else ""
                print(f"{clients:>7} {name:<8} {f['p50']:>8.0f} {f['p99']:>8.0f} {f['rps']:>8.0f}   {added:<18} {ratio}")
        busy = resident_mib(stepper.process.pid)
        held = wrk(f"{stepper.url}/v1/generate/immediate", {"prompt": PROMPT, "preferredProviders": ["slow"]}, IN_FLIGHT, 6, folder)
        peak = resident_mib(stepper.process.pid, "VmHWM")
        print(f"RSS idle {idle:.1f} MiB, after the runs {busy:.1f} MiB, peak with {IN_FLIGHT} calls in flight against 1 s: {peak:.1f} MiB "
              f"({held['rps']:.0f} req/s, p99 {held['p99'] / 1e3:.0f} ms)")
    finally:
        stepper.stop()
        nginx.terminate()
        nginx.wait()
        simulator.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
