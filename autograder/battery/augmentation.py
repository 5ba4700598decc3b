"""Augmentations: what became of each image, and how the draws are spread; never which draws."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.battery.chance import LIMIT, evenly, fraction
from autograder.battery.classes import TOLD, script
from autograder.battery.compare import as_array, same, shape_text
from autograder.battery.kind import Observed, Said, arguments
from autograder.exercise import Case
from autograder.student import Student
from autograder.values import Raised, Seed, Value

FOR_ITSELF = "each image for itself"
ALL_ALIKE = "one draw for all images"
NOTHING = "nothing is drawn"
FIXED = "always the same number of images"
ONE_DRAW = "one draw for several things"
NEVER = "the same draws whatever rng says"


class Batch:
    """One exercise's images and the way to its function."""

    def __init__(self, name: str, student: Student, case: Case, seen: Observed) -> None:
        self.name, self.student, self.seen = name, student, seen
        self.given = arguments(case)
        self.settings: dict[str, Value] = dict(self.given["settings"])
        self.seed = int(self.given["seed"])
        self.dtype = np.dtype(self.given.get("dtype", "float64"))

    def images(self, *shape: int) -> np.ndarray:
        """Random images without zeros, no two pixels alike."""
        rng = np.random.default_rng(self.seed)
        return (rng.uniform(0.5, 2.5, shape) * rng.choice([-1, 1], shape)).astype(self.dtype)

    def ask(self, images: np.ndarray, rng: Any = None, **settings: Value) -> Value:
        """The function's answer, with the case's settings unless others are given."""
        rng = Seed(self.seed) if rng is None else rng
        chosen = self.settings | settings
        reply = self.student.call(self.name, images, rng, names=("images", "rng"), **chosen)
        return self.seen.note(reply).value

    def use_of_rng(self, images: np.ndarray) -> Value:
        """Whether the draws follow the generator that is handed over.

        One draw for all images may repeat itself by chance, so that many seeds are tried before
        it is said that nothing changes.
        """
        first, again = self.ask(images), self.ask(images)
        for value in (first, again):
            if isinstance(value, Raised):
                return value
        if not same(first, again, 1e-9):
            return "another answer for the same state of rng"
        if all(same(first, self.ask(images, Seed(self.seed + k)), 1e-9) for k in range(1, 65)):
            return NEVER
        held = self.student.hold(Seed(self.seed))
        one = self.ask(images, held)
        if all(same(one, self.ask(images, held), 1e-9) for _ in range(64)):
            return "the same draws at every call"
        return "follows rng"

    def often(self, images: np.ndarray, times: int) -> list[np.ndarray]:
        """Many answers for the same images from one generator that moves on."""
        held = self.student.hold(Seed(self.seed))
        answers = [as_array(self.ask(images, held)) for _ in range(times)]
        return [a for a in answers if a is not None and a.shape == images.shape]

    def alike(self, rng: Value) -> tuple[Value, Value]:
        """What to say of draws and rng where all images of a batch were treated alike."""
        return (NOTHING, NOTHING) if rng == NEVER else (ALL_ALIKE, rng)


def misfit(out: Value, shape: tuple[int, ...]) -> Value:
    """What is wrong with the form of an answer, or ``None``."""
    array = as_array(out)
    if isinstance(out, Raised):
        return out
    if array is None or array.shape != shape:
        what = "nothing" if out is None else "no array" if array is None else shape_text(array)
        return Raised("Outputs", f"returns {what}, expected an array of shape {shape}")
    if array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        return Raised("Outputs", "returns something else than finite numbers")
    return None


def fill(seen: Observed, aspects: tuple[str, ...], value: Value) -> Observed:
    """The same trouble for every aspect that is not yet known."""
    for aspect in aspects:
        seen.values.setdefault(aspect, value)
    return seen


