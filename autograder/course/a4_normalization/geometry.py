"""Resized crops and affine maps: where each pixel of the result comes from."""

import numpy as np

from autograder.battery.classes import Scripted
from autograder.battery.geometry import BORDER, WHOLE
from autograder.course.a4_normalization.augmentation import augmentation_cases
from autograder.exercise import Exercise, Misconception
from cs_nn.data.augmentation import random_affine, random_resized_crop


def read(images, rows, columns, nearest=False, repeat=False):
    """Images at fractional places ``rows`` and ``columns``, both (N, h, w); zeros outside."""
    n, c, height, width = images.shape
    if repeat:
        rows, columns = np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)
    if nearest:
        rows, columns = np.rint(rows), np.rint(columns)
    top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
    out = np.zeros((n, c, *rows.shape[1:]))
    who = np.arange(n)[:, None, None]
    for down in (0, 1):
        for right in (0, 1):
            r, k = top + down, left + right
            weight = (1 - np.abs(rows - r)) * (1 - np.abs(columns - k))
            known = (r >= 0) & (r < height) & (k >= 0) & (k < width)
            pixels = images[who, :, np.clip(r, 0, height - 1), np.clip(k, 0, width - 1)]
            out += np.moveaxis(pixels * (weight * known)[..., None], 3, 1)
    return out.astype(images.dtype)


def grid(first, extent, size, corners=False, half=0.5, bleed=0.0):
    """Places of ``size`` pixels in a crop that starts at ``first``, both (N,)."""
    if corners:
        return first[:, None] + np.arange(size) * ((extent - 1) / max(size - 1, 1))[:, None]
    places = (np.arange(size) + half) * extent[:, None] / size - half
    return first[:, None] + np.clip(places, -bleed, extent[:, None] - 1 + bleed)


def resized(side=None, place=None, nearest=False, corners=False, half=0.5, bleed=0.0):
    """Resized crop with one thing changed: ``side(rng, n, low, high)`` and ``place``."""

    def crop(images, rng, size, scale=(0.5, 1.0)):
        n, _, height, width = images.shape
        root = side or (lambda rng, n, low, high: np.sqrt(rng.uniform(low, high, n)))
        where = place or (lambda rng, n: rng.random(n))
        fraction = root(rng, n, *scale)
        both = []
        for length in (height, width):
            extent = np.maximum(np.rint(fraction * length), 1)
            first = np.floor(where(rng, n) * (length - extent + 1))
            places = grid(first, extent, size, corners, half, bleed)
            both.append(np.clip(places, 0, length - 1))
        rows, columns = both[0][:, :, None], both[1][:, None, :]
        rows, columns = np.broadcast_arrays(rows, columns)
        return read(images, rows, columns, nearest)

    return crop


def one_for_all(rng, n, low, high):
    return np.full(n, np.sqrt(rng.uniform(low, high)))


def one_crop_for_all(images, rng, size, scale=(0.5, 1.0)):
    same = resized(one_for_all, lambda rng, n: np.full(n, rng.random()))
    return same(images, rng, size, scale)


def only_cut_out(images, rng, size, scale=(0.5, 1.0)):
    n, _, height, width = images.shape
    top, left = rng.integers(height - size + 1, size=n), rng.integers(width - size + 1, size=n)
    return np.stack([i[:, t : t + size, u : u + size] for i, t, u in zip(images, top, left)])


def never_small(images, rng, size, scale=(0.5, 1.0)):
    whole = (1.0, 1.0)
    return random_resized_crop(images, rng, size, whole if scale == whole else (0.5, 1.0))


