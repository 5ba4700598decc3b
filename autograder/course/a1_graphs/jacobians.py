"""Jacobians: formed in full, not formed at all, multiplied from the right side."""

import numpy as np

from autograder.battery.fixtures import Fixture
from autograder.battery.functions import CONDUCT, Function
from autograder.course.drawing import as_dtype, numbers, strided
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.graph import chain_rule, elementwise_jacobian, relu_vjp


def jacobian_cases(rng):
    def case(name, n, check="", tags=(), x=None):
        x = numbers(rng, n) if x is None else x
        args = {"f_prime": Fixture("slope", {"name": name}), "x": x}
        return Case(f"f' = {name} and {n} numbers", args, check, frozenset(tags))

    return [
        case("cos", 5, tags=[CONDUCT]),
        case("2x", 3),
        case("1 - tanh²", 7),
        case("exp", 4),
        case("cos", 1, "n = 1"),
        case("cos", 6, "non-contiguous", x=strided({"x": numbers(rng, 6)})["x"]),
        case("exp", 4, "float32", x=numbers(rng, 4).astype(np.float32)),
        case("cos", 4, "integer inputs", ["any float", "may refuse"], np.array([2, -1, 3, 1])),
    ]


def slopes_alone(f_prime, x):
    return f_prime(x)


def slopes_in_every_row(f_prime, x):
    return np.tile(f_prime(x), (len(x), 1))


def slopes_in_every_column(f_prime, x):
    return np.tile(f_prime(x)[:, None], (1, len(x)))


def outer_product(f_prime, x):
    return np.outer(f_prime(x), f_prime(x))


def of_the_diagonal_matrix(f_prime, x):
    return f_prime(np.diag(x))


def diagonal_of_x(f_prime, x):
    return np.diag(x)


def identity(f_prime, x):
    return np.eye(len(x), dtype=x.dtype)


def by_filling(f_prime, x):
    out = np.zeros((x.size, x.size), dtype=np.result_type(x, np.float32))
    for i in range(x.size):
        out[i, i] = f_prime(x[i])
    return out


def by_columns(f_prime, x):
    return np.eye(len(x), dtype=x.dtype) * f_prime(x)


def by_index(f_prime, x):
    slopes = f_prime(x)
    out = np.zeros((len(x),) * 2, slopes.dtype)
    np.fill_diagonal(out, slopes)
    return out


def vjp_cases(rng):
    def case(*shape, check="", tags=(), dtype: type = np.float64, change=None):
        args = {"x": numbers(rng, *shape), "dout": numbers(rng, *shape)}
        if change:
            args = change(args)
        words = f"{shape[0]} numbers" if len(shape) == 1 else f"x of shape {shape}"
        return Case(words, as_dtype(args, dtype), check, frozenset(tags))

    def zeros(args):
        x = args["x"].copy()
        x[::3] = 0.0
        return args | {"x": x}

    lecture = {"x": np.array([1.0, -2.0, 3.0, -1.0]), "dout": np.array([4.0, -1.0, 5.0, 9.0])}
    whole = {"x": np.array([1, -2, 3, -1]), "dout": numbers(rng, 4)}
    endless = {"x": numbers(rng, 5), "dout": numbers(rng, 5)}
    endless["x"][2], endless["dout"][2] = 1.5, np.inf
    return [
        Case("the numbers of the lecture", lecture, tags=frozenset({CONDUCT})),
        case(7),
        case(5),
        case(6),
        case(1, check="n = 1"),
        case(3, 4, check="more than one dimension"),
        case(7, check="kinks", change=zeros),
        case(6, check="non-contiguous", change=strided),
        case(5, check="float32", dtype=np.float32),
        Case("integers x", whole, "integer inputs", frozenset({"any float", "may refuse"})),
        Case("a gradient with an infinite entry", endless, "no Jacobian"),
    ]


def with_the_jacobian(x, dout):
    jacobian = np.diag((x.ravel() > 0).astype(dout.dtype))
    return (jacobian @ dout.ravel()).reshape(x.shape)


def with_the_jacobian_of_a_vector(x, dout):
    return np.diag((x > 0).astype(dout.dtype)) @ dout


