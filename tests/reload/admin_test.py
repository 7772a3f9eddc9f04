"""The /admin endpoints: who may ask, and that they show no secret."""
import json
import os
import unittest

from lib import call, run_stepper
from stage import ReloadCase

ADMIN = [("GET", "/admin/plugins"), ("GET", "/admin/config"), ("POST", "/admin/reload"),
         ("DELETE", "/admin/plugins/quarantine/" + "0" * 64)]


class Admin(ReloadCase):
    def setUp(self):
        super().setUp()
        self.variant("a")

    def configure(self, settings):
        """Changes that much of what the server was started with."""
        path = self.folder / "stepper.yaml"
        path.write_text(json.dumps({**json.loads(path.read_text()), "security": {}, **settings}))

    def statuses(self, server, headers=None):
        return [call(method, server.url + path, headers=headers).status for method, path in ADMIN]

    def test_without_a_configured_key_only_who_can_read_the_servers(self):
        server = self.serve()
        token = self.admin_token()
        for header in (None, {"x-api-key": ""}, {"x-api-key": token[:-1]}, {"Authorization": "Basic " + token}):
            with self.subTest(header):
                self.assertEqual(self.statuses(server, header), [403] * 4)
        for header in ({"x-api-key": token}, {"Authorization": "Bearer " + token}):
            self.assertEqual(self.statuses(server, header), [200, 200, 200, 404])
        file = self.folder / "plugin-state" / "admin-token"
        self.assertEqual((file.stat().st_mode & 0o777, file.stat().st_uid), (0o600, os.geteuid()))
        self.assertEqual(server.process.stdout.readline(), f"stepper: the key of /admin is in {file}\n")
        self.assertIn(str(file), self.log_text())
        self.check_stopped(server)
        self.assertEqual(self.statuses(self.serve(), {"x-api-key": token})[0], 200, "kept across restarts")

    def test_the_key_that_the_server_keeps_is_shown_to_nobody(self):
        server = self.serve()
        token = self.admin_token()
        paths = ["/", "/health", "/metrics", "/v1/providers", "/v1/jobs", "/admin/config", "/admin/plugins", "/admin/" + token]
        shown = [call("GET", server.url + path, headers={"x-api-key": key}).raw.decode()
                 for path in paths for key in (token, token + "x")]
        shown += [self.reload(server).raw.decode(), server.process.stdout.readline()]
        self.check_stopped(server)
        for text in (*shown, self.log_text()):
            self.assertNotIn(token, text)

    def test_a_key_that_others_could_read_is_replaced(self):
        server = self.serve()
        known = self.admin_token()
        self.check_stopped(server)
        (self.folder / "plugin-state" / "admin-token").chmod(0o644)
        server = self.serve()
        self.assertEqual(self.statuses(server, {"x-api-key": known}), [403] * 4)
        self.assertEqual(self.statuses(server, {"x-api-key": self.admin_token()})[0], 200)
        self.assertIn("admin-token could be used by others (mode 644); there is a new key", self.log_text())

    def test_a_configured_key_takes_the_place_of_the_servers_and_gives_it_back(self):
        server = self.serve()
        token = self.admin_token()
        self.configure({"security": {"admin_key": "of-mine"}})
        self.assertEqual(self.reload(server).status, 200)
        self.assertEqual((self.statuses(server, {"x-api-key": token})[0], self.statuses(server, {"x-api-key": "of-mine"})[0]), (401, 200))
        self.configure({})
        call("POST", server.url + "/admin/reload", headers={"x-api-key": "of-mine"})
        self.assertEqual(self.statuses(server, {"x-api-key": token})[0], 200)

    def test_where_none_can_be_kept_the_server_serves_and_says_so(self):
        (self.folder / "no-folder").write_text("")
        server = self.serve(settings={"plugins": {"state_dir": str(self.folder / "no-folder")}})
        self.assertEqual(self.answer(server), "A")
        refused = call("GET", server.url + "/admin/config", headers={"x-api-key": ""})
        self.assertEqual(refused.status, 403)
        self.assertIn("none could be kept", refused.json["error"])
        self.assertIn("/admin is closed", self.log_text())
        self.assertIn("no-folder/admin-token", self.log_text())

    def test_with_a_key_only_who_has_it(self):
        server = self.serve(settings={"security": {"api_key": "client-key", "admin_key": "admin-key"}})
        self.assertEqual(self.statuses(server), [401] * 4)
        self.assertEqual(self.statuses(server, {"x-api-key": "client-key"}), [401] * 4)
        self.assertEqual(self.statuses(server, {"x-api-key": "admin-key"}), [200, 200, 200, 404])
        self.assertEqual(self.statuses(server, {"Authorization": "Bearer admin-key"}), [200, 200, 200, 404])
        self.assertEqual(self.generate(server, {"prompt": "in earnest"}, headers={"x-api-key": "admin-key"}).status, 401)

    def test_the_environment_may_bring_the_key(self):
        server = self.serve(env={"STEPPER_ADMIN_KEY": "from-outside"})
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
        shown = run_stepper("plugin", "list", "-c", self.folder / "stepper.yaml", "--server", server.url)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        for word in ("variant", "1.0.0", "live", listed[0]["sha256"][:12], "one"):
            self.assertIn(word, shown.stdout)
        metrics = call("GET", server.url + "/metrics").raw.decode()
        self.assertIn('stepper_plugins{state="live"} 1', metrics)


if __name__ == "__main__":
    unittest.main()
