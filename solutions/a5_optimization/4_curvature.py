# %% [markdown]
# # Curvature: Newton's method, and what is left of it
#
# Gradient descent knows which way is down and nothing about how the way bends. All the trouble of
# `1_descent` came from there: rates that are too long here and too short there, $\kappa$ steps for a narrow valley.
# If we knew the curvature, could we not jump to the bottom at once? We can. This notebook shows how, why
# nobody does it with networks, and how far one gets by guessing the curvature from the gradients.
#
# | | |
# |---|---|
# | **You need** | `1_descent`, `2_adaptive`; the Taylor series in several variables |
# | **It takes** | an hour and a half; two exercises, one question, and two more exercises for the curious (★, another hour and a half) |
# | **Afterwards you can** | take a Newton step and say when it leads astray; make any descent direction safe with a line search; explain BFGS and L-BFGS; say why second-order methods and mini-batches do not go together |

# %%
import matplotlib.pyplot as plt
import numpy as np

from autograder import check, reuse
from cs_nn.data.datasets import load_digits
from cs_nn.layers.losses import softmax_loss
from cs_nn.plots import plot_curves, plot_paths

reuse("1_descent", "sgd", "walk")
reuse("2_adaptive", "adam", "beale", "beale_gradient")

# %% [markdown]
# ## 1 · Newton's step
#
# Second-order Taylor, around where we stand:
#
# $$ f(x + p) \approx f(x) + g^\top p + \tfrac12\, p^\top H\, p . $$
#
# The right side is a bowl in $p$ (if $H$ is positive definite). Set its gradient $g + Hp$ to zero: the bottom of the bowl is at
#
# $$ H\,p = -g . $$
#
# No learning rate! On a true quadratic the step leads to the minimum at once, however narrow the
# valley; rescaling the coordinates changes nothing. Elsewhere the number of right digits roughly doubles
# with every step, once one is near.
#
# **Exercise.** Solve the system of equations (`np.linalg.solve`). Do not invert the matrix: it takes longer, and costs digits when $H$ is
# nearly singular.

# %% exercise="newton_step"
def newton_step(gradient, hessian):
    """What Newton's method adds to x.

    gradient: g at x, (n,);  hessian: H at x, (n, n). Returns an array (n,).
    """
    ### BEGIN SOLUTION
    return -np.linalg.solve(hessian, gradient)
    ### END SOLUTION


# %% check="newton_step"
check(newton_step)

# %% [markdown]
# The bowl of `1_descent` with $\kappa = 20$, where gradient descent zig-zagged for 25 steps; and beside it Beale's function from a good and from a
# bad starting point. How many steps will the first one take? What does a *bowl* that bends downwards tell you
# about where Newton goes?

# %% tags=["experiment"]
def beale_hessian(x, h=1e-5):
    columns = [(beale_gradient(x + h * e) - beale_gradient(x - h * e)) / (2 * h) for e in np.eye(2)]
    return np.array(columns)


def newton(x, gradient, hessian, steps):
    points = [np.array(x, dtype=float)]
    for _ in range(steps):
        points.append(points[-1] + newton_step(gradient(points[-1]), hessian(points[-1])))
    return np.array(points)


A = np.diag([1.0, 20.0])
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
paths = {
    "gradient descent": walk(sgd, lambda x: A @ x, (-9.0, 1.6), 25, learning_rate=2 / 21),
    "Newton": newton((-9.0, 1.6), lambda x: A @ x, lambda x: A, 1),
}
plot_paths(lambda u, v: 0.5 * (u**2 + 20 * v**2), paths, ((-10, 3), (-2, 2)), left)
left.set_title("one step")
good, bad = (newton(start, beale_gradient, beale_hessian, 12) for start in ((2.5, 0.4), (1.0, 0.9)))
plot_paths(beale, {"from (2.5, 0.4)": good, "from (1, 0.9)": bad}, ((-1.5, 4), (-0.5, 1.3)), right,
           levels=np.geomspace(0.05, 150, 16))  # fmt: skip
right.plot(3, 0.5, "k*", ms=12)
right.set_title("six steps to the minimum, or to somewhere else")
plt.show()
print("distance from (3, ½), step by step:", *(f"{np.linalg.norm(p - [3, 0.5]):.0e}" for p in good[:8]))
print("curvatures where the other one ends:", np.linalg.eigvalsh(beale_hessian(bad[-1])).round(2))

