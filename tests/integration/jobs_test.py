"""Jobs over HTTP: accept, ask, wait, list, drop, run again."""
import threading
import time
import unittest

from lib import Case, Connection, call, wait_until

HANGS = {"steps": [{"hang": "head"}], "then": "repeat"}
ANSWER = {"product": "Coffee beans", "price": 18}


class Asking(Case):
    def test_a_queued_job_says_where_to_ask(self):
        server = self.start_one()
        answer = self.post(server, {"prompt": "x"})
        self.assertEqual(answer.status, 202)
        job_id = answer.json["jobId"]
        self.assertEqual(answer.json, {"status": "queued", "jobId": job_id, "statusUrl": "/v1/jobs/" + job_id,
                                       "contractVersion": "1"})
        self.assertEqual((answer.headers["Location"], answer.headers["Retry-After"]), ("/v1/jobs/" + job_id, "1"))
        job = self.finished(server, job_id)
        self.assertEqual((job["id"], job["status"], job["progress"]), (job_id, "completed", 100))
        self.assertEqual((job["data"]["result"], job["data"]["usedProvider"]), (ANSWER, "one"))
        self.assertIsNone(self.job(server, job_id).headers["Retry-After"])

    def test_waiting_ends_with_the_job(self):
        server = self.start_one({"latency_ms": 700})
        job_id = self.queue(server, {"prompt": "x"})
        woken = {}

        def wait():
            woken["answer"] = self.job(server, job_id, "?wait=20")
            woken["at"] = time.monotonic()

        client = threading.Thread(target=wait)
        client.start()
        wait_until(lambda: self.job(server, job_id).json["status"], wanted="completed")
        ended = time.monotonic()
        client.join()
        self.assertEqual(woken["answer"].json["status"], "completed")
        self.assertLess(woken["at"] - ended, 0.25)

    def test_waiting_ends_in_time(self):
        server = self.start_one(HANGS)
        job_id = self.queue(server, {"prompt": "x"})
        began = time.monotonic()
        answer = self.job(server, job_id, "?wait=1")
        waited = time.monotonic() - began
        self.assertIn(answer.json["status"], ("queued", "active"))
        self.assertEqual(answer.headers["Retry-After"], "1")
        self.assertGreater(waited, 0.95)
        self.assertLess(waited, 2.5)

    def test_until_change_returns_when_the_state_moves_on(self):
        server = self.start_one(HANGS, {"queue": {"workers": 1}})
        first = self.queue(server, {"prompt": "first"})
        self.await_upstream(1)
        second = self.queue(server, {"prompt": "second"})
        seen = {}
        client = threading.Thread(
            target=lambda: seen.update(self.job(server, second, "?wait=20&until=change").json))
        client.start()
        client.join(0.2)
        self.assertTrue(client.is_alive())
        call("DELETE", f"{server.url}/v1/jobs/{first}")
        client.join(2)
        self.assertEqual(seen["status"], "active")

    def test_a_client_that_stops_waiting_frees_its_connection(self):
        server = self.start_one(HANGS, {"server": {"drain_timeout": "100ms", "max_connections": 4}})
        job_id = self.queue(server, {"prompt": "x"})
        clients = []

        def full():
            # A connection just closed may still count, so that one of the first four is turned away.
            if call("GET", server.url + "/livez").status == 503:
                return True
            clients.append(Connection(server.port))
            clients[-1].send("GET", f"/v1/jobs/{job_id}?wait=60")
            return False

        wait_until(full)
        for client in clients:
            client.close()
        wait_until(lambda: call("GET", server.url + "/livez").status, 2, wanted=200)

    def test_what_is_missing_is_missing_at_once(self):
        server = self.start_one()
        began = time.monotonic()
        for method, path in (("GET", "nope"), ("GET", "nope?wait=30"), ("GET", "nope/events"), ("DELETE", "nope")):
            answer = call(method, f"{server.url}/v1/jobs/{path}")
            self.assertEqual((answer.status, answer.json["error"], answer.json["errorCode"]), (404, "Job not found", "NOT_FOUND"))
        self.assertLess(time.monotonic() - began, 2)

    def test_the_list(self):
        server = self.start_one(settings={"queue": {"workers": 1}})
        done = [self.queue(server, {"prompt": str(i), "tenantId": "t"}) for i in range(3)]
        for job_id in done:
            self.finished(server, job_id)
        self.simulator.behave("one", HANGS)
        running = self.queue(server, {"prompt": "running"})
        self.await_upstream(1)
        waiting = self.queue(server, {"prompt": "waiting"})

        def ids(query):
            return [job["id"] for job in call("GET", server.url + "/v1/jobs" + query).json["jobs"]]

        self.assertEqual(ids(""), [waiting, running, *reversed(done)])
        self.assertEqual(ids("?limit=2"), [waiting, running])
        pages, path = [], "/v1/jobs?limit=2"
        while path:
            page = call("GET", server.url + path).json
            pages.append([job["id"] for job in page["jobs"]])
            path = "next" in page and f"/v1/jobs?limit=2&before={page['next']}"
        self.assertEqual(pages, [[waiting, running], done[:0:-1], done[:1]])
        self.assertEqual(ids("?state=completed"), done[::-1])
        self.assertEqual(ids("?state=completed&limit=1"), done[-1:])
        self.assertEqual((ids("?state=active"), ids("?state=queued"), ids("?state=failed")), ([running], [waiting], []))
        # What is not asked for does not use the limit up.
        open_batches = [self.queue(server, {"items": [{"id": "a", "request": {"prompt": f"batch {n}"}}]}, "/v1/generate/batch")
                        for n in range(2)]
        wait_until(lambda: set(ids("?state=active")) >= set(open_batches))
        follower = self.queue(server, {"prompt": "running", "maxDurationSeconds": 600})
        self.assertEqual(ids("?state=queued&limit=2"), [follower, waiting])
        self.assertEqual(ids("?state=waiting&limit=1"), [follower])
        self.assertEqual(ids("?state=active&limit=3"), [*reversed(open_batches), running])
        line = self.listed(server, done[0])
        self.assertEqual((line["kind"], line["tenantId"], line["attempts"], line["crashes"]), ("generate", "t", 0, 0))
        self.assertNotIn("data", line)

    def test_bad_parameters_are_told_in_a_sentence(self):
        server = self.start_one()
        for query, word in (("?state=done", "state"), ("?limit=0", "limit"), ("?limit=many", "limit"), ("?limit=-1", "limit"), ("?before=x", "before"),
                            ("/any?wait=soon", "wait"), ("/any?wait=-1", "wait"), ("/any?wait=1.5", "wait")):
            with self.subTest(query):
                answer = call("GET", server.url + "/v1/jobs" + query)
                self.assertEqual(answer.status, 400)
                self.assertRegex(answer.json["error"], f"^Invalid {word}: expected ")

    def test_the_key_guards_every_endpoint(self):
        server = self.start_one(settings={"security": {"api_key": "sesame"}})
        for method, path in (("POST", "/v1/generate"), ("POST", "/v1/reports"), ("POST", "/v1/generate/batch"),
                             ("GET", "/v1/jobs"), ("GET", "/v1/jobs/x"), ("DELETE", "/v1/jobs/x"),
                             ("GET", "/v1/jobs/x/events"), ("POST", "/v1/jobs/x/retry"), ("GET", "/v1/reports/x"),
                             ("DELETE", "/v1/reports?userId=u&commitSha=c")):
            with self.subTest(path, method=method):
                body = {"prompt": "x"} if method == "POST" else None
                self.assertEqual(call(method, server.url + path, body).status, 401)
                self.assertNotEqual(call(method, server.url + path, body, {"x-api-key": "sesame"}).status, 401)


