"""What the pages tell to type, typed: every block of every page is run here, or listed with the reason why not."""
import hashlib
import json
import os
import re
import shutil
import subprocess
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path

from lib import (PLUGINS, ROOT, SIMULATOR, STEPPER, Case, Server, call, clean_environment, link_plugins, provider,
                 run_stepper, wait_until)

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
SHELL = ("sh", "bash", "shell", "console")


def pages():
    """Every Markdown file of the tree, by its path."""
    found = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [f for f in folders if f not in ("build", "var") and not f.startswith(".")]
        found += [str((Path(folder) / f).relative_to(ROOT)) for f in files if f.endswith(".md")]
    return sorted(found)


def text_of(page):
    return (ROOT / page).read_text(encoding="utf-8")


def is_complete(lines):
    done = subprocess.run(["bash", "-n"], input="\n".join(lines) + "\n", capture_output=True, text=True)
    return not lines[-1].endswith("\\") and done.returncode == 0 and not done.stderr


def commands_of(block):
    """The commands of a shell block, each with all of its lines and its comment."""
    found, lines = [], []
    for line in block.splitlines():
        if not lines and (not line or line.startswith("#")):
            continue
        lines.append(line)
        if is_complete(lines):
            found.append("\n".join(lines))
            lines = []
    if lines:
        raise AssertionError("no shell takes this:\n" + "\n".join(lines))
    return found


def units_of(page):
    """What has to be considered, in order: the commands of shell blocks, and other blocks whole."""
    units = []
    for language, block in FENCE.findall(text_of(page)):
        units += commands_of(block) if language in SHELL else [block]
    return units


def comment_of(command):
    return command.split("  # ", 1)[1].strip() if "  # " in command else ""


def without_comment(command):
    return command.split("  # ", 1)[0].strip()


class Listed(str):
    """Why a block is not run."""


MINUTES = Listed("takes minutes, and builds what this test is a part of")
DOCKER = Listed("needs docker")


def help_of(script):
    done = subprocess.run([ROOT / script, "--help"], capture_output=True, text=True, timeout=60)
    if done.returncode != 0 or done.stderr:
        raise AssertionError(f"{script} --help: exit status {done.returncode}, {done.stderr}")
    return done.stdout


class Page:
    """One page, walked from top to bottom; cd lasts, as it does in the reader's shell."""
    page = ""
    # How a command or block begins, and the method that runs it; or the whole of it, and why it is Listed.
    table = {}
    maxDiff = None

    def setUp(self):
        super().setUp()
        self.home = self.folder / "home"
        self.home.mkdir()
        self.here = self.home
        self.env = clean_environment(HOME=str(self.home), PATH=f"{STEPPER.parent}:{os.environ['PATH']}")

    def unit(self, begin):
        return next(unit for unit in units_of(self.page) if unit.startswith(begin))

    def sh(self, command, replaced=None, status=0):
        """Runs it as printed but for what the reader has to put in, and returns what it said."""
        for printed, meant in (replaced or {}).items():
            self.assertIn(printed, command)
            command = command.replace(printed, meant)
        where = self.folder / "where"
        done = subprocess.run(["bash", "-c", f'{command}\nstatus=$?; pwd >"{where}"; exit $status'], cwd=self.here, env=self.env,
                              capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, status, f"{command}\n{done.stdout}{done.stderr}")
        self.here = where.read_text(encoding="utf-8").strip()
        return done.stdout

    def check_yaml(self, providers, settings=f"plugins_dir: {PLUGINS}"):
        """`stepper check` takes these providers, with and without a key, and has nothing to say of them."""
        folder = self.folder / "checked"
        folder.mkdir(exist_ok=True)
        (folder / "providers.yaml").write_text(providers)
        (folder / "stepper.yaml").write_text(settings + "\n")
        demanded = dict.fromkeys(re.findall(r"\$\{(\w+)\}", providers), "k")
        for keys in (demanded, dict.fromkeys(re.findall(r"\$\{(\w+)", providers), "k")):
            done = run_stepper("check", folder / "stepper.yaml", env={**self.env, **keys})
            self.assertEqual((done.returncode, done.stderr), (0, ""), providers + done.stdout)

    def check_list(self, block):
        self.check_yaml("providers:\n" + block)

    def check_transcript(self, block, before=""):
        transcript = self.folder / "page.transcript"
        transcript.write_text(before + block)
        done = run_stepper("plugin", "test", PLUGINS / "openai-compatible.so", transcript, "--seconds", "0")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def await_taken(self, kind, server):
        """A running server has taken the plugin."""
        wait_until(lambda: any(p["kind"] == kind and p["state"] in ("live", "probation")
                                  for p in self.admin("GET", server, "/admin/plugins").json["plugins"]))

    def entry_of(self, unit):
        found = [key for key, entry in self.table.items()
                 if (without_comment(unit) == key if isinstance(entry, Listed) else unit.startswith(key))]
        self.assertEqual(len(found), 1, f"{self.page}: run this in {type(self).__name__}, or list it with the reason:\n{unit}")
        return found[0]

    def test_every_block(self):
        entries = [(unit, self.entry_of(unit)) for unit in units_of(self.page)]
        self.assertEqual(set(self.table) - {key for _, key in entries}, set(), f"{self.page} does not tell these")
        for unit, key in entries:
            if not isinstance(self.table[key], Listed):
                try:
                    self.table[key](self, unit)
                except Exception as error:
                    error.add_note(f"in {self.page}: {unit.rstrip()}")
                    raise


