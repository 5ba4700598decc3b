# %% [markdown]
# # Numbers that flow backwards
#
# A neural network is a function with millions of inputs, its weights, and one output, the loss.
# To train it is to ask of every single weight: *if I raise you a little, does the loss go up or
# down, and how fast?* This notebook answers the question for functions with two or three inputs.
# Nothing new is needed for the millions.
#
# | | |
# |---|---|
# | **You need** | derivatives of functions of one variable, the chain rule, NumPy arrays |
# | **It takes** | about two hours; four exercises, one question |
# | **Afterwards you can** | draw the computation graph of a formula and carry a gradient back through it by hand; check any gradient numerically; say how far such a check can be trusted |
#
# After each exercise there is a cell with `check(...)`. It tries your function on small inputs and
# says what is wrong and where; run it as often as you like. What counts is checked again after you
# hand in, on other numbers.

# %%
import matplotlib.pyplot as plt
import numpy as np

from autograder import check
from cs_nn.plots import Node, draw_graph, plot_gradient_error

# %% [markdown]
# ## 1 · A formula is a graph
#
# $$ f(x, y, z) = (x + y)\,z \qquad\text{at}\qquad x = -2,\; y = 5,\; z = -4 $$
#
# Nobody computes this in one go. First comes the sum, which deserves a name, $q = x + y = 3$; then
# the product, $f = q z = -12$. Draw every number as a node and every step as an arrow, and you have
# the **computation graph**. Values flow through it from left to right: the *forward pass*.
#
# Now the question. If $x$ goes up by a tiny $\varepsilon$, what does $f$ do? Ask each step only
# about itself:
#
# - the sum says: "if $x$ goes up by $\varepsilon$, then $q$ goes up by $\varepsilon$", so $\partial q/\partial x = 1$;
# - the product says: "if $q$ goes up by $\varepsilon$, I go up by $z\,\varepsilon = -4\,\varepsilon$", so $\partial f/\partial q = z$.
#
# These are the **local slopes**. The chain rule puts them together by multiplying along the way,
#
# $$ \frac{\partial f}{\partial x} \;=\; \frac{\partial f}{\partial q}\cdot\frac{\partial q}{\partial x} , $$
#
# and the whole of backpropagation is to do this in a clever order. Start at the *end*, where
# $\partial f/\partial f = 1$, and walk back. At every node you already know how $f$ reacts to its
# output, the **upstream gradient**; multiply it with the local slope and you know how $f$ reacts to
# its input, and hand that on:
#
# $$ \underbrace{\text{downstream gradient}}_{\partial f/\partial\,\text{input}} \;=\;
#    \underbrace{\text{local slope}}_{\partial\,\text{output}/\partial\,\text{input}} \;\times\;
#    \underbrace{\text{upstream gradient}}_{\partial f/\partial\,\text{output}} $$
#
# No node ever needs to know what the rest of the graph looks like.
#
# **Exercise.** Take pencil and paper, draw the graph, write the four values on it and then, from
# right to left, the gradients. Then write it down as code: forward lines first, then the same lines
# in reverse. A good habit from the first day: call the gradient of $f$ with respect to `q` simply
# `dq`.

# %% exercise="product_graph"
def product_graph(x, y, z):
    """f = (x + y)·z and its gradient.

    x, y, z: numbers. Returns four numbers (f, df/dx, df/dy, df/dz).
    """
    ### BEGIN SOLUTION
    q = x + y
    f = q * z

    dq = z
    dz = q
    dx = 1 * dq
    dy = 1 * dq
    return f, dx, dy, dz
    ### END SOLUTION


# %% check="product_graph"
check(product_graph)

# %% [markdown]
# Here is your function as a picture, with your numbers on it: values in green above each node,
# gradients in red below.
#
# Read the red numbers as forecasts before you run the cell. By how much will $f$ change if $y$
# goes from 5 to 5.01? And if $z$ goes from $-4$ to $-3.99$?

# %% tags=["experiment"]
f, dx, dy, dz = product_graph(-2.0, 5.0, -4.0)
x, y, z = Node(-2, dx, label="x"), Node(5, dy, label="y"), Node(-4, dz, label="z")
q = Node(-2 + 5, parents=[x, y], operation="+")
draw_graph(Node(f, 1, [q, z], "·"))
plt.show()
print("y → 5.01 changes f by ", round(product_graph(-2.0, 5.01, -4.0)[0] - f, 4))
print("z → −3.99 changes f by", round(product_graph(-2.0, 5.0, -3.99)[0] - f, 4))