class TimeLimits(Case):
    def slow(self, seconds, **settings):
        settings = {"fallback": {"enabled": False}, **settings}
        return self.start_one({"latency_ms": int(seconds * 1000)}, settings, stream=False)

    def told(self, job):
        return job["failure"]["errorCode"], [(a["provider"], a.get("errorCode")) for a in job["failure"]["providersAttempted"]]

    def test_a_job_ends_when_its_time_is_up_and_tells_its_story(self):
        server = self.slow(10)
        began = time.monotonic()
        job = self.finished(server, self.queue(server, {"prompt": "x", "maxDurationSeconds": 1}))
        took = time.monotonic() - began
        self.assertEqual((job["status"], self.told(job)), ("failed", ("DEADLINE", [("one", "TIMEOUT")])))
        self.assertGreater(took, 0.9)
        self.assertLess(took, 1.8)
        self.assertEqual(self.upstream_calls(), 1)

    def test_the_fallback_comes_in_time_too(self):
        server = self.slow(10, fallback={"enabled": True})
        began = time.monotonic()
        job = self.finished(server, self.queue(server, {"prompt": "x", "maxDurationSeconds": 1}))
        self.assertLess(time.monotonic() - began, 1.8)
        self.assertEqual((job["status"], job["data"]["fallback"]), ("completed", True))
        self.assertEqual(job["data"]["providersAttempted"][0]["errorCode"], "TIMEOUT")
        self.assertEqual(self.upstream_calls(), 1)

    def test_what_was_tried_is_told_although_the_time_ran_out_between_two_tries(self):
        server = self.start_one({"steps": [{"status": 503}], "then": "repeat"},
                                {"fallback": {"enabled": False}, "queue": {"max_attempts": 100}})
        job = self.finished(server, self.queue(server, {"prompt": "x", "maxDurationSeconds": 3}))
        self.assertEqual(self.told(job), ("DEADLINE", [("one", "UPSTREAM_UNAVAILABLE")]))
        self.assertGreater(self.upstream_calls(), 0)

    def test_it_is_kept_without_a_worker(self):
        server = self.slow(30, queue={"workers": 1})
        self.queue(server, {"prompt": "long"})
        self.await_upstream(1)
        began = time.monotonic()
        job = self.finished(server, self.queue(server, {"prompt": "short", "maxDurationSeconds": 1}))
        self.assertLess(time.monotonic() - began, 1.8)
        self.assertEqual(self.told(job)[0], "DEADLINE")
        self.assertEqual(self.upstream_calls(), 1)

    def test_who_joins_a_flight_keeps_its_own_longer_time(self):
        server = self.slow(2)
        short = self.queue(server, {"prompt": "same", "maxDurationSeconds": 1})
        long = self.post(server, {"prompt": "same", "maxDurationSeconds": 60})
        self.assertEqual(long.headers["X-Cache"], "COALESCED")
        self.assertEqual(self.finished(server, short)["status"], "failed")
        self.assertEqual(self.finished(server, long.json["jobId"])["data"]["result"], ANSWER)

    def test_who_joins_a_flight_keeps_its_own_shorter_time(self):
        server = self.slow(3)
        long = self.queue(server, {"prompt": "same"})
        self.await_upstream(1)
        began = time.monotonic()
        short = self.finished(server, self.queue(server, {"prompt": "same", "maxDurationSeconds": 1}))
        self.assertLess(time.monotonic() - began, 1.8)
        self.assertEqual(self.told(short)[0], "DEADLINE")
        self.assertEqual(self.finished(server, long)["data"]["result"], ANSWER)
        self.assertEqual(self.upstream_calls(), 1)

    def test_who_joins_a_flight_without_a_limit_has_none(self):
        server = self.slow(2)
        short = self.queue(server, {"prompt": "same", "maxDurationSeconds": 1})
        patient = self.queue(server, {"prompt": "same"})
        self.assertEqual(self.finished(server, short)["status"], "failed")
        self.assertEqual(self.finished(server, patient)["data"]["result"], ANSWER)

    def test_one_call_answers_all_however_long_they_would_wait(self):
        server = self.slow(1)
        ids = [self.queue(server, {"prompt": "same", **limit})
               for limit in ({}, {"maxDurationSeconds": 30}, {"maxDurationSeconds": 60}, {})]
        self.assertEqual(len(set(ids)), 3)
        for job_id in ids:
            self.assertEqual(self.finished(server, job_id)["data"]["result"], ANSWER)
        self.assertEqual(self.upstream_calls(), 1)

    def test_run_again_it_has_its_limit_again(self):
        server = self.slow(10)
        job_id = self.queue(server, {"prompt": "x", "maxDurationSeconds": 1})
        self.finished(server, job_id)
        began = time.monotonic()
        again = call("POST", f"{server.url}/v1/jobs/{job_id}/retry").json["jobId"]
        self.assertEqual(self.finished(server, again)["failure"]["errorCode"], "DEADLINE")
        self.assertLess(time.monotonic() - began, 1.8)


