"""The command line: configuration mistakes are named with their place, and nothing starts."""
import os
import unittest

from harness import PLUGINS, STEPPER, Case, Server, call, clean_environment, provider, run_stepper

GOOD = "providers:\n  - name: one\n    plugin: openai-compatible\n    base_url: http://127.0.0.1:1/v1\n    model: m\n    api_key: k\n"

# providers.yaml -> what the message must contain.
BROKEN = {
    "broken YAML": ("providers:\n  - name: [one\n", ["providers.yaml:"]),
    "unknown key": (GOOD + "    tiemout: 5s\n", ["providers.yaml:7:5", "tiemout", "timeout"]),
    "wrong type": (GOOD + "    timeout: soon\n", ["providers.yaml:7:14", "timeout"]),
    "duplicate name": (GOOD + GOOD.removeprefix("providers:\n"), ["providers.yaml:7:", "one"]),
    "unknown option": (GOOD + "    options: { json_mod: object }\n", ["providers.yaml:2:", "json_mod"]),
}


class CommandLine(Case):
    def config(self, providers_yaml, stepper_yaml=""):
        (self.folder / "providers.yaml").write_text(providers_yaml)
        path = self.folder / "stepper.yaml"
        path.write_text(f"providers_file: providers.yaml\nplugins_dir: {PLUGINS}\n{stepper_yaml}")
        return path

    def test_a_good_configuration_passes(self):
        result = run_stepper("check", "--config", self.config(GOOD))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("configuration is valid", result.stdout)

    def test_mistakes_end_with_78_and_a_place(self):
        for title, (text, words) in BROKEN.items():
            for verb in ("check", "serve"):
                with self.subTest(title, verb=verb):
                    result = run_stepper(verb, "--config", self.config(text), *(["--listen", "127.0.0.1:0"] if verb == "serve" else []),
                                         cwd=self.folder)
                    self.assertEqual(result.returncode, 78, result.stderr)
                    self.assertNotIn("listening", result.stdout)
                    for word in words:
                        self.assertIn(word, result.stderr)

    def test_mistakes_in_stepper_yaml(self):
        result = run_stepper("check", "--config", self.config(GOOD, "servr: { listen: 127.0.0.1:0 }\n"))
        self.assertEqual(result.returncode, 78)
        self.assertIn("stepper.yaml:3:1", result.stderr)
        self.assertIn("server", result.stderr)
        result = run_stepper("check", "--config", self.folder / "absent.yaml")
        self.assertEqual(result.returncode, 78)
        self.assertIn("absent.yaml", result.stderr)

    def test_a_missing_plugin_is_a_warning_to_serve_and_an_error_to_check(self):
        text = GOOD.replace("openai-compatible", "openai-compatibel")
        result = run_stepper("check", "--config", self.config(text))
        self.assertEqual(result.returncode, 78)
        self.assertIn("did you mean 'openai-compatible'?", result.stderr)
        self.simulator.behave("one", {})
        server = self.start([provider(self.simulator, "one"), provider(self.simulator, "two", plugin="openai-compatibel")])
        two = call("GET", server.url + "/v1/providers").json["providers"][1]
        self.assertEqual(two["state"], "disabled")
        self.assertIn("did you mean 'openai-compatible'?", two["reason"])

    def test_generate_without_a_server(self):
        self.simulator.behave("one", {"answer": "forty-two"})
        path = self.write_config([provider(self.simulator, "one")])
        result = run_stepper("generate", "--config", path, "what is it?")
        self.assertEqual((result.returncode, result.stdout), (0, "forty-two\n"), result.stderr)
        self.simulator.behave("one", {})
        result = run_stepper("generate", "--config", path, "--json", "-", input="which product?")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn('"data":{"product":"Coffee beans","price":18}', result.stdout)

    def test_words_it_does_not_know(self):
        for arguments in (["serv"], ["check", "--confg", "x"], ["plugin", "frobnicate"], ["generate"], []):
            with self.subTest(arguments):
                result = run_stepper(*arguments)
                self.assertEqual(result.returncode, 64)
                self.assertTrue(result.stderr)
        self.assertIn("did you mean 'serve'?", run_stepper("serv").stderr)

    def test_closed_standard_streams_do_not_become_files_of_ours(self):
        self.simulator.behave("one", {})
        path = self.write_config([provider(self.simulator, "one", isolation="process")])
        server = Server(["/bin/sh", "-c", 'exec "$0" "$@" <&- 2>&-', STEPPER, "serve", "--config", path, "--listen",
                         "127.0.0.1:0"], clean_environment())
        self.addCleanup(server.stop)
        for stream in (0, 2):
            self.assertEqual(os.readlink(f"/proc/{server.process.pid}/fd/{stream}"), "/dev/null")
        self.assertEqual(call("POST", server.url + "/v1/generate/immediate", {"prompt": "x"}).status, 200)

    def test_environment_overrides(self):
        env = dict(clean_environment(), ONE_MODEL="m-2", ONE_ENABLED="false")
        result = run_stepper("check", "--config", self.config(GOOD), env=env)
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stdout, r"disabled +one +openai-compatible +m-2")


if __name__ == "__main__":
    unittest.main()
