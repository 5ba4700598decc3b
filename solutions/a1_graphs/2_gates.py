# %% [markdown]
# # Gates, flat code and arrays
#
# Four little machines make up almost every computation in a network, and each treats a gradient
# in its own characteristic way. Know them, and you can read a network's gradients off its drawing,
# without a formula. Then we put them together, first line by line, then with whole arrays.
#
# | | |
# |---|---|
# | **You need** | `1_graphs`; how to multiply a matrix with a vector |
# | **It takes** | about two and a half hours; seven exercises, one question, and two more exercises for the curious (★) |
# | **Afterwards you can** | say what adding, multiplying, choosing and copying do to a gradient; write the backward pass of any formula line by line; find a matrix gradient by looking at shapes; explain why nobody ever writes a Jacobian down |

# %%
import time

import matplotlib.pyplot as plt
import numpy as np

from autograder import check
from cs_nn.gradcheck import check_gradient
from cs_nn.plots import Node, draw_graph

# %% [markdown]
# ## 1 · Four gates
#
# A gate has two methods. `forward` computes, and keeps what it will need later. `backward` is
# given the upstream gradient, "this is how the final result reacts to your output", and returns how
# the final result reacts to each input. So it needs only its own local slopes, as in `1_graphs`.
#
# For each of the four, find the local slopes before you write code:
#
# - **Add**, $z = x + y$. Raise $x$ by $\varepsilon$: what happens to $z$? Does it matter how large $x$ is?
# - **Multiply**, $z = x\,y$. How much does $z$ react to $x$? It depends on something: on what?
# - **Max**, $z = \max(x, y)$. The output *is* one of the inputs. How does $z$ react to the other?
#   (Where both are equal there are two fair answers. Here the first input counts as the larger.)
# - **Copy**: one value goes to $n$ places. Each place reports back how the result reacts to *its*
#   copy. If the original goes up by $\varepsilon$, all copies go up by $\varepsilon$ at once. So?
#
# Inputs are arrays of equal shape, and every entry is a little gate of its own.

# %% exercise="AddGate"
class AddGate:
    """z = x + y, for arrays of equal shape."""

    def forward(self, x, y):
        """Returns z, of the shape of x and y."""
        ### BEGIN SOLUTION
        return x + y
        ### END SOLUTION

    def backward(self, dz):
        """dz: upstream gradient, of the shape of z. Returns (dx, dy), each of that shape."""
        ### BEGIN SOLUTION
        return dz.copy(), dz.copy()
        ### END SOLUTION


# %% check="AddGate"
check(AddGate)


# %% exercise="MultiplyGate"
class MultiplyGate:
    """z = x · y entry by entry, for arrays of equal shape."""

    def forward(self, x, y):
        """Returns z, of the shape of x and y; keeps what backward will need."""
        ### BEGIN SOLUTION
        self.x, self.y = x, y
        return x * y
        ### END SOLUTION

    def backward(self, dz):
        """dz: upstream gradient, of the shape of z. Returns (dx, dy), each of that shape."""
        ### BEGIN SOLUTION
        return self.y * dz, self.x * dz
        ### END SOLUTION


# %% check="MultiplyGate"
check(MultiplyGate)


# %% exercise="MaxGate"
class MaxGate:
    """z = max(x, y) entry by entry, for arrays of equal shape; where they are equal, x counts."""

    def forward(self, x, y):
        """Returns z, of the shape of x and y; keeps what backward will need."""
        ### BEGIN SOLUTION
        self.first = x >= y
        return np.maximum(x, y)
        ### END SOLUTION

    def backward(self, dz):
        """dz: upstream gradient, of the shape of z. Returns (dx, dy), each of that shape."""
        ### BEGIN SOLUTION
        return np.where(self.first, dz, 0), np.where(self.first, 0, dz)
        ### END SOLUTION


# %% check="MaxGate"
check(MaxGate)