# %% [markdown]
# From near by, the number of zeros doubles with every step: $10^{-4}$, $10^{-8}$, $10^{-15}$. That is quadratic convergence. From $(1, 0.9)$
# Newton walks to a point where the curvatures have *different signs*: a saddle. It looks for any place with zero gradient, and
# does not mind whether that is a bottom, a top or a pass. In the landscape of a network there are far more passes
# than bottoms.

# %% [markdown]
# ## 2 · A step that is surely downhill
#
# Whatever proposes the direction $p$, a **line search** can make it safe: try the full step, and if it
# does not pay, halve it, and again. "Pay" needs a definition. The slope along $p$ is $g^\top p < 0$, so a step of length $t$
# *promises* a decrease of $t\,|g^\top p|$. Armijo asks for a small share $c$ of the promise:
#
# $$ f(x + t\,p) \;\le\; f(x) + c\,t\,g^\top p, \qquad c = 10^{-4} . $$
#
# Why not simply $f(x + tp) < f(x)$? Because one can go downhill for ever in ever smaller portions and never
# arrive. A picture of what is accepted:

# %% tags=["experiment"]
x, p = np.array([1.0, 1.5]), -beale_gradient(np.array([1.0, 1.5]))
t = np.linspace(0, 0.11, 300)
along = [beale(*(x + s * p)) for s in t]
slope = beale_gradient(x) @ p
axes = plot_curves(
    {"f along the direction": (t, along), "c = 0.3: the line to stay below": (t, along[0] + 0.3 * t * slope),
     "the full promise": (t, along[0] + t * slope)},
    "step length t", "f(x + t·p)", title="not every step downhill is good enough",
)  # fmt: skip
axes.set_ylim(-5, 60)
plt.show()

# %% [markdown]
# **Exercise.** Return the first of $t,\; t\cdot\text{shrink},\; t\cdot\text{shrink}^2, \dots$ that satisfies
# the condition. Careful with the direction of the inequality, and with $g^\top p$ being negative. If $f$ is infinite or not a number out
# there, the step is too long: how must the comparison be written, so that NaN counts as a failure?

# %% exercise="backtracking_line_search"
def backtracking_line_search(f, x, direction, gradient, t=1.0, c=1e-4, shrink=0.5):
    """The first step length t·shrinkᵏ, k = 0, 1, …, that satisfies Armijo's condition.

    f: function to descend on, from an array like x to a number;  x: where we stand, (n,);
    direction: downhill, (n,);  gradient: of f at x, (n,);  t: first length to try;
    c: share of the promised decrease;  shrink: factor between two trials.
    Returns a number. x and direction stay as they are.
    """
    ### BEGIN SOLUTION
    here, slope = f(x), np.sum(gradient * direction)
    while not f(x + t * direction) <= here + c * t * slope:
        t = t * shrink
    return t
    ### END SOLUTION


# %% check="backtracking_line_search"
check(backtracking_line_search)

# %% [markdown]
# ## 3 · Newton on real data
#
# One affine layer and softmax on the digits: 650 weights, a convex loss, and few enough for a $650 \times 650$
# Hessian. (Its entries are $\frac1N \sum_i x_i x_i^\top \otimes (\text{diag}(p_i) - p_i p_i^\top)$; the cell has it ready, with a little
# weight decay so that there is a unique minimum.)
#
# The opponents: Adam with all data in each step, and Newton with your line search. How many steps will each of
# them take to come within $10^{-6}$ of the minimum?

# %%
digits = load_digits()
X = np.hstack([digits.x_train.reshape(-1, 64), np.ones((len(digits.x_train), 1))])
y, REG = digits.y_train, 1e-3


def objective(w, rows=slice(None)):
    """Loss of the flat weights w (650,) on some rows of the data, and its gradient (650,)."""
    W = w.reshape(65, 10)
    loss, dscores = softmax_loss(X[rows] @ W, y[rows])
    return loss + 0.5 * REG * w @ w, (X[rows].T @ dscores).ravel() + REG * w


