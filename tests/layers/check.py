"""Each folder of core/ uses those it names in its CMakeLists, all of them and no others, and those lie below it. What
counts is what its own files include and which namespaces they speak of. Plugins and the SDK use none."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "core"
# What strings and comments say is not used; an include's path is kept.
PROSE = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|(?<!#include )"(?:\\.|[^"\\\n])*"', re.S)


def layers():
    return re.findall(r"add_subdirectory\((\w+)\)", (CORE / "CMakeLists.txt").read_text())


def declared(folder):
    text = (CORE / folder / "CMakeLists.txt").read_text()
    library = re.search(r"stepper_library\(" + folder + r"\b(.*?)\)", text, re.S)
    words = re.search(r"\bDEPS\b([\w\s-]*?)(?:\bLINK\b|$)", library.group(1))
    return set(words.group(1).split()) if words else set()


def used(path, folders):
    code = PROSE.sub(" ", path.read_text(errors="replace"))
    included = re.findall(r'#include "core/(\w+)/', code)
    spoken = re.findall(r"(?<![\w:])(?:stepper::)?(\w+)::", code)
    return (set(included) | set(spoken)) & folders


def sources(folder):
    return [p for p in folder.rglob("*") if p.suffix in (".h", ".hpp", ".cpp", ".c")]


def problems():
    order = layers()
    for rank, folder in enumerate(order):
        named, needed = declared(folder), {}
        for path in sources(CORE / folder):
            for one in used(path, set(order)) - {folder}:
                needed.setdefault(one, path.relative_to(ROOT))
        for one in sorted(named):
            if order.index(one) > rank:
                yield f"core/{folder} depends on {one}, which lies above it"
            if one not in needed:
                yield f"core/{folder} names {one} among its DEPS and does not use it"
        for one in sorted(set(needed) - named):
            yield f"{needed[one]} uses core/{one}, which core/{folder} does not name among its DEPS"
    for outside in ("plugins", "sdk"):
        for path in sources(ROOT / outside):
            if used(path, set(order)) & set(re.findall(r'#include "core/(\w+)/', path.read_text(errors="replace"))):
                yield f"{path.relative_to(ROOT)} includes the host"


def main():
    found = list(problems())
    print("\n".join(found) or f"{len(layers())} layers, every arrow points down")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