@script
def random_flip(name: str, student: Student, case: Case) -> Observed:
    """Each image as it was or mirrored, with probability p."""
    seen = Observed()
    batch = Batch(name, student, case, seen)
    few = batch.images(*batch.given["shape"])
    seen.values["p = 0"] = _flips(batch.ask(few, p=0.0), few, few[..., ::-1])
    seen.values["p = 1"] = _flips(batch.ask(few, p=1.0), few[..., ::-1], few)
    if case.check:
        return seen
    aspects = ("what becomes of an image", "fraction mirrored", "draws", "rng")
    images = batch.images(600, 2, 3, 4)
    out = batch.ask(images)
    if trouble := misfit(out, images.shape):
        return fill(seen, aspects, trouble)
    assert isinstance(out, np.ndarray)
    axes = (1, 2, 3)
    kept = (out == images).all(axis=axes)
    mirrored = (out == images[..., ::-1]).all(axis=axes)
    upside = (out == images[:, :, ::-1]).all(axis=axes)
    word = "something else"
    if (kept | mirrored).all():
        word = "kept or mirrored"
    elif (kept | upside).all():
        word = "kept or turned upside down"
    hits = ~kept
    p = float(batch.settings.get("p", 0.5))
    seen.values[aspects[0]] = word
    rng = batch.use_of_rng(images[:80])
    whole = hits.all() or not hits.any()
    alone, rng = batch.alike(rng) if whole else (independent(hits), rng)
    # One draw for all says nothing of how often.
    seen.values[aspects[1]] = p if alone == ALL_ALIKE else fraction(hits, p, 1 - p, 0.5)
    seen.values[aspects[2]] = alone
    seen.values[aspects[3]] = rng
    if alone == FOR_ITSELF:
        six = images[:6]
        kept = [(a == six).all(axis=axes) for a in batch.often(six, 40)]
        # 40 equal counts come by chance once in 10¹⁸.
        if len({int(k.sum()) for k in kept}) == 1 and any(np.any(k != kept[0]) for k in kept):
            seen.values[aspects[2]] = FIXED
    return seen


def _flips(out: Value, wanted: np.ndarray, other: np.ndarray) -> Value:
    """A word instead of an array in which some images are the other way round."""
    array = as_array(out)
    if array is None or array.shape != wanted.shape or array.dtype != wanted.dtype:
        return out
    right, wrong = ((array == a).all(axis=(1, 2, 3)) for a in (wanted, other))
    if (right | wrong).all() and not right.all() and not wrong.all():
        return "only some images"
    return out


def hang_together(*draws: np.ndarray) -> bool:
    """Whether two series of draws are correlated (Fisher's z of the coefficient)."""
    table = np.corrcoef(draws) - 2 * np.eye(len(draws))
    largest = min(float(np.abs(np.tril(table, -1)).max()), 1 - 1e-12)
    return bool(np.arctanh(largest) * np.sqrt(len(draws[0]) - 3) > LIMIT)


def independent(hits: np.ndarray) -> str:
    """Whether each image has a draw of its own."""
    z = (hits - hits.mean()) / hits.std()
    beside = abs(float(np.sum(z[1:] * z[:-1]))) / np.sqrt(len(z))
    return FOR_ITSELF if beside < LIMIT else "images depend on each other"


@script
def random_crop(name: str, student: Student, case: Case) -> Observed:
    """A window of the padded image, all equally likely."""
    seen = Observed()
    batch = Batch(name, student, case, seen)
    few = batch.images(*batch.given["shape"])
    seen.values["padding = 0"] = batch.ask(few, padding=0)
    if case.check:
        return seen
    aspects = ("what becomes of an image", "windows", "draws", "rng")
    pad = int(batch.settings.get("padding", 4))
    ways = 2 * pad + 1
    images = batch.images(12 * ways * ways, 1, pad + 1, pad + 2)
    out = batch.ask(images)
    if trouble := misfit(out, images.shape):
        return fill(seen, aspects, trouble)
    assert isinstance(out, np.ndarray)
    place, seen.values[aspects[0]] = _windows(images, out, pad)
    counts = np.bincount(place[place >= 0], minlength=ways * ways)
    alike = len(set(place.tolist())) == 1
    word = "all equally likely"
    if not evenly(counts):
        never = counts.size - np.count_nonzero(counts)
        word = f"{never} of {counts.size} never occur" if never else "some likelier than others"
    rng = batch.use_of_rng(images[:40])
    seen.values[aspects[1]] = "all equally likely" if alike else word
    draws = batch.alike(rng) if alike else (FOR_ITSELF, rng)
    seen.values[aspects[2]], seen.values[aspects[3]] = draws
    return seen


BORDERS = {
    "constant": "a window of the image in a border of zeros",
    "edge": "a window in a border of repeated pixels",
    "wrap": "a window with the other side of the image for its border",
    "reflect": "a window in a border of mirrored pixels",
    "symmetric": "a window in a border of mirrored pixels",
}


