"""Each folder of core/ includes only folders it names in its CMakeLists, and those lie below it. So do plugins and sdk."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "core"


def layers():
    return re.findall(r"add_subdirectory\((\w+)\)", (CORE / "CMakeLists.txt").read_text())


def declared(folder):
    text = (CORE / folder / "CMakeLists.txt").read_text()
    library = re.search(r"stepper_library\(" + folder + r"\b(.*?)\)", text, re.S)
    words = re.search(r"\bDEPS\b([\w\s-]*?)(?:\bLINK\b|$)", library.group(1))
    return set(words.group(1).split()) if words else set()


def transitive(folder):
    found, todo = set(), list(declared(folder))
    while todo:
        one = todo.pop()
        if one not in found:
            found.add(one)
            todo += declared(one)
    return found


def included(path):
    return set(re.findall(r'#include "core/(\w+)/', path.read_text(errors="replace")))


def sources(folder):
    return [p for p in folder.rglob("*") if p.suffix in (".h", ".hpp", ".cpp", ".c")]


def main():
    order = layers()
    problems = []
    for rank, folder in enumerate(order):
        for lower in declared(folder):
            if order.index(lower) > rank:
                problems.append(f"core/{folder} depends on {lower}, which lies above it")
        allowed = transitive(folder) | {folder}
        for path in sources(CORE / folder):
            for used in included(path) - allowed:
                problems.append(f"{path.relative_to(ROOT)} includes core/{used}, which core/{folder} does not depend on")
    for outside in ("plugins", "sdk"):
        for path in sources(ROOT / outside):
            if included(path):
                problems.append(f"{path.relative_to(ROOT)} includes the host")
    print("\n".join(problems) or f"{len(order)} layers, every arrow points down")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
