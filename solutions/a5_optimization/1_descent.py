# %% [markdown]
# # Downhill: how far, and with how much momentum
#
# Backpropagation tells you which way is down. It does not tell you how far to go. In this notebook
# the landscape is so simple that the best step can be computed with pencil and paper, and still it
# shows everything that goes wrong in a network with a million weights: steps that are too long for
# one direction and too short for another, valleys that gradient descent criss-crosses for ever,
# and a heavy ball that does better.
#
# | | |
# |---|---|
# | **You need** | eigenvalues of a symmetric matrix; gradients (a1, a2) |
# | **It takes** | about two hours; five exercises, one question, and one more exercise for the curious (★) |
# | **Afterwards you can** | say from a Hessian which learning rates converge and which is the best; explain what momentum cures and what it costs; write SGD, momentum and Nesterov's method in the form in which frameworks have them |
#
# After each exercise there is a cell with `check(...)`. It tries your function on small inputs and
# says what is wrong and where; run it as often as you like. What counts is checked again after you
# hand in, on other numbers.

# %%
import matplotlib.pyplot as plt
import numpy as np

from autograder import check
from cs_nn.plots import plot_curves, plot_paths

# %% [markdown]
# ## 1 · A bowl
#
# A function is **convex** if the straight line between any two points of its graph never runs below the graph. Such a function
# has no second valley: wherever one gets stuck, one is at the bottom. The loss of a network is not convex, and
# hardly anything can be proved about it. But near a minimum every smooth loss looks like a quadratic bowl, which is. So let us study a bowl:
#
# $$ f(w) = \tfrac12\, w^\top A\, w, \qquad \nabla f(w) = A\,w, $$
#
# with a symmetric matrix $A$ whose eigenvalues $0 < \lambda_{\min} \le \dots \le \lambda_{\max}$ are
# the curvatures of $f$ along its axes. Gradient descent with learning rate $\eta$ makes of a point
# $w$ the point $w - \eta A w$. Along the $i$-th eigenvector, where $A$ is just the number
# $\lambda_i$, this is
#
# $$ w_i \;\leftarrow\; (1 - \eta\,\lambda_i)\, w_i . $$
#
# That is all. Each axis minds its own business: at every step, its distance from the minimum
# is multiplied by $1 - \eta\lambda_i$. So
#
# - it shrinks if and only if $|1 - \eta\lambda_i| < 1$, that is, $0 < \eta < 2/\lambda_i$;
# - it is gone in a single step if $\eta = 1/\lambda_i$: the best rate *for this axis*;
# - between $1/\lambda_i$ and $2/\lambda_i$ it overshoots and comes back from the other side.
#
# To shrink by a constant factor at every step is called *linear convergence*, since it is a straight line on logarithmic axes; the
# factor is the *rate of convergence*.
#
# All axes share one $\eta$. The steepest axis has the least patience, and so
#
# $$ \text{gradient descent converges} \iff \eta < \frac{2}{\lambda_{\max}} . $$
#
# Try it. Three rates, two of them a hair apart: before you run the cell, sketch the three curves.

# %% tags=["experiment"]
A = np.diag([1.0, 20.0])
curves = {}
for share in (0.5, 0.98, 1.02):
    w = np.array([10.0, 1.0])
    losses = []
    for _ in range(60):
        losses.append(0.5 * w @ A @ w)
        w = w - share * (2 / 20.0) * (A @ w)
    curves[f"η = {share} · 2/λ_max"] = (np.arange(60), losses)
plot_curves(curves, "step", "loss f(w)", log="y", title="past 2/λ_max there is no way back")
plt.show()

# %% [markdown]
# All three first fall, and that is the treacherous part: the curve that diverges looks healthy for
# ten steps. While the flat axis still improves, the steep one grows behind its back. Which of the
# two axes do you see in the *straight* part of the green curve at the right? And in the blue one?

# %% [markdown]
# ### The best rate for everybody
#
# With one $\eta$ for all axes, the slowest axis decides how long it takes. Its factor is the
# largest of the $|1 - \eta\lambda_i|$, and we want that to be as small as possible. Here are the
# factors of a flat, a middle and a steep axis, as functions of $\eta$:

