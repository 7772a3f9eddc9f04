"""Every environment variable of the service whose contract this is: honoured, or named at the start as without effect."""
import json
import os
import unittest

from harness import STEPPER, Case, Server, call, clean_environment, provider, run_stepper

# Variable, what it is set to, and what the configuration in force has under which key then. Each value differs from what it is without;
# durations are in milliseconds.
HONOURED = [
    ("HOST", "127.0.0.2", "server.listen", None),  # with PORT; see where it listens
    ("PORT", "0", "server.listen", None),
    ("QUEUE_CONCURRENCY", "7", "queue.workers", 7),
    ("BATCH_QUEUE_CONCURRENCY", "3", "batch.max_running", 3),
    ("BATCH_MAX_CONCURRENCY", "6", "batch.max_concurrency", 6),
    ("BATCH_MAX_ITEMS", "9", "batch.max_items", 9),
    ("CACHE_TTL_SECONDS", "7200", "cache.ttl", 7_200_000),
    ("CACHE_STALE_THRESHOLD", "60", "cache.fresh_for", 60_000),
    ("CACHE_STALE_WHILE_REVALIDATE", "false", "cache.stale_while_revalidate", False),
    ("FALLBACK_ENABLED", "false", "fallback.enabled", False),
    ("RETRY_MAX_ATTEMPTS", "3", "providers.0.retry.attempts", 3),
    ("RETRY_BASE_DELAY_MS", "500", "providers.0.retry.base", 500),
    ("CIRCUIT_FAILURE_THRESHOLD", "4", "providers.0.breaker.consecutive", 4),
    ("CIRCUIT_WINDOW_SECONDS", "300", "providers.0.breaker.window", 300_000),
    ("CIRCUIT_COOLDOWN_SECONDS", "20", "providers.0.breaker.open_for", 20_000),
    ("REDACT_BEFORE_SEND", "false", "security.redact", False),
    ("CORS_ENABLED", "false", "security.cors.enabled", False),
    ("CORS_ALLOWED_ORIGINS", "https://a.example", "security.cors.allowed_origins", ["https://a.example"]),
    ("CORS_ALLOW_CREDENTIALS", "true", "security.cors.allow_credentials", True),
    ("HELMET_ENABLED", "false", "security.security_headers", False),
    ("API_KEY_ENABLED", "true", "security.api_key_enabled", True),
    ("API_KEY_HEADER", "x-own", "security.api_key_header", "x-own"),
    ("API_KEY_SKIP_HEALTH", "false", "security.api_key_skip_health", False),
    ("STEPPER_API_KEY", "door-key-of-the-test", "security.api_key", "********"),
    ("TRUST_PROXY", "true", "security.trust_proxy", True),
    ("LOG_LEVEL", "debug", "log.level", "debug"),
    ("ONE_MODEL", "m-2", "providers.0.model", "m-2"),
    ("ONE_TIMEOUT", "9000", "providers.0.timeout", 9_000),
    ("ONE_RPS", "50", "providers.0.limits.rps", 50),
    ("ONE_RPM", "600", "providers.0.limits.rpm", 600),
    ("ONE_CONCURRENCY", "5", "providers.0.concurrency", 5),
    ("ONE_API_KEY", "key-of-one-in-the-test", "providers.0.api_key", "********"),
    ("ONE_BASE_URL", "http://127.0.0.1:9/v1", "providers.0.base_url", "http://127.0.0.1:9/v1"),
    ("ONE_ENABLED", "true", "providers.0.enabled", True),
]
# A part of the sentence about each.
WITHOUT_EFFECT = {
    "STEPPER_PORT": "PORT sets the port", "NODE_ENV": "every setting has its own key", "METRICS_PORT": "/metrics is served",
    "QUEUE_NAME": "one queue", "BATCH_QUEUE_NAME": "one queue", "REDIS_KEY_PREFIX": "no Redis store",
    "RETRY_MAX_JITTER_MS": "always vary", "RETRY_RATE_LIMIT_FALLBACK": "fallback.when_limited",
    "RETRY_RATE_LIMIT_STRATEGY": "fallback.when_limited",
    **dict.fromkeys(("RATE_LIMIT_ENABLED", "RATE_LIMIT_WINDOW_MS", "RATE_LIMIT_MAX_REQUESTS", "RATE_LIMIT_MAX_PER_USER",
                     "RATE_LIMIT_SKIP_HEALTH"), "in front of it"),
    **dict.fromkeys(("WEBHOOK_ENABLED", "WEBHOOK_SECRET", "WEBHOOK_MAX_RETRIES", "WEBHOOK_RETRY_DELAY_MS", "API_URL",
                     "CALLBACK_ALLOWED_ORIGINS"), "no webhooks"),
    "DISCORD_WEBHOOK_URL": "in the log",
}
# Where the service has a format, what is none of it: else anything.
VALUES = {"RATE_LIMIT_ENABLED": "true", "RATE_LIMIT_WINDOW_MS": "1x", "WEBHOOK_ENABLED": "perhaps", "WEBHOOK_RETRY_DELAY_MS": "-1",
          "API_URL": "no URL", "NODE_ENV": "production"}


