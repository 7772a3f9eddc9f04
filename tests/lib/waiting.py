"""How tests wait for what happens elsewhere."""
import time

SHOWN = 2000  # characters of what was seen last


def wait_until(look, seconds=10, what="what it waits for", wanted=None, pause=0.01):
    """Looks again and again until it sees what is `wanted`, or without that anything true, and returns it.

    After so many seconds the test fails, and is told what was seen last. `pause`: seconds between two looks."""
    until = time.monotonic() + seconds
    while True:
        seen = look()
        if seen if wanted is None else seen == wanted:
            return seen
        if time.monotonic() >= until:
            aim = "" if wanted is None else f" instead of {wanted}"
            raise AssertionError(f"not within {seconds} s: {what}; seen last: {str(seen)[:SHOWN]}{aim}")
        time.sleep(pause)