# %% tags=["experiment"]
rates = np.linspace(0, 0.11, 200)
factors = {
    f"λ = {curvature}": (rates, np.abs(1 - rates * curvature)) for curvature in (1, 8, 20)
}
axes = plot_curves(factors, "learning rate η", "|1 − ηλ|", title="one rate, three axes")
axes.axhline(1, color="0.7", ls=":")
plt.show()

# %% [markdown]
# Where is the *largest of the three* lowest? Two of the lines cross there. Which two, and what does it
# mean for the third? Set them equal (mind the signs inside the absolute values) and solve for
# $\eta$. That is your first exercise. Then put the result back in: the factor by which
# the slowest axis shrinks turns out to depend on the ratio
#
# $$ \kappa = \frac{\lambda_{\max}}{\lambda_{\min}}, \qquad\text{the condition number:}\qquad
#    \max_i |1 - \eta\lambda_i| = \frac{\kappa - 1}{\kappa + 1} . $$
#
# A round bowl has $\kappa = 1$ and takes one step. At $\kappa = 1000$, which is nothing special for
# a network, the factor is $0.998$, and to win one decimal digit takes about $1.15\,\kappa$ steps.
#
# Both functions get the matrix $A$ itself. `np.linalg.eigvalsh` knows the eigenvalues of a
# symmetric matrix.

# %% exercise="condition_number"
def condition_number(A):
    """The ratio of the largest curvature of ½·wᵀAw to the smallest.

    A: symmetric positive definite matrix (n, n). Returns one number, at least 1.
    """
    ### BEGIN SOLUTION
    eigenvalues = np.linalg.eigvalsh(A)
    return eigenvalues[-1] / eigenvalues[0]
    ### END SOLUTION


# %% check="condition_number"
check(condition_number)

# %% exercise="optimal_step_quadratic"
def optimal_step_quadratic(A):
    """The constant learning rate with which gradient descent on ½·wᵀAw converges fastest.

    A: symmetric positive definite matrix (n, n). Returns one number.
    """
    ### BEGIN SOLUTION
    eigenvalues = np.linalg.eigvalsh(A)
    return 2 / (eigenvalues[0] + eigenvalues[-1])
    ### END SOLUTION


# %% check="optimal_step_quadratic"
check(optimal_step_quadratic)

# %% [markdown] question="units" points=2
# **Question 1** (2 points, read by a person). For a linear model with squared loss,
# $f(w) = \frac1N \lVert Xw - y \rVert^2$, the Hessian is $A = \frac2N X^\top X$. A colleague predicts the
# price of a flat from two uncorrelated features, its size and its distance from the tram,
# both of the order of 1 in her units (100 m², km), and gradient descent is done in ten steps. Then
# somebody changes the distance to metres. What happens to $\lambda_{\max}$, to the largest rate that
# converges, and to the number of steps? What is the remedy, and in which assignment have you
# programmed it?
#
# ### BEGIN SOLUTION
# The column of $X$ is multiplied by 1000, so its entry on the diagonal of $A$ by $10^6$. Then
# $\lambda_{\max}$ is about $10^6$ times as large, the largest rate $2/\lambda_{\max}$ a millionth of
# what it was, and $\kappa \approx 10^6$: the size, whose curvature has not changed, now
# shrinks by a factor of about $1 - 2\cdot10^{-6}$ in each step, so that it takes about a million times as many steps.
# The model is the same as before; only the coordinates are bad. Remedy: standardise the features
# (a3), or give every weight a rate of its own (next notebook).
#
# *Rubric.* 1 point: both consequences, the bound on the rate falls by about $10^6$ (0.5 for $10^3$
# with a correct argument) and the other coordinate becomes slow because the rate is shared. 1 point: standardising, a3.
# "Use a smaller learning rate" makes it converge but not fast: 0 for the second.
# ### END SOLUTION

