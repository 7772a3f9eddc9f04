"""What paths are relative to: those in a file to that file, all others to the folder where the program was started."""
import os
import unittest

from lib import Case, link_plugins, provider, run_stepper, serve_command

PROMPT = {"prompt": "x", "responseMode": "text"}


class Paths(Case):
    def setUp(self):
        super().setUp()
        self.simulator.reset()
        self.simulator.behave("one", {})
        link_plugins(self.folder / "plugins", "openai-compatible")
        for name in ("here", "there"):
            (self.folder / name).mkdir()

    def config(self, **settings):
        return self.write_config([provider(self.simulator, "one")], {"plugins_dir": "plugins", **settings})

    def serve_in(self, folder, *arguments, env=None):
        """`env -C` so that the file's name may be relative, too."""
        server = self.launch(["env", "-C", self.folder / folder, *serve_command(*arguments)], env)
        server.told = [server.process.stdout.readline(), server.process.stdout.readline()]
        return server

    def assert_store(self, server, path):
        self.assertIn(f"stepper: jobs and answers are kept in {path}\n", server.told)
        self.assertIn(f'"url":"sqlite:{path}"', self.log_text())
        self.assertTrue(path.exists(), path)

    def test_a_configuration_means_the_same_wherever_it_is_read(self):
        config = self.config(store={"url": "sqlite:var/x.db"}, plugins={"state_dir": "state"})
        server = self.serve_in("here", "--config", "../stepper.yaml")
        self.assert_store(server, self.folder / "var" / "x.db")
        self.assertTrue((self.folder / "state" / "admin-token").exists())
        job = self.queue(server, PROMPT)
        self.finished(server, job)
        self.check_stopped(server)
        again = self.serve_in("there", "--config", config)
        self.assertEqual(self.job(again, job).json["status"], "completed")
        listed = run_stepper("plugin", "list", "--config", config, "--server", again.url, cwd=self.folder / "here")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        for folder in ("here", "there"):
            self.assertEqual(os.listdir(self.folder / folder), [])
            check = run_stepper("check", "--config", config, cwd=self.folder / folder)
            self.assertIn(f"store     sqlite:{self.folder}/var/x.db\n", check.stdout)

    def test_a_store_that_is_not_named_is_beside_the_file(self):
        path = self.config()
        path.write_text(path.read_text().replace('"store"', '"x-store"'))
        self.assert_store(self.serve_in("here", "--config", path), self.folder / "var" / "stepper.db")

    def test_what_the_environment_says_is_relative_to_the_working_folder(self):
        self.config()
        server = self.serve_in("here", env={"STEPPER_CONFIG": "../stepper.yaml", "REDIS_URL": "sqlite:x.db"})
        self.assert_store(server, self.folder / "here" / "x.db")

    def test_so_is_the_built_in_configuration(self):
        server = self.serve_in("here")
        self.assert_store(server, self.folder / "here" / "var" / "stepper.db")
        self.assertTrue((self.folder / "here" / "var" / "plugin-state" / "admin-token").exists())


if __name__ == "__main__":
    unittest.main()
