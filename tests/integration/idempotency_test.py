"""Idempotency-Key: a request that is sent again is the same request, however the first one went."""
import contextlib
import hashlib
import sqlite3
import threading
import unittest

from lib import Case, call, wait_until

# Without the key each of these would be a job of its own.
BODY = {"prompt": "x", "cacheControl": "no-cache"}
COMMIT = {"userId": "u", "commitSha": "c1", "repo": "a/b", "message": "Fix bug", "files": ["src/app.ts"],
          "components": ["app"], "diffSummary": "+ fixed"}
KEY = {"Idempotency-Key": "k-1"}


class Idempotency(Case):
    def test_the_same_request_is_the_same_job(self):
        server = self.start_one()
        first = self.post(server, BODY, headers=KEY)
        self.assertIsNone(first.headers["Idempotent-Replayed"])
        self.finished(server, first.json["jobId"])
        for _ in range(2):
            again = self.post(server, BODY, headers=KEY)
            self.assertEqual((again.status, again.json, again.headers["Idempotent-Replayed"]), (202, first.json, "true"))
        self.assertNotEqual(self.queue(server, BODY, headers={"Idempotency-Key": "k-2"}), first.json["jobId"])
        self.assertNotEqual(self.queue(server, BODY), first.json["jobId"])

    def test_many_at_once_make_one_job(self):
        server = self.start_one({"latency_ms": 200})
        ids = []
        clients = [threading.Thread(target=lambda: ids.append(self.queue(server, BODY, headers=KEY))) for _ in range(30)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        self.assertEqual((len(ids), len(set(ids))), (30, 1))
        self.finished(server, ids[0])
        self.assertEqual(self.upstream_calls(), 1)

    def test_another_request_under_the_key_is_refused(self):
        server = self.start_one()
        self.queue(server, BODY, headers=KEY)
        for path, body in (("/v1/generate", {**BODY, "prompt": "y"}), ("/v1/reports", COMMIT),
                           ("/v1/generate/batch", {"items": [{"id": "a", "request": BODY}]})):
            with self.subTest(path):
                answer = self.post(server, body, path, headers=KEY)
                self.assertEqual((answer.status, answer.json["errorCode"]), (422, "BAD_REQUEST"))
                self.assertIn("Idempotency-Key", answer.json["error"])

    def test_the_same_request_may_be_written_in_another_way(self):
        server = self.start_one()
        first = self.post(server, b'{"prompt":"x","cacheControl":"no-cache","maxOutputTokens":100}', headers=KEY)
        self.assertEqual(first.status, 202, first.raw)
        for body in ('{"maxOutputTokens":100,"cacheControl":"no-cache","prompt":"x"}',
                     '{ "prompt": "\\u0078",\n  "cacheControl": "no-cache", "maxOutputTokens": 1e2 }',
                     '{"prompt":"x","cacheControl":"no-cache","maxOutputTokens":100,"tenantId":null}'):
            with self.subTest(body):
                again = self.post(server, body.encode(), headers=KEY)
                self.assertEqual((again.status, again.json), (202, first.json))
        self.assertEqual(self.post(server, {"prompt": "x", "cacheControl": "no-cache"}, headers=KEY).status, 422)

    def test_a_key_holds_from_a_first_use_that_was_a_cache_hit(self):
        server = self.start_one(settings={"cache": {"delivery": {"generate": "once"}}})
        job_id = self.queue(server, {"prompt": "x"})
        wait_until(lambda: self.listed(server, job_id)["status"], wanted="completed")
        first = self.post(server, {"prompt": "x"}, headers=KEY)
        self.assertEqual((first.status, first.headers["X-Cache"], first.headers["Idempotent-Replayed"]), (200, "HIT", None))
        # Forgotten once it was delivered, but not under the key.
        wait_until(lambda: self.post(server, {"prompt": "x", "maxDurationSeconds": 60}).status, wanted=202)
        again = self.post(server, {"prompt": "x"}, headers=KEY)
        self.assertEqual((again.status, again.json, again.headers["Idempotent-Replayed"]), (200, first.json, "true"))
        self.assertEqual(self.post(server, {"prompt": "y"}, headers=KEY).status, 422)
        self.assertEqual(self.post(server, {"items": [{"id": "a", "request": BODY}]}, "/v1/generate/batch", headers=KEY).status,
                         422)
        server.stop()
        server = self.start_one(settings={"cache": {"delivery": {"generate": "once"}}})
        again = self.post(server, {"prompt": "x"}, headers=KEY)
        self.assertEqual((again.status, again.json), (200, first.json))

    def test_every_tenant_has_its_own_keys(self):
        server = self.start_one()
        ids = {self.queue(server, {**BODY, **tenant}, headers=KEY) for tenant in ({}, {"tenantId": "t"}, {"tenantId": "u"})}
        self.assertEqual(len(ids), 3)

    def test_reports_and_batches_take_keys_too(self):
        server = self.start_one()
        for path, body in (("/v1/reports", COMMIT), ("/v1/generate/batch", {"items": [{"id": "a", "request": BODY}]})):
            with self.subTest(path):
                headers = {"Idempotency-Key": path}
                first, again = (self.post(server, body, path, headers=headers) for _ in range(2))
                self.assertEqual((again.status, again.json, again.headers["Idempotent-Replayed"]), (202, first.json, "true"))

    def test_a_shared_job_is_repeated_to_each_of_its_keys(self):
        server = self.start_one({"steps": [{"hang": "head"}], "then": "repeat"})
        job_id = self.queue(server, {"prompt": "x"})
        self.assertEqual(self.queue(server, {"prompt": "x"}, headers=KEY), job_id)
        self.assertEqual(self.post(server, {"prompt": "x"}, headers=KEY).headers["Idempotent-Replayed"], "true")
        # Two clients were given it, the one with the key twice.
        self.assertEqual(call("DELETE", f"{server.url}/v1/jobs/{job_id}").json["wantedBy"], 1)

    def test_keys_survive_a_restart_and_go_with_their_job(self):
        server = self.start_one()
        job_id = self.queue(server, BODY, headers=KEY)
        self.finished(server, job_id)
        server.stop()
        server = self.start_one()
        self.assertEqual(self.queue(server, BODY, headers=KEY), job_id)
        self.assertEqual(call("DELETE", f"{server.url}/v1/jobs/{job_id}").json["status"], "deleted")
        self.assertNotEqual(self.queue(server, BODY, headers=KEY), job_id)

    def test_keys_of_older_versions_hold(self):
        """They were remembered with the bytes of their request."""
        server = self.start_one()
        body = b'{"prompt": "x", "cacheControl": "no-cache"}'
        job_id = self.queue(server, body, headers=KEY)
        server.stop()
        with contextlib.closing(sqlite3.connect(self.folder / "stepper.db")) as db, db:
            db.execute("UPDATE idempotency SET digest = ?", [hashlib.sha256(b"generate" + body).hexdigest()])
        server = self.start_one()
        self.assertEqual(self.queue(server, body, headers=KEY), job_id)
        self.assertEqual(self.post(server, {"prompt": "y"}, headers=KEY).status, 422)

    def test_a_key_has_a_length(self):
        server = self.start_one()
        self.assertEqual(self.post(server, BODY, headers={"Idempotency-Key": "k" * 256}).status, 202)
        answer = self.post(server, BODY, headers={"Idempotency-Key": "k" * 257})
        self.assertEqual((answer.status, answer.json["errorCode"]), (400, "BAD_REQUEST"))


if __name__ == "__main__":
    unittest.main()
