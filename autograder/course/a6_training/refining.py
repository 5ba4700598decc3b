"""Search from coarse to fine."""

import math

import numpy as np

from autograder.battery.classes import Scripted
from autograder.course.a6_training.sampling import LOG, linear, tell
from autograder.course.a6_training.searching import log_draw, points
from autograder.exercise import Case, Exercise
from cs_nn.training.search import coarse_to_fine


def refine_cases(rng):
    def case(ranges, centres, trials, rounds, check=""):
        args = {
            "ranges": ranges,
            "centres": centres,
            "weights": {key: float(w) for key, w in zip(ranges, (2.0, 1.0), strict=False)},
            "height": -1.0,
            "trials": trials,
            "rounds": rounds,
            "seed": int(rng.integers(2**31)),
        }
        words = f"{rounds} round{'s' * (rounds > 1)} of {trials} trials of {' and '.join(ranges)}"
        return Case(words, args, check)

    both = {"rate": (1e-5, 1e-1), "reg": (1e-4, 1e2)}
    return [
        case(both, {"rate": 1e-3, "reg": 0.05}, 100, 3),
        case(both, {"rate": 3e-4, "reg": 30.0}, 40, 4),
        case({"rate": (1e-4, 1.0)}, {"rate": 0.02}, 30, 2),
        case({"rate": (1e-4, 1.0)}, {"rate": 1e3}, 40, 4, "a best on the border"),
        case(both, {"rate": 1e-8, "reg": 0.1}, 60, 4, "a best on the border"),
        case({"rate": (1e-4, 1.0)}, {"rate": 0.76}, 40, 4, "a best on the border"),
        case(both, {"rate": 1e-3, "reg": 0.1}, 25, 1, "one round"),
    ]


def refining(
    *,
    narrow=True,
    space="log",
    clip=True,
    around="best",
    border="first",
    names=True,
    pick=max,
    keep=True,
    first=log_draw,
    share=0.05,
    ends=(True, True),
    of_all=True,
):
    """Coarse to fine with switches for what may go wrong in it."""

    def search(evaluate, ranges, trials, rounds, rng):
        box, results = dict(ranges), []
        for number in range(1, rounds + 1):
            new = [{key: first(*box[key], rng) for key in ranges} for _ in range(trials)]
            new = [(p, evaluate(**p)) for p in new]
            results = results + new if keep else new
            best = pick(results if of_all else new, key=lambda row: row[1])[0]
            if narrow:
                box = {key: shrunk(key, best[key], ranges[key], number) for key in ranges}
        edges = ranges if border == "first" else box
        on_border = [key for key in ranges if near_the_edge(best[key], *edges[key])]
        return (best, results, on_border) if names else (best, results)

    def shrunk(key, centre, limits, number):
        low, high = limits
        number = 1 if narrow == "once" else number
        if around == "middle":
            centre = math.sqrt(low * high)
        if space == "log":
            stretch = (high / low) ** (0.5**number / 2)
            new = centre / stretch, centre * stretch
        else:
            width = (high - low) * 0.5**number / 2
            new = max(centre - width, low / 2), centre + width
        return (max(low, new[0]), min(high, new[1])) if clip else new

    def near_the_edge(value, low, high):
        place = (
            math.log(value / low) / math.log(high / low)
            if border != "linear"
            else (value - low) / (high - low)
        )
        return (ends[0] and place <= share) or (ends[1] and place >= 1 - share)

    return search


def refining_by_tenths(evaluate, ranges, trials, rounds, rng):
    """A window of a third of the decades around the best, shifted inside where it would leave."""
    log_ranges = {key: (np.log10(low), np.log10(high)) for key, (low, high) in ranges.items()}
    window, results = dict(log_ranges), []
    for _ in range(rounds):
        for _ in range(trials):
            point = {key: 10 ** rng.uniform(*window[key]) for key in ranges}
            results.append([point, evaluate(**point)])
        best = results[int(np.argmax([score for _, score in results]))][0]
        for key, (low, high) in log_ranges.items():
            width = (window[key][1] - window[key][0]) / 3
            centre = np.clip(np.log10(best[key]), low + width / 2, high - width / 2)
            window[key] = (centre - width / 2, centre + width / 2)
    names = []
    for key, (low, high) in log_ranges.items():
        place = (np.log10(best[key]) - low) / (high - low)
        if place <= 0.05 or place >= 0.95:
            names.append(key)
    return best, results, names