# %% [markdown]
# ## 2 · An optimiser is a function
#
# Soon there will be many optimisers, and all will have the same face: from the parameters, the
# gradient, and a dictionary `config` they make new parameters and a new dictionary.
#
# ```python
# w, config = sgd(w, dw, config)
# ```
#
# `config` holds the settings, such as `learning_rate`, and whatever the method must remember until
# the next step. A setting that is missing takes its default, and so does a `config` that is `None`; one
# that is 0 is not missing. The caller keeps one `config` per parameter and always passes on the one that
# came back. Its first `config` may also bring what an earlier run remembered, under the names in the
# docstrings; then the method goes on from there. `w` and `dw` themselves stay as they are: somebody may still
# need them.
#
# The simplest has nothing to remember. Take care of the `config` once here; the others are the same.

# %% exercise="sgd"
def sgd(w, dw, config=None):
    """One step of gradient descent.

    w: parameters, any shape;  dw: their gradient, same shape;  config: learning_rate (1e-2).
    Returns (next_w, config).
    """
    ### BEGIN SOLUTION
    config = {"learning_rate": 1e-2, **(config or {})}
    return w - config["learning_rate"] * dw, config
    ### END SOLUTION


# %% check="sgd"
check(sgd)

# %% [markdown]
# The rest of the notebook looks at *paths*. `walk` is a helper for that: it follows an optimiser from
# a starting point and returns all the points it visits. Below: the bowl with $\kappa = 20$, once with
# the best rate, once just below $2/\lambda_{\max}$, once with a tenth of that.

# %%
def walk(optimiser, gradient, start, steps, **settings):
    """The points (steps + 1, n) that an optimiser visits."""
    w, config = np.array(start, dtype=float), dict(settings)
    points = [w]
    for _ in range(steps):
        w, config = optimiser(w, gradient(w), config)
        points.append(w)
    return np.array(points)


# %% tags=["experiment"]
A = np.diag([1.0, 20.0])
start = (-9.0, 1.6)
figure, axes = plt.subplots(1, 3, figsize=(11, 3.2), sharey=True, layout="constrained")
titles = ("a tenth of it: slow", "the best rate", "just below 2/λ_max: zig-zag")
for place, rate, title in zip(axes, (0.0098, optimal_step_quadratic(A), 0.098), titles):
    path = walk(sgd, lambda w: A @ w, start, 25, learning_rate=rate)
    plot_paths(lambda u, v: 0.5 * (u**2 + 20 * v**2), {f"η = {rate:.4f}": path},
               ((-10, 3), (-2, 2)), place)  # fmt: skip
    place.set_title(title)
plt.show()

# %% [markdown]
# After 25 steps none of them is there. Even the best rate zig-zags: it is a compromise, too large for
# the steep axis and too small for the flat one. What would you tell the ball in the picture on the
# right, if it could remember its last few steps?

# %% [markdown]
# ## 3 · Momentum
#
# Average them. Across the valley the steps point up, down, up, down, and cancel; along the valley they
# agree and add up. A heavy ball does that by itself. It has a velocity $v$, the slope accelerates it,
# and friction takes a part away, so that a share $\mu$ (0.9, say) remains:
#
# $$ v \leftarrow \mu\,v - \eta\,\nabla f(w), \qquad w \leftarrow w + v . $$
#
# On a long even slope, $\nabla f = g$, the velocity grows until friction balances it,
# $v = \mu v - \eta g$, so $v = -\dfrac{\eta}{1 - \mu}\, g$. With $\mu = 0.9$ that is *ten
# times* the step of plain descent, and with $\mu = 0.99$ a hundred times. Keep it in mind when you
# compare learning rates. (Some let $\mu$ itself grow while they train, from 0.5 to 0.99 for instance: light
# and agile at first, heavy in the long valley at the end.)
#
# **Exercise.** The velocity starts at zero, with the shape *and the dtype* of `w`. Where does it stay
# until the next step? A word on signs: in this convention $v$ points where the ball goes.

