"""Jobs that are to run later: `runAt` and `delaySeconds`."""
import datetime
import unittest

from lib import Case, call

ANSWER = {"product": "Coffee beans", "price": 18}
HOUR = 3600
COMMIT = {"userId": "u", "commitSha": "c", "repo": "r", "message": "m", "files": ["f"], "components": [], "diffSummary": ""}


def moment(seconds, zone=datetime.timezone.utc):
    return (datetime.datetime.now(zone) + datetime.timedelta(seconds=seconds)).isoformat()


class Later(Case):
    def seen(self, server, job_id):
        page = self.job(server, job_id).json
        return page["status"], page["rawStatus"], "runAt" in page

    def test_it_is_seen_to_wait_and_runs_at_its_moment(self):
        server = self.start_one()
        answer = self.post(server, {"prompt": "x", "delaySeconds": 2})
        self.assertEqual(answer.status, 202)
        self.assertNotIn("X-Cache", answer.headers)
        job_id = answer.json["jobId"]
        self.assertEqual(self.seen(server, job_id), ("queued", "delayed", True))
        self.assertEqual(self.job(server, job_id).json["runAt"][:16], answer.json["runAt"][:16])
        self.assertIn(job_id, [job["id"] for job in call("GET", f"{server.url}/v1/jobs?state=delayed").json["jobs"]])
        self.assertEqual(self.upstream_calls(), 0)
        done = self.finished(server, job_id)
        self.assertEqual((done["data"]["result"], "runAt" in done), (ANSWER, False))
        self.assertEqual(self.upstream_calls(), 1)

    def test_a_moment_has_an_offset_and_lies_ahead(self):
        server = self.start_one()
        east = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
        for path, body in (("/v1/generate", {"prompt": "x"}), ("/v1/reports", COMMIT),
                           ("/v1/generate/batch", {"items": [{"id": "a", "request": {"prompt": "x"}}]})):
            with self.subTest(path):
                later = self.post(server, {**body, "runAt": moment(HOUR, east)}, path)
                self.assertEqual(later.status, 202, later.raw)
                self.assertEqual(later.json["runAt"][:15], moment(HOUR)[:15])
                self.assertEqual(self.seen(server, later.json["jobId"]), ("queued", "delayed", True))
                for bad in ({"runAt": moment(-HOUR)}, {"runAt": moment(31 * 24 * HOUR)}, {"runAt": moment(HOUR)[:19]},
                            {"runAt": moment(HOUR), "delaySeconds": 1}, {"delaySeconds": -1}):
                    refused = self.post(server, {**body, **bad}, path)
                    self.assertEqual((refused.status, refused.json["error"][:8]), (400, "Invalid "), refused.raw)
        told = self.generate(server, {"prompt": "x", "delaySeconds": 5}).json["metadata"]["warnings"]
        self.assertEqual(told, ["delaySeconds is ignored: it counts for queued requests only"])

    def test_it_has_nothing_to_do_with_those_that_are_wanted_now(self):
        server = self.start_one()
        later = self.queue(server, {"prompt": "x", "delaySeconds": HOUR})
        now = self.post(server, {"prompt": "x"})
        self.assertEqual(now.headers["X-Cache"], "MISS")
        self.finished(server, now.json["jobId"])
        self.assertEqual(self.post(server, {"prompt": "x"}).headers["X-Cache"], "HIT")
        # What the cache holds now is no answer to somebody who wants one in an hour.
        self.assertEqual(self.post(server, {"prompt": "x", "delaySeconds": HOUR}).status, 202)
        self.assertEqual(self.seen(server, later), ("queued", "delayed", True))

    def test_a_key_names_it_even_when_its_moment_has_passed(self):
        server = self.start_one()
        body = {"prompt": "x", "runAt": moment(-30)}
        first = self.post(server, body, headers={"Idempotency-Key": "k"})
        self.assertEqual(first.status, 202)
        self.finished(server, first.json["jobId"])
        old = {"prompt": "y", "runAt": moment(-HOUR)}
        self.assertEqual(self.post(server, old, headers={"Idempotency-Key": "other"}).status, 400)
        again = self.post(server, body, headers={"Idempotency-Key": "k"})
        self.assertEqual((again.json["jobId"], again.headers["Idempotent-Replayed"]), (first.json["jobId"], "true"))

    def test_it_outlives_the_process(self):
        server = self.start_one()
        job_id = self.queue(server, {"prompt": "x", "delaySeconds": 3})
        batch = self.queue(server, {"items": [{"id": "a", "request": {"prompt": "y"}}], "delaySeconds": 3}, "/v1/generate/batch")
        server.process.kill()
        server = self.start_one()
        self.assertEqual(self.seen(server, job_id), ("queued", "delayed", True))
        self.assertEqual(self.upstream_calls(), 0)
        self.assertEqual(self.finished(server, job_id)["data"]["result"], ANSWER)
        self.assertEqual(self.finished(server, batch)["data"]["completed"], 1)

    def test_it_can_be_cancelled(self):
        server = self.start_one()
        job_id = self.queue(server, {"prompt": "x", "delaySeconds": HOUR})
        self.assertEqual(call("DELETE", f"{server.url}/v1/jobs/{job_id}").json["status"], "cancelled")
        self.assertEqual(self.job(server, job_id).json["status"], "cancelled")


if __name__ == "__main__":
    unittest.main()