def for_vectors_only(x, dout):
    dx = np.zeros_like(dout)
    for i in range(len(x)):
        if x[i] > 0:
            dx[i] = dout[i]
    return dx


def the_jacobian(x, dout):
    return np.diag((x > 0).astype(dout.dtype))


def relu_of_dout(x, dout):
    return np.maximum(0, dout)


def passes_everything(x, dout):
    return dout.copy()


def slope_alone(x, dout):
    return (x > 0).astype(dout.dtype)


def open_at_zero(x, dout):
    return dout * (x >= 0)


def relu_times_dout(x, dout):
    return np.maximum(0, x) * dout


def both_positive(x, dout):
    return np.where((x > 0) & (dout > 0), dout, 0)


def summed(x, dout):
    return np.sum(dout * (x > 0))


def mask_inverted(x, dout):
    return dout * (x <= 0)


def dout_overwritten(x, dout):
    dout[x <= 0] = 0
    return dout


def vjp_by_where(x, dout):
    return np.where(x > 0, dout, 0.0).astype(dout.dtype)


def vjp_by_copy(x, dout):
    dx = dout.copy()
    dx[x <= 0] = 0
    return dx


def vjp_by_list(x, dout):
    pairs = zip(np.ravel(x), np.ravel(dout), strict=True)
    return np.array([d if v > 0 else 0 * d for v, d in pairs]).reshape(x.shape)


def chain_cases(rng):
    def case(sizes, check="", tags=(), dtype: type = np.float64):
        links = [numbers(rng, b, a).astype(dtype) for a, b in zip(sizes, sizes[1:], strict=False)]
        words = f"a chain of sizes {' → '.join(map(str, sizes))}"
        return Case(words, {"jacobians": links}, check, frozenset(tags))

    def ordered(sizes):
        """Multiplied from the input's side this overflows, from the output's it does not."""
        made = case(sizes, "from the output's side")
        links = made.args["jacobians"]
        links[:-1] = [1e160 * link for link in links[:-1]]
        links[-1] = links[-1] * 1e-250
        return Case(f"huge slopes, sizes {' → '.join(map(str, sizes))}", made.args, made.check)

    return [
        case((5, 3, 4, 2), tags=[CONDUCT]),
        case((4, 6, 3)),
        case((2, 5, 3, 4, 1)),
        case((3, 3, 3, 3), tags=["square"]),
        case((4, 3), "a single link"),
        case((5, 3, 4, 2), "float32", dtype=np.float32),
        ordered((6, 7, 8, 1)),
        ordered((5, 9, 8, 7, 2)),
    ]


def from_the_input(jacobians):
    product = jacobians[0]
    for link in jacobians[1:]:
        product = link @ product
    return product.copy()


def in_list_order(jacobians):
    product = jacobians[0]
    for link in jacobians[1:]:
        product = product @ link
    return product.copy()


def transposed(jacobians):
    return chain_rule(jacobians).T


def elementwise(jacobians):
    product = jacobians[-1]
    for link in jacobians[-2::-1]:
        product = product * link
    return product.copy()


def added(jacobians):
    return sum(jacobians[1:], jacobians[0])


def without_the_first(jacobians):
    return chain_rule(jacobians[1:] or jacobians)


def without_the_last(jacobians):
    return chain_rule(jacobians[:-1] or jacobians)


def row_sums(jacobians):
    return chain_rule(jacobians).sum(axis=0)


def chain_reversed_list(jacobians):
    links = list(jacobians)[::-1]
    product = links.pop(0)
    while links:
        product = np.dot(product, links.pop(0))
    return product


def chain_from_identity(jacobians):
    product = np.eye(len(jacobians[-1]), dtype=jacobians[-1].dtype)
    for i in range(len(jacobians) - 1, -1, -1):
        product = np.einsum("ij,jk->ik", product, jacobians[i])
    return product


def chain_by_rows(jacobians):
    rows = []
    for row in jacobians[-1]:
        for link in reversed(jacobians[:-1]):
            row = row @ link
        rows.append(row)
    return np.array(rows)


