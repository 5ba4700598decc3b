"""Augmentation of whole batches: geometry, distributions, and what must stay as it is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage, stats

from cs_nn.data.augmentation import (
    color_jitter,
    random_affine,
    random_crop,
    random_flip,
    random_resized_crop,
    ten_crop,
)
from tests.numerical import Unchanged

RANDOM = {
    "flip": random_flip,
    "crop": random_crop,
    "resized_crop": lambda images, rng: random_resized_crop(images, rng, 6),
    "jitter": color_jitter,
    "affine": random_affine,
}
each_random = pytest.mark.parametrize("augment", RANDOM.values(), ids=RANDOM)


def pictures(n=4, shape=(3, 8, 10), dtype=np.float64, seed=0):
    return np.random.default_rng(seed).standard_normal((n, *shape)).astype(dtype)


@each_random
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [0, 1, 5])
def test_dtype_shape_and_inputs_are_kept(augment, dtype, n):
    images = pictures(n, dtype=dtype)
    with Unchanged(images):
        new = augment(images, np.random.default_rng(0))
    assert new.dtype == dtype
    assert new.shape[:2] == (n, 3)
    assert new.shape[2:] == ((6, 6) if augment is RANDOM["resized_crop"] else (8, 10))
    assert not np.shares_memory(new, images)


@each_random
def test_each_image_is_drawn_for_itself_and_the_generator_goes_on(augment):
    images = np.repeat(pictures(1), 40, axis=0)
    rng = np.random.default_rng(0)
    new = augment(images, rng)
    assert any((image != new[0]).any() for image in new)
    assert (augment(images, rng) != new).any()
    np.testing.assert_array_equal(augment(images, np.random.default_rng(0)), new)


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_flip(p):
    images = pictures(2000, (1, 2, 3))
    new = random_flip(images, np.random.default_rng(1), p=p)
    same = (new == images).all(axis=(1, 2, 3))
    mirrored = (new == images[..., ::-1]).all(axis=(1, 2, 3))
    assert (same ^ mirrored).all()
    assert stats.binomtest(int(mirrored.sum()), 2000, p).pvalue > 1e-4


def test_crop_cuts_every_window_of_the_padded_image_equally_often():
    image = pictures(1, (2, 3, 4))
    n = 9000
    new = random_crop(np.repeat(image, n, axis=0), np.random.default_rng(1), padding=1)
    padded = np.pad(image[0], ((0, 0), (1, 1), (1, 1)))
    counts = [
        int((new == padded[:, top : top + 3, left : left + 4]).all(axis=(1, 2, 3)).sum())
        for top in range(3)
        for left in range(3)
    ]
    assert sum(counts) == n
    assert stats.chisquare(counts).pvalue > 1e-4


def test_crop_without_padding_is_the_image():
    np.testing.assert_array_equal(
        random_crop(pictures(), np.random.default_rng(0), padding=0), pictures()
    )
    with pytest.raises(ValueError, match="padding ≥ 0"):
        random_crop(pictures(), np.random.default_rng(0), padding=-1)


@given(value=st.floats(-100, 100), size=st.integers(1, 12), seed=st.integers(0, 2**32 - 1))
def test_constant_images_stay_constant(value, size, seed):
    rng = np.random.default_rng(seed)
    images = np.full((3, 2, 5, 7), value)
    np.testing.assert_array_equal(random_resized_crop(images, rng, size), value)
    np.testing.assert_array_equal(random_flip(images, rng), value)
    jittered = color_jitter(images, rng, brightness=0.0)
    np.testing.assert_allclose(jittered, value, rtol=1e-12)


def test_resized_crop_of_the_whole_at_the_same_size_is_the_image():
    images = pictures(shape=(3, 8, 8))
    new = random_resized_crop(images, np.random.default_rng(0), 8, scale=(1, 1))
    np.testing.assert_array_equal(new, images)


def test_resized_crop_is_a_bilinear_picture_of_a_part_of_the_right_area():
    """On a ramp of rows and columns the result tells where each of its pixels came from."""
    H, W, size, n = 64, 96, 16, 400
    rows, columns = np.meshgrid(np.arange(H), np.arange(W), indexing="ij")
    images = np.repeat(np.stack([rows, columns])[None].astype(float), n, axis=0)
    new = random_resized_crop(images, np.random.default_rng(2), size, scale=(0.25, 0.81))
    height = (new[:, 0, -1, 0] - new[:, 0, 0, 0]) * size / (size - 1)
    width = (new[:, 1, 0, -1] - new[:, 1, 0, 0]) * size / (size - 1)
    np.testing.assert_allclose(height, np.rint(height), atol=1e-9)
    area = height * width / (H * W)
    assert stats.kstest(area, stats.uniform(0.25, 0.56).cdf).pvalue > 1e-4
    np.testing.assert_allclose(height / width, H / W, rtol=0.03)
    top = new[:, 0, 0, 0] - height / size / 2 + 0.5
    assert top.min() >= -1e-9
    assert (top + height).max() <= H + 1e-9
    assert (top == 0).any()
    assert (top + height == H).any()


@pytest.mark.parametrize(
    ("size", "scale"), [(0, (0.5, 1.0)), (4, (0.0, 1.0)), (4, (0.9, 0.5)), (4, (0.5, 1.5))]
)
def test_resized_crop_refuses_impossible_sizes(size, scale):
    with pytest.raises(ValueError, match="needs size ≥ 1"):
        random_resized_crop(pictures(), np.random.default_rng(0), size, scale)


def test_jitter_scales_about_the_mean_of_each_image_and_adds():
    images = pictures(3000, (2, 3, 3)) + 5
    new = color_jitter(images, np.random.default_rng(1), brightness=0.4, contrast=0.3)
    shift = new.mean(axis=(1, 2, 3)) - images.mean(axis=(1, 2, 3))
    factor = new.std(axis=(1, 2, 3)) / images.std(axis=(1, 2, 3))
    assert stats.kstest(shift, stats.uniform(-0.4, 0.8).cdf).pvalue > 1e-4
    assert stats.kstest(factor, stats.uniform(0.7, 0.6).cdf).pvalue > 1e-4
    assert abs(np.corrcoef(shift, factor)[0, 1]) < 0.1
    centred = images - images.mean(axis=(1, 2, 3), keepdims=True)
    expected = images.mean(axis=(1, 2, 3)) + shift
    np.testing.assert_allclose(
        new, factor[:, None, None, None] * centred + expected[:, None, None, None]
    )


NO_CHANGE = {"degrees": 0, "translate": 0, "scale": (1, 1), "shear": 0}


def recovered_affine(n=500, **changes):
    """The maps from result to source that `random_affine` drew, read off two ramps.

    (n, 2, 3): [row, column] of the source = matrix · [row, column, 1], about the centre.
    """
    H, W = 41, 61
    rows, columns = np.meshgrid(np.arange(H) - 20.0, np.arange(W) - 30.0, indexing="ij")
    # An offset keeps the ramps apart from the zeros outside.
    images = np.repeat(np.stack([rows, columns, np.ones_like(rows)])[None], n, axis=0)
    new = random_affine(images, np.random.default_rng(4), **(NO_CHANGE | changes))
    centre = (slice(None), slice(None), slice(17, 24), slice(27, 34))
    np.testing.assert_allclose(new[centre][:, 2], 1)
    basis = np.stack([rows, columns, np.ones_like(rows)], axis=-1)[17:24, 27:34].reshape(-1, 3)
    values = new[centre][:, :2].reshape(n, 2, -1)
    fitted = values @ np.linalg.pinv(basis).T
    np.testing.assert_allclose(fitted @ basis.T, values, atol=1e-9)
    return fitted


def test_affine_that_changes_nothing_is_the_image():
    images = pictures()
    new = random_affine(images, np.random.default_rng(0), **NO_CHANGE)
    np.testing.assert_array_equal(new, images)


def test_affine_rotation():
    maps = recovered_affine(degrees=30)
    linear = maps[:, :, :2]
    gram = linear @ linear.transpose(0, 2, 1)
    np.testing.assert_allclose(gram, np.broadcast_to(np.eye(2), gram.shape), atol=1e-9)
    np.testing.assert_allclose(maps[:, :, 2], 0, atol=1e-9)
    angle = np.degrees(np.arctan2(maps[:, 1, 0], maps[:, 0, 0]))
    assert stats.kstest(angle, stats.uniform(-30, 60).cdf).pvalue > 1e-4


def test_affine_translation():
    maps = recovered_affine(translate=0.2)
    linear = maps[:, :, :2]
    np.testing.assert_allclose(linear, np.broadcast_to(np.eye(2), linear.shape), atol=1e-9)
    assert stats.kstest(maps[:, 0, 2], stats.uniform(-8.2, 16.4).cdf).pvalue > 1e-4
    assert stats.kstest(maps[:, 1, 2], stats.uniform(-12.2, 24.4).cdf).pvalue > 1e-4


def test_affine_scale():
    maps = recovered_affine(scale=(0.5, 2))
    factor = 1 / maps[:, 0, 0]
    unscaled = maps[:, :, :2] * factor[:, None, None]
    np.testing.assert_allclose(unscaled, np.broadcast_to(np.eye(2), unscaled.shape), atol=1e-9)
    assert stats.kstest(factor, stats.uniform(0.5, 1.5).cdf).pvalue > 1e-4


def test_affine_shear():
    maps = recovered_affine(shear=20)
    np.testing.assert_allclose(maps[:, 0, :2], [[1, 0]] * 500, atol=1e-9)
    np.testing.assert_allclose(maps[:, 1, 1], 1)
    angle = np.degrees(np.arctan(maps[:, 1, 0]))
    assert stats.kstest(angle, stats.uniform(-20, 40).cdf).pvalue > 1e-4


def test_affine_is_bilinear_with_zeros_outside():
    """The same picture as SciPy's, for the rotation that was drawn."""
    image = pictures(1, (1, 9, 12))
    new = random_affine(image, np.random.default_rng(3), **(NO_CHANGE | {"degrees": 40}))
    # The first draw of the same generator is the angle.
    angle = np.radians(np.random.default_rng(3).uniform(-40, 40, size=1))[0]
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = np.array([4.0, 5.5])
    expected = ndimage.affine_transform(
        image[0, 0], turn, offset=centre - turn @ centre, order=1, mode="grid-constant"
    )
    np.testing.assert_allclose(new[0, 0], expected, atol=1e-12)


def test_affine_refuses_to_vanish():
    with pytest.raises(ValueError, match="positive scales"):
        random_affine(pictures(), np.random.default_rng(0), scale=(0, 1))


def test_ten_crop_order_and_flips():
    images = pictures(2, (3, 7, 10))
    with Unchanged(images):
        crops = ten_crop(images, 4)
    assert crops.shape == (10, 2, 3, 4, 4)
    corners = [(0, 0), (0, 6), (3, 0), (3, 6), (1, 3)]
    for crop, flip, (top, left) in zip(crops[:5], crops[5:], corners, strict=True):
        expected = images[:, :, top : top + 4, left : left + 4]
        np.testing.assert_array_equal(crop, expected)
        np.testing.assert_array_equal(flip, expected[..., ::-1])
    assert ten_crop(images.astype(np.float32), 7).dtype == np.float32
    for size in (0, 8):
        with pytest.raises(ValueError, match="choose a size from 1 to 7"):
            ten_crop(images, size)
