"""What Stepper adds to a call, measured beside a direct call and nginx in the same run. See README.md in this folder.

Each figure is the median over rounds; within a round the three targets take turns, so that a drifting machine drifts for all.
"""
import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from load import BUILD, PROMPT, ROUNDS, SECONDS, free_port, median_of, resident_mib, same, wrk
from child import Server, call

CLIENTS = (1, 16, 64)
IN_FLIGHT = 2000
CHAT = {"model": "m-1", "messages": [{"role": "user", "content": PROMPT}]}


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
            wrk(url, same(body), 16, 1, folder)
        print(f"{'clients':>7} {'target':<8} {'p50 us':>8} {'p99 us':>8} {'req/s':>8}   added p50/p99 us   of nginx")
        for clients in CLIENTS:
            rounds = {name: [] for name in targets}
            for _ in range(ROUNDS):
                for name, (url, body) in targets.items():
                    rounds[name].append(wrk(url, same(body), clients, SECONDS, folder))
            figures = {name: median_of(runs) for name, runs in rounds.items()}
            for name, f in figures.items():
                added = "" if name == "direct" else f"{f['p50'] - figures['direct']['p50']:8.0f} /{f['p99'] - figures['direct']['p99']:8.0f}"
                ratio = f"{f['rps'] / figures['nginx']['rps']:8.2f}" if name == "stepper" else ""
                print(f"{clients:>7} {name:<8} {f['p50']:>8.0f} {f['p99']:>8.0f} {f['rps']:>8.0f}   {added:<18} {ratio}")
        busy = resident_mib(stepper.process.pid)
        held = wrk(f"{stepper.url}/v1/generate/immediate", same({"prompt": PROMPT, "preferredProviders": ["slow"]}), IN_FLIGHT, 6, folder)
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