def crop_by_loop(images, rng, size, scale=(0.5, 1.0)):
    out = np.empty((*images.shape[:2], size, size), images.dtype)
    height, width = images.shape[2:]
    for i, image in enumerate(images):
        side = rng.uniform(*scale) ** 0.5
        h, w = max(1, round(side * height)), max(1, round(side * width))
        t, u = rng.integers(height - h + 1), rng.integers(width - w + 1)
        part = image[:, t : t + h, u : u + w]
        r = np.clip((np.arange(size) + 0.5) * h / size - 0.5, 0, h - 1)
        c = np.clip((np.arange(size) + 0.5) * w / size - 0.5, 0, w - 1)
        r0, c0 = np.minimum(r.astype(int), h - 1), np.minimum(c.astype(int), w - 1)
        r1, c1 = np.minimum(r0 + 1, h - 1), np.minimum(c0 + 1, w - 1)
        fr, fc = (r - r0)[:, None], (c - c0)[None, :]
        upper = part[:, r0][:, :, c0] * (1 - fc) + part[:, r0][:, :, c1] * fc
        lower = part[:, r1][:, :, c0] * (1 - fc) + part[:, r1][:, :, c1] * fc
        out[i] = upper * (1 - fr) + lower * fr
    return out


def crop_with_proportions(images, rng, size, scale=(0.5, 1.0)):
    """The proportions are drawn as well, as PyTorch does, and parts of pixels."""
    out = np.empty((*images.shape[:2], size, size), images.dtype)
    height, width = images.shape[2:]
    for i in range(len(images)):
        area = rng.uniform(*scale)
        widest = min(1.0, 4 / 3 * area)
        tall = rng.uniform(max(area, area / widest), 1.0) if area < 1 else 1.0
        h, w = tall * height, area / tall * width
        top, left = rng.uniform(0, height - h), rng.uniform(0, width - w)
        half = (np.arange(size) + 0.5) / size
        rows = top + np.clip(half * h - 0.5, 0, h - 1)
        columns = left + np.clip(half * w - 0.5, 0, w - 1)
        places = np.broadcast_arrays(rows[None, :, None], columns[None, None, :])
        out[i] = read(images[i : i + 1], *places)[0]
    return out


def affine(
    angle=None, size=None, slant=None, shift=None, order="shear first", middle=True,
    nearest=False, repeat=False, aside=0.0,
):  # fmt: skip
    """Random affine map with one thing changed; each draw is ``f(rng, n, setting)``."""

    def transform(images, rng, degrees=10, translate=0.1, scale=(0.9, 1.1), shear=5):
        n, _, height, width = images.shape
        both = lambda rng, n, limit: rng.uniform(-limit, limit, n)  # noqa: E731
        turn = np.radians((angle or both)(rng, n, degrees))
        factor = (size or (lambda rng, n, s: rng.uniform(*s, n)))(rng, n, scale)
        lean = np.tan(np.radians((slant or both)(rng, n, shear)))
        down = (shift or both)(rng, n, translate) * height
        right = (shift or both)(rng, n, translate) * width
        cos, sin, one, zero = np.cos(turn), np.sin(turn), np.ones(n), np.zeros(n)
        spin = np.array([[cos, -sin], [sin, cos]]).transpose(2, 0, 1)
        skew = np.array([[one, zero], [lean, one]]).transpose(2, 0, 1)
        forth = spin @ skew if order == "shear first" else skew @ spin
        back = np.linalg.inv(forth * factor[:, None, None])
        centre = np.array([(height - 1) / 2, (width - 1) / 2]) * middle + aside
        row, column = np.mgrid[:height, :width]
        r = row - centre[0] - down[:, None, None]
        c = column - centre[1] - right[:, None, None]
        places = [
            back[:, k, 0, None, None] * r + back[:, k, 1, None, None] * c + centre[k]
            for k in (0, 1)
        ]
        return read(images, places[0], places[1], nearest, repeat)

    return transform


def one_map_for_all(images, rng, degrees=10, translate=0.1, scale=(0.9, 1.1), shear=5):
    one = lambda rng, n, limit: np.full(n, rng.uniform(-limit, limit))  # noqa: E731
    size = lambda rng, n, scale: np.full(n, rng.uniform(*scale))  # noqa: E731
    return affine(one, size, one, one)(images, rng, degrees, translate, scale, shear)


def ignored(rng, n, limit):
    return np.zeros(n)


