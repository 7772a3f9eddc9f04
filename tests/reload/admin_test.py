"""The /admin endpoints: who may ask, and that they show no secret."""
import unittest

from stage import ReloadCase, call, clean_environment, run_stepper

ADMIN = [("GET", "/admin/plugins"), ("GET", "/admin/config"), ("POST", "/admin/reload"),
         ("DELETE", "/admin/plugins/quarantine/" + "0" * 64)]


class Admin(ReloadCase):
    def setUp(self):
        super().setUp()
        self.variant("a")

    def statuses(self, server, headers=None):
        return [call(method, server.url + path, headers=headers).status for method, path in ADMIN]

    def test_without_a_key_this_machine_may_ask_and_nobody_through_it(self):
        server = self.serve()
        self.assertEqual(self.statuses(server), [200, 200, 200, 404])
        for header in ({"X-Forwarded-For": "10.0.0.1"}, {"Forwarded": "for=10.0.0.1"}, {"Origin": "https://evil.example"},
                       {"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            with self.subTest(header):
                self.assertEqual(self.statuses(server, header), [403] * 4)

    def test_with_a_key_only_who_has_it(self):
        server = self.serve(settings={"security": {"api_key": "client-key", "admin_key": "admin-key"}})
        self.assertEqual(self.statuses(server), [401] * 4)
        self.assertEqual(self.statuses(server, {"x-api-key": "client-key"}), [401] * 4)
        self.assertEqual(self.statuses(server, {"x-api-key": "admin-key"}), [200, 200, 200, 404])
        self.assertEqual(self.statuses(server, {"Authorization": "Bearer admin-key"}), [200, 200, 200, 404])
        self.assertEqual(self.generate(server, {"prompt": "in earnest"}, headers={"x-api-key": "admin-key"}).status, 401)

    def test_the_environment_may_bring_the_key(self):
        server = self.serve(env={**clean_environment(), "STEPPER_ADMIN_KEY": "from-outside"})
        self.assertEqual(self.statuses(server), [401] * 4)
        self.assertEqual(self.statuses(server, {"x-api-key": "from-outside"})[:3], [200] * 3)

    def test_no_secret_is_shown(self):
        secrets = {"api_key": "s3cret-client", "admin_key": "s3cret-admin"}
        server = self.serve([self.spec(api_key="s3cret-provider")],
                            {"security": secrets, "webhooks": {"secret": "s3cret-webhook"}})
        shown = call("GET", server.url + "/admin/config", headers={"x-api-key": "s3cret-admin"})
        self.assertEqual(shown.status, 200)
        self.assertNotIn(b"s3cret", shown.raw)
        config = shown.json["config"]
        self.assertEqual((config["security"]["admin_key"], config["providers"][0]["api_key"]), ("********", "********"))
        self.assertEqual(config["providers"][0]["limits"]["day_resets_in"], "UTC")
        self.assertEqual(shown.json["lastReload"]["files"], [str(self.folder / "stepper.yaml"), str(self.folder / "providers.yaml")])
        self.assertNotIn("s3cret", self.log_text())

    def test_plugins_are_listed_as_the_command_line_shows_them(self):
        server = self.serve()
        listed = self.listed(server)
        self.assertEqual(len(listed), 1)
        self.assertEqual((listed[0]["kind"], listed[0]["version"], listed[0]["state"], listed[0]["providers"]),
                         ("variant", "1.0.0", "live", ["one"]))
        shown = run_stepper("plugin", "list", "--server", server.url)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        for word in ("variant", "1.0.0", "live", listed[0]["sha256"][:12], "one"):
            self.assertIn(word, shown.stdout)
        metrics = call("GET", server.url + "/metrics").raw.decode()
        self.assertIn('stepper_plugins{state="live"} 1', metrics)


if __name__ == "__main__":
    unittest.main()
