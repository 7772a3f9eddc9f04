"""A server under everybody at once, for so many seconds: does it keep its memory, descriptors, threads and promises? See README.md.

Exit status 1 when it does not.
"""
import argparse
import http.client
import random
import re
import sys
import tempfile
import threading
import time

import good
import strangers
from lib import wait_until
from lib.processes import descriptors, mib_of, threads
from judge import GROWN, KEPT, Sample, complaints, phases, window
from record import Record
from world import World

SECONDS = 600
SAMPLE_SECONDS = 0.5
END_SECONDS = 60  # for what still runs when the load is over
LOG_SHOWN = 3000

# What clients do, how many of them, and how long each pauses between two goes.
CROWD = (
    (good.ask, 4, 0.05), (good.ask_over_one_connection, 2, 0.2), (good.ask_those_who_fail, 2, 0.1), (good.ask_a_plugin, 2, 0.1),
    (good.job, 4, 0.05), (good.job_with_events, 2, 0.1), (good.shared_job, 4, 0.05), (good.batch, 2, 0.2),
    (good.look_around, 1, 0.5), (good.reload, 1, 1.0),
    (strangers.send_malformed, 2, 0.05), (strangers.send_wrong, 2, 0.05), (strangers.send_huge, 1, 0.3),
    (strangers.leave, 4, 0.05), (strangers.never_read, 1, 0.5),
)


class Client(threading.Thread):
    def __init__(self, act, number, pause, world, record, end):
        super().__init__(name=f"{act.__name__}-{number}", daemon=True)
        self._act, self._pause, self._world, self._record, self._end = act, pause, world, record, end
        self._chance = random.Random(self.name)

    def run(self):
        while not self._end.wait(self._pause) and self._world.alive():
            try:
                self._act(self._world, self._record, self._chance)
            except (OSError, http.client.HTTPException) as lost:
                self._record.problem(self._act.__name__, f"the server did not answer: {lost!r}")
            except Exception as unexpected:  # a client that dies would make the load lighter, unseen
                self._record.problem(self._act.__name__, f"{unexpected!r}")


def look(pid, began):
    return Sample(time.monotonic() - began, mib_of(pid), len(descriptors(pid)), threads(pid))


def watch(world, began, until, samples):
    while time.monotonic() < until and world.alive():
        samples.append(look(world.pid, began))
        time.sleep(SAMPLE_SECONDS)


def unfinished(world):
    return [job for state in ("queued", "active") for job in world.call("GET", f"/v1/jobs?state={state}").json["jobs"]]


def settle(world, record):
    """Also the jobs end that nobody follows, as those who posted them have left."""
    try:
        wait_until(lambda: unfinished(world), END_SECONDS, "all jobs end", wanted=[], pause=0.2)
    except AssertionError as late:
        record.problem("jobs", str(late))


def load(world, record, seconds, began, samples):
    end = threading.Event()
    clients = [Client(act, n, pause, world, record, end) for act, many, pause in CROWD for n in range(many)]
    for client in clients:
        client.start()
    watch(world, began, began + seconds, samples)
    end.set()
    for client in clients:
        client.join(good.JOB_SECONDS + END_SECONDS)
        if client.is_alive():
            record.problem(client.name, "never came back")
    if world.alive():
        settle(world, record)


def show(name, sample):
    print(f"{name:24} {sample.resident:9.1f} {sample.descriptors:12.0f} {sample.threads:8.0f}")


def tell(record, world):
    for kind, statuses in sorted(record.answers.items()):
        print(f"  {kind:24} " + ", ".join(f"{status}: {n}" for status, n in sorted(statuses.items(), key=str)))
    print(f"  jobs followed to their end: {record.jobs}")
    for name, statuses in world.upstream().items():
        print(f"  upstream {name}: " + ", ".join(f"{status}: {n}" for status, n in statuses.items()))


def soak(world, record, seconds):
    """Prints what was seen."""
    began, samples = time.monotonic(), []
    idle = look(world.pid, began)
    load(world, record, seconds, began, samples)
    watch(world, began, time.monotonic() + window(seconds), samples)
    tell(record, world)
    if not world.alive():
        return record.problem("server", f"it ended with status {world.server.process.returncode}")
    first, end, rest = phases(samples, seconds, samples[-1].at)
    print(f"{'':24} {'MiB':>9} {'descriptors':>12} {'threads':>8}")
    span = window(seconds)
    for name, sample in (("idle", idle), (f"first {span:.0f} s", first), (f"last {span:.0f} s", end),
                         (f"rested {span:.0f} s", rest)):
        show(name, sample)
    print(f"resident at the end {end.resident / first.resident:.2f} × that of the beginning (aim: {GROWN}), "
          f"after the rest {rest.resident / first.resident:.2f} × (aim: {KEPT}); peak {max(s.resident for s in samples):.1f} MiB")
    for sentence in complaints(first, end, rest):
        record.problem("kept", sentence)
    status = world.server.stop()
    if status:
        record.problem("server", f"asked to end, it did with status {status}")


def seconds_of(text):
    if not re.fullmatch(r"[0-9]{2,5}", text):
        raise argparse.ArgumentTypeError("whole seconds, at least 10")
    return int(text)


def main():
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__.splitlines()[0])
    parser.add_argument("seconds", nargs="?", type=seconds_of, default=SECONDS, metavar="SECONDS", help=f"default: {SECONDS}")
    seconds = parser.parse_args().seconds
    record = Record()
    with tempfile.TemporaryDirectory() as folder, World(folder) as world:
        soak(world, record, seconds)
        problems = record.problems()
        if problems:
            print("\n".join(problems), f"The end of its log:\n{world.said()[-LOG_SHOWN:]}", sep="\n")
    print("not good" if problems else "all good")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
