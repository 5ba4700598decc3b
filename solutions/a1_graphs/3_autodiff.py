# %% [markdown]
# # The machine that does it for you
#
# Going backwards through a formula is mechanical. So let a machine do it: in this notebook you write,
# in some sixty lines, a number that remembers where it came from, and with that the heart of
# PyTorch, JAX and TensorFlow. At the end it trains a network, and you never write a derivative for it.
#
# | | |
# |---|---|
# | **You need** | `1_graphs` and `2_gates`; classes in Python, with methods such as `__add__` |
# | **It takes** | about two hours; one exercise (a class), one question |
# | **Afterwards you can** | build reverse-mode automatic differentiation; say why the order of the nodes matters and what the memory of a training step is spent on; train a small network with nothing but your own code |

# %%
import matplotlib.pyplot as plt
import numpy as np

from autograder import check
from cs_nn.data.datasets import moons
from cs_nn.plots import Node, draw_graph, plot_losses, plot_regions

# %% [markdown]
# ## 1 · A number that remembers
#
# A `Value` holds a number in `.data`. When two Values are added, the result is a new Value; and it
# writes down two things: *which* Values it was made from, its **parents**, and the **local slope**
# for each of them, which is known at this very moment, since all numbers are there.
#
# | operation | local slopes |
# |---|---|
# | $a + b$ | $1$ and $1$ |
# | $a \cdot b$ | $b$ and $a$ |
# | $a - b$, $a / b$, $a^n$, $-a$ | work them out; $n$ is a plain number |
# | $e^a$, $\log a$, $\tanh a$ | two of the three are made of the result itself |
# | $\mathrm{relu}(a)$, $\max(a, b)$ | $0$ or $1$; at $a = 0$ relu has the slope $0$, and a tie goes to $a$ |
#
# So the graph draws itself while the formula is being computed: no parser, no symbols, only Python.
# Python calls `a.__add__(b)` for `a + b`, and `b.__radd__(a)` where `a` is a plain number that does not
# know about Values.
#
# ## 2 · The right order
#
# `f.backward()` starts with `f.grad = 1` and hands gradients from each node to its parents:
#
# $$ \text{parent.grad} \mathrel{+}= \text{slope} \times \text{node.grad} $$
#
# with `+=`, since a node may be used in several places (the copy gate). But there is a catch. A node
# must not hand on its gradient before it is *complete*. Look at this graph, $f = a\,(a + 1)$ with
# $a = 3x$: the value in the middle is used twice.

# %% tags=["experiment"]
x = Node(1.0, label="x")
a = Node(3.0, parents=[x], operation="·3", label="a")
b = Node(4.0, parents=[a], operation="+1", label="b")
f = Node(12.0, 1.0, [a, b], operation="·", label="f")
draw_graph(f)
plt.show()

# %% [markdown]
# Walk back from $f$. The product hands 4 (the value of $b$) to $a$, and 3 (the value of $a$) to $b$. Now
# suppose that $a$ is in a hurry and hands on $3 \times 4 = 12$ to $x$ at once. Later $b$ has its turn
# and brings $a$ another 3. What should $a$ do now? If it hands on $3 \times (4 + 3) = 21$, the right
# number, $x$ has 33, and the 4 was counted twice.
#
# It should have waited. The rule: **a node's turn comes after all nodes that use it.** Such an order is
# called *topological*. There is a simple way to find one: visit the output; visiting a node means to
# visit first its parents (those not visited before) and then to append the node itself to a
# list. So every node comes after its parents; read the list backwards, and every node comes before
# its parents and after its users.
#
# (Written as a function that calls itself, this ends at graphs deeper than about a thousand nodes,
# where Python's patience with recursion ends. A stack of your own has no such limit.)
#
# ## 3 · Exercise: the class
#
# One cell, but many small methods; write and try a few at a time. Cells of your own are welcome
# (`a = Value(3.0); b = a * a; b.backward(); a.grad`). You are free in how you keep parents and
# slopes. The pictures below draw your graphs if each node has a list (or tuple) `parents`, of Values
# or of pairs of a Value and its slope; two strings, `operation` and `label`, name the nodes in them.
# Further methods of your own may go below `backward`: `__repr__`, for instance, says how a Value is
# printed.

