"""Whether a server keeps what it takes. Pure: samples in, sentences out."""
import statistics
from dataclasses import dataclass, fields

GROWN, KEPT = 1.5, 1.3  # resident memory at the end, and after a rest, over that of the beginning
# Threads and descriptors come and go with the clients of the moment.
LEEWAY, SPARE = 1.25, 16


@dataclass(frozen=True)
class Sample:
    at: float           # seconds since the load began
    resident: float     # MiB
    descriptors: int
    threads: int


def window(seconds):
    """How long the beginning, the end and the rest are, of so long a load: a minute each where there is time."""
    return min(60.0, seconds / 2)


def between(samples, first, last):
    """The medians of what was seen then."""
    seen = [s for s in samples if first <= s.at <= last]
    return Sample(*(statistics.median(getattr(s, field.name) for s in seen) for field in fields(Sample)))


def phases(samples, seconds, rested):
    """(first, end, rest). Of the first window its second half, as the server still warms up in the other; of the rest its end."""
    span = window(seconds)
    return (between(samples, span / 2, span), between(samples, seconds - span / 2, seconds),
            between(samples, rested - max(2.0, span / 10), rested))


def complaints(first, end, rest):
    out = []
    for when, seen, most in (("at the end", end, GROWN), ("after the rest", rest, KEPT)):
        if seen.resident > most * first.resident:
            out.append(f"{seen.resident:.1f} MiB are resident {when}, {seen.resident / first.resident:.2f} times the "
                       f"{first.resident:.1f} of the beginning (aim: {most})")
        for what in ("descriptors", "threads"):
            now, then = getattr(seen, what), getattr(first, what)
            if now > LEEWAY * then + SPARE:
                out.append(f"{now:.0f} {what} are open {when}, at the beginning {then:.0f}")
    return out
