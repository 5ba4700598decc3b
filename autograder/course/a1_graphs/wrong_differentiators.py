"""Automatic differentiators of scalars that are wrong in one rule each."""

import math

from autograder.course.a1_graphs.differentiators import Node


class Assigns(Node):
    def backward(self):
        self.grad = 1.0
        for node in reversed(self.order()):
            for parent, slope in node.parents:
                parent.grad = slope * node.grad


class OutputNotOne(Node):
    def backward(self):
        for node in reversed(self.order()):
            for parent, slope in node.parents:
                parent.grad += slope * node.grad


class DepthFirst(Node):
    def backward(self):
        self.grad = 1.0
        seen = set()

        def visit(node):
            if id(node) in seen:
                return
            seen.add(id(node))
            for parent, slope in node.parents:
                parent.grad += slope * node.grad
            for parent, _ in node.parents:
                visit(parent)

        visit(self)


class BreadthFirst(Node):
    def backward(self):
        self.grad = 1.0
        queue, seen = [self], {id(self)}
        for node in queue:
            for parent, slope in node.parents:
                parent.grad += slope * node.grad
                if id(parent) not in seen:
                    seen.add(id(parent))
                    queue.append(parent)


class PushesTotals(Node):
    def backward(self):
        self.grad = 1.0
        self.push()

    def push(self):
        for parent, slope in self.parents:
            parent.grad += slope * self.grad
            parent.push()


class EveryPath(Node):
    def backward(self):
        self.push(1.0)

    def push(self, upstream):
        self.grad += upstream
        for parent, slope in self.parents:
            parent.push(slope * upstream)


class OnlyOneStep(Node):
    def backward(self):
        self.grad = 1.0
        for parent, slope in self.parents:
            parent.grad += slope * self.grad


class LeavesOnly(Node):
    def backward(self):
        super().backward()
        for node in self.order():
            if node.parents:
                node.grad = 0.0


class ParentsInADict(Node):
    def node(self, data, *parents):
        return type(self)(data, list({id(p): (p, s) for p, s in parents}.values()))


class UpstreamForgotten(Node):
    def backward(self):
        self.grad = 1.0
        for node in reversed(self.order()):
            for parent, slope in node.parents:
                parent.grad += slope


class EqualNumbersAreOne(Node):
    """What ``in`` finds in a list of nodes whose ``__eq__`` compares their numbers."""

    def order(self):
        order, seen = [], set()

        def visit(node):
            if node.data not in seen:
                seen.add(node.data)
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        return order


class SubtractAdds(Node):
    def __sub__(self, other):
        other = self.of(other)
        return self.node(self.data - other.data, (self, 1.0), (other, 1.0))


class NegationKeepsTheSign(Node):
    def __neg__(self):
        return self.node(-self.data, (self, 1.0))


class ProductNotSwapped(Node):
    def __mul__(self, other):
        other = self.of(other)
        return self.node(self.data * other.data, (self, self.data), (other, other.data))


class QuotientSign(Node):
    def __truediv__(self, other):
        other = self.of(other)
        slope = self.data / other.data**2
        return self.node(self.data / other.data, (self, 1 / other.data), (other, slope))


class QuotientNotSquared(Node):
    def __truediv__(self, other):
        other = self.of(other)
        slope = -self.data / other.data
        return self.node(self.data / other.data, (self, 1 / other.data), (other, slope))


class QuotientOfOne(Node):
    def __truediv__(self, other):
        other = self.of(other)
        slope = -1 / other.data**2
        return self.node(self.data / other.data, (self, 1 / other.data), (other, slope))


class DifferenceTurned(Node):
    __rsub__ = Node.__sub__


class QuotientTurned(Node):
    __rtruediv__ = Node.__truediv__


class PowerKeepsTheExponent(Node):
    def __pow__(self, k):
        return self.node(self.data**k, (self, k * self.data**k))


class PowerWithoutTheFactor(Node):
    def __pow__(self, k):
        return self.node(self.data**k, (self, self.data ** (k - 1)))


class PowerLessOne(Node):
    def __pow__(self, k):
        return self.node(self.data**k, (self, k * self.data**k - 1))


class WholeExponents(Node):
    def __pow__(self, k):
        return super().__pow__(int(k)) if int(k) else self.node(1.0, (self, 0.0))


class ExpOfNothing(Node):
    def exp(self):
        return self.node(math.exp(self.data), (self, self.data))


class LogSlope(Node):
    def log(self):
        return self.node(math.log(self.data), (self, 1 / math.log(self.data)))


class TanhNotSquared(Node):
    def tanh(self):
        t = math.tanh(self.data)
        return self.node(t, (self, 1 - t))


class TanhOfTheInput(Node):
    def tanh(self):
        return self.node(math.tanh(self.data), (self, 1 - self.data**2))


class ReluOpenAtZero(Node):
    def relu(self):
        return self.node(max(0.0, self.data), (self, float(self.data >= 0)))


class ReluPassesAll(Node):
    def relu(self):
        return self.node(max(0.0, self.data), (self, 1.0))


class TieToTheOther(Node):
    def max(self, other):
        other = self.of(other)
        first = float(self.data > other.data)
        return self.node(max(self.data, other.data), (self, first), (other, 1 - first))


class TieToBoth(Node):
    def max(self, other):
        other = self.of(other)
        first, second = float(self.data >= other.data), float(self.data <= other.data)
        return self.node(max(self.data, other.data), (self, first), (other, second))


class TieToNobody(Node):
    def max(self, other):
        other = self.of(other)
        first, second = float(self.data > other.data), float(self.data < other.data)
        return self.node(max(self.data, other.data), (self, first), (other, second))


class MaxToBoth(Node):
    def max(self, other):
        other = self.of(other)
        return self.node(max(self.data, other.data), (self, 1.0), (other, 1.0))


class NoReflections:
    """Without the operators for a number on the left."""

    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents = float(data), 0.0, list(parents)

    node, order, backward = Node.node, Node.order, Node.backward
    __add__, __mul__, __sub__ = Node.__add__, Node.__mul__, Node.__sub__
    __truediv__, __pow__, __neg__ = Node.__truediv__, Node.__pow__, Node.__neg__
    exp, log, tanh, relu, max = Node.exp, Node.log, Node.tanh, Node.relu, Node.max

    def of(self, other):
        return other if isinstance(other, NoReflections) else NoReflections(other)


class NumbersRefused(Node):
    def of(self, other):
        return other

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        return -self + other

    def __rtruediv__(self, other):
        return self**-1 * other