class Readme(Page, Case):
    page = "README.md"

    def setUp(self):
        super().setUp()
        link_plugins(self.home / "plugins", "openai-compatible", "http-template")
        self.env.update(PORT="0", GROQ_API_KEY="gsk-of-this-test", MINE_API_KEY="k")

    def configure(self):
        """The page's snippets one below the other, but for where groq and local are."""
        text = self.unit("# providers.yaml") + self.unit("    limits:") + self.unit("  - name: oracle")
        for name, url in (("groq", "https://api.groq.com/openai/v1"), ("local", "http://127.0.0.1:11434/v1")):
            self.assertIn(url, text)
            text = text.replace(url, self.simulator.base_url(name))
        (self.home / "providers.yaml").write_text(text)
        (self.home / "stepper.yaml").write_text("plugins_dir: plugins\nserver: { drain_timeout: 100ms }\n")

    def serve(self):
        """The server of the page's own command and configuration; the commands after it find it by PORT."""
        self.configure()
        # From the folder that the page's commands are typed in.
        self.server = self.launch(["bash", "-c", f"cd '{self.home}' && exec {self.unit('stepper serve')}"], self.env)
        self.env["PORT"] = str(self.server.port)
        self.here_is = {"127.0.0.1:3001": f"127.0.0.1:{self.server.port}"}

    def test_every_block(self):
        self.serve()
        super().test_every_block()

    def look(self, path, method="GET"):
        key = (self.home / "var/plugin-state/admin-token").read_text(encoding="utf-8").strip()
        return call(method, self.server.url + path, headers={"x-api-key": key} if path.startswith("/admin") else None)

    def states(self):
        return {p["name"]: p["state"] for p in self.look("/v1/providers").json["providers"]}

    def also_asked(self, command):
        """What the comment says can be asked for instead."""
        for method, path in re.findall(r"(GET|POST) (/\S+?)[,:;]?(?:\s|$)", comment_of(command)):
            self.assertEqual(self.look(path.replace("ID", getattr(self, "job_id", "")), method).status, 200, path)

    def script(self, command):
        """Others try it (run_test.py, and whoever runs this test); here its help has to say what the page says."""
        told = help_of(command.split()[0])
        claims = re.findall(r"installs what is missing, builds|127\.0\.0\.1:\d+|every test", comment_of(command))
        self.assertEqual(len(claims), 2, command)
        for claim in claims:
            self.assertIn(claim, " ".join(told.split()))

    def without_times(self, value):
        """What two answers to one request have in common."""
        if isinstance(value, list):
            return [self.without_times(v) for v in value]
        if not isinstance(value, dict):
            return value
        return {k: "a time" if k.endswith("Ms") and isinstance(v, int) else self.without_times(v) for k, v in value.items()}

    def one_curl(self, command):
        self.simulator.behave("gemini", {"steps": [{"status": 429, "retry_after": "7", "message": "Too Many Requests"}]})
        self.simulator.behave("groq", {"steps": [{"status": 503, "message": "Service Unavailable"}]})
        self.simulator.behave("cohere", {"steps": [{"usage": {"prompt": 61, "completion": 14}}]})
        server = self.start([provider(self.simulator, "gemini", "gemini"), provider(self.simulator, "groq"),
                             provider(self.simulator, "cohere", "cohere", model="command-a-03-2025",
                                      price={"input": 2.5, "output": 10})])
        self.story = json.loads(self.sh(command, {"127.0.0.1:3001": f"127.0.0.1:{server.port}"}))
        self.simulator.behave("groq", {})

    def the_story(self, block):
        self.assertEqual(self.without_times(self.story), self.without_times(json.loads(block)))

    def queue_one(self, command):
        head, body = self.sh(command, self.here_is).replace("\r", "").split("\n\n", 1)
        status, location = re.fullmatch(r"(\d+), (Location: \S+)", comment_of(command)).groups()
        self.job_id = json.loads(body)["jobId"]
        self.assertRegex(head, rf"^HTTP/1.1 {status} ")
        self.assertIn("\n" + location.replace("ID", self.job_id) + "\n", head + "\n")

    def poll_it(self, command):
        job = json.loads(self.sh(command, {"ID?": self.job_id + "?", **self.here_is}))
        self.assertEqual(job["status"], "completed", job)
        self.assertEqual(job["data"]["result"], self.story["data"])
        self.assertLessEqual({"finishReason", "model", "usage"}, set(job["data"]))
        self.also_asked(command)

    def retry_all(self, command):
        self.sh(command)
        for option in re.findall(r"--(?:fallback|cancelled)", comment_of(command)):
            self.sh(f"stepper jobs retry {option} --tenant nobody")

    def jobs_verbs(self, command):
        self.sh(command)
        verbs = re.findall(r"(\w+) (ID\S*)", comment_of(command))
        self.assertEqual([verb for verb, _ in verbs], ["show", "retry", "cancel", "purge"])
        for verb, arguments in verbs:
            if verb == "cancel":
                for name in ("groq", "local"):
                    self.simulator.behave(name, {"steps": [{"hang": "head"}]})
                job_id = self.queue(self.server, {"prompt": "never answered"})
            else:
                job_id = self.job_id
            for argument in arguments.strip(",.").replace("...", "").split("|"):
                which = {"ID": job_id, "STATE": "cancelled"}[argument]
                self.sh(f"stepper jobs {verb} {which}")
            self.assertEqual(self.job(self.server, job_id).status, 404 if verb == "purge" else 200)
            if verb == "retry":
                self.finished(self.server, job_id)
        for name in ("groq", "local"):
            self.simulator.behave(name, {})

    def keys_yaml(self, block):
        self.check_yaml(self.unit("# providers.yaml") + block)

    def try_keys(self, command):
        self.env["GROQ_BASE_URL"] = self.simulator.base_url("groq")
        self.assertRegex(self.sh(command), r"^\S+: well, \d+ ms")

    def check_verb(self, command):
        self.sh(command)
        (self.home / "wrong.yaml").write_text("server:\n  listen: nowhere\n")
        status = int(re.match(r"exit (\d+) and file:line:column", comment_of(command)).group(1))
        done = subprocess.run(["bash", "-c", command.replace("stepper.yaml", "wrong.yaml")], cwd=self.home, env=self.env,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, status)
        self.assertRegex(done.stdout + done.stderr, r"wrong\.yaml:2:\d+")

    def serve_verb(self, command):
        """It runs since the walk began."""
        self.assertEqual(self.states(), {"groq": "ready", "local": "ready", "oracle": "disabled"})
        told = self.sh("stepper serve --help")
        for option in re.findall(r"(--?\w+) FILE", comment_of(command)):
            self.assertIn(option, told)

    def generate_verb(self, command):
        self.env["GROQ_BASE_URL"] = self.simulator.base_url("groq")
        self.assertIn("Coffee beans", self.sh(command))

    def admin_verb(self, command):
        self.assertTrue(self.sh(command))
        self.also_asked(command)

    def admin_config(self, command):
        said = self.sh(command, self.here_is)
        self.assertIn("groq", json.dumps(json.loads(said)))
        self.assertNotIn(self.env["GROQ_API_KEY"], said)

    def new_plugin(self, command):
        said = self.sh(command)
        self.printed = re.search(r"^Next: (.*)$", said, re.M).group(1)

    def build_plugin(self, command):
        printed_here = re.fullmatch(re.escape(command.strip("()")).replace(re.escape("..."), r"\S+"), self.printed)
        self.assertTrue(printed_here, f"{self.printed}\nis what it prints; the page has\n{command}")
        self.assertIn("100% tests passed", self.sh(f"({self.printed})" if command.startswith("(") else self.printed))

    def drop_in(self, command):
        self.sh(command, {"/where/stepper/looks/": f"{self.home}/"})

    def name_it(self, command):
        self.sh(command)
        wait_until(lambda: self.states().get("mine") == "ready")

    def list_plugins(self, command):
        newest = "my-provider" if hasattr(self, "printed") else "openai-compatible"
        self.assertRegex(self.sh(command), rf"(?m)^{newest} .* (live|probation) ")
        self.also_asked(command)

    def further_means(self, block):
        digest = hashlib.sha256((self.home / "plugins/my-provider.so").read_bytes()).hexdigest()
        lines = {re.search(r"# (\w+\.yaml): ", line).group(1): line.replace("3f5a...", digest)
                 for line in block.splitlines()}
        self.assertEqual(set(lines), {"stepper.yaml", "providers.yaml"})
        self.assertIn(digest, lines["stepper.yaml"])
        self.check_yaml(lines["providers.yaml"], settings=lines["stepper.yaml"] + f"\nplugins_dir: {self.home}/plugins")

    table = {
        "scripts/run": script,
        "scripts/test": script,
        "curl -s http://127.0.0.1:3001/v1/generate/": one_curl,
        '{"status":': the_story,
        "curl -si": queue_one,
        "curl -s 'http://127.0.0.1:3001/v1/jobs/": poll_it,
        "stepper jobs list": jobs_verbs,
        "stepper jobs retry": retry_all,
        "# providers.yaml": Page.check_yaml,
        "  - name: oracle": Page.check_list,
        "stepper check": check_verb,
        "stepper provider test": try_keys,
        "stepper serve": serve_verb,
        "stepper generate": generate_verb,
        "docker build -t stepper .": DOCKER,
        "docker run --read-only --user 12345:0 -v stepper:/var/lib/stepper -p 3001:3001 "
        "-e GEMINI_API_KEY -e STEPPER_API_KEY stepper": DOCKER,
        "    limits:": keys_yaml,
        "stepper reload": admin_verb,
        "stepper plugin list": list_plugins,
        "curl -s http://127.0.0.1:3001/admin/config": admin_config,
        "stepper plugin new": new_plugin,
        "(cd my-provider": build_plugin,
        "cp ": drop_in,
        "cat >> providers.yaml": name_it,
        "plugins: {": further_means,
    }

    def rows(self, heading):
        """The first cells of the table below that heading, as the texts in code that they hold."""
        part = text_of(self.page).split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
        cells = [line.split("|")[1] for line in part.splitlines() if line.startswith("| `")]
        self.assertTrue(cells, heading)
        return [word for cell in cells for word in re.findall(r"`([^`]+)`", cell)]

    def test_every_endpoint_that_shows_something_is_there(self):
        self.serve()
        for shown in self.rows("What it shows"):
            method, path = shown.split()
            answer = call(method, self.server.url + path)
            self.assertEqual((answer.status, bool(answer.raw)), (200, True), shown)
        answer = self.generate(self.server, {"prompt": "x", "preferredProviders": ["local"]})
        header, value = re.search(r"`(RateLimit): ([^`]+)`", text_of(self.page)).groups()
        self.assertRegex(answer.headers[header], re.sub(r"\d+", r"\\d+", value))
        named = set(re.findall(r"`(GET|POST|DELETE)\s(/[\w/]*)", text_of(self.page)))
        self.assertIn(("GET", "/"), named)
        for method, path in sorted(named):
            if path.startswith("/admin") or re.search("[A-Z]", path):  # needs a key, or is of one job or file
                continue
            answer = call(method, self.server.url + path, {} if method == "POST" else None)
            self.assertNotIn(answer.status, (401, 404, 405), f"{method} {path}")

    SAMPLES = {
        "prompt": {"template": "About {{ payload.a.0.b }}, {{ variables.x }}, {{ metadata.y }}", "instructions": "Be brief.",
                   "payload": {"a": [{"b": 1}]}, "variables": {"x": 2}},
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "{{ payload.a }}"}],
        "system": "Be brief.", "payload": {"a": 1}, "metadata": {"y": 3}, "responseMode": "text",
        "outputSchema": {"kind": "http-json", "requiredKeys": ["product"], "properties": {"product": {"type": "string"}},
                         "allowAdditionalKeys": True},
        "temperature": 0.5, "model": "llama3.2", "maxOutputTokens": 100, "maxDurationSeconds": 20, "preferredProviders": ["local"],
        "excludeProviders": ["local"], "plan": "cheapest-first", "tenantId": "shop", "cacheKey": "c", "cacheControl": "no-cache",
        "priority": 1, "delaySeconds": 1, "runAt": (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat(), "requestId": "r-1", "contractVersion": "1", "strict": True,
        "items": [{"id": "a", "request": {"prompt": "x"}}], "concurrency": 2,
    }
    # What a member does not count without; else it is beside a prompt.
    BESIDE = {"prompt": {"metadata": {"y": 3}}, "messages": {"payload": {"a": 1}}, "payload": {"messages": SAMPLES["messages"]},
              "metadata": {"prompt": SAMPLES["prompt"]}}

    def test_every_member_of_a_request_counts(self):
        """`strict` makes every warning, of an unknown member too, a 400."""
        self.serve()
        members = self.rows("What a request may say")
        self.assertIn("prompt", members)
        for member in members:
            self.assertIn(member, self.SAMPLES, "give it a sample")
            beside = self.BESIDE.get(member, {"prompt": "x"})
            body = {"strict": True, "tenantId": f"for {member}", **beside, member: self.SAMPLES[member]}
            queued = self.post(self.server, body)
            self.assertEqual(queued.status, 202, queued.raw)
            if member not in ("cacheKey", "priority", "runAt", "delaySeconds"):
                answer = self.generate(self.server, body)
                self.assertEqual(answer.status, 200, answer.raw)
        refused = self.generate(self.server, {"prompt": "x", "strict": True, "max_tokens": 1})
        self.assertEqual((refused.status, b"unknown member" in refused.raw), (400, True), refused.raw)

    def test_every_member_of_a_batch_counts(self):
        self.serve()
        said = re.search(r"`POST /v1/generate/batch` takes `\{\"(items)\".*?and for all of them\n(.*?)\.", text_of(self.page), re.S)
        members = [said.group(1), *re.findall(r"`(\w+)`", said.group(2))]
        self.assertGreater(len(members), 3)
        self.assertIn("runAt", members)  # which is said in place of delaySeconds
        body = {member: self.SAMPLES[member] for member in members if member != "runAt"}
        answer = self.post(self.server, body, "/v1/generate/batch")
        self.assertEqual((answer.status, answer.json.get("warnings")), (202, None), answer.raw)