class LongestWait(Case):
    def limited(self, **settings):
        """One call a day, and it is used up."""
        server = self.start_one({}, {"queue": {"max_wait": "2s"}, **settings}, limits={"rpd": 1})
        self.finished(server, self.queue(server, {"prompt": "first"}))
        return server

    def test_who_waits_for_a_quota_that_does_not_come_fails_with_the_reason(self):
        server = self.limited()
        began = time.monotonic()
        job = self.finished(server, self.queue(server, {"prompt": "second"}))
        self.assertGreater(time.monotonic() - began, 1.9)
        self.assertLess(time.monotonic() - began, 3.5)
        self.assertEqual((job["status"], job["failure"]["errorCode"]), ("failed", "RATE_LIMIT"))
        for words in ("2s", "queue.max_wait", "rate limited"):
            self.assertIn(words, job["failure"]["message"])
        self.assertEqual(self.upstream_calls(), 1)

    def test_after_an_outage_that_long_the_fallback_applies(self):
        server = self.start_one({"steps": [{"status": 500}], "then": "repeat"},
                                {"queue": {"max_wait": "3s", "max_attempts": 100}},
                                breaker={"consecutive": 1, "open_for": "1m"})
        job = self.finished(server, self.queue(server, {"prompt": "x"}))
        self.assertEqual((job["status"], job["data"]["fallback"]), ("completed", True))
        self.assertEqual(job["data"]["providersAttempted"][0]["errorCode"], "UPSTREAM_UNAVAILABLE")

    def test_items_of_a_batch_do_not_wait_for_ever_either(self):
        server = self.limited()
        batch = {"concurrency": 1, "items": [{"id": str(n), "request": {"prompt": f"item {n}"}} for n in range(3)]}
        job = self.finished(server, self.queue(server, batch, "/v1/generate/batch"))
        self.assertEqual([item["status"] for item in job["data"]["items"]], ["failed"] * 3)


