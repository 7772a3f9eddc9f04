"""What all clients of a soak saw. Shared by their threads."""
import threading
from collections import Counter, defaultdict

SHOWN = 20  # of each kind of problem


class Record:
    def __init__(self):
        self._lock = threading.Lock()
        self.answers = defaultdict(Counter)  # kind of request: status: how often
        self.jobs = 0                        # that were followed to their end
        self._problems = defaultdict(list)

    def answer(self, kind, status, allowed):
        """Counts it. Whether it was one of those that such a request may get."""
        with self._lock:
            self.answers[kind][status] += 1
        if status in allowed:
            return True
        self.problem(kind, f"was answered {status}")
        return False

    def finished_job(self):
        with self._lock:
            self.jobs += 1

    def problem(self, kind, text):
        with self._lock:
            self._problems[kind].append(text)

    def problems(self):
        return [f"{kind}: {text}" for kind, texts in self._problems.items() for text in texts[:SHOWN]]