# %% [markdown]
# The gradient of the sum was left out (`?`): you needed it on the way, but nobody asked for it.
# Which number belongs there? It is the most useful one in the picture, since both $x$ and $y$ live
# on it. To compute it once and use it twice is the "dynamic programming" in backpropagation.

# %% [markdown]
# ## 2 · A neuron
#
# A neuron with two inputs weighs them, adds a bias, and squashes the result between 0 and 1:
#
# $$ f(w, x) = \sigma(w_0 x_0 + w_1 x_1 + w_2), \qquad \sigma(t) = \frac{1}{1 + e^{-t}} $$
#
# We could take $\sigma$ apart into four nodes: $t \to -t \to e^{-t} \to 1 + e^{-t} \to 1/(\cdot)$.
# But **you choose what a node is**. Whenever the local slope of a bigger piece is easy, make it one
# node. For the sigmoid it is very easy:
#
# $$ \frac{d\sigma}{dt} = \frac{e^{-t}}{(1 + e^{-t})^2}
#    = \left(\frac{1 + e^{-t} - 1}{1 + e^{-t}}\right)\left(\frac{1}{1 + e^{-t}}\right)
#    = (1 - \sigma)\,\sigma $$
#
# The slope is made of the *output*. Whoever has computed $\sigma$ on the way forward gets the
# gradient for one multiplication. Both graphs must give the same numbers; here are the local
# slopes for the long one, if you want to see it happen on paper:
#
# | node | local slope |
# |---|---|
# | $-t$ | $-1$ |
# | $e^{u}$ | $e^{u}$ |
# | $1 + v$ | $1$ |
# | $1/s$ | $-1/s^2$ |
#
# **Exercise.** Two things to watch. A product passes to each factor the *other* one, times
# what comes from upstream. And $w_2$ has no input beside it: what is the local slope of a sum
# with respect to the thing that is added?

# %% exercise="sigmoid_neuron"
def sigmoid_neuron(w, x):
    """A neuron with two inputs: f = σ(w0·x0 + w1·x1 + w2).

    w: weights and bias, array (3,);  x: inputs, array (2,). Both stay as they are.
    Returns (f, dw, dx): the output, one number, and the gradients (3,) and (2,).
    """
    ### BEGIN SOLUTION
    t = w[0] * x[0] + w[1] * x[1] + w[2]
    f = 1 / (1 + np.exp(-t))

    dt = f * (1 - f)
    dw = np.array([x[0] * dt, x[1] * dt, dt])
    dx = np.array([w[0] * dt, w[1] * dt])
    return f, dw, dx
    ### END SOLUTION


# %% check="sigmoid_neuron"
check(sigmoid_neuron)

# %% tags=["experiment"]
w, x = np.array([2.0, -3.0, -3.0]), np.array([-1.0, -2.0])
f, dw, dx = sigmoid_neuron(w, x)
w0, w1, w2 = (Node(w[i], dw[i], label=f"$w_{i}$") for i in range(3))
x0, x1 = (Node(x[i], dx[i], label=f"$x_{i}$") for i in range(2))
first = Node(w[0] * x[0], parents=[w0, x0], operation="·")
second = Node(w[1] * x[1], parents=[w1, x1], operation="·")
both = Node(first.data + second.data, parents=[first, second], operation="+")
total = Node(both.data + w[2], parents=[both, w2], operation="+")
draw_graph(Node(f, 1, [total], "σ"))
plt.show()

# %% [markdown]
# The neuron says 0.73 and would like to say more: its gradient tells it how. Which of the five
# numbers is the most effective to turn, and in which direction? Which of the four question marks can
# you fill in without any arithmetic?

