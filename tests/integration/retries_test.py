"""What becomes of a job whose provider does not answer as it should."""
import json
import time
import unittest

from lib import Case, call, provider, wait_until

ANSWER = {"product": "Coffee beans", "price": 18}
BAD = {"answer": "I would rather not."}
# A breaker that never opens, so that every attempt reaches the provider.
NEVER_OPENS = {"breaker": {"consecutive": 1000, "min_calls": 1000}}


class Retries(Case):
    def test_an_outage_is_waited_for_and_burns_no_attempt(self):
        steps = [{"status": 503}, {"html": True, "status": 200}, {"reset": "before_head"}]
        server = self.start_one({"steps": steps, "then": "ok"}, {"queue": {"max_attempts": 1}}, **NEVER_OPENS)
        job_id = self.queue(server, {"prompt": "x"})
        job = self.finished(server, job_id)
        self.assertEqual((job["status"], job["data"]["result"], job["data"]["fallback"]), ("completed", ANSWER, False))
        self.assertEqual(self.upstream_calls(), 4)
        self.assertEqual(self.listed(server, job_id)["attempts"], 0)

    def test_who_has_answered_badly_is_not_asked_again_while_another_is_waited_for(self):
        self.simulator.reset()
        self.simulator.behave("prose", BAD)
        self.simulator.behave("two", {"steps": [{"status": 503}, {"status": 503}], "then": "ok"})
        server = self.start([provider(self.simulator, "prose"), provider(self.simulator, "two", **NEVER_OPENS)],
                            {"queue": {"max_attempts": 1}})
        job_id = self.queue(server, {"prompt": "x"})
        job = self.finished(server, job_id)
        self.assertEqual((job["status"], job["data"]["result"], job["data"]["usedProvider"]), ("completed", ANSWER, "two"))
        self.assertNotIn("X-Stepper-Fallback", self.job(server, job_id).headers)
        self.assertEqual((self.upstream_calls("prose"), self.upstream_calls("two")), (1, 3))
        self.assertEqual([(a["provider"], a.get("skipped")) for a in job["data"]["providersAttempted"]],
                         [("prose", "answered_badly"), ("two", None)])
        self.assertNotIn("lastWords", json.dumps(job))

    def test_a_job_costs_no_more_than_it_may(self):
        self.simulator.reset()
        names = ["one", "two", "three"]
        for name in names:
            self.simulator.behave(name, {"steps": [{"reset": "mid_body"}], "then": "repeat"})
        server = self.start([provider(self.simulator, name, **NEVER_OPENS) for name in names], {"queue": {"max_calls": 4}})
        self.assertTrue(self.finished(server, self.queue(server, {"prompt": "x"}))["data"]["fallback"])
        self.assertEqual(sum(map(self.upstream_calls, names)), 4)

    def test_a_limited_provider_delays_the_job_and_burns_no_attempt(self):
        server = self.start_one({"steps": [{"status": 429, "retry_after": "1"}], "then": "ok"})
        job_id = self.queue(server, {"prompt": "x"})
        job = wait_until(lambda: self.delayed(server, job_id), 5)
        self.assertEqual(job["status"], "queued")
        self.assertIn(job["retryAfterSeconds"], (1, 2))
        began = time.monotonic()
        self.assertEqual(self.finished(server, job_id)["data"]["result"], ANSWER)
        self.assertLess(time.monotonic() - began, 4)
        self.assertEqual(self.listed(server, job_id)["attempts"], 0)

    def delayed(self, server, job_id):
        job = self.job(server, job_id).json
        return job if job["rawStatus"] == "delayed" else None

    def test_when_nobody_is_left_the_fallback_answers(self):
        server = self.start_one(BAD)
        job = self.finished(server, self.queue(server, {"prompt": "x"}))
        self.assertEqual((job["status"], job["data"]["usedProvider"], job["data"]["fallback"]), ("completed", "fallback", True))
        self.assertEqual(job["data"]["result"]["error"], "GENERATION_FAILED")
        self.assertIn("fallback", job["data"]["warnings"][0])
        for query in ("", "?wait=5"):
            self.assertEqual(self.job(server, job["id"], query).headers["X-Stepper-Fallback"], "true")
        listed = call("GET", server.url + "/v1/jobs?state=fallback").json["jobs"]
        self.assertEqual([(j["id"], j["status"], j["fallback"]) for j in listed], [(job["id"], "completed", True)])
        batch = self.queue(server, {"items": [{"id": "a", "request": {"prompt": "y"}}]}, "/v1/generate/batch")
        data = self.finished(server, batch)["data"]
        self.assertEqual((data["completed"], data["failed"], data["fallbacks"]), (1, 0, 1))
        self.assertEqual(self.upstream_calls(), 2)

    def test_without_a_fallback_it_has_failed(self):
        server = self.start_one(BAD, {"queue": {"max_attempts": 1}, "fallback": {"enabled": False}})
        job = self.finished(server, self.queue(server, {"prompt": "x"}))
        self.assertEqual((job["status"], job["rawStatus"]), ("failed", "failed"))
        self.assertEqual(job["error"], job["failure"]["message"])
        self.assertEqual((job["failure"]["errorCode"], job["failure"]["retryable"]), ("INVALID_RESPONSE", True))
        self.assertEqual([(a["provider"], a["errorCode"]) for a in job["failure"]["providersAttempted"]],
                         [("one", "INVALID_RESPONSE")])

    def test_jobs_may_fail_where_requests_fall_back(self):
        server = self.start_one(BAD, {"queue": {"max_attempts": 1}, "fallback": {"jobs": "fail"}})
        job = self.finished(server, self.queue(server, {"prompt": "x"}))
        self.assertEqual((job["status"], job["failure"]["errorCode"]), ("failed", "INVALID_RESPONSE"))
        self.assertTrue(self.generate(server, {"prompt": "x"}).json["metadata"]["fallback"])

    def test_a_refusal_is_final(self):
        server = self.start_one({"steps": [{"error": "content_filter"}], "then": "repeat"})
        job_id = self.queue(server, {"prompt": "x"})
        job = self.finished(server, job_id)
        self.assertEqual((job["status"], job["failure"]["errorCode"]), ("failed", "CONTENT_FILTERED"))
        self.assertFalse(job["failure"]["retryable"])
        self.assertEqual(self.upstream_calls(), 1)

    def test_a_failure_of_a_new_kind_is_told_at_once_and_each_once(self):
        steps = [{"error": "content_filter"}, {"error": "content_filter"}, BAD]
        server = self.start_one({"steps": steps, "then": "repeat"},
                                {"queue": {"max_attempts": 1}, "fallback": {"enabled": False}, "log": {"level": "debug"}})
        for i in range(len(steps)):
            self.finished(server, self.queue(server, {"prompt": f"x {i}"}))
        # Whoever runs a job tells of it, after the engine could have.
        wait_until(lambda: len(self.told("job failed")), wanted=len(steps))
        self.assertEqual(self.told("job failed", "no answer"), [("warn", "CONTENT_FILTERED"), ("debug", "CONTENT_FILTERED"), ("warn", "INVALID_RESPONSE")])

    def told(self, *events):
        lines = [json.loads(line) for line in self.log_text().splitlines()]
        return [(line["level"], line["errorCode"]) for line in lines if line["event"] in events]

    def test_the_time_limit_ends_a_job(self):
        hangs = {"steps": [{"hang": "head"}], "then": "repeat"}
        server = self.start_one(hangs, {"fallback": {"enabled": False}})
        began = time.monotonic()
        job = self.finished(server, self.queue(server, {"prompt": "x", "maxDurationSeconds": 1}))
        self.assertEqual(job["status"], "failed")
        self.assertLess(time.monotonic() - began, 4)
        self.await_upstream(0)


if __name__ == "__main__":
    unittest.main()
