"""Quotas, breakers and retries against providers that refuse, fail, hang and lie."""
import email.utils
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from lib import Case, call, provider, wait_until


class Limits(Case):
    server = None

    def setUp(self):
        super().setUp()
        self.simulator.reset()

    def pair(self, behaviour, **more):
        """A server with `one`, which behaves like that, before `two`, which is well; in place of an earlier one."""
        if self.server:
            self.server.stop()
            (self.folder / "stepper.db").unlink()
        self.simulator.reset()
        self.simulator.behave("one", behaviour)
        self.simulator.behave("two", {})
        self.server = self.start([provider(self.simulator, "one", **more), provider(self.simulator, "two")])
        return self.server

    def state(self, server, name="one"):
        for entry in call("GET", server.url + "/v1/providers").json["providers"]:
            if entry["name"] == name:
                return entry
        raise AssertionError(name)

    def answered_by(self, server, body=None):
        answer = self.generate(server, body or {"prompt": "x"})
        self.assertEqual(answer.status, 200, answer.raw)
        return answer.json["metadata"]["provider"]

    # What is not the provider's fault.

    def test_our_own_faults_open_no_circuit(self):
        schema = {"kind": "http-json", "requiredKeys": ["nobody_says_this"]}
        storms = {"empty prompts": ({}, {"prompt": ""}),
                  "a schema nobody meets": ({}, {"prompt": "x", "outputSchema": schema}),
                  "empty answers": ({"answer": ""}, {"prompt": "x", "responseMode": "text"}),
                  "429": ({"steps": [{"status": 429, "retry_after_ms": "1"}], "then": "repeat"}, {"prompt": "x"}),
                  "400": ({"steps": [{"error": "invalid"}], "then": "repeat"}, {"prompt": "x"}),
                  "too long": ({"steps": [{"error": "context_length"}], "then": "repeat"}, {"prompt": "x"})}
        for title, (behaviour, body) in storms.items():
            with self.subTest(title):
                server = self.pair(behaviour)
                for _ in range(12):
                    self.generate(server, body)
                self.assertFalse(self.state(server)["circuitOpen"])
                self.assertEqual(self.state(server)["consecutiveFailures"], 0)
                self.assertFalse(self.state(server, "two")["circuitOpen"])

    # Failures.

    def test_a_5xx_storm_opens_within_ten_calls_and_two_probes_close_it(self):
        storm = {"steps": [{"status": 500}], "then": "repeat"}
        server = self.pair(storm, breaker={"open_for": "1s"})
        for _ in range(60):
            self.assertEqual(self.answered_by(server), "two")
        # More than ten calls: only what a half-open circuit let through in the meantime.
        self.assertLessEqual(self.upstream_calls("one"), 12)
        self.assertTrue(self.state(server)["circuitOpen"])
        self.assertLessEqual(self.upstream_calls("one") + self.upstream_calls("two"), 1.2 * 60)
        self.simulator.behave("one", {})
        before = self.upstream_calls("one")
        wait_until(lambda: self.answered_by(server), wanted="one")
        wait_until(lambda: self.answered_by(server), wanted="one")
        self.assertEqual(self.upstream_calls("one"), before + 2)
        self.assertFalse(self.state(server)["circuitOpen"])

    def test_a_refused_connection_is_tried_once_more_and_then_left_alone(self):
        server = self.start([provider(self.simulator, "one", base_url="http://127.0.0.1:1/v1", retry={"base": "20ms"}),
                             provider(self.simulator, "two")])
        answer = self.generate(server, {"prompt": "x"})
        story = answer.json["metadata"]["providersAttempted"]
        self.assertEqual([(a["provider"], a["attemptNumber"]) for a in story], [("one", 1), ("one", 2), ("two", 1)])
        for _ in range(3):
            self.answered_by(server)
        self.assertTrue(self.state(server)["circuitOpen"])
        skipped = self.generate(server, {"prompt": "x"}).json["metadata"]["providersAttempted"][0]
        self.assertEqual((skipped["attemptNumber"], skipped["skipped"]), (0, "circuit_open"))

    def test_retries_stay_within_their_budget(self):
        never_opens = {"consecutive": 100_000, "min_calls": 100_000}
        server = self.pair({"steps": [{"reset": "before_head"}], "then": "repeat"}, breaker=never_opens,
                           retry={"base": "1ms", "cap": "1ms"})
        # Counted by what is told: libcurl itself repeats a request that dies on a connection kept from before.
        tries = 0
        for _ in range(100):
            story = self.generate(server, {"prompt": "x"}).json["metadata"]["providersAttempted"]
            tries += sum(a["provider"] == "one" for a in story)
        self.assertLessEqual(tries, 120)
        self.assertGreater(tries, 110)

    def test_a_hanging_provider_costs_one_first_byte_timeout(self):
        server = self.pair({"steps": [{"hang": "head"}], "then": "repeat"}, first_byte_timeout="500ms")
        began = time.monotonic()
        self.assertEqual(self.answered_by(server), "two")
        self.assertLess(time.monotonic() - began, 1.4)
        self.assertEqual(self.upstream_calls("one"), 1)

    def test_a_flapping_provider_is_left_alone_for_longer_and_longer(self):
        server = self.pair({"fail_rate": {"p": 0.5, "status": 500, "seed": 7}},
                           breaker={"min_calls": 4, "open_for": "200ms", "max_open_for": "10s"})
        calls = []
        until = time.monotonic() + 4
        while time.monotonic() < until:
            self.answered_by(server)
            calls.append(self.upstream_calls("one"))
        first, second = calls[len(calls) // 2], calls[-1] - calls[len(calls) // 2]
        self.assertTrue(second < first, (first, second))

    # Limits.

    def test_every_form_of_retry_after(self):
        def date(seconds, form):
            moment = time.gmtime(time.time() + seconds)
            return {"imf": email.utils.formatdate(time.time() + seconds, usegmt=True),
                    "asctime": time.asctime(moment),
                    "rfc850": time.strftime("%A, %d-%b-%y %H:%M:%S GMT", moment)}[form]
        # The header -> the least and the most seconds the provider is left alone.
        forms = [("0", 0, 1), ("2", 1, 2), ("1.5", 1, 2), ((30, "imf"), 20, 31), ((30, "asctime"), 20, 31),
                 ((30, "rfc850"), 20, 31), ((-60, "imf"), 0, 1), ("-3", 0, 2), ("", 0, 2), ("soon", 0, 2),
                 ("100000000000000000000", 0, 86_400)]
        for form, least, most in forms:
            with self.subTest(form):
                header = form if isinstance(form, str) else date(*form)
                server = self.pair({"steps": [{"status": 429, "retry_after": header}], "then": "ok"})
                self.assertEqual(self.answered_by(server), "two", "the other one serves meanwhile")
                left_alone = self.state(server)["retryAfterSeconds"]
                self.assertTrue(least <= left_alone <= most, left_alone)
        for title, step, most in (("two headers", {"retry_after": ["2", "30"]}, 30),
                                  ("milliseconds win", {"retry_after": "30", "retry_after_ms": "1500"}, 2),
                                  ("none", {}, 2)):
            with self.subTest(title):
                server = self.pair({"steps": [{"status": 429, **step}], "then": "ok"})
                self.assertEqual(self.answered_by(server), "two")
                self.assertLessEqual(self.state(server)["retryAfterSeconds"], most)

    def test_insane_headers_are_ignored(self):
        headers = {"x-ratelimit-limit-requests": "-1", "x-ratelimit-remaining-requests": "99999999999999999999",
                   "x-ratelimit-reset-requests": "1000000000000000000", "x-ratelimit-limit-tokens": "nan",
                   "anthropic-ratelimit-requests-reset": "the day after tomorrow", "ratelimit": "garbage;;;=",
                   "x-ratelimit-reset": "9" * 300}
        server = self.pair({"steps": [{"headers": headers}], "then": "repeat"}, limits={"rpm": 100})
        for _ in range(5):
            self.assertEqual(self.answered_by(server), "one")
        self.assertEqual(self.state(server)["state"], "ready")

    def test_what_a_provider_says_is_left_is_not_exceeded(self):
        headers = {"x-ratelimit-limit-requests": "100", "x-ratelimit-remaining-requests": "0",
                   "x-ratelimit-reset-requests": "20s"}
        server = self.pair({"steps": [{"headers": headers}], "then": "repeat"})
        self.assertEqual(self.answered_by(server), "one")
        self.assertEqual(self.answered_by(server), "two")
        self.assertEqual(self.state(server)["state"], "rate_limited")
        self.assertEqual(self.upstream_calls("one"), 1)

    def test_a_quota_is_never_exceeded_and_all_of_it_is_used(self):
        behaviour = {"quota": {"requests": 5, "per_ms": 60_000, "kind": "sliding"}}
        server = self.pair(behaviour, limits={"rpm": 5})
        with ThreadPoolExecutor(10) as clients:
            who = list(clients.map(lambda _: self.answered_by(server), range(20)))
        self.assertEqual((who.count("one"), who.count("two")), (5, 15))
        self.assertEqual(self.simulator.counters("one")["by_status"], {"200": 5})
        quota = self.state(server)["quotas"][0]
        self.assertEqual((quota["window"], quota["limit"], quota["used"], quota["remaining"]), ("rpm", 5, 5, 0))

    def test_a_restart_does_not_spend_a_quota_twice(self):
        for how in ("stop", "kill"):
            with self.subTest(how):
                server = self.pair({}, limits={"rpd": 7, "rpm": 5})
                for _ in range(4):
                    self.assertEqual(self.answered_by(server), "one")
                if how == "kill":
                    server.process.kill()
                server.stop()
                server = self.server = self.start([provider(self.simulator, "one", limits={"rpd": 7, "rpm": 5}),
                                                   provider(self.simulator, "two")])
                self.assertEqual([q["used"] for q in self.state(server)["quotas"]], [4, 4])
                self.assertEqual([self.answered_by(server) for _ in range(2)], ["one", "two"])

    def test_an_immediate_request_waits_for_a_quota_within_its_deadline(self):
        self.simulator.behave("one", {"quota": {"requests": 1, "per_ms": 1000, "kind": "sliding"}})
        server = self.start([provider(self.simulator, "one", limits={"windows": [{"requests": 1, "per": "1s"}]})])
        self.assertEqual(self.answered_by(server), "one")
        self.assertEqual(self.answered_by(server), "one")
        refused = self.generate(server, {"prompt": "x"}, headers={"X-Request-Timeout-Ms": "300"})
        self.assertEqual(refused.status, 429)
        self.assertIn(refused.headers["Retry-After"], ("1", "2"))
        self.assertEqual(self.simulator.counters("one")["by_status"], {"200": 2})

    def test_waiting_holds_no_worker(self):
        """One worker: a job that waits for a quota must not keep it from the next one's provider."""
        self.simulator.behave("one", {})
        self.simulator.behave("two", {})
        limits = {"windows": [{"requests": 1, "per": "30s"}]}
        server = self.start([provider(self.simulator, "one", limits=limits), provider(self.simulator, "two")],
                            {"queue": {"workers": 1}})
        only_one = {"excludeProviders": ["two"], "cacheControl": "no-cache"}
        self.finished(server, self.queue(server, {"prompt": "a", **only_one}))
        waits = self.queue(server, {"prompt": "b", **only_one})
        job = self.finished(server, self.queue(server, {"prompt": "c"}))
        self.assertEqual(job["data"]["usedProvider"], "two")
        self.assertIn(self.job(server, waits).json["status"], ("queued", "active"))
        self.assertEqual(self.listed(server, waits)["attempts"], 0)

    def test_a_jobs_time_limit_ends_it_although_no_provider_has_room(self):
        server = self.start_one({}, {"fallback": {"enabled": False}}, limits={"rpd": 1})
        self.finished(server, self.queue(server, {"prompt": "a"}))
        began = time.monotonic()
        job = self.finished(server, self.queue(server, {"prompt": "b", "maxDurationSeconds": 1}))
        self.assertEqual(job["status"], "failed")
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual(self.upstream_calls(), 1)

    def test_an_exhausted_quota_cools_until_the_day_is_over(self):
        server = self.pair({"steps": [{"error": "quota"}], "then": "repeat"}, limits={"rpd": 100})
        self.assertEqual(self.answered_by(server), "two")
        self.assertEqual(self.answered_by(server), "two")
        self.assertEqual(self.upstream_calls("one"), 1)
        entry = self.state(server)
        self.assertEqual((entry["state"], entry["circuitOpen"]), ("rate_limited", False))
        now = time.time()
        self.assertAlmostEqual(entry["retryAfterSeconds"], 86_400 - now % 86_400, delta=10)

    def test_a_refused_key_is_told_once_and_the_others_serve(self):
        server = self.pair({"key": "another"})
        for _ in range(6):
            self.assertEqual(self.answered_by(server), "two")
        self.assertEqual(self.upstream_calls("one"), 1)
        entry = self.state(server)
        self.assertEqual(entry["state"], "disabled")
        self.assertIn("key", entry["reason"])
        self.assertEqual(self.log_text().count('"alert"'), 1)
        self.assertNotIn("k-test", self.log_text())

    # Who goes first.

    def test_a_small_tenant_is_done_within_twice_its_own_time(self):
        one_slot = {"queue": {"workers": 8}}
        server = self.start_one({"steps": [{"hang": "head"}], "then": "ok"}, one_slot, concurrency=1)
        first = self.queue(server, {"prompt": "x"})
        self.await_upstream(1)

        def queue(tenant, n):
            return self.queue(server, {"prompt": f"#{tenant}{n}#", "tenantId": tenant})
        with ThreadPoolExecutor(8) as clients:
            list(clients.map(lambda n: queue("large", n), range(1000)))
            small = list(clients.map(lambda n: queue("small", n), range(10)))
        call("DELETE", f"{server.url}/v1/jobs/{first}")
        for job_id in small:
            self.finished(server, job_id)
        # A call is counted before it is logged.
        wait_until(lambda: str(self.simulator.log("one")).count("#small"), wanted=10)
        marks = [text for text in str(self.simulator.log("one")).split("#") if text.startswith(("large", "small"))]
        last = max(i for i, mark in enumerate(marks) if mark.startswith("small"))
        self.assertLess(last, 21, "alone they would be ten calls")

    def test_an_order_is_kept_for_as_long_as_it_is_worth_the_wait(self):
        limits = {"windows": [{"requests": 1, "per": "1s"}]}
        for wait, second in (("5s", "one"), ("0s", "two")):
            with self.subTest(wait):
                server = self.pair({}, limits=limits, wait_up_to=wait)
                self.assertEqual([self.answered_by(server) for _ in range(2)], ["one", second])

    def test_fastest_first(self):
        self.simulator.behave("slow", {"latency_ms": 120})
        self.simulator.behave("quick", {})
        server = self.start([provider(self.simulator, "slow"), provider(self.simulator, "quick")])
        self.assertEqual(self.answered_by(server), "slow")
        by_speed = {"prompt": "x", "plan": "fastest-first"}
        self.assertEqual([self.answered_by(server, by_speed) for _ in range(3)], ["quick"] * 3)
        self.assertEqual(self.answered_by(server), "slow")

    def test_cheapest_first(self):
        self.simulator.behave("dear", {})
        self.simulator.behave("cheap", {})
        server = self.start([provider(self.simulator, "dear", price={"input": 5, "output": 15}),
                             provider(self.simulator, "cheap", price={"input": 0.1, "output": 0.4})])
        self.assertEqual(self.answered_by(server, {"prompt": "x", "plan": "cheapest-first"}), "cheap")
        self.assertEqual(self.answered_by(server), "dear")


if __name__ == "__main__":
    unittest.main()
