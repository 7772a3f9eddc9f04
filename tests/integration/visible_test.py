"""What Stepper shows of its providers' limits and of who used them, and what requests may say about the order."""
import datetime
import unittest

from lib import Case, call, provider, wait_until

WINDOW = {"limits": {"windows": [{"requests": 10, "per": "5s"}], "skew": "0ms"}}
ONE_A_MINUTE = {"limits": {"rpm": 1}}
COMMIT = {"userId": "u-1", "commitSha": "c-1", "repo": "o/r", "message": "Fix bug", "files": ["a.ts"], "components": ["app"],
          "diffSummary": ""}


class Visible(Case):
    def get(self, server, path):
        answer = call("GET", server.url + path)
        self.assertEqual(answer.status, 200, answer.raw)
        return answer.json

    def provider_of(self, server, name="one"):
        return next(p for p in self.get(server, "/v1/providers")["providers"] if p["name"] == name)

    def metric(self, server, line):
        """The value of the metric with exactly these labels."""
        text = call("GET", server.url + "/metrics").raw.decode()
        return next(float(found.split()[-1]) for found in text.splitlines() if found.startswith(line + " "))


class UsageTest(Visible):
    STEPS = {"steps": [{"usage": {"prompt": 1000, "completion": 100}}], "then": "repeat"}
    PRICED = {"price": {"input": 2.0, "output": 10.0}}

    def usage(self, server, query=""):
        found = self.get(server, "/v1/usage" + query)
        rows = {(t["tenant"], p["provider"]): p for t in found["days"][0]["tenants"] for p in t["providers"]}
        return found, rows

    def test_requests_tokens_and_cost_by_tenant_and_after_a_restart(self):
        server = self.start_one(self.STEPS, **self.PRICED)
        self.generate(server, {"prompt": "x", "tenantId": "shop"})
        self.finished(server, self.queue(server, {"prompt": "x", "tenantId": "shop"}))
        self.post(server, COMMIT, "/v1/reports/immediate")
        self.simulator.behave("one", {"steps": [{"status": 503}]})
        self.generate(server, {"prompt": "x"})
        found, rows = self.usage(server)
        self.assertEqual(found["days"][0]["day"], datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"))
        self.assertEqual(rows["shop", "one"], {"provider": "one", "requests": 2, "failed": 0, "promptTokens": 2000,
                                               "completionTokens": 200, "estimatedCost": 0.006})
        self.assertEqual(rows["u-1", "one"]["requests"], 1)
        self.assertEqual((rows["", "one"]["requests"], rows["", "one"]["failed"]), (1, 1))
        self.assertEqual((found["total"]["requests"], found["total"]["failed"]), (4, 1))
        server.stop()

        again = self.start_one(self.STEPS, **self.PRICED)
        self.assertEqual(self.usage(again), (found, rows))
        self.generate(again, {"prompt": "x", "tenantId": "shop"})
        shop, rows = self.usage(again, "?days=31&tenant=shop")
        self.assertEqual(list(rows), [("shop", "one")])
        self.assertEqual((len(shop["days"]), shop["total"]["requests"]), (31, 3))

    def test_what_was_billed_for_no_answer_is_counted_and_the_metrics_count_the_same(self):
        billed = {"usage": {"prompt": 30, "completion": 7}}
        server = self.start_one({"steps": [{"refusal": "no", **billed},
                                           {"finish": "content_filter", "answer": "", **billed},
                                           {"finish": "length", "answer": "", **billed},
                                           {"usage": {"prompt": 1000, "completion": 100}}]}, **self.PRICED)
        for _ in range(4):
            self.generate(server, {"prompt": "x"})
        rows = self.usage(server)[1]
        self.assertEqual(rows["", "one"], {"provider": "one", "requests": 4, "failed": 3, "promptTokens": 1090,
                                           "completionTokens": 121, "estimatedCost": 0.00339})
        for direction, tokens in (("input", 1090), ("output", 121)):
            line = f'stepper_tokens_total{{direction="{direction}",provider="one"}}'
            self.assertEqual(self.metric(server, line), tokens)

    def test_a_job_whose_tokens_all_went_into_thinking_is_not_tried_again(self):
        server = self.start_one({"steps": [{"finish": "length", "answer": ""}], "then": "repeat"},
                                {"fallback": {"enabled": False}})
        job = self.finished(server, self.queue(server, {"prompt": "x"}))
        self.assertEqual(job["status"], "failed")
        self.assertIn("max_tokens", str(job["error"]))
        self.assertEqual(self.usage(server)[1]["", "one"]["requests"], 1)

    def test_what_never_left_is_not_counted_and_without_a_price_there_is_no_cost(self):
        server = self.start_one()
        self.assertEqual(self.generate(server, {"prompt": "   "}).status, 400)
        self.assertEqual(self.usage(server)[1], {})
        self.generate(server, {"prompt": "x"})
        self.assertNotIn("estimatedCost", self.usage(server)[1]["", "one"])

    def test_parameters_are_checked(self):
        server = self.start_one()
        for query in ("days=0", "days=32", "days=x", "days=", "tenant=" + "t" * 257):
            answer = call("GET", f"{server.url}/v1/usage?{query}")
            self.assertEqual(answer.status, 400, query)
            self.assertIn("Invalid " + query.split("=")[0], answer.json["error"])


class PlanTest(Visible):
    def test_more_jobs_take_as_long_as_the_quotas_say(self):
        server = self.start_one(**WINDOW)
        for jobs, soonest in ((0, 0), (10, 0), (11, 5), (30, 10)):
            found = self.get(server, f"/v1/plan?jobs={jobs}")
            self.assertIn(found["estimatedSeconds"], (soonest, soonest + 1), found)
            self.assertEqual((found["jobs"], found["queued"], found["ready"]), (jobs, 0, True))
        self.assertEqual(found["providers"], [{"provider": "one", "share": 1.0, "firstInSeconds": 0}])
        self.assertRegex(found["estimatedAt"], r"^20\d\d-.*Z$")

    def test_what_is_queued_counts(self):
        server = self.start_one(**ONE_A_MINUTE)
        jobs = [self.queue(server, {"prompt": str(i)}) for i in range(3)]
        self.finished(server, jobs[0])
        found = self.get(server, "/v1/plan")
        self.assertEqual((found["queued"], found["ready"]), (2, False))
        self.assertTrue(60 < found["estimatedSeconds"] <= 122, found)
        self.assertTrue(50 < found["providers"][0]["firstInSeconds"] <= 61, found)

    def test_what_cannot_be_told(self):
        server = self.start_one(limits={"rpd": 1})
        found = self.get(server, "/v1/plan?jobs=1000")
        self.assertEqual((found["estimatedSeconds"], found["estimatedAt"]), (None, None))
        self.assertIn("31 days", found["reason"])
        for query in ("jobs=-1", "jobs=1000001", "jobs=many"):
            self.assertEqual(call("GET", f"{server.url}/v1/plan?{query}").status, 400, query)


class ProvidersTest(Visible):
    def test_quotas_latency_and_why(self):
        server = self.start_one({"latency_ms": 30}, limits={"rpm": 1, "tpd": 100000})
        before = self.provider_of(server)
        self.assertEqual((before["state"], before["latency"], before["consecutiveFailures"]), ("ready", {}, 0))
        self.assertEqual([(q["window"], q["remaining"]) for q in before["quotas"]], [("rpm", 1), ("tpd", 100000)])
        self.assertEqual(self.metric(server, 'stepper_provider_ready{provider="one"}'), 1)
        self.generate(server, {"prompt": "x"})
        after = self.provider_of(server)
        self.assertEqual((after["state"], after["healthy"], after["circuitOpen"]), ("rate_limited", True, False))
        self.assertIn("rpm", after["reason"])
        self.assertTrue(50 < after["retryAfterSeconds"] <= 61, after)
        self.assertGreaterEqual(after["latency"]["p50Ms"], 30)
        self.assertEqual(after["latency"]["p50Ms"], after["latency"]["p95Ms"])
        rpm, tpd = after["quotas"]
        self.assertEqual((rpm["used"], rpm["remaining"]), (1, 0))
        self.assertTrue(0 < tpd["used"] < 1000, tpd)
        self.assertTrue(0 < tpd["resetInSeconds"] <= 86410, tpd)
        self.assertEqual(self.get(server, "/health")["status"], "healthy")
        self.assertEqual(self.metric(server, 'stepper_provider_ready{provider="one"}'), 0)
        self.assertEqual(self.metric(server, 'stepper_quota_remaining{provider="one",window="rpm"}'), 0)
        self.assertEqual(self.metric(server, 'stepper_quota_remaining{provider="one",window="tpd"}'), tpd["remaining"])

    def test_failures_too_seldom_to_open_the_circuit(self):
        page = {"steps": [{"html": True, "status": 200}]}
        server = self.start_one(page, breaker={"min_calls": 100, "consecutive": 3})
        for _ in range(3):
            self.generate(server, {"prompt": "x"})
        one = self.provider_of(server)
        self.assertEqual((one["state"], one["healthy"], one["consecutiveFailures"]), ("ready", False, 3))
        self.assertEqual(one["reason"], "its last 3 answers were failures; it is still asked")
        health = call("GET", server.url + "/health")
        self.assertEqual((health.status, health.json["status"]), (200, "degraded"))
        self.simulator.behave("one", {})
        self.generate(server, {"prompt": "x"})
        self.assertEqual((self.provider_of(server)["healthy"], self.get(server, "/health")["status"]), (True, "healthy"))

    def test_an_open_circuit(self):
        server = self.start_one({"steps": [{"status": 503}]}, breaker={"min_calls": 2})
        self.assertEqual(self.metric(server, 'stepper_circuit_open{provider="one"}'), 0)
        for _ in range(2):
            self.generate(server, {"prompt": "x"})
        one = self.provider_of(server)
        self.assertEqual((one["state"], one["circuitOpen"], one["healthy"]), ("circuit_open", True, False))
        self.assertEqual((one["reason"], one["consecutiveFailures"]), ("it failed too often", 2))
        self.assertGreater(one["retryAfterSeconds"], 0)
        self.assertEqual(self.metric(server, 'stepper_circuit_open{provider="one"}'), 1)
        self.assertEqual(call("GET", server.url + "/health").status, 503)

    def test_the_list_of_endpoints_names_them(self):
        endpoints = self.get(self.start_one(), "/")["endpoints"]
        self.assertTrue({"GET /v1/usage", "GET /v1/forecast", "GET /v1/plan", "GET /v1/providers"} <= set(endpoints))


class HeadersTest(Visible):
    def limits(self, answer):
        return [answer.headers[name] for name in
                ("RateLimit", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")]

    def test_answers_tell_what_is_left(self):
        server = self.start_one(limits={"rpm": 2})
        self.assertEqual(self.limits(self.generate(server, {"prompt": "x"})), ['"providers";r=1;t=0', "2", "1", "0"])
        self.generate(server, {"prompt": "x"})
        for answer in (self.generate(server, {"prompt": "x", "maxDurationSeconds": 1}),
                       self.post(server, {"prompt": "queued"}), self.post(server, COMMIT, "/v1/reports"),
                       self.post(server, {"items": [{"id": "a", "request": {"prompt": "x"}}]}, "/v1/generate/batch")):
            self.assertIn(answer.status, (202, 429))
            ratelimit, limit, remaining, reset = self.limits(answer)
            self.assertEqual((limit, remaining), ("2", "0"))
            self.assertTrue(50 < int(reset) <= 61, reset)
            self.assertEqual(ratelimit, f'"providers";r=0;t={reset}')

    def test_without_quotas_there_is_nothing_to_tell(self):
        server = self.start_one()
        self.assertEqual(self.limits(self.generate(server, {"prompt": "x"})), [None] * 4)

    def test_browsers_may_read_them(self):
        server = self.start_one(settings={"security": {"cors": {"allowed_origins": ["https://a.example"]}}}, limits={"rpm": 9})
        answer = self.generate(server, {"prompt": "x"}, headers={"Origin": "https://a.example"})
        exposed = answer.headers["Access-Control-Expose-Headers"]
        for name in ("RateLimit", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"):
            self.assertIn(name, [one.strip() for one in exposed.split(",")])


class WhenLimitedTest(Visible):
    LATE = {"prompt": "x", "maxDurationSeconds": 1}

    def test_usually_it_is_a_429(self):
        server = self.start_one(**ONE_A_MINUTE)
        self.generate(server, self.LATE)
        answer = self.generate(server, self.LATE)
        self.assertEqual((answer.status, answer.json["errorCode"]), (429, "RATE_LIMIT"))
        self.assertTrue(50 < int(answer.headers["Retry-After"]) <= 61)

    def test_the_fallback_answers_where_that_is_wanted(self):
        server = self.start_one(settings={"fallback": {"when_limited": True}}, **ONE_A_MINUTE)
        self.generate(server, self.LATE)
        answer = self.generate(server, self.LATE)
        self.assertEqual((answer.status, answer.json["metadata"]["provider"], answer.json["metadata"]["fallback"]),
                         (200, "fallback", True))
        self.assertEqual(answer.json["metadata"]["providersAttempted"][0]["skipped"], "rate_limited")
        report = self.post(server, COMMIT, "/v1/reports/immediate", headers={"X-Request-Timeout-Ms": "1000"})
        self.assertEqual((report.status, report.json["metadata"]["fallback"]), (200, True))
        self.assertTrue(report.json["data"]["title"])
        # Jobs can wait, so they do.
        job_id = self.queue(server, {"prompt": "later"})
        job = wait_until(lambda: (seen := self.job(server, job_id).json)["status"] == "queued" and seen)
        self.assertNotIn("data", job)


class OrderTest(Visible):
    def start_three(self):
        self.simulator.reset()
        return self.start([provider(self.simulator, "unpriced"),
                           provider(self.simulator, "dear", price={"input": 5, "output": 20}),
                           provider(self.simulator, "cheap", price={"input": 1, "output": 2})])

    def used(self, server, **more):
        return self.generate(server, {"prompt": "x", **more}).json["metadata"]["provider"]

    def test_a_request_says_in_which_order(self):
        server = self.start_three()
        self.assertEqual(self.used(server), "unpriced")
        self.assertEqual(self.used(server, plan="manual"), "unpriced")
        self.assertEqual(self.used(server, plan="cheapest-first"), "cheap")
        self.assertEqual(self.used(server, plan="cheapest-first", preferredProviders=["dear"]), "dear")
        report = self.post(server, {**COMMIT, "plan": "cheapest-first"}, "/v1/reports/immediate")
        self.assertEqual(report.json["metadata"]["provider"], "cheap")

    def test_the_fastest_goes_first(self):
        server = self.start_three()
        self.simulator.behave("unpriced", {"latency_ms": 200})
        self.simulator.behave("dear", {"latency_ms": 100})
        for name in ("unpriced", "dear", "cheap"):
            self.assertEqual(self.used(server, preferredProviders=[name]), name)
        self.assertEqual(self.used(server, plan="fastest-first"), "cheap")
        self.assertEqual(self.used(server, plan="fastest-first", excludeProviders=["cheap"]), "dear")

    def test_jobs_and_items_of_batches_do_too(self):
        server = self.start_three()
        job = self.finished(server, self.queue(server, {"prompt": "x", "plan": "cheapest-first"}))
        self.assertEqual(job["data"]["usedProvider"], "cheap")
        # Another order is another request.
        job = self.finished(server, self.queue(server, {"prompt": "x"}))
        self.assertEqual(job["data"]["usedProvider"], "unpriced")
        items = [{"id": "a", "request": {"prompt": "y", "plan": "cheapest-first"}}, {"id": "b", "request": {"prompt": "y"}}]
        job = self.finished(server, self.queue(server, {"items": items}, "/v1/generate/batch"))
        self.assertEqual([item["metadata"]["provider"] for item in job["data"]["items"]], ["cheap", "unpriced"])

    def test_other_words_are_refused(self):
        server = self.start_three()
        words = "Invalid plan: expected 'manual', 'fastest-first', or 'cheapest-first'"
        for path in ("/v1/generate", "/v1/generate/immediate"):
            answer = self.post(server, {"prompt": "x", "plan": "fastest"}, path)
            self.assertEqual((answer.status, answer.json["error"]), (400, words))
        for path in ("/v1/reports", "/v1/reports/immediate"):
            answer = self.post(server, {**COMMIT, "plan": 1}, path)
            self.assertEqual((answer.status, answer.json["error"]), (400, words))


if __name__ == "__main__":
    unittest.main()
