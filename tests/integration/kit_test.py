"""The author's kit: a new plugin from nothing to its first answer, and what `stepper plugin test` finds."""
import os
import shutil
import subprocess
import unittest

from lib import BUILD, PLUGINS, ROOT, STEPPER, Case, clean_environment, provider, run_stepper

CLUMSY = BUILD / "tests/abi/plugins/clumsy.so"

# One mistake -> what is told of it.
FOUND = {
    "crashes at once": [r"it crashed with signal 11 in .*t\.transcript:3: anything", "0 passed, 1 failed"],
    "breaks the abi at once": ["dry run: FAILED: .*on START: plugin clumsy broke the plugin ABI: it asked to continue",
                               "fuzz: FAILED: plugin clumsy broke the plugin ABI: .*; seed 1, events: BEGIN "],
    "done on a 500": ["dry run: FAILED: .*on a 500: it answered DONE"],
    "crashes on an odd status": ["dry run: ok", r"fuzz: FAILED: it crashed with signal 11 on seed \d+, events: .*HEAD 599"],
    "leaves with an odd status": [r"fuzz: FAILED: it ended the whole process with status 3 on seed \d+"],
    "hangs on an odd status": [r"fuzz: FAILED: it hung, and was ended after 10s on seed \d+"],
    "misreads an odd event": ["fuzz: FAILED: .*send while its exchange was still open"],
    "is slow on an odd status": [r"fuzz: FAILED: a step took \d+ms: HEAD 599"],
    "leaves a thread": ["dry run: ok", r"threads: FAILED: \d+ left running"],
    "refuses its configuration": ["the configuration was refused: plugin clumsy: no", "0 passed, 1 failed"],
}


def quiet(*argv):
    result = subprocess.run([*map(str, argv)], env=dict(os.environ, CMAKE_GENERATOR="Ninja"), capture_output=True, text=True)
    if result.returncode != 0:
        raise AssertionError(f"{argv}: {result.stdout}{result.stderr}")
    return result