# %% exercise="CopyGate"
class CopyGate:
    """One value used n times."""

    def __init__(self, n):
        """n: the number of copies, 1 or more."""
        ### BEGIN SOLUTION
        self.n = n
        ### END SOLUTION

    def forward(self, x):
        """Returns a list or tuple of n arrays equal to x."""
        ### BEGIN SOLUTION
        return tuple(x.copy() for _ in range(self.n))
        ### END SOLUTION

    def backward(self, *dzs):
        """dzs: n upstream gradients, one for each copy, of the shape of x. Returns dx."""
        ### BEGIN SOLUTION
        return sum(dzs[1:], start=dzs[0].copy())
        ### END SOLUTION


# %% check="CopyGate"
check(CopyGate)

# %% [markdown]
# ### The four, at work
#
# These are the examples of the lecture, with the gradients that your gates return. Give each of the
# four a name that says what it does to a gradient: who *distributes*, who *swaps*, who *routes*,
# who *adds up*?

# %% tags=["experiment"]
def gate_picture(axes, title, sign, values, out, upstream, downstream):
    inputs = [Node(v, float(g), label="xy"[i]) for i, (v, g) in enumerate(zip(values, downstream))]
    draw_graph(Node(out, upstream, inputs, sign), axes)
    axes.set_title(title, fontsize=11)


figure, axes = plt.subplots(1, 4, figsize=(11, 2.4), layout="constrained")
for place, gate, title, sign, values, upstream in (
    (axes[0], AddGate(), "add", "+", (3.0, 4.0), 2.0),
    (axes[1], MultiplyGate(), "multiply", "·", (2.0, 3.0), 5.0),
    (axes[2], MaxGate(), "max", "max", (4.0, 5.0), 9.0),
):
    out = gate.forward(np.array(values[0]), np.array(values[1]))
    gate_picture(place, title, sign, values, float(out), upstream, gate.backward(np.array(upstream)))
gate = CopyGate(2)
x = Node(7, float(gate.backward(np.array(4.0), np.array(2.0))), label="x")
copies = [Node(float(v), g, [x], "copy") for v, g in zip(gate.forward(np.array(7.0)), (4, 2))]
draw_graph(copies, axes[3])
axes[3].set_title("copy", fontsize=11)
plt.show()

# %% [markdown]
# The swap of the multiply gate explains much that happens later. Its gradient for a weight is the
# *input*, so if you multiply all images by 1000, the gradients for the weights become 1000 times
# larger, and a learning rate that worked now explodes. And max is the reason why a pooling layer or
# a rectifier lets gradients through in some places only.
#
# ## 2 · Flat code
#
# Real formulas are nested, and some values are used more than once. Here is one that has it all
# (it is of no use to anybody, which is why it is good practice):
#
# $$ f(x, y) = \frac{x + \sigma(y)}{\sigma(x) + (x + y)^2} $$
#
# To differentiate this on paper is a page of errors. As a program it is easy:
#
# 1. **Forward:** one small operation a line, each result with a name.
#    `sig_y = …`, `numerator = x + sig_y`, `sig_x = …`, `x_plus_y = …`, and so on down to `f`.
# 2. **Backward:** go through these lines *from the last to the first*. Each line `out = op(a, b)`
#    becomes lines for `da` and `db`, made from `dout` and the local slopes.
# 3. Every intermediate value has a partner with a `d` in front, of the same shape.
# 4. **Where a value was used several times, the gradients add**: the first time write `dx = …`,
#    from then on `dx += …` (with numbers that is the same as `dx = dx + …`). Here $x$ is used three
#    times. It is a copy gate that nobody drew.
#
# That is all there is to it, and no derivative in it is harder than $1/s$.

# %% exercise="flat_backprop"
def flat_backprop(x, y):
    """f = (x + σ(y)) / (σ(x) + (x + y)²) and its gradient.

    x, y: numbers. Returns three numbers (f, df/dx, df/dy).
    """
    ### BEGIN SOLUTION
    sig_y = 1 / (1 + np.exp(-y))
    numerator = x + sig_y
    sig_x = 1 / (1 + np.exp(-x))
    x_plus_y = x + y
    square = x_plus_y**2
    denominator = sig_x + square
    inverse = 1 / denominator
    f = numerator * inverse

    dnumerator = inverse
    dinverse = numerator
    ddenominator = -(inverse**2) * dinverse
    dsig_x = ddenominator
    dsquare = ddenominator
    dx_plus_y = 2 * x_plus_y * dsquare
    dx = dx_plus_y
    dy = dx_plus_y
    dx += sig_x * (1 - sig_x) * dsig_x
    dx += dnumerator
    dsig_y = dnumerator
    dy += sig_y * (1 - sig_y) * dsig_y
    return f, dx, dy
    ### END SOLUTION


