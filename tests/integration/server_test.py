"""The service itself: bad requests, keys, disconnects, drain."""
import threading
import time
import unittest

from lib import Case, Connection, StartError, call, provider, wait_until


class ServerTest(Case):
    def one_provider(self, behaviour=None, settings=None, **more):
        self.simulator.behave("one", behaviour or {})
        return self.start([provider(self.simulator, "one", **more)], settings)

    def test_bad_requests_are_answered_in_json(self):
        server = self.one_provider(settings={"server": {"max_body": "64KiB"}})
        url = server.url + "/v1/generate/immediate"
        cases = [
            ("GET", server.url + "/nope", None, {}, 404),
            ("GET", url, None, {}, 405),
            ("DELETE", server.url + "/health", None, {}, 405),
            ("POST", url, b"x=1", {"Content-Type": "text/plain"}, 415),
            ("POST", url, b'{"prompt": ', {}, 400),
            ("POST", url, b'{"prompt":"a","prompt":"b"}', {}, 400),
            ("POST", url, b"[" * 5000, {}, 400),
            ("POST", url, b'{"prompt":"' + b"x" * 100_000 + b'"}', {}, 413),
            ("POST", url, b"{}", {"X-Padding": "x" * 40_000}, 431),
        ]
        for method, where, body, headers, status in cases:
            with self.subTest(status=status, body=(body or b"")[:20]):
                answer = call(method, where, body, headers)
                self.assertEqual(answer.status, status)
                self.assertTrue(answer.json["error"])
                self.assertEqual(answer.headers.get_content_type(), "application/json")
                if status == 405:
                    self.assertIn(answer.headers["Allow"], ("POST, OPTIONS", "GET, HEAD, OPTIONS"))

    def test_request_ids_come_and_go(self):
        server = self.one_provider()
        self.assertEqual(call("GET", server.url + "/livez", headers={"X-Request-Id": "abc-1"}).headers["X-Request-Id"], "abc-1")
        made = call("GET", server.url + "/livez", headers={"X-Request-Id": "no spaces allowed"}).headers["X-Request-Id"]
        self.assertNotEqual(made, "no spaces allowed")
        self.assertEqual(len(made), 36)

    def test_the_api_key_is_asked_for(self):
        server = self.one_provider(settings={"security": {"api_key": "sesame"}})
        for headers, message in (({}, "Missing API key. Include it in the 'x-api-key' header."),
                                 ({"x-api-key": "wrong"}, "Invalid API key."),
                                 ({"Authorization": "Bearer wrong"}, "Invalid API key.")):
            refused = self.generate(server, {"prompt": "x"}, headers=headers)
            self.assertEqual((refused.status, refused.headers["WWW-Authenticate"]), (401, "Bearer"))
            self.assertEqual((refused.json["error"], refused.json["message"], refused.json["errorCode"]),
                             ("Unauthorized", message, "AUTH"))
        self.assertEqual(self.generate(server, {"prompt": "x"}, headers={"x-api-key": "sesame"}).status, 200)
        self.assertEqual(self.generate(server, {"prompt": "x"}, headers={"Authorization": "Bearer sesame"}).status, 200)
        for path, keyless in (("/", 200), ("/health", 200), ("/metrics", 200), ("/readyz", 200), ("/v1/providers", 401)):
            self.assertEqual(call("GET", server.url + path).status, keyless, path)

    def test_monitors_may_be_asked_for_the_key_too(self):
        server = self.one_provider(settings={"security": {"api_key": "sesame", "api_key_skip_health": False}})
        for path in ("/", "/health", "/metrics"):
            self.assertEqual(call("GET", server.url + path).status, 401, path)
            self.assertEqual(call("GET", server.url + path, headers={"x-api-key": "sesame"}).status, 200, path)

    def test_cors_answers_only_listed_origins(self):
        server = self.one_provider(settings={"security": {"cors": {"enabled": True, "allowed_origins": ["https://a.example"]}}})
        preflight = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
        answer = call("OPTIONS", server.url + "/v1/generate/immediate", headers=preflight)
        self.assertEqual((answer.status, answer.headers["Access-Control-Allow-Origin"]), (204, "https://a.example"))
        self.assertIn("Last-Event-ID", answer.headers["Access-Control-Allow-Headers"])
        for headers in ({"Origin": "https://b.example"}, {}):
            answer = call("GET", server.url + "/health", headers=headers)
            self.assertIsNone(answer.headers["Access-Control-Allow-Origin"])
            self.assertEqual(answer.headers["Vary"], "Origin")
        refused = call("GET", server.url + "/nope", headers={"Origin": "https://a.example"})
        self.assertEqual((refused.status, refused.headers["Access-Control-Allow-Origin"]), (404, "https://a.example"))
        self.assertIn("Retry-After", refused.headers["Access-Control-Expose-Headers"])

    def test_origins_that_cannot_be_meant_are_refused_at_the_start(self):
        for cors in ({"allowed_origins": ["*"], "allow_credentials": True}, {"allowed_origins": ["https://a.example/"]}):
            with self.assertRaises(StartError):
                self.one_provider(settings={"security": {"cors": cors}})

    def test_metrics_and_health(self):
        server = self.one_provider()
        self.generate(server, {"prompt": "x"})
        text = call("GET", server.url + "/metrics").raw.decode()
        self.assertIn('stepper_requests_total{preset="generic",provider="one",response_mode="json",status="completed"} 1', text)
        self.assertEqual(call("GET", server.url + "/readyz").status, 200)
        self.assertEqual(call("GET", server.url + "/health").json["status"], "healthy")

    def test_a_service_without_providers_says_so(self):
        server = self.start([provider(self.simulator, "off", api_key="")])
        health = call("GET", server.url + "/health")
        self.assertEqual((health.status, health.json["status"]), (503, "unhealthy"))
        self.assertEqual(health.json["providers"][0]["state"], "disabled")
        self.assertTrue(health.json["providers"][0]["reason"])
        self.assertTrue(self.generate(server, {"prompt": "x"}).json["metadata"]["fallback"])

    def test_a_client_that_leaves_ends_the_upstream_call(self):
        server = self.one_provider({"steps": [{"hang": "head"}], "then": "repeat"})
        for _ in range(5):
            before = self.simulator.counters("one")["aborted"]
            client = Connection(server.port)
            client.send("POST", "/v1/generate/immediate", {"prompt": "x"})
            self.await_upstream(1)
            client.close()
            left = time.monotonic()
            wait_until(lambda: self.simulator.counters("one")["aborted"] > before, 5)
            # The simulator looks every 50 ms, so this bounds our own part well below 200 ms.
            self.assertLess(time.monotonic() - left, 0.25)

    def test_sigterm_lets_running_requests_finish(self):
        server = self.one_provider({"latency_ms": 1000})
        answers = []
        clients = [threading.Thread(target=lambda: answers.append(self.generate(server, {"prompt": "x"}).status))
                   for _ in range(8)]
        for client in clients:
            client.start()
        self.await_upstream(8)
        server.process.terminate()
        for client in clients:
            client.join()
        self.assertEqual(answers, [200] * 8)
        self.assertEqual(server.process.wait(20), 0)

    def test_sigterm_cuts_what_outlasts_the_drain(self):
        server = self.one_provider({"steps": [{"hang": "head"}], "then": "repeat"}, {"server": {"drain_timeout": "500ms"}})
        client = threading.Thread(target=lambda: self.generate(server, {"prompt": "x"}))
        client.start()
        self.await_upstream(1)
        began = time.monotonic()
        self.assertEqual(server.stop(), 0)
        self.assertLess(time.monotonic() - began, 5)
        client.join()

    def test_two_hundred_clients_at_once(self):
        server = self.one_provider({"latency_ms": 200}, concurrency=256)
        statuses = []
        clients = [threading.Thread(target=lambda: statuses.append(self.generate(server, {"prompt": "x"}, timeout=60).status))
                   for _ in range(200)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        self.assertEqual(statuses, [200] * 200)


if __name__ == "__main__":
    unittest.main()
