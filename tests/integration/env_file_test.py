"""Variables from a file: beside the configuration, or named; behind the real ones, and in force while the server runs."""
import json
import unittest

from lib import Case, provider, run_stepper, serve_command, wait_until

KEY = "key-of-the-file-that-nobody-may-see"


class EnvFile(Case):
    def write(self, text, name=".env", mode=0o600):
        path = self.folder / name
        path.write_bytes(text.encode())
        path.chmod(mode)
        return path

    def serve(self, *arguments, environment=None, **more):
        config = self.write_config([provider(self.simulator, "one", **more)])
        return self.launch(serve_command("--config", config, *arguments), environment)

    def in_force(self, server):
        return self.admin("GET", server, "/admin/config").json["config"]

    def warnings(self):
        lines = [json.loads(line) for line in self.log_text().splitlines()]
        return [line["warning"] for line in lines if line["event"] == "configuration"]

    def test_the_one_beside_the_configuration_counts(self):
        self.write(f"\ufeff# ours\r\nexport ONE_API_KEY='{KEY}'\r\nONE_MODEL=m-2 # the second\r\nQUEUE_CONCURRENCY=7\r\n")
        config = self.in_force(self.serve(environment={"QUEUE_CONCURRENCY": "9", "LOG_LEVEL": "trace"}, api_key="${ONE_API_KEY:-}"))
        self.assertEqual((config["providers"][0]["model"], config["providers"][0]["enabled"]), ("m-2", True))
        self.assertEqual(config["queue"]["workers"], 9, "the environment goes before the file")
        self.assertEqual(self.warnings(), [])
        self.assertNotIn(KEY, self.log_text() + json.dumps(config))

    def test_one_that_is_named_takes_its_place(self):
        self.write("ONE_MODEL=m-beside\nQUEUE_CONCURRENCY=7\n")
        named = self.write("ONE_MODEL=m-named\n", "other.env")
        config = self.in_force(self.serve("--env-file", named))
        self.assertEqual((config["providers"][0]["model"], config["queue"]["workers"]), ("m-named", 64))

    def test_a_server_sees_it_change(self):
        server = self.serve(api_key="${ONE_API_KEY:-}")
        self.assertFalse(self.in_force(server)["providers"][0]["enabled"])
        path = self.write(f"ONE_API_KEY={KEY}\n")
        self.assertEqual(self.admin("POST", server, "/admin/reload").status, 200)
        self.assertTrue(self.in_force(server)["providers"][0]["enabled"])
        self.write(f"ONE_API_KEY={KEY}\nONE_MODEL=m-3\n")
        wait_until(lambda: self.in_force(server)["providers"][0]["model"], wanted="m-3")
        self.write("ONE_API_KEY\n")
        told = self.admin("POST", server, "/admin/reload")
        self.assertEqual(told.json["problems"], [f"{path}:1:1: expected NAME=VALUE, a comment after # or an empty line"])
        self.assertEqual(self.in_force(server)["providers"][0]["model"], "m-3", "what was in force stays")
        self.write(f"ONE_API_KEY={KEY}\nONE_MODEL=m-4\n")
        wait_until(lambda: self.in_force(server)["providers"][0]["model"], wanted="m-4")
        self.assertNotIn(KEY, self.log_text())

    def test_a_broken_line_is_named_and_not_shown(self):
        config = self.write_config([provider(self.simulator, "one")])
        path = self.write(f"A=1\n\nONE_API_KEY='{KEY}\n")
        for words in (["check"], ["serve"], ["generate", "x"], ["jobs", "list"], ["plugin", "list"]):
            with self.subTest(words):
                done = run_stepper(*words, "--config", config)
                self.assertIn(f"{path}:3:1: this quote is never closed", done.stderr)
                self.assertNotEqual(done.returncode, 0)
                self.assertNotIn(KEY, done.stdout + done.stderr)

    def test_every_verb_takes_one_that_is_named(self):
        config = self.write_config([provider(self.simulator, "one", api_key="${ONE_API_KEY:-}")])
        named = self.write(f"ONE_API_KEY={KEY}\nSTEPPER_CONFIG={config}\n", "other.env", mode=0o644)
        done = run_stepper("check", "--env-file", named)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"enabled +one ")
        self.assertIn(f"warning: {named} is open to every user of this machine and may hold keys: chmod 600 {named}", done.stdout)
        done = run_stepper("generate", "x", "--env-file", named)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, "(?m)^one: answered in ")
        for words in (["check"], ["serve"], ["generate", "x"], ["jobs", "list"], ["plugin", "list"], ["reload"]):
            with self.subTest(words):
                done = run_stepper(*words, "--config", config, "--env-file", self.folder / "none")
                self.assertIn(str(self.folder / "none"), done.stderr)
                self.assertNotEqual(done.returncode, 0)

    def test_the_command_line_finds_its_server_by_it(self):
        self.write("STEPPER_API_KEY=door\nSTEPPER_ADMIN_KEY=admin\n")
        server = self.serve()
        done = run_stepper("jobs", "list", "--config", self.folder / "stepper.yaml", "--server", server.url)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_folder_of_that_name_is_somebody_elses(self):
        (self.folder / ".env").mkdir()
        self.assertEqual(run_stepper("check", "--config", self.write_config([provider(self.simulator, "one")])).returncode, 0)


if __name__ == "__main__":
    unittest.main()
