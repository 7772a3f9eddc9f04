"""The command line: configuration mistakes are named with their place, and nothing starts."""
import json
import os
import socket
import subprocess
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lib import (PLUGINS, STEPPER, Case, call, clean_environment, launch, link_plugins, provider, run_stepper,
                 serve_command, wait_until)

GOOD = "providers:\n  - name: one\n    plugin: openai-compatible\n    base_url: http://127.0.0.1:1/v1\n    model: m\n    api_key: k\n"

# providers.yaml -> what the message must contain.
BROKEN = {
    "broken YAML": ("providers:\n  - name: [one\n", ["providers.yaml:"]),
    "unknown key": (GOOD + "    tiemout: 5s\n", ["providers.yaml:7:5", "tiemout", "timeout"]),
    "wrong type": (GOOD + "    timeout: soon\n", ["providers.yaml:7:14", "timeout"]),
    "duplicate name": (GOOD + GOOD.removeprefix("providers:\n"), ["providers.yaml:7:", "one"]),
    "unknown option": (GOOD + "    options: { json_mod: object }\n", ["providers.yaml:2:", "json_mod"]),
}


def completion(text):
    return {"id": "x", "object": "chat.completion", "model": "m", "usage": {"prompt_tokens": 1, "completion_tokens": 1},
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}


