"""Kills a busy server again and again, and checks that nothing that was promised got lost, doubled or changed.

    python3 kill9.py --rounds 1000 --seed 7

Everything but the timing of threads follows from the seed."""
import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict

from clients import Client, Ledger
from invariants import ALWAYS, AT_THE_END, broken, least_leases
from lib import Simulator, call, clean_environment, provider, wait_until
from lib.processes import descriptors, mib_of
from stage import FINAL, Stage, prompts, read

CLIENTS = 6
ROUNDS_PER_ACT = 50  # then a new database: the last checks read everything
END_SECONDS = 60
MAX_DESCRIPTORS = 400
MAX_GROWTH_MIB = 512  # of the last server's memory, sanitizers' quarantine included

SETTINGS = {
    "queue": {"retention": "24h", "lease": "60s", "max_attempts": 3},
    # Short, so that stale answers are served and refreshed while servers die.
    "cache": {"ttl": "1h", "fresh_for": "2s"},
    "server": {"drain_timeout": "20s"},
}


def behaviours(seed):
    """Who has answered badly is not asked again for the job, which then waits for the one that is only limited."""
    draw = random.Random(seed)
    moods = [[{"answer": "I would rather not."} if draw.random() < 0.3 else {} for _ in range(97)] for _ in range(2)]
    return {
        "moody": {"latency_ms": {"min": 0, "max": 50, "seed": seed}, "steps": moods[0], "then": "repeat"},
        "limited": {"steps": [{}, {"status": 429, "retry_after_ms": "40"}, {}, {"status": 429, "retry_after_ms": "150"},
                              {}], "then": "repeat"},
        "steady": {"latency_ms": {"min": 0, "max": 50, "seed": seed + 1}, "steps": moods[1], "then": "repeat"},
    }


class UpstreamLog:
    """What providers were asked, gathered before the simulator forgets it."""

    def __init__(self, simulator):
        self.simulator, self.last = simulator, -1
        self.calls = defaultdict(Counter)  # token: provider: calls

    def gather(self):
        """Whether nothing slipped through since the last time."""
        log = call("GET", self.simulator.url + "/_sim/log?limit=5000").json
        new = [entry for entry in log if entry["id"] > self.last]
        whole = not new or new[0]["id"] == self.last + 1 or self.last < 0
        for instance, body in prompts(new):
            self.calls[body.split("Repeat ")[1].split(".")[0]][instance] += 1
        if new:
            self.last = new[-1]["id"]
        return whole

    def total(self):
        return sum(sum(c.values()) for c in self.calls.values())