def softmax_hessian(w, rows=slice(None)):
    part = X[rows]
    scores = part @ w.reshape(65, 10)
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    H = np.zeros((65, 10, 65, 10))
    for j in range(10):
        for k in range(j + 1):
            weight = p[:, j] * ((j == k) - p[:, k])
            H[:, j, :, k] = H[:, k, :, j] = part.T @ (weight[:, None] * part) / len(part)
    return H.reshape(650, 650) + REG * np.eye(650)


# %% tags=["experiment"]
w, newton_losses = np.zeros(650), []
for _ in range(8):
    loss, g = objective(w)
    newton_losses.append(loss)
    p = newton_step(g, softmax_hessian(w))
    w = w + backtracking_line_search(lambda v: objective(v)[0], w, p, g) * p
minimum = objective(w)[0]

exact = {"Newton": (np.arange(8), np.array(newton_losses) - minimum + 1e-16)}
for rate in (0.01, 0.1):
    w, config, losses = np.zeros(650), {"learning_rate": rate}, []
    for _ in range(300):
        loss, g = objective(w)
        losses.append(loss)
        w, config = adam(w, g, config)
    exact[f"Adam, η = {rate}"] = (np.arange(300), np.array(losses) - minimum)
plot_curves(exact, "step (full batch)", "loss above the minimum", log="y",
            title="Newton needs six steps").set(xlim=(-5, 300), ylim=(1e-12, 5))  # fmt: skip
plt.show()

# %% [markdown]
# A vertical drop against hundreds of steps. Now count what a step costs. With $n$ weights the Hessian has $n^2$
# entries and the system takes some $n^3/3$ operations. For the 650 here that is nothing. For a network with a
# million weights the matrix alone would fill 8 terabytes.
#
# What if one keeps only its *diagonal*? Then the inverse costs nothing, and each weight is divided by a number of its own. You know methods that
# do this: with $\sqrt{\text{cache}}$ in the place of the curvature, Adagrad, RMSprop and Adam are distant and cheap relatives of Newton.

# %% [markdown]
# ## 4 · And with mini-batches?
#
# SGD does well on gradients from 100 examples. So let Newton have 100 examples in each step, too: gradient and Hessian
# of the same mini-batch, your line search on top. (On the same mini-batch as well: to evaluate the loss on *all* examples, for each $t$ that is tried,
# would cost just what mini-batches were to save. That is why SGD comes without a line search, and with a schedule.) What do you expect?

# %% tags=["experiment"]
def on_minibatches(step, steps, rng):
    w, losses = np.zeros(650), []
    for _ in range(steps):
        losses.append(objective(w)[0] - minimum)
        w = step(w, rng.choice(len(X), size=100, replace=False))
    return np.arange(steps), losses


def noisy_newton(w, rows):
    _, g = objective(w, rows)
    p = newton_step(g, softmax_hessian(w, rows))
    return w + backtracking_line_search(lambda v: objective(v, rows)[0], w, p, g) * p


rng = np.random.default_rng(0)
curves = {
    "Newton, 100 examples": on_minibatches(noisy_newton, 40, rng),
    "SGD, 100 examples, η = 2": on_minibatches(lambda w, rows: w - 2 * objective(w, rows)[1], 120, rng),
    "Newton, all examples": exact["Newton"],
}
axes = plot_curves(curves, "step", "loss above the minimum", log="y",
                   title="Newton trusts every mini-batch, to the end")  # fmt: skip
axes.set_ylim(1e-4, 10)
plt.show()

# %% [markdown]
# It is not even bad at *finding* a minimum. It finds the minimum of the hundred examples at hand, almost exactly, and throws away
# what the other thousand had taught it; with the next batch it leaps again. Where only a few data speak,
# the Hessian is flat in most directions, its inverse is huge, and noise is multiplied by just that. Small timid steps, which *average* over many
# batches, are the better answer to noise.

# %% [markdown] question="second-order" points=2
# **Question 4** (2 points, read by a person). A friend wants to train a network with a million weights on a million
# images "with a real optimiser, not with this primitive SGD". Give three different reasons, with a number or an
# observation of this notebook for each, why Newton's method is not used there. Then name a problem
# for which she is right.
#
# ### BEGIN SOLUTION
# (1) Cost: the Hessian has $10^{12}$ entries, 8 TB in float64, and solving takes of the order of $10^{17}$ to $10^{18}$ operations per
# step. (2) Noise: exact gradients need all data; on mini-batches Newton jumps to the minimum of each batch, in the picture far above
# where SGD is. (3) Saddles and negative curvature: Newton goes to any point with zero gradient (Beale from $(1, 0.9)$), and networks have many
# saddles. Also acceptable: twenty digits of training loss are worth nothing for the test error (Bottou and Bousquet). She is right for few parameters, exact
# gradients and a smooth, best convex function: logistic regression, calibrating a physical model, style transfer with L-BFGS, fitting the last layer.
#
# *Rubric.* 1.5 points: half a point for each of three different reasons that is backed by a number or an observation. 0.5: a sensible problem.
# ### END SOLUTION

