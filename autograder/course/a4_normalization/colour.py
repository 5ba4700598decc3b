"""Colour jitter and the ten crops of test time."""

import numpy as np

from autograder.battery.classes import Scripted
from autograder.battery.functions import CONDUCT, Function
from autograder.course.a4_normalization.augmentation import augmentation_cases, per_image
from autograder.course.drawing import numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.data.augmentation import color_jitter, ten_crop


def jitter_by(mean=None, factors=None, shifts=None, finish=None):
    """Colour jitter with one thing changed."""

    def jitter(images, rng, brightness=0.2, contrast=0.2):
        n, dtype = len(images), images.dtype
        draw_f = factors or (lambda rng, n, c: per_image(rng.uniform(1 - c, 1 + c, n)))
        draw_s = shifts or (lambda rng, n, b: per_image(rng.uniform(-b, b, n)))
        middle = mean(images) if mean else images.mean(axis=(1, 2, 3), keepdims=True)
        f, s = draw_f(rng, n, contrast).astype(dtype), draw_s(rng, n, brightness).astype(dtype)
        out = middle + f * (images - middle) + s
        return finish(out, images) if finish else out

    return jitter


def multiplied(images, rng, brightness=0.2, contrast=0.2):
    n = len(images)
    mean = images.mean(axis=(1, 2, 3), keepdims=True)
    factor = per_image(rng.uniform(1 - contrast, 1 + contrast, n)).astype(images.dtype)
    bright = per_image(rng.uniform(1 - brightness, 1 + brightness, n)).astype(images.dtype)
    return (mean + factor * (images - mean)) * bright


def channels_apart(images, rng, brightness=0.2, contrast=0.2):
    shift = rng.uniform(-brightness, brightness, (*images.shape[:2], 1, 1))
    return color_jitter(images, rng, 0.0, contrast) + shift.astype(images.dtype)


def jitter_by_loop(images, rng, brightness=0.2, contrast=0.2):
    out = np.zeros_like(images)
    for i, image in enumerate(images):
        f = 1 + contrast * (2 * rng.random() - 1)
        out[i] = (image - image.mean()) * f + image.mean() + brightness * (2 * rng.random() - 1)
    return out


def brightness_first(images, rng, brightness=0.2, contrast=0.2):
    shift = rng.uniform(-brightness, brightness, (len(images), 1, 1, 1)).astype(images.dtype)
    brighter = images + shift
    mean = brighter.mean(axis=(1, 2, 3), keepdims=True)
    factor = rng.uniform(1 - contrast, 1 + contrast, (len(images), 1, 1, 1)).astype(images.dtype)
    return (brighter - mean) * factor + mean


def mixed_with_the_mean(images, rng, brightness=0.2, contrast=0.2):
    out = []
    for image in images:
        a = rng.uniform(-contrast, contrast)
        out.append((1 + a) * image - a * np.mean(image) + rng.uniform(-brightness, brightness))
    return np.array(out, dtype=images.dtype)


def crop_shapes(rng):
    def case(n, c, h, w, size, check="", tags=(), dtype: type = np.float64, words=""):
        images = numbers(rng, n, c, h, w).astype(dtype)
        label = f"{words}images of shape {images.shape} and size = {size}"
        return Case(label, {"images": images, "size": size}, check, frozenset(tags))

    return [
        case(2, 3, 5, 8, 3, tags=[CONDUCT]),
        case(3, 2, 7, 4, 4),
        case(2, 1, 6, 9, 2),
        case(2, 2, 5, 5, 4, tags=["square"]),
        case(1, 2, 5, 6, 2, "N = 1"),
        case(2, 2, 4, 4, 4, "the whole image"),
        case(2, 2, 5, 7, 2, "float32", dtype=np.float32, words="float32 "),
    ]


