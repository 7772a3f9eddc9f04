"""How much of their quotas a pile of jobs gets out of rate-limited providers. See README.md in this folder.

Time is wall time, since the simulator keeps the quotas by its own clock; what is compared is the optimum, which is
computed.
"""
import argparse
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import load
from lib import Simulator, call, launch, provider, serve_command, write_config

JOBS = 210
WINDOW = 5.0  # seconds
QUOTAS = {"one": 10, "two": 20, "three": 5}
FOURTH, FOURTH_QUOTA, DIES_AT = "zero", 10, 12.0
PATIENCE = 120


def optimum(jobs, quotas, dies=None):
    """The start of the last send if every window is used up at its first moment."""
    at = 0.0
    while True:
        room = sum(n for name, n in quotas.items() if not (dies and name == FOURTH and at >= dies))
        jobs -= room
        if jobs <= 0:
            return at
        at += WINDOW


def prompt(n):
    return {"prompt": f"Describe product number {n:06d} in one line.", "cacheControl": "no-cache"}


def limited(simulator, name, window):
    return provider(simulator, name, limits={"windows": [window]} if window else {})


def serve(home, providers):
    return launch(serve_command("--config", write_config(home, providers, build=load.BUILD), build=load.BUILD))


def tokens_per_job(simulator, home):
    server = serve(home, [limited(simulator, "measure", None)])
    try:
        call("POST", server.url + "/v1/generate/immediate", prompt(0))
    finally:
        server.stop()
    seen = simulator.counters("measure")
    return seen["prompt_tokens"] + seen["completion_tokens"]


def post_all(server):
    def post(n):
        answer = call("POST", server.url + "/v1/generate", prompt(n))
        assert answer.status == 202, answer.raw
        return answer.json["jobId"]
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(post, range(JOBS)))


def finish(server, ids, until):
    """The jobs as they ended."""
    out = []
    for job_id in ids:
        job = {}
        while job.get("status") not in ("completed", "failed") and time.monotonic() < until:
            job = call("GET", f"{server.url}/v1/jobs/{job_id}?wait=30", timeout=60).json
        out.append(job)
    return out


def run(kind, unit="requests", dying=False):
    simulator, doomed = Simulator(load.BUILD), Simulator(load.BUILD)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        try:
            per_job = tokens_per_job(simulator, home) if unit == "tokens" else 1
            quotas = {FOURTH: FOURTH_QUOTA, **QUOTAS} if dying else QUOTAS
            providers = []
            for name, n in quotas.items():
                where = doomed if name == FOURTH else simulator
                where.behave(name, {"quota": {unit: n * per_job, "per_ms": int(WINDOW * 1000), "kind": kind}})
                providers.append(limited(where, name, {unit: n * per_job, "per": f"{WINDOW:g}s"}))
            server = serve(home, providers)
            try:
                began = time.monotonic()
                if dying:
                    threading.Timer(DIES_AT, doomed.process.kill).start()
                ids = post_all(server)
                jobs = finish(server, ids, began + PATIENCE)
                took = time.monotonic() - began
            finally:
                server.stop()
            seen = [simulator.counters(name) for name in QUOTAS]
        finally:
            simulator.stop()
            if doomed.process.poll() is None:
                doomed.stop()
    best = optimum(JOBS, quotas, DIES_AT if dying else None)
    done = sum(job.get("status") == "completed" and not job["data"]["fallback"] for job in jobs)
    refused = sum(c["by_status"].get("429", 0) for c in seen)
    print(f"{kind:8} {unit:9} {'a fourth dies' if dying else '':14} {done:4} of {JOBS} done in {took:6.2f} s, "
          f"optimum {best:5.1f} s, ratio {took / best:.3f}, utilisation {best / took:.1%}, 429s {refused}, "
          f"fallbacks {sum(job.get('data', {}).get('fallback', False) for job in jobs)}", flush=True)
    return done == JOBS and refused == 0 and took <= 1.02 * best


def tenants():
    """A tenant with 10 jobs, alone and behind another's 1 000, at a provider that takes one at a time."""
    simulator = Simulator(load.BUILD)
    simulator.behave("one", {"latency_ms": 50})

    def post(server, tenant, n):
        answer = call("POST", server.url + "/v1/generate", {**prompt(n), "tenantId": tenant})
        assert answer.status == 202, answer.raw
        return answer.json["jobId"]

    def small(server):
        began = time.monotonic()
        finish(server, [post(server, "small", n) for n in range(10)], began + PATIENCE)
        return time.monotonic() - began

    ratios = []
    try:
        for _ in range(3):
            with tempfile.TemporaryDirectory() as folder:
                server = serve(Path(folder), [provider(simulator, "one", concurrency=1)])
                try:
                    alone = small(server)
                    with ThreadPoolExecutor(8) as pool:
                        list(pool.map(lambda n: post(server, "large", n), range(1000)))
                    ratios.append((small(server) / alone, alone))
                finally:
                    server.kill()
    finally:
        simulator.stop()
    ratio, alone = sorted(ratios)[1]
    print(f"tenants  10 jobs alone {alone:.2f} s, behind another tenant's 1 000: {ratio:.2f} times that (median of 3)", flush=True)
    return ratio <= 2


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=["sliding", "fixed", "dying", "tokens", "tenants"])
    only = parser.parse_args().only
    runs = {"sliding": lambda: run("sliding"), "fixed": lambda: run("fixed"), "dying": lambda: run("sliding", dying=True),
            "tokens": lambda: run("sliding", unit="tokens"), "tenants": tenants}
    good = [act() for name, act in runs.items() if only in (None, name)]
    raise SystemExit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