# %% exercise="Value"
class Value:
    """A number in a computation graph.

    .data is the number; .grad, after backward() of an output, the derivative of that output
    with respect to this number, and 0 before.
    """

    def __init__(self, data, label=""):
        """data: a plain number, kept as a float; label: a name for pictures, kept too."""
        ### BEGIN SOLUTION
        self.data = float(data)
        self.grad = 0.0
        self.label = label
        self.operation = ""
        self.parents = ()
        ### END SOLUTION

    def __add__(self, other):
        """self + other; other is a Value or a plain number, here and below."""
        ### BEGIN SOLUTION
        other = Value.wrap(other)
        return Value.made(self.data + other.data, "+", (self, 1.0), (other, 1.0))
        ### END SOLUTION

    def __mul__(self, other):
        """self · other"""
        ### BEGIN SOLUTION
        other = Value.wrap(other)
        return Value.made(self.data * other.data, "·", (self, other.data), (other, self.data))
        ### END SOLUTION

    def __sub__(self, other):
        """self − other"""
        ### BEGIN SOLUTION
        other = Value.wrap(other)
        return Value.made(self.data - other.data, "−", (self, 1.0), (other, -1.0))
        ### END SOLUTION

    def __truediv__(self, other):
        """self / other"""
        ### BEGIN SOLUTION
        other = Value.wrap(other)
        quotient = self.data / other.data
        slopes = 1 / other.data, -quotient / other.data
        return Value.made(quotient, "/", (self, slopes[0]), (other, slopes[1]))
        ### END SOLUTION

    def __pow__(self, exponent):
        """self ** exponent, a plain number."""
        ### BEGIN SOLUTION
        slope = exponent * self.data ** (exponent - 1) if exponent else 0.0
        return Value.made(self.data**exponent, f"^{exponent:g}", (self, slope))
        ### END SOLUTION

    def __neg__(self):
        """−self"""
        ### BEGIN SOLUTION
        return Value.made(-self.data, "−", (self, -1.0))
        ### END SOLUTION

    def __radd__(self, other):
        """other + self, where other is a plain number, as in 2 + x; so also below."""
        ### BEGIN SOLUTION
        return self + other
        ### END SOLUTION

    def __rmul__(self, other):
        """other · self"""
        ### BEGIN SOLUTION
        return self * other
        ### END SOLUTION

    def __rsub__(self, other):
        """other − self"""
        ### BEGIN SOLUTION
        return Value(other) - self
        ### END SOLUTION

    def __rtruediv__(self, other):
        """other / self"""
        ### BEGIN SOLUTION
        return Value(other) / self
        ### END SOLUTION

    def exp(self):
        """e to the power of self"""
        ### BEGIN SOLUTION
        power = float(np.exp(self.data))
        return Value.made(power, "exp", (self, power))
        ### END SOLUTION

    def log(self):
        """The natural logarithm of self, which is positive."""
        ### BEGIN SOLUTION
        return Value.made(float(np.log(self.data)), "log", (self, 1 / self.data))
        ### END SOLUTION

    def tanh(self):
        """The hyperbolic tangent of self."""
        ### BEGIN SOLUTION
        t = float(np.tanh(self.data))
        return Value.made(t, "tanh", (self, 1 - t * t))
        ### END SOLUTION

    def relu(self):
        """The larger of 0 and self; slope 0 at 0."""
        ### BEGIN SOLUTION
        active = self.data > 0
        return Value.made(self.data if active else 0.0, "relu", (self, float(active)))
        ### END SOLUTION

    def max(self, other):
        """The larger of self and other; where they are equal, self."""
        ### BEGIN SOLUTION
        other = Value.wrap(other)
        wins = self.data >= other.data
        larger = self.data if wins else other.data
        return Value.made(larger, "max", (self, float(wins)), (other, float(not wins)))
        ### END SOLUTION

    def backward(self):
        """Set .grad of this Value and of all that it was made from, directly or indirectly.

        .grad becomes the derivative of this Value; for this Value itself it is 1.
        """
        ### BEGIN SOLUTION
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            node, parents_are_done = stack.pop()
            if parents_are_done:
                order.append(node)
            elif id(node) not in seen:
                seen.add(id(node))
                stack.append((node, True))
                stack.extend((parent, False) for parent, _ in node.parents)
        for node in order:
            node.grad = 0.0
        self.grad = 1.0
        for node in reversed(order):
            for parent, slope in node.parents:
                parent.grad += slope * node.grad

    @staticmethod
    def wrap(number):
        """Plain numbers take part as Values that nobody asks for their gradient."""
        return number if isinstance(number, Value) else Value(number)

    @staticmethod
    def made(data, operation, *parents):
        """A new node; parents are pairs of a Value and the local slope."""
        node = Value(data)
        node.operation, node.parents = operation, parents
        return node

    def __repr__(self):
        return f"Value(data={self.data:g}, grad={self.grad:g})"
        ### END SOLUTION


# %% check="Value"
check(Value)

# %% [markdown]
# ## 4 · Old friends
#
# The product of `1_graphs`, with every gradient filled in, also the one that was a question mark.
# You wrote no derivative for it.

# %% tags=["experiment"]
x, y, z = Value(-2.0, "x"), Value(5.0, "y"), Value(-4.0, "z")
f = (x + y) * z
f.backward()
draw_graph(f)
plt.show()

