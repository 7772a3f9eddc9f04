"""What providers do wrong, and what the chain makes of it: the right error class, in time, in bounded memory, next one."""
import threading
import time
import unittest

from lib import Case, provider
from lib.processes import mib_of

# Behaviour of the first provider -> the code its attempt must end with.
FAULTS = {
    "429 in seconds": ({"status": 429, "retry_after": "7"}, "RATE_LIMIT"),
    "500": ({"status": 500}, "UPSTREAM_UNAVAILABLE"),
    "503": ({"status": 503}, "UPSTREAM_UNAVAILABLE"),
    "401": ({"status": 401}, "AUTH"),
    "hangs before the head": ({"hang": "head"}, "TIMEOUT"),
    "hangs in the body": ({"hang": "body"}, "TIMEOUT"),
    "drips": ({"drip": {"bytes": 1, "every_ms": 100}}, "TIMEOUT"),
    "resets before the head": ({"reset": "before_head"}, "UPSTREAM_UNAVAILABLE"),
    "resets in the body": ({"reset": "mid_body"}, "UPSTREAM_UNAVAILABLE"),
    "truncates": ({"truncate": 0.5}, "UPSTREAM_UNAVAILABLE"),
    "promises more than it sends": ({"content_length": 100}, "UPSTREAM_UNAVAILABLE"),
    "promises less than it sends": ({"content_length": -10}, "INVALID_RESPONSE"),
    "HTML": ({"html": True}, "INVALID_RESPONSE"),
    "invalid JSON": ({"invalid_json": True}, "INVALID_RESPONSE"),
    "an empty body": ({"empty": True}, "INVALID_RESPONSE"),
    "a gigabyte": ({"huge": 1 << 30}, "INVALID_RESPONSE"),
    "a gzip bomb": ({"gzip_bomb": 1 << 30}, "INVALID_RESPONSE"),
    "an unknown encoding": ({"encoding": "unknown"}, "INVALID_RESPONSE"),
    "endless headers": ({"endless": "headers"}, "INVALID_RESPONSE"),
    "a redirect": ({"redirect": "http://169.254.169.254/"}, None),
    "a refusal": ({"refusal": "I cannot help with that."}, "CONTENT_FILTERED"),
}
# A streamed answer that has come to its end is an answer, whatever Content-Length promised.
ONLY_OF_WHOLE_ANSWERS = {"promises more than it sends", "promises less than it sends"}
TIMEOUTS = {"timeout": "1500ms", "first_byte_timeout": "700ms", "idle_timeout": "700ms", "connect_timeout": "700ms"}


