"""Durations while the wall clock is set, and what must be remembered from one start to the next."""
import time
import unittest

from stage import FAULTS, Case, call, echo, finish, kill, post, read, wait_until

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
        wait_until(lambda: read(server, job).json["rawStatus"] == "delayed", 20, "it waits")
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
            kill(server)
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
            kill(server)
        return self.simulator.counters("one")["requests"]

    def test_again_in_ten_minutes(self):
        self.assertEqual(self.calls_of_four_starts({"status": 429, "headers": {"Retry-After": "600"}}), 1)

    def test_a_refused_key(self):
        self.assertEqual(self.calls_of_four_starts({"status": 401}), 1)


if __name__ == "__main__":
    unittest.main()
