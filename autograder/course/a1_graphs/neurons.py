"""The lecture's first graphs: a product, a neuron."""

import numpy as np

from autograder.battery.functions import CONDUCT, Function
from autograder.course.drawing import as_dtype, numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.graph import product_graph, sigmoid_neuron


def product_cases(rng):
    def case(x, y, z, *, check="", tags=()):
        args = {"x": x, "y": y, "z": z}
        return Case(f"x = {x}, y = {y}, z = {z}", args, check, frozenset(tags))

    def draw():
        return [float(v) for v in numbers(rng, 3)]

    return [
        case(-2.0, 5.0, -4.0, tags=[CONDUCT]),
        case(*draw()),
        case(*draw()),
        case(*(10 * v for v in draw())),
        case(1.5, -1.5, 2.0, check="x + y = 0"),
        case(0.0, 0.0, 3.0, check="zeros"),
        case(2.5, 1.25, 0.0, check="zeros"),
    ]


def product(dx, dy, dz, f=lambda x, y, z: (x + y) * z):
    """A wrong answer with these derivatives."""
    return lambda x, y, z: (f(x, y, z), dx(x, y, z), dy(x, y, z), dz(x, y, z))


def of_z(x, y, z):
    return z


def of_q(x, y, z):
    return x + y


def product_by_name(x, y, z):
    q = x + y
    f = q * z
    dfdz = q
    dfdq = z
    return f, dfdq * 1.0, dfdq * 1.0, dfdz


def product_as_list(x, y, z):
    return [x * z + y * z, z, z, x + y]


def product_in_arrays(x, y, z):
    values = np.array([x, y, z])
    q, dq = values[:2].sum(), values[2]
    return np.float64(q * dq), dq, dq, np.array(q)


def neuron_cases(rng):
    def case(args, words="", check="", tags=()):
        words = words or f"w = {np.array2string(args['w'], separator=', ')}"
        return Case(words, args, check, frozenset(tags))

    def draw():
        """Moderate numbers: where σ is flat, honest slopes differ in their last digits."""
        return {"w": np.clip(numbers(rng, 3), -1.2, 1.2), "x": np.clip(numbers(rng, 2), -1.2, 1.2)}

    narrow = as_dtype(draw(), np.float32)
    tags = ["any float", "may refuse"]
    lecture = {"w": np.array([2.0, -3.0, -3.0]), "x": np.array([-1.0, -2.0])}
    whole = lecture | {"w": np.array([2, -3, -3])}
    return [
        case(lecture, tags=[CONDUCT]),
        case(draw()),
        case(draw()),
        case(draw()),
        case(narrow, words="float32 w and x", check="float32"),
        case(whole, words="integers w", check="integer inputs", tags=tags),
    ]


def neuron(change):
    """A wrong neuron: ``change(s, w, x)`` gives what differs of f, slope, dw and dx."""

    def wrong(w, x):
        dot = w[0] * x[0] + w[1] * x[1] + w[2]
        s = 1 / (1 + np.exp(-dot))
        parts = {"f": s, "slope": s * (1 - s)} | change(s, w, x)
        slope = parts["slope"]
        dw = np.array([x[0] * slope, x[1] * slope, slope])
        dx = np.array([w[0] * slope, w[1] * slope])
        return parts["f"], parts.get("dw", dw), parts.get("dx", dx)

    return wrong


def bias_forgotten(w, x):
    s = 1 / (1 + np.exp(-(w[0] * x[0] + w[1] * x[1])))
    slope = s * (1 - s)
    return s, slope * np.array([x[0], x[1], x[0] ** 0]), slope * w[:2]


def no_sigmoid(w, x):
    return w[0] * x[0] + w[1] * x[1] + w[2], np.array([x[0], x[1], x[0] ** 0]), w[:2].copy()


def neuron_by_tanh(w, x):
    one = np.append(x, x.dtype.type(1))
    s = (1 + np.tanh((w * one).sum() / 2)) / 2
    return s, s * (1 - s) * one, s * (1 - s) * w[:2]


