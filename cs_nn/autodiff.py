"""Automatic differentiation of scalars in reverse mode.

A ``Value`` is a number that remembers the numbers it was computed from.
"""

from __future__ import annotations

import math

from cs_nn.arrays import Scalar


class Value:
    """A scalar in a computation graph: ``data``, and after ``backward()`` its gradient ``grad``.

    Every operation makes a new node and writes down, for each of its inputs, the local slope:
    the derivative of the result with respect to that input. ``backward`` needs nothing else.

    Attributes:
        data: the number, a float.
        grad: the derivative of the output with respect to this node, 0 before ``backward()``.
        parents: the nodes it was computed from, each with the local slope.
        operation: how it was computed, ``""`` for an input.
        label: a name for drawings.

    Source: the lecture on backpropagation; the idea of recording a graph, Wengert 1964.

    >>> x, y, z = Value(-2.0), Value(5.0), Value(-4.0)
    >>> f = (x + y) * z
    >>> f.backward()
    >>> x.grad, y.grad, z.grad
    (-4.0, -4.0, 3.0)
    """

    def __init__(self, data: Scalar, label: str = ""):
        self.data = float(data)
        self.grad = 0.0
        self.parents: tuple[tuple[Value, float], ...] = ()
        self.operation = ""
        self.label = label

    def __add__(self, other: Scalar | Value) -> Value:
        other = _as_value(other)
        return _node("+", self.data + other.data, (self, 1.0), (other, 1.0))

    def __mul__(self, other: Scalar | Value) -> Value:
        other = _as_value(other)
        return _node("·", self.data * other.data, (self, other.data), (other, self.data))

    def __sub__(self, other: Scalar | Value) -> Value:
        other = _as_value(other)
        return _node("−", self.data - other.data, (self, 1.0), (other, -1.0))

    def __truediv__(self, other: Scalar | Value) -> Value:
        other = _as_value(other)
        quotient = self.data / other.data
        return _node("/", quotient, (self, 1 / other.data), (other, -quotient / other.data))

    def __pow__(self, exponent: Scalar) -> Value:
        if isinstance(exponent, Value):
            raise TypeError("the exponent must be a plain number; write (y * x.log()).exp()")
        exponent = float(exponent)
        power = math.pow(self.data, exponent)
        return _node(f"^{exponent:g}", power, (self, _power_slope(self.data, exponent)))

    def __neg__(self) -> Value:
        return _node("−", -self.data, (self, -1.0))

    def __radd__(self, other: Scalar) -> Value:
        return _as_value(other) + self

    def __rmul__(self, other: Scalar) -> Value:
        return _as_value(other) * self

    def __rsub__(self, other: Scalar) -> Value:
        return _as_value(other) - self

    def __rtruediv__(self, other: Scalar) -> Value:
        return _as_value(other) / self

    def exp(self) -> Value:
        power = math.exp(self.data)
        return _node("exp", power, (self, power))

    def log(self) -> Value:
        """The natural logarithm; ValueError unless ``data`` is positive."""
        if self.data <= 0:
            raise ValueError(f"log needs a positive number, not {self.data}")
        return _node("log", math.log(self.data), (self, 1 / self.data))

    def tanh(self) -> Value:
        t = math.tanh(self.data)
        return _node("tanh", t, (self, 1 - t**2))

    def relu(self) -> Value:
        """max(0, x); at the kink x = 0 the slope is 0."""
        active = self.data > 0
        return _node("relu", self.data if active else 0.0, (self, 1.0 if active else 0.0))

    def max(self, other: Scalar | Value) -> Value:
        """The larger of two; a tie goes to self."""
        other = _as_value(other)
        wins = self.data >= other.data
        return _node(
            "max",
            self.data if wins else other.data,
            (self, 1.0 if wins else 0.0),
            (other, 0.0 if wins else 1.0),
        )

    def backward(self) -> None:
        """Sets ``grad`` of every node that this one was computed from, itself included.

        Nodes are visited after everything that uses them, so that a gradient is complete before
        it is passed on; a node used several times collects the sum.
        """
        order = _inputs_first(self)
        for node in order:
            node.grad = 0.0
        self.grad = 1.0
        for node in reversed(order):
            for parent, slope in node.parents:
                parent.grad += slope * node.grad

    def __repr__(self) -> str:
        return f"Value(data={self.data:g}, grad={self.grad:g})"


def _as_value(number: Scalar | Value) -> Value:
    return number if isinstance(number, Value) else Value(number)


def _node(operation: str, data: float, *parents: tuple[Value, float]) -> Value:
    node = Value(data)
    node.operation, node.parents = operation, parents
    return node


def _power_slope(base: float, exponent: float) -> float:
    """The derivative of a power, also where the base is 0 and the slope is 0 or infinite."""
    if exponent == 0:
        return 0.0
    if base == 0 and exponent < 1:
        return math.inf
    return exponent * math.pow(base, exponent - 1)


def _inputs_first(output: Value) -> list[Value]:
    """All nodes of the graph, each after its parents; with a stack, for graphs of any depth."""
    order: list[Value] = []
    seen: set[int] = set()
    stack = [(output, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((parent, False) for parent, _ in node.parents)
    return order
