"""Mini-batches: shuffled without replacement, or drawn with it."""

import numpy as np

from autograder.battery.classes import Scripted
from autograder.battery.series import MANY
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.data.minibatches import minibatches, sample_batch


def epoch_cases(rng):
    def case(n, size, check="", repeats=2, words=""):
        args = {"n": n, "batch_size": size, "seed": int(rng.integers(2**31)), "repeats": repeats}
        return Case(f"n = {n} and batch_size = {size}{words}", args, check)

    return [
        case(23, 5),
        case(14, 3),
        case(8, 4, repeats=MANY, words=" over many epochs"),
        case(12, 4, "batches that come out even"),
        case(11, 11, "the whole set as one batch"),
        case(11, 40, "fewer examples than a batch"),
        case(13, 1, "batches of one"),
        case(1, 3, "a single example", repeats=0),
    ]


def _slices(order, size):
    for start in range(0, len(order), size):
        yield order[start : start + size]


def in_order(n, batch_size, rng):
    return _slices(np.arange(n), batch_size)


def last_dropped(n, batch_size, rng):
    order = rng.permutation(n)
    for start in range(0, n - batch_size + 1, batch_size):
        yield order[start : start + batch_size]


def last_filled_up(n, batch_size, rng):
    order = rng.permutation(n)
    count = -(-n // batch_size)
    return _slices(np.resize(order, count * batch_size), batch_size)


def last_shifted_back(n, batch_size, rng):
    order = rng.permutation(n)
    for start in range(0, n, batch_size):
        start = max(0, min(start, n - batch_size))
        yield order[start : start + batch_size]


def each_batch_drawn_anew(n, batch_size, rng):
    for start in range(0, n, batch_size):
        yield rng.choice(n, min(batch_size, n - start), replace=False)


def with_replacement(n, batch_size, rng):
    return _slices(rng.integers(n, size=n), batch_size)


def only_the_batches_shuffled(n, batch_size, rng):
    batches = list(_slices(np.arange(n), batch_size))
    whole, rest = (batches[:-1], batches[-1:]) if n % batch_size else (batches, [])
    rng.shuffle(whole)
    yield from [*whole, *rest]


def shuffled_within_batches(n, batch_size, rng):
    for batch in _slices(np.arange(n), batch_size):
        yield rng.permutation(batch)


def global_generator(n, batch_size, rng):
    return _slices(np.random.permutation(n), batch_size)  # noqa: NPY002


def seeded_afresh(n, batch_size, rng):
    return _slices(np.random.default_rng(0).permutation(n), batch_size)


def one_buffer(n, batch_size, rng):
    order = rng.permutation(n)
    buffer = np.empty(min(batch_size, n), dtype=int)
    for batch in _slices(order, batch_size):
        buffer[: len(batch)] = batch
        yield buffer[: len(batch)]


def sizes_swapped(n, batch_size, rng):
    return _slices(rng.permutation(n), max(1, n // batch_size))


def counted_from_one(n, batch_size, rng):
    return _slices(1 + rng.permutation(n), batch_size)


def only_the_first(n, batch_size, rng):
    yield rng.permutation(n)[:batch_size]


def as_numbers(n, batch_size, rng):
    return _slices(rng.permutation(n).astype(float), batch_size)


def by_shuffle(n, batch_size, rng):
    order = np.arange(n)
    rng.shuffle(order)
    return [order[i : i + batch_size] for i in range(0, n, batch_size)]


def by_sorting_numbers(n, batch_size, rng):
    order = np.argsort(rng.random(n))
    while len(order):
        yield order[:batch_size]
        order = order[batch_size:]


def by_split(n, batch_size, rng):
    order = rng.permutation(n)
    return np.split(order, range(batch_size, n, batch_size))


def by_popping(n, batch_size, rng):
    left, batch = rng.permutation(n).tolist(), []
    while left:
        batch.append(left.pop())
        if len(batch) == batch_size or not left:
            yield batch
            batch = []


def draw_cases(rng):
    def case(n, size, repeats, check=""):
        args = {"n": n, "batch_size": size, "seed": int(rng.integers(2**31)), "repeats": repeats}
        return Case(f"n = {n} and batch_size = {size}", args, check)

    return [
        case(20, 32, 20),
        case(9, 7, 40),
        case(12, 300, 12),
        case(6, 5, 60),
        case(7, 1, 80, "batches of one"),
    ]


def without_replacement(n, batch_size, rng):
    return rng.choice(n, min(n, batch_size), replace=False)


def without_replacement_where_it_fits(n, batch_size, rng):
    return rng.choice(n, batch_size, replace=batch_size > n)


def last_index_left_out(n, batch_size, rng):
    return rng.integers(n - 1, size=batch_size)


def one_index_too_many(n, batch_size, rng):
    return rng.integers(0, n, size=batch_size, endpoint=True)


def first_index_left_out(n, batch_size, rng):
    return rng.integers(1, n, size=batch_size)


def rounded(n, batch_size, rng):
    return np.rint(rng.uniform(0, n - 1, batch_size)).astype(int)


def normal_draws(n, batch_size, rng):
    drawn = rng.normal(n / 2, n / 6, batch_size).astype(int)
    return np.clip(drawn, 0, n - 1)


def own_seed(n, batch_size, rng):
    return np.random.default_rng(1).integers(n, size=batch_size)


def from_the_global_state(n, batch_size, rng):
    return np.random.randint(n, size=batch_size)  # noqa: NPY002


def a_column(n, batch_size, rng):
    return rng.integers(n, size=(batch_size, 1))


def one_index(n, batch_size, rng):
    return np.full(batch_size, rng.integers(n))


def a_mask(n, batch_size, rng):
    return rng.random(n) < batch_size / n


def by_choice(n, batch_size, rng):
    return rng.choice(np.arange(n), batch_size)


def by_floor(n, batch_size, rng):
    return np.floor(rng.random(batch_size) * n).astype(int)


def one_by_one(n, batch_size, rng):
    return [int(rng.integers(0, n)) for _ in range(batch_size)]


EXERCISES = (
    Exercise(
        name="minibatches",
        kind=Scripted("epoch"),
        reference={"minibatches": minibatches},
        cases=epoch_cases,
        misconceptions=(
            Misconception(
                "never-shuffled",
                in_order,
                "The examples come in the order in which they are stored. Files are often sorted "
                "by class, and then each batch sees one class only.",
                "shuffled",
                0.4,
            ),
            Misconception(
                "last-batch-dropped",
                last_dropped,
                "The examples that do not fill a batch are left out. The last batch may be short.",
                "each example once",
                0.3,
            ),
            Misconception(
                "last-batch-filled-up",
                last_filled_up,
                "The last batch is filled up with examples that have had their turn. It may be "
                "short; each example comes once.",
                "each example once",
                0.3,
            ),
            Misconception(
                "last-batch-shifted-back",
                last_shifted_back,
                "The last batch reaches back into the one before it. It may be short; each "
                "example comes once.",
                "each example once",
                0.3,
            ),
            Misconception(
                "each-batch-drawn-anew",
                each_batch_drawn_anew,
                "Each batch is drawn from the whole set, so within one epoch some examples come "
                "twice and others never. Shuffle once, then cut the order into pieces.",
                "each example once",
                0.4,
            ),
            Misconception(
                "drawn-with-replacement",
                with_replacement,
                "The indices are drawn with replacement. An epoch takes every example exactly "
                "once: what gives you all the numbers below n in random order?",
                "each example once",
                0.4,
                equivalent=("each-batch-drawn-anew",),
            ),
            Misconception(
                "only-the-batches-shuffled",
                only_the_batches_shuffled,
                "The batches come in a new order, but the same examples stay together in them for "
                "ever. Shuffle the examples before you cut.",
                "shuffled",
                0.3,
            ),
            Misconception(
                "shuffled-within-batches",
                shuffled_within_batches,
                "The examples are shuffled within each batch, which does not change its gradient. "
                "They must change batches.",
                "shuffled",
                0.3,
            ),
            Misconception(
                "global-generator",
                global_generator,
                "The order does not come from rng, so a run cannot be repeated. Draw from the "
                "generator that you are given.",
                "drawn from rng",
                0.2,
            ),
            Misconception(
                "seeded-afresh",
                seeded_afresh,
                "A generator is made inside with a fixed seed, so all epochs have the same order.",
                "shuffled",
                0.3,
            ),
            Misconception(
                "one-buffer",
                one_buffer,
                "All batches are one array that you fill again and again: who collects them finds "
                "the last one many times. Yield a fresh array each time.",
                "each example once",
                0.2,
            ),
            Misconception(
                "number-of-batches-for-their-size",
                sizes_swapped,
                "You cut the order into batch_size pieces; they should be pieces of batch_size.",
                "batch sizes",
                0.4,
            ),
            Misconception(
                "counted-from-one",
                counted_from_one,
                "The indices run from 1 to n. Python counts from 0, so the first example never "
                "comes and the last index does not exist.",
                "each example once",
                0.3,
            ),
            Misconception(
                "only-the-first-batch",
                only_the_first,
                "Only one batch comes. Go on until every example has had its turn.",
                "batch sizes",
                0.5,
            ),
            Misconception(
                "indices-are-floats",
                as_numbers,
                "The batches hold floating-point numbers, with which no array can be indexed.",
                "whole numbers",
                0.2,
            ),
        ),
        variants=(by_shuffle, by_sorting_numbers, by_split, by_popping),
    ),
    Exercise(
        name="sample_batch",
        kind=Scripted("with_replacement"),
        reference={"sample_batch": sample_batch},
        cases=draw_cases,
        misconceptions=(
            Misconception(
                "without-replacement",
                without_replacement,
                "No index ever comes twice, and a batch cannot be larger than n. This exercise "
                "draws with replacement: each draw is from all n.",
                "repeats",
                0.4,
            ),
            Misconception(
                "without-replacement-where-it-fits",
                without_replacement_where_it_fits,
                "While the batch is smaller than n no index comes twice. With replacement each "
                "draw is from all n, whatever the size.",
                "repeats",
                0.3,
            ),
            Misconception(
                "last-index-left-out",
                last_index_left_out,
                "The last example is never drawn: the upper bound of the draw is exclusive "
                "already.",
                "evenly drawn",
                0.3,
            ),
            Misconception(
                "one-index-too-many",
                one_index_too_many,
                "The index n comes up, which does not exist. Is the upper bound of your draw "
                "inclusive?",
                "range",
                0.3,
            ),
            Misconception(
                "first-index-left-out",
                first_index_left_out,
                "Example 0 is never drawn: Python counts from 0.",
                "evenly drawn",
                0.3,
            ),
            Misconception(
                "rounded-draws",
                rounded,
                "The first and the last index come half as often as the others: that is what "
                "rounding does at the ends.",
                "evenly drawn",
                0.3,
            ),
            Misconception(
                "normal-draws",
                normal_draws,
                "The indices cluster in the middle. All examples should be equally likely.",
                "evenly drawn",
                0.4,
                equivalent=("rounded-draws",),
            ),
            Misconception(
                "seeded-afresh",
                own_seed,
                "A generator is made inside with a fixed seed, so every batch is the same.",
                "drawn from rng",
                0.4,
            ),
            Misconception(
                "global-generator",
                from_the_global_state,
                "The draws do not come from rng, so a run cannot be repeated.",
                "drawn from rng",
                0.2,
            ),
            Misconception(
                "a-column",
                a_column,
                "The indices come as a column; one axis is enough, (batch_size,).",
                "shape",
                0.2,
            ),
            Misconception(
                "one-index-for-all",
                one_index,
                "One index is drawn and repeated. Draw batch_size of them.",
                "evenly drawn",
                0.4,
            ),
            Misconception(
                "a-mask-instead",
                a_mask,
                "You return a mask over the examples. Indices were asked for, exactly batch_size "
                "of them.",
                "shape",
                0.4,
            ),
        ),
        variants=(by_choice, by_floor, one_by_one),
    ),
)