def crops(images, size, centre=None, corners=None):
    h, w = images.shape[2:]
    middle = centre(h, w, size) if centre else ((h - size) // 2, (w - size) // 2)
    places = corners or (lambda b, r: [(0, 0), (0, r), (b, 0), (b, r)])
    where = [*places(h - size, w - size), middle]
    return np.stack([images[:, :, t : t + size, u : u + size] for t, u in where])


def ten(five, flip=lambda five: five[..., ::-1], join=np.concatenate):
    return lambda images, size: join([five(images, size), flip(five(images, size))])


def taken_alternately(pair):
    return np.stack(pair, axis=1).reshape(10, *pair[0].shape[1:])


def rounded_up(h, w, size):
    return -(-(h - size) // 2), -(-(w - size) // 2)


def columns_by_the_height(images, size):
    """Offsets of the rows used for columns as well; what lies outside is empty."""
    rest = images.shape[2] - size
    where = [(0, 0), (0, rest), (rest, 0), (rest, rest), (rest // 2, rest // 2)]
    width = max(images.shape[3], rest + size)
    wide = np.zeros((*images.shape[:3], width), images.dtype)
    wide[..., : images.shape[3]] = images
    return np.stack([wide[:, :, t : t + size, u : u + size] for t, u in where])


def half_of_the_image(h, w, size):
    return min(h // 2, h - size), min(w // 2, w - size)


def rows_and_columns_swapped(images, size):
    return crops(images, size, corners=lambda b, r: [(0, 0), (b, 0), (0, r), (b, r)])


def images_first(images, size):
    return np.swapaxes(ten(crops)(images, size), 0, 1)


def five_only(images, size):
    return crops(images, size)


def flips_of_the_image(images, size):
    return np.concatenate([crops(images, size), crops(images[..., ::-1], size)])


def ten_by_list(images, size):
    H, W = images.shape[2], images.shape[3]
    top, left = (H - size) // 2, (W - size) // 2
    out = [
        images[:, :, :size, :size],
        images[:, :, :size, W - size :],
        images[:, :, H - size :, :size],
        images[:, :, H - size :, W - size :],
        images[:, :, top : top + size, left : left + size],
    ]
    out += [np.flip(crop, axis=-1) for crop in out]
    return np.array(out)


def ten_by_filling(images, size):
    n, c, h, w = images.shape
    out = np.empty((10, n, c, size, size), dtype=images.dtype)
    rows = [0, 0, h - size, h - size, int((h - size) / 2)]
    columns = [0, w - size, 0, w - size, int((w - size) / 2)]
    for k in range(5):
        block = images[:, :, rows[k] : rows[k] + size, columns[k] : columns[k] + size]
        out[k], out[k + 5] = block, block[:, :, :, ::-1]
    return out


def ten_by_take(images, size):
    h, w = images.shape[2:]
    corners = [(0, 0), (0, w - size), (h - size, 0), (h - size, w - size)]
    corners.append(((h - size) // 2, (w - size) // 2))
    step = np.arange(size)
    straight = [np.take(np.take(images, t + step, axis=2), u + step, axis=3) for t, u in corners]
    return np.stack(straight + [crop[:, :, :, step[::-1]] for crop in straight])


JITTER = (
    Misconception(
        "one-draw-for-all-images",
        jitter_by(
            factors=lambda rng, n, c: np.array(rng.uniform(1 - c, 1 + c)),
            shifts=lambda rng, n, b: np.array(rng.uniform(-b, b)),
        ),
        "One factor and one shift are drawn for the whole batch; each image needs its own.",
        "draws",
        0.4,
    ),
    Misconception(
        "contrast-about-zero",
        jitter_by(mean=lambda images: np.zeros((1, 1, 1, 1), images.dtype)),
        "Contrast scales about 0 and so changes the brightness as well. Scale the distance from "
        "the image's own mean.",
        "brightness",
        0.35,
    ),
    Misconception(
        "mean-of-the-batch",
        jitter_by(mean=lambda images: images.mean(keepdims=True)),
        "Contrast scales about the mean of the whole batch; each image has a mean of its own.",
        "brightness",
        0.35,
    ),
    Misconception(
        "mean-of-each-channel",
        jitter_by(mean=lambda images: images.mean(axis=(2, 3), keepdims=True)),
        "Contrast scales about the mean of each channel; here it is the mean of the image.",
        "what becomes of an image",
        0.3,
    ),
    Misconception(
        "channels-apart",
        channels_apart,
        "Each channel has a shift of its own, which changes the colour. One number brightens a "
        "whole image.",
        "what becomes of an image",
        0.3,
    ),
    Misconception(
        "clipped",
        jitter_by(finish=lambda out, images: np.clip(out, 0, 1)),
        "The result is cut off at 0 and 1. Nothing is clipped here: after standardisation pixels "
        "lie on both sides of 0.",
        "what becomes of an image",
        0.3,
    ),
    Misconception(
        "brightness-multiplied",
        multiplied,
        "Brightness multiplies; here it is a number that is added to every pixel.",
        "brightness",
        0.3,
    ),
    Misconception(
        "only-brighter",
        jitter_by(shifts=lambda rng, n, b: per_image(rng.uniform(0, b, n))),
        "Images only get brighter. The shift lies on both sides of 0.",
        "brightness",
        0.3,
    ),
    Misconception(
        "only-more-contrast",
        jitter_by(factors=lambda rng, n, c: per_image(rng.uniform(1, 1 + c, n))),
        "Images only gain contrast. The factor lies on both sides of 1.",
        "contrast",
        0.3,
    ),
    Misconception(
        "contrast-around-zero",
        jitter_by(factors=lambda rng, n, c: per_image(rng.uniform(-c, c, n))),
        "The factor is drawn around 0, which wipes the image out. It should lie around 1.",
        "contrast",
        0.4,
    ),
    Misconception(
        "contrast-ignored",
        jitter_by(factors=lambda rng, n, c: np.ones((n, 1, 1, 1))),
        "The contrast never changes.",
        "contrast",
        0.4,
    ),
    Misconception(
        "brightness-ignored",
        jitter_by(shifts=lambda rng, n, b: np.zeros((n, 1, 1, 1))),
        "The brightness never changes.",
        "brightness",
        0.4,
    ),
    Misconception(
        "normal-draws",
        jitter_by(shifts=lambda rng, n, b: per_image(rng.normal(0, b, n) if b else np.zeros(n))),
        "The shift is drawn from a normal distribution and goes beyond ±brightness.",
        "brightness",
        0.3,
    ),
    Misconception(
        "noise-for-each-pixel",
        lambda images, rng, brightness=0.2, contrast=0.2: (
            color_jitter(images, rng, 0.0, contrast)
            + rng.uniform(-brightness, brightness, images.shape).astype(images.dtype)
        ),
        "Each pixel gets a shift of its own, which is noise. One number brightens a whole image.",
        "what becomes of an image",
        0.4,
    ),
    Misconception(
        "generator-ignored",
        lambda images, rng, brightness=0.2, contrast=0.2: color_jitter(
            images, np.random.default_rng(0), brightness, contrast
        ),
        "The draws do not come from rng, so every epoch sees the same colours.",
        "rng",
        0.3,
    ),
)

TEN = (
    Misconception(
        "columns-by-the-height",
        ten(columns_by_the_height),
        "Where a crop starts is worked out from the height for its columns as well; the width has "
        "its own. For square images one does not see it.",
        "values",
        0.3,
    ),
    Misconception(
        "crops-without-their-flips",
        five_only,
        "There are five crops. Each also comes mirrored, which makes ten.",
        "values",
        0.4,
    ),
    Misconception(
        "flipped-upside-down",
        ten(crops, lambda five: five[..., ::-1, :]),
        "The second five are upside down; mirror left and right, along the last axis.",
        "values",
        0.35,
    ),
    Misconception(
        "crops-of-the-flipped-image",
        flips_of_the_image,
        "The second five are crops of the mirrored image, so top left and top right change places. "
        "Mirror the crops, in their order.",
        "values",
        0.25,
    ),
    Misconception(
        "flips-in-between",
        ten(crops, join=taken_alternately),
        "Each crop is followed by its flip. The order is: five crops, then the flips of these.",
        "values",
        0.25,
    ),
    Misconception(
        "corners-in-another-order",
        ten(rows_and_columns_swapped),
        "Top right and bottom left change places: rows come before columns, so the second crop "
        "starts at row 0 and the last columns.",
        "values",
        0.25,
    ),
    Misconception(
        "centre-rounded-up",
        ten(lambda images, size: crops(images, size, rounded_up)),
        "When the space around the centre is odd, the crop starts one row or column too late: "
        "round down.",
        "values",
        0.2,
    ),
    Misconception(
        "centre-starts-in-the-middle",
        ten(lambda images, size: crops(images, size, half_of_the_image)),
        "The fifth crop starts in the middle of the image; its own middle should lie there.",
        "values",
        0.25,
    ),
    Misconception(
        "images-first",
        images_first,
        "The result is (N, 10, …); the ten crops come first, then the images.",
        "values",
        0.3,
    ),
)

EXERCISES = (
    Exercise(
        name="color_jitter",
        kind=Scripted("color_jitter"),
        reference={"color_jitter": color_jitter},
        cases=augmentation_cases(
            [
                {"brightness": 0.3, "contrast": 0.4},
                {},
                {"brightness": 0.0, "contrast": 0.3},
                {"brightness": 0.5, "contrast": 0.0},
            ]
        ),
        misconceptions=JITTER,
        variants=(jitter_by_loop, brightness_first, mixed_with_the_mean),
    ),
    Exercise(
        name="ten_crop",
        kind=Function(),
        reference={"ten_crop": ten_crop},
        cases=crop_shapes,
        misconceptions=TEN,
        variants=(ten_by_list, ten_by_filling, ten_by_take),
    ),
)
