"""A provider with several API keys: quotas of their own, used in turn, and set aside one by one.

As asked for in zaber-dev/free-ai-gateway#8, decolua/9router#2597 and p32929/rotato#21 (spread before a 429, limits per key),
saivedant169/AegisFlow#20 (a 401 takes out one key), lidge-jun/opencodex#4277 (none is asked that is known to be limited).
"""
import collections
import hashlib
import json
import unittest

from lib import Case, call, provider, wait_until


def digest(key):
    return hashlib.sha256(key.encode()).hexdigest()


class KeysTest(Case):
    def start_with(self, keys, behaviour=None, **more):
        return self.start_one(behaviour, api_key=None, api_keys=keys, **more)

    def provider_page(self, server):
        return call("GET", server.url + "/v1/providers").json["providers"][0]

    def used_keys(self, keys):
        names = {digest(key): key for key in keys}
        return [names[entry["key_sha256"]] for entry in self.simulator.log("one")]

    def test_each_has_the_limits_of_its_own(self):
        keys = ["key-a", "key-b", "key-c"]
        server = self.start_with(keys, limits={"rpm": 2})
        for i in range(6):
            answer = self.generate(server, {"prompt": str(i)})
            self.assertEqual((answer.status, answer.json["metadata"]["fallback"]), (200, False))
        used = self.used_keys(keys)
        self.assertEqual(collections.Counter(used), dict.fromkeys(keys, 2))
        self.assertEqual(set(used[:3]), set(keys), "they take turns")
        page = self.provider_page(server)
        self.assertEqual((page["state"], page["quotas"][0]["limit"], page["quotas"][0]["used"]), ("rate_limited", 6, 6))
        self.assertEqual([(k["key"], k["state"], k["quotas"][0]["used"]) for k in page["keys"]],
                         [(1, "rate_limited", 2), (2, "rate_limited", 2), (3, "rate_limited", 2)])
        self.assertFalse([key for key in keys if key in json.dumps(page) + self.log_text()])

    def test_a_refused_one_is_set_aside_alone(self):
        server = self.start_with(["revoked", "good"], {"key": "good"})
        first = self.generate(server, {"prompt": "1"})
        self.assertEqual(first.status, 200, first.raw)
        self.assertEqual([(a["provider"], a["attemptNumber"], a.get("errorCode"))
                          for a in first.json["metadata"]["providersAttempted"]], [("one", 1, "AUTH"), ("one", 2, None)])
        for i in range(3):
            self.assertEqual(self.generate(server, {"prompt": f"more {i}"}).status, 200)
        self.assertEqual(self.used_keys(["revoked", "good"]), ["revoked"] + ["good"] * 4)
        page = self.provider_page(server)
        self.assertEqual((page["state"], page["healthy"]), ("ready", True))
        self.assertEqual([key["state"] for key in page["keys"]], ["disabled", "ready"])
        self.assertIn("refused", page["keys"][0]["reason"])
        self.assertIn("its API key number 1;", wait_until(self.log_text))

    def test_a_limited_one_hands_over_within_the_request(self):
        server = self.start_with(["a", "b"], {"steps": [{"status": 429, "retry_after": "60"}, {}], "then": "ok"})
        answer = self.generate(server, {"prompt": "x"})
        self.assertEqual((answer.status, answer.json["metadata"]["fallback"]), (200, False), answer.raw)
        self.assertEqual(self.used_keys(["a", "b"]), ["a", "b"])

    def test_all_refused_is_a_refused_provider(self):
        server = self.start_with(["x", "y"], {"key": "good"})
        answer = self.generate(server, {"prompt": "1"})
        self.assertTrue(answer.json["metadata"]["fallback"], answer.raw)
        self.generate(server, {"prompt": "2"})
        self.assertEqual(self.used_keys(["x", "y"]), ["x", "y"])
        self.assertEqual(self.provider_page(server)["state"], "disabled")

    def test_quotas_of_each_survive_a_restart(self):
        keys = ["key-a", "key-b"]
        server = self.start_with(keys, limits={"rpd": 2})
        for i in range(3):
            self.generate(server, {"prompt": str(i)})
        server.stop()
        server = self.start([provider(self.simulator, "one", api_key=None, api_keys=keys[::-1], limits={"rpd": 2}, retry={"attempts": 1})])
        self.assertEqual([key["quotas"][0]["used"] for key in self.provider_page(server)["keys"]], [1, 2])


if __name__ == "__main__":
    unittest.main()