class Kit(Case):
    def install_sdk(self):
        prefix = self.folder / "sdk"
        quiet("cmake", "-S", ROOT / "sdk", "-B", self.folder / "sdk-build")
        quiet("cmake", "--install", self.folder / "sdk-build", "--prefix", prefix)
        return prefix

    def new_project(self, name):
        result = run_stepper("plugin", "new", name, self.folder / name)
        self.assertEqual(result.returncode, 0, result.stderr)
        return self.folder / name

    def build(self, project, *options):
        quiet("cmake", "-S", project, "-B", project / "build", f"-DSTEPPER={STEPPER}", *options)
        quiet("cmake", "--build", project / "build")
        return project / "build" / f"{project.name}.so"

    def try_it(self, so, prompt, *options, base_url=None):
        settings = ["--set", f"base_url={base_url or self.simulator.base_url('mine')}", "--set", "model=m-1", "--set", "api_key=k"]
        return run_stepper("plugin", "try", so, *settings, *options, prompt)

    def test_from_nothing_to_an_answer(self):
        project = self.new_project("my-provider")
        self.assertEqual(sorted(p.name for p in project.iterdir()),
                         [".gitignore", "CMakeLists.txt", "README.md", "my-provider.cpp", "my-provider.transcript"])
        for file in project.iterdir():
            self.assertNotIn("@NAME@", file.read_text(encoding="utf-8"), file)
        so = self.build(project, f"-DCMAKE_PREFIX_PATH={self.install_sdk()}")
        quiet("ctest", "--test-dir", project / "build", "--no-tests=error", "--output-on-failure")

        for stream in ("false", "true"):
            self.simulator.behave("mine", {"answer": "forty-two"})
            tried = self.try_it(so, "what is it?", "--set", f"stream={stream}")
            self.assertEqual((tried.returncode, tried.stdout), (0, "forty-two\n"), tried.stderr)
        self.assertEqual(self.simulator.log("mine")[-1]["path"].rsplit("/", 2)[-2:], ["chat", "completions"])
        self.check_failures_of_a_try(so)

        plugins = self.folder / "plugins"
        plugins.mkdir()
        shutil.copy(project / "my-provider.transcript", plugins)
        shutil.copy(so, plugins)
        self.simulator.behave("mine", {"answer": "forty-two"})
        server = self.start([provider(self.simulator, "mine", plugin="my-provider", base_url=self.simulator.base_url("mine"))],
                            {"plugins_dir": str(plugins)})
        self.assertEqual(self.generate(server, {"prompt": "x", "responseMode": "text"}).json["metadata"]["provider"], "mine")
        listed = run_stepper("plugin", "list", "--config", self.folder / "stepper.yaml", "--server", server.url)
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertRegex(listed.stdout, r"(?m)^KIND +VERSION +STATE +")
        self.assertRegex(listed.stdout, r"(?m)^my-provider +0\.1\.0 +(live|probation) .* mine$")

    def test_the_list_of_a_server_with_an_admin_key(self):
        server = self.start([provider(self.simulator, "one")], {"security": {"admin_key": "for-admins"}})
        listed = run_stepper("plugin", "list", "--config", self.folder / "stepper.yaml", "--server", server.url)
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertRegex(listed.stdout, r"(?m)^openai-compatible .* one$")
        keyless = run_stepper("plugin", "list", "--server", server.url)
        self.assertEqual(keyless.returncode, 1)
        self.assertIn("401", keyless.stderr)
        gone = run_stepper("plugin", "list", "--server", "http://127.0.0.1:1")
        self.assertEqual(gone.returncode, 1)
        self.assertIn("no answer from http://127.0.0.1:1", gone.stderr)

    def check_failures_of_a_try(self, so):
        self.simulator.behave("mine", {"steps": [{"status": 429, "retry_after": "7"}], "then": "repeat"})
        limited = self.try_it(so, "what is it?")
        self.assertEqual(limited.returncode, 1)
        self.assertRegex(limited.stderr, "^RATE_LIMITED, HTTP 429.*retry after 7s: ")
        self.assertIn("TRANSPORT", self.try_it(so, "x", base_url="http://127.0.0.1:1/v1").stderr)

        refused = self.try_it(so, "x", "--set", "options.colour=blue")
        self.assertEqual(refused.returncode, 78, refused.stderr)
        self.assertIn("colour", refused.stderr)
        config = self.write_config([provider(self.simulator, "other"),
                                    provider(self.simulator, "mine", plugin="my-provider", base_url=self.simulator.base_url("mine"))])
        self.simulator.behave("mine", {"answer": "from the file"})
        self.assertEqual(run_stepper("plugin", "try", so, "--config", config, "-", input="what is it?").stdout, "from the file\n")
        wrong = run_stepper("plugin", "try", so, "--config", config, "--provider", "other", "x")
        self.assertEqual(wrong.returncode, 78)
        self.assertIn("plugin: openai-compatible", wrong.stderr)

    def test_it_builds_against_the_source_tree(self):
        so = self.build(self.new_project("0-test"), f"-DSTEPPER_SDK={ROOT / 'sdk'}")
        self.assertIn("0-test 0.1.0: sound", run_stepper("plugin", "probe", so).stdout)

    def test_what_new_says_comes_next_works_as_it_stands(self):
        prefix = self.folder / "in here"
        quiet("cmake", "--install", BUILD, "--prefix", prefix)
        for stepper, folder in ((STEPPER, "one"), (prefix / "bin/stepper", "it's two")):
            with self.subTest(folder):
                made = subprocess.run([stepper, "plugin", "new", "mine", folder], cwd=self.folder, env=clean_environment(),
                                      capture_output=True, text=True, check=True)
                self.assertEqual(made.stderr, "")
                command = made.stdout.split("\nNext: ")[1].strip()
                done = subprocess.run(["sh", "-c", command], cwd=self.folder, env=clean_environment(CMAKE_GENERATOR="Ninja"),
                                      capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, command + done.stdout + done.stderr)
                self.assertIn("100% tests passed, 0 tests failed out of 1", done.stdout)

    def test_new_tells_of_a_plugin_of_that_kind(self):
        made = run_stepper("plugin", "new", "gemini", self.folder / "gemini")
        self.assertEqual(made.returncode, 0)
        self.assertRegex(made.stderr, r"warning: kind gemini is already provided by .*/gemini\.so, ")

    def test_new_writes_over_nothing(self):
        for name in ("", "Mine", "a b", "../x", "a" * 65, "ä"):
            with self.subTest(name):
                self.assertEqual(run_stepper("plugin", "new", name, self.folder / "x").returncode, 64)
        self.assertFalse((self.folder / "x").exists())
        project = self.folder / "p"
        project.mkdir()
        (project / "README.md").write_text("mine")
        result = run_stepper("plugin", "new", "p", project)
        self.assertEqual(result.returncode, 1)
        self.assertIn("README.md is there already", result.stderr)
        self.assertEqual([(p.name, p.read_text()) for p in project.iterdir()], [("README.md", "mine")])
        self.assertEqual(run_stepper("plugin", "new", "q", cwd=self.folder).returncode, 0)
        self.assertTrue((self.folder / "q/q.cpp").exists())

    def rehearse(self, flaw, *options):
        transcript = self.folder / "t.transcript"
        transcript.write_text('config {"flaw":"%s"}\n\ncase anything\nbegin generate {}\ncancel\n' % flaw)
        return run_stepper("plugin", "test", CLUMSY, transcript, *options)

    def test_a_sound_plugin_passes(self):
        result = self.rehearse("none", "--seconds", "0.3", "--seed", "12")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        for line in ("1 passed, 0 failed", "exports: ok", "configuration: ok", "dry run: ok", "fuzz: ok (from seed 12, ",
                     "step time: ok", "threads: ok"):
            self.assertIn("\n" + line, "\n" + result.stdout)
        self.assertNotIn("fuzz", self.rehearse("none", "--seconds", "0").stdout)
        self.assertEqual(self.rehearse("none", "--seconds", "soon").returncode, 64)
        self.assertEqual(self.rehearse("none", "--seed", "x1").returncode, 64)
        self.assertIn("WARNING: more than 10ms on HEAD 599", self.rehearse("is slowish").stdout)

    def test_mistakes_are_told(self):
        for flaw, words in FOUND.items():
            with self.subTest(flaw):
                result = self.rehearse(flaw, "--seconds", "2")
                self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
                for word in words:
                    self.assertRegex(result.stdout, word)

    def test_a_plugin_needs_a_configuration_to_be_tried_with(self):
        result = run_stepper("plugin", "test", PLUGINS / "http-template.so")
        self.assertEqual(result.returncode, 1)
        self.assertIn("no transcripts: ", result.stdout)
        self.assertIn("configuration: FAILED: none found that it takes", result.stdout)

    def test_the_seed_reproduces_a_crash(self):
        first = self.rehearse("crashes on an odd status", "--seconds", "2").stdout
        crash = first[first.index("on seed "):]
        again = self.rehearse("crashes on an odd status", "--seconds", "0.001", "--seed", crash.split()[2].rstrip(",")).stdout
        self.assertIn(crash.splitlines()[0], again)

    def test_what_is_no_plugin_is_refused(self):
        result = run_stepper("plugin", "test", BUILD / "tests/abi/plugins/bad-entry.so")
        self.assertEqual(result.returncode, 1)
        self.assertIn("stepper_plugin_entry_v1", result.stderr)
        self.assertIn("it crashed with signal 11 while it started", run_stepper("plugin", "test", BUILD / "tests/abi/plugins/bad-crash.so").stdout)

    def test_transcripts_lie_inside_the_plugin(self):
        result = run_stepper("plugin", "test", BUILD / "tests/abi/plugins/echo-c.so", "--seconds", "0")
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn("1 passed, 0 failed", result.stdout)

    def test_transcripts_lie_beside_the_plugin(self):
        so = self.folder / "clumsy.so"
        shutil.copy(CLUMSY, so)
        more = self.folder / "clumsy.transcripts"
        more.mkdir()
        case = "case one\nbegin generate {}\nexpect send POST https://clumsy.example/\ncancel\n"
        (self.folder / "clumsy.transcript").write_text(case)
        (more / "b.transcript").write_text(case + case.replace("one", "two"))
        (more / "notes.txt").write_text("no transcript")
        result = run_stepper("plugin", "test", so, "--seconds", "0")
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn("3 passed, 0 failed", result.stdout)
        (more / "b.transcript").write_text(case.replace("POST", "GET"))
        result = run_stepper("plugin", "test", so, "--seconds", "0")
        self.assertEqual(result.returncode, 1)
        self.assertIn("1 passed, 1 failed", result.stdout)
        self.assertIn("b.transcript:3: one (as written): it sends POST", result.stdout)


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C")
    unittest.main()
