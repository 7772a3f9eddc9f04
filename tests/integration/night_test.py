"""A night as an operator finds it in the morning: what log, pages, metrics and lists tell at each step of it."""
import json
import os
import time
import unittest

from harness import Case, call, provider

ALL = ("one", "two", "three")
OUTAGE_SECONDS = float(os.environ.get("STEPPER_OUTAGE_SECONDS", "5"))
DOWN = {"steps": [{"status": 503, "message": "we are overloaded"}], "then": "repeat"}
FAST = {"retry": {"attempts": 1}, "first_byte_timeout": "300ms", "timeout": "2s",
        "breaker": {"window": "2s", "min_calls": 3, "consecutive": 3, "open_for": "300ms", "max_open_for": "1s", "probes": 1}}


class Night(Case):
    def lines(self, event=None, **fields):
        """What the log holds so far, access lines aside."""
        out = []
        for line in self.log_path.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            if entry["event"] == "request" or (event and entry["event"] != event):
                continue
            if all(entry.get(k) == v for k, v in fields.items()):
                out.append(entry)
        return out

    def access(self, request_id):
        """The one line of the log about that request."""
        for line in self.log_path.read_text(encoding="utf-8").splitlines():
            if (entry := json.loads(line))["event"] == "request" and entry["requestId"] == request_id:
                return entry
        return None

    def provider_page(self, server, name):
        page = call("GET", server.url + "/v1/providers").json
        return next(p for p in page["providers"] if p["name"] == name)

    def metric(self, server, name, labels):
        """The sum of those that have these labels."""
        text = call("GET", server.url + "/metrics").raw.decode()
        return sum(float(found.split()[-1]) for found in text.splitlines()
                   if found.startswith(name + "{") and all(label in found for label in labels))

    def start_night(self, settings=None):
        self.simulator.reset()
        for name in ALL:
            self.simulator.behave(name, {})
        chain = [provider(self.simulator, name, **FAST) for name in ALL]
        return self.start(chain, {"server": {"drain_timeout": "200ms"}, **(settings or {})})

    def logged(self, event, **fields):
        return self.wait_for(lambda: self.lines(event, **fields))

    def test_each_way_to_fail_is_told_with_the_providers_words(self):
        troubles = {
            "overloaded": ({"status": 503, "message": "we are overloaded"}, "UPSTREAM_UNAVAILABLE", "we are overloaded"),
            "hangs": ({"hang": "head"}, "TIMEOUT", "no first byte"),
            "html": ({"html": True, "status": 200}, "INVALID_RESPONSE", ""),
            "spent": ({"error": "quota"}, "RATE_LIMIT", "quota"),
            "locked": ({"error": "auth"}, "AUTH", "key"),
        }
        self.simulator.reset()
        for name, (step, _, _) in troubles.items():
            self.simulator.behave(name, {"steps": [step], "then": "repeat"})
        server = self.start([provider(self.simulator, name, **FAST) for name in [*troubles, "well"]])
        answer = self.generate(server, {"prompt": "x"})
        self.assertEqual(answer.json["metadata"]["provider"], "well")
        self.assertNotIn("X-Stepper-Fallback", answer.headers)
        for name, (_, code, words) in troubles.items():
            with self.subTest(name):
                line = self.logged("attempt failed", provider=name)[0]
                self.assertEqual((line["level"], line["errorCode"], line["times"]), ("warn", code, 1))
                self.assertEqual(line["requestId"], answer.headers["X-Request-Id"])
                self.assertIn(words, line["reason"])
                last = self.provider_page(server, name)["lastError"]
                self.assertEqual((last["errorCode"], last["error"]), (code, line["reason"]))
                self.assertRegex(last["at"], r"^20\d\d-\d\d-\d\dT")
        self.assertIn("refused its API key", self.logged("alert", provider="locked")[0]["reason"])
        self.assertNotIn("lastError", self.provider_page(server, "well"))
        self.assertNotIn("k-test", self.log_path.read_text(encoding="utf-8"))

    def test_an_outage_of_all_and_back(self):
        server = self.start_night()
        self.assertEqual(call("GET", server.url + "/health").json["status"], "healthy")
        for name in ALL:
            self.simulator.behave(name, DOWN)
        jobs = [self.queue(server, {"prompt": f"job {i}"}) for i in range(10)]
        answers = []
        until = time.monotonic() + OUTAGE_SECONDS
        while time.monotonic() < until:
            answers.append(self.generate(server, {"prompt": f"now {len(answers)}"}))
        first = answers[0]
        self.assertEqual((first.status, first.json["metadata"]["fallback"]), (200, True))
        self.assertEqual(first.headers["X-Stepper-Fallback"], "true")
        self.assertIn("fallback", first.json["metadata"]["warnings"][0])

        story = self.wait_for(lambda: self.access(first.headers["X-Request-Id"]))["story"]
        for name in ALL:
            self.assertIn(f"{name}: ", story)
            self.assertEqual(len(self.logged("circuit opened", provider=name)), 1)
            line = self.logged("attempt failed", provider=name)[0]
            self.assertIn("we are overloaded", line["reason"])
        told = self.logged("fallback given")
        self.assertLessEqual(len(told), 3, "the same thing, over and over")
        self.assertEqual(call("GET", server.url + "/health").json["status"], "unhealthy")
        self.assertEqual(self.provider_page(server, "two")["lastError"]["errorCode"], "UPSTREAM_UNAVAILABLE")
        given = ('provider="fallback"', 'status="fallback"')
        self.assertEqual(self.metric(server, "ai_requests_total", given), len(answers))
        waiting = call("GET", server.url + "/v1/jobs?limit=100").json["jobs"]
        self.assertEqual({job["status"] for job in waiting}, {"queued"}, "an outage fails no job")

        for name in ALL:
            self.simulator.behave(name, {})
        for job in jobs:
            done = self.finished(server, job)
            self.assertEqual((done["status"], done["data"]["fallback"]), ("completed", False))
        self.assertTrue(self.logged("circuit closed"))
        back = self.logged("provider back")[0]
        self.assertGreaterEqual(back["failures"], 3)
        self.assertIn(call("GET", server.url + "/health").json["status"], ("healthy", "degraded"))
        night = [line for line in self.lines() if line["level"] != "debug"]
        self.assertLess(len(night), 60, "\n".join(map(str, night)))


if __name__ == "__main__":
    unittest.main()