# %% [markdown]
# ## 3 · Is it right? Ask the function itself
#
# You will write hundreds of gradients in this course. One sign, one index, one forgotten path,
# and a network still trains, only worse, and nobody notices. So you need a judge that knows
# nothing of your derivation. It exists, and it is the definition of the derivative, with a small
# $h$ instead of a limit:
#
# $$ \text{forward: } \frac{f(x + h) - f(x)}{h} \qquad\qquad
#    \text{central: } \frac{f(x + h) - f(x - h)}{2h} $$
#
# The two are not equally good. Expand $f$ in a Taylor series,
# $f(x \pm h) = f \pm h f' + \tfrac{h^2}{2} f'' \pm \tfrac{h^3}{6} f''' + \dots$, and put it in:
#
# $$ \frac{f(x + h) - f(x)}{h} = f' + \underbrace{\tfrac{h}{2}\, f'' + \dots}_{\text{error} \,\sim\, h}
#    \qquad\qquad
#    \frac{f(x + h) - f(x - h)}{2h} = f' + \underbrace{\tfrac{h^2}{6}\, f''' + \dots}_{\text{error} \,\sim\, h^2} $$
#
# On both sides of $x$ the terms with even powers are equal and cancel. With $h = 10^{-5}$ that is the
# difference between five correct digits and ten. Central it is.
#
# For a function of an array, do this for one entry at a time and leave the others alone. That takes
# two calls of $f$ for each entry: hopeless for training a network with a million weights, perfect
# for checking one with fifty.
#
# **Exercise.** Write it for an `x` of any shape (`np.ndindex(x.shape)` walks through all indices).
# You may step in `x` itself, which saves a copy per entry, but afterwards every number in `x`
# must be *exactly* what it was. Two traps: is $(x + h) - h$ always $x$ again? And what if `f`
# raises an error half way?

# %% exercise="numeric_gradient"
def numeric_gradient(f, x, h=1e-5):
    """The gradient of f at x by central differences, one entry of x at a time.

    f: takes an array like x and returns one number;  x: float array of any shape;  h: the step.
    Returns an array of the shape of x. Afterwards x is, bit for bit, what it was before, also
    when f raises an error (which goes on to the caller).
    """
    ### BEGIN SOLUTION
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        kept = x[index].copy()
        try:
            x[index] = kept + h
            above = f(x)
            x[index] = kept - h
            below = f(x)
        finally:
            x[index] = kept
        gradient[index] = (above - below) / (2 * h)
    return gradient
    ### END SOLUTION


# %% check="numeric_gradient"
check(numeric_gradient)

# %% [markdown]
# ### How close is close?
#
# Your gradient says 0.1966, the numerical one 0.1967. Is that good? It depends: a difference of
# $10^{-4}$ is nothing between numbers near 1000 and a disaster between numbers near $10^{-4}$. Ask
# for the difference *in proportion*,
#
# $$ \text{relative error} = \max_i \frac{|a_i - b_i|}{\max(10^{-8},\; |a_i| + |b_i|)} , $$
#
# with the largest entry deciding, so that one wrong number cannot hide among a thousand right ones.
# The $10^{-8}$ keeps $0/0$ away where both are zero.
#
# Rules of thumb, in float64: below $10^{-7}$ be happy; $10^{-4}$ is suspicious unless there are
# kinks; $10^{-2}$ is a mistake.

# %% exercise="relative_error"
def relative_error(a, b):
    """The largest relative difference between two arrays, by the formula above.

    a, b: arrays of the same shape (or two numbers). Returns one number, 0 where both agree.
    """
    ### BEGIN SOLUTION
    a, b = np.asarray(a), np.asarray(b)
    return float(np.max(np.abs(a - b) / np.maximum(1e-8, np.abs(a) + np.abs(b))))
    ### END SOLUTION


# %% check="relative_error"
check(relative_error)

# %% [markdown]
# Now let one of your functions judge the other. If both are right, the errors below are of the order
# $10^{-10}$ or smaller. Try it once with a deliberate mistake in `sigmoid_neuron` (drop the
# $1 - \sigma$, say) and see how loudly it speaks.

# %% tags=["experiment"]
w, x = np.array([2.0, -3.0, -3.0]), np.array([-1.0, -2.0])
_, dw, dx = sigmoid_neuron(w, x)
for name, mine, numeric in (
    ("dw", dw, numeric_gradient(lambda w: sigmoid_neuron(w, x)[0], w)),
    ("dx", dx, numeric_gradient(lambda x: sigmoid_neuron(w, x)[0], x)),
):
    print(f"{name}: yours {mine.round(6)}, numerical {numeric.round(6)}, "
          f"relative error {relative_error(mine, numeric):.1e}")

# %% [markdown]
# ## 4 · An experiment: how small is a good $h$?
#
# Smaller $h$, smaller error: that is what the Taylor series says, and mathematics would take the limit.
# A computer cannot. It keeps 16 digits, so $f(x + h)$ comes with an error of about
# $\varepsilon\,|f|$ where $\varepsilon \approx 2\cdot10^{-16}$. We subtract two numbers that are
# nearly equal, their leading digits cancel, and what is left is divided by the tiny $h$. In all:
#
# $$ \text{error} \;\approx\; \underbrace{C\,h^{p}}_{\text{truncation}} \;+\;
#    \underbrace{\frac{\varepsilon\,|f|}{h}}_{\text{round-off}}, \qquad
#    p = 1 \text{ (forward)}, \quad p = 2 \text{ (central)} $$
#
# One falls with $h$, the other rises, so there is a best $h$ in between. Before you run the cell:
# on logarithmic axes, what shape will each curve have? What are the slopes of its two sides? Which
# of the two has its lowest point further to the right?

