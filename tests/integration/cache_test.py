"""Answers that are there already: who may have them, how long, and who makes them anew."""
import time
import unittest

from lib import Case, call, wait_until
from lib.storm import storm

ANSWER = {"product": "Coffee beans", "price": 18}
OTHER = {"product": "Tea", "price": 4}
HANGS = {"steps": [{"hang": "head"}], "then": "repeat"}


class CacheCase(Case):
    def word(self, server, body, path="/v1/generate", **options):
        """X-Cache of the answer; a job that was made for it is final by then."""
        answer = self.post(server, body, path, **options)
        if answer.status == 202:
            self.finished(server, answer.json["jobId"])
        return answer.headers["X-Cache"]

    def start_stale(self, behaviour=None, settings=None):
        """A server whose only answer, to {"prompt": "x"}, is stale."""
        server = self.start_one(behaviour, {"cache": {"fresh_for": "200ms", "ttl": "60s"}, **(settings or {})})
        self.word(server, {"prompt": "x"})
        # Each hit below could start the one refresh, so the moment is waited for, not looked for.
        time.sleep(0.25)
        return server


class Identity(CacheCase):
    def test_the_word_and_the_age(self):
        server = self.start_one({"latency_ms": 600})
        body = {"tenantId": "t", "prompt": "x"}
        first = self.post(server, body)
        self.assertEqual((first.status, first.headers["X-Cache"]), (202, "MISS"))
        second = self.post(server, body)
        self.assertEqual((second.status, second.headers["X-Cache"]), (202, "COALESCED"))
        self.assertEqual(second.json["jobId"], first.json["jobId"])
        self.finished(server, first.json["jobId"])
        hit = self.post(server, body)
        self.assertEqual((hit.status, hit.headers["X-Cache"], hit.headers["Age"]), (200, "HIT", "0"))
        self.assertEqual((hit.json["status"], hit.json["cached"], hit.json["data"]), ("completed", True, ANSWER))
        self.assertEqual(hit.json["metadata"]["provider"], "one")
        self.assertNotIn("stale", hit.json)
        self.assertEqual(self.post(server, {**body, "cacheControl": "no-cache"}).headers["X-Cache"], "BYPASS")
        older = wait_until(lambda: self.aged(server, body), 3)
        self.assertEqual(older.headers["Age"], "1")

    def aged(self, server, body):
        answer = self.post(server, body)
        return answer if answer.headers["Age"] != "0" else None

    def test_what_makes_two_requests_the_same(self):
        server = self.start_one()
        schema = {"kind": "http-json", "properties": {"product": {"type": "string"}, "price": {"type": "number"}}}
        body = {"prompt": {"instructions": "i", "payload": {"a": 1, "b": [2, 3]}}, "outputSchema": schema, "metadata": {"n": 1}}
        turned = {"metadata": {"n": 2}, "outputSchema": {"properties": dict(reversed(schema["properties"].items())), "kind": "http-json"},
                  "prompt": {"payload": {"b": [2, 3], "a": 1.0}, "instructions": "i"}, "contractVersion": "1"}
        self.assertEqual(self.word(server, body), "MISS")
        self.assertEqual(self.word(server, turned), "HIT")

    def test_what_sets_requests_apart(self):
        server = self.start_one()
        body = {"prompt": "apart"}
        schema = {"kind": "http-json", "requiredKeys": ["product"]}
        others = [{"tenantId": "t"}, {"tenantId": "u"}, {"requestId": "r"}, {"requestId": "s"}, {"prompt": "Apart"},
                  {"responseMode": "text"}, {"payload": {"a": 9007199254740993}}, {"payload": {"a": 9007199254740992}},
                  {"outputSchema": schema}, {"outputSchema": {**schema, "requiredKeys": ["price"]}},
                  {"maxOutputTokens": 5}, {"preferredProviders": ["one"]}, {"cacheKey": "k"}]
        for other in [{}] + others:
            with self.subTest(other):
                self.assertEqual(self.word(server, {**body, **other}), "MISS")
                self.assertEqual(self.word(server, {**body, **other}), "HIT")

    def test_a_cache_key_stands_for_all_within_its_tenant(self):
        server = self.start_one()
        self.assertEqual(self.word(server, {"cacheKey": "mine", "prompt": "a", "tenantId": "t"}), "MISS")
        self.assertEqual(self.word(server, {"cacheKey": "mine", "prompt": "b", "tenantId": "t", "requestId": "r"}), "HIT")
        self.assertEqual(self.word(server, {"cacheKey": "mine", "prompt": "a", "tenantId": "u"}), "MISS")

    def test_no_cache_leaves_it_alone_and_refresh_replaces_it(self):
        server = self.start_one({"answer": ANSWER})
        self.word(server, {"prompt": "x"})
        self.simulator.behave("one", {"answer": OTHER})
        self.assertEqual(self.word(server, {"prompt": "x", "cacheControl": "no-cache"}), "BYPASS")
        self.assertEqual(self.post(server, {"prompt": "x"}).json["data"], ANSWER)
        self.assertEqual(self.word(server, {"prompt": "x", "cacheControl": "refresh"}), "MISS")
        self.assertEqual(self.post(server, {"prompt": "x"}).json["data"], OTHER)

    def test_a_fallback_is_not_kept(self):
        server = self.start_one({"answer": "I would rather not."}, {"queue": {"max_attempts": 1}})
        self.assertEqual([self.word(server, {"prompt": "x"}) for _ in range(2)], ["MISS", "MISS"])

    def test_answers_survive_a_restart(self):
        server = self.start_one()
        self.word(server, {"prompt": "x"})
        server.stop()
        server = self.start_one(HANGS)
        self.assertEqual(self.word(server, {"prompt": "x"}), "HIT")


