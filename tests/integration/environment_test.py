"""Every environment variable of the service whose contract this is: honoured, or named at the start as without effect."""
import http.server
import json
import os
import threading
import unittest

from lib import ROOT, Case, call, provider, run_stepper, serve_command, wait_until
from lib.markdown import tables, unquoted

# docs/migrate.md has them all: the key that a variable sets, or why it sets nothing.
PAGE = (ROOT / "docs" / "migrate.md").read_text(encoding="utf-8")
SETS = {unquoted(variable): what for variable, what, *_ in tables(PAGE)["Environment variables"]}
# Why nothing, in the words of the program.
WITHOUT_EFFECT = {variable: what.removeprefix("nothing: ") for variable, what in SETS.items()
                  if what.startswith("nothing: ")}
# What each is set to here, and what the configuration in force has then; it differs from what it is without. Durations are in
# milliseconds. None: not to be seen there.
TRIED = {
    "HOST": ("127.0.0.2", None), "PORT": ("0", None),  # see where it listens
    "QUEUE_CONCURRENCY": ("7", 7),
    "BATCH_QUEUE_CONCURRENCY": ("3", 3),
    "BATCH_MAX_CONCURRENCY": ("6", 6),
    "BATCH_MAX_ITEMS": ("9", 9),
    "CACHE_TTL_SECONDS": ("7200", 7_200_000),
    "CACHE_STALE_THRESHOLD": ("60", 60_000),
    "CACHE_STALE_WHILE_REVALIDATE": ("false", False),
    "FALLBACK_ENABLED": ("false", False),
    "RETRY_MAX_ATTEMPTS": ("3", 3),
    "RETRY_BASE_DELAY_MS": ("500", 500),
    "CIRCUIT_FAILURE_THRESHOLD": ("4", 4),
    "CIRCUIT_WINDOW_SECONDS": ("300", 300_000),
    "CIRCUIT_COOLDOWN_SECONDS": ("20", 20_000),
    "REDACT_BEFORE_SEND": ("false", False),
    "CORS_ENABLED": ("false", False),
    "CORS_ALLOWED_ORIGINS": ("https://a.example", ["https://a.example"]),
    "CORS_ALLOW_CREDENTIALS": ("true", True),
    "HELMET_ENABLED": ("false", False),
    "API_KEY_ENABLED": ("true", True),
    "API_KEY_HEADER": ("x-own", "x-own"),
    "API_KEY_SKIP_HEALTH": ("false", False),
    "STEPPER_API_KEY": ("door-key-of-the-test", "********"),
    "TRUST_PROXY": ("true", True),
    "LOG_LEVEL": ("debug", "debug"),
    "NAME_MODEL": ("m-2", "m-2"),
    "NAME_TIMEOUT": ("9000", 9_000),
    "NAME_RPS": ("50", 50),
    "NAME_RPM": ("600", 600),
    "NAME_CONCURRENCY": ("5", 5),
    "NAME_API_KEY": ("key-of-one-in-the-test", "********"),
    "NAME_BASE_URL": ("http://127.0.0.1:9/v1", "http://127.0.0.1:9/v1"),
    "NAME_ENABLED": ("true", True),
}
# Where the service has a format, what is none of it: else anything.
VALUES = {"RATE_LIMIT_ENABLED": "true", "RATE_LIMIT_WINDOW_MS": "1x", "WEBHOOK_ENABLED": "perhaps", "WEBHOOK_RETRY_DELAY_MS": "-1",
          "API_URL": "no URL", "NODE_ENV": "production", "REDIS_URL": "rediss://u:secret@h:6379"}


