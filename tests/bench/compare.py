"""What this tree costs beside another revision, as ratios within one run. See README.md in this folder.

Exit status 1 when a figure is worse than the other revision's by more than 5 % and by more than that one strays from itself.
"""
import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import load
from load import unique, wrk
from lib import Simulator
from jobs_bench import until
from revision import build_of, commit_of
from subject import Stepper
from verdict import LEAST, judge

ROUNDS = 16
LOAD_SECONDS = 1  # wrk's least
JOBS = 2000
JOB_SECONDS = 3
EVENTS = 1000
EVENT_BYTES = 16
KB_10 = " ".join([load.PROMPT] * (10_000 // len(load.PROMPT)))
ORDINARY, STREAMED = {}, {"chunk_bytes": EVENT_BYTES, "answer": {"text": "x" * (EVENTS * EVENT_BYTES - len('{"text":""}'))}}


def micros(subject, work):
    """What work() took of the server's processor, and what it gave."""
    before = subject.cpu_seconds()
    given = work()
    return (subject.cpu_seconds() - before) * 1e6, given


def requests(subject, folder, clients, prompt=load.PROMPT):
    script = unique(f"{clients}-{time.monotonic_ns()}", prompt=prompt)
    cpu, seen = micros(subject, lambda: wrk(subject.url + "/v1/generate/immediate", script, clients, LOAD_SECONDS, folder))
    return cpu / seen["count"], seen


def ordinary(clients, subject, folder):
    cpu, seen = requests(subject, folder, clients)
    return {f"CPU per request, {clients} at once (µs)": cpu, f"p50, {clients} at once (µs)": seen["p50"],
            f"p99, {clients} at once (µs)": seen["p99"]}


def long_prompt(subject, folder):
    return {"CPU per request of 10 KB (µs)": requests(subject, folder, 4, KB_10)[0]}


def streamed(subject, folder):
    return {"CPU per streamed event (µs)": requests(subject, folder, 4)[0] / EVENTS}


def post_jobs(subject, folder):
    """So many, because memory grows with them; fewer where the machine is too slow."""
    posted = wrk(subject.generate, unique("job", last=JOBS), 16, JOB_SECONDS, folder)["count"]
    until("the jobs", lambda: subject.done() >= posted and subject.metric("job_queue_size") == 0)


def jobs(subject, folder):
    cpu, _ = micros(subject, lambda: post_jobs(subject, folder))
    return {"CPU per job (µs)": cpu / subject.done()}


def memory(when, subject, _):
    time.sleep(0.3)  # what was just done settles
    return {f"resident, {when} (MiB)": subject.resident_mib()}


# In this order, and each with how the provider behaves meanwhile: what is resident after the load is after all of it.
MEASUREMENTS = (
    (ORDINARY, partial(memory, "idle")),
    (ORDINARY, partial(ordinary, 1)),
    (ORDINARY, partial(ordinary, 16)),
    (ORDINARY, long_prompt),
    (STREAMED, streamed),
    (ORDINARY, jobs),
    (ORDINARY, partial(memory, "after the load")),
)


def round_of(builds, simulator, folder):
    """The figures of each of `builds`, as fresh servers that take turns in an order that chance decides."""
    subjects = [Stepper(simulator, folder, "fast", build=build) for build in builds]
    seen = [{} for _ in builds]
    try:
        for behaviour, measure in MEASUREMENTS:
            simulator.behave("fast", behaviour)
            for n in random.sample(range(len(builds)), len(builds)):
                seen[n].update(measure(subjects[n], folder))
    finally:
        for subject in subjects:
            subject.end()
            shutil.rmtree(subject.home)
    return seen


def measure(old, new, rounds):
    """Of each figure its values over the rounds: the new build's, and those of two servers of the old one."""
    folder = Path(tempfile.mkdtemp(dir=os.environ.get("BENCH_DIR")))
    simulator = Simulator(load.BUILD)
    try:
        seen = []
        for n in range(rounds):
            began = time.monotonic()
            seen.append(round_of((new, old, old), simulator, folder))
            print(f"round {n + 1} of {rounds}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    finally:
        simulator.stop()
        shutil.rmtree(folder)
    return {figure: [[one[side][figure] for one in seen] for side in range(3)] for figure in seen[0][0]}


def show(figures, name):
    """Prints the table. Whether nothing is worse."""
    print(f"{'':36} {name[:12]:>12} {'this tree':>12} {'ratio':>7} {'spread':>7}")
    verdicts = {figure: judge(*values) for figure, values in figures.items()}
    for figure, v in verdicts.items():
        print(f"{figure:36} {v.old:12.1f} {v.new:12.1f} {v.ratio:7.3f} {v.spread:7.1%}   {v.word}")
    worse = [figure for figure, v in verdicts.items() if v.word == "worse"]
    print(f"worse by more than {LEAST:.0%} and than {name} strays from itself: " + ("; ".join(worse) or "nothing"))
    return not worse


def rounds_of(text):
    rounds = int(text)
    if rounds < 2:
        raise argparse.ArgumentTypeError("at least 2 rounds: one alone has no spread")
    return rounds


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench compare", description=__doc__.splitlines()[0])
    parser.add_argument("revision", metavar="REV", help="what git knows: a commit, a tag, main, HEAD~3")
    parser.add_argument("--rounds", type=rounds_of, default=ROUNDS, help=f"default: {ROUNDS}, half a minute each")
    wanted = parser.parse_args()
    old = build_of(commit_of(wanted.revision))
    return 0 if show(measure(old, load.BUILD, wanted.rounds), wanted.revision) else 1


if __name__ == "__main__":
    sys.exit(main())
