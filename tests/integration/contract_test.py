"""The inherited HTTP contract: recorded exchanges are sent again, and the answers must have the same status and shape."""
import json
import unittest

from harness import ROOT, Case, call, provider

CASES = [json.loads(line) for line in (ROOT / "tests/integration/contract-cases.jsonl").read_text().splitlines()]

# Where Stepper is better than what was recorded: the status and the members it answers instead.
BETTER = {
    "unknown-route": (404, {"error", "errorCode", "requestId"}),
    "unknown-method": (405, {"error", "errorCode", "requestId"}),
    "malformed-json": (400, {"error", "errorCode"}),
    "immediate-array-json": (200, {"status", "data", "metadata"}),
}
# Validation is the same for every way to generate, and was recorded on the queued one.
SAME_ON_IMMEDIATE = {"/v1/generate": "/v1/generate/immediate", "/v1/reports": "/v1/reports/immediate"}


def shape(value):
    """Types and member names, to any depth; of a list the shapes of its elements."""
    if isinstance(value, dict):
        return {k: shape(v) for k, v in value.items()}
    if isinstance(value, list):
        return [shape(v) for v in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "number"
    return type(value).__name__


def without_additions(recorded, answered):
    """The answer cut down to the recorded members, where the contract allows more of them."""
    if isinstance(recorded, dict) and isinstance(answered, dict):
        return {k: without_additions(recorded[k], v) for k, v in answered.items() if k in recorded}
    if isinstance(recorded, list) and isinstance(answered, list):
        return [without_additions(r, a) for r, a in zip(recorded, answered)] + answered[len(recorded):]
    return answered


class Contract(Case):
    def start_recorded_chain(self):
        """As recorded: the first provider answers 429 with Retry-After 7, the second 503, the third is well."""
        self.simulator.behave("gemini", {"steps": [{"status": 429, "retry_after": "7"}], "then": "repeat"})
        self.simulator.behave("cohere", {"steps": [{"status": 503}], "then": "repeat"})
        self.simulator.behave("openai", {})
        return self.start([provider(self.simulator, "gemini", "gemini"), provider(self.simulator, "cohere", "cohere"),
                           provider(self.simulator, "openai")])

    def replay(self, server, case):
        body = case.get("request")
        raw = body.encode() if isinstance(body, str) else body
        path = case["path"]
        if case["status"] == 400 or case["name"] in ("malformed-json",):
            path = SAME_ON_IMMEDIATE.get(path, path)
        if case["name"] == "unknown-method":
            path = "/v1/generate/immediate"
        headers = {"Content-Type": ""} if case["name"] == "no-content-type" else None
        return call(case["method"], server.url + path, raw, headers)

    def check_better(self, name, answer):
        status, members = BETTER[name]
        self.assertEqual(answer.status, status)
        self.assertEqual(set(answer.json), members)
        if name == "immediate-array-json":
            self.assertEqual(answer.json["data"], [1, 2, 3])

    def check_same(self, case, answer):
        self.assertEqual(answer.status, case["status"], answer.raw)
        recorded = case["body"]
        seen = without_additions(recorded, answer.json)
        if case["name"] == "root":
            recorded, seen = dict(recorded, endpoints={}), dict(seen, endpoints={})
        self.assertEqual(shape(seen), shape(recorded))
        if case["status"] == 400:
            self.assertEqual(seen, recorded)
        story = recorded.get("metadata", {}).get("providersAttempted", [])
        told = answer.json.get("metadata", {}).get("providersAttempted", [])
        self.assertEqual([(a["provider"], a.get("errorCode")) for a in told],
                         [(a["provider"], a.get("errorCode")) for a in story])

    def test_recorded_cases(self):
        for case in CASES:
            with self.subTest(case["name"]):
                # A provider that said 429 is left alone for a while, so each case meets a server without memories.
                server = self.start_recorded_chain()
                answer = self.replay(server, case)
                if case["name"] in BETTER:
                    self.check_better(case["name"], answer)
                else:
                    self.check_same(case, answer)
                self.assertTrue(answer.headers["X-Request-Id"])
                server.stop()

    def test_the_story_is_told_in_the_contract_s_words(self):
        server = self.start_recorded_chain()
        metadata = self.generate(server, {"prompt": "x"}).json["metadata"]
        first, second, third = metadata["providersAttempted"]
        self.assertEqual((first["error"][:8], first["errorCode"], first["retryAfterSeconds"]), ("HTTP 429", "RATE_LIMIT", 7))
        self.assertEqual((second["error"][:8], second["errorCode"]), ("HTTP 503", "UPSTREAM_UNAVAILABLE"))
        self.assertEqual(set(third), {"provider", "attemptNumber", "durationMs"})
        self.assertEqual((metadata["provider"], metadata["fallback"], metadata["validated"]), ("openai", False, True))

    def test_a_limited_provider_is_left_alone(self):
        server = self.start_recorded_chain()
        self.generate(server, {"prompt": "x"})
        before = self.simulator.counters("gemini")["requests"]
        story = self.generate(server, {"prompt": "y"}).json["metadata"]["providersAttempted"]
        self.assertEqual(story[0]["skipped"], "rate_limited")
        self.assertLessEqual(story[0]["retryAfterSeconds"], 7)
        self.assertEqual(self.simulator.counters("gemini")["requests"], before)


if __name__ == "__main__":
    unittest.main()
