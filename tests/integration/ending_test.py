"""How the provider ended its answer reaches the client, wherever the answer is told; a cut one is marked and not kept."""
import unittest

from lib import Case, wait_until

ANSWER = {"product": "Coffee beans", "price": 18}
USAGE = {"prompt": 40, "completion": 16}
PRICE = {"price": {"input": 1.0, "output": 10.0}}
COST = 0.0002
COMMIT = {"userId": "u", "commitSha": "c1", "repo": "a/b", "message": "Fix bug", "files": ["src/app.ts"],
          "components": ["app"], "diffSummary": "+ fixed"}
NO_FALLBACK = {"fallback": {"enabled": False}}


def cut(text):
    return {"steps": [{"answer": text, "finish": "length", "usage": USAGE}]}


class Ending(Case):
    def check_ending(self, told, finish="stop"):
        self.assertEqual((told["finishReason"], told["model"]), (finish, "m-1"))
        self.assertEqual((told["usage"]["promptTokens"], told["usage"]["completionTokens"]), (40, 16))
        self.assertAlmostEqual(told["cost"], COST)
        self.assertIs(told["validated"], True)
        self.assertEqual(told.get("truncated", False), finish == "length")

    def test_it_is_told_with_every_answer(self):
        for stream in (True, False):
            with self.subTest(stream=stream):
                server = self.start_one({"steps": [{"usage": USAGE}]}, stream=stream, **PRICE)
                body = {"prompt": f"x, stream: {stream}"}
                self.check_ending(self.generate(server, body).json["metadata"])
                job = self.finished(server, self.queue(server, body))
                self.check_ending(job["data"])
                hit = self.post(server, body)
                self.assertEqual(hit.headers["X-Cache"], "HIT")
                self.check_ending(hit.json["metadata"])
                items = [{"id": "made", "request": {"prompt": f"y, {stream}"}}, {"id": "hit", "request": body}]
                batch = self.finished(server, self.queue(server, {"items": items}, "/v1/generate/batch"))
                for item in batch["data"]["items"]:
                    self.check_ending(item["metadata"])
                server.stop()

    def test_it_is_told_with_reports(self):
        server = self.start_one({"steps": [{"usage": USAGE}]}, **PRICE)
        metadata = self.post(server, COMMIT, "/v1/reports/immediate").json["metadata"]
        self.assertEqual((metadata["finishReason"], metadata["usage"]["completionTokens"]), ("stop", 16))
        self.assertNotIn("validated", metadata)
        job = self.finished(server, self.queue(server, COMMIT, "/v1/reports"))
        self.check_ending(job["data"])

    def test_without_a_price_there_is_no_cost(self):
        server = self.start_one({"steps": [{"usage": None}]}, stream=False)
        metadata = self.generate(server, {"prompt": "x"}).json["metadata"]
        self.assertNotIn("cost", metadata)
        self.assertNotIn("usage", metadata)
        self.assertNotIn("warnings", metadata)

    def test_the_fallback_has_none(self):
        server = self.start_one({"steps": [{"status": 500}]}, **PRICE)
        metadata = self.generate(server, {"prompt": "x"}).json["metadata"]
        self.assertTrue(metadata["fallback"])
        self.assertEqual(set(metadata), {"provider", "fallback", "validated", "contractVersion", "timings", "providersAttempted", "warnings"})

    def test_a_cut_text_is_marked_and_made_anew(self):
        for stream in (True, False):
            with self.subTest(stream=stream):
                server = self.start_one(cut("The answer is that the"), stream=stream, **PRICE)
                body = {"prompt": "x", "responseMode": "text"}
                now = self.generate(server, body).json
                self.assertEqual(now["data"], "The answer is that the")
                self.check_ending(now["metadata"], "length")
                job = self.finished(server, self.queue(server, body))
                self.check_ending(job["data"], "length")
                again = self.post(server, body)
                self.assertEqual((again.status, again.headers["X-Cache"]), (202, "MISS"))
                items = [{"id": "a", "request": body}]
                batch = self.finished(server, self.queue(server, {"items": items}, "/v1/generate/batch"))
                self.check_ending(batch["data"]["items"][0]["metadata"], "length")
                server.stop()

    def test_a_cut_answer_does_not_replace_a_whole_one(self):
        server = self.start_one({"answer": "All of it."}, {"cache": {"fresh_for": "100ms", "ttl": "60s"}})
        body = {"prompt": "x", "responseMode": "text"}
        self.finished(server, self.queue(server, body))
        self.simulator.behave("one", cut("All"))
        calls = self.upstream_calls()
        stale = wait_until(lambda: (a := self.post(server, body)).headers["X-Cache"] == "STALE" and a)
        self.assertEqual(stale.json["data"], "All of it.")
        wait_until(lambda: self.upstream_calls() > calls)
        self.assertEqual(self.post(server, body).json["data"], "All of it.")

    def test_a_cut_json_answer_says_what_to_do(self):
        server = self.start_one(cut('{"product": "Coffee be'), NO_FALLBACK)
        answer = self.generate(server, {"prompt": "x", "maxOutputTokens": 16})
        self.assertEqual((answer.status, answer.json["errorCode"], answer.json["retryable"]), (400, "BAD_REQUEST", False))
        self.assertIn("cut off by its token limit after 16 tokens, raise maxOutputTokens", answer.json["error"])
        self.assertIn("raise maxOutputTokens", answer.json["providersAttempted"][0]["error"])
        # Asked again it would be cut again, at full price.
        calls = self.upstream_calls()
        job = self.finished(server, self.queue(server, {"prompt": "x", "maxOutputTokens": 16}))
        self.assertEqual((job["status"], job["failure"]["retryable"]), ("failed", False))
        self.assertEqual(self.upstream_calls(), calls + 1)

    def test_a_value_that_was_whole_before_the_cut_is_given_with_the_mark(self):
        server = self.start_one(cut('{"product": "Coffee beans", "price": 18}\nTo expl'))
        now = self.generate(server, {"prompt": "x"}).json
        self.assertEqual((now["data"], now["metadata"]["truncated"]), (ANSWER, True))
        self.finished(server, self.queue(server, {"prompt": "x"}))
        self.assertEqual(self.post(server, {"prompt": "x"}).status, 202)

    def test_other_endings_are_told_and_kept(self):
        server = self.start_one({"steps": [{"answer": "x", "finish": "tool_calls"}]}, stream=False)
        body = {"prompt": "x", "responseMode": "text"}
        job = self.finished(server, self.queue(server, body))
        self.assertEqual(job["data"]["finishReason"], "tool_calls")
        self.assertNotIn("truncated", job["data"])
        self.assertEqual(self.post(server, body).headers["X-Cache"], "HIT")


if __name__ == "__main__":
    unittest.main()