# %% [markdown]
# And the neuron, this time with the sigmoid taken apart into $-t$, $e^{u}$, $1 + v$ and $1/s$. Follow
# the red numbers from right to left. In `1_graphs` you found the same gradients at the inputs with one
# node for $\sigma$, whose slope is $\sigma(1 - \sigma)$. Where in this picture does that number appear for
# the first time, coming from the right?

# %% tags=["experiment"]
w = [Value(number, f"$w_{i}$") for i, number in enumerate((2.0, -3.0, -3.0))]
x = [Value(number, f"$x_{i}$") for i, number in enumerate((-1.0, -2.0))]
f = 1 / (1 + (-(w[0] * x[0] + w[1] * x[1] + w[2])).exp())
f.backward()
draw_graph(f)
plt.show()
print("gradients of the weights:", [round(v.grad, 2) for v in w])
print("gradients of the inputs: ", [round(v.grad, 2) for v in x])

# %% [markdown]
# ## 5 · A network that has never seen a derivative
#
# Two half moons, 60 points, and a network with eight hidden units and $\tanh$:
#
# $$ h_k = \tanh(u_{k0}\, x_0 + u_{k1}\, x_1 + b_k), \qquad s = \sum_k v_k h_k + c , $$
#
# where $s > 0$ means "class 1". The loss of a point is $\log(1 + e^{-s})$ if it is of class 1, and
# $\log(1 + e^{s})$ if it is of class 0: small when $s$ is large on the right side. Everything below is
# plain arithmetic on your Values. The line that trains is `parameter.data -= rate * parameter.grad`.
#
# Before you run it: what is the mean loss of a network that says $s = 0$ to everything? (It takes some seconds.)

# %% tags=["experiment"]
rng = np.random.default_rng(1)
X, labels = moons(60, rng)
hidden = [[Value(n) for n in 0.5 * rng.normal(size=3)] for _ in range(8)]
output = [Value(n) for n in 0.5 * rng.normal(size=9)]
parameters = [value for unit in hidden for value in unit] + output


def score(point):
    total = output[-1]
    for unit, weight in zip(hidden, output):
        total = total + weight * (unit[0] * point[0] + unit[1] * point[1] + unit[2]).tanh()
    return total


def mean_loss():
    total = Value(0.0)
    for point, label in zip(X, labels):
        s = score(point)
        total = total + (1 + (-s if label == 1 else s).exp()).log()
    return total / len(X)


losses = []
for _ in range(200):
    loss = mean_loss()
    loss.backward()
    for parameter in parameters:
        parameter.data -= 1.0 * parameter.grad
    losses.append(loss.data)

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
plot_losses({"mean loss": losses}, np.log(2), "log 2: knows nothing", left)
plot_regions(lambda points: [score(point).data for point in points], X, labels, 40, right)
left.set_title("one backward pass a step is enough")
right.set_title("what the network decides, and where")
plt.show()

# %% [markdown]
# Sixty points, 33 weights, and each step builds a graph of nearly five thousand nodes and walks back
# through it once. All 33 gradients come out of *one* backward pass, which costs about as much as the
# forward pass. With `numeric_gradient` a step would take 66 forward passes; for a network
# with a million weights, two million.

# %% [markdown] question="memory" points=2
# **Question 3** (2 points, read by a person). To *use* your network for one point takes hardly any
# memory: each number can be thrown away once it has been used. To *train* it keeps all five
# thousand nodes. (a) Why can the forward pass of training not throw them away? Name an operation of
# yours that would go wrong, and one that would not. (b) A network does not fit into memory
# for training, and you have time to spare. What could you throw away all the same, and how would you
# get it back?
#
# ### BEGIN SOLUTION
# (a) The local slopes depend on values of the forward pass, and are needed in reverse order: the first
# ones computed are the last ones used. For $a\,b$ the slopes are $b$ and $a$; $\tanh$ needs its
# output. A sum needs nothing: its slopes are 1 whatever the numbers are. (For a matrix product the
# inputs are needed, which is why activations fill the memory of a graphics card.)
# (b) Keep only some of the values, every $k$-th layer say, and compute the ones between again from the
# last kept one when the backward pass gets there ("checkpointing"): roughly one more forward pass for a
# fraction of the memory. Smaller batches, whose gradients are added up, also count.
#
# *Rubric.* 1 point for (a): slopes depend on forward values and are used in reverse, with one right
# example for each case. 1 point for (b): recomputing, or smaller batches with accumulated gradients,
# with the price named.
# ### END SOLUTION

# %% [markdown]
# ## What you have built
#
# Your `Value` is reverse-mode automatic differentiation, whole. What real libraries add is not
# mathematics but size: their nodes are arrays, because a node for each number costs a hundred
# times more than the arithmetic in it. A layer of a network is then *one* node, with a forward pass
# and a backward pass for a whole batch. Those are what you write in the next assignment.
