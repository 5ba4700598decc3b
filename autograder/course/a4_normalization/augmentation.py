"""Flips and crops: what students draw once for all images, or along the wrong axis."""

import numpy as np

from autograder.battery.classes import Scripted
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.data.augmentation import random_crop, random_flip


def augmentation_cases(settings, shape=(3, 2, 4, 5), extra=None):
    """Ordinary cases with the given settings, and the forms that an image may come in."""

    def cases(rng):
        def case(chosen, check="", shape=shape, dtype="float64", words="", **more):
            given = ", ".join(f"{k} = {v}" for k, v in chosen.items()) or "default settings"
            args = {
                "shape": list(shape),
                "settings": chosen,
                "seed": int(rng.integers(1, 2**31)),
                "dtype": dtype,
            } | more
            return Case(f"{words}images of shape {tuple(shape)} and {given}", args, check)

        return [
            *(case(chosen, **(extra or {})) for chosen in settings),
            case(settings[0], "N = 1", (1, *shape[1:])),
            case(settings[0], "one channel", (shape[0], 1, *shape[2:])),
            case(settings[0], "float32", dtype="float32", words="float32 "),
        ]

    return cases


def per_image(draws):
    return draws[:, None, None, None]


def flipped(hits, images, axis=-1):
    return np.where(hits, np.flip(images, axis), images)


def flip_by(draw, axis=-1):
    return lambda images, rng, p=0.5: flipped(draw(images, rng, p), images, axis)


def flip_in_place(images, rng, p=0.5):
    out = random_flip(images, rng, p)
    images[...] = out
    return out


def flip_by_loop(images, rng, p=0.5):
    out = np.empty_like(images)
    for i, image in enumerate(images):
        out[i] = image[:, :, ::-1] if rng.uniform() < p else image
    return out


def flip_by_index(images, rng, p=0.5):
    out = images.copy()
    chosen = np.flatnonzero(rng.binomial(1, p, size=len(images)))
    out[chosen] = np.flip(images[chosen], axis=3)
    return out


def flip_by_choice(images, rng, p=0.5):
    hits = rng.choice([True, False], size=len(images), p=[p, 1 - p])
    return np.array([np.flip(i, 2) if h else i for i, h in zip(images, hits)])


def windows(images, top, left, padding, mode="constant"):
    border = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    padded = np.pad(images, border, mode=mode)  # type: ignore[call-overload]
    h, w = images.shape[2:]
    return np.stack([image[:, t : t + h, u : u + w] for image, t, u in zip(padded, top, left)])


def crop_by(top, left=None, mode="constant"):
    """Random crop whose corners ``top(rng, n, padding)`` and ``left`` draw."""

    def crop(images, rng, padding=4):
        n = len(images)
        rows = top(rng, n, padding)
        columns = rows if left == "as top" else (left or top)(rng, n, padding)
        return windows(images, rows, columns, padding, mode)

    return crop


def anywhere(rng, n, padding):
    return rng.integers(0, 2 * padding + 1, size=n)


def always_four(images, rng, padding=4):
    return random_crop(images, rng, 4 if padding else 0)


def smaller(images, rng, padding=4):
    return random_crop(images, rng, padding)[:, :, padding:, padding:]


def crop_by_loop(images, rng, padding=4):
    n, c, h, w = images.shape
    out = np.zeros(images.shape, images.dtype)
    for i in range(n):
        big = np.zeros((c, h + 2 * padding, w + 2 * padding), images.dtype)
        big[:, padding : padding + h, padding : padding + w] = images[i]
        t, u = rng.integers(2 * padding + 1, size=2)
        out[i] = big[:, t : t + h, u : u + w]
    return out


def crop_by_shift(images, rng, padding=4):
    out = []
    for image in images:
        dy, dx = (int(rng.integers(-padding, padding, endpoint=True)) for _ in range(2))
        moved = np.zeros_like(image)
        h, w = image.shape[1:]
        rows, columns = slice(max(dy, 0), min(h + dy, h)), slice(max(dx, 0), min(w + dx, w))
        source = image[:, max(-dy, 0) : h - max(dy, 0), max(-dx, 0) : w - max(dx, 0)]
        moved[:, rows, columns] = source
        out.append(moved)
    return np.array(out)


