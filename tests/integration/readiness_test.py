"""Providers that are looked after while nobody asks: `probe_every`, `keep_warm`, and `stepper provider test`.

No probe is a completion that is paid for (BerriAI/litellm#3089, fr0ster/llm-agent#13, Exgentic/exgentic#247), each speaks its
provider's language (voidmind-io/voidllm#182), and none says that a provider is down which answers (fr0ster/llm-agent#220).
"""
import json
import unittest

from lib import Case, call, provider, run_stepper, wait_until


class ReadinessTest(Case):
    def page(self, server, name="one"):
        return next(p for p in call("GET", server.url + "/v1/providers").json["providers"] if p["name"] == name)

    def test_a_refused_key_is_known_before_a_request_finds_out(self):
        self.simulator.reset()
        self.simulator.behave("one", {"key": "another"})
        self.simulator.behave("two", {})
        server = self.start([provider(self.simulator, name, probe_every="1h") for name in ("one", "two")])
        one, two = (wait_until(lambda name=name: self.page(server, name).get("probe")) for name in ("one", "two"))
        self.assertEqual((one["ok"], one["errorCode"], two["ok"]), (False, "AUTH", True))
        self.assertNotIn("k-test", json.dumps(one))
        self.assertRegex(two["at"], r"^20\d\d-.*Z$")
        shown = self.page(server)
        self.assertEqual((shown["state"], shown["healthy"]), ("disabled", False))
        self.assertIn("refused its API key", self.log_text())
        answer = self.generate(server, {"prompt": "x"})
        self.assertEqual([a.get("skipped") for a in answer.json["metadata"]["providersAttempted"]], ["disabled", None])
        # The caretaker's visits take nothing of what requests may have.
        self.assertEqual(self.simulator.counters("two")["requests"], 2)

    def test_a_key_that_is_corrected_is_probed_at_once(self):
        self.simulator.reset()
        self.simulator.behave("one", {"key": "good"})
        server = self.start([provider(self.simulator, "one", probe_every="1h", api_key="bad")])
        wait_until(lambda: self.page(server)["state"], wanted="disabled")
        self.write_config([provider(self.simulator, "one", probe_every="1h", api_key="good")])
        self.admin("POST", server, "/admin/reload")
        wait_until(lambda: self.page(server)["state"], wanted="ready")
        wait_until(lambda: self.page(server)["probe"]["ok"])

    def test_a_space_is_woken_and_kept_awake(self):
        self.simulator.reset()
        self.simulator.behave("one", {"sleep": {"calls": 2}})
        server = self.start([provider(self.simulator, "one", "hfspace", keep_warm="10s", options={"wake_poll_ms": 20})])
        self.assertTrue(wait_until(lambda: self.page(server).get("warmup"))["ok"])
        self.assertNotIn("probe", self.page(server))
        self.assertEqual(self.generate(server, {"prompt": "x"}).json["metadata"]["provider"], "one")

    def try_keys(self, *words, providers):
        config = self.write_config(providers)
        return run_stepper("provider", "test", *words, "--config", config)

    def test_now(self):
        self.simulator.reset()
        self.simulator.behave("one", {})
        self.simulator.behave("two", {"key": "right"})
        template = {"path": "/generic", "body": {"prompt": "{{prompt}}"}, "response": {"text": "/text"}}
        one = provider(self.simulator, "one")
        two = provider(self.simulator, "two", api_key=None, api_keys=["wrong", "right"])
        off = provider(self.simulator, "off", enabled=False)
        mute = provider(self.simulator, "mute", "http-template", options=template)
        every = [one, two, off, mute]
        well = self.try_keys("one", providers=every)
        self.assertEqual(well.returncode, 0, well.stderr)
        self.assertRegex(well.stdout, r"^one: well, \d+ ms\n$")
        several = self.try_keys(providers=every)
        self.assertEqual(several.returncode, 1)
        self.assertRegex(several.stdout, r"one: well, .*\ntwo, key 1: AUTH: HTTP 401.*\ntwo, key 2: well, .*\nmute: cannot be tested")
        self.assertNotIn("wrong", several.stdout + several.stderr)
        switched_off = self.try_keys("off", providers=every)
        self.assertEqual((switched_off.returncode, "switched off" in switched_off.stdout), (1, True))
        unknown = self.try_keys("on", providers=every)
        self.assertEqual((unknown.returncode, "did you mean one?" in unknown.stderr), (78, True), unknown.stderr)


if __name__ == "__main__":
    unittest.main()
