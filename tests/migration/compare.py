"""What two servers answered to the same request, side by side. Pure: no server, no clock, no file."""
import json
import re
from typing import NamedTuple

NONE = "-"  # where one side has nothing

# Framing and the moment: no client takes them for the answer.
UNTOLD_HEADERS = {"date", "connection", "keep-alive", "content-length", "transfer-encoding"}
# What has another value each time.
PASSING = re.compile(r"\.(jobId|id|statusUrl|timestamp|lastChecked|requestId|totalMs|providerMs|durationMs"
                     r"|etag|x-request-id|ratelimit-reset|location)$")


class Seen(NamedTuple):
    """An answer: `headers` by name in small letters."""
    status: int
    headers: dict
    raw: bytes


class Difference(NamedTuple):
    """At `where` (status, header.NAME, body.MEMBER...) the package has one thing and Stepper another, both as text."""
    where: str
    package: str
    stepper: str

    def __str__(self):
        return f"{self.where}: {self.package} -> {self.stepper}"


def leaves(value, at):
    """Places and values of all that is in there; an empty container is a value, too."""
    if isinstance(value, (dict, list)) and value:
        for key, inside in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inside, f"{at}.{key}")
    else:
        yield at, value


def kind(value):
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, (int, float)):
        return "number"
    return {str: "string", dict: "object", list: "array"}[type(value)]


def told(at, value):
    return kind(value) if PASSING.search(at) else json.dumps(value, ensure_ascii=False)


def samples(text):
    """The series of an exposition and their values; of what is measured in time only that it is there. What has Stepper's
    name before it has no counterpart."""
    for line in text.splitlines():
        if line and not line.startswith(("#", "stepper_")):
            series, value = line.rsplit(" ", 1)
            name, labels = re.fullmatch(r"([^{]+)\{?(.*?)\}?", series).groups()
            in_order = ",".join(sorted(re.findall('[a-z_]+="[^"]*"', labels)))
            timed = name.endswith(("_sum", "_bucket"))
            yield f"{name}{{{in_order}}}", "timed" if timed else float(value)


def body(seen):
    """The places of a body with what is there as text."""
    if not seen.raw:
        return {}
    if "json" in seen.headers.get("content-type", ""):
        return {at: told(at, value) for at, value in leaves(json.loads(seen.raw), "body")}
    text = seen.raw.decode(errors="replace")
    if text.startswith("#"):
        return {f"metric.{series}": str(value) for series, value in samples(text)}
    return {"body": "a page" if text.startswith("<") else json.dumps(text)}


def places(seen):
    headers = {f"header.{name}": kind(value) if PASSING.search("." + name) else value
               for name, value in seen.headers.items() if name not in UNTOLD_HEADERS}
    return {"status": str(seen.status), **headers, **body(seen)}


def differences(package, stepper):
    """Of two answers, in the order of the package's places. What Stepper adds to a body is told by its kind only; of answers
    with different statuses the bodies have nothing in common but `error` and `errorCode`."""
    theirs, ours = places(package), places(stepper)
    same_status = package.status == stepper.status

    def matters(at):
        return same_status or at in ("body.error", "body.errorCode") or not at.startswith(("body", "metric"))

    def added(at):
        is_scalar = at.startswith("body") and ours[at][0] in '"-0123456789'
        return kind(json.loads(ours[at])) if is_scalar else ours[at]

    def pair(at):
        return (theirs[at], ours.get(at, NONE)) if at in theirs else (NONE, added(at))

    found = [Difference(at, *pair(at)) for at in dict.fromkeys([*theirs, *ours]) if matters(at)]
    return [d for d in found if d.package != d.stepper]