# %% check="flat_backprop"
check(flat_backprop)

# %% [markdown]
# A gradient is a promise: *near this point the function looks like this straight line.* Here the
# promise is drawn over the function, along $x$ with $y = -4$ held fixed, at three points. Does the line
# have to touch the curve anywhere else?

# %% tags=["experiment"]
along = np.linspace(0, 8, 300)
figure, axes = plt.subplots(figsize=(7, 3.4), layout="constrained")
axes.plot(along, [flat_backprop(x, -4.0)[0] for x in along], color="C2", label="f(x, −4)")
for x in (1.5, 3.0, 5.0):
    f, dx, _ = flat_backprop(x, -4.0)
    near = np.array([x - 0.8, x + 0.8])
    axes.plot(near, f + dx * (near - x), color="C3", label="your gradient" if x == 3.0 else None)
    axes.plot(x, f, "o", color="C3")
axes.set(xlabel="x", ylabel="f", title="a gradient is the straight line that fits best")
axes.legend()
plt.show()
f, dx, dy = flat_backprop(3.0, -4.0)
print(f"at (3, −4): f = {f:.4f}, gradient ({dx:.4f}, {dy:.4f})")

# %% [markdown]
# ## 3 · From numbers to arrays
#
# A layer takes a vector and returns a vector, say $y = F(x)$ with $n$ inputs and $m$ outputs. Its local slopes
# are now a table: how does each output react to each input? That is the **Jacobian**,
#
# $$ J = \begin{pmatrix}
#   \partial y_1/\partial x_1 & \cdots & \partial y_1/\partial x_n \\
#   \vdots & & \vdots \\
#   \partial y_m/\partial x_1 & \cdots & \partial y_m/\partial x_n \end{pmatrix},
#   \qquad J\colon (m, n) . $$
#
# The rule stays as it was. The loss $L$ is one number, $x_j$ reaches it through every $y_i$, and
# paths add:
#
# $$ \frac{\partial L}{\partial x_j} = \sum_i \frac{\partial L}{\partial y_i}\,
#    \frac{\partial y_i}{\partial x_j}
#    \qquad\text{that is}\qquad \text{d}x = J^\top\,\text{d}y . $$
#
# Downstream is local times upstream, only that "times" is now a **vector–Jacobian product**.
#
# And now the good news: *nobody ever writes $J$ down.* Take the rectifier $y = \max(0, x)$, entry by
# entry. The output $y_i$ depends on $x_i$ alone, so everything off the diagonal is zero. A layer with
# 4096 units and a batch of 100 images has $409{,}600$ inputs and outputs; its Jacobian would
# fill a terabyte, and all but one number in each row is 0.
#
# **Exercise.** Find out, for the example of the lecture, what $J$ looks like and what $J^\top\,\text{d}y$ is:
# $x = (1, -2, 3, -1)$, upstream $(4, -1, 5, 9)$. Then write a function that gives the product for
# arrays of any shape, and never makes $J$. (At $x = 0$ take the slope 0.)

# %% exercise="relu_vjp"
def relu_vjp(x, dout):
    """The gradient for the input of max(0, x), entry by entry, without forming a Jacobian.

    x: the input, of any shape;  dout: upstream gradient, of the same shape.
    Returns an array of that shape. The slope at x = 0 is 0.
    """
    ### BEGIN SOLUTION
    return np.where(x > 0, dout, 0)
    ### END SOLUTION


# %% check="relu_vjp"
check(relu_vjp)

# %% [markdown]
# How much did that save? Below, someone is so kind as to give us the Jacobian for free, and we
# only multiply. Before you run it: if $n$ becomes 10 times larger, how many times longer does each
# way take? (For small $n$ both curves are flat: there the clock measures the call, not the work.)

