"""What a request says is honoured or refused; what is neither is told, and refused where the client asked to be strict."""
import unittest

from lib import Case, call

COMMIT = {"userId": "u", "commitSha": "c1", "repo": "a/b", "message": "Fix bug", "files": ["src/app.ts"],
          "components": ["app"], "diffSummary": "+ fixed"}
TYPO = {"prompt": "x", "max_tokens": 5}
SAID = ["max_tokens is ignored: unknown member; did you mean 'maxOutputTokens'?"]
REFUSED = "Invalid max_tokens: unknown member; did you mean 'maxOutputTokens'?"


class Told(Case):
    def test_with_every_kind_of_answer(self):
        server = self.start_one()
        self.assertEqual(self.generate(server, TYPO).json["metadata"]["warnings"], SAID)
        queued = self.post(server, TYPO)
        self.assertEqual((queued.status, queued.json["warnings"]), (202, SAID))
        job = self.finished(server, queued.json["jobId"])
        self.assertEqual(job["warnings"], SAID)
        hit = self.post(server, TYPO)
        self.assertEqual((hit.headers["X-Cache"], hit.json["metadata"]["warnings"]), ("HIT", SAID))
        report = self.post(server, {**COMMIT, "diff": "x"}, "/v1/reports")
        self.assertEqual(report.json["warnings"], ["diff is ignored: unknown member; did you mean 'diffSummary'?"])

    def test_a_hit_tells_of_its_own_request_only(self):
        server = self.start_one()
        self.finished(server, self.queue(server, TYPO))
        hit = self.post(server, {"prompt": "x"})
        self.assertEqual(hit.headers["X-Cache"], "HIT")
        self.assertNotIn("warnings", hit.json["metadata"])

    def test_with_failures(self):
        server = self.start_one({"steps": [{"status": 400}]}, {"fallback": {"enabled": False}})
        self.assertEqual(self.generate(server, TYPO).json["warnings"], SAID)
        self.assertEqual(self.finished(server, self.queue(server, TYPO))["warnings"], SAID)

    def test_with_batches(self):
        server = self.start_one()
        batch = {"concurency": 1, "items": [{"id": "a", "request": {"prompt": "x"}}, {"id": "b", "request": TYPO},
                                            {"id": "c", "request": {"prompt": "y", "preferredProviders": ["won"]}}]}
        said = ["concurency is ignored: unknown member; did you mean 'concurrency'?",
                "items[1].request." + SAID[0],
                "items[2].request.preferredProviders[0] is ignored: no provider has that name; did you mean 'one'?"]
        queued = self.post(server, batch, "/v1/generate/batch")
        self.assertEqual((queued.status, queued.json["warnings"]), (202, said))
        self.assertEqual(self.job(server, queued.json["jobId"]).json["warnings"], said)
        self.assertEqual(self.finished(server, queued.json["jobId"])["warnings"], said)
        page = self.job(server, queued.json["jobId"], "?unti=change").json
        self.assertEqual(page["warnings"], ["?unti is ignored: unknown query parameter; did you mean 'until'?", *said])

    def test_strict_requests_are_refused(self):
        server = self.start_one()
        item = [{"id": "a", "request": TYPO}]
        cases = [
            ("/v1/generate", {**TYPO, "strict": True}, REFUSED),
            ("/v1/generate/immediate", {**TYPO, "strict": True}, REFUSED),
            ("/v1/generate/immediate", {"prompt": "x", "priority": 1, "strict": True},
             "Invalid priority: it counts for queued requests only"),
            ("/v1/generate?wait=30", {"prompt": "x", "strict": True}, "Invalid ?wait: unknown query parameter"),
            ("/v1/generate", {"prompt": "x", "excludeProviders": ["two"], "strict": True},
             "Invalid excludeProviders[0]: no provider has that name"),
            ("/v1/reports", {**COMMIT, "tenantId": "t", "strict": True}, "Invalid tenantId: unknown member"),
            ("/v1/generate/batch", {"items": item, "strict": True}, "Invalid items[0].request." + REFUSED[8:]),
            ("/v1/generate/batch", {"items": [{"id": "a", "request": {**TYPO, "strict": True}}]},
             "Invalid items[0].request." + REFUSED[8:]),
            ("/v1/generate/batch", {"items": [{"id": "a", "request": {"prompt": "x"}}], "concurency": 1, "strict": True},
             "Invalid concurency: unknown member; did you mean 'concurrency'?"),
        ]
        for path, body, sentence in cases:
            with self.subTest(sentence):
                answer = self.post(server, body, path)
                self.assertEqual((answer.status, answer.json["error"], answer.json["errorCode"]), (400, sentence, "BAD_REQUEST"))
        self.assertEqual(self.upstream_calls(), 0)
        self.assertEqual(self.post(server, {"prompt": "x", "strict": True}).status, 202)

    def test_queries(self):
        server = self.start_one()
        job_id = self.queue(server, {"prompt": "x"})
        said = call("GET", server.url + "/v1/jobs?stat=failed").json["warnings"]
        self.assertEqual(said, ["?stat is ignored: unknown query parameter; did you mean 'state'?"])
        self.assertIn("warnings", call("GET", server.url + "/v1/usage?day=2").json)
        self.assertIn("warnings", call("GET", server.url + "/v1/plan?job=2").json)
        self.assertIn("warnings", call("DELETE", server.url + "/v1/reports?userId=u&commitSha=c&templat=t").json)
        self.assertIn("did you mean 'wait'", self.job(server, job_id, "?wiat=5").json["warnings"][0])
        self.assertIn("did you mean 'force'", call("DELETE", f"{server.url}/v1/jobs/{job_id}?forse=true").json["warnings"][0])
        for method, path in (("GET", f"/v1/jobs/{job_id}?until=done"), ("DELETE", f"/v1/jobs/{job_id}?force=yes")):
            self.assertEqual(call(method, server.url + path).status, 400)

    def test_headers(self):
        server = self.start_one()
        for value in ("5s", "0", "-1", "1.5", "99999999999"):
            answer = self.generate(server, {"prompt": "x"}, headers={"X-Request-Timeout-Ms": value})
            self.assertEqual(answer.status, 400, value)
        queued = self.post(server, {"prompt": "x"}, headers={"X-Request-Timeout-Ms": "5000"})
        self.assertIn("X-Request-Timeout-Ms is ignored", queued.json["warnings"][0])

    def test_nobody_is_asked_nothing(self):
        server = self.start_one()
        for body in ({"prompt": ""}, {"prompt": " \n\u00a0"}, {"prompt": {"template": "{{ payload.a }}"}, "payload": {"b": 1}}):
            for path in ("/v1/generate", "/v1/generate/immediate"):
                answer = self.post(server, body, path)
                self.assertEqual((answer.status, answer.json["error"][:24]), (400, "Rendered prompt is empty"), body)
            batch = self.post(server, {"items": [{"id": "a", "request": body}]}, "/v1/generate/batch")
            self.assertEqual((batch.status, batch.json["error"][:25]), (400, "Invalid items[0].request:"))
        self.assertEqual(self.upstream_calls(), 0)
        self.assertEqual(call("GET", server.url + "/v1/jobs").json["jobs"], [])

    def test_bodies_as_other_servers_take_them(self):
        server = self.start_one()
        body = b'{"prompt":"x"}'
        for content_type in ("application/json; charset=utf8", "text/json", "application/vnd.api+json", "application/json;charset=UTF-8"):
            for text in (body, b"\xef\xbb\xbf" + body):
                answer = self.generate(server, text, headers={"Content-Type": content_type})
                self.assertEqual(answer.status, 200, (content_type, text))
        once = {"headers": {"Idempotency-Key": "k"}}
        job_id = self.queue(server, b"\xef\xbb\xbf" + body, **once)
        self.assertEqual(self.finished(server, job_id)["status"], "completed")
        self.assertEqual(self.post(server, body, **once).headers["Idempotent-Replayed"], "true")
        for content_type in ("text/plain", "application/json; charset=utf-16"):
            self.assertEqual(self.generate(server, body, headers={"Content-Type": content_type}).status, 415)
        answer = self.generate(server, "{}".encode("utf-16"))
        self.assertEqual(answer.status, 400)
        self.assertIn("UTF-16", answer.json["error"])


if __name__ == "__main__":
    unittest.main()