def affine_by_loop(images, rng, degrees=10, translate=0.1, scale=(0.9, 1.1), shear=5):
    out = np.zeros_like(images)
    height, width = images.shape[2:]
    for i in range(len(images)):
        a, s = np.deg2rad(rng.uniform(-degrees, degrees)), np.deg2rad(rng.uniform(-shear, shear))
        f = rng.uniform(scale[0], scale[1])
        forth = (
            f
            * np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
            @ np.array([[1, 0], [np.tan(s), 1]])
        )
        move = np.array([rng.uniform(-translate, translate) * d for d in (height, width)])
        centre = np.array([height / 2, width / 2]) - 0.5
        places = np.indices((height, width)).reshape(2, -1) - (centre + move)[:, None]
        source = np.linalg.solve(forth, places) + centre[:, None]
        rows, columns = source.reshape(2, 1, height, width)
        out[i] = read(images[i : i + 1], rows, columns)[0]
    return out


RESIZED = (
    Misconception(
        "one-crop-for-all-images",
        one_crop_for_all,
        "One crop is drawn for the whole batch; each image needs its own.",
        "draws",
        0.4,
    ),
    Misconception(
        "fraction-of-the-side",
        resized(lambda rng, n, low, high: rng.uniform(low, high, n)),
        "scale is taken for the fraction of the side; it is the fraction of the area. Half of the "
        "side is only a quarter of the image.",
        "area",
        0.3,
    ),
    Misconception(
        "always-the-same-corner",
        resized(place=lambda rng, n: np.zeros(n)),
        "The crop always starts in the top left corner. It may lie anywhere inside the image.",
        "position",
        0.3,
    ),
    Misconception(
        "always-the-centre",
        resized(place=lambda rng, n: np.full(n, 0.5)),
        "The crop always lies in the centre. It may lie anywhere inside the image.",
        "position",
        0.3,
    ),
    Misconception(
        "nearest-pixel",
        resized(nearest=True),
        "Each pixel of the result is the nearest one of the image. Mix the four around, each by "
        "how near it is.",
        "resizing",
        0.3,
    ),
    Misconception(
        "corners-on-corners",
        resized(corners=True),
        "The first and last pixel of the result are laid on the first and last of the part, as "
        "linspace does. The formula lays the outer edges on each other: centres at i + ½.",
        WHOLE,
        0.15,
    ),
    Misconception(
        "half-a-pixel-forgotten",
        resized(half=0.0),
        "The halves are missing, so the picture slides up and to the left by up to half a pixel. "
        "The centre of pixel i lies at i + ½, in the result and in the image.",
        WHOLE,
        0.15,
    ),
    Misconception(
        "looks-beyond-the-part",
        resized(bleed=0.5),
        "At the border of the part pixels from outside of it are mixed in. Places are to be kept "
        "inside the part that was cut out, not only inside the image.",
        BORDER,
        0.1,
    ),
    Misconception(
        "not-resized",
        only_cut_out,
        "A window of size × size pixels is cut out and nothing is resized, so scale has no say. "
        "Cut out a fraction of the image, then bring it to that size.",
        "area",
        0.5,
    ),
    Misconception(
        "scale-ignored",
        never_small,
        "The fraction is always between 0.5 and 1, whatever scale says.",
        "area",
        0.25,
    ),
    Misconception(
        "always-the-smallest",
        resized(lambda rng, n, low, high: np.full(n, np.sqrt(low))),
        "The area is always the smallest that is allowed; draw it between the two bounds.",
        "area",
        0.3,
    ),
    Misconception(
        "generator-ignored",
        lambda images, rng, size, scale=(0.5, 1.0): random_resized_crop(
            images, np.random.default_rng(0), size, scale
        ),
        "The draws do not come from rng, so every epoch sees the same crops.",
        "rng",
        0.3,
    ),
)

