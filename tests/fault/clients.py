"""Clients that use a server until it dies under them, and the ledger of all they were told."""
import json
import random
import threading
from collections import Counter, defaultdict

from lib import call, echo
from stage import FINAL, LOST

LIMITED_ONLY = ["moody", "steady"]  # left out, so that a job has only the provider that is often out of quota
SHARED = 20  # prompts that many clients ask for


class Ledger:
    """What clients asked for and were told. Shared by all clients of a run."""

    def __init__(self):
        self.lock = threading.Lock()
        self.accepted = {}                # id: [tokens], one of a single job
        self.given = Counter()            # id: how many posts were answered with it
        self.ids = []
        self.by_key = defaultdict(set)    # idempotency key: ids it was answered with
        self.tokens_of_key = {}           # idempotency key: its tokens
        self.unanswered = []              # posts with a key whose answer was lost: to be sent again
        self.finals = {}                  # id: the body it was first seen final with
        self.drops = defaultdict(list)    # id: "cancelled", "deleted", "kept" or "unknown"
        self.problems = []
        self.counts = Counter()

    def accept(self, job_id, tokens, key):
        with self.lock:
            self.counts["accepted"] += 1
            self.given[job_id] += 1
            if job_id not in self.accepted:
                self.accepted[job_id] = tokens
                self.ids.append(job_id)
            if key:
                self.by_key[key].add(job_id)

    def saw(self, job_id, raw, first):
        """A job as it was read; what is final must never read otherwise again. `first`: how it was seen final before this
        read began, if it was: reads that overlap have no order."""
        final = json.loads(raw)["status"] in FINAL
        with self.lock:
            if final:
                first = self.finals.setdefault(job_id, raw)
            if first is not None and first != raw:
                self.problems.append(f"job {job_id} changed after its end: {first!r}, then {raw!r}")

    def known_id(self, rng):
        with self.lock:
            if not self.ids:
                return None
            return rng.choice(self.ids[-40:] if rng.random() < 0.8 else self.ids)


class Client(threading.Thread):
    """Works until the connection is lost. `killed` is set before the server is: a loss without it is a fault."""

    def __init__(self, ledger, url, killed, name, seed):
        super().__init__(name=name, daemon=True)
        self.ledger, self.url, self.killed = ledger, url, killed
        self.rng = random.Random(f"{seed}/{name}")
        self.made = 0

    def run(self):
        try:
            while not self.killed.is_set():
                self.act()
        except LOST as lost:
            with self.ledger.lock:
                self.ledger.counts["lost"] += 1
                if not self.killed.is_set():
                    self.ledger.problems.append(f"a live server did not answer: {lost!r}")

    def act(self):
        with self.ledger.lock:
            again = self.ledger.unanswered.pop() if self.ledger.unanswered else None
        if again:
            return self.submit(*again)
        acts = {self.post_single: 8, self.post_shared: 3, self.post_batch: 1, self.read: 6, self.drop: 1}
        self.rng.choices(list(acts), list(acts.values()))[0]()

    def token(self):
        self.made += 1
        return f"t-{self.name}-{self.made}"

    def key(self):
        return f"k-{self.name}-{self.made}" if self.rng.random() < 0.5 else None

    def post_single(self):
        token = self.token()
        body = {"prompt": echo(token)}
        kind = self.rng.random()
        if kind < 0.2:
            body["requestId"] = f"r-{token}"
        elif kind < 0.3:
            body["cacheControl"] = "no-cache"
        elif kind < 0.4:
            body["excludeProviders"] = LIMITED_ONLY
        self.submit("/v1/generate", body, [token], self.key())

    def post_shared(self):
        token = f"shared-{self.rng.randrange(SHARED)}"
        self.submit("/v1/generate", self.shared_body(token), [token], None)

    def shared_body(self, token):
        """Often not content with what the cache has, so that jobs for the same answer meet."""
        return {"prompt": echo(token), **({"cacheControl": "refresh"} if self.rng.random() < 0.5 else {})}

    def post_batch(self):
        tokens = [self.token() for _ in range(self.rng.randint(1, 8))]
        bodies = [{"prompt": echo(token)} for token in tokens]
        for n in self.rng.sample(range(SHARED), 2):
            tokens.append(f"shared-{n}")
            bodies.append(self.shared_body(tokens[-1]))
        items = [{"id": f"i{n}", "request": body} for n, body in enumerate(bodies)]
        body = {"items": items, "concurrency": self.rng.randint(1, 5)}
        self.submit("/v1/generate/batch", body, tokens, self.key())

    def submit(self, path, body, tokens, key):
        if key:
            with self.ledger.lock:
                self.ledger.tokens_of_key[key] = tokens
        try:
            answer = call("POST", self.url + path, body, {"Idempotency-Key": key} if key else None)
        except LOST:
            if key:
                with self.ledger.lock:
                    self.ledger.unanswered.append((path, body, tokens, key))
            raise
        if answer.status == 202:
            return self.ledger.accept(answer.json["jobId"], tokens, key)
        with self.ledger.lock:
            self.ledger.counts[f"status {answer.status}"] += 1
            if answer.status != 200:
                self.ledger.problems.append(f"POST {path} was answered {answer.status}: {answer.raw!r}")
            elif answer.json["data"] != {"echo": tokens[0]}:
                self.ledger.problems.append(f"the cache answered {tokens[0]} with {answer.raw!r}")

    def read(self):
        job_id = self.ledger.known_id(self.rng)
        if not job_id:
            return
        wait = self.rng.choice((0, 0, 1, 2))
        first = self.ledger.finals.get(job_id)
        answer = call("GET", f"{self.url}/v1/jobs/{job_id}?wait={wait}")
        if answer.status == 200:
            self.ledger.saw(job_id, answer.raw, first)
        elif answer.status != 404 or not self.ledger.drops[job_id]:
            with self.ledger.lock:
                self.ledger.problems.append(f"GET of job {job_id} was answered {answer.status}: {answer.raw!r}")

    def drop(self):
        job_id = self.ledger.known_id(self.rng)
        if not job_id:
            return
        # Noted first: others must not take the job's absence for a loss.
        with self.ledger.lock:
            outcomes = self.ledger.drops[job_id]
            outcomes.append("unknown")
            at = len(outcomes) - 1
        answer = call("DELETE", f"{self.url}/v1/jobs/{job_id}")
        outcomes[at] = answer.json["status"] if answer.status == 200 else "absent"
        with self.ledger.lock:
            self.ledger.counts["dropped"] += 1
