"""A request says what is asked, how freely and of which model; providers have their own word where it does not."""
import json
import unittest

from lib import Case, call, provider

CHAT = [{"role": "user", "content": "Which product?"}, {"role": "assistant", "content": "Which shop?"},
        {"role": "user", "content": "The {{payload.shop}}."}]
WAYS = ("openai-compatible", "gemini", "anthropic", "cohere", "hfspace")


class Conversation(Case):
    def sent(self, instance="one"):
        """The body of the last request that the provider got."""
        return json.loads(self.simulator.log(instance)[-1]["body"])

    def test_every_route_passes_it_on(self):
        server = self.start_one({"answer": '{"product":"tea"}'})
        request = {"messages": CHAT, "payload": {"shop": "green one"}, "system": "Be kind.", "temperature": 0.5}

        def check():
            body = self.sent()
            self.assertEqual(body["temperature"], 0.5)
            self.assertEqual([m["role"] for m in body["messages"]], ["system", "user", "assistant", "user"])
            self.assertEqual(body["messages"][-1]["content"], "The green one.")
            self.assertTrue(body["messages"][0]["content"].startswith("Be kind.\n\nAnswer with exactly one JSON value"))

        self.assertEqual(self.generate(server, request).json["data"], {"product": "tea"})
        check()
        self.assertEqual(self.finished(server, self.queue(server, request))["status"], "completed")
        check()
        self.assertEqual(self.post(server, request).headers["X-Cache"], "HIT")
        for other in ({"temperature": 0.6}, {"system": "Be rude."}, {"messages": CHAT[2:]}):
            self.assertEqual(self.post(server, {**request, **other}).headers["X-Cache"], "MISS", other)
        batch = {"items": [{"id": "a", "request": {**request, "cacheControl": "no-cache"}}]}
        self.assertEqual(self.finished(server, self.queue(server, batch, "/v1/generate/batch"))["status"], "completed")
        self.assertIn("Be kind.", [m["content"][:8] for entry in self.simulator.log("one")[-3:]
                                   for m in json.loads(entry["body"])["messages"]])

    def test_text_and_secrets(self):
        server = self.start_one({"answer": "tea"})
        answer = self.generate(server, {"messages": [{"role": "user", "content": "password=hunter2hunter2"}],
                                        "system": "password=hunter3hunter3", "responseMode": "text"})
        self.assertEqual(answer.json["data"], "tea", answer.raw)
        body = self.sent()
        self.assertEqual([m["role"] for m in body["messages"]], ["system", "user"])
        self.assertNotIn("hunter", json.dumps(body))

    def test_every_plugin_passes_it_on(self):
        for plugin in WAYS:
            self.simulator.behave(plugin, {"answer": "tea"})
        server = self.start([provider(self.simulator, way, way,
                                      **({"options": {"send_sampling_params": True}} if way == "anthropic" else {})) for way in WAYS])
        for way in WAYS:
            with self.subTest(way):
                answer = self.generate(server, {"messages": CHAT[:1] + CHAT[1:2] + [{"role": "user", "content": "The last."}],
                                                "system": "Be kind.", "temperature": 0.5, "responseMode": "text",
                                                "preferredProviders": [way]})
                self.assertEqual((answer.json["metadata"]["provider"], answer.json["data"]), (way, "tea"))
                body = self.simulator.log(way)[-1]["body"]
                for text in ("Be kind.", "Which product?", "Which shop?", "The last."):
                    self.assertIn(text, body)
                if way != "hfspace":
                    self.assertIn('"temperature":0.5', body)

    def test_what_a_provider_says_where_the_request_does_not(self):
        server = self.start_one({"answer": "tea"}, temperature=0.25, system="Talk like a pirate.")
        self.generate(server, {"prompt": "x", "responseMode": "text"})
        body = self.sent()
        self.assertEqual((body["temperature"], body["messages"][0]), (0.25, {"role": "system", "content": "Talk like a pirate."}))
        self.generate(server, {"prompt": "x", "responseMode": "text", "temperature": 0, "system": ""})
        body = self.sent()
        self.assertEqual((body["temperature"], len(body["messages"])), (0, 1))

    def test_a_model_is_asked_of_those_that_list_it(self):
        for name in ("one", "two"):
            self.simulator.behave(name, {"answer": "tea"})
        server = self.start([provider(self.simulator, "one", model="small"),
                             provider(self.simulator, "two", model="medium", models=["large", "small"])])
        text = {"prompt": "x", "responseMode": "text"}
        for model, name in (("small", "one"), ("large", "two"), ("medium", "two")):
            answer = self.generate(server, {**text, "model": model})
            self.assertEqual(answer.json["metadata"]["provider"], name)
            self.assertEqual(self.sent(name)["model"], model)
        self.assertEqual(self.generate(server, {**text, "model": "small", "excludeProviders": ["one"]}).json["metadata"]["provider"], "two")
        self.assertEqual(call("GET", server.url + "/v1/providers").json["providers"][1]["models"], ["large", "small"])
        told = self.generate(server, {**text, "model": "large", "preferredProviders": ["one"]}).json["metadata"]
        self.assertEqual((told["provider"], told["warnings"]),
                         ("two", ["preferredProviders[0] is ignored: that provider does not list the model"]))
        asked = len(self.simulator.log("one") + self.simulator.log("two"))
        why = "Invalid model: no provider that may be asked lists 'huge'; there are 'small', 'medium', 'large'"
        for path in ("/v1/generate", "/v1/generate/immediate"):
            refused = self.post(server, {**text, "model": "huge"}, path)
            self.assertEqual((refused.status, refused.json["error"]), (400, why))
        refused = self.post(server, {"items": [{"id": "a", "request": {**text, "model": "huge"}}]}, "/v1/generate/batch")
        self.assertEqual((refused.status, refused.json["error"]), (400, "items[0].request: " + why))
        self.assertEqual(len(self.simulator.log("one") + self.simulator.log("two")), asked)

    def test_a_model_that_a_provider_lists_and_lacks_is_no_fault_of_its_own(self):
        server = self.start_one({"steps": [{"error": "model"}], "then": "ok", "answer": "tea"}, {"fallback": {"enabled": False}}, models=["gone"])
        text = {"prompt": "x", "responseMode": "text"}
        self.assertEqual(self.generate(server, {**text, "model": "gone"}).json["errorCode"], "BAD_REQUEST")
        self.assertEqual(self.generate(server, text).json["data"], "tea")


if __name__ == "__main__":
    unittest.main()