# %% exercise="sgd_momentum"
def sgd_momentum(w, dw, config=None):
    """One step of gradient descent with momentum.

    w: parameters, any shape;  dw: their gradient, same shape;
    config: learning_rate (1e-2), momentum μ (0.9), velocity v (zeros of the shape of w).
    Returns (next_w, config), the config with the new velocity.
    """
    ### BEGIN SOLUTION
    config = {"learning_rate": 1e-2, "momentum": 0.9, **(config or {})}
    v = config.get("velocity", np.zeros_like(w))
    v = config["momentum"] * v - config["learning_rate"] * dw
    return w + v, {**config, "velocity": v}
    ### END SOLUTION


# %% check="sgd_momentum"
check(sgd_momentum)

# %% [markdown]
# ### How much does it help?
#
# On the bowl one can again compute the best settings (Polyak 1964). With
# $\eta = \bigl(2 / (\sqrt{\lambda_{\max}} + \sqrt{\lambda_{\min}})\bigr)^2$ and
# $\mu = \bigl((\sqrt\kappa - 1)/(\sqrt\kappa + 1)\bigr)^2$ *every* axis shrinks by the factor
#
# $$ \sqrt\mu = \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1} \qquad\text{per step, instead of}\qquad
#    \frac{\kappa - 1}{\kappa + 1} . $$
#
# A square root does not look like much. So count the steps until the loss is a millionth of what it
# was, for valleys that get narrower and narrower. At $\kappa = 10\,000$, what do you expect for
# each of the two?

# %% tags=["experiment"]
def steps_needed(optimiser, kappa, **settings):
    """Steps until ½·(w0² + κ·w1²) has fallen to a millionth."""
    curvature = np.array([1.0, kappa])
    w, config = np.array([1.0, 1.0 / np.sqrt(kappa)]), dict(settings)
    first, steps = w @ (curvature * w), 0
    while w @ (curvature * w) > 1e-6 * first:
        w, config = optimiser(w, curvature * w, config)
        steps += 1
    return steps


kappas = np.array([3, 10, 30, 100, 300, 1000, 3000, 10000])
plain = [steps_needed(sgd, k, learning_rate=2 / (1 + k)) for k in kappas]
roots = np.sqrt(kappas)
heavy = [
    steps_needed(sgd_momentum, k, learning_rate=(2 / (r + 1)) ** 2, momentum=((r - 1) / (r + 1)) ** 2)
    for k, r in zip(kappas, roots)
]
plot_curves({"gradient descent": (kappas, plain), "with momentum": (kappas, heavy)},
            "condition number κ", "steps needed", log="xy", marker="o",
            title=f"κ = 10 000: {plain[-1]} steps or {heavy[-1]}")  # fmt: skip
plt.show()

# %% [markdown]
# Two straight lines, with slopes 1 and ½: $\kappa$ steps against $\sqrt\kappa$. No method that only
# looks at gradients can do better than $\sqrt\kappa$ on all bowls (Nesterov proved that, too). What
# would it take to do better?

# %% [markdown]
# ## 4 · Look before you leap: Nesterov
#
# A heavy ball notices too late that the valley bends upwards again: it uses the slope where it *is*,
# although it already knows that momentum is about to carry it to $\theta + \mu v$. Nesterov
# asks for the slope there:
#
# $$ v_t = \mu\,v_{t-1} - \eta\,\nabla f(\theta_{t-1} + \mu\,v_{t-1}), \qquad
#    \theta_t = \theta_{t-1} + v_t . $$
#
# That is awkward in practice. A training loop has one set of weights and the gradient *at these
# weights*; nobody wants to compute gradients at some other point. So we rename things: call the
# point where the gradient is taken our parameters,
#
# $$ w_{t-1} = \theta_{t-1} + \mu\,v_{t-1} . $$
#
# The first line becomes $v_t = \mu v_{t-1} - \eta \nabla f(w_{t-1})$: just what a training loop can offer. And the
# second? Write down $w_t$, put in $\theta_t$, and get rid of $\theta_{t-1}$:
#
# $$ w_t = \theta_t + \mu v_t = \theta_{t-1} + v_t + \mu v_t
#        = w_{t-1} \;\underbrace{-\,\mu\,v_{t-1}}_{\text{back to } \theta_{t-1}}
#          \;\underbrace{+\,v_t}_{\text{step}} \;\underbrace{+\,\mu\,v_t}_{\text{look ahead}} . $$
#
# Near the end $v \to 0$, and $w$ and $\theta$ become the same. Mind that both velocities occur, the
# old and the new.