def neuron_step_by_step(w, x):
    dot = w[0] * x[0] + w[1] * x[1] + w[2]
    e = np.exp(-dot)
    d = 1 + e
    f = 1 / d
    dd = -1 / d**2
    de = dd
    ddot = -e * de
    dw, dx = np.zeros(3, w.dtype), np.zeros(2, x.dtype)
    if w.dtype.kind != "f":
        dw, dx = dw.astype(float), dx.astype(float)
    dw[0], dw[1], dw[2] = x[0] * ddot, x[1] * ddot, ddot
    dx[0], dx[1] = w[0] * ddot, w[1] * ddot
    return f, dw, dx


def neuron_by_dot(w, x):
    f = 1.0 / (1.0 + np.exp(-(w[:2] @ x + w[2])))
    dot = (1 - f) * f
    return [f, np.concatenate([x * dot, [dot]]).astype(np.result_type(f)), w[:2] * dot]


def other_sign_in_the_exponent(w, x):
    s = 1 / (1 + np.exp(w[0] * x[0] + w[1] * x[1] + w[2]))
    slope = -s * (1 - s)
    return s, slope * np.append(x, x.dtype.type(1)), slope * w[:2]


def bias_subtracted(w, x):
    s = 1 / (1 + np.exp(w[2] - w[0] * x[0] - w[1] * x[1]))
    slope = s * (1 - s)
    return s, slope * np.append(x, x.dtype.type(-1)), slope * w[:2]


