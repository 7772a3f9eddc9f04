"""The inherited HTTP contract: recorded exchanges are sent again, and the answers must have the same status and shape."""
import json
import unittest

from lib import ROOT, Case, call, provider

CASES = [json.loads(line) for line in (ROOT / "tests/integration/contract-cases.jsonl").read_text().splitlines()]

# Where Stepper is better than what was recorded: the status and the members it answers instead.
BETTER = {
    "unknown-route": (404, {"error", "errorCode", "requestId"}),
    "unknown-method": (405, {"error", "errorCode", "requestId"}),
    "malformed-json": (400, {"error", "errorCode", "requestId"}),
    "immediate-array-json": (200, {"status", "data", "metadata"}),
    # It is told before anybody is asked.
    "empty-prompt": (400, {"error", "errorCode", "requestId"}),
    # Delivery forgets reports only: generic answers are there for the next client, too.
    "enqueue-after-hit": (200, {"status", "cached", "data", "metadata"}),
}
# Validation is the same for every way to generate, and was recorded on the queued one.
SAME_ON_IMMEDIATE = {"/v1/generate": "/v1/generate/immediate", "/v1/reports": "/v1/reports/immediate"}
# What one server is asked in this order, because the later need what the earlier left.
STORIES = [["enqueue", "enqueue-result", "enqueue-poll-again", "enqueue-cached", "enqueue-after-hit"],
           ["report-enqueue", "report-result", "report-delete"]]


def stories():
    """Lists of cases. A provider that said 429 is left alone for a while, so each list meets a server of its own;
    cases that reach no provider share one."""
    named = {case["name"]: case for case in CASES}
    told = {name for story in STORIES for name in story}
    single = [case for case in CASES if case["name"] not in told]
    quiet = [case for case in single if case["status"] >= 400 or case["method"] == "GET"]
    return [quiet] + [[case] for case in single if case not in quiet] + [[named[name] for name in story] for story in STORIES]


def attempts(body):
    """Who was tried and what came of it, wherever the answer tells."""
    places = (body.get(place) for place in ("metadata", "data"))
    told = next((p["providersAttempted"] for p in places if isinstance(p, dict) and "providersAttempted" in p), [])
    return [(attempt["provider"], attempt.get("errorCode")) for attempt in told]


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
    def start_recorded_chain(self, settings=None):
        """As recorded: the first provider answers 429 with Retry-After 7, the second 503, the third is well."""
        self.simulator.behave("gemini", {"steps": [{"status": 429, "retry_after": "7"}], "then": "repeat"})
        self.simulator.behave("cohere", {"steps": [{"status": 503}], "then": "repeat"})
        self.simulator.behave("openai", {})
        return self.start([provider(self.simulator, "gemini", "gemini"), provider(self.simulator, "cohere", "cohere"),
                           provider(self.simulator, "openai")], settings)

    def send(self, server, case, path):
        body = case.get("request")
        headers = {"Content-Type": ""} if case["name"] == "no-content-type" else None
        return call(case["method"], server.url + path, body.encode() if isinstance(body, str) else body, headers)

    def replay(self, server, case, ids):
        """The answers to a case. `ids`: the recorded jobs and ours in their place."""
        if "path" not in case:
            ours = ids[case["body"]["id"]]
            path = "/v1/reports/" if case["name"] == "report-result" else "/v1/jobs/"
            return [call("GET", f"{server.url}{path}{ours}?wait=20")]
        folder, _, last = case["path"].rpartition("/")
        path = f"{folder}/{ids.get(last, last)}"
        answers = [self.send(server, case, path)]
        if case["status"] == 400 or case["name"] == "malformed-json":
            if path in SAME_ON_IMMEDIATE:
                answers.append(self.send(server, case, SAME_ON_IMMEDIATE[path]))
        if case["status"] == 202 and answers[0].status == 202:
            ids[case["body"]["jobId"]] = answers[0].json["jobId"]
        return answers

    def check_better(self, name, answer):
        status, members = BETTER[name]
        self.assertEqual(answer.status, status)
        self.assertEqual(set(answer.json), members)
        if name == "immediate-array-json":
            self.assertEqual(answer.json["data"], [1, 2, 3])

    def check_same(self, case, answer):
        self.assertEqual(answer.status, case.get("status", 200), answer.raw)
        recorded = case["body"]
        seen = without_additions(recorded, answer.json)
        if case["name"] == "root":
            self.assertLessEqual(set(recorded["endpoints"]) - {"POST /webhook/report-completion"}, set(seen["endpoints"]))
            recorded, seen = dict(recorded, endpoints={}), dict(seen, endpoints={})
        self.assertEqual(shape(seen), shape(recorded))
        for member in ("status", "rawStatus", "error", "success", "message", "progress"):
            self.assertEqual(seen.get(member), recorded.get(member))
        if answer.status == 400:
            self.assertEqual(seen, recorded)
        self.assertEqual(attempts(answer.json), attempts(recorded))

    def test_recorded_cases(self):
        for number, story in enumerate(stories()):
            # Each in a store of its own: what a provider asked for is remembered there.
            server = self.start_recorded_chain({"store": {"url": f"sqlite:{self.folder}/story-{number}.db"}})
            ids = {}
            for case in story:
                with self.subTest(case["name"]):
                    for answer in self.replay(server, case, ids):
                        if case["name"] in BETTER:
                            self.check_better(case["name"], answer)
                        else:
                            self.check_same(case, answer)
                        self.assertTrue(answer.headers["X-Request-Id"])
                    if "id" in case["body"]:
                        self.assertEqual(answer.json["id"], ids[case["body"]["id"]])
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
