"""What a durable job costs: accepting, running, finding in the cache, asking and waiting for it. See README.md in this folder.

One run on one machine; the server, the simulator and the load generator share its cores. `synchronous=FULL` unless
DURABILITY=normal.
"""
import calendar
import os
import shutil
import tempfile
import time
from functools import partial
from pathlib import Path

import load
from load import ROUNDS, SECONDS, median_of, unique, wrk
from lib import Connection, Simulator, call, wait_until
from lib.node_package import PACKAGE, why_not
from subject import NodePackage, Stepper

QUEUED = int(os.environ.get("QUEUED", "100000"))
PILE = 20000
WAITS = 100
WAIT_SECONDS = 120


def in_turns(subjects, measure):
    """The medians of each subject over rounds in which they take turns, so that a drifting machine drifts for all."""
    rounds = [[measure(start) for start in subjects] for _ in range(ROUNDS)]
    return [median_of(runs) for runs in zip(*rounds)]


def until(what, condition):
    """Without being much of a load itself."""
    wait_until(condition, WAIT_SECONDS, f"{what} ended", pause=0.05)


def accept(start, folder, clients):
    """Posts of new work while nothing of it can be finished."""
    with start("never", workers=1) as server:
        idle = server.resident_mib()
        warm = wrk(server.generate, unique("warm"), clients, 1, folder)
        posts = wrk(server.generate, unique("a"), clients, SECONDS, folder)
        return {**posts, "idle": idle, "full": server.resident_mib(), "queued": warm["count"] + posts["count"]}


def post_and_finish(server, folder, seconds):
    """Posts for some seconds while workers run; then until the last job is done. Jobs per second over all of it."""
    began = time.monotonic()
    posts = wrk(server.generate, unique("c"), 16, seconds, folder)
    until("the jobs", lambda: server.done() >= posts["count"])
    return {"rps": server.done() / (time.monotonic() - began), "accepted": posts["rps"], "count": posts["count"]}


def complete(start, folder):
    with start("fast") as server:
        return post_and_finish(server, folder, SECONDS)


def drain(start, folder, simulator):
    """A pile that is there already, run to its end by a server that starts on it."""
    with start("never", workers=1) as server:
        queued = 0
        while queued < PILE:
            queued += wrk(server.generate, unique(f"d{queued}"), 64, 1, folder)["count"]
        server.end()
        simulator.behave("never", {})
        try:
            server.start(workers=64)
            began = time.monotonic()
            until("the pile", lambda: server.metric("job_queue_size") == 0)
            return {"rps": queued / (time.monotonic() - began)}
        finally:
            simulator.behave("never", {"latency_ms": 3_000_000})


def cache_hits(start, folder):
    with start("fast") as server:
        finished_job(server)
        script = load.same({"prompt": load.PROMPT})
        wrk(server.generate, script, 16, 1, folder)
        return {n: median_of([wrk(server.generate, script, n, SECONDS, folder) for _ in range(ROUNDS)]) for n in (1, 16)}