def into_an_array_like_x(f_prime, x):
    out = np.zeros((len(x), len(x)), x.dtype)
    np.fill_diagonal(out, f_prime(x))
    return out


def slopes_times_inputs(f_prime, x):
    return np.diag(f_prime(x) * x)


def on_the_other_diagonal(f_prime, x):
    return np.fliplr(np.diag(f_prime(x)))


def sign_for_the_slope(x, dout):
    return dout * np.sign(x)


def halves_first(jacobians):
    if len(jacobians) < 2:
        return jacobians[0].copy()
    middle = len(jacobians) // 2
    return halves_first(jacobians[middle:]) @ halves_first(jacobians[:middle])


def list_turned_round(jacobians):
    jacobians.reverse()
    product = jacobians[0].copy()
    for link in jacobians[1:]:
        product = product @ link
    return product


EXERCISES = (
    Exercise(
        name="elementwise_jacobian",
        kind=Function(),
        reference={"elementwise_jacobian": elementwise_jacobian},
        cases=jacobian_cases,
        misconceptions=(
            Misconception(
                "slopes-alone",
                slopes_alone,
                "You return the n slopes. The Jacobian is n×n: where do they stand in it, and what "
                "stands elsewhere?",
                "values",
            ),
            Misconception(
                "slopes-in-every-row",
                slopes_in_every_row,
                "Every row holds all slopes. Output i depends on input i alone, so most of the "
                "matrix is 0.",
                "values",
            ),
            Misconception(
                "slopes-in-every-column",
                slopes_in_every_column,
                "Every column holds all slopes. Output i depends on input i alone, so most of the "
                "matrix is 0.",
                "values",
            ),
            Misconception(
                "outer-product",
                outer_product,
                "You multiply every slope with every other. Output i depends on input i alone.",
                "values",
            ),
            Misconception(
                "derivative-of-the-matrix",
                of_the_diagonal_matrix,
                "You apply f' to a diagonal matrix, and f'(0) need not be 0. First the slopes, "
                "then the matrix.",
                "values",
            ),
            Misconception(
                "inputs-on-the-diagonal",
                diagonal_of_x,
                "The inputs stand on the diagonal; the slopes should.",
                "values",
            ),
            Misconception(
                "identity",
                identity,
                "This is the identity: the Jacobian of a function that does nothing.",
                "values",
            ),
            Misconception(
                "slopes-cut-to-whole-numbers",
                into_an_array_like_x,
                "For whole numbers x the slopes are written into an array of whole numbers, which "
                "cuts off their fractions.",
                "integer inputs",
                0.2,
            ),
            Misconception(
                "slopes-times-inputs",
                slopes_times_inputs,
                "The slopes on the diagonal are multiplied with the inputs. The derivative of f at "
                "x is f'(x) alone.",
                "values",
            ),
            Misconception(
                "on-the-other-diagonal",
                on_the_other_diagonal,
                "The slopes run from the upper right to the lower left. Output i depends on input "
                "i: row and column have the same number.",
                "values",
            ),
        ),
        variants=(by_filling, by_columns, by_index),
    ),
    Exercise(
        name="relu_vjp",
        kind=Function(),
        reference={"relu_vjp": relu_vjp},
        cases=vjp_cases,
        misconceptions=(
            Misconception(
                "jacobian-formed",
                with_the_jacobian,
                "The numbers are right, but you form the Jacobian: n² numbers, nearly all of them "
                "0. For a million units that is a million times the work (and 0 times infinity is "
                "not a number). What does a diagonal matrix do to a vector?",
                "no Jacobian",
                0.3,
            ),
            Misconception(
                "jacobian-of-a-vector-formed",
                with_the_jacobian_of_a_vector,
                "You form the Jacobian: n² numbers, nearly all of them 0, and 0 times infinity is "
                "not a number. What does a diagonal matrix do to a vector? Done so, it works for "
                "x of any shape as well.",
                "no Jacobian",
                0.4,
            ),
            Misconception(
                "jacobian-returned",
                the_jacobian,
                "You return the Jacobian. Asked for is its product with dout, a vector.",
                "values",
            ),
            Misconception(
                "relu-of-the-gradient",
                relu_of_dout,
                "You rectify dout. What decides is the sign of x; gradients may well be negative.",
                "values",
            ),
            Misconception(
                "gradient-passes-everywhere",
                passes_everything,
                "dout comes through unchanged even where the unit was off.",
                "values",
            ),
            Misconception(
                "slope-alone",
                slope_alone,
                "These are the slopes, 1 or 0. The product with dout is missing.",
                "values",
            ),
            Misconception(
                "multiplied-by-the-value",
                relu_times_dout,
                "You multiply with the output of the unit. Its slope is 1 wherever it is on.",
                "values",
            ),
            Misconception(
                "both-positive",
                both_positive,
                "Negative gradients are lost. Only x decides what passes.",
                "values",
            ),
            Misconception(
                "mask-inverted",
                mask_inverted,
                "The gradient flows exactly where the unit was off. Turn the comparison round.",
                "values",
            ),
            Misconception(
                "summed",
                summed,
                "You return one number. The Jacobian is diagonal, so the product has an entry for "
                "each input.",
                "values",
            ),
            Misconception(
                "open-at-zero",
                open_at_zero,
                "At an input of exactly 0 the slope is 0 in this course. Look at the comparison.",
                "kinks",
            ),
            Misconception(
                "upstream-gradient-changed",
                dout_overwritten,
                "The zeros are written into dout, which belongs to the caller. Make a new array.",
                "conduct",
            ),
            Misconception(
                "vectors-only",
                for_vectors_only,
                "You walk along the first axis and ask of each x[i] whether it is positive. In a "
                "matrix x[i] is a row, of which that cannot be asked; x may have any shape.",
                "more than one dimension",
                0.2,
            ),
            Misconception(
                "sign-for-the-slope",
                sign_for_the_slope,
                "Where the unit is off you take −1 for its slope, so the gradient comes back "
                "turned round. A flat line has slope 0.",
                "values",
            ),
        ),
        variants=(vjp_by_where, vjp_by_copy, vjp_by_list),
    ),
    Exercise(
        name="chain_rule",
        kind=Function(),
        reference={"chain_rule": chain_rule},
        cases=chain_cases,
        misconceptions=(
            Misconception(
                "from-the-input-side",
                from_the_input,
                "The product is right, but you take it from the input's side, where large matrices "
                "meet large matrices (and these numbers overflow). Start at the output: a small "
                "matrix stays small all the way down.",
                "from the output's side",
                0.4,
            ),
            Misconception(
                "in-the-order-of-the-list",
                in_list_order,
                "You multiply in the order of the list, which runs from input to output. Which "
                "Jacobian acts first, and on which side does it stand?",
                "values",
            ),
            Misconception(
                "transposed",
                transposed,
                "The product is transposed: rows belong to the outputs, columns to the inputs.",
                "values",
            ),
            Misconception(
                "entry-by-entry",
                elementwise,
                "* multiplies entry by entry; the chain rule for vectors needs the product of "
                "matrices.",
                "values",
            ),
            Misconception(
                "added",
                added,
                "The Jacobians are added. Along a chain slopes multiply.",
                "values",
            ),
            Misconception(
                "first-link-missing",
                without_the_first,
                "The Jacobian of the first link never enters.",
                "values",
            ),
            Misconception(
                "last-link-missing",
                without_the_last,
                "The Jacobian of the last link never enters.",
                "values",
            ),
            Misconception(
                "outputs-summed",
                row_sums,
                "You add over the outputs. The Jacobian has a row for each of them.",
                "values",
            ),
            Misconception(
                "halves-first",
                halves_first,
                "The product is right, but it is multiplied out from the middle, where large "
                "matrices meet large matrices (and these numbers overflow). Start at the output "
                "and go link by link: a small matrix stays small all the way down.",
                "from the output's side",
                0.4,
            ),
            Misconception(
                "list-turned-round",
                list_turned_round,
                "The caller's own list is turned round: at the next call it comes in the wrong "
                "order. Go through it backwards without changing it.",
                "conduct",
            ),
        ),
        variants=(chain_reversed_list, chain_from_identity, chain_by_rows),
    ),
)