def _windows(images: np.ndarray, out: np.ndarray, pad: int) -> tuple[np.ndarray, str]:
    """Which window each answer is, counted row by row (−1 for none), and in what border."""
    best = np.full(len(images), -1)
    for mode, word in BORDERS.items():
        place = _find(images, out, pad, mode)
        if (place >= 0).all():
            return place, word
        if mode == "constant":
            best = place
    return best, "something else"


def _find(images: np.ndarray, out: np.ndarray, pad: int, mode: Any) -> np.ndarray:
    height, width = images.shape[2:]
    padded = np.pad(images, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode=mode)
    place = np.full(len(images), -1)
    for top in range(2 * pad + 1):
        for left in range(2 * pad + 1):
            window = padded[:, :, top : top + height, left : left + width]
            hit = (window == out).all(axis=(1, 2, 3))
            place[hit] = top * (2 * pad + 1) + left
    return place


@script
def color_jitter(name: str, student: Student, case: Case) -> Observed:
    """One factor about the image's own mean and one shift for each image."""
    seen = Observed()
    batch = Batch(name, student, case, seen)
    few = batch.images(*batch.given["shape"])
    seen.values["without jitter"] = batch.ask(few, brightness=0.0, contrast=0.0)
    if case.check:
        return seen
    aspects = ("what becomes of an image", "contrast", "brightness", "draws", "rng")
    images = batch.images(400, 2, 3, 4) + np.linspace(-1, 3, 400)[:, None, None, None]
    images = (images + np.array([0.0, 1.5])[None, :, None, None]).astype(batch.dtype)
    out = batch.ask(images)
    if trouble := misfit(out, images.shape):
        return fill(seen, aspects, trouble)
    assert isinstance(out, np.ndarray)
    amounts = [float(batch.settings.get(key, 0.2)) for key in aspects[1:3]]
    word, *found, single = _jitter(images.astype(np.float64), out.astype(np.float64), *amounts)
    rng = batch.use_of_rng(images[:20])
    if found[0] == found[1] == ALL_ALIKE:
        # One factor and one shift: too few to say more.
        seen.values |= dict(zip(aspects, (word, *map(_wanted, amounts)), strict=False))
        seen.values |= dict(zip(aspects[3:], batch.alike(rng), strict=True))
        return seen
    draws = ONE_DRAW if single else FOR_ITSELF
    seen.values |= dict(zip(aspects, (word, *found, draws, rng), strict=True))
    return seen


def _wanted(amount: float) -> str:
    return "as asked" if amount else "none"


def _jitter(
    images: np.ndarray, out: np.ndarray, contrast: float, brightness: float
) -> tuple[str, str, str, bool]:
    """What became of the images, how factors and shifts are spread, and whether one draw made
    both."""
    before, after = images.reshape(len(images), -1), out.reshape(len(out), -1)
    mean = before.mean(axis=1)
    shift, centred = after.mean(axis=1) - mean, before - mean[:, None]
    factor = (centred * after).sum(axis=1) / (centred**2).sum(axis=1)
    rest = after - ((mean + shift)[:, None] + factor[:, None] * centred)
    if np.abs(rest).max() > 1e-4:
        word = "something else"
        if after.min() >= 0 and after.max() <= 1:
            word = "cut off at 0 and 1"
        elif _linear_in_each_channel(images, out):
            word = "each channel for itself"
        return word, word, word, False
    word = "one factor, one shift"
    if max(np.ptp(factor), np.ptp(shift)) < 1e-4:
        return word, ALL_ALIKE, ALL_ALIKE, False
    found = spread(factor - 1, contrast), _brightness(shift, factor, mean, brightness)
    single = found == ("as asked", "as asked") and hang_together(factor, shift)
    return word, *found, single


def _linear_in_each_channel(images: np.ndarray, out: np.ndarray) -> bool:
    before, after = (a.reshape(*a.shape[:2], -1) for a in (images, out))
    x, y = (a - a.mean(axis=2, keepdims=True) for a in (before, after))
    factor = (x * y).sum(axis=2, keepdims=True) / (x * x).sum(axis=2, keepdims=True)
    return bool(np.abs(y - factor * x).max() < 1e-4)