# %% exercise="nesterov"
def nesterov(w, dw, config=None):
    """One step with Nesterov momentum, w being the point that is looked ahead to.

    w: parameters, any shape;  dw: gradient at w, same shape;
    config: learning_rate (1e-2), momentum μ (0.9), velocity v (zeros of the shape of w).
    Returns (next_w, config), the config with the new velocity.
    """
    ### BEGIN SOLUTION
    config = {"learning_rate": 1e-2, "momentum": 0.9, **(config or {})}
    mu = config["momentum"]
    v_prev = config.get("velocity", np.zeros_like(w))
    v = mu * v_prev - config["learning_rate"] * dw
    return w - mu * v_prev + (1 + mu) * v, {**config, "velocity": v}
    ### END SOLUTION


# %% check="nesterov"
check(nesterov)

# %% [markdown]
# Three walkers, one bowl, the same rate. Look at what happens *near the minimum*. Which one overshoots,
# and who notices first?

# %% tags=["experiment"]
A = np.diag([1.0, 20.0])
paths = {
    "sgd": walk(sgd, lambda w: A @ w, start, 40, learning_rate=0.03),
    "momentum": walk(sgd_momentum, lambda w: A @ w, start, 40, learning_rate=0.03, momentum=0.8),
    "nesterov": walk(nesterov, lambda w: A @ w, start, 40, learning_rate=0.03, momentum=0.8),
}
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained")
plot_paths(lambda u, v: 0.5 * (u**2 + 20 * v**2), paths, ((-10, 4), (-2, 2)), left)
left.set_title("momentum swings, Nesterov hardly")
losses = {
    name: (np.arange(len(path)), 0.5 * np.sum(path @ A * path, axis=1)) for name, path in paths.items()
}
plot_curves(losses, "step", "loss", log="y", title="and the loss swings with it", axes=right)
plt.show()

# %% [markdown]
# Momentum pays for its speed with swinging, and Nesterov's look ahead damps exactly the fast swings.
# The loss of the ball goes up and down: that is no mistake, and a reason not to judge a run
# by two neighbouring steps.

# %% [markdown]
# ## 5 · ★ The heavy ball without a velocity
#
# Polyak wrote his method without naming a velocity, with the last *two* points:
#
# $$ x_{k+1} = x_k - \alpha\,\nabla f(x_k) + \beta\,(x_k - x_{k-1}) . $$
#
# Where has the velocity gone? (A star marks exercises that are optional, here and in all notebooks.)

# %% exercise="polyak_heavy_ball"
def polyak_heavy_ball(x, x_prev, grad, alpha, beta):
    """The next point of the heavy ball.

    x: current point, any shape;  x_prev: the point before it;  grad: gradient at x;
    alpha: step size;  beta: momentum. Returns a new point; the arrays stay as they are.
    """
    ### BEGIN SOLUTION
    return x - alpha * grad + beta * (x - x_prev)
    ### END SOLUTION


# %% check="polyak_heavy_ball"
check(polyak_heavy_ball)

# %% [markdown]
# Follow both and compare. How large should the difference be, and why is it not exactly zero?

# %% tags=["experiment"]
x_prev = x = np.array([-9.0, 1.6])
for _ in range(40):
    x, x_prev = polyak_heavy_ball(x, x_prev, A @ x, 0.03, 0.8), x
print("largest difference after 40 steps:", np.abs(x - paths["momentum"][-1]).max())

# %% [markdown]
# **What you have learnt.** The steepest direction limits the learning rate, $\eta < 2/\lambda_{\max}$; the
# flattest one then decides how long it takes; their ratio $\kappa$ is the difficulty of the problem. Momentum
# turns $\kappa$ into $\sqrt\kappa$. In the next notebook every weight gets a rate of its own.
