"""Batches: independent items in one job."""
import time
import unittest

from lib import Case, call, wait_until

ANSWER = {"product": "Coffee beans", "price": 18}


def items(count, prompt="item {}"):
    return [{"id": f"i-{i}", "request": {"prompt": prompt.format(i)}} for i in range(count)]


class Batch(Case):
    def batch(self, server, batch_items, **more):
        return self.queue(server, {"items": batch_items, **more}, "/v1/generate/batch")

    def test_it_is_accepted(self):
        server = self.start_one()
        answer = self.post(server, {"items": items(3), "concurrency": 2}, "/v1/generate/batch")
        job_id = answer.json["jobId"]
        self.assertEqual((answer.status, answer.json), (202, {
            "status": "queued", "jobId": job_id, "statusUrl": "/v1/jobs/" + job_id, "contractVersion": "1",
            "itemCount": 3, "concurrency": 2}))
        self.assertEqual((answer.headers["Location"], answer.headers["Retry-After"]), ("/v1/jobs/" + job_id, "1"))
        self.assertEqual(self.post(server, {"items": items(1)}, "/v1/generate/batch").json["concurrency"], 5)

    def test_the_answers_come_in_the_order_of_the_items(self):
        server = self.start_one({"latency_ms": {"min": 1, "max": 80, "seed": 3}})
        wanted = items(20, "ECHO:{}:ECHO")
        job = self.finished(server, self.batch(server, wanted))
        self.assertEqual((job["status"], job["progress"]), ("completed", {"done": 20, "total": 20}))
        data = job["data"]
        self.assertEqual((data["total"], data["completed"], data["failed"]), (20, 20, 0))
        self.assertEqual([(item["id"], item["index"], item["status"], item["data"]) for item in data["items"]],
                         [(f"i-{i}", i, "completed", i) for i in range(20)])
        self.assertEqual(data["items"][0]["metadata"]["provider"], "one")

    # bensheldon/good_job#959: what one may say of a job holds for those that come many at a time.
    def test_an_item_has_its_own_time_limit(self):
        server = self.start_one({"latency_ms": 2500}, {"fallback": {"enabled": False}}, stream=False)
        wanted = items(3)
        wanted[0]["request"]["maxDurationSeconds"] = 1
        wanted[2]["request"]["maxDurationSeconds"] = 60
        data = self.finished(server, self.batch(server, wanted, maxDurationSeconds=1.5))["data"]
        self.assertEqual([item["status"] for item in data["items"]], ["failed", "failed", "completed"])
        self.assertEqual([item["failure"]["errorCode"] for item in data["items"][:2]], ["DEADLINE"] * 2)
        self.assertEqual(data["items"][0]["failure"]["providersAttempted"][0]["errorCode"], "TIMEOUT")

    def test_an_item_that_waits_for_room_keeps_its_time_limit(self):
        server = self.start_one({"latency_ms": 3000}, {"fallback": {"enabled": False}}, stream=False)
        wanted = items(2)
        wanted[1]["request"]["maxDurationSeconds"] = 1
        began = time.monotonic()
        batch = self.batch(server, wanted, concurrency=1)
        wait_until(lambda: self.job(server, batch).json["progress"]["done"], wanted=1)
        self.assertLess(time.monotonic() - began, 2)
        data = self.finished(server, batch)["data"]
        self.assertEqual([item["status"] for item in data["items"]], ["completed", "failed"])
        self.assertEqual(self.upstream_calls(), 1)

    def test_an_item_has_its_own_priority(self):
        server = self.start_one()
        wanted = items(5)
        for item, priority in zip(wanted, (7, None, 9, 0, 4)):
            if priority is not None:
                item["request"]["priority"] = priority
        self.finished(server, self.batch(server, wanted, concurrency=1, priority=5))
        asked = [next(i for i in range(5) if f"item {i}" in entry["body"]) for entry in self.simulator.log("one")]
        self.assertEqual(asked, [3, 4, 1, 0, 2])

    def test_a_failing_item_fails_alone(self):
        server = self.start_one({}, {"queue": {"max_attempts": 1}, "fallback": {"enabled": False}})
        wanted = items(3)
        wanted[1]["request"]["prompt"] = "ECHO:I am not JSON:ECHO"
        job = self.finished(server, self.batch(server, wanted))
        data = job["data"]
        self.assertEqual((job["status"], data["completed"], data["failed"]), ("completed", 2, 1))
        self.assertEqual([item["status"] for item in data["items"]], ["completed", "failed", "completed"])
        self.assertEqual(data["items"][1]["failure"]["errorCode"], "INVALID_RESPONSE")
        self.assertNotIn("data", data["items"][1])

    def test_progress_counts_items(self):
        server = self.start_one({"steps": [{}, {}, {"hang": "head"}]})
        job_id = self.batch(server, items(4), concurrency=1)
        job = wait_until(lambda: self.with_done(server, job_id, 2))
        self.assertEqual((job["status"], job["progress"]), ("active", {"done": 2, "total": 4}))
        self.assertNotIn("data", job)

    def with_done(self, server, job_id, count):
        job = self.job(server, job_id).json
        return job if job["progress"]["done"] == count else None

    def test_no_more_items_run_at_once_than_asked_for(self):
        server = self.start_one({"latency_ms": 100})
        self.finished(server, self.batch(server, items(12), concurrency=3))
        self.assertEqual(self.simulator.counters("one")["max_in_flight"], 3)

    def test_identical_items_cost_one_call(self):
        server = self.start_one({"latency_ms": 50})
        job = self.finished(server, self.batch(server, items(30, "the same")))
        self.assertEqual([item["data"] for item in job["data"]["items"]], [ANSWER] * 30)
        self.assertEqual(self.upstream_calls(), 1)

    def test_cached_items_cost_none(self):
        server = self.start_one()
        self.finished(server, self.batch(server, items(5)))
        self.assertEqual(self.upstream_calls(), 5)
        self.assertEqual(self.job(server, self.batch(server, items(5))).json["status"], "completed")
        self.finished(server, self.batch(server, items(6)))
        self.assertEqual(self.upstream_calls(), 6)
        self.assertEqual(self.post(server, {"prompt": "item 5"}).headers["X-Cache"], "HIT")

    def test_a_batch_with_an_identity_of_its_own_is_made_anew(self):
        server = self.start_one()
        for request_id, calls in (("first", 3), ("first", 3), ("second", 6)):
            self.finished(server, self.batch(server, items(3), requestId=request_id))
            self.assertEqual(self.upstream_calls(), calls)

    def test_another_contract_s_batch_is_refused(self):
        server = self.start_one()
        answer = self.post(server, {"items": items(1), "contractVersion": "2"}, "/v1/generate/batch")
        self.assertEqual((answer.status, answer.json["errorCode"], answer.json["supportedVersion"]),
                         (400, "SCHEMA_VERSION_MISMATCH", "1"))

    def test_the_batch_s_tenant_is_that_of_its_items(self):
        server = self.start_one()
        own = [{"id": "own", "request": {"prompt": "x", "tenantId": "u"}}]
        self.finished(server, self.batch(server, items(1, "x") + own, tenantId="t"))
        words = [self.post(server, {"prompt": "x", **tenant}).headers["X-Cache"]
                 for tenant in ({"tenantId": "t"}, {"tenantId": "u"}, {})]
        self.assertEqual(words, ["HIT", "HIT", "MISS"])

    def test_a_batch_can_be_cancelled(self):
        server = self.start_one({"steps": [{}, {"hang": "head"}]})
        job_id = self.batch(server, items(10), concurrency=3)
        wait_until(lambda: self.with_done(server, job_id, 1))
        self.await_upstream(3)
        self.assertEqual(call("DELETE", f"{server.url}/v1/jobs/{job_id}").json["status"], "cancelled")
        wait_until(lambda: self.simulator.counters("one")["in_flight"], 1, wanted=0)
        job = self.job(server, job_id).json
        self.assertEqual(job["status"], "cancelled")
        data = job["data"]
        self.assertEqual((data["total"], data["completed"], data["failed"]), (10, 1, 9))
        self.assertEqual(sorted(item["status"] for item in data["items"]), ["cancelled"] * 9 + ["completed"])
        self.assertEqual(self.upstream_calls(), 4)

    def test_single_jobs_do_not_wait_for_a_batch(self):
        server = self.start_one({"latency_ms": 200}, {"queue": {"workers": 1}, "batch": {"max_running": 1}})
        job_id = self.batch(server, items(100))
        self.await_upstream(5)
        for i in range(3):
            began = time.monotonic()
            self.assertEqual(self.finished(server, self.queue(server, {"prompt": f"single {i}"}))["status"], "completed")
            self.assertLess(time.monotonic() - began, 1.5)
        self.assertLess(self.job(server, job_id).json["progress"]["done"], 100)

    def test_an_item_that_a_client_asks_for_by_itself_is_hurried(self):
        server = self.start_one({"steps": [{"hang": "head"}, {}]})
        job_id = self.batch(server, items(50), concurrency=1)
        self.await_upstream(1)
        answer = self.post(server, {"prompt": "item 40"})
        self.assertEqual(answer.headers["X-Cache"], "COALESCED")
        self.assertEqual(self.finished(server, answer.json["jobId"])["data"]["result"], ANSWER)
        self.assertEqual(self.job(server, job_id).json["progress"]["done"], 1)

    def test_what_is_not_a_batch(self):
        server = self.start_one({}, {"batch": {"max_items": 3, "max_concurrency": 2}})
        one = items(1)
        cases = {
            "Batch items must be a non-empty array": [{}, {"items": []}, {"items": {}}],
            "Batch cannot contain more than 3 items": [{"items": items(4)}],
            "Batch item IDs must be unique (duplicate: 'i-0')": [{"items": one + one}],
            "Invalid items[0]: expected an object with a unique id and request object":
                [{"items": [{**one[0], "id": bad}]} for bad in ("", "x" * 129, 7)] +
                [{"items": ["x"]}, {"items": [{"id": "a"}]}, {"items": [{"id": "a", "request": 1}]}],
            "Invalid items[1].request: Missing required field: prompt": [{"items": one + [{"id": "b", "request": {}}]}],
            "Invalid concurrency: expected an integer from 1 to 2": [{"items": one, "concurrency": bad} for bad in (0, 3, 1.5, "1")],
            "Invalid maxDurationSeconds: expected a positive number of at most 86400":
                [{"items": one, "maxDurationSeconds": bad} for bad in (0, -1, 86401, "1")],
            "Invalid tenantId: expected a string up to 256 characters": [{"items": one, "tenantId": bad} for bad in (1, "x" * 257)],
        }
        for sentence, bodies in cases.items():
            for body in bodies:
                with self.subTest(sentence, body=str(body)[:60]):
                    answer = self.post(server, body, "/v1/generate/batch")
                    self.assertEqual((answer.status, answer.json["error"], answer.json["errorCode"]), (400, sentence, "BAD_REQUEST"))

    def test_a_restart_loses_nothing(self):
        server = self.start_one()
        done = self.batch(server, items(3))
        result = self.finished(server, done)
        self.simulator.behave("one", {"steps": [{}, {}, {"hang": "head"}]})
        half = self.batch(server, items(6, "half {}"), concurrency=1)
        wait_until(lambda: self.with_done(server, half, 2))
        server.stop()
        server = self.start_one()
        self.assertEqual(self.finished(server, done), result)
        self.assertEqual(self.finished(server, half)["data"]["completed"], 6)
        self.assertEqual(self.upstream_calls(), 4)


if __name__ == "__main__":
    unittest.main()
