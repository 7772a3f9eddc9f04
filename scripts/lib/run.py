"""Builds and starts Stepper, sends it this repository's last commit, prints the report and what was tried. See scripts/run.

Keeps its store, its log and the demonstration's files in var/ of the working folder. STEPPER_BUILD names a build to run
instead of building.
"""
import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

from child import Server, StartError, call

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("STEPPER_BUILD", ROOT / "build" / "release")).resolve()
BIN = BUILD / "bin"
VAR = Path("var")
REQUEST_SECONDS = 150
PATIENCE_SECONDS = 1

# Who answers without a key: base URL and behaviour. The first two misbehave, to show the chain at work. Their names are not the
# catalogue's: what they answer and use up must never pass for a real provider's.
DEMO = [
    ("demo-gemini", "gemini", "", {"steps": [{"status": 429, "retry_after": "7"}], "then": "repeat"}),
    ("demo-groq", "openai-compatible", "/v1", {"steps": [{"status": 503}], "then": "repeat"}),
    ("demo-cerebras", "openai-compatible", "/v1", {}),
]


def style(code, text):
    return f"\033[{code}m{text}\033[0m" if sys.stdout.isatty() else text


def bold(text):
    return style("1", text)


def dim(text):
    return style("2", text)


def say(text):
    print(text, flush=True)


@contextlib.contextmanager
def told(what):
    """Says what is waited for when that takes a moment."""
    timer = threading.Timer(PATIENCE_SECONDS, say, [f"Waiting for {what} ..."])
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def build():
    """In a process group of its own, so that whoever ends this script ends the compilers, too."""
    builder = subprocess.Popen([ROOT / "scripts" / "build", "release"], stdout=sys.stderr, process_group=0)
    try:
        status = builder.wait()
    except BaseException:
        os.killpg(builder.pid, signal.SIGTERM)
        builder.wait()
        raise
    if status:
        raise SystemExit(f"Stepper could not be built; see above (exit status {status}).")


def has_provider(env):
    """Whether the configuration has a provider that is on in this environment."""
    with told("a first look at configuration and plugins"):
        out = subprocess.run([BIN / "stepper", "check"], env=env, capture_output=True, text=True)
    if out.returncode:
        raise SystemExit(out.stderr.strip())
    return any(line.startswith("enabled") for line in out.stdout.splitlines())


def own_log(name):
    """var/NAME.log, or var/NAME-2.log and so on while others run: a path and the file, locked and emptied."""
    VAR.mkdir(exist_ok=True)
    for number in range(1, 100):
        path = VAR / (f"{name}-{number}.log" if number > 1 else f"{name}.log")
        log = open(path, "a", encoding="utf-8")
        try:
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.close()
            continue
        log.truncate(0)
        return path, log
    raise SystemExit(f"A hundred logs {VAR}/{name}-N.log are in use; end some of those who write them.")