# %% tags=["experiment"]
steps = 10.0 ** np.arange(-15, 0.01, 0.25)
w, x = np.array([2.0, -3.0, -3.0]), np.array([-1.0, -2.0])
f, dw, _ = sigmoid_neuron(w, x)


def shifted(h):
    return sigmoid_neuron(w + np.array([h, 0, 0]), x)[0]


forward = [abs((shifted(h) - f) / h - dw[0]) for h in steps]
central = [abs((shifted(h) - shifted(-h)) / (2 * h) - dw[0]) for h in steps]
axes = plot_gradient_error(steps, {"forward": forward, "central": central})
axes.axvline(1e-5, color="0.6", ls=":", lw=1)
axes.annotate(" h = 1e-5", (1e-5, 1e-2), color="0.4")
plt.show()

# %% [markdown]
# Two valleys. On the right side of each, truncation: ten times smaller $h$ gives 10 times less error
# (forward) or 100 times less (central). On the left side, round-off: the same ragged line for both,
# rising again as $h$ shrinks, until at $h = 10^{-15}$ not one digit is right. Setting the derivative
# of the formula to zero puts the lowest points near $\sqrt{\varepsilon} \approx 10^{-8}$ and
# $\sqrt[3]{\varepsilon} \approx 10^{-5}$, which is why $h = 10^{-5}$ is everyone's default.

# %% [markdown] question="float32" points=2
# **Question 1** (2 points, read by a person). Networks are trained in float32, with
# $\varepsilon \approx 10^{-7}$. A colleague checks her gradients in float32 with central differences
# and $h = 10^{-5}$, finds a relative error of $10^{-2}$, and looks for a bug for two days. What do
# you tell her? Say roughly which error she has to expect and why, which $h$ would be best in
# float32, and what she should do instead.
#
# ### BEGIN SOLUTION
# There may be no bug. Round-off alone is about $\varepsilon|f|/h \approx 10^{-7}/10^{-5} = 10^{-2}$:
# exactly what she sees. The best step balances $h^2$ against $\varepsilon/h$, so
# $h \approx \sqrt[3]{10^{-7}} \approx 5\cdot10^{-3}$, and even then an error of about $10^{-5}$ to
# $10^{-4}$ remains. She should run the same code in float64 for the check: then $h = 10^{-5}$ is
# right and errors of $10^{-9}$ tell bugs from noise.
#
# *Rubric.* 1 point: the error is round-off, with an estimate by $\varepsilon/h$ (or the left side
# of the valley, moved up by $10^9$). 1 point: a remedy that works, float64 or $h$ near
# $\sqrt[3]{\varepsilon}$, with a reason. "Take a smaller $h$" makes it worse: 0 for the second.
# ### END SOLUTION

# %% [markdown]
# ## 5 · One more thing: kinks
#
# Central differences look at both sides of $x$. Where $f$ has a kink, as $\max(0, x)$ has at 0, the
# sides disagree, and the answer is a mixture of both that is nobody's slope.
#
# Guess first: what will `numeric_gradient` say for $\max(0, x)$ at $x = 0$? And at
# $x = 2\cdot10^{-6}$, where the true slope is 1 beyond doubt?

# %% tags=["experiment"]
places = np.array([-1.0, -2e-6, 0.0, 2e-6, 1.0])
for place in places:
    slope = numeric_gradient(lambda x: np.maximum(0, x).sum(), np.array([place]))[0]
    print(f"x = {place: .0e}: slope {slope:.2f}")

# %% [markdown]
# So a gradient check of a network of ReLUs may fail although every line is right: among
# thousands of units, some sit within $h$ of their kink. This course has a checker that notices
# (`check_gradient` in `cs_nn.gradcheck`): it compares the slopes to the left and to the right, gives
# every number an error bar, and leaves kinks out of the verdict. You will use it from the next
# notebook on. You know now what it does inside.
#
# **What you have learnt.** A formula is a graph. Values go forward, gradients go back, each node
# multiplies what comes from upstream with its own local slope. And the definition of the derivative
# can judge every gradient you will ever write, if $h$ is neither too large nor too small.
