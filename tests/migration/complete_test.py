"""docs/migrate.md tells of everything that the package's code has: routes, members of requests, metrics, variables."""
import re
import unittest

from lib import ROOT
from lib.markdown import tables, unquoted
from lib.node_package import FOLDER, NAME, why_not

DIST = FOLDER / "node_modules" / NAME / "dist"
PAGE = (ROOT / "docs" / "migrate.md").read_text(encoding="utf-8")
# What follows a provider's name in a variable, which the page has as NAME_...
OF_A_PROVIDER = re.compile(r"(?:NVIDIA(?:_LLAMA|_DRACARYS)?|HF_SPACE|GEMINI|COHERE)"
                           r"_(ENABLED|API_KEY|BASE_URL|MODEL|TIMEOUT|RPS|RPM|CONCURRENCY)")


def code(*names):
    return "\n".join((DIST / name).read_text(encoding="utf-8") for name in names)


def all_code():
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(DIST.rglob("*.js")))


def named(title):
    """All that a table has in code, `.x` for what continues the one before."""
    return {name.lstrip(".") for row in tables(PAGE)[title] for name in re.findall("`([^`]*)`", row[0])}


def members(interface):
    """Of an interface of the package's types."""
    body = re.search(rf"interface {interface}\b.*?^}}", code("types.d.ts"), re.M | re.S).group(0)
    return set(re.findall(r"^    (\w+)\??:", body, re.M))


class Complete(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if obstacle := why_not():
            raise unittest.SkipTest(f"the package's code cannot be had here: {obstacle}")

    def has_all(self, found, told, least):
        self.assertGreater(len(found), least)
        self.assertEqual(sorted(found - told), [])

    def test_routes(self):
        routes = {f"{method.upper()} {path}" for method, path in
                  re.findall(r"app\.(get|post|delete|put|patch)\('([^']+)'", code("server/app.js"))}
        self.has_all(routes, {endpoint.split("?")[0] for endpoint in named("Endpoints")}, 12)

    def test_members_of_requests(self):
        told = {name.removeprefix("prompt.").removeprefix("items[].") for name in named("Request fields")}
        for interface in ("StepperRequest", "PromptBuilderInput", "StepperBatchRequest", "StepperBatchItem", "PromptInput"):
            with self.subTest(interface):
                self.has_all(members(interface) - {"items"}, told, 1)

    def test_metrics(self):
        found = {(name, tuple(re.findall(r"'(\w+)'", labels))) for name, labels in
                 re.findall(r"name: '(\w+)',\s+help: '[^']*',(?:\s+labelNames: \[([^\]]*)\])?", code("metrics/metrics.js"))}
        told = {(unquoted(name), tuple(re.findall(r"`(\w+)`", labels))) for name, labels, _ in tables(PAGE)["Metrics"]}
        self.has_all(found, told, 6)
        self.assertEqual(told, found)

    def test_variables(self):
        found = set(re.findall(r"(?:process\.env|environment)\.([A-Z_]+)", all_code()))
        suffixes = set(re.findall(r"\$\{envPrefix\}_([A-Z_]+)", all_code()))
        self.has_all({OF_A_PROVIDER.sub(r"NAME_\1", name) for name in found} | {f"NAME_{suffix}" for suffix in suffixes},
                     set(re.findall(r"`([A-Z_]+)`", PAGE)), 50)


if __name__ == "__main__":
    unittest.main()