# %% [markdown]
# ## 5 · ★ BFGS: learn the curvature on the way
#
# Every step shows something of the curvature for free: we went $s = x_{\text{new}} - x$, and the
# gradient changed by $y = g_{\text{new}} - g$. If $H$ were constant, $y = Hs$. So keep a matrix $H^{-1}$ and
# after each step change it *as little as possible* so that it agrees with what was seen, $H^{-1} y = s$, and stays symmetric and
# positive definite. Broyden, Fletcher, Goldfarb and Shanno found the same answer in 1970:
#
# $$ H^{-1} \leftarrow (I - \rho\, s y^\top)\; H^{-1}\; (I - \rho\, y s^\top) + \rho\, s s^\top, \qquad
#    \rho = \frac{1}{s^\top y} . $$
#
# Multiply it with $y$ from the right: you get $s$. It costs $n^2$, no system to solve. If $s^\top y \le 10^{-10}$, the step saw no positive
# curvature; then the matrix stays what it was.

# %% exercise="bfgs_update"
def bfgs_update(h_inv, s, y):
    """The inverse Hessian after a BFGS update.

    h_inv: estimate so far, (n, n);  s: the step, (n,);  y: the change of the gradient, (n,).
    Returns an array (n, n), equal to h_inv where s·y ≤ 1e-10; h_inv itself stays as it is.
    """
    ### BEGIN SOLUTION
    curvature = s @ y
    if curvature <= 1e-10:
        return h_inv.copy()
    rho = 1 / curvature
    left = np.eye(len(s), dtype=h_inv.dtype) - rho * np.outer(s, y)
    return left @ h_inv @ left.T + rho * np.outer(s, s)
    ### END SOLUTION


# %% check="bfgs_update"
check(bfgs_update)

# %% [markdown]
# On Beale's function, from the starting point that led Newton astray:

# %% tags=["experiment"]
x, h_inv, path = np.array([1.0, 0.9]), np.eye(2), []
for _ in range(20):
    path.append(x)
    g = beale_gradient(x)
    p = -h_inv @ g
    x = x + backtracking_line_search(lambda v: beale(*v), x, p, g) * p
    h_inv = bfgs_update(h_inv, x - path[-1], beale_gradient(x) - g)
axes = plot_paths(beale, {"BFGS": np.array(path)}, ((-0.5, 4), (-1, 1.3)),
                  levels=np.geomspace(0.05, 150, 16))  # fmt: skip
axes.plot(3, 0.5, "k*", ms=12)
axes.set_title(f"{len(path)} gradients, no Hessian")
plt.show()

# %% [markdown]
# The estimate is positive definite by construction, so the direction always leads downhill, and the saddle has lost its attraction.

# %% [markdown]
# ## 6 · ★ L-BFGS: without the matrix
#
# $n^2$ numbers are still too many. But the matrix is made of the pairs $(s, y)$ alone: so keep only the last few, say ten, and compute
# the product $H^{-1} g$ directly from them. Unrolling the update gives the **two-loop recursion** (Nocedal 1980). With $\rho_i = 1/(s_i^\top y_i)$:
#
# 1. $q = g$. From the *newest* pair to the oldest: $\;\alpha_i = \rho_i\, s_i^\top q$, $\quad q \leftarrow q - \alpha_i\, y_i$.
# 2. Scale: $q \leftarrow \dfrac{s^\top y}{y^\top y}\, q$ with the newest pair, the best single number for the inverse curvature.
# 3. From the *oldest* pair to the newest: $\;\beta_i = \rho_i\, y_i^\top q$, $\quad q \leftarrow q + (\alpha_i - \beta_i)\, s_i$.
#
# The direction is $-q$.

