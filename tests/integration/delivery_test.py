"""Reports are delivered once: their answers are forgotten when a client has them, and only then."""
import json
import unittest

from lib import Case, Connection, call, wait_until

COMMIT = {"userId": "u", "commitSha": "c1", "repo": "a/b", "message": "Fix bug", "files": ["src/app.ts"],
          "components": ["app"], "diffSummary": "+ fixed"}
KEPT = {"cache": {"delivery": {"reports": "keep", "generate": "once"}}}


class Delivery(Case):
    def start_one(self, behaviour=None, settings=None, **more):
        server = super().start_one(behaviour, settings, **more)
        # An answer goes after it was written, so only the same connection is sure to come later.
        self.client = Connection(server.port)
        self.addCleanup(self.client.close)
        return server

    def ask(self, method, path, body=None):
        """Headers and content."""
        answer = self.client.ask(method, path, body)
        return answer.headers, answer.raw

    def post_report(self):
        """X-Cache of the answer."""
        return self.ask("POST", "/v1/reports", COMMIT)[0]["X-Cache"]

    def make(self, server, path="/v1/reports", body=None):
        """Has it made, and returns the job without having looked at its answer."""
        headers, content = self.ask("POST", path, body or COMMIT)
        self.assertEqual(headers["X-Cache"], "MISS")
        job_id = json.loads(content)["jobId"]
        wait_until(lambda: self.listed(server, job_id)["status"], wanted="completed")
        return job_id

    def test_a_poll_delivers(self):
        server = self.start_one()
        job_id = self.make(server)
        for _ in range(2):
            report = json.loads(self.ask("GET", f"/v1/reports/{job_id}")[1])
            self.assertTrue(report["data"]["result"]["title"])
        self.make(server)

    def test_a_hit_delivers(self):
        server = self.start_one()
        self.make(server)
        self.assertEqual(self.post_report(), "HIT")
        self.make(server)

    def test_an_event_stream_delivers(self):
        server = self.start_one()
        job_id = self.make(server)
        self.assertIn(b"event: result", self.ask("GET", f"/v1/jobs/{job_id}/events")[1])
        self.make(server)

    def test_a_head_does_not_deliver(self):
        server = self.start_one()
        job_id = self.make(server)
        for path in (f"/v1/reports/{job_id}", f"/v1/jobs/{job_id}/events"):
            self.assertEqual(self.ask("HEAD", path)[1], b"")
        self.assertEqual(self.post_report(), "HIT")

    def test_the_list_does_not_deliver(self):
        server = self.start_one()
        self.make(server)
        self.ask("GET", "/v1/jobs")
        self.assertEqual(self.post_report(), "HIT")

    def test_an_old_job_s_answer_does_not_take_the_new_one_along(self):
        server = self.start_one()
        old = self.make(server)
        self.ask("GET", f"/v1/reports/{old}")
        self.make(server)
        self.ask("GET", f"/v1/reports/{old}")
        self.assertEqual(self.post_report(), "HIT")

    def test_delivery_can_be_configured(self):
        server = self.start_one({}, KEPT)
        self.make(server)
        self.assertEqual([self.post_report() for _ in range(2)], ["HIT", "HIT"])
        generic = {"prompt": "x"}
        self.make(server, "/v1/generate", generic)
        self.assertEqual(self.ask("POST", "/v1/generate", generic)[0]["X-Cache"], "HIT")
        self.make(server, "/v1/generate", generic)

    def test_a_kept_report_can_be_deleted(self):
        server = self.start_one({}, KEPT)
        self.make(server)
        where = server.url + "/v1/reports"
        self.assertEqual(call("DELETE", where + "?userId=u").status, 400)
        self.assertEqual(call("DELETE", where + "?userId=u&commitSha=c1&template=another").status, 200)
        self.assertEqual(self.post_report(), "HIT")
        self.assertEqual(call("DELETE", where + "?userId=u&commitSha=c1").status, 200)
        self.make(server)


if __name__ == "__main__":
    unittest.main()