class Contributing(Page, Case):
    page = "CONTRIBUTING.md"

    def presets(self, command):
        """Takes minutes; but what it names is there."""
        named = json.loads((ROOT / "CMakePresets.json").read_text(encoding="utf-8"))
        for kind, begin in (("configurePresets", "cmake"), ("buildPresets", "cmake --build"), ("testPresets", "ctest")):
            preset = re.search(rf"(?:^|&& ){begin} --preset (\w+)", command).group(1)
            self.assertIn(preset, [p["name"] for p in named[kind]])

    table = {
        "scripts/build": MINUTES,
        "scripts/test": MINUTES,
        "scripts/lint": Listed("tells of this tree, not of the program; and takes packages of its own"),
        "cmake --preset": presets,
        "scripts/bench compare main": MINUTES,
        "scripts/soak": MINUTES,
    }


class Sdk(Page, Case):
    page = "sdk/README.md"

    def setUp(self):
        super().setUp()
        shutil.copytree(ROOT / "sdk", self.home / "sdk")
        self.env["MY_KEY"] = "k"

    def install(self, command):
        self.sh(command)
        self.assertTrue((self.home / "stepper-sdk/include/stepper/plugin_abi.h").exists())

    def plain(self, command):
        self.sh(command)

    def run_tests(self, command):
        self.assertIn("100% tests passed", self.sh(command))

    def try_it(self, command):
        self.assertIn("Coffee beans", self.sh(command, {"=URL": "=" + self.simulator.base_url("one")}))

    def drop_in(self, command):
        server = self.start_one()
        self.sh(command, {".../plugins/": f"{self.folder}/plugins/"})
        self.await_taken("my-provider", server)

    def transcript(self, block):
        self.check_transcript(block, 'config {"base_url":"https://api.example/v1","model":"m-1"}\n\n')

    table = {
        "START -> SEND(request)        HEAD, DATA..., END -> emit text, DONE         or FAIL(class, retry_after)":
            Listed("a picture"),
        "cmake -S sdk": install,
        "stepper plugin new": plain,
        "cmake -B build": plain,
        "ctest": run_tests,
        "stepper plugin try": try_it,
        "cp ": drop_in,
        "case ": transcript,
    }


