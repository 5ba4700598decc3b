"""Resized crops and affine maps, read off from images whose pixels say where they come from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from autograder.battery.augmentation import (
    DRAWS,
    FOR_ITSELF,
    ONE_DRAW,
    Batch,
    fill,
    hang_together,
    misfit,
    spread,
)
from autograder.battery.classes import TOLD, script
from autograder.battery.kind import Observed, Said
from autograder.exercise import Case
from autograder.student import Student
from autograder.values import Value

OFF_CENTRE = "about a point beside the centre"
INSIDE, OUTSIDE = "the part alone", "pixels outside the part"
WHOLE, BORDER = "the whole image enlarged", "border of the part"


@script
def random_resized_crop(name: str, student: Student, case: Case) -> Observed:
    """Where the crop lies and how large it is, read off from ramps."""
    seen = Observed()
    batch = Batch(name, student, case, seen)
    few = batch.images(*batch.given["shape"])
    seen.values["the whole image"] = batch.ask(few, size=few.shape[2], scale=(1.0, 1.0))
    if case.check:
        return seen
    aspects = ("constant images", "resizing", "area", "position", "draws", "rng", WHOLE, BORDER)
    height, width, size, n = 24, 34, 8, 100
    images = ramps(n, height, width).astype(batch.dtype)
    batch.settings["size"] = size
    out = batch.ask(images)
    if trouble := misfit(out, (n, 3, size, size)):
        return fill(seen, aspects, trouble)
    assert isinstance(out, np.ndarray)
    ones = np.allclose(out[:, 2], 1, atol=1e-5)
    larger = batch.ask(images[:3], size=36, scale=(1.0, 1.0))
    if trouble := misfit(larger, (3, 3, 36, 36)):
        return fill(seen, aspects, trouble)
    assert isinstance(larger, np.ndarray)
    ones &= np.allclose(larger[:, 2], 1, atol=1e-5)
    seen.values[aspects[0]] = "stay constant" if ones else "do not stay constant"
    seen.values[WHOLE] = _places(larger[0, 0].mean(axis=1) - 1, height)
    near = batch.ask(images[:40], size=48)
    if trouble := misfit(near, (40, 3, 48, 48)):
        return fill(seen, aspects, trouble)
    assert isinstance(near, np.ndarray)
    seen.values[BORDER] = _at_the_border(near[:, 0].mean(axis=2) - 1)
    rows, columns = out[:, 0].mean(axis=2) - 1, out[:, 1].mean(axis=1) - 1
    straight = all(np.abs(np.diff(a[:, 1:-1], n=2)).max() < 1e-3 for a in (rows, columns))
    level = np.ptp(out[:, 0], axis=2).max() < 1e-3 and np.ptp(out[:, 1], axis=1).max() < 1e-3
    seen.values[aspects[1]] = "bilinear" if straight and level else "not bilinear"
    steps = [np.diff(a, axis=1).mean(axis=1) for a in (rows, columns)]
    low, high = batch.settings.get("scale", (0.5, 1.0))  # type: ignore[misc]
    seen.values[aspects[2]] = _area(steps, size, (height, width), float(low), float(high))
    seen.values[aspects[3]], places = _position(rows, columns, height, width)
    alike = np.abs(out - out[0]).max() < 1e-4
    rng = batch.use_of_rng(images[:10])
    single = len(places) == 2 and hang_together(*places)
    draws = batch.alike(rng) if alike else (ONE_DRAW if single else FOR_ITSELF, rng)
    seen.values[aspects[4]], seen.values[aspects[5]] = draws
    if alike:
        seen.values[aspects[2]], seen.values[aspects[3]] = "as asked", "anywhere"
    return seen


def _places(rows: np.ndarray, height: int) -> str:
    """Where the rows of the result are read when all of the image is enlarged."""
    i = np.arange(len(rows))
    known = {
        "the centres of pixels": (i + 0.5) * height / len(rows) - 0.5,
        "the first and last pixel on those of the image": i * (height - 1) / (len(rows) - 1),
        "up to half a pixel off": i * height / len(rows),
    }
    for word, places in known.items():
        if np.abs(rows - np.clip(places, 0, height - 1)).max() < 1e-3:
            return word
    return "other places"


def _at_the_border(rows: np.ndarray) -> str:
    """Whether the first row of an enlarged part looks at pixels before the part.

    Only of parts of whole pixels that lie inside the image, and where the rows in between are
    read at the centres of pixels: what the border of others is can be argued about.
    """
    steps = np.diff(rows[:, 10:-10], axis=1).mean(axis=1)
    straight_on = rows[:, 24] - 24 * steps
    tops = straight_on + 0.5 - 0.5 * steps
    inside = (np.abs(tops - np.rint(tops)) < 5e-3) & (tops > 0.5) & (steps < 0.9)
    if np.count_nonzero(inside) < 3 or np.mean(np.abs(tops - np.rint(tops)) < 5e-3) < 0.9:
        return INSIDE
    beyond = rows[inside, 0] - straight_on[inside]
    return OUTSIDE if np.abs(beyond).max() < 0.02 else INSIDE


def _area(
    steps: list[np.ndarray], size: int, shape: tuple[int, int], low: float, high: float
) -> str:
    """Fraction of the area, for either convention of where pixels have their centres."""
    if all(np.abs(s - 1).max() < 1e-4 for s in steps):
        return "nothing is resized"
    found = []
    for extents in ([s * size for s in steps], [s * (size - 1) + 1 for s in steps]):
        area = extents[0] * extents[1] / (shape[0] * shape[1])
        found.append("as asked")
        if area.max() > high + 0.08:
            found[-1] = "too large"
        elif area.min() < low - 0.08:
            found[-1] = "too small"
        elif np.ptp(area) < 0.5 * (high - low):
            found[-1] = "varies too little"
    return "as asked" if "as asked" in found else found[0]


def _position(
    rows: np.ndarray, columns: np.ndarray, height: int, width: int
) -> tuple[str, list[np.ndarray]]:
    """Whether crops lie anywhere inside the image, and where they begin, as parts of the room
    that they have, for crops with some room on all sides."""
    word, befores, rooms = "anywhere", [], []
    if min(rows.min(), columns.min()) < -1e-3:
        return "outside the image", []
    if rows.max() > height - 1 + 1e-3 or columns.max() > width - 1 + 1e-3:
        return "outside the image", []
    for ends, length in ((rows, height), (columns, width)):
        before, after = ends[:, 0], length - 1 - ends[:, -1]
        room = before + after
        befores.append(before)
        rooms.append(room)
        place = before[room > 4] / room[room > 4]
        if not place.size or word != "anywhere":
            continue
        if place.max() < 0.4:
            word = "always near the start"
        elif place.min() > 0.4:
            word = "always in the middle" if place.max() < 0.6 else "not anywhere"
    wide = (rooms[0] > 4) & (rooms[1] > 4)
    places = [before[wide] / room[wide] for before, room in zip(befores, rooms, strict=True)]
    return word, places if word == "anywhere" and np.count_nonzero(wide) > 20 else []


def ramps(n: int, height: int, width: int) -> np.ndarray:
    """Images whose channels are 1 + row, 1 + column, and 1."""
    row = np.broadcast_to(1.0 + np.arange(height)[:, None], (height, width))
    column = np.broadcast_to(1.0 + np.arange(width)[None, :], (height, width))
    return np.broadcast_to(
        np.stack([row, column, np.ones((height, width))]), (n, 3, height, width)
    ).copy()


@script
def random_affine(name: str, student: Student, case: Case) -> Observed:
    """The affine map of each image, read off from ramps, against the ranges that were asked."""
    seen = Observed()
    batch = Batch(name, student, case, seen)
    few = batch.images(*batch.given["shape"])
    still = {"degrees": 0.0, "translate": 0.0, "scale": (1.0, 1.0), "shear": 0.0}
    seen.values["nothing asked"] = batch.ask(few, **still)
    if case.check:
        return seen
    aspects = ("resizing", "border", "rotation", "scale", "shear", "shift", "draws", "rng")
    height, width, n = 13, 37, 64
    images = ramps(n, height, width).astype(batch.dtype)
    out = batch.ask(images)
    if trouble := misfit(out, images.shape):
        return fill(seen, aspects, trouble)
    assert isinstance(out, np.ndarray)
    out = out.astype(np.float64)
    maps, straight = _maps(out)
    seen.values[aspects[0]] = "bilinear" if straight else "not bilinear"
    asked = {"degrees": 10.0, "translate": 0.1, "scale": (0.9, 1.1), "shear": 5.0} | batch.settings
    if maps is None:
        return fill(seen, aspects, "no affine map")
    seen.values[aspects[1]] = _border(out[:, 2], maps)
    words, single = _read_maps(maps, asked, height, width)
    seen.values |= words
    alike = np.abs(maps - maps[0]).max() < 1e-6
    rng = batch.use_of_rng(images[:6])
    draws = batch.alike(rng) if alike else (ONE_DRAW if single else FOR_ITSELF, rng)
    seen.values["draws"], seen.values["rng"] = draws
    if alike:
        seen.values |= _read_maps(None, asked, height, width)[0]
    return seen


def _maps(out: np.ndarray) -> tuple[np.ndarray | None, bool]:
    """For each image the 2×3 map from places in the result to places in the image.

    Fitted where the result shows the inside of the image: the channel of ones is 1, and the
    ramps are not cut off at their ends.
    """
    n, _, height, width = out.shape
    row, column = np.mgrid[:height, :width]
    ground = np.stack([row.ravel(), column.ravel(), np.ones(row.size)], axis=1)
    target = out[:, :2].reshape(n, 2, -1) - 1
    ends = np.array([height - 1, width - 1])[:, None]
    inside = ((target > 1e-6) & (target < ends - 1e-6)).all(axis=1)
    inside &= np.abs(out[:, 2].reshape(n, -1) - 1) < 1e-6
    if (inside.sum(axis=1) < 40).any():
        return None, False
    weighed = ground[None] * inside[..., None]
    left = np.swapaxes(weighed, 1, 2) @ ground
    maps = np.swapaxes(np.linalg.solve(left, np.swapaxes(target @ weighed, 1, 2)), 1, 2)
    rest = (maps @ ground.T - target) * inside[:, None]
    return maps, bool(np.abs(rest).max() < 1e-3)


def _border(ones: np.ndarray, maps: np.ndarray) -> str:
    """Whether the channel of ones is 0 wherever the result looks a pixel or more outside."""
    height, width = ones.shape[1:]
    row, column = np.mgrid[:height, :width]
    ground = np.stack([row.ravel(), column.ravel(), np.ones(row.size)])
    places = maps @ ground
    ends = np.array([height, width])[:, None]
    outside = ((places < -1.01) | (places > ends + 0.01)).any(axis=1)
    flat = ones.reshape(len(ones), -1)
    if flat.min() < -1e-4 or flat.max() > 1 + 1e-4:
        return "beyond 0 and 1"
    return "not zero outside" if np.abs(flat[outside]).max(initial=0.0) > 1e-4 else "zero outside"


def _read_maps(
    maps: np.ndarray | None, asked: Mapping[str, Value], height: int, width: int
) -> tuple[dict[str, Value], bool]:
    """Rotation, scale, shear and shift against what was asked (``None``: all is well), and
    whether one draw made several of them."""
    low, high = asked["scale"]
    degrees, shear = float(asked["degrees"]), float(asked["shear"])
    wanted = {"rotation": degrees, "shear": shear, "shift": float(asked["translate"])}
    words: dict[str, Value] = {k: "as asked" if v else "none" for k, v in wanted.items()}
    words["scale"] = "as asked" if high > low else "none"
    if maps is None:
        return words, False
    linear = maps[:, :, :2]
    factor = np.abs(np.linalg.det(linear)) ** -0.5
    angle = np.degrees(
        np.arctan2(linear[:, 0, 1] - linear[:, 1, 0], linear[:, 0, 0] + linear[:, 1, 1])
    )
    sizes = np.linalg.svd(linear, compute_uv=False)
    # A shear by the angle s turns by half of it and stretches by 1 + tan(s), nearly.
    stretch = sizes[:, 0] / sizes[:, 1] - 1
    words["rotation"] = spread(angle, degrees + shear, 0.5 if shear else 0.05, 0.5 * degrees)
    if not degrees and shear:
        words["rotation"] = "none" if np.abs(angle).max() <= 0.75 * shear else "not 0"
    reach = 2.2 * np.tan(np.radians(shear))
    words["shear"] = "none" if stretch.max() < 1e-3 else "goes too far"
    if stretch.max() >= 1e-3 and stretch.max() <= reach + 1e-3:
        words["shear"] = "as asked" if stretch.max() > 0.25 * reach else "too little"
    words["scale"] = _scale_word(factor, float(low), float(high))
    middle = np.array([(height - 1) / 2, (width - 1) / 2, 1.0])
    shift = (maps @ middle - middle[:2]) * factor[:, None]
    words["shift"] = _shift_word(shift, float(asked["translate"]), height, width)
    drawn = {"rotation": [angle], "scale": [factor], "shift": [*shift.T]}
    series = [s for key, found in drawn.items() if words[key] == "as asked" for s in found]
    single = len(series) > 1 and hang_together(*series)
    if words["rotation"] == words["shear"] == "as asked":
        single |= hang_together(np.abs(angle), stretch)
    return words, single


def _scale_word(factor: np.ndarray, low: float, high: float) -> str:
    if factor.min() < low - 0.02 or factor.max() > high + 0.02:
        return "goes too far"
    if high == low:
        return "none"
    return "as asked" if np.ptp(factor) > 0.5 * (high - low) else "too little"


def _shift_word(shift: np.ndarray, part: float, height: int, width: int) -> str:
    """Rows and columns apart; whole pixels are allowed for."""
    if not part:
        most = np.abs(shift).max()
        return "none" if most < 0.03 else OFF_CENTRE if most < 0.8 else "not 0"
    reach = np.abs(shift).max(axis=0)
    if reach[0] > part * height + 1.2 and (reach < part * np.array([width, height]) + 1.2).all():
        return "height and width exchanged"
    words = [
        spread(shift[:, axis], part * length + 1.2, 0.3)
        for axis, length in ((0, height), (1, width))
    ]
    small = [
        np.abs(shift[:, axis]).max() < 0.45 * part * length
        for axis, length in ((0, height), (1, width))
    ]
    if any(small):
        return "too little"
    return next((w for w in words if w not in ("as asked", "too little")), "as asked")


_RESIZING: Said = {
    ("resizing", "not bilinear"): (
        "is not bilinear",
        "a ramp of grey must stay a ramp: mix the four pixels around a place by their nearness.",
    ),
}
TOLD["random_resized_crop"] = {
    **DRAWS,
    **_RESIZING,
    (WHOLE, "up to half a pixel off"): (
        "moves up and to the left",
        "pixel i has its centre at i + ½: where is the half added, and where taken away again?",
    ),
    (WHOLE, "the first and last pixel on those of the image"): (
        "has its first and last pixel on the first and last of the image",
        "the text lays the outer edges of the pixels on each other, so that their centres do not.",
    ),
    (WHOLE, "other places"): (
        "is not read where the text says",
        "try a ramp of 4 rows, enlarged to 8, by hand: at which rows is it read?",
    ),
    (BORDER, OUTSIDE): (
        "mixes in pixels that are not in the part",
        "neighbours of its outer pixels may lie in the image and yet outside of the part.",
    ),
    ("resizing", "nothing is resized"): (
        "does not happen: a window of the wanted size is cut out",
        "cut out a larger or smaller part, and then bring it to the wanted size.",
    ),
    ("area", "nothing is resized"): ("is always that of the result", "where does scale enter?"),
    ("area", "too large"): ("is larger than scale allows", "scale is a part of the image's area."),
    ("area", "too small"): (
        "is smaller than scale allows",
        "scale is a part of the area: is it used for the sides without a root?",
    ),
    ("area", "varies too little"): ("hardly varies", "is it drawn between both ends of scale?"),
    **{
        ("position", word): (fact, "a crop may lie anywhere inside the image, in both directions.")
        for word, fact in (
            ("outside the image", "lies partly outside the image"),
            ("always near the start", "is always near the upper or left edge"),
            ("always in the middle", "is always in the middle"),
            ("not anywhere", "never comes near the upper or left edge"),
        )
    },
}
TOLD["random_affine"] = {
    **DRAWS,
    **_RESIZING,
    ("border", "not zero outside"): (
        "is not 0 where the result looks outside the image",
        "what is not in the image is 0: is it repeated, mirrored or wrapped around?",
    ),
    ("border", "beyond 0 and 1"): (
        "lies beyond the values of the image",
        "do the weights of the four pixels add up to 1?",
    ),
    ("shift", "height and width exchanged"): (
        "of rows is measured by the width and that of columns by the height",
        "which axis is which? For square images one does not see it.",
    ),
    ("shift", OFF_CENTRE): (
        "is not quite 0 where no shift is asked",
        "about which point is the image turned? The middle of the pixels 0 … H−1 is no whole "
        "number for every H.",
    ),
    ("shift", "goes too far"): (
        "goes too far",
        "translate is a part of the image's height for rows and of its width for columns, about "
        "the centre.",
    ),
    **{
        (aspect, word): (fact, f"how is the draw for {aspect} made, and what happens to it?")
        for aspect in ("rotation", "scale", "shear", "shift")
        for word, fact in (
            ("none", "never happens"),
            ("too little", "stays far below what is asked"),
            ("one-sided", "only ever goes in one direction"),
            ("not 0", "happens although 0 is asked"),
            *([("goes too far", "goes beyond what is asked")] if aspect != "shift" else []),
        )
    },
}