def _brightness(shift: np.ndarray, factor: np.ndarray, mean: np.ndarray, wanted: float) -> str:
    word = spread(shift, wanted)
    if word not in ("goes too far", "not 0"):
        return word
    if wanted and np.abs(shift / mean).max() < wanted + 1e-3:
        return "a factor, not a shift"
    terms = np.stack([(factor - 1) * mean, factor - 1], axis=1)
    (own, common), *_ = np.linalg.lstsq(terms, shift, rcond=None)
    if abs(own - 1) < 0.25:
        about = "0" if abs(common) < 0.3 else "another mean than the image's"
        return f"contrast scales about {about}"
    return word


def spread(
    draws: np.ndarray, wanted: float, slack: float = 1e-4, least: float | None = None
) -> str:
    """Whether draws fill ±wanted; of 60 or more, one surely lies beyond ``least`` (the half)."""
    size = float(np.abs(draws).max())
    if size <= slack:
        return "none"
    if size > wanted + slack:
        return "goes too far" if wanted else "not 0"
    if (draws > -slack).all() or (draws < slack).all():
        return "one-sided"
    return "as asked" if size > (0.5 * wanted if least is None else least) else "too little"


DRAWS: Said = {
    ("draws", ALL_ALIKE): (
        "are shared: all images of a batch are treated alike",
        "draw as many numbers as there are images.",
    ),
    ("draws", NOTHING): ("are not there", "is anything drawn, and does it reach the images?"),
    ("draws", FIXED): (
        "depend on each other: the same number of images is changed at every call",
        "each image needs a coin of its own, so that the number varies; a batch of one image must "
        "be changed sometimes.",
    ),
    ("draws", ONE_DRAW): (
        "are shared by several things: whoever gets much of one gets much of another",
        "draw each quantity by itself.",
    ),
    ("draws", "images depend on each other"): (
        "are not independent: neighbouring images are treated alike",
        "each image needs a draw of its own.",
    ),
    ("rng", NEVER): ("changes nothing", "where do the draws come from?"),
    ("rng", NOTHING): ("is never asked", "is anything drawn?"),
    ("rng", "the same draws at every call"): (
        "does not move on: two calls with the same generator treat the images alike",
        "is it copied, or its state set back?",
    ),
    ("rng", "another answer for the same state of rng"): (
        "gives other images each time it is in the same state",
        "some of the draws come from elsewhere (np.random, a generator of your own).",
    ),
}
TOLD["random_flip"] = DRAWS | {
    ("p = 0", "only some images"): (
        "mirrors some images all the same",
        "with probability 0 none may be. Where does p enter?",
    ),
    ("p = 1", "only some images"): (
        "leaves some images as they are",
        "with probability 1 all must be mirrored. Where does p enter?",
    ),
    ("what becomes of an image", "something else"): (
        "is neither the image nor its mirror image",
        "an image is mirrored as a whole, all channels and rows of it.",
    ),
}
TOLD["random_crop"] = DRAWS | {
    ("what becomes of an image", "something else"): (
        "is no window of the image in a border of zeros",
        "pad the image, and cut a window of its own size out of that, the same for all channels.",
    ),
}
TOLD["color_jitter"] = DRAWS | {
    ("what becomes of an image", "something else"): (
        "is not the image with one factor about its mean and one shift",
        "factor and shift are two numbers for each image, the same for all its pixels.",
    ),
    ("what becomes of an image", "cut off at 0 and 1"): (
        "is cut off at 0 and 1",
        "pixels may have any value here (they may be centred already): do not clip.",
    ),
    **{
        (aspect, word): (fact, ask)
        for aspect in ("contrast", "brightness")
        for word, fact, ask in (
            ("none", "has no effect", "does the draw reach the image?"),
            ("goes too far", f"goes beyond ±{aspect}", "how large may a draw be?"),
            ("too little", f"never comes near ±{aspect}", "are the draws scaled twice?"),
            ("one-sided", "only ever acts in one direction", "draws lie on both sides."),
            ("not 0", "acts although it is 0", "where does the setting enter?"),
        )
    },
    ("brightness", "contrast scales about 0"): (
        "changes with the contrast, which scales about 0",
        "scale the distance from the image's own mean.",
    ),
    ("brightness", "contrast scales about another mean than the image's"): (
        "changes with the contrast, which scales about another number than the image's own mean",
        "over which axes is the mean taken?",
    ),
    ("brightness", "a factor, not a shift"): (
        "multiplies the image",
        "it should be added to every pixel.",
    ),
}  # fmt: skip