AFFINE = (
    Misconception(
        "one-map-for-all-images",
        one_map_for_all,
        "One map is drawn for the whole batch; each image needs its own.",
        "draws",
        0.4,
    ),
    Misconception(
        "degrees-taken-for-radians",
        affine(angle=lambda rng, n, limit: np.degrees(rng.uniform(-limit, limit, n))),
        "The angle reaches the cosine in degrees; it wants radians.",
        "rotation",
        0.3,
    ),
    Misconception(
        "rotation-ignored",
        affine(angle=ignored),
        "Nothing is turned: degrees has no effect.",
        "rotation",
        0.3,
    ),
    Misconception(
        "turned-one-way-only",
        affine(angle=lambda rng, n, limit: rng.uniform(0, limit, n)),
        "All images turn the same way. The angle lies on both sides of 0.",
        "rotation",
        0.25,
    ),
    Misconception(
        "shear-ignored",
        affine(slant=ignored),
        "Nothing is sheared: shear has no effect.",
        "shear",
        0.3,
    ),
    Misconception(
        "scale-ignored",
        affine(size=lambda rng, n, scale: np.ones(n)),
        "Nothing is scaled: scale has no effect.",
        "scale",
        0.3,
    ),
    Misconception(
        "scale-upside-down",
        affine(size=lambda rng, n, scale: 1 / rng.uniform(*scale, n)),
        "Factors above 1 shrink the image. The result asks where each pixel came from, so the "
        "inverse of the map is what it needs.",
        "scale",
        0.3,
    ),
    Misconception(
        "shift-in-pixels",
        affine(shift=lambda rng, n, limit: rng.uniform(-limit, limit, n) / 25),
        "translate is a fraction of height and width; here it is taken for pixels.",
        "shift",
        0.3,
    ),
    Misconception(
        "shifted-one-way-only",
        affine(shift=lambda rng, n, limit: rng.uniform(0, limit, n)),
        "All images move the same way. The shift lies on both sides of 0.",
        "shift",
        0.25,
    ),
    Misconception(
        "about-the-corner",
        affine(middle=False),
        "The map is about the corner of the image, so turning and scaling push the image away. "
        "Measure from the centre.",
        "shift",
        0.3,
    ),
    Misconception(
        "beside-the-centre",
        affine(aside=0.5),
        "The map is about (H/2, W/2), which is half a pixel beside the centre: half a turn would "
        "move the image by one pixel. What is the mean of the rows 0 … H−1?",
        "shift",
        0.1,
    ),
    Misconception(
        "nearest-pixel",
        affine(nearest=True),
        "Each pixel of the result is the nearest one of the image. Mix the four around, each by "
        "how near it is.",
        "resizing",
        0.3,
    ),
    Misconception(
        "border-repeated",
        affine(repeat=True),
        "Where the result looks outside the image, the border is repeated; it should be zero.",
        "border",
        0.2,
    ),
    Misconception(
        "generator-ignored",
        lambda images, rng, *args, **settings: random_affine(
            images, np.random.default_rng(0), *args, **settings
        ),
        "The draws do not come from rng, so every epoch sees the same images.",
        "rng",
        0.3,
    ),
)

STILL = {"degrees": 0.0, "translate": 0.0, "scale": (1.0, 1.0), "shear": 0.0}

EXERCISES = (
    Exercise(
        name="random_resized_crop",
        kind=Scripted("random_resized_crop"),
        reference={"random_resized_crop": random_resized_crop},
        cases=augmentation_cases([{"scale": (0.2, 0.45)}, {}, {"scale": (0.3, 0.9)}], (3, 2, 6, 6)),
        misconceptions=RESIZED,
        variants=(crop_by_loop, resized(), crop_with_proportions),
    ),
    Exercise(
        name="random_affine",
        kind=Scripted("random_affine"),
        reference={"random_affine": random_affine},
        cases=augmentation_cases(
            [
                {},
                STILL | {"degrees": 30.0},
                {"translate": 0.0, "scale": (1.0, 1.0), "shear": 0.0},
                STILL | {"translate": 0.25},
                STILL | {"scale": (1.2, 1.6)},
                STILL | {"shear": 20.0},
            ],
            (3, 2, 5, 6),
        ),
        misconceptions=AFFINE,
        variants=(affine_by_loop, affine(), affine(order="shear last")),
    ),
)