class Upstream(http.server.BaseHTTPRequestHandler):
    """A provider in OpenAI's format that keeps what it was asked: (path, headers)."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.server.asked.append((self.path, self.headers))
        self.rfile.read(int(self.headers["Content-Length"]))
        answer = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}]}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def at(tree, path):
    for key in path.split("."):
        tree = tree[int(key) if key.isdigit() else key]
    return tree


class Environment(Case):
    def serve(self, environment, *arguments, **more):
        config = self.write_config([provider(self.simulator, **{"name": "one", **more})])
        self.log_path.unlink(missing_ok=True)  # of the one before
        return self.launch(serve_command("--config", config, *arguments, listen=None), environment)

    def logged(self, event):
        lines = [json.loads(line) for line in self.log_text().splitlines()]
        return [line for line in lines if line["event"] == event]

    def test_what_is_honoured(self):
        keys = {variable: unquoted(what) for variable, what in SETS.items() if what.startswith("`")}
        self.assertEqual(keys.keys(), TRIED.keys())
        server = self.serve({name.replace("NAME_", "ONE_"): value for name, (value, _) in TRIED.items()}, enabled=False)
        self.assertTrue(server.url.startswith("http://127.0.0.2:"), server.url)
        config = call("GET", server.url + "/admin/config", headers={"x-own": self.admin_token()}).json["config"]
        for name, (_, value) in TRIED.items():
            with self.subTest(name):
                if value is not None:
                    self.assertEqual(at(config, keys[name].replace(".N.", ".0.")), value)
        self.assertNotIn("is set but has no effect", self.log_text())

    def test_what_has_no_effect_is_named_once(self):
        self.serve({name: VALUES.get(name, "1") for name in WITHOUT_EFFECT}, "--listen", "127.0.0.1:0")
        self.assertCountEqual([line["warning"] for line in self.logged("configuration")],
                              [f"environment variable {name} is set but has no effect in Stepper: {why}"
                               for name, why in WITHOUT_EFFECT.items()])

    def test_what_has_no_effect_stops_no_server_of_the_shipped_settings(self):
        done = run_stepper("check", env={**dict.fromkeys(WITHOUT_EFFECT, "1x"), "REDIS_URL": "redis://h"}, cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_host_that_is_no_address_is_somebody_elses(self):
        for host in ("x86_64-conda-linux-gnu", "devbox.example.com", "localhost.localdomain", "-"):
            with self.subTest(host):
                server = self.serve({"HOST": host, "PORT": "0"})
                self.assertTrue(server.url.startswith("http://127.0.0.1:"), server.url)
                warnings = [line["warning"] for line in self.logged("configuration")]
                self.assertEqual(len(warnings), 1, warnings)
                self.assertIn(f"HOST is set but has no effect in Stepper: '{host}' is no address", warnings[0])
                self.check_stopped(server)

    def test_a_redis_is_not_asked_for_its_password(self):
        server = self.serve({"PORT": "0", "REDIS_URL": "redis://u:secret@h:6379"})
        self.assertEqual(self.generate(server, {"prompt": "x"}).status, 200)
        self.assertNotIn("secret", self.log_text())
        config = self.write_config([provider(self.simulator, "one")], {"store": {"url": "redis://u:secret@h:6379"}})
        done = run_stepper("check", "--config", config)
        self.assertEqual((done.returncode, "secret" in done.stdout + done.stderr), (78, False))

    def upstream(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
        server.daemon_threads, server.asked = True, []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def ask_one_called(self, name, environment, **more):
        """What it was asked when the base URL has nothing behind host and port."""
        upstream = self.upstream()
        url = f"http://127.0.0.1:{upstream.server_port}"
        server = self.serve({"PORT": "0", **environment(url)}, name=name, **more)
        answer = self.generate(server, {"prompt": "x", "responseMode": "text"})
        self.assertEqual((answer.status, answer.json["data"], answer.json["metadata"]["fallback"]), (200, "yes", False), answer.raw)
        self.assertEqual(len(upstream.asked), 1)
        return server, url, *upstream.asked[0]

    def test_a_base_url_may_lack_the_version_and_that_is_told_once(self):
        server, url, path, _ = self.ask_one_called("openai", lambda url: {"OPENAI_BASE_URL": url + "/"})
        self.assertEqual(path, "/v1/chat/completions")
        self.assertEqual(self.admin("POST", server, "/admin/reload").status, 200)
        warnings = [line["warning"] for line in self.logged("configuration")]
        self.assertEqual(warnings, [f"environment variable OPENAI_BASE_URL: provider openai: its base_url {url} ends before /v1: "
                                    f"using {url}/v1."])

    def test_a_lane_goes_by_what_its_account_has(self):
        _, _, path, headers = self.ask_one_called("nvidia-llama", lambda url: {"NVIDIA_BASE_URL": url, "NVIDIA_LLAMA_ENABLED": "true"},
                                                  enabled=False)
        self.assertEqual((path, headers["Authorization"]), ("/v1/chat/completions", "Bearer k-test"))

    def test_openrouter_is_told_who_calls(self):
        _, _, _, headers = self.ask_one_called(
            "openrouter", lambda url: {"OPENROUTER_BASE_URL": url, "OPENROUTER_REFERER": "https://shop.example",
                                       "OPENROUTER_TITLE": "The shop: 2"})
        self.assertEqual((headers["HTTP-Referer"], headers["X-Title"]), ("https://shop.example", "The shop: 2"))

    def test_a_longer_call_may_be_silent_longer(self):
        for value, limit in (("90000", 90_000), ("1000", 15_000)):
            with self.subTest(value):
                server = self.serve({"PORT": "0", "ONE_TIMEOUT": value})
                shown = self.admin("GET", server, "/admin/config").json["config"]["providers"][0]
                self.assertEqual((shown["timeout"], shown["first_byte_timeout"]), (int(value), limit))
                self.check_stopped(server)

    def test_a_client_is_whom_the_trusted_proxies_name(self):
        for trusted, client in (("true", "3.3.3.3"), ("1", "1.1.1.1"), ("2", "2.2.2.2"), ("loopback", "1.1.1.1"),
                                ("loopback, 1.1.1.0/24", "2.2.2.2"), ("uniquelocal", "127.0.0.1"), ("false", "127.0.0.1")):
            with self.subTest(trusted):
                server = self.serve({"PORT": "0", "TRUST_PROXY": trusted}, enabled=False)
                call("GET", server.url + "/", headers={"X-Forwarded-For": "3.3.3.3, 2.2.2.2, 1.1.1.1"})
                # The line is written once the client has its answer.
                self.assertEqual([line["client"] for line in wait_until(lambda: self.logged("request"))], [client])
                self.check_stopped(server)

    def test_requests_a_second_take_the_place_of_those_a_minute(self):
        server = self.serve({"PORT": "0", "ONE_RPS": "5"}, limits={"rpm": 1})
        for _ in range(2):
            self.assertEqual(self.generate(server, {"prompt": "x", "responseMode": "text"}).status, 200)
        self.assertEqual(self.admin("GET", server, "/admin/config").json["config"]["providers"][0]["limits"]["rps"], 5)

    def test_the_loggers_own_words_for_levels(self):
        for word, level in (("fatal", "error"), ("silent", "off")):
            with self.subTest(word):
                server = self.serve({"PORT": "0", "LOG_LEVEL": word})
                self.assertEqual(self.admin("GET", server, "/admin/config").json["config"]["log"]["level"], level)
                self.check_stopped(server)
                levels = {json.loads(line)["level"] for line in self.log_text().splitlines()}
                self.assertLessEqual(levels, {level} - {"off"})

    def test_the_services_own_defaults_serve_without_complaint(self):
        environment = {"HOST": "127.0.0.1", "PORT": "0", "REDIS_URL": "memory:", "XDG_RUNTIME_DIR": str(self.folder),
                       "GROQ_ENABLED": "true", "GROQ_API_KEY": "key-of-the-test", "GEMINI_API_KEY": "key-of-the-test"}
        server = self.launch(serve_command("--config", ROOT / "config" / "compat.yaml", listen=None), environment)
        lines = [json.loads(line) for line in self.log_text().splitlines()]
        complaints = [line for line in lines if line["level"] in ("warn", "error")]
        # What is told of any configuration with it, in this version.
        self.assertEqual([line for line in complaints if "rate_limit is not enforced" not in line.get("warning", "")], [])
        self.assertEqual([line["name"] for line in lines if line["event"] == "provider enabled"], ["groq"])
        self.assertEqual(call("GET", server.url + "/health").status, 200)

    def test_the_command_line_wins(self):
        server = self.serve({"HOST": "127.0.0.2", "PORT": "1"}, "--listen", "127.0.0.1:0")
        self.assertTrue(server.url.startswith("http://127.0.0.1:"), server.url)

    def test_an_open_door_is_warned_of(self):
        for environment, open_to in [({"HOST": "0.0.0.0"}, "0.0.0.0"), ({"HOST": "::"}, "[::]"), ({"HOST": "127.0.0.1"}, None),
                                     ({"HOST": "localhost"}, None), ({"HOST": "0.0.0.0", "STEPPER_API_KEY": "k"}, None),
                                     ({"HOST": "0.0.0.0", "STEPPER_API_KEY": "k", "API_KEY_ENABLED": "false"}, "0.0.0.0")]:
            if open_to == "[::]" and not os.path.exists("/proc/net/if_inet6"):
                continue
            with self.subTest(environment):
                server = self.serve({"PORT": "0", **environment})
                warnings = [line for line in self.logged("open to the network") if line["level"] == "warn"]
                self.assertEqual(len(warnings), 1 if open_to else 0, warnings)
                if open_to:
                    self.assertIn(f"listens on {open_to} and asks for no API key: set STEPPER_API_KEY", warnings[0]["reason"])
                self.check_stopped(server)


if __name__ == "__main__":
    unittest.main()
