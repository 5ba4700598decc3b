"""Automatic differentiators of scalars, as right as they are different."""

import math

import numpy as np


class Node:
    """A correct ``Value``; every operation notes its inputs with their local slopes."""

    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents = float(data), 0.0, list(parents)

    def of(self, other):
        return other if isinstance(other, Node) else type(self)(other)

    def node(self, data, *parents):
        return type(self)(data, parents)

    def __add__(self, other):
        other = self.of(other)
        return self.node(self.data + other.data, (self, 1.0), (other, 1.0))

    def __mul__(self, other):
        other = self.of(other)
        return self.node(self.data * other.data, (self, other.data), (other, self.data))

    def __sub__(self, other):
        other = self.of(other)
        return self.node(self.data - other.data, (self, 1.0), (other, -1.0))

    def __truediv__(self, other):
        other = self.of(other)
        slope = -self.data / other.data**2
        return self.node(self.data / other.data, (self, 1 / other.data), (other, slope))

    def __pow__(self, k):
        return self.node(self.data**k, (self, k * self.data ** (k - 1)))

    def __neg__(self):
        return self.node(-self.data, (self, -1.0))

    def __radd__(self, other):
        return self.of(other) + self

    def __rmul__(self, other):
        return self.of(other) * self

    def __rsub__(self, other):
        return self.of(other) - self

    def __rtruediv__(self, other):
        return self.of(other) / self

    def exp(self):
        e = math.exp(self.data)
        return self.node(e, (self, e))

    def log(self):
        return self.node(math.log(self.data), (self, 1 / self.data))

    def tanh(self):
        t = math.tanh(self.data)
        return self.node(t, (self, 1 - t * t))

    def relu(self):
        return self.node(max(0.0, self.data), (self, float(self.data > 0)))

    def max(self, other):
        other = self.of(other)
        first = float(self.data >= other.data)
        return self.node(max(self.data, other.data), (self, first), (other, 1 - first))

    def order(self):
        """All nodes, each after what it was computed from."""
        order, seen = [], set()

        def visit(node):
            if id(node) not in seen:
                seen.add(id(node))
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        return order

    def backward(self):
        self.grad = 1.0
        for node in reversed(self.order()):
            for parent, slope in node.parents:
                parent.grad += slope * node.grad


class ByClosures:
    """With a function per node that hands its gradient on, and everything derived."""

    def __init__(self, data, children=()):
        self.data = data
        self.grad = 0
        self._backward = lambda: None
        self._prev = set(children)

    def __add__(self, other):
        other = other if isinstance(other, ByClosures) else ByClosures(other)
        out = ByClosures(self.data + other.data, (self, other))

        def _backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, ByClosures) else ByClosures(other)
        out = ByClosures(self.data * other.data, (self, other))

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    def function(self, data, slope):
        out = ByClosures(data, (self,))

        def _backward():
            self.grad += slope * out.grad

        out._backward = _backward
        return out

    def __pow__(self, k):
        return self.function(self.data**k, k * self.data ** (k - 1))

    def exp(self):
        return self.function(np.exp(self.data), np.exp(self.data))

    def log(self):
        return self.function(np.log(self.data), 1.0 / self.data)

    def tanh(self):
        t = (math.exp(2 * self.data) - 1) / (math.exp(2 * self.data) + 1)
        return self.function(t, 1 - t**2)

    def relu(self):
        return self.function(0 if self.data < 0 else self.data, self.data > 0)

    def max(self, other):
        other = other if isinstance(other, ByClosures) else ByClosures(other)
        return self * 1 + (other - self).relu()

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return other + (-self)

    def __truediv__(self, other):
        other = other if isinstance(other, ByClosures) else ByClosures(other)
        return self * other**-1

    def __rtruediv__(self, other):
        return other * self**-1

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        topo, visited = [], set()

        def build(v):
            if v not in visited:
                visited.add(v)
                for child in v._prev:
                    build(child)
                topo.append(v)

        build(self)
        self.grad = 1
        for v in reversed(topo):
            v._backward()


class ByTape(Node):
    """Every node on one tape, in the order in which it was made."""

    tape = []

    def __init__(self, data, parents=()):
        super().__init__(data, parents)
        ByTape.tape.append(self)

    def backward(self):
        for node in ByTape.tape:
            node.grad = 0.0
        self.grad = 1.0
        for node in reversed(ByTape.tape):
            for parent, slope in node.parents:
                parent.grad += slope * node.grad


class ByCounting(Node):
    """Hands a gradient on when all users of a node have reported."""

    def backward(self):
        waiting = {id(node): 0 for node in self.order()}
        for node in self.order():
            for parent, _ in node.parents:
                waiting[id(parent)] += 1
        self.grad = np.float64(1)
        ready = [self]
        while ready:
            node = ready.pop()
            for parent, slope in node.parents:
                parent.grad = parent.grad + np.multiply(slope, node.grad)
                waiting[id(parent)] -= 1
                if not waiting[id(parent)]:
                    ready.append(parent)