class Stale(CacheCase):
    def test_fresh_then_stale_then_gone(self):
        server = self.start_one({}, {"cache": {"fresh_for": "1s", "ttl": "2s"}})
        self.word(server, {"prompt": "x"})
        self.assertEqual(self.word(server, {"prompt": "x"}), "HIT")
        # The refresh would make it fresh again.
        self.simulator.behave("one", HANGS)
        seen = ["HIT"]

        def gone():
            answer = self.post(server, {"prompt": "x"})
            self.assertEqual(answer.json.get("stale"), True if answer.headers["X-Cache"] == "STALE" else None)
            if answer.headers["X-Cache"] != seen[-1]:
                seen.append(answer.headers["X-Cache"])
            return answer.status == 202

        wait_until(gone, 5)
        # Whoever comes after the answer is gone shares the refresh that still runs.
        self.assertEqual(seen, ["HIT", "STALE", "COALESCED"])

    def test_a_storm_of_stale_hits_makes_one_call(self):
        server = self.start_stale()
        self.simulator.behave("one", HANGS)
        answers = storm(server, "/v1/generate", [{"prompt": "x"}] * 200, connections=50)
        self.assertEqual({(status, headers["x-cache"], body["stale"]) for status, headers, body in answers}, {(200, "STALE", True)})
        self.await_upstream(1)
        self.assertEqual(self.upstream_calls(), 2)

    def test_the_refresh_replaces_the_answer(self):
        server = self.start_stale({"answer": ANSWER})
        self.simulator.behave("one", {"answer": OTHER})
        self.assertEqual(self.post(server, {"prompt": "x"}).json["data"], ANSWER)
        wait_until(lambda: self.post(server, {"prompt": "x"}).json["data"], wanted=OTHER)

    def test_a_failed_refresh_keeps_the_answer(self):
        server = self.start_stale(settings={"queue": {"max_attempts": 1}})
        self.simulator.behave("one", {"steps": [{"status": 503}], "then": "repeat"})
        self.assertEqual(self.word(server, {"prompt": "x"}), "STALE")
        wait_until(lambda: call("GET", server.url + "/v1/jobs?state=failed").json["jobs"])
        for _ in range(5):
            self.assertEqual(self.post(server, {"prompt": "x"}).json["data"], ANSWER)
        self.assertEqual(self.upstream_calls(), 2)

    def test_whoever_joins_a_refresh_that_fails_gets_the_fallback(self):
        server = self.start_stale(settings={"cache": {"fresh_for": "200ms", "ttl": "1s"}, "queue": {"max_attempts": 1}})
        self.simulator.behave("one", {"steps": [{"answer": "I would rather not.", "delay_ms": 2000}], "then": "repeat"})
        self.assertEqual(self.post(server, {"prompt": "x"}).headers["X-Cache"], "STALE")
        joined = wait_until(lambda: self.queued_now(server, {"prompt": "x"}))
        self.assertEqual(joined.headers["X-Cache"], "COALESCED")
        job = self.finished(server, joined.json["jobId"])
        self.assertEqual((job["status"], job.get("data", {}).get("fallback")), ("completed", True))

    def queued_now(self, server, body):
        answer = self.post(server, body)
        return answer if answer.status == 202 else None

    def test_stale_answers_need_not_be_served(self):
        server = self.start_stale(settings={"cache": {"fresh_for": "200ms", "ttl": "60s", "stale_while_revalidate": False}})
        self.assertEqual(self.word(server, {"prompt": "x"}), "MISS")


if __name__ == "__main__":
    unittest.main()