class Measures(Case):
    def test_requests_in_flight_are_counted(self):
        server = self.start_one(HANGS)
        job_id = self.queue(server, {"prompt": "x"})

        def in_flight():
            text = call("GET", server.url + "/metrics").raw.decode()
            return int(next(line for line in text.splitlines() if line.startswith("stepper_http_in_flight ")).split()[1])

        # A client has its answer a moment before its request counts as over.
        wait_until(in_flight, wanted=1)  # the one that asks
        waiting = threading.Thread(target=lambda: self.job(server, job_id, "?wait=20"))
        waiting.start()
        wait_until(in_flight, wanted=2)
        call("DELETE", f"{server.url}/v1/jobs/{job_id}")
        waiting.join()
        wait_until(in_flight, wanted=1)


class Dropping(Case):
    def drop(self, server, job_id, query=""):
        return call("DELETE", f"{server.url}/v1/jobs/{job_id}{query}")

    def test_a_running_job_is_cut(self):
        server = self.start_one(HANGS)
        job_id = self.queue(server, {"prompt": "x"})
        self.await_upstream(1)
        answer = self.drop(server, job_id)
        self.assertEqual((answer.status, answer.json), (200, {"success": True, "id": job_id, "status": "cancelled"}))
        wait_until(lambda: self.simulator.counters("one")["in_flight"], 1, wanted=0)
        self.assertEqual(self.simulator.counters("one")["aborted"], 1)
        job = self.job(server, job_id).json
        self.assertEqual((job["status"], job["rawStatus"]), ("cancelled", "cancelled"))

    def test_a_finished_job_is_purged(self):
        server = self.start_one()
        job_id = self.queue(server, {"prompt": "x"})
        self.finished(server, job_id)
        self.assertEqual(self.drop(server, job_id).json["status"], "deleted")
        self.assertEqual(self.job(server, job_id).status, 404)
        self.assertEqual(self.drop(server, job_id).status, 404)

    def test_others_keep_a_shared_job(self):
        server = self.start_one(HANGS)
        job_id = self.queue(server, {"prompt": "x"})
        self.assertEqual(self.queue(server, {"prompt": "x"}), job_id)
        self.await_upstream(1)
        kept = self.drop(server, job_id).json
        self.assertEqual((kept["status"], kept["wantedBy"]), ("kept", 1))
        self.assertEqual(self.job(server, job_id).json["status"], "active")
        self.assertEqual(self.drop(server, job_id).json["status"], "cancelled")

    def test_force_does_not_ask_the_others(self):
        server = self.start_one(HANGS)
        job_id = self.queue(server, {"prompt": "x"})
        self.queue(server, {"prompt": "x"})
        self.assertEqual(self.drop(server, job_id, "?force=true").json["status"], "cancelled")

    def test_a_finished_job_is_run_again(self):
        server = self.start_one(HANGS)
        job_id = self.queue(server, {"prompt": "x"})
        retry = f"{server.url}/v1/jobs/{job_id}/retry"
        self.assertEqual(call("POST", retry).status, 409)
        self.drop(server, job_id)
        self.simulator.behave("one", {})
        answer = call("POST", retry)
        self.assertEqual(answer.status, 202)
        self.assertNotEqual(answer.json["jobId"], job_id)
        self.assertEqual(self.finished(server, answer.json["jobId"])["data"]["result"], ANSWER)
        self.assertEqual(self.job(server, job_id).json["retriedAs"], answer.json["jobId"])
        missing = call("POST", f"{server.url}/v1/jobs/nope/retry")
        self.assertEqual((missing.status, missing.json["error"]), (404, "Job not found"))

    def test_a_batch_s_failed_items_are_run_again(self):
        server = self.start_one({"steps": [{}, {"status": 400}, {"status": 400}]}, {"fallback": {"jobs": "fail"}})
        items = [{"id": name, "request": {"prompt": name}} for name in ("a", "b", "c")]
        batch = self.queue(server, {"items": items, "concurrency": 1}, "/v1/generate/batch")
        self.assertEqual(self.finished(server, batch)["data"]["failed"], 2)
        self.simulator.behave("one", {})
        retry = f"{server.url}/v1/jobs/{batch}/retry"
        answer = call("POST", retry)
        self.assertEqual((answer.status, answer.json["itemCount"], answer.json["concurrency"]), (202, 2, 1))
        again = self.finished(server, answer.json["jobId"])["data"]
        self.assertEqual([(item["id"], item["status"]) for item in again["items"]], [("b", "completed"), ("c", "completed")])
        nothing = call("POST", f"{server.url}/v1/jobs/{answer.json['jobId']}/retry")
        self.assertEqual((nothing.status, nothing.json["error"][:29]), (409, "No item of this batch failed;"))
        self.assertEqual(call("POST", retry + "?items=all").json["itemCount"], 3)
        self.assertEqual(call("POST", retry + "?items=some").json["error"], "Invalid items: expected 'failed', 'fallback', or 'all'")

    def test_many_are_run_again_at_once_and_once(self):
        server = self.start_one({"steps": [{"status": 400}] * 3}, {"fallback": {"jobs": "fail"}})
        failed = [self.queue(server, {"prompt": str(i), "tenantId": tenant}) for i, tenant in enumerate("ttu")]
        for job_id in failed:
            self.assertEqual(self.finished(server, job_id)["status"], "failed")
        self.simulator.behave("one", {})

        def retry(**which):
            return call("POST", f"{server.url}/v1/jobs/retry", which)

        first = retry(state="failed", since="1h", tenantId="t").json
        again = {job["id"]: job["jobId"] for job in first["jobs"]}
        self.assertEqual((first["retried"], first["more"], set(again)), (2, False, set(failed[:2])))
        for job_id in again.values():
            self.assertEqual(self.finished(server, job_id)["data"]["result"], ANSWER)
        nobody = retry(tenantId="t").json
        self.assertEqual((nobody["jobs"], nobody["retried"], nobody["more"]), ([], 0, False))
        self.assertEqual(retry(tenantId="u", until="1h").json["retried"], 0)
        rest = retry(ids=[failed[0], failed[2], "nope"]).json
        self.assertEqual(rest["jobs"][0], {"id": failed[0], "jobId": again[failed[0]], "already": True})
        self.assertEqual(rest["jobs"][2], {"id": "nope", "error": "Job not found"})
        self.assertEqual((rest["retried"], rest["more"]), (1, False))
        self.assertEqual(retry(state="done").status, 400)
        self.assertEqual(retry().status, 400)

    def test_what_failed_is_kept_longer(self):
        settings = {"queue": {"retention": "1s", "retention_failed": "1h"}, "fallback": {"jobs": "fail"}}
        server = self.start_one({"steps": [{"status": 400}]}, settings)
        failed = self.queue(server, {"prompt": "a"})
        self.finished(server, failed)
        self.simulator.behave("one", {})
        done = self.queue(server, {"prompt": "b"})
        self.finished(server, done)
        wait_until(lambda: self.job(server, done).status, 20, wanted=404)
        self.assertEqual(self.job(server, failed).json["status"], "failed")


if __name__ == "__main__":
    unittest.main()
