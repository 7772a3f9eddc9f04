"""A night as an operator finds it in the morning: what log, pages, metrics and lists tell at each step of it."""
import collections
import json
import os
import time
import unittest

from lib import Case, call, provider, run_stepper, wait_until

ALL = ("one", "two", "three")
OUTAGE_SECONDS = float(os.environ.get("STEPPER_OUTAGE_SECONDS", "5"))


def always(**step):
    return {"steps": [step], "then": "repeat"}


DOWN = always(status=503, message="we are overloaded")
# One after the other. The provider's behaviour, the code, the provider's words, its state and the reason of it, /health.
TROUBLES = [
    ("one", DOWN, "UPSTREAM_UNAVAILABLE", "we are overloaded", "circuit_open", "it failed too often", "degraded"),
    ("two", always(hang="head"), "TIMEOUT", "no first byte", "circuit_open", "it failed too often", "degraded"),
    ("three", always(html=True, status=200), "INVALID_RESPONSE", "HTML page", "circuit_open", "it failed too often", "degraded"),
    ("one", {"key": "k-night"}, "AUTH", "Incorrect API key", "disabled", "refused its key", "degraded"),
    ("two", {"quota": {"requests": 1, "per_ms": 1500, "kind": "fixed"}}, "RATE_LIMIT", "429", "rate_limited", "left alone",
     "healthy"),
]
# Each in a way that is news of that provider: what was told a minute ago is not told again.
OUTAGE = {"one": (always(hang="head"), "TIMEOUT"), "two": (DOWN, "UPSTREAM_UNAVAILABLE"), "three": (DOWN, "UPSTREAM_UNAVAILABLE")}
# A busy machine, too, answers within a second and asks three times in ten.
FAST = {"retry": {"attempts": 1}, "first_byte_timeout": "1s", "timeout": "10s",
        "breaker": {"window": "10s", "min_calls": 3, "consecutive": 3, "open_for": "300ms", "max_open_for": "1s", "probes": 1}}