class Template(Page, Case):
    """With the project that `stepper plugin new` makes of it."""
    page = "sdk/template/README.md"

    def setUp(self):
        super().setUp()
        self.env.update(MY_KEY="k", CMAKE_PREFIX_PATH=str(self.home / "stepper-sdk"))

    def build(self, command):
        shutil.copytree(ROOT / "sdk", self.home / "sdk")
        self.sh(next(unit for unit in units_of("sdk/README.md") if unit.startswith("cmake -S sdk")))
        self.sh("stepper plugin new mine && cd mine")
        self.sh(command)

    def plain(self, command):
        self.sh(command.replace("@NAME@", "mine"))

    def try_it(self, command):
        base_url = self.simulator.base_url("one")
        self.assertIn("Coffee beans", self.sh(command, {"@NAME@": "mine", "https://api.example/v1": base_url}))

    def drop_in(self, command):
        self.server = self.start_one()
        self.sh(command, {"@NAME@": "mine", ".../plugins/": f"{self.folder}/plugins/"})
        self.await_taken("mine", self.server)

    def list_them(self, command):
        self.env["PORT"] = str(self.server.port)
        self.assertRegex(self.sh(command, {".../stepper.yaml": f"{self.folder}/stepper.yaml"}), r"(?m)^mine .* (live|probation) ")

    def provider_yaml(self, block):
        self.check_yaml("providers:\n" + block.replace("@NAME@", "mine"), f"plugins_dir: {self.folder}/plugins")

    table = {
        "cmake -B build": build,
        "ctest": plain,
        "stepper plugin test": plain,
        "stepper plugin try": try_it,
        "cp ": drop_in,
        "stepper plugin list": list_them,
        "  - name: @NAME@": provider_yaml,
    }