# %% tags=["experiment"]
def seconds(work, repeats=5):
    """The shortest of a few runs."""
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


rng = np.random.default_rng(0)
sizes = [100, 300, 1000, 3000, 10_000, 100_000, 1_000_000]
product, direct = [], []
for n in sizes:
    x, dout = rng.normal(size=n), rng.normal(size=n)
    direct.append(seconds(lambda: relu_vjp(x, dout)))
    if n <= 3000:  # at 100,000 the matrix would fill 80 gigabytes
        jacobian = np.eye(n)
        product.append(seconds(lambda: jacobian.T @ dout))
figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
axes.loglog(sizes[:4], product, "o-", label="multiply with a Jacobian")
axes.loglog(sizes, direct, "o-", label="your relu_vjp")
axes.set(xlabel="entries n", ylabel="seconds", title="a Jacobian costs n², your product n")
axes.legend()
plt.show()

# %% [markdown]
# ## 4 · Matrices, and the trick with the shapes
#
# The last example of the lecture is half a neural network: a matrix times a vector, and then one
# number that says how large the result is,
#
# $$ f(W, x) = \lVert W x \rVert^2 = \sum_i q_i^2, \qquad q = W x, \qquad W\colon (m, n),\; x\colon (n,). $$
#
# Go backwards. From $f = \sum_i q_i^2$ the first step is easy: what is $\text{d}q_i$? Then to $W$. The
# entry $W_{ij}$ occurs in one output only, in $q_i = \sum_j W_{ij} x_j$, with the factor $x_j$; so
#
# $$ \text{d}W_{ij} = \text{d}q_i\; x_j . $$
#
# All these products in one table have a name in NumPy. And $x_j$ occurs in *every* $q_i$, with the
# factor $W_{ij}$; paths add:
#
# $$ \text{d}x_j = \sum_i \text{d}q_i\; W_{ij} . $$
#
# Which product of matrix and vector is this? If you forget, look at the **shapes**: $\text{d}x$ must
# have the shape $(n,)$, and from $\text{d}q\colon (m,)$ and $W\colon (m, n)$ there is only one way to
# make it. *A gradient has the shape of what it is the gradient of* solves most matrix derivatives
# you will ever meet.

# %% exercise="squared_norm_graph"
def squared_norm_graph(W, x):
    """f = ‖W·x‖² and its gradient.

    W: matrix (m, n);  x: vector (n,). Both stay as they are.
    Returns (f, dW, dx): one number, and the gradients (m, n) and (n,).
    """
    ### BEGIN SOLUTION
    q = W @ x
    f = q @ q

    dq = 2 * q
    dW = np.outer(dq, x)
    dx = W.T @ dq
    return f, dW, dx
    ### END SOLUTION


# %% check="squared_norm_graph"
check(squared_norm_graph)

# %% [markdown]
# From now on you have a judge that says more than one number. `check_gradient` takes the function,
# the gradient that you claim, and the place; it measures every slope with an error bar. Here it
# checks both gradients at the numbers of the lecture. Put a mistake into `squared_norm_graph`
# (forget the 2, say), run its cell and this one, and look at what it tells you.

# %% tags=["experiment"]
W, x = np.array([[0.1, 0.5], [-0.3, 0.8]]), np.array([0.2, 0.4])
f, dW, dx = squared_norm_graph(W, x)
print(f"f = {f:.3f}\ndW =\n{dW.round(3)}\ndx = {dx.round(3)}")
check_gradient(lambda W, x: squared_norm_graph(W, x)[0], (dW, dx), (W, x), names=["W", "x"])

