"""The programs of a build, the simulator's way of being told what to do, and configurations on the fly."""
import json
import os
import subprocess
from pathlib import Path

from .child import Server, call

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("STEPPER_BUILD", ROOT / "build" / "dev")).resolve()
STEPPER = BUILD / "bin" / "stepper"
SIMULATOR = BUILD / "bin" / "provider-sim"
PLUGINS = BUILD / "plugins"
VARIANTS = BUILD / "tests" / "reload" / "plugins"
FAULTS = BUILD / "tests" / "fault"

PATHS = {"openai-compatible": "/v1"}  # of a base URL, by plugin


def clean_environment(**more):
    """Ours without what would configure Stepper: the tests must not depend on a developer's keys."""
    kept = ("PATH", "HOME", "TMPDIR", "LANG", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS")
    return {**{k: v for k, v in os.environ.items() if k in kept}, **more}


def run_stepper(*arguments, env=None, **options):
    """`env` comes on top of a clean environment."""
    return subprocess.run([STEPPER, *map(str, arguments)], env=clean_environment(**(env or {})), capture_output=True, text=True,
                          timeout=120, **options)


def serve_command(*arguments, listen="127.0.0.1:0", build=BUILD):
    return [build / "bin" / "stepper", "serve", *(["--listen", listen] if listen else []), *arguments]


def launch(command, env=None, log=None):
    """The Server of this command. `env` comes on top of a clean environment; `log`: the file its log is added to, else lost."""
    with open(log or os.devnull, "a", encoding="utf-8") as stderr:
        return Server(command, clean_environment(**(env or {})), stderr)


class Simulator(Server):
    def __init__(self, build=BUILD):
        super().__init__([build / "bin" / "provider-sim", "--listen", "127.0.0.1:0"])

    def behave(self, instance, behaviour):
        answer = call("PUT", f"{self.url}/_sim/p/{instance}", behaviour)
        if answer.status >= 300:
            raise AssertionError(f"the simulator refused {behaviour}: {answer.raw}")

    def reset(self):
        """All counters and the log start over."""
        answer = call("POST", f"{self.url}/_sim/reset")
        if answer.status != 200:
            raise AssertionError(f"the simulator was not reset: {answer.raw}")

    def log(self, instance):
        """The requests in the order they came."""
        return call("GET", f"{self.url}/_sim/log?instance={instance}").json

    def counters(self, instance):
        return call("GET", f"{self.url}/_sim/p/{instance}").json["counters"]

    def base_url(self, instance, plugin="openai-compatible"):
        return f"{self.url}/p/{instance}{PATHS.get(plugin, '')}"


def provider(simulator, name, plugin="openai-compatible", instance=None, **more):
    """A provider of the chain that talks to the simulator's instance of that name."""
    return {"name": name, "plugin": plugin, "base_url": simulator.base_url(instance or name, plugin), "model": "m-1",
            "api_key": "k-test", "concurrency": 64, **more}


def write_config(folder, providers, settings=None, defaults=None, build=BUILD):
    """stepper.yaml, whose path is returned, and providers.yaml: in this folder, where the store is, too. JSON is YAML."""
    (folder / "providers.yaml").write_text(json.dumps({**({"defaults": defaults} if defaults else {}), "providers": providers}))
    path = folder / "stepper.yaml"
    path.write_text(json.dumps({"providers_file": "providers.yaml", "plugins_dir": str(build / "plugins"), "log": {"format": "json"},
                                "store": {"url": f"sqlite:{folder}/stepper.db"}, **(settings or {})}))
    return path


def link_plugins(folder, *names):
    """Only these in a plugins folder: every plugin is tried in a process of its own before it is loaded."""
    folder.mkdir(exist_ok=True)
    for name in names:
        if not (folder / f"{name}.so").exists():
            (folder / f"{name}.so").symlink_to(PLUGINS / f"{name}.so")
    return folder


def replace(path, content):
    """As an installer does: written beside, then renamed over."""
    draft = path.with_name(f".{path.name}.new")
    draft.write_bytes(content if isinstance(content, bytes) else content.encode())
    draft.chmod(0o644)
    draft.rename(path)


def echo(token, filler=0):
    """A prompt that is known by its token wherever it goes, and whose answer is {"echo": token}."""
    return f"Repeat {token}. {'word ' * (filler // 5)}ECHO:{json.dumps({'echo': token})}:ECHO"