def at(tree, path):
    for key in path.split("."):
        tree = tree[int(key) if key.isdigit() else key]
    return tree


class Environment(Case):
    def serve(self, environment, *arguments, **more):
        config = self.write_config([provider(self.simulator, "one", **more)])
        self.log_path = self.folder / "log"
        with open(self.log_path, "w", encoding="utf-8") as log:
            server = Server([STEPPER, "serve", "--config", config, *arguments], {**clean_environment(), **environment}, log)
        self.addCleanup(self.check_stopped, server)
        return server

    def logged(self, event):
        lines = [json.loads(line) for line in self.log_path.read_text(encoding="utf-8").splitlines()]
        return [line for line in lines if line["event"] == event]

    def test_what_is_honoured(self):
        server = self.serve({name: value for name, value, *_ in HONOURED}, enabled=False)
        self.assertTrue(server.url.startswith("http://127.0.0.2:"), server.url)
        config = call("GET", server.url + "/admin/config", headers={"x-own": self.admin_token()}).json["config"]
        for name, _, path, value in HONOURED:
            with self.subTest(name):
                if value is not None:
                    self.assertEqual(at(config, path), value)
        text = self.log_path.read_text(encoding="utf-8")
        for name, *_ in HONOURED:
            self.assertNotIn(f"variable {name} is set", text)

    def test_what_has_no_effect_is_named_once(self):
        self.serve({name: VALUES.get(name, "1") for name in WITHOUT_EFFECT}, "--listen", "127.0.0.1:0")
        warnings = [line["warning"] for line in self.logged("configuration")]
        for name, word in WITHOUT_EFFECT.items():
            with self.subTest(name):
                said = [w for w in warnings if w.startswith(f"environment variable {name} is set but has no effect")]
                self.assertEqual(len(said), 1, warnings)
                self.assertIn(word, said[0])
        self.assertEqual(len(warnings), len(WITHOUT_EFFECT), warnings)

    def test_what_has_no_effect_stops_no_server_of_the_shipped_settings(self):
        done = run_stepper("check", env={**clean_environment(), **dict.fromkeys(WITHOUT_EFFECT, "1x")}, cwd=self.folder)
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

    def test_what_is_gone_is_refused_with_a_word(self):
        config = self.write_config([provider(self.simulator, "one")])
        for verb in ("check", "serve"):
            done = run_stepper(verb, "--config", config, env={**clean_environment(), "REDIS_URL": "redis://u:secret@h:6379"})
            self.assertEqual(done.returncode, 78)
            self.assertIn("REDIS_URL", done.stderr)
            self.assertNotIn("secret", done.stdout + done.stderr)

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