class Chain(Case):
    def test_each_fault_is_named_in_time_and_the_next_provider_answers(self):
        for title, (fault, code) in FAULTS.items():
            for stream in (True, False):
                if stream and title in ONLY_OF_WHOLE_ANSWERS:
                    continue
                with self.subTest(title, stream=stream):
                    self.check_fault(fault, code, stream)

    def check_fault(self, fault, code, stream):
        self.simulator.behave("first", {"steps": [fault], "then": "repeat"})
        self.simulator.behave("second", {})
        # It remembers nothing of what the one before was told.
        server = self.start([provider(self.simulator, "first", stream=stream, **TIMEOUTS), provider(self.simulator, "second")],
                            {"store": {"url": "memory:"}})
        began = time.monotonic()
        answer = self.generate(server, {"prompt": "x"})
        self.assertLess(time.monotonic() - began, 8, "a fault may cost its deadline and no more")
        if code == "CONTENT_FILTERED":
            self.assertEqual((answer.status, answer.json["errorCode"]), (422, code))
        else:
            story = answer.json["metadata"]["providersAttempted"]
            self.assertEqual(answer.json["metadata"]["provider"], "second", story)
            self.assertTrue(story[0]["error"])
            if code:
                self.assertEqual(story[0]["errorCode"], code, story)
        server.stop()
        self.assertNotIn("k-test", answer.raw.decode() + self.log_text())

    def test_memory_stays_bounded_under_huge_answers(self):
        self.simulator.behave("huge", {"steps": [{"huge": 1 << 30}], "then": "repeat"})
        self.simulator.behave("bomb", {"steps": [{"gzip_bomb": 1 << 30}], "then": "repeat"})
        self.simulator.behave("good", {})
        # A sanitizer keeps freed memory for a while; it must not be counted.
        env = {"ASAN_OPTIONS": "quarantine_size_mb=1:thread_local_quarantine_size_kb=64"}
        server = self.start([provider(self.simulator, "huge"), provider(self.simulator, "bomb"),
                             provider(self.simulator, "good")], env=env)
        before = mib_of(server.process.pid, "VmHWM")
        for _ in range(4):
            self.assertEqual(self.generate(server, {"prompt": "x"}).json["metadata"]["provider"], "good")
        self.assertLess(mib_of(server.process.pid, "VmHWM") - before, 120)

    def test_a_dead_port_and_an_unknown_host(self):
        self.simulator.behave("good", {})
        quick = {"retry": {"base": "10ms"}}
        server = self.start([provider(self.simulator, "dead", base_url="http://127.0.0.1:1/v1", **quick),
                             provider(self.simulator, "lost", base_url="http://nothing.invalid/v1", **quick),
                             provider(self.simulator, "good")])
        story = self.generate(server, {"prompt": "x"}).json["metadata"]["providersAttempted"]
        self.assertEqual([(a["provider"], a["attemptNumber"], a.get("errorCode")) for a in story],
                         [(name, n, "UPSTREAM_UNAVAILABLE") for name in ("dead", "lost") for n in (1, 2)] + [("good", 1, None)])

    def test_three_hanging_providers_cost_one_deadline(self):
        for name in ("a", "b", "c"):
            self.simulator.behave(name, {"steps": [{"hang": "head"}], "then": "repeat"})
        server = self.start([provider(self.simulator, name) for name in ("a", "b", "c")])
        began = time.monotonic()
        answer = self.generate(server, {"prompt": "x", "maxDurationSeconds": 1.5})
        self.assertLess(time.monotonic() - began, 3)
        self.assertTrue(answer.json["metadata"]["fallback"])
        began = time.monotonic()
        self.generate(server, {"prompt": "x"}, headers={"X-Request-Timeout-Ms": "500"})
        self.assertLess(time.monotonic() - began, 2)

    def test_all_limited_is_a_429_with_the_soonest_delay(self):
        self.simulator.behave("a", {"steps": [{"status": 429, "retry_after": "90"}], "then": "repeat"})
        self.simulator.behave("b", {"steps": [{"status": 429, "retry_after": "30"}], "then": "repeat"})
        server = self.start([provider(self.simulator, "a"), provider(self.simulator, "b")])
        for _ in range(2):
            # Less than the soonest is away: it would be waited for.
            answer = self.generate(server, {"prompt": "x", "maxDurationSeconds": 20})
            self.assertEqual((answer.status, answer.json["errorCode"], answer.json["retryable"]), (429, "RATE_LIMIT", True))
            self.assertIn(int(answer.headers["Retry-After"]), range(20, 31))
        self.assertEqual(self.simulator.counters("a")["requests"], 1)

    def test_without_fallback_the_failure_is_told(self):
        self.simulator.behave("a", {"steps": [{"status": 500}], "then": "repeat"})
        server = self.start([provider(self.simulator, "a")], {"fallback": {"enabled": False}})
        answer = self.generate(server, {"prompt": "x"})
        self.assertEqual((answer.status, answer.json["errorCode"], answer.json["retryable"]),
                         (502, "UPSTREAM_UNAVAILABLE", True))

    def test_prefer_and_exclude(self):
        for name in ("a", "b", "c"):
            self.simulator.behave(name, {})
        server = self.start([provider(self.simulator, name) for name in ("a", "b", "c")])

        def who(**body):
            return self.generate(server, {"prompt": "x", **body}).json["metadata"]["provider"]

        self.assertEqual(who(), "a")
        self.assertEqual(who(preferredProviders=["nobody", "C"]), "c")
        self.assertEqual(who(excludeProviders=["A"]), "b")
        self.assertEqual(who(preferredProviders=["a"], excludeProviders=["a", "b"]), "c")

    def test_a_busy_provider_is_passed_over(self):
        self.simulator.behave("slow", {"latency_ms": 1500})
        self.simulator.behave("quick", {})
        server = self.start([provider(self.simulator, "slow", concurrency=1), provider(self.simulator, "quick")])
        first = threading.Thread(target=self.generate, args=(server, {"prompt": "x"}))
        first.start()
        self.await_upstream(1, "slow")
        metadata = self.generate(server, {"prompt": "y"}).json["metadata"]
        first.join()
        self.assertEqual(metadata["provider"], "quick")
        self.assertEqual(metadata["providersAttempted"][0], {"provider": "slow", "attemptNumber": 0, "skipped": "busy"})

    def test_every_format_answers(self):
        template = {"path": "/generic", "body": {"prompt": "{{prompt}}"}, "response": {"text": "/result/text"}}
        formats = [("openai-compatible", {}), ("gemini", {}), ("cohere", {}), ("cohere", {"api": "v1"}), ("anthropic", {}),
                   ("hfspace", {"mode": "infer"}), ("hfspace", {"mode": "gradio"}), ("http-template", template)]
        for plugin, options in formats:
            for stream in (True, False):
                with self.subTest(plugin, options=options, stream=stream):
                    self.simulator.behave(plugin, {})
                    server = self.start([provider(self.simulator, plugin, plugin, options=options, stream=stream)])
                    answer = self.generate(server, {"prompt": 'ECHO:{"a":[1,2]}:ECHO'})
                    self.assertEqual(answer.json["data"], {"a": [1, 2]}, answer.raw)
                    server.stop()


if __name__ == "__main__":
    unittest.main()
