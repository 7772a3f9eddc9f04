"""What a request may hope for: told at once when there is nothing, by its own size, its own providers and its own time."""
import threading
import time
import unittest

from lib import Case, call, provider, run_stepper

NO_FALLBACK = {"fallback": {"enabled": False}}
SLOW = {"latency_ms": 60_000}


class Hope(Case):
    def setUp(self):
        super().setUp()
        self.simulator.reset()

    def run_beside(self, server, body, n=1):
        """Requests whose answers nobody waits for here."""
        for _ in range(n):
            def ask():
                try:
                    self.generate(server, body, timeout=60)
                except OSError:
                    pass
            threading.Thread(target=ask, daemon=True).start()

    def story(self, answer):
        return [(a["provider"], a.get("skipped") or a.get("errorCode") or "answered")
                for a in answer.json.get("metadata", answer.json)["providersAttempted"]]

    # Sizes.

    def sized(self, **limits):
        self.simulator.behave("small", {})
        return self.start([provider(self.simulator, "small", limits=limits)], NO_FALLBACK)

    def test_a_prompt_above_any_limit_reaches_nobody(self):
        server = self.start_one(settings=NO_FALLBACK)
        prompt = "a" * 5_000_000
        for path in ("/v1/generate/immediate", "/v1/generate"):
            answer = self.post(server, {"prompt": prompt}, path)
            self.assertEqual(answer.status, 400, path)
            self.assertIn("longer than", answer.json["error"])
        told = run_stepper("generate", "-c", self.folder / "stepper.yaml", "-", input=prompt)
        self.assertEqual((told.returncode, told.stdout), (1, ""))
        self.assertIn("longer than", told.stderr)
        self.assertNotRegex(told.stderr, "(?m)^one: ", "nobody was tried")
        self.assertEqual(self.upstream_calls("one"), 0)
        self.assertNotIn("provider_failures_total{", call("GET", server.url + "/metrics").raw.decode())

    def test_what_fits_nowhere_is_told_so_before_anything_is_sent(self):
        for limits in ({"tpm": 5_000}, {"tpd": 5_000}, {"windows": [{"tokens": 5_000, "per": "10s"}]}):
            with self.subTest(limits):
                self.simulator.reset()
                server = self.sized(**limits)
                large = {"prompt": "word " * 8_000, "responseMode": "text"}
                answer = self.generate(server, large)
                self.assertEqual((answer.status, answer.json["errorCode"], answer.json["retryable"]), (400, "CONTEXT_LENGTH", False))
                self.assertNotIn("Retry-After", answer.headers)
                self.assertEqual(self.story(answer), [("small", "too_large")])
                posted = self.post(server, large)
                self.assertEqual((posted.status, posted.json["errorCode"], posted.json["retryable"]), (400, "CONTEXT_LENGTH", False))
                self.assertEqual(self.story(posted), [("small", "too_large")])
                batch = self.post(server, {"items": [{"id": "a", "request": {"prompt": "x"}}, {"id": "b", "request": large}]},
                                  "/v1/generate/batch")
                self.assertEqual((batch.status, batch.json["errorCode"]), (400, "CONTEXT_LENGTH"))
                self.assertIn("items[1].request: The request is too large", batch.json["error"])
                # A key names its job, and that ends at once.
                job = self.finished(server, self.queue(server, large, headers={"Idempotency-Key": "k"}), 2)
                self.assertEqual((job["status"], job["failure"]["errorCode"]), ("failed", "CONTEXT_LENGTH"))
                metrics = call("GET", server.url + "/metrics").raw.decode()
                self.assertNotIn("provider_failures_total{", metrics)
                self.assertEqual(self.upstream_calls("small"), 0)
                self.assertEqual(self.generate(server, {"prompt": "x"}).status, 200)
                server.stop()
                (self.folder / "stepper.db").unlink()

    def test_the_next_provider_gets_what_does_not_fit_the_first(self):
        self.simulator.behave("small", {})
        self.simulator.behave("large", {})
        server = self.start([provider(self.simulator, "small", limits={"tpm": 5_000}), provider(self.simulator, "large")])
        answer = self.generate(server, {"prompt": "word " * 8_000, "responseMode": "text"})
        self.assertEqual(self.story(answer), [("small", "too_large"), ("large", "answered")])

    def test_a_providers_words_on_sizes_are_remembered_and_small_requests_go_on(self):
        self.simulator.behave("one", {"steps": [{"error": "context_length", "message":
                                                 "This model's maximum context length is 8192 tokens. However, your messages "
                                                 "resulted in 10338 tokens."}], "then": "ok"})
        server = self.start([provider(self.simulator, "one")], NO_FALLBACK)
        large = {"prompt": "word " * 8_000, "responseMode": "text"}
        self.assertEqual(self.story(self.generate(server, large)), [("one", "CONTEXT_LENGTH")])
        self.assertEqual(self.story(self.generate(server, large)), [("one", "too_large")])
        self.assertEqual(self.post(server, large).json["errorCode"], "CONTEXT_LENGTH")
        self.assertEqual(self.upstream_calls("one"), 1)
        self.assertNotIn("provider_failures_total{", call("GET", server.url + "/metrics").raw.decode())
        self.assertEqual(call("GET", server.url + "/health").json["status"], "healthy")
        self.assertEqual(self.generate(server, {"prompt": "x"}).status, 200)

    def test_one_that_does_not_fit_what_is_left_holds_nobody_up(self):
        self.simulator.behave("one", {"latency_ms": 300})
        server = self.start([provider(self.simulator, "one", concurrency=1, max_tokens=100, limits={"tpd": 20_000})], NO_FALLBACK)
        half = {"prompt": "word " * 9_000, "responseMode": "text"}
        self.assertEqual(self.generate(server, half).status, 200)
        answers = {}

        def ask(name, body):
            answers[name] = self.generate(server, body, headers={"X-Request-Timeout-Ms": "20000"})
        threads = [threading.Thread(target=ask, args=(str(i), half if i == 1 else {"prompt": f"x{i}", "responseMode": "text"}))
                   for i in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([answers[str(i)].status for i in (0, 2, 3, 4)], [200] * 4)
        self.assertEqual((answers["1"].status, answers["1"].json["errorCode"]), (429, "RATE_LIMIT"))
        self.assertGreater(int(answers["1"].headers["Retry-After"]), 20, "it waits for tomorrow")

    # Time.

    def test_a_deadline_that_passes_in_line_is_no_limit(self):
        self.simulator.behave("slow", SLOW)
        server = self.start([provider(self.simulator, "slow", concurrency=1)], {**NO_FALLBACK, "server": {"drain_timeout": "100ms"}})
        self.run_beside(server, {"prompt": "first"})
        self.await_upstream(1, "slow")
        for body, headers in (({"prompt": "x", "maxDurationSeconds": 0.2}, {}), ({"prompt": "x"}, {"X-Request-Timeout-Ms": "200"}),
                              ({"prompt": "x", "maxDurationSeconds": 0.01}, {})):
            answer = self.generate(server, body, headers=headers)
            self.assertEqual((answer.status, answer.json["errorCode"], answer.json["retryable"]), (504, "DEADLINE", True))
            self.assertEqual(self.story(answer), [("slow", "busy")])
        self.assertEqual(self.upstream_calls("slow"), 1)

    # Others' hope.

    def test_who_has_no_hope_is_told_at_once_though_others_wait(self):
        self.simulator.behave("slow", SLOW)
        self.simulator.behave("down", {"steps": [{"status": 500}], "then": "repeat"})
        server = self.start([provider(self.simulator, "slow", concurrency=1),
                             provider(self.simulator, "down", breaker={"min_calls": 1, "consecutive": 1, "open_for": "5m"})],
                            {**NO_FALLBACK, "server": {"drain_timeout": "100ms"}})
        only_down = {"prompt": "x", "excludeProviders": ["slow"]}
        self.generate(server, only_down)
        self.run_beside(server, {"prompt": "x", "excludeProviders": ["down"]}, 3)
        self.await_upstream(1, "slow")
        began = time.monotonic()
        answer = self.generate(server, only_down, headers={"X-Request-Timeout-Ms": "20000"})
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual((answer.status, self.story(answer)), (503, [("down", "circuit_open")]))

    # Time.

    def test_too_little_time_to_ask_anybody_is_told_as_such(self):
        self.simulator.behave("one", {})
        server = self.start([provider(self.simulator, "one")], NO_FALLBACK)
        answer = self.generate(server, {"prompt": "x"}, headers={"X-Request-Timeout-Ms": "30"})
        self.assertEqual((answer.status, answer.json["errorCode"]), (504, "DEADLINE"))
        self.assertEqual(self.story(answer), [("one", "deadline")])
        self.assertEqual(self.upstream_calls("one"), 0)

    # Order and jobs.

    def test_jobs_use_the_second_provider_when_the_first_stays_busy(self):
        self.simulator.behave("slow", SLOW)
        self.simulator.behave("idle", {})
        server = self.start([provider(self.simulator, "slow", concurrency=1, wait_up_to="1s"),
                             provider(self.simulator, "idle")], {"server": {"drain_timeout": "100ms"}})
        began = time.monotonic()
        self.queue(server, {"prompt": "holds the slot"})
        self.await_upstream(1, "slow")
        ids = [self.queue(server, {"prompt": f"x{i}"}) for i in range(3)]
        for job_id in ids:
            job = self.finished(server, job_id)
            self.assertEqual(job["data"]["usedProvider"], "idle")
        self.assertGreaterEqual(time.monotonic() - began, 1, "the first is preferred for so long")
        self.assertTrue(all(self.listed(server, job_id)["attempts"] <= 1 for job_id in ids))


class SetAside(Case):
    def test_a_model_that_does_not_exist_is_asked_once_and_told_once(self):
        self.simulator.behave("gone", {"steps": [{"error": "model"}], "then": "repeat"})
        self.simulator.behave("well", {})
        providers = [provider(self.simulator, "gone", model="m-0"), provider(self.simulator, "well")]
        server = self.start(providers)
        for _ in range(6):
            self.assertEqual(self.generate(server, {"prompt": "x"}).json["metadata"]["provider"], "well")
        self.assertEqual(self.upstream_calls("gone"), 1)
        shown = call("GET", server.url + "/v1/providers").json["providers"][0]
        self.assertEqual((shown["state"], shown["healthy"]), ("disabled", False))
        self.assertIn("model", shown["reason"])
        self.assertGreater(shown["retryAfterSeconds"], 200)
        log = self.log_text()
        self.assertEqual(log.count('"alert"'), 1)
        self.assertIn("m-0", log)
        # Another model is another matter.
        self.simulator.behave("gone", {})
        providers[0]["model"] = "m-1"
        self.write_config(providers)
        # The watch over the file may have been first.
        self.assertIn(self.admin("POST", server, "/admin/reload").json["status"], ("applied", "unchanged"))
        self.assertEqual(self.generate(server, {"prompt": "x"}).json["metadata"]["provider"], "gone")

    def test_a_refused_key_is_the_reason_that_is_told_as_long_as_it_is(self):
        self.simulator.behave("one", {"key": "another"})
        server = self.start([provider(self.simulator, "one")], NO_FALLBACK)
        for _ in range(2):
            answer = self.generate(server, {"prompt": "x"})
            self.assertEqual((answer.status, answer.json["errorCode"]), (502, "AUTH"), answer.raw)
        self.assertEqual(self.upstream_calls(), 1)

    def test_alone_its_absence_is_the_reason_that_is_told(self):
        self.simulator.behave("gone", {"steps": [{"error": "model"}], "then": "repeat"})
        server = self.start([provider(self.simulator, "gone", model="m-0")], NO_FALLBACK)
        self.generate(server, {"prompt": "x"})
        answer = self.generate(server, {"prompt": "x"})
        self.assertEqual(answer.status, 503)
        self.assertIn("does not know the model 'm-0'", answer.json["error"])


if __name__ == "__main__":
    unittest.main()
