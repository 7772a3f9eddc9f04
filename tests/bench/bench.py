"""What Stepper adds to a call, measured beside a direct call and nginx in the same run. See README.md in this folder.

Each figure is the median over rounds; within a round the three targets take turns, so that a drifting machine drifts for all.
"""
import shutil
import subprocess
import tempfile
from pathlib import Path

from lib import Simulator, free_port, launch, listens, provider, serve_command, wait_until, write_config
from lib.processes import mib_of
from load import BUILD, PROMPT, ROUNDS, SECONDS, median_of, same, wrk

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
    wait_until(lambda: listens(port), 5, "nginx")
    return process, f"http://127.0.0.1:{port}"


def start_stepper(simulator, folder, level):
    config = write_config(folder, [provider(simulator, name, concurrency=4096) for name in ("fast", "slow")],
                          {"log": {"level": level}}, build=BUILD)
    return launch(serve_command("--config", config, build=BUILD))


def main():
    folder = Path(tempfile.mkdtemp())
    simulator = Simulator(BUILD)
    simulator.behave("fast", {})
    simulator.behave("slow", {"latency_ms": 1000})
    stepper = start_stepper(simulator, folder, "info")
    nginx, nginx_url = start_nginx(simulator.url, folder)
    try:
        idle = mib_of(stepper.process.pid)
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
        busy = mib_of(stepper.process.pid)
        held = wrk(f"{stepper.url}/v1/generate/immediate", same({"prompt": PROMPT, "preferredProviders": ["slow"]}), IN_FLIGHT, 6, folder)
        peak = mib_of(stepper.process.pid, "VmHWM")
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
