"""Starts Stepper, sends it this repository's last commit, prints the report and what was tried. See scripts/run."""
import json
import os
import shutil
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

from child import Server, StartError, call

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / "build" / "release" / "bin"
REQUEST_SECONDS = 150

# Without a key the simulator plays three providers of the catalogue; the first two misbehave, to show the chain at work.
SIMULATED = {
    "gemini": ("GEMINI", "/p/gemini", {"steps": [{"status": 429, "retry_after": "7"}], "then": "repeat"}),
    "groq": ("GROQ", "/p/groq/v1", {"steps": [{"status": 503}], "then": "repeat"}),
    "cerebras": ("CEREBRAS", "/p/cerebras/v1", {}),
}


def style(code, text):
    return f"\033[{code}m{text}\033[0m" if sys.stdout.isatty() else text


def bold(text):
    return style("1", text)


def dim(text):
    return style("2", text)


def has_provider(env):
    """Whether the built-in catalogue has a provider that is on in this environment."""
    out = subprocess.run([BIN / "stepper", "check"], env=env, capture_output=True, text=True)
    return any(line.startswith("enabled") for line in out.stdout.splitlines())


def simulated_environment(env, simulator):
    env = dict(env)
    for name, (prefix, path, behaviour) in SIMULATED.items():
        call("PUT", f"{simulator.url}/_sim/p/{name}", behaviour)
        env[f"{prefix}_BASE_URL"] = simulator.url + path
        env[f"{prefix}_API_KEY"] = "simulated"
    return env


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


def start_stepper(env):
    port = int(env.get("PORT", "3001"))
    if not port_is_free(port):
        print(f"Port {port} is taken; using a free one. PORT=NUMBER chooses.")
        port = 0
    log_path = ROOT / "build" / "release" / "stepper.log"
    with open(log_path, "w", encoding="utf-8") as log:
        try:
            server = Server([BIN / "stepper", "serve", "--listen", f"127.0.0.1:{port}"], env, log)
        except StartError as error:
            raise SystemExit(f"{error}:\n{log_path.read_text(encoding='utf-8')}") from None
    print(f"Stepper listens on {server.url}; its log is {log_path.relative_to(ROOT)}.")
    return server


def report_on_last_commit(server, simulated):
    commit = last_commit()
    print(f"Asking for a report on {commit['repo']} {commit['commitSha'][:10]} ...")
    response = call("POST", server.url + "/v1/reports/immediate", commit, timeout=REQUEST_SECONDS)
    answer = response.json
    if response.status != 200:
        print(json.dumps(answer, indent=2))
        raise SystemExit(f"The request failed with HTTP {response.status}.")
    if simulated:
        print("\n" + bold("This answer is SIMULATED.") + " No provider key was found in the environment, so the provider simulator")
        print("answered with canned text. Set one, such as GEMINI_API_KEY, for a report on the commit itself.")
    print_report(answer["data"])
    print_story(answer["metadata"])


def main():
    once = "--once" in sys.argv[1:]
    env = dict(os.environ)
    simulator = None if has_provider(env) else Server([BIN / "provider-sim", "--listen", "127.0.0.1:0"])
    server = None
    try:
        if simulator:
            env = simulated_environment(env, simulator)
        server = start_stepper(env)
        report_on_last_commit(server, simulator is not None)
        if not once:
            print("\nStill serving; Ctrl-C stops. Try:")
            print(f"""  curl -s {server.url}/v1/generate/immediate -H 'Content-Type: application/json' \\
    -d '{{"prompt":"Name three uses of a queue, as a JSON array."}}'""")
            server.process.wait()
    except KeyboardInterrupt:
        print()
    finally:
        for child in (server, simulator):
            if child:
                child.stop()


if __name__ == "__main__":
    main()
