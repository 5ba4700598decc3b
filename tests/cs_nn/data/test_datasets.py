"""The digits that ship with the package, and the toy problems."""

import numpy as np
import pytest

from cs_nn.data.datasets import blobs, load_digits, moons, spirals, xor


def test_digits_are_complete_and_split_once_and_for_all():
    digits, again = load_digits(), load_digits()
    assert [len(part) for part in digits] == [1197, 1197, 300, 300, 300, 300]
    assert digits.x_train.shape[1:] == (1, 8, 8)
    images = np.concatenate([digits.x_train, digits.x_val, digits.x_test])
    labels = np.concatenate([digits.y_train, digits.y_val, digits.y_test])
    assert (images.min(), images.max()) == (0, 1)
    # the class counts of the UCI test set
    counts = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    np.testing.assert_array_equal(np.bincount(labels), counts)
    for part, same in zip(digits, again, strict=True):
        np.testing.assert_array_equal(part, same)


def test_the_split_does_not_move():
    """A student's accuracy of last week must be this week's: the first labels, written down."""
    assert load_digits().y_train[:10].tolist() == [6, 5, 1, 3, 9, 4, 7, 1, 3, 4]


def test_digits_image_and_label_belong_together():
    """The mean image of each class classifies nine of ten test digits."""
    digits = load_digits(dtype=np.float32)
    assert digits.x_train.dtype == np.float32
    means = np.stack([digits.x_train[digits.y_train == k].mean(axis=0) for k in range(10)])
    distances = ((digits.x_test[:, None] - means) ** 2).sum(axis=(2, 3, 4))
    assert np.mean(distances.argmin(axis=1) == digits.y_test) > 0.85


def test_digits_in_another_order_and_other_sizes():
    digits = load_digits(validation=0, test=97, rng=np.random.default_rng(1))
    assert [len(part) for part in digits[::2]] == [1700, 0, 97]
    assert not np.array_equal(digits.y_train[:300], load_digits().y_train[:300])
    with pytest.raises(ValueError, match="ask for fewer"):
        load_digits(validation=1000, test=797)


@pytest.mark.parametrize(("generator", "classes"), [(spirals, 3), (moons, 2), (blobs, 3), (xor, 2)])
def test_toy_data_come_from_the_generator_given(generator, classes):
    points, labels = generator(100, np.random.default_rng(2))
    again, _ = generator(100, np.random.default_rng(2))
    other, _ = generator(100, np.random.default_rng(3))
    assert points.shape == (100, 2)
    assert set(labels.tolist()) == set(range(classes))
    np.testing.assert_array_equal(points, again)
    assert not np.array_equal(points, other)


def test_classes_are_evenly_filled():
    for generator in (spirals, blobs):
        _, labels = generator(11, np.random.default_rng(0), classes=4)
        np.testing.assert_array_equal(np.bincount(labels), [3, 3, 3, 2])


@pytest.mark.parametrize("generator", [moons, spirals, xor])
def test_no_line_separates_the_interesting_ones(generator):
    """Least squares on the plane fails where the course needs a hidden layer."""
    points, labels = generator(600, np.random.default_rng(4))
    features = np.column_stack([points, np.ones(600)])
    weights, *_ = np.linalg.lstsq(features, np.eye(labels.max() + 1)[labels], rcond=None)
    assert np.mean((features @ weights).argmax(axis=1) == labels) < 0.95


def test_moons_and_xor_are_what_they_say_without_noise():
    points, labels = moons(50, np.random.default_rng(5), noise=0)
    centre = np.where(labels[:, None] == 0, [0.0, 0.0], [1.0, 0.5])
    np.testing.assert_allclose(np.linalg.norm(points - centre, axis=1), 1)
    points, labels = xor(50, np.random.default_rng(6))
    np.testing.assert_array_equal(labels, points.prod(axis=1) < 0)
