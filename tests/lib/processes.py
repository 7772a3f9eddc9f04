"""What /proc tells of a process."""
import os
import re
from pathlib import Path


def stat_of(pid):
    """Parent and state of a process; None when there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    except OSError:
        return None
    return int(fields[1]), fields[0]


def children(pid):
    """Also those that have ended and are not waited for yet."""
    ids = (int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit())
    return [p for p in ids if (stat_of(p) or (0, ""))[0] == pid]


def is_running(pid):
    return (stat_of(pid) or (0, "Z"))[1] != "Z"


def descriptors(pid):
    """The numbers of those that are open."""
    return [int(fd) for fd in os.listdir(f"/proc/{pid}/fd")]


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def mib_of(pid, what="VmRSS"):
    return int(re.search(rf"{what}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(encoding="utf-8")).group(1)) / 1024
