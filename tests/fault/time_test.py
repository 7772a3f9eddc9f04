"""Durations while the wall clock is set, a process that is stopped for a while, and what must be remembered from one start to the next."""
import contextlib
import signal
import time
import unittest

from lib import FAULTS, call, echo, wait_until
from stage import EXIT_CONFIG, Case, finish, post, read

HOUR = 3600


class TimeCase(Case):
    def setUp(self):
        super().setUp()
        self.set_by = self.folder / "set-by"
        self.set_clock(0)

    def set_clock(self, seconds):
        beside = self.folder / "set-by.new"
        beside.write_text(str(seconds))
        beside.replace(self.set_by)

    def start_with_clock(self, stage):
        return self.start(stage, env={"LD_PRELOAD": str(FAULTS / "wall-clock.so"), "WALL_CLOCK_SET_BY": str(self.set_by),
                                      "ASAN_OPTIONS": "verify_asan_link_order=0"})

    def delayed(self, server, token):
        """A job that waits because its provider asked for it."""
        job = self.accept(server, token)
        wait_until(lambda: read(server, job).json["rawStatus"], 20, "it waits", "delayed")
        return job


class SetClockTest(TimeCase):
    ASKED = {"steps": [{"status": 429, "headers": {"Retry-After": "3"}}, {}], "then": "last"}

    def waits_its_time(self, server, job, began):
        finish(server, job, 25)
        self.assertGreater(time.monotonic() - began, 2)

    def test_it_is_set_while_a_job_waits(self):
        for number, set_by in enumerate((-6 * HOUR, 6 * HOUR)):
            stage = self.stage("one", behaviour=self.ASKED)
            server = self.start_with_clock(stage)
            began = time.monotonic()
            job = self.delayed(server, f"job-{number}")
            self.set_clock(set_by)
            self.waits_its_time(server, job, began)
            self.assertEqual(server.stop(), 0)
            self.set_clock(0)

    def test_it_was_set_when_the_server_starts_again(self):
        for number, set_by in enumerate((-240 * HOUR, 240 * HOUR)):
            stage = self.stage("one", behaviour=self.ASKED)
            server = self.start_with_clock(stage)
            began = time.monotonic()
            job = self.delayed(server, f"job-{number}")
            server.kill()
            self.set_clock(set_by)
            server = self.start_with_clock(stage)
            self.waits_its_time(server, job, began)
            self.assertEqual(server.stop(), 0)
            self.set_clock(0)

    def test_an_answer_is_kept_for_its_time(self):
        stage = self.stage("one", settings={"cache": {"fresh_for": "5s", "ttl": "5s", "stale_while_revalidate": False}})
        server = self.start_with_clock(stage)
        finish(server, self.accept(server, "a"))
        made = time.monotonic()
        self.set_clock(2 * HOUR)
        ahead = post(server, {"prompt": echo("a")})
        if time.monotonic() - made < 4:
            self.assertEqual((ahead.status, ahead.headers["X-Cache"]), (200, "HIT"))
        self.set_clock(-2 * HOUR)
        time.sleep(max(0, made + 6 - time.monotonic()))
        self.assertEqual(post(server, {"prompt": echo("a")}).status, 202)


class RestartTest(TimeCase):
    """What a provider asked for holds for the next process."""

    def calls_of_four_starts(self, answer):
        stage = self.stage("one", behaviour={"steps": [answer], "then": "last"}, settings={"fallback": {"enabled": False}})
        for _ in range(4):
            server = self.start(stage)
            refused = call("POST", server.url + "/v1/generate/immediate", {"prompt": "x", "maxDurationSeconds": 5})
            self.assertGreaterEqual(refused.status, 400)
            server.kill()
        return self.simulator.counters("one")["requests"]

    def test_again_in_ten_minutes(self):
        self.assertEqual(self.calls_of_four_starts({"status": 429, "headers": {"Retry-After": "600"}}), 1)

    def test_a_refused_key(self):
        self.assertEqual(self.calls_of_four_starts({"status": 401}), 1)


class FreezeTest(TimeCase):
    """A server that is stopped for longer than its leases, as a machine that sleeps or a container that is paused is."""

    def frozen(self):
        """A server that was stopped while it ran a job, and the job."""
        stage = self.stage("slow", behaviour={"latency_ms": 3000}, settings={"queue": {"lease": "1s"}})
        server = self.start(stage)
        job = self.accept(server, "once")
        wait_until(lambda: self.in_flight("slow"), 10, "the job runs", 1)
        server.process.send_signal(signal.SIGSTOP)
        self.addCleanup(self.thaw, server)
        return stage, server, job

    @staticmethod
    def thaw(server):
        with contextlib.suppress(ProcessLookupError):
            server.process.send_signal(signal.SIGCONT)

    def test_it_goes_on_with_what_it_had(self):
        _, server, job = self.frozen()
        time.sleep(2.5)
        self.thaw(server)
        self.assertEqual(finish(server, job)["data"]["result"], {"echo": "once"})
        self.assertEqual(self.calls("once"), 1)

    def test_nobody_starts_beside_it_and_who_comes_after_it_does_its_work(self):
        stage, server, job = self.frozen()
        refusal = stage.refusal()
        self.assertEqual(refusal.returncode, EXIT_CONFIG)
        self.assertIn(f"in use by process {server.process.pid}", refusal.stderr)
        server.kill()
        server = self.start(stage)
        self.assertEqual(finish(server, job)["data"]["result"], {"echo": "once"})
        self.assertEqual(self.calls("once"), 2)
        self.assertEqual(server.stop(), 0)
        self.assert_intact(stage)


if __name__ == "__main__":
    unittest.main()
