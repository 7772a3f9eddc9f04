"""Jobs over HTTP: accept, ask, wait, list, drop, run again."""
import http.client
import threading
import time
import unittest

from harness import Case, call

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
        self.wait_for(lambda: self.job(server, job_id).json["status"] == "completed")
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
            clients.append(http.client.HTTPConnection("127.0.0.1", server.port))
            clients[-1].request("GET", f"/v1/jobs/{job_id}?wait=60")
            return False

        self.wait_for(full)
        for client in clients:
            client.close()
        self.wait_for(lambda: call("GET", server.url + "/livez").status == 200, 2)

    def test_what_is_missing_is_missing_at_once(self):
        server = self.start_one()
        began = time.monotonic()
        for method, path in (("GET", "nope"), ("GET", "nope?wait=30"), ("GET", "nope/events"), ("DELETE", "nope")):
            answer = call(method, f"{server.url}/v1/jobs/{path}")
            self.assertEqual((answer.status, answer.json), (404, {"error": "Job not found"}))
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
        self.assertEqual(ids("?state=completed"), done[::-1])
        self.assertEqual(ids("?state=completed&limit=1"), done[-1:])
        self.assertEqual((ids("?state=active"), ids("?state=queued"), ids("?state=failed")), ([running], [waiting], []))
        line = self.listed(server, done[0])
        self.assertEqual((line["kind"], line["tenantId"], line["attempts"], line["crashes"]), ("generate", "t", 0, 0))
        self.assertNotIn("data", line)

    def test_bad_parameters_are_told_in_a_sentence(self):
        server = self.start_one()
        for query, word in (("?state=done", "state"), ("?limit=0", "limit"), ("?limit=many", "limit"), ("?limit=-1", "limit"),
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


class Dropping(Case):
    def drop(self, server, job_id, query=""):
        return call("DELETE", f"{server.url}/v1/jobs/{job_id}{query}")

    def test_a_running_job_is_cut(self):
        server = self.start_one(HANGS)
        job_id = self.queue(server, {"prompt": "x"})
        self.await_upstream(1)
        answer = self.drop(server, job_id)
        self.assertEqual((answer.status, answer.json), (200, {"success": True, "id": job_id, "status": "cancelled"}))
        self.wait_for(lambda: self.simulator.counters("one")["in_flight"] == 0, 1)
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
        self.assertEqual(call("POST", f"{server.url}/v1/jobs/nope/retry").status, 409)


if __name__ == "__main__":
    unittest.main()