class Night(Case):
    def lines(self, event=None, **fields):
        """What the log holds so far, access lines aside."""
        out = []
        for line in self.log_text().splitlines():
            entry = json.loads(line)
            if entry["event"] == "request" or (event and entry["event"] != event):
                continue
            if all(entry.get(k) == v for k, v in fields.items()):
                out.append(entry)
        return out

    def access(self, request_id):
        """The one line of the log about that request."""
        for line in self.log_text().splitlines():
            if (entry := json.loads(line))["event"] == "request" and entry["requestId"] == request_id:
                return entry
        return None

    def provider_page(self, server, name):
        page = call("GET", server.url + "/v1/providers").json
        return next(p for p in page["providers"] if p["name"] == name)

    def metric(self, server, name, *labels):
        """The sum of those that have these labels."""
        return self.sum_of(call("GET", server.url + "/metrics").raw.decode(), name, *labels)

    def sum_of(self, text, name, *labels):
        return sum(float(found.split()[-1]) for found in text.splitlines()
                   if found.startswith(name + "{") and all(label in found for label in labels))

    def job_states(self, server):
        """By id, as `stepper jobs list` tells them. What is just being tried is queued again when that fails."""
        result = run_stepper("jobs", "list", "--server", server.url, cwd=self.folder)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        states = dict(line.split()[:2] for line in result.stdout.splitlines())
        return {job: "queued" if state == "active" else state for job, state in states.items()}

    def assert_jobs(self, server, completed, queued=()):
        """List, filters and metrics know of these jobs and of no others; none failed or was given a fallback."""
        expected = {**dict.fromkeys(completed, "completed"), **dict.fromkeys(queued, "queued")}
        self.assertEqual(self.job_states(server), expected)
        for state, ids in {"completed": completed, "fallback": (), "failed": (), "cancelled": ()}.items():
            page = call("GET", f"{server.url}/v1/jobs?limit=100&state={state}").json["jobs"]
            self.assertEqual({job["id"] for job in page}, set(ids), state)
        # They are counted after the store has them.
        wait_until(lambda: (self.metric(server, "stepper_jobs_ended_total", 'status="completed"'),
                            self.metric(server, "stepper_jobs_ended_total"), self.metric(server, "stepper_jobs")),
                   20, "the metrics", (len(completed), len(completed), len(queued)))

    def seen(self, server, reasons):
        """What the pages tell of each provider: its state; on /health, whether all is well; whether metrics call it ready and
        its circuit open. Of `reasons`, those that the page has, too."""
        page = call("GET", server.url + "/v1/providers").json
        health = call("GET", server.url + "/health")
        metrics = call("GET", server.url + "/metrics").raw.decode()

        def of_each(metric):
            return {name: self.sum_of(metrics, metric, f'provider="{name}"') for name in ALL}

        return {"providers": {p["name"]: p["state"] for p in page["providers"]},
                "page": page["status"],
                "reasons": {p["name"]: reasons[p["name"]] for p in page["providers"]
                            if p["name"] in reasons and reasons[p["name"]] in p.get("reason", "")},
                "health": (health.status, health.json["status"]),
                "healthy": {p["name"]: p["healthy"] for p in health.json["providers"]},
                "ready": of_each("stepper_provider_ready"),
                "open": of_each("stepper_circuit_open")}

    def wait_until_all_tell(self, server, states, health, poke=lambda: None, reasons={}):
        """Until pages and metrics agree on these states. Circuits are tried again every moment, so `poke` has them fail, or
        close, meanwhile."""
        expected = {"providers": states, "page": health, "reasons": reasons,
                    "health": (503 if health == "unhealthy" else 200, health),
                    "healthy": {name: state in ("ready", "rate_limited") for name, state in states.items()},
                    "ready": {name: float(state == "ready") for name, state in states.items()},
                    "open": {name: float(state == "circuit_open") for name, state in states.items()}}

        def look():
            poke()
            return self.seen(server, reasons)

        wait_until(look, 20, "all tell", expected)

    def start_night(self):
        self.simulator.reset()
        for name in ALL:
            self.simulator.behave(name, {})
        chain = [provider(self.simulator, name, **FAST) for name in ALL]
        return self.start(chain, {"server": {"drain_timeout": "200ms"}})

    def logged(self, event, **fields):
        return wait_until(lambda: self.lines(event, **fields))

    def news(self, event, since, **fields):
        """Lines of that event beyond the first `since` of the night's."""
        return wait_until(lambda: [line for line in self.lines()[since:] if line["event"] == event
                                      and all(line.get(k) == v for k, v in fields.items())])

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
        self.assertEqual(call("GET", server.url + "/health").json["status"], "healthy")
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
                self.assertEqual(self.metric(server, "provider_failures_total", f'provider="{name}"'), 1)
                self.assertEqual(self.metric(server, "provider_failures_total", f'reason="{code}"', f'provider="{name}"'), 1)
        for name, state, words in (("spent", "rate_limited", "quota"), ("locked", "disabled", "refused its key"),
                                   ("html", "ready", "")):
            page = self.provider_page(server, name)
            self.assertEqual((page["state"], words in page.get("reason", "")), (state, True), page)
            self.assertEqual(self.metric(server, "stepper_provider_ready", f'provider="{name}"'), float(state == "ready"))
        self.assertEqual(call("GET", server.url + "/health").json["status"], "degraded")
        job = self.queue(server, {"prompt": "later"})
        self.finished(server, job)
        self.assert_jobs(server, completed=[job])
        self.assertIn("refused its API key", self.logged("alert", provider="locked")[0]["reason"])
        self.assertNotIn("lastError", self.provider_page(server, "well"))
        self.assertNotIn("k-test", self.log_text())

    def test_a_night(self):
        started = time.monotonic()
        server = self.start_night()
        well = dict.fromkeys(ALL, "ready")
        self.wait_until_all_tell(server, well, "healthy")
        self.assert_jobs(server, completed=())
        jobs = []
        for name, behaviour, code, words, state, reason, health in TROUBLES:
            with self.subTest(name=name, code=code):
                jobs.append(self.one_fails(server, name, behaviour, code, words, {**well, name: state}, reason, health))
                self.assert_jobs(server, completed=jobs)
                self.one_is_back(server, name, code)
                self.wait_until_all_tell(server, well, "healthy", lambda: self.ask(server, name))
        late = self.all_fail(server, jobs)
        self.all_are_back(server, jobs, late)
        self.wait_until_all_tell(server, well, "healthy", lambda: [self.ask(server, name) for name in ALL])

        night = self.lines()
        self.assertLess(len(night), 200, "\n".join(map(str, night)))
        self.assertLessEqual({line["level"] for line in night}, {"info", "warn", "error"})
        # At once and then ever more rarely; that a provider is back is told each time.
        again = 3 + (time.monotonic() - started) / 60
        for what, times in collections.Counter((e["event"], e.get("provider"), e.get("errorCode")) for e in night).items():
            if what[0] != "plugin loaded":
                self.assertLessEqual(times, again, f"{what}, over and over")
        self.assertNotRegex(self.log_text(), "k-test|k-night")

    def ask(self, server, name):
        """A request that goes to this provider first; no two are the same, or the cache would answer."""
        self.asked = getattr(self, "asked", 0) + 1
        return self.generate(server, {"prompt": f"now {self.asked}", "preferredProviders": [name]})

    def one_fails(self, server, name, behaviour, code, words, states, reason, health):
        """The id of the job that somebody else answered meanwhile."""
        since = len(self.lines())
        failures = ("provider_failures_total", f'provider="{name}"', f'reason="{code}"')
        self.assertEqual(self.metric(server, *failures), 0)
        self.simulator.behave(name, behaviour)
        answers = [self.ask(server, name)]
        job = self.queue(server, {"prompt": f"{name} {code}", "preferredProviders": [name]})
        self.wait_until_all_tell(server, states, health, lambda: answers.append(self.ask(server, name)), {name: reason})
        page = self.provider_page(server, name)

        line = self.news("attempt failed", since, provider=name)[0]
        self.assertEqual((line["level"], line["errorCode"], line["times"]), ("warn", code, 1))
        self.assertIn(line["requestId"], [job, *(answer.headers["X-Request-Id"] for answer in answers)])
        self.assertIn(words, line["reason"])
        if states[name] == "circuit_open":
            self.assertEqual(self.news("circuit opened", since, provider=name)[0]["level"], "warn")
        if states[name] == "disabled":
            alert = self.news("alert", since, provider=name)[0]
            self.assertEqual(alert["level"], "error")
            self.assertIn("refused its API key", alert["reason"])
        self.assertFalse([e for e in self.lines()[since:] if e.get("provider", name) != name], "nobody else failed")
        self.assertEqual((page["lastError"]["errorCode"], words in page["lastError"]["error"]), (code, True))
        self.assertRegex(page["lastError"]["at"], r"^20\d\d-\d\d-\d\dT")

        self.assertGreaterEqual(self.metric(server, *failures), 1)
        self.assertEqual(self.metric(server, "stepper_requests_total", 'provider="fallback"'), 0)
        for answer in answers:
            self.assertEqual((answer.status, answer.json["metadata"]["fallback"]), (200, False))
            self.assertNotIn("X-Stepper-Fallback", answer.headers)
        done = self.finished(server, job)
        self.assertEqual((done["status"], done["data"]["fallback"]), ("completed", False))
        return job

    def one_is_back(self, server, name, code):
        since = len(self.lines())
        if code == "AUTH":
            # The provider goes on asking for another key; somebody writes it down.
            chain = [provider(self.simulator, one, **FAST, **({"api_key": "k-night"} if one == name else {})) for one in ALL]
            self.write_config(chain, {"server": {"drain_timeout": "200ms"}})
            wait_until(lambda: self.admin("POST", server, "/admin/reload").json["status"] in ("applied", "unchanged"))
        else:
            self.simulator.behave(name, {})
        answered = wait_until(lambda: (a := self.ask(server, name)).json["metadata"]["provider"] == name and a, 20)
        self.assertEqual(answered.status, 200)
        if code == "RATE_LIMIT":  # which is no outage
            return
        self.assertGreaterEqual(self.news("provider back", since, provider=name)[0]["failures"], 1)
        if code != "AUTH":
            self.assertEqual(self.news("circuit closed", since, provider=name)[0]["level"], "info")
        self.assertEqual(self.provider_page(server, name)["consecutiveFailures"], 0)

    def all_fail(self, server, before):
        """The ids of jobs that wait for the end of it. `before`: those that were answered."""
        since = len(self.lines())
        for name, (behaviour, _) in OUTAGE.items():
            self.simulator.behave(name, behaviour)
        jobs = [self.queue(server, {"prompt": f"job {i}"}) for i in range(10)]
        answers = []
        down = dict.fromkeys(ALL, "circuit_open")

        def ask():
            answers.append(self.generate(server, {"prompt": f"down {len(answers)}"}))

        until = time.monotonic() + OUTAGE_SECONDS
        ask()
        first = answers[0]
        self.assertEqual((first.status, first.json["metadata"]["fallback"]), (200, True))
        self.assertEqual(first.headers["X-Stepper-Fallback"], "true")
        self.assertIn("fallback", first.json["metadata"]["warnings"][0])
        self.wait_until_all_tell(server, down, "unhealthy", ask, dict.fromkeys(ALL, "it failed too often"))
        self.assert_jobs(server, before, jobs)
        while time.monotonic() < until:
            ask()
        # What was true when it began still is.
        self.wait_until_all_tell(server, down, "unhealthy", ask, dict.fromkeys(ALL, "it failed too often"))
        self.assert_jobs(server, before, jobs)

        self.assertTrue(all(answer.json["metadata"]["fallback"] for answer in answers))
        story = wait_until(lambda: self.access(first.headers["X-Request-Id"]))["story"]
        for name, (_, code) in OUTAGE.items():
            self.assertIn(f"{name}: ", story)
            line = self.news("attempt failed", since, provider=name)[0]
            self.assertEqual((line["level"], line["errorCode"]), ("warn", code))
            self.assertEqual(self.provider_page(server, name)["lastError"]["errorCode"], code)
            self.assertGreaterEqual(self.metric(server, "provider_failures_total", f'provider="{name}"', f'reason="{code}"'), 3)
        self.assertTrue(self.news("fallback given", since))
        given = ('provider="fallback"', 'status="fallback"')
        self.assertEqual(self.metric(server, "stepper_requests_total", *given), len(answers))
        return jobs

    def all_are_back(self, server, before, jobs):
        since = len(self.lines())
        for name in ALL:
            self.simulator.behave(name, {})
        for job in jobs:
            done = self.finished(server, job)
            self.assertEqual((done["status"], done["data"]["fallback"]), ("completed", False))
        self.assert_jobs(server, completed=[*before, *jobs])
        for name in ALL:
            wait_until(lambda name=name: self.ask(server, name).json["metadata"]["provider"] == name, 20)
            self.assertGreaterEqual(self.news("provider back", since, provider=name)[0]["failures"], 3)


if __name__ == "__main__":
    unittest.main()
