"""Whether a revision is worse than another, from rounds in which both were measured. Pure: numbers in, numbers out.

A round has one measurement of the new revision and two of the old one, taken side by side, so that what the machine did meanwhile
is in all three. Less is better in every figure.
"""
import random
import statistics
from dataclasses import dataclass

LEAST = 0.05  # a smaller change is not told from none
DRAWS = 1000


@dataclass(frozen=True)
class Verdict:
    old: float      # medians over the rounds
    new: float
    ratio: float    # median of new over old, each of one round
    spread: float   # how far the old revision strays from itself
    word: str       # "worse", "better" or "same"


def ratio(new, first, second):
    return statistics.median(n / ((a + b) / 2) for n, a, b in zip(new, first, second, strict=True))


def spread(first, second):
    """How far from 1 the ratio of the old revision to itself strays by chance: of all medians that as many rounds could have
    given, drawn from these, with either of the two as the new one, 99 of 100 are no further away. As a fraction."""
    apart = [max(a, b) / min(a, b) for a, b in zip(first, second, strict=True)]
    chance = random.Random(0)  # the same numbers have the same spread
    medians = (statistics.median(r if chance.random() < 0.5 else 1 / r for r in chance.choices(apart, k=len(apart)))
               for _ in range(DRAWS))
    return sorted(max(m, 1 / m) - 1 for m in medians)[DRAWS * 99 // 100]


def word(found, limit):
    """Twice as quick and half as quick are equally far from the same."""
    if found > 1 + limit:
        return "worse"
    return "better" if found < 1 / (1 + limit) else "same"


def judge(new, first, second):
    """The lists hold one measurement per round, at least two, all above 0."""
    found, strays = ratio(new, first, second), spread(first, second)
    return Verdict(statistics.median(first + second), statistics.median(new), found, strays, word(found, max(LEAST, strays)))