class Transcripts(Page, Case):
    page = "tests/transcripts/README.md"

    table = {"config {": Page.check_transcript}


class ProviderSim(Page, Case):
    page = "tools/provider-sim/README.md"

    def synopsis(self, block):
        command, said = block.splitlines()
        (self.folder / "FILE.json").write_text(self.unit('{"instances"'))
        words = [SIMULATOR, *re.sub(r"[\[\]]", "", command).replace("FILE.json", f"{self.folder}/FILE.json").split()[1:]]
        self.scripted = Server(words)
        self.addCleanup(self.scripted.stop)
        self.assertRegex(said, r"^provider-sim: listening on http://127.0.0.1:\d+  ")

    def behaviours(self, url):
        return {name: call("GET", f"{url}/_sim/p/{name}").json["behaviour"] for name in ("gemini", "cohere", "openai")}

    def set_one(self, command):
        self.env["SIM"] = self.simulator.url
        self.sh(command.replace("curl", "curl -fsS"))

    def the_same(self, block):
        self.assertEqual(self.behaviours(self.scripted.url), self.behaviours(self.simulator.url))
        for name, plugin, status in (("gemini", "gemini", 429), ("cohere", "cohere", 503), ("openai", "openai-compatible", 200)):
            path = {"gemini": "/v1beta/models/m:generateContent", "cohere": "/v2/chat"}.get(name, "/chat/completions")
            body = {"model": "m", "messages": [{"role": "user", "content": "x"}], "contents": [{"parts": [{"text": "x"}]}]}
            self.assertEqual(call("POST", self.simulator.base_url(name, plugin) + path, body).status, status, name)

    table = {
        "provider-sim [": synopsis,
        "curl -X PUT $SIM/_sim/p/": set_one,
        '{"instances"': the_same,
    }


