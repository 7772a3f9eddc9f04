"""Identical requests that meet make one call upstream, however many they are."""
import unittest

from lib import Case, call
from lib.storm import storm

POSTS = 10_000
ANSWER = {"product": "Coffee beans", "price": 18}


class SingleFlight(Case):
    def send_many(self, server):
        answers = storm(server, "/v1/generate", [{"prompt": "the same"}] * POSTS, connections=300, seconds=120)
        self.assertEqual(len(answers), POSTS)
        return answers

    def test_while_the_provider_is_slow_all_share_one_job(self):
        server = self.start_one({"steps": [{"hang": "head"}], "then": "repeat"}, first_byte_timeout="5m", timeout="5m")
        answers = self.send_many(server)
        self.assertEqual({status for status, _, _ in answers}, {202})
        self.assertEqual(len({body["jobId"] for _, _, body in answers}), 1)
        words = [headers["x-cache"] for _, headers, _ in answers]
        self.assertEqual((words.count("MISS"), words.count("COALESCED")), (1, POSTS - 1))
        self.await_upstream(1)
        self.assertEqual(self.upstream_calls(), 1)
        # Each of them may drop it without taking it from the others.
        job_id = answers[0][2]["jobId"]
        self.assertEqual(call("DELETE", f"{server.url}/v1/jobs/{job_id}").json["wantedBy"], POSTS - 1)

    def test_those_who_come_later_find_the_answer(self):
        server = self.start_one({"latency_ms": 100})
        answers = self.send_many(server)
        queued = [body["jobId"] for status, _, body in answers if status == 202]
        hits = [body["data"] for status, _, body in answers if status == 200]
        self.assertEqual(len(set(queued)), 1)
        self.assertEqual(len(queued) + len(hits), POSTS)
        self.assertGreater(len(hits), 0)
        self.assertTrue(all(data == ANSWER for data in hits))
        self.assertEqual(self.finished(server, queued[0])["data"]["result"], ANSWER)
        self.assertEqual(self.upstream_calls(), 1)


if __name__ == "__main__":
    unittest.main()
