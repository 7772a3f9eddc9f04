"""Plugins from outside the tree: built against the installed SDK, dropped into a folder, asked for an answer."""
import os
import shutil
import subprocess
import unittest

from lib import BUILD, ROOT, Case, call, run_stepper


class OutsidePlugins(Case):
    def build_examples(self):
        """Installs sdk/ alone and builds its examples against the installation, without this build's sanitizers."""
        prefix, out = self.folder / "sdk", self.folder / "out"
        quiet = {"check": True, "capture_output": True, "env": dict(os.environ, CMAKE_GENERATOR="Ninja")}
        subprocess.run(["cmake", "-S", ROOT / "sdk", "-B", self.folder / "sdk-build"], **quiet)
        subprocess.run(["cmake", "--install", self.folder / "sdk-build", "--prefix", prefix], **quiet)
        shutil.copytree(ROOT / "sdk/examples", self.folder / "examples")
        subprocess.run(["cmake", "-S", self.folder / "examples", "-B", out, f"-DCMAKE_PREFIX_PATH={prefix}"], **quiet)
        subprocess.run(["cmake", "--build", out], **quiet)
        return out

    def test_examples_load_are_listed_and_answer(self):
        out = self.build_examples()
        kinds = ["echo-c", "shout"] + (["echo-rust"] if shutil.which("rustc") else [])
        listed = run_stepper("plugin", "list", out)
        self.assertEqual(listed.returncode, 0, listed.stdout + listed.stderr)
        for kind in kinds:
            self.assertRegex(listed.stdout, rf"(?m)^{kind} +1\.0\.0 ")
            exports = subprocess.run(["nm", "-D", "--defined-only", out / f"{kind}.so"], capture_output=True, text=True).stdout
            names = [line.split()[-1] for line in exports.splitlines()]
            self.assertIn("stepper_plugin_entry_v1", names)
            if kind != "echo-rust":
                self.assertEqual(names, ["stepper_plugin_entry_v1"])

        plugins = self.folder / "plugins"
        plugins.mkdir()
        for kind in kinds:
            shutil.copy(out / f"{kind}.so", plugins)
        echoes = [k for k in kinds if k.startswith("echo")]
        server = self.start([{"name": k, "plugin": k, "base_url": "http://unused.example", "model": "m", "api_key": "k"} for k in echoes],
                            {"plugins_dir": str(plugins)})
        for kind in echoes:
            answer = self.generate(server, {"prompt": "hello", "system": "Be loud.", "preferredProviders": [kind]})
            self.assertEqual(answer.json["metadata"]["provider"], kind, answer.raw)
            self.assertEqual(answer.json["data"]["model"], "m")
            self.assertTrue(answer.json["data"]["messages"][0]["content"].startswith("Be loud."))

    def test_bad_files_are_refused_and_the_rest_serves(self):
        plugins = self.folder / "plugins"
        plugins.mkdir()
        built = BUILD / "tests/abi/plugins"
        for name in ("echo-c", "bad-entry", "bad-major", "bad-crash", "bad-abort", "bad-hang"):
            shutil.copy(built / f"{name}.so", plugins)
        whole = (built / "echo-c.so").read_bytes()
        for number, size in enumerate(range(0, len(whole), 128)):
            (plugins / f"truncated-{number}.so").write_bytes(whole[:size])
        server = self.start([{"name": "echo", "plugin": "echo-c", "base_url": "http://unused.example", "model": "m", "api_key": "k"}],
                            {"plugins_dir": str(plugins)})
        self.assertEqual(self.generate(server, {"prompt": "x"}).json["metadata"]["provider"], "echo")
        log = self.log_text()
        refused = [line for line in log.splitlines() if '"plugin refused"' in line]
        self.assertEqual(len(refused), 5 + number + 1)
        self.assertEqual(call("GET", server.url + "/livez").status, 200)

    def test_the_probe_tells_why(self):
        built = BUILD / "tests/abi/plugins"
        self.assertEqual(run_stepper("plugin", "probe", built / "echo-c.so").returncode, 0)
        for name, words in (("bad-crash", "crashed"), ("bad-hang", "hung"), ("bad-entry", "exports no function")):
            result = run_stepper("plugin", "probe", built / f"{name}.so")
            self.assertEqual(result.returncode, 1)
            self.assertIn(words, result.stderr)
        self.assertIn("capabilities", run_stepper("plugin", "inspect", built / "echo-c.so").stdout)


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C")
    unittest.main()