# %% exercise="lbfgs_direction"
def lbfgs_direction(gradient, s_list, y_list):
    """The direction -H⁻¹g of L-BFGS; -g where there are no pairs yet.

    gradient: g, (n,);  s_list: the last steps, oldest first, each (n,);
    y_list: the changes of the gradient that belong to them.
    Returns an array (n,); the arguments stay as they are.
    """
    ### BEGIN SOLUTION
    q, alphas = gradient.copy(), []
    for s, y in zip(s_list[::-1], y_list[::-1]):
        alphas.append((s @ q) / (s @ y))
        q = q - alphas[-1] * y
    if len(s_list):
        s, y = s_list[-1], y_list[-1]
        q = q * ((s @ y) / (y @ y))
    for s, y, alpha in zip(s_list, y_list, alphas[::-1]):
        q = q + (alpha - (y @ q) / (s @ y)) * s
    return -q
    ### END SOLUTION


# %% check="lbfgs_direction"
check(lbfgs_direction)

# %% [markdown]
# The softmax layer again, all examples in each step: L-BFGS with a memory of ten pairs against Newton and the better Adam. How much is lost
# by remembering only ten pairs out of a $650 \times 650$ matrix?

# %% tags=["experiment"]
def lbfgs(steps, choose_rows, memory=10, search=True):
    """Losses on all examples; each step sees the rows that choose_rows() gives."""
    w, pairs, losses = np.zeros(650), [], []
    for _ in range(steps):
        losses.append(objective(w)[0] - minimum)
        rows = choose_rows()
        _, g = objective(w, rows)
        p = lbfgs_direction(g, [s for s, _ in pairs], [y for _, y in pairs])
        t = 1.0
        if search:
            t = backtracking_line_search(lambda v: objective(v, rows)[0], w, p, g)
        change = objective(w + t * p, choose_rows())[1] - g
        if t * p @ change > 1e-10:
            pairs = [*pairs, (t * p, change)][-memory:]
        w = w + t * p
    return np.arange(steps), np.array(losses) + 1e-16


exact["L-BFGS"] = lbfgs(110, lambda: slice(None))
axes = plot_curves({name: exact[name] for name in ("Newton", "L-BFGS", "Adam, η = 0.1")},
                   "step (full batch)", "loss above the minimum", log="y",
                   title="ten pairs do most of the work")  # fmt: skip
axes.set(xlim=(-5, 300), ylim=(1e-10, 5))
plt.show()

# %% [markdown]
# For the price of a few scalar products per step. This is the method of choice for full batches: scipy's `minimize` uses it
# by default for problems with bounds. And now with mini-batches of 20, once as in the textbook with full steps, once
# with your line search on each batch. Where does the noise do its damage, in $s$ or in $y$?

# %% tags=["experiment"]
rng = np.random.default_rng(0)


def some():
    return rng.choice(len(X), size=20, replace=False)


w, config, losses = np.zeros(650), {"learning_rate": 0.03}, []
for _ in range(200):
    losses.append(objective(w)[0] - minimum)
    w, config = adam(w, objective(w, some())[1], config)
axes = plot_curves(
    {"L-BFGS, full steps": lbfgs(200, some, search=False), "L-BFGS, line search": lbfgs(200, some),
     "Adam": (np.arange(200), losses)},
    "step (20 examples)", "loss above the minimum", log="y",
    title="on mini-batches, L-BFGS loses its head",
)  # fmt: skip
axes.set_ylim(3e-3, 100)
plt.show()

# %% [markdown]
# $y$ is the *difference of two gradients*. With mini-batches it is mostly the difference between two samples, and has little to do
# with curvature; the smaller the step, the worse. Ten such pairs, multiplied into each other, point anywhere, and now and then
# the loss leaps up by a factor of nearly a hundred. The line search prevents the worst. But with full batches the same method was at $10^{-9}$ after 100 steps; here it
# gets stuck near $0.1$, behind Adam, at several times the price per step. If you can afford full batches, take L-BFGS
# (and turn off every other source of noise: dropout, augmentation, batch norm in training mode). If not, take Adam.
#
# **What you have learnt.** Curvature makes steps right in every direction at once, and costs $n^2$ or $n^3$; a line search makes any direction safe;
# BFGS and L-BFGS guess the curvature from gradients; and all of them believe what they see, which is fatal with noise.