FLIP = (
    Misconception(
        "one-draw-for-all-images",
        flip_by(lambda images, rng, p: rng.random() < p),
        "One draw decides for the whole batch. Each image needs a draw of its own.",
        "draws",
        0.4,
    ),
    Misconception(
        "turned-upside-down",
        flip_by(lambda images, rng, p: per_image(rng.random(len(images)) < p), axis=-2),
        "The images are turned upside down. Left and right change places along the last axis.",
        "what becomes of an image",
        0.4,
    ),
    Misconception(
        "channels-flipped",
        flip_by(lambda images, rng, p: per_image(rng.random(len(images)) < p), axis=1),
        "The order of the channels is reversed; the columns of an image are the last axis.",
        "what becomes of an image",
        0.4,
    ),
    Misconception(
        "channels-apart",
        flip_by(lambda images, rng, p: rng.random(images.shape[:2])[:, :, None, None] < p),
        "The channels of one image are flipped apart. All channels of an image go together.",
        "what becomes of an image",
        0.4,
    ),
    Misconception(
        "probability-ignored",
        flip_by(lambda images, rng, p: per_image(rng.random(len(images)) < 0.5)),
        "p is not used: half of the images are flipped, whatever it says.",
        "fraction mirrored",
        0.3,
    ),
    Misconception(
        "probability-of-staying",
        flip_by(lambda images, rng, p: per_image(rng.random(len(images)) >= p)),
        "p is the probability of a flip; here images stay as they are with probability p.",
        "fraction mirrored",
        0.3,
    ),
    Misconception(
        "always-flipped",
        flip_by(lambda images, rng, p: np.ones((len(images), 1, 1, 1), bool)),
        "Every image is flipped; nothing is drawn.",
        "fraction mirrored",
        0.5,
    ),
    Misconception(
        "generator-ignored",
        flip_by(lambda images, rng, p: per_image(np.random.default_rng(0).random(len(images)) < p)),
        "The draws do not come from rng, so every epoch sees the same flips. Use the generator "
        "that you are given.",
        "rng",
        0.3,
    ),
    Misconception(
        "images-changed",
        flip_in_place,
        "The images you are given are changed; the next epoch would start from flipped ones.",
        "conduct",
    ),
)

CROP = (
    Misconception(
        "one-window-for-all-images",
        crop_by(lambda rng, n, padding: np.full(n, rng.integers(2 * padding + 1))),
        "One window is drawn for the whole batch. Each image needs a draw of its own.",
        "draws",
        0.4,
    ),
    Misconception(
        "last-window-missing",
        crop_by(lambda rng, n, padding: rng.integers(0, max(2 * padding, 1), size=n)),
        "The last row and column of windows never occur: rng.integers leaves its upper end out, "
        "and there are 2·padding + 1 places.",
        "windows",
        0.2,
    ),
    Misconception(
        "only-half-of-the-windows",
        crop_by(lambda rng, n, padding: rng.integers(0, padding + 1, size=n)),
        "Only windows towards one corner occur. The border lies on both sides, so there are "
        "2·padding + 1 places along each axis.",
        "windows",
        0.3,
    ),
    Misconception(
        "rows-and-columns-together",
        crop_by(anywhere, left="as top"),
        "Images only move along the diagonal: one draw serves rows and columns. Draw two.",
        "windows",
        0.3,
    ),
    Misconception(
        "border-repeated",
        crop_by(anywhere, mode="edge"),
        "The border repeats the outermost pixels; it should be zero.",
        "what becomes of an image",
        0.3,
    ),
    Misconception(
        "border-reflected",
        crop_by(anywhere, mode="wrap"),
        "What leaves the image on one side comes back on the other; the border should be zero.",
        "what becomes of an image",
        0.3,
    ),
    Misconception(
        "padding-ignored",
        always_four,
        "The border is always 4 wide, whatever padding says.",
        "what becomes of an image",
        0.2,
    ),
    Misconception(
        "smaller-images",
        smaller,
        "The images come out smaller than they were. The window has the size of the image.",
        "windows",
        0.4,
    ),
    Misconception(
        "not-random",
        crop_by(lambda rng, n, padding: np.full(n, padding)),
        "The window never moves, so the images come back as they were: draw its place.",
        "draws",
        0.6,
    ),
    Misconception(
        "generator-ignored",
        lambda images, rng, padding=4: random_crop(images, np.random.default_rng(0), padding),
        "The draws do not come from rng, so every epoch sees the same crops.",
        "rng",
        0.3,
    ),
)

EXERCISES = (
    Exercise(
        name="random_flip",
        kind=Scripted("random_flip"),
        reference={"random_flip": random_flip},
        cases=augmentation_cases([{"p": 0.3}, {}, {"p": 0.8}]),
        misconceptions=FLIP,
        variants=(flip_by_loop, flip_by_index, flip_by_choice),
    ),
    Exercise(
        name="random_crop",
        kind=Scripted("random_crop"),
        reference={"random_crop": random_crop},
        cases=augmentation_cases([{"padding": 2}, {}, {"padding": 1}]),
        misconceptions=CROP,
        variants=(crop_by_loop, crop_by_shift, crop_by(anywhere)),
    ),
)
