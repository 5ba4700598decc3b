"""Scalar autodiff: every operation, shared nodes, kinks, and graphs of any depth."""

import inspect
import math

import pytest
from hypothesis import given

from cs_nn.autodiff import Value
from tests.strategies import numbers

OPERATIONS = {
    "x + y": lambda x, y: x + y,
    "x - y": lambda x, y: x - y,
    "x * y": lambda x, y: x * y,
    "x / y": lambda x, y: x / y,
    "-x": lambda x, y: -x,
    "x ** 3": lambda x, y: x**3,
    "x ** -1.5": lambda x, y: x**-1.5,
    "2 + x": lambda x, y: 2 + x,
    "x + 2": lambda x, y: x + 2,
    "2 - x": lambda x, y: 2 - x,
    "x - 2": lambda x, y: x - 2,
    "2 * x": lambda x, y: 2 * x,
    "x * 2": lambda x, y: x * 2,
    "2 / x": lambda x, y: 2 / x,
    "x / 2": lambda x, y: x / 2,
    "exp": lambda x, y: x.exp(),
    "log": lambda x, y: x.log(),
    "tanh": lambda x, y: x.tanh(),
    "relu": lambda x, y: x.relu(),
    "max": lambda x, y: x.max(y),
    "max with a number": lambda x, y: x.max(0.5),
    "shared": lambda x, y: x * x + x * y * x / (x + y),
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
@pytest.mark.parametrize(("a", "b"), [(1.3, 0.7), (0.4, 2.5)])
def test_gradient_is_the_slope(operation, a, b):
    x, y = Value(a), Value(b)
    operation(x, y).backward()
    h = 1e-6

    def f(a, b):
        return operation(Value(a), Value(b)).data

    assert x.grad == pytest.approx((f(a + h, b) - f(a - h, b)) / (2 * h), abs=1e-7)
    assert y.grad == pytest.approx((f(a, b + h) - f(a, b - h)) / (2 * h), abs=1e-7)


@given(numbers(), numbers())
def test_plain_numbers_stand_on_either_side(a, b):
    x = Value(a)
    assert (x + b).data == (b + x).data == a + b
    assert (x * b).data == (b * x).data == a * b
    assert ((x - b).data, (b - x).data) == (a - b, b - a)


def test_a_node_used_twice_collects_both_gradients():
    x = Value(3.0)
    (x + x).backward()
    assert x.grad == 2


def test_a_node_passes_its_gradient_on_only_when_complete():
    """y = 2x feeds z = y + y·y: breadth-first order would visit x too early."""
    x = Value(1.0)
    y = 2 * x
    z = y + y * y
    (z * y + y).backward()
    assert x.grad == pytest.approx(2 * (2 * 2 + 3 * 4 + 1))


def test_every_node_has_its_gradient():
    x, y, z = Value(-2.0), Value(5.0), Value(-4.0)
    q = x + y
    f = q * z
    assert (f.grad, q.grad, x.grad) == (0, 0, 0)
    f.backward()
    assert (f.grad, q.grad, z.grad, x.grad, y.grad) == (1, -4, 3, -4, -4)


def test_kinks():
    zero = Value(0.0)
    zero.relu().backward()
    assert zero.grad == 0
    a, b = Value(2.0), Value(2.0)
    a.max(b).backward()
    assert (a.grad, b.grad) == (1, 0)


@pytest.mark.parametrize(
    ("exponent", "data", "grad"),
    [(0, 1.0, 0.0), (1, 0.0, 1.0), (2, 0.0, 0.0), (0.5, 0.0, math.inf)],
)
def test_powers_of_zero(exponent, data, grad):
    x = Value(0.0)
    power = x**exponent
    power.backward()
    assert (power.data, x.grad) == (data, grad)


def test_a_chain_of_ten_thousand_nodes_needs_no_recursion():
    x = y = Value(1.0)
    for _ in range(10_000):
        y = y + 0.5
    y.backward()
    assert (y.data, x.grad) == (5001, 1)


def test_the_same_backward_twice_gives_the_same():
    x = Value(2.0)
    f = x * x
    f.backward()
    f.backward()
    assert x.grad == 4


def test_what_cannot_be_done_is_said():
    with pytest.raises(TypeError, match=r"plain number"):
        inspect.unwrap(Value.__pow__)(Value(2.0), Value(3.0))
    with pytest.raises(ValueError, match="log needs a positive number, not 0"):
        Value(0.0).log()
    with pytest.raises(ZeroDivisionError):
        Value(1.0) / 0