# %% [markdown] question="copy-and-max" points=2
# **Question 2** (2 points, read by a person). In a drawing of a network, one weight $w$ is used in a
# hundred places (as in a convolution, where the same filter looks at every spot of an image). A
# friend proposes: "The gradient for $w$ should be the *mean* of the hundred gradients that come back,
# otherwise it depends on how often we use $w$." Is the friend right? Explain with the copy gate, and
# say how you could settle the matter by an experiment.
#
# ### BEGIN SOLUTION
# No, they add. Copying is $z_k = w$ for all $k$; if $w$ goes up by $\varepsilon$, every copy goes up
# by $\varepsilon$ at the same time, and the changes of the result add:
# $\Delta L = \sum_k \text{d}z_k\,\varepsilon$. A weight that is used more often *does* have more
# influence, and the gradient has to say so. The mean would point in the same direction for this one
# weight, but relative to other weights, used less often, it would be wrong by a factor. Experiment: the
# numerical gradient with respect to $w$, which knows nothing of copies, agrees with the sum.
#
# *Rubric.* 1 point: gradients add, with a reason (all copies change together, or the chain rule over
# several paths). 1 point: a decisive experiment, such as comparing with finite differences in $w$.
# ### END SOLUTION

# %% [markdown]
# ## ★ For the curious
#
# The core of the notebook ends here; hand it in or go on. What follows earns a bonus if your course
# gives one.
#
# ### ★ The Jacobian of an elementwise function
#
# To be able to say that nobody writes it down, one should have written it down once. For $y_i = g(x_i)$,
# given the derivative $g'$ as a function of arrays:

# %% exercise="elementwise_jacobian"
def elementwise_jacobian(f_prime, x):
    """The full Jacobian, at x, of a function that acts on every entry for itself.

    f_prime: the derivative of that function; takes an array, returns one of the same shape;
    x: vector (n,). Returns an array (n, n); entry (i, j) says how output i reacts to input j.
    """
    ### BEGIN SOLUTION
    return np.diag(f_prime(x))
    ### END SOLUTION


# %% check="elementwise_jacobian"
check(elementwise_jacobian)

# %% [markdown]
# ### ★ Which end first?
#
# A network is a chain $x_0 \to x_1 \to \dots \to x_k$, and its Jacobian a product of Jacobians,
#
# $$ \frac{\partial x_k}{\partial x_0} = J_{k-1} \cdots J_1\, J_0, \qquad J_i\colon (n_{i+1}, n_i) . $$
#
# The brackets may be set as one likes; the result is the same. The *cost* is not: the product of an
# $(a, b)$ matrix and a $(b, c)$ matrix takes $a\,b\,c$ multiplications. From the input's side
# ("forward mode") one carries a matrix along with as many columns as there are inputs; from the
# output's side ("reverse mode") one with as many rows as there are outputs. A loss is *one* number.
#
# **Exercise.** Multiply from the output's side. The list is given from input to output.

# %% exercise="chain_rule"
def chain_rule(jacobians):
    """The Jacobian of a chain of functions, multiplied from the output's side.

    jacobians: list from input to output, at least one, the i-th of shape (n_{i+1}, n_i); they
    stay as they are. Returns an array (n_k, n_0).
    """
    ### BEGIN SOLUTION
    product = jacobians[-1]
    for jacobian in reversed(jacobians[:-1]):
        product = product @ jacobian
    return product.copy()
    ### END SOLUTION


# %% check="chain_rule"
check(chain_rule)

# %% [markdown]
# Both ways through ten layers of 300 units, with a last layer whose size goes from one number to
# 3000. First a look whether the results are equal, on small matrices; then the multiplications,
# counted. When does it pay to start at the output?

# %% tags=["experiment"]
small = [rng.normal(size=shape) for shape in ((4, 3), (5, 4), (2, 5))]
print("the same matrix:", np.allclose(chain_rule(small), (small[2] @ (small[1] @ small[0]))))

outputs = np.array([1, 3, 10, 30, 100, 300, 1000, 3000])
from_the_input = 8 * 300**3 + outputs * 300 * 300
from_the_output = 9 * outputs * 300 * 300
figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
axes.loglog(outputs, from_the_input, "o-", label="from the input (forward mode)")
axes.loglog(outputs, from_the_output, "o-", label="from the output (reverse mode)")
axes.set(xlabel="outputs", ylabel="multiplications", title="few outputs: start there")
axes.legend()
plt.show()

# %% [markdown]
# With one output, reverse mode costs about as much as evaluating the network; forward mode costs that
# *times the number of inputs*. For a function with one input and many outputs (the path of a planet
# as its mass changes, say) it is the other way round, and people use forward mode there.