def refining_by_recursion(evaluate, ranges, trials, rounds, rng):
    def go(box, left, done):
        drawn = points(log_draw)(box, trials, rng)
        done = done + [(p, evaluate(**p)) for p in drawn]
        best, _ = max(done, key=lambda row: row[1])
        if left == 1:
            return best, done
        smaller = {}
        for key, (low, high) in box.items():
            half = (high / low) ** 0.25
            smaller[key] = (
                max(ranges[key][0], best[key] / half), min(ranges[key][1], best[key] * half)
            )  # fmt: skip
        return go(smaller, left - 1, done)

    best, results = go(ranges, rounds, [])
    edge = {key: math.log(best[key] / low) / math.log(high / low) for key, (low, high) in
            ranges.items()}  # fmt: skip
    return best, results, [key for key, place in edge.items() if min(place, 1 - place) < 0.05]


REFINE = Exercise(
    name="coarse_to_fine",
    kind=Scripted("rounds"),
    reference={"coarse_to_fine": coarse_to_fine},
    cases=refine_cases,
    misconceptions=(
        tell(
            "never-narrows",
            refining(narrow=False),
            "Every round searches the whole ranges. Each should look closer around the best so "
            "far.",
            "narrower in each round",
            0.5,
        ),
        tell(
            "narrows-only-once",
            refining(narrow="once"),
            "The search narrows once and then stays as wide. Each round should look closer.",
            "narrower in each round",
            0.3,
        ),
        tell(
            "narrows-around-the-middle",
            refining(around="middle"),
            "The ranges shrink around their middle. They should shrink around the best point.",
            "around the best so far",
            0.4,
        ),
        tell(
            "narrows-around-the-worst",
            refining(pick=min),
            "The search follows the lowest score. Here a higher score is better.",
            "best",
            0.4,
        ),
        tell("uniform-draws", refining(first=linear), LOG, "log-uniform at first", 0.4),
        tell(
            "leaves-the-ranges",
            refining(clip=False),
            "Near an end the search leaves the first ranges. They are the limits of all rounds.",
            "within the first ranges",
            0.2,
        ),
        tell(
            "only-the-last-round-returned",
            refining(keep=False),
            "The results of earlier rounds are lost, and with them perhaps the best point.",
            "number of trials",
            0.3,
        ),
        tell(
            "narrows-in-plain-numbers",
            refining(space="linear"),
            "The ranges shrink in plain numbers. Around a small value such a range still holds "
            "most of the decades below and above it: shrink the logarithm.",
            "narrower in each round",
            0.4,
        ),
        tell(
            "best-of-the-last-round",
            refining(of_all=False),
            "Only the last round is searched for the best point. An earlier one may have been "
            "better.",
            "best",
            0.3,
        ),
        tell(
            "only-the-upper-end",
            refining(ends=(False, True)),
            "A best at the lower end of its range goes unnoticed. Both ends are borders.",
            "names on the border",
            0.2,
        ),
        tell(
            "only-the-lower-end",
            refining(ends=(True, False)),
            "A best at the upper end of its range goes unnoticed. Both ends are borders.",
            "names on the border",
            0.2,
        ),
        tell(
            "border-of-the-last-box",
            refining(border="box"),
            "The border is that of the last, narrowed ranges, where the best nearly always lies "
            "inside. What matters is the border of the first ones.",
            "names on the border",
            0.2,
            ("border-never-reached",),
        ),
        tell(
            "border-in-plain-numbers",
            refining(border="linear"),
            "The distance from the border is measured in plain numbers, so everything but the "
            "largest decade lies on it. Measure in log space.",
            "names on the border",
            0.2,
        ),
        tell(
            "border-never-reached",
            refining(share=0.0),
            "A best point on the border goes unnoticed: within 5 % of an end counts, a random "
            "point never lies on it exactly.",
            "names on the border",
            0.2,
            ("border-of-the-last-box",),
        ),
        tell(
            "names-not-returned",
            refining(names=False),
            "The names of the parameters on the border are not returned. They tell where the "
            "range should be widened.",
            "names on the border",
            0.2,
        ),
    ),
    variants=(refining(), refining_by_tenths, refining_by_recursion),
)

EXERCISES = (REFINE,)
