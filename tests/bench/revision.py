"""Another revision of this repository, built beside this one."""
import shutil
import subprocess
import sys

from load import ROOT

KEPT = ROOT / "build" / "compare"


def git(*arguments):
    done = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


def commit_of(name):
    return git("rev-parse", "--verify", "--end-of-options", name + "^{commit}")


def check_out(commit, folder):
    """The files alone: a worktree would be one more thing to tidy up in the repository."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    archive = folder / ".tar"
    git("archive", "--format=tar", f"--output={archive}", commit)
    subprocess.run(["tar", "-xf", archive, "-C", folder], check=True)
    archive.unlink()


def build_of(commit):
    """Where the release build of `commit` is. Made once, by the scripts of that revision; kept below build/compare."""
    folder = KEPT / commit
    finished = folder / "build" / "compare-finished"
    if not finished.exists():
        print(f"building {commit[:12]} in {folder.relative_to(ROOT)}", file=sys.stderr, flush=True)
        check_out(commit, folder)
        if subprocess.run([folder / "scripts" / "build", "release"], stdout=sys.stderr).returncode:
            raise SystemExit(f"{commit[:12]} could not be built: see above. Its files are in {folder}.")
        finished.touch()
    return folder / "build" / "release"