class Act:
    """Some rounds on one database, and the check of all of them."""

    def __init__(self, simulator, folder, seed):
        simulator.reset()
        for name, behaviour in behaviours(seed).items():
            simulator.behave(name, behaviour)
        providers = [provider(simulator, name, concurrency=512, breaker={"consecutive": 1_000_000, "min_calls": 1_000_000})
                     for name in behaviours(seed)]
        self.stage = Stage(folder, providers, SETTINGS)
        self.ledger, self.upstream = Ledger(), UpstreamLog(simulator)
        self.seed, self.rng = seed, random.Random(seed)
        self.rounds = self.crashes = self.ended = 0

    def problem(self, sentence):
        self.ledger.problems.append(sentence)

    def round(self):
        self.rounds += 1
        if self.rng.random() < 0.15:
            self.die_while_starting()
        server = self.stage.start()
        killed = threading.Event()
        clients = [Client(self.ledger, server.url, killed, f"{self.rounds}-{n}", self.seed) for n in range(CLIENTS)]
        for client in clients:
            client.start()
        time.sleep(self.rng.uniform(0.02, 0.8))
        killed.set()
        server.kill()
        self.crashes += 1
        for client in clients:
            client.join(60)
        if not self.upstream.gather():
            self.problem("the simulator's log was too short")
        with self.stage.remains() as db:
            for sentence in broken(db, ALWAYS):
                self.problem(f"after round {self.rounds}: {sentence}")

    def die_while_starting(self):
        process = subprocess.Popen(self.stage.command(), env=clean_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(self.rng.uniform(0, 0.6))
        process.kill()
        process.wait()
        self.crashes += 1

    def close(self):
        """Lets everything end, then holds the three records against each other."""
        server = self.stage.start()
        before = footprint(server)
        # What was never answered is sent once more: it must lead to the job that is there, if one is.
        for path, body, tokens, key in self.ledger.unanswered:
            answer = call("POST", server.url + path, body, {"Idempotency-Key": key})
            if answer.status == 202:
                self.ledger.accept(answer.json["jobId"], tokens, key)
        try:
            with self.stage.watch() as db:
                wait_until(lambda: db.execute("SELECT count(*) FROM job WHERE state < 10").fetchone(), END_SECONDS, "every job ends", (0,))
        except AssertionError as late:
            self.problem(str(late))
        self.check_reads(server)
        self.check_footprint(before, footprint(server))
        status = server.stop()
        if status != 0:
            self.problem(f"the last server ended with status {status}")
        if self.stage.wal.exists() and self.stage.wal.stat().st_size > 0:
            self.problem("a clean stop left a log behind")
        self.upstream.gather()
        with self.stage.remains() as db:
            for sentence in broken(db, ALWAYS, AT_THE_END):
                self.problem(f"at the end: {sentence}")
            self.check_database(db)

    def check_footprint(self, before, after):
        held, mib = after[0], after[1] - before[1]
        if held > MAX_DESCRIPTORS or mib > MAX_GROWTH_MIB:
            self.problem(f"the last server holds {held} descriptors and grew by {mib:.0f} MiB")

    def check_reads(self, server):
        ledger = self.ledger
        for job_id, tokens in ledger.accepted.items():
            answer = read(server, job_id)
            drops = ledger.drops.get(job_id, [])
            if answer.status == 404:
                # An item that every client has dropped that was given it goes with its batch.
                unwanted = drops.count("kept") >= ledger.given[job_id]
                if not {"deleted", "unknown"} & set(drops) and not unwanted:
                    self.problem(f"job {job_id} is lost; it was dropped {drops}")
                continue
            ledger.saw(job_id, answer.raw, ledger.finals.get(job_id))
            job = answer.json
            if job["status"] not in FINAL or (job["status"] == "cancelled" and not drops):
                self.problem(f"job {job_id} is {job['status']}; it was dropped {drops}")
            self.ended += 1
            for sentence in wrong_answers(job, tokens):
                self.problem(f"job {job_id}: {sentence}")
        for key, ids in ledger.by_key.items():
            if len(ids) > 1:
                self.problem(f"idempotency key {key} led to {sorted(ids)}")

    def check_database(self, db):
        leases, jobs, done = Counter(), Counter(), set()
        rows = db.execute("SELECT id, state, fence, attempts, total, parent, request.body, coalesce(meta, ''), crashes"
                          " FROM job JOIN request USING (seq) LEFT JOIN outcome USING (seq)").fetchall()
        for job_id, state, fence, attempts, _, parent, body, meta, _ in rows:
            token = token_of(body)
            meta = json.loads(meta or "{}")
            gave_up = state == 11 and "ended 5 times" in meta.get("message", "")
            if fence < least_leases(fence, attempts, state, gave_up):
                self.problem(f"job {job_id} contradicts itself: fence {fence}, attempts {attempts}, state {state}")
            if attempts >= SETTINGS["queue"]["max_attempts"]:
                self.problem(f"job {job_id} had {attempts} attempts and one more")
            leases[token] += fence
            jobs[token] += parent is None
            if state == 10 and not meta.get("fallback"):
                done.add(token)
        purged = {t for job_id, tokens in self.ledger.accepted.items() if self.ledger.drops.get(job_id)
                  for t in tokens}
        for token, calls in self.upstream.calls.items():
            most = max(calls.values())
            if most > leases[token] and token not in purged:
                self.problem(f"{token} was asked {dict(calls)} with {leases[token]} leases")
        for token in done - set(self.upstream.calls):
            self.problem(f"{token} has an answer nobody gave")
        for key, tokens in self.ledger.tokens_of_key.items():
            if len(tokens) == 1 and jobs[tokens[0]] > 1:
                self.problem(f"idempotency key {key} made {jobs[tokens[0]]} jobs")


def token_of(body):
    return json.loads(body)["prompt"].split("Repeat ")[1].split(".")[0]


def wrong_answers(job, tokens):
    """Answers of a final job that belong to another prompt."""
    if job["status"] != "completed":
        return [] if job["status"] == "cancelled" or "failure" in job else ["failed without a word"]
    if "items" not in job["data"]:
        answers = [(job["data"]["result"], job["data"]["fallback"])]
    else:
        items = job["data"]["items"]
        if [i["id"] for i in items] != [f"i{n}" for n in range(len(tokens))]:
            return [f"its items are {[i['id'] for i in items]}"]
        if any(i["status"] not in FINAL for i in items):
            return ["an item is not final"]
        answers = [(i.get("data"), i.get("metadata", {}).get("fallback", True)) for i in items]
    return [f"{token} was answered {answer}" for token, (answer, fallback) in zip(tokens, answers)
            if not fallback and answer != {"echo": token}]


def footprint(server):
    """Open descriptors, and resident memory in MiB."""
    return len(descriptors(server.process.pid)), mib_of(server.process.pid)


def run(rounds, seed, out=sys.stdout):
    """The problems found, as sentences."""
    simulator = Simulator()
    problems, sums = [], Counter()
    try:
        for first in range(0, rounds, ROUNDS_PER_ACT):
            with tempfile.TemporaryDirectory() as folder:
                act = Act(simulator, folder, seed + first)
                for _ in range(min(ROUNDS_PER_ACT, rounds - first)):
                    act.round()
                act.close()
                if "ERROR: AddressSanitizer" in act.stage.said():
                    problems.append("the sanitizer spoke: " + act.stage.said().split("ERROR: AddressSanitizer")[1][:2000])
            problems += act.ledger.problems
            sums.update(rounds=act.rounds, kills=act.crashes, ended=act.ended, upstream=act.upstream.total(),
                        jobs=len(act.ledger.accepted), **act.ledger.counts)
            print(f"seed {seed}: " + ", ".join(f"{n} {what}" for what, n in sums.items()), file=out, flush=True)
    finally:
        simulator.stop()
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    problems = run(arguments.rounds, arguments.seed)
    for problem in problems[:50]:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