class Recorder:
    """An HTTP server, also as a proxy: answers every request with a completion, and keeps path and headers."""

    def __init__(self, host="127.0.0.1"):
        seen = self.seen = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                seen.append((self.path, dict(self.headers)))
                body = json.dumps(completion("recorded")).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST

            def log_message(self, *_):
                pass

        class Listener(ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
            daemon_threads = True

        self.server = Listener((host, 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class CommandLine(Case):
    def record(self, host="127.0.0.1"):
        recorder = Recorder(host)
        self.addCleanup(recorder.stop)
        return recorder

    def config(self, providers_yaml, stepper_yaml=""):
        (self.folder / "providers.yaml").write_text(providers_yaml)
        path = self.folder / "stepper.yaml"
        path.write_text(f"providers_file: providers.yaml\nplugins_dir: {PLUGINS}\n{stepper_yaml}")
        return path

    def test_a_good_configuration_passes(self):
        result = run_stepper("check", "--config", self.config(GOOD))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("configuration is valid", result.stdout)

    def test_what_a_configuration_comes_to_is_shown(self):
        path = self.config(GOOD, "security: { api_key: hush }\nqueue: { workers: 3 }\n")
        shown = run_stepper("config", path, env={**clean_environment(), "LOG_LEVEL": "debug"})
        self.assertEqual(shown.returncode, 0, shown.stderr)
        config = json.loads(shown.stdout)
        self.assertEqual((config["queue"]["workers"], config["log"]["level"], config["security"]["api_key"]), (3, "debug", "********"))

    def test_a_file_of_defaults_passes(self):
        path = self.config(GOOD)
        path.write_text(run_stepper("config", "--defaults").stdout)
        result = run_stepper("config", path)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(json.loads(result.stdout)["cache"]["ttl"], 3_600_000)

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

    def test_generate_says_system_temperature_and_model(self):
        self.simulator.behave("one", {"answer": "tea"})
        providers = [provider(self.simulator, "one", models=["m-2"])]
        path = self.write_config(providers)
        words = ["--system", "Be brief.", "--temperature", "0.5", "--model", "m-2", "what is it?"]
        result = run_stepper("generate", "--config", path, *words)
        self.assertEqual((result.returncode, result.stdout), (0, "tea\n"), result.stderr)
        server = self.start(providers)
        result = run_stepper("generate", "--config", path, "--server", server.url, "--async", *words)
        self.assertEqual(self.finished(server, result.stdout.strip())["status"], "completed", result.stderr)
        for entry in self.simulator.log("one")[-2:]:
            body = json.loads(entry["body"])
            self.assertEqual((body["model"], body["temperature"], body["messages"][0]["content"]), ("m-2", 0.5, "Be brief."))
        result = run_stepper("generate", "--config", path, "--model", "m-3", "x")
        self.assertEqual(result.returncode, 1)
        self.assertIn("lists 'm-3'; there are 'm-1', 'm-2'", result.stderr)

    def test_words_it_does_not_know(self):
        broken = self.folder / "broken.yaml"
        broken.write_text("serverr: {}\n")
        for arguments in (["serv"], ["check", "--confg", "x"], ["plugin", "frobnicate"], ["generate"], [], ["serve", broken, "-x"],
                          ["serve", broken, "--port", "1"], ["check", broken, broken], ["generate", " "], ["version", "x"]):
            with self.subTest(arguments):
                result = run_stepper(*arguments)
                self.assertEqual((result.returncode, result.stdout), (64, ""))
                self.assertTrue(result.stderr)
        self.assertIn("did you mean serve?", run_stepper("serv").stderr)

    def test_every_way_to_name_a_configuration_reads_it(self):
        broken = self.folder / "broken.yaml"
        broken.write_text("serverr: {}\n")
        for verb in ("check", "serve"):
            for arguments in ([broken], ["-c", broken], [f"--config={broken}"], ["--", broken]):
                with self.subTest(verb, arguments=arguments):
                    result = run_stepper(verb, *arguments)
                    self.assertEqual(result.returncode, 78, result.stdout)
                    self.assertIn("broken.yaml:1:1: serverr: unknown key", result.stderr)
        self.assertEqual(run_stepper("check", self.config(GOOD)).returncode, 0)

    def test_help_is_an_answer_and_starts_nothing(self):
        for arguments in (["help"], ["--help"], ["-h"], ["serve", "-h"], ["help", "jobs", "list"], ["check", "--help"]):
            with self.subTest(arguments):
                result = run_stepper(*arguments)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertIn("Usage: stepper", result.stdout)

    def test_an_answer_that_could_not_be_written_is_no_success(self):
        self.simulator.behave("one", {})
        plugins = link_plugins(self.folder / "plugins", "openai-compatible")
        path = self.write_config([provider(self.simulator, "one")], {"plugins_dir": str(plugins)})
        for arguments in (["generate", "-c", path, "x"], ["generate", "-c", path, "--json", "x"], ["check", path], ["help"],
                          ["version"], ["jobs", "--help"], ["plugin", "list", plugins], ["plugin", "inspect", PLUGINS / "cohere.so"]):
            for title, redirect in (("a full disk", ">/dev/full"), ("a closed stream", ">&-")):
                with self.subTest(arguments, output=title):
                    result = subprocess.run(["/bin/sh", "-c", f'exec "$0" "$@" {redirect}', STEPPER, *map(str, arguments)],
                                            env=clean_environment(), capture_output=True, text=True, timeout=60)
                    self.assertEqual(result.returncode, 74, result.stderr)
                    self.assertIn("could not be written", result.stderr)

    def test_a_reader_that_left_needs_no_words_but_gets_no_success(self):
        reader, writer = os.pipe()
        os.close(reader)
        try:
            result = subprocess.run([STEPPER, "help"], stdout=writer, stderr=subprocess.PIPE, env=clean_environment(), timeout=60)
        finally:
            os.close(writer)
        self.assertEqual((result.returncode, result.stderr), (74, b""))

    def test_serving_needs_no_standard_output(self):
        path = self.write_config([provider(self.simulator, "one")])
        log = self.folder / "log"
        with open("/dev/full", "w") as full, open(log, "w") as err:
            process = subprocess.Popen(serve_command(path), stdout=full, stderr=err, env=clean_environment(), cwd=self.folder)
        try:
            wait_until(lambda: '"listening"' in log.read_text(), 30)
            process.terminate()
            self.assertEqual(process.wait(20), 0)
        finally:
            process.kill()
            process.wait()

    def test_a_failed_generation_prints_nothing_to_take_for_an_answer(self):
        kinds = {"every provider fails": {"steps": [{"status": 500}], "then": "repeat"},
                 "every provider is limited": {"steps": [{"status": 429, "retry_after": "600"}], "then": "repeat"},
                 "no JSON where it was wanted": {"answer": "sorry"}}
        for title, behaviour in kinds.items():
            for arguments in ([], ["--json"]):
                if title.startswith("no JSON") and not arguments:
                    continue
                with self.subTest(title, arguments=arguments):
                    self.simulator.behave("one", behaviour)
                    path = self.write_config([provider(self.simulator, "one", retry={"attempts": 1})],
                                             {"fallback": {"enabled": True, "when_limited": True}})
                    result = run_stepper("generate", "-c", path, *arguments, "Write a commit message.")
                    self.assertEqual((result.returncode, result.stdout), (1, ""))
                    self.assertTrue(result.stderr.strip())

    def test_ipv6_in_every_place(self):
        upstream = self.record("::1")
        path = self.write_config([provider(self.simulator, "six", base_url=f"http://[::1]:{upstream.port}/v1", stream=False)])
        for listen in ("[::1]:0", "[::]:0"):
            with self.subTest(listen):
                server = launch(serve_command(path, listen=listen))
                try:
                    self.assertTrue(server.url.startswith(f"http://{listen[:-1]}"), server.url)
                    url = f"http://[::1]:{server.url.rsplit(':', 1)[1]}"
                    answer = call("POST", url + "/v1/generate/immediate", {"prompt": "x", "responseMode": "text"})
                    self.assertEqual(answer.json["data"], "recorded")
                    reloaded = run_stepper("reload", "-c", path, "--server", url)
                    self.assertEqual((reloaded.returncode, reloaded.stdout), (0, "unchanged\n"), reloaded.stderr)
                    listed = run_stepper("jobs", "list", "--server", url)
                    self.assertEqual((listed.returncode, listed.stderr), (0, ""))
                finally:
                    self.assertEqual(server.stop(), 0)
        self.assertEqual(upstream.seen[0][0], "/v1/chat/completions")

    def test_no_proxy_sees_a_call_to_this_machine(self):
        proxy = self.record()
        self.simulator.behave("one", {"answer": "direct"})
        for name in ("http_proxy", "ALL_PROXY"):
            with self.subTest(name):
                env = {"STEPPER_API_KEY": "client-key", name: f"http://127.0.0.1:{proxy.port}"}
                server = self.start([provider(self.simulator, "one")], env=env)
                listed = run_stepper("jobs", "list", "--server", server.url, env=env)
                self.assertEqual((listed.returncode, listed.stderr), (0, ""))
                answer = self.generate(server, {"prompt": name, "responseMode": "text"}, headers={"x-api-key": "client-key"})
                self.assertEqual(answer.json["data"], "direct")
                self.assertEqual(server.stop(), 0)
        self.assertEqual(proxy.seen, [])

    def test_the_admin_key_of_this_machine_goes_to_no_other(self):
        way = self.record()
        server = self.start([provider(self.simulator, "one")])
        env = {"http_proxy": f"http://127.0.0.1:{way.port}"}
        for key in ([], ["--key", "named"]):
            run_stepper("reload", "-c", self.folder / "stepper.yaml", "--server", "http://elsewhere.example:3001", *key, env=env)
        self.assertEqual([path for path, _ in way.seen], ["http://elsewhere.example:3001/admin/reload"] * 2)
        self.assertEqual([headers.get("x-api-key") for _, headers in way.seen], [None, "named"])
        self.assertEqual(self.admin("POST", server, "/admin/reload").status, 200)

    def test_a_provider_with_a_proxy_of_its_own(self):
        proxy = self.record()
        own = f"http://user:s3cret@127.0.0.1:{proxy.port}"
        far = provider(self.simulator, "far", base_url="http://provider.example/v1", proxy=own, stream=False)
        near = provider(self.simulator, "near", proxy=own)
        env = {"http_proxy": "http://127.0.0.1:1", "no_proxy": "provider.example"}
        server = self.start([far, near], env=env)
        self.assertEqual(self.generate(server, {"prompt": "x", "responseMode": "text"}).json["data"], "recorded")
        self.assertEqual(proxy.seen[0][0], "http://provider.example/v1/chat/completions")
        self.assertIn("Proxy-Authorization", proxy.seen[0][1])
        shown = self.admin("GET", server, "/admin/config").raw.decode()
        self.assertIn(f"http://********@127.0.0.1:{proxy.port}", shown)
        checked = run_stepper("check", self.folder / "stepper.yaml")
        self.assertIn("near is on this machine, so its proxy is not used", checked.stdout)
        for text in (shown, checked.stdout, checked.stderr, self.log_text()):
            self.assertNotIn("s3cret", text)
        refused = run_stepper("check", self.write_config([dict(far, proxy="http//user:s3cret@h")]))
        self.assertEqual(refused.returncode, 78)
        self.assertIn("proxy: expected http://HOST:PORT", refused.stderr)
        self.assertNotIn("s3cret", refused.stderr)

    def test_closed_standard_streams_do_not_become_files_of_ours(self):
        self.simulator.behave("one", {})
        path = self.write_config([provider(self.simulator, "one", isolation="process")])
        server = launch(["/bin/sh", "-c", 'exec "$0" "$@" <&- 2>&-', *serve_command("--config", path)])
        self.addCleanup(server.stop)
        for stream in (0, 2):
            self.assertEqual(os.readlink(f"/proc/{server.process.pid}/fd/{stream}"), "/dev/null")
        self.assertEqual(call("POST", server.url + "/v1/generate/immediate", {"prompt": "x"}).status, 200)

    def test_environment_overrides(self):
        env = {"ONE_MODEL": "m-2", "ONE_ENABLED": "false"}
        result = run_stepper("check", "--config", self.config(GOOD), env=env)
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stdout, r"disabled +one +openai-compatible +m-2")


if __name__ == "__main__":
    unittest.main()