def plugin_page(kind):
    """The page of a plugin that comes with Stepper: its blocks are providers."""
    members = {"page": f"plugins/{kind}/README.md", "table": {"- name: ": Page.check_list}}
    return type(f"Page_{kind}", (Page, Case), members)


Anthropic, Cohere, Gemini, HfSpace, HttpTemplate, OpenAiCompatible = map(
    plugin_page, ("anthropic", "cohere", "gemini", "hfspace", "http-template", "openai-compatible"))


class Migrate(Page, Case):
    page = "docs/migrate.md"

    def setUp(self):
        super().setUp()
        (self.home / "config").mkdir()
        shutil.copy(ROOT / "config" / "providers.yaml", self.home / "config")
        compat = (ROOT / "config" / "compat.yaml").read_text(encoding="utf-8")
        (self.home / "config" / "compat.yaml").write_text(f"plugins_dir: {PLUGINS}\n{compat}")
        variables = {"HOST": "127.0.0.1", "PORT": "0", "QUEUE_NAME": "stepper-single", "OPENAI_ENABLED": "true",
                     "OPENAI_API_KEY": "k", "OPENAI_BASE_URL": self.simulator.base_url("openai")}
        (self.home / ".env").write_text("".join(f"{name}={value}\n" for name, value in variables.items()))

    def take_over(self, command):
        server = self.launch(["bash", "-c", f"cd '{self.home}'; exec {without_comment(command)}"], self.env)
        self.assertIn("variable QUEUE_NAME is set", self.log_text())
        self.assertEqual(self.generate(server, {"prompt": "x"}).json["metadata"]["provider"], "openai")
        self.check_stopped(server)  # the next one has the same store

    table = {"stepper serve": take_over}