def demo_config(folder, simulator, port):
    """A configuration in `folder`, whose store begins empty: nothing of it gets into the real one."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    providers = []
    for name, plugin, path, behaviour in DEMO:
        call("PUT", f"{simulator.url}/_sim/p/{name}", behaviour)
        providers.append({"name": name, "plugin": plugin, "base_url": f"{simulator.url}/p/{name}{path}", "model": "simulated",
                          "api_key": "simulated", "concurrency": 64})
    (folder / "providers.yaml").write_text(json.dumps({"providers": providers}, indent=2) + "\n")
    config = {"server": {"listen": f"127.0.0.1:{port}"}, "providers_file": "providers.yaml",
              "store": {"url": "sqlite:stepper.db"}}
    path = folder / "stepper.yaml"
    path.write_text(json.dumps(config, indent=2) + "\n")
    return path


def git(*arguments):
    return subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True, errors="replace").stdout


def last_commit():
    sha = git("rev-parse", "HEAD").strip()
    if not sha:
        raise SystemExit("This folder has no git commit to report on.")
    files = [f for f in git("show", "--format=", "--name-only", sha).splitlines() if f][:2000]
    origin = git("config", "--get", "remote.origin.url").strip().removesuffix(".git")
    return {
        "userId": "local",
        "commitSha": sha,
        "repo": (Path(origin).name or ROOT.name)[:255],
        "message": git("show", "-s", "--format=%B", sha).strip()[:10_000] or "(no message)",
        "files": files or ["(no files)"],
        "components": sorted({f.split("/")[0] for f in files})[:200] or ["repository"],
        "diffSummary": git("show", "--format=", "--stat", "--patch", sha)[:32_000],
    }


def paragraph(title, text):
    print("\n" + bold(title))
    print(textwrap.fill(text, 96, initial_indent="  ", subsequent_indent="  "))


def bullets(title, items):
    if not items:
        return
    print("\n" + bold(title))
    for item in items:
        print(textwrap.fill(item, 96, initial_indent="  - ", subsequent_indent="    "))


def print_report(report):
    width = min(shutil.get_terminal_size().columns, 98)
    print("\n" + "=" * width + "\n" + bold(report["title"]) + "\n" + "=" * width)
    paragraph("Summary", report["summary"])
    bullets("Changes", report["changes"])
    paragraph("Why", report["rationale"])
    paragraph("Impact and tests", report["impact_and_tests"])
    bullets("Next steps", report["next_steps"])
    print("\n" + dim("Tags: " + report["tags"]))


def describe(attempt):
    if "skipped" in attempt:
        text = "skipped: " + attempt["skipped"]
    elif "error" in attempt:
        text = f"{attempt['errorCode']}: {attempt['error']}"
    else:
        text = f"answered in {attempt['durationMs']} ms"
    if "retryAfterSeconds" in attempt:
        text += f" (again in {attempt['retryAfterSeconds']} s)"
    return text


def interrupt(number, _):
    raise SystemExit(128 + number)


def end(children):
    """In order; a further signal ends them at once."""
    def insist(*_):
        for child in children:
            child.process.kill()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, insist)
    with told("Stepper to end its work (again Ctrl-C ends it at once)"):
        for child in children:
            child.stop()


def print_story(metadata):
    print("\n" + bold("What was tried"))
    for attempt in metadata["providersAttempted"]:
        mark = "+" if "durationMs" in attempt else "-"
        print(f"  {mark} {attempt['provider']:<14} {describe(attempt)}")
    who = "no provider: a fallback built from the commit itself" if metadata["fallback"] else metadata["provider"]
    print(f"  Answer by {bold(who)} after {metadata['timings']['totalMs']} ms.")


def port_is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


def choose_port(env):
    port = int(env.get("PORT") or 3001)
    if port_is_free(port):
        return port
    say(f"Port {port} is taken; using a free one. PORT=NUMBER chooses.")
    return 0


def why_not_started(error, log):
    """The sentence it ended with, or all it said."""
    lines = log.read_text(encoding="utf-8").splitlines()
    sentences = [line for line in lines if line.startswith("stepper: ")]
    return sentences[-1] if sentences else "\n".join([f"{error}:", *lines])


def start_stepper(env, simulator):
    """The server and, with a simulator, the configuration of a demonstration, which knows nobody else."""
    port = choose_port(env)
    log_path, log = own_log("demo" if simulator else "stepper")
    arguments, config = ["serve", "--listen", f"127.0.0.1:{port}"], None
    if simulator:
        folder = log_path.with_suffix("")
        config = demo_config(folder, simulator, port)
        arguments += ["--config", config]
        env = {name: value for name, value in env.items() if name != "REDIS_URL"}
    with log, told("Stepper to start"):
        try:
            server = Server([BIN / "stepper", *arguments], env, log, tied=True)
        except StartError as error:
            raise SystemExit(why_not_started(error, log_path)) from None
    say(f"Stepper listens on {server.url}; its log is {log_path}.")
    if simulator:
        say(f"{bold('This is a demonstration.')} No provider has a key here, so the provider simulator plays "
            f"{', '.join(name for name, *_ in DEMO)}.\nTheir configuration and store are in {folder}/, apart from yours.")
    return server, config


def report_on_last_commit(server, simulated):
    with told("git to show the last commit"):
        commit = last_commit()
    say(f"Asking for a report on {commit['repo']} {commit['commitSha'][:10]} ...")
    response = call("POST", server.url + "/v1/reports/immediate", commit, timeout=REQUEST_SECONDS)
    answer = response.json
    if response.status != 200:
        print(json.dumps(answer, indent=2))
        raise SystemExit(f"The request failed with HTTP {response.status}.")
    if simulated:
        print("\n" + bold("This answer is SIMULATED:") + " canned text of the provider simulator. Set a provider's key, such as")
        print("GEMINI_API_KEY, for a report on the commit itself.")
    print_report(answer["data"])
    print_story(answer["metadata"])


def main():
    once = "--once" in sys.argv[1:]
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    env = dict(os.environ)
    children = []
    try:
        if "STEPPER_BUILD" not in env:
            build()
        simulator = None
        if not has_provider(env):
            simulator = Server([BIN / "provider-sim", "--listen", "127.0.0.1:0"], tied=True)
            children.append(simulator)
        server, config = start_stepper(env, simulator)
        children.insert(0, server)
        report_on_last_commit(server, simulator is not None)
        if not once:
            print("\nStill serving; Ctrl-C stops. Try:")
            say(f"""  curl -s {server.url}/v1/generate/immediate -H 'Content-Type: application/json' \\
    -d '{{"prompt":"Name three uses of a queue, as a JSON array."}}'
  {os.path.relpath(BIN / "stepper")} jobs list --server {server.url}{f" --config {config}" if config else ""}""")
            raise SystemExit(f"Stepper ended by itself (exit status {server.process.wait()}).")
    except KeyboardInterrupt:
        print()
    finally:
        end(children)


if __name__ == "__main__":
    main()