def clearing_cache_hits(start, folder):
    """Hits of a server that clears an answer once it gave it: each of the prompts it has just completed is asked once.
    Also the fraction that were hits."""
    with start("fast") as server:
        count = post_and_finish(server, folder, 1)["count"]
        share = {1: (1, count // 4), 16: (count // 4 + 1, count)}
        asked = {n: wrk(server.generate, unique("c", *numbers), n, 1, folder) for n, numbers in share.items()}
        hits = server.metric(r'cache_hits_total\{status="fresh"[^}]*\}')
        return asked, min(1, hits / sum(a["count"] for a in asked.values()))


def finished_job(server):
    job = f"{server.url}/v1/jobs/" + call("POST", server.generate, {"prompt": load.PROMPT}).json["jobId"]
    until("a job", lambda: call("GET", job).json["status"] == "completed")
    return job


def poll(start, folder):
    """A finished job, asked for again and again."""
    with start("fast") as server:
        job = finished_job(server)
        wrk(job, load.GET, 16, 1, folder)
        return wrk(job, load.GET, 16, SECONDS, folder)


def wake_ups(start):
    """From the moment a job is finished (by its own time stamp) to the answer of the ?wait that waits for it."""
    late = []
    with start("slow") as server:
        connection = Connection(server.server.port)
        for i in range(WAITS):
            job = call("POST", server.generate, {"prompt": f"w-{i}"}).json["jobId"]
            connection.ask("GET", f"/v1/jobs/{job}?wait=10")
            answered = time.time()
            finished, millis = call("GET", server.url + "/v1/jobs?limit=1").json["jobs"][0]["finishedAt"].rstrip("Z").split(".")
            late.append((answered - calendar.timegm(time.strptime(finished, "%Y-%m-%dT%H:%M:%S"))) * 1e3 - int(millis))
    late.sort()
    return late[len(late) // 2], late[int(len(late) * 0.99)]


def memory(start, folder):
    with start("never", workers=1) as server:
        idle, queued = server.resident_mib(), 0
        while queued < QUEUED:
            queued += wrk(server.generate, unique(f"m{queued}"), 64, 2, folder)["count"]
        return idle, server.resident_mib(), queued


def latencies(figures):
    return f"p50 {figures['p50'] / 1e3:.2f} ms, p99 {figures['p99'] / 1e3:.2f} ms"


def show(label, figures, detail=latencies):
    """`figures`: ours and, when it was measured, the Node package's."""
    ours, *others = figures
    print(f"{label:<24}{ours['rps']:>8.0f}/s   {detail(ours)}".rstrip(), flush=True)
    for node in others:
        print(f"{'  Node package':<24}{node['rps']:>8.0f}/s   {detail(node)}   (ours ×{ours['rps'] / node['rps']:.1f})", flush=True)


def show_cleared(asked, found, ours):
    for clients, figures in asked.items():
        print(f"  Node package, {clients:>2} at once: {latencies(figures)}, {found:.0%} hits   "
              f"(p50 ×{figures['p50'] / ours[clients]['p50']:.1f} of ours)", flush=True)


def compare(simulator, folder):
    ours = partial(Stepper, simulator, folder)
    node = partial(NodePackage, simulator, folder)
    obstacle = why_not()
    print(f"Not compared with {PACKAGE}: {obstacle}" if obstacle else f"Node package: {PACKAGE} on redis-server", flush=True)
    both = [ours] if obstacle else [ours, node]

    show("accepted,  1 client", in_turns([ours], lambda s: accept(s, folder, 1)))
    show("accepted, 16 clients", in_turns(both, lambda s: accept(s, folder, 16)))
    accepted = in_turns(both, lambda s: accept(s, folder, 64))
    show("accepted, 64 clients", accepted)
    show("completed end to end", in_turns(both, lambda s: complete(s, folder)), lambda f: f"accepted meanwhile {f['accepted']:.0f}/s")
    show("completed from a pile", in_turns([ours], lambda s: drain(s, folder, simulator)), lambda _: "")
    show("polled when finished", in_turns(both, lambda s: poll(s, folder)))
    hits = cache_hits(ours, folder)
    show("cache hit,  1 client", [hits[1]])
    show("cache hit, 16 clients", [hits[16]])
    if not obstacle:
        show_cleared(*clearing_cache_hits(node, folder), hits)
    p50, p99 = wake_ups(ours)
    print(f"?wait after completion: p50 {p50:.1f} ms, p99 {p99:.1f} ms (time stamps are whole ms; the client is Python)", flush=True)
    idle, full, queued = memory(ours, folder)
    print(f"RSS: idle {idle:.1f} MiB, with {queued} jobs queued {full:.1f} MiB", flush=True)
    for n in accepted[1:]:
        print(f"  Node package and redis-server: idle {n['idle']:.1f} MiB, with {n['queued']:.0f} jobs queued {n['full']:.1f} MiB",
              flush=True)


def main():
    folder = Path(tempfile.mkdtemp(dir=os.environ.get("BENCH_DIR")))
    simulator = Simulator(load.BUILD)
    try:
        simulator.behave("fast", {})
        simulator.behave("slow", {"latency_ms": 50})
        simulator.behave("never", {"latency_ms": 3_000_000})
        compare(simulator, folder)
    finally:
        simulator.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