class EveryPage(unittest.TestCase):
    def test_every_page_with_a_block_is_walked(self):
        walked = {case.page for case in globals().values() if isinstance(case, type) and issubclass(case, Page) and case.page}
        self.assertEqual({page for page in pages() if "```" in text_of(page)}, walked)

    def test_a_command_is_taken_with_all_of_its_lines(self):
        commands = ["a 'b\nc' # d", "cat <<E\ntext\nE", "one &&\n two", "x \\\n y", "last"]
        self.assertEqual(commands_of("# why\n\n" + "\n".join(commands) + "\n"), commands)

    def test_every_fence_is_read(self):
        for page in pages():
            text = text_of(page)
            self.assertEqual(text.count("```"), 2 * len(FENCE.findall(text)), page)

    def test_verbs_and_options_that_are_named_exist(self):
        named = {code for page in pages() for code in re.findall(r"`(stepper [a-z][^`]*)`", text_of(page))}
        self.assertGreater(len(named), 5)
        for code in sorted(named):
            verbs = re.match(r"stepper((?: [a-z]+)+)", code).group(1).split()
            told = run_stepper(*verbs, "--help")
            self.assertEqual(told.returncode, 0, code + told.stderr)
            for option in re.findall(r"--[a-z-]+", code):
                self.assertIn(option, told.stdout, code)

    def test_scripts_and_options_that_are_named_exist(self):
        named = {found for page in pages() for found in re.findall(r"\b(scripts/[a-z]+)\b([^`\n#]*)", text_of(page))}
        for script, rest in sorted(named):
            self.assertTrue(os.access(ROOT / script, os.X_OK), script)
            told = help_of(script)
            for option in re.findall(r"(?<= |\[)--[a-z]+", rest):
                self.assertIn(option, told, script)


if __name__ == "__main__":
    unittest.main()