EXERCISES = (
    Exercise(
        name="product_graph",
        kind=Function(("f", "dx", "dy", "dz")),
        reference={"product_graph": product_graph},
        cases=product_cases,
        misconceptions=(
            Misconception(
                "derivatives-not-swapped",
                product(of_q, of_q, of_z),
                "The gradients of the product are the wrong way round: a factor's gradient is the "
                "other factor.",
                "dx",
                0.6,
            ),
            Misconception(
                "add-gate-scales",
                product(lambda x, y, z: y * z, lambda x, y, z: x * z, of_q),
                "At the + you scale with the other input, as for a product. An add gate hands the "
                "gradient on as it is.",
                "dx",
                0.5,
            ),
            Misconception(
                "add-gate-scales-by-its-input",
                product(lambda x, y, z: x * z, lambda x, y, z: y * z, of_q),
                "At the + you scale with the input itself. What is the derivative of x + y for x?",
                "dx",
                0.5,
            ),
            Misconception(
                "stopped-at-the-sum",
                product(lambda x, y, z: 1.0, lambda x, y, z: 1.0, of_q),
                "dx and dy are the local derivatives of q = x + y. The chain rule multiplies them "
                "with what comes from above, df/dq.",
                "dx",
                0.5,
            ),
            Misconception(
                "gradient-of-z-is-z",
                product(of_z, of_z, of_z),
                "df/dz is z. Differentiate q·z for z: what is left?",
                "dz",
                0.4,
            ),
            Misconception(
                "gradient-of-z-is-f",
                product(of_z, of_z, lambda x, y, z: (x + y) * z),
                "df/dz still has the factor z. Differentiate q·z for z: what is left?",
                "dz",
                0.4,
            ),
            Misconception(
                "minus-for-y",
                product(of_z, lambda x, y, z: -z, of_q),
                "df/dy has the sign of a difference; y is added.",
                "dy",
                0.4,
            ),
            Misconception(
                "bracket-forgotten",
                product(of_z, of_z, of_q, f=lambda x, y, z: x + y * z),
                "f is x + y·z: without brackets the product comes first.",
                "f",
                0.4,
            ),
            Misconception(
                "product-for-sum",
                product(of_z, of_z, of_q, f=lambda x, y, z: x * y * z),
                "f is x·y·z; x and y are added.",
                "f",
                0.4,
            ),
            Misconception(
                "one-input-of-the-sum",
                product(of_z, of_z, lambda x, y, z: y),
                "df/dz is y alone. z multiplies the whole sum, and x has its share in it.",
                "dz",
                0.4,
            ),
            Misconception(
                "other-input-of-the-sum",
                product(of_z, of_z, lambda x, y, z: x),
                "df/dz is x alone. z multiplies the whole sum, and y has its share in it.",
                "dz",
                0.4,
            ),
            Misconception(
                "difference-for-sum",
                product(
                    of_z, lambda x, y, z: -z, lambda x, y, z: x - y, f=lambda x, y, z: (x - y) * z
                ),
                "This is (x − y)·z with its gradients; x and y are added.",
                "f",
                0.6,
            ),
        ),
        variants=(product_by_name, product_as_list, product_in_arrays),
    ),
    Exercise(
        name="sigmoid_neuron",
        kind=Function(("f", "dw", "dx")),
        reference={"sigmoid_neuron": sigmoid_neuron},
        cases=neuron_cases,
        misconceptions=(
            Misconception(
                "slope-of-the-sigmoid-forgotten",
                neuron(lambda s, w, x: {"slope": s**0}),
                "The gradients are those of the weighted sum. On the way back they pass through "
                "the sigmoid too, with its local slope.",
                "dw",
                0.5,
            ),
            Misconception(
                "sigmoid-for-its-slope",
                neuron(lambda s, w, x: {"slope": s}),
                "You multiply with σ where its derivative is needed; a factor is missing.",
                "dw",
                0.5,
            ),
            Misconception(
                "other-half-of-the-slope",
                neuron(lambda s, w, x: {"slope": 1 - s}),
                "You multiply with 1 − σ; the derivative of σ has one more factor.",
                "dw",
                0.5,
            ),
            Misconception(
                "sign-of-the-slope",
                neuron(lambda s, w, x: {"slope": -s * (1 - s)}),
                "The gradients have the wrong sign. On the way through 1/(1 + e^(−t)) there are "
                "two minus signs: did one get lost?",
                "dw",
                0.5,
            ),
            Misconception(
                "slope-squared",
                neuron(lambda s, w, x: {"slope": (s * (1 - s)) ** 2}),
                "The slope of the sigmoid is multiplied in twice.",
                "dw",
                0.5,
            ),
            Misconception(
                "bias-gradient-is-the-bias",
                neuron(lambda s, w, x: {"dw": s * (1 - s) * np.array([x[0], x[1], w[2]])}),
                "The last entry of dw is scaled with w2. The bias is added, multiplied with "
                "nothing.",
                "dw",
                0.4,
            ),
            Misconception(
                "bias-without-the-slope",
                neuron(
                    lambda s, w, x: {"dw": np.array([x[0] * s * (1 - s), x[1] * s * (1 - s), s**0])}
                ),
                "The gradient of the bias is 1. It too comes back through the sigmoid.",
                "dw",
                0.4,
            ),
            Misconception(
                "bias-gradient-missing",
                neuron(lambda s, w, x: {"dw": s * (1 - s) * x}),
                "dw has two entries; w has three, the bias among them.",
                "dw",
                0.4,
            ),
            Misconception(
                "not-swapped",
                neuron(
                    lambda s, w, x: {
                        "dw": s * (1 - s) * np.append(w[:2], w.dtype.type(1)),
                        "dx": s * (1 - s) * x,
                    }
                ),
                "dw is made of the weights and dx of the inputs. At a product each factor gets "
                "the other.",
                "dw",
                0.5,
            ),
            Misconception(
                "bias-forgotten",
                bias_forgotten,
                "w2 never enters the sum.",
                "f",
                0.5,
            ),
            Misconception(
                "no-sigmoid",
                no_sigmoid,
                "This is the weighted sum; the neuron puts it through a sigmoid.",
                "f",
            ),
            Misconception(
                "bias-among-the-inputs",
                neuron(lambda s, w, x: {"dx": s * (1 - s) * w}),
                "dx has three entries, one for the bias. x has two: the bias multiplies no input.",
                "dx",
                0.3,
            ),
            Misconception(
                "weights-in-the-wrong-order",
                neuron(lambda s, w, x: {"dx": s * (1 - s) * w[1::-1]}),
                "In dx the two weights are exchanged: x0 is multiplied by w0.",
                "dx",
                0.4,
            ),
            Misconception(
                "no-gradient-for-the-bias",
                neuron(lambda s, w, x: {"dw": s * (1 - s) * np.append(x, x.dtype.type(0))}),
                "The bias gets no gradient. It is added to the sum, so its slope there is 1.",
                "dw",
                0.4,
            ),
            Misconception(
                "sign-in-the-exponent",
                other_sign_in_the_exponent,
                "This neuron falls where it should rise, and its gradients with it: look at the "
                "sign in the exponent of the sigmoid.",
                "f",
                0.5,
            ),
            Misconception(
                "bias-subtracted",
                bias_subtracted,
                "w2 is subtracted from the sum; the bias is added.",
                "f",
                0.5,
            ),
        ),
        variants=(neuron_by_tanh, neuron_step_by_step, neuron_by_dot),
    ),
)
