# %% [markdown]
# # A rate for every weight: Adagrad, RMSprop, Adam
#
# One learning rate for all directions is a compromise that pleases nobody: that was the lesson of
# the bowl. Could every weight have a rate of its own? Somebody would have to set them, and there are
# millions. So let each weight find its own, from the gradients that it has seen.
#
# | | |
# |---|---|
# | **You need** | `1_descent`: optimisers as functions, momentum |
# | **It takes** | about two hours; four exercises, one question, and two more exercises for the curious (★) |
# | **Afterwards you can** | derive Adam from its parts, bias correction included; say what happens to each method when the loss is rescaled; explain what AdamW repaired; read the paths of optimisers on a landscape |

# %%
import matplotlib.pyplot as plt
import numpy as np

from autograder import check, reuse
from cs_nn.plots import animate_paths, plot_curves, plot_paths

reuse("1_descent", "sgd", "sgd_momentum", "nesterov", "walk")

# %% [markdown]
# ## 1 · Adagrad: the more you have moved, the slower you get
#
# Let every weight keep account of the squares of its own gradients, and divide by the root of the
# sum (Duchi, Hazan and Singer 2011):
#
# $$ \text{cache} \leftarrow \text{cache} + dw^2, \qquad
#    w \leftarrow w - \eta\,\frac{dw}{\sqrt{\text{cache}} + \varepsilon} , $$
#
# everything entry by entry. Where gradients are large, steps are cut; where they are small or rare
# (the weight of a rare word, say), steps are kept up. The $\varepsilon = 10^{-8}$ is there for the
# weight that has never had a gradient at all. It stands *outside* the root: inside it would be
# $\sqrt{10^{-8}} = 10^{-4}$, which is not so small any more for a small gradient.
#
# Before you write it: how long is the very first step of each weight, whatever its gradient?

# %% exercise="adagrad"
def adagrad(w, dw, config=None):
    """One step of Adagrad.

    w: parameters, any shape;  dw: their gradient, same shape;
    config: learning_rate (1e-2), epsilon (1e-8, outside the root),
        cache (zeros of the shape of w).
    Returns (next_w, config), the config with the new cache.
    """
    ### BEGIN SOLUTION
    config = {"learning_rate": 1e-2, "epsilon": 1e-8, **(config or {})}
    cache = config.get("cache", np.zeros_like(w)) + dw**2
    next_w = w - config["learning_rate"] * dw / (np.sqrt(cache) + config["epsilon"])
    return next_w, {**config, "cache": cache}
    ### END SOLUTION


# %% check="adagrad"
check(adagrad)

# %% [markdown]
# An even slope, gradient 1 for ever. Plain descent walks on at the same pace. And Adagrad? Predict
# the length of step number 100 before you look: what is in the cache by then?

# %% tags=["experiment"]
path = walk(adagrad, lambda w: np.ones(1), [0.0], 400, learning_rate=0.1)
steps = np.arange(1, 401)
axes = plot_curves(
    {"Adagrad": (steps, np.abs(np.diff(path[:, 0]))), "η / √t": (steps, 0.1 / np.sqrt(steps)),
     "plain descent, η": (steps, np.full(400, 0.1))},
    "step t", "length of the step", log="xy", title="on an even slope, Adagrad gets tired",
)  # fmt: skip
axes.lines[1].set(ls=":", lw=4)
plt.show()

# %% [markdown]
# The sum never shrinks, so the rate only falls. For a convex problem this is exactly right (it is
# what the proof needs). For a network, where the landscape at step 10 000 has nothing to do with that at step
# 10, it is old grudges. What would you change?

# %% [markdown]
# ## 2 · RMSprop: forget the past
#
# Replace the sum by an average that fades: Hinton proposed it on a slide of his online course in 2012, and it
# has been cited by that slide ever since.
#
# $$ \text{cache} \leftarrow \rho\,\text{cache} + (1 - \rho)\,dw^2 $$
#
# The rest is Adagrad. An average with $\rho = 0.99$ remembers about the last
# $1/(1-\rho) = 100$ steps. Watch the factor $1 - \rho$: without it you have a sum again, only a leaky
# one.

# %% exercise="rmsprop"
def rmsprop(w, dw, config=None):
    """One step of RMSprop.

    w: parameters, any shape;  dw: their gradient, same shape;
    config: learning_rate (1e-2), decay_rate ρ (0.99), epsilon (1e-8, outside the root),
        cache (zeros of the shape of w).
    Returns (next_w, config), the config with the new cache.
    """
    ### BEGIN SOLUTION
    config = {"learning_rate": 1e-2, "decay_rate": 0.99, "epsilon": 1e-8, **(config or {})}
    rho = config["decay_rate"]
    cache = rho * config.get("cache", np.zeros_like(w)) + (1 - rho) * dw**2
    next_w = w - config["learning_rate"] * dw / (np.sqrt(cache) + config["epsilon"])
    return next_w, {**config, "cache": cache}
    ### END SOLUTION


# %% check="rmsprop"
check(rmsprop)

# %% [markdown]
# A test of memory: the slope is 1 for 300 steps, then a hundred times flatter. Who notices?

# %% tags=["experiment"]
def changing_slope(optimiser, **settings):
    w, config, lengths = np.zeros(1), settings, []
    for t in range(1200):
        slope = np.full(1, 1.0 if t < 300 else 0.01)
        next_w, config = optimiser(w, slope, config)
        lengths.append(abs(next_w[0] - w[0]))
        w = next_w
    return np.arange(1200), lengths


axes = plot_curves(
    {"Adagrad": changing_slope(adagrad, learning_rate=0.01),
     "RMSprop": changing_slope(rmsprop, learning_rate=0.01)},
    "step", "length of the step", log="y", title="RMSprop forgives, Adagrad does not",
)  # fmt: skip
axes.axvline(300, color="0.7", ls=":")
plt.show()

# %% [markdown]
# RMSprop is back at its old pace after some 900 steps ($0.99^{900} \approx 10^{-4}$: the
# square of the old slope must fade below that of the new one). But look at the other end of the curve:
# *the first steps are ten times as long as they should be.* Why? What is in the cache after one step?

# %% [markdown]
# ## 3 · Adam: and forget it correctly
#
# Adam (Kingma and Ba 2015) keeps two fading averages, one of the gradients, as momentum does, and one of
# their squares, as RMSprop does:
#
# $$ m_t = \beta_1\,m_{t-1} + (1 - \beta_1)\,g_t, \qquad v_t = \beta_2\,v_{t-1} + (1 - \beta_2)\,g_t^2 . $$
#
# Both start at zero, and that is what you have just seen go wrong. Unroll the recursion:
#
# $$ m_t = (1 - \beta_1) \sum_{i=1}^{t} \beta_1^{\,t-i}\, g_i . $$
#
# Is that an average of the $g_i$? Only if the weights add up to 1. They are a geometric series,
#
# $$ (1 - \beta_1) \sum_{i=1}^{t} \beta_1^{\,t-i} = (1 - \beta_1)\,\frac{1 - \beta_1^{\,t}}{1 - \beta_1}
#    = 1 - \beta_1^{\,t} , $$
#
# and at $t = 1$ this is only $0.1$. If all gradients have the same mean, $\mathbb E[m_t] =
# (1 - \beta_1^{\,t})\;\mathbb E[g]$: the average is *biased towards zero*, by a factor that we know exactly. So
# divide by it:
#
# $$ \hat m_t = \frac{m_t}{1 - \beta_1^{\,t}}, \qquad \hat v_t = \frac{v_t}{1 - \beta_2^{\,t}}, \qquad
#    w \leftarrow w - \eta\,\frac{\hat m_t}{\sqrt{\hat v_t} + \varepsilon} . $$
#
# Without it the first step would be $0.1 g / \sqrt{0.001\,g^2} \approx 3.2$ times $\eta$ instead of $\eta$, and
# the second average, with its long memory, would stay wrong for a thousand steps.
#
# **Exercise.** Two traps. $t$ counts the steps *done*, so it is 0 in a fresh config and 1 in the first
# correction. And what is stored: $m_t$ or $\hat m_t$?

# %% exercise="adam"
def adam(w, dw, config=None):
    """One step of Adam.

    w: parameters, any shape;  dw: their gradient, same shape;
    config: learning_rate (1e-3), beta1 (0.9), beta2 (0.999), epsilon (1e-8, outside the root),
        m and v (zeros of the shape of w), t (steps done so far, 0).
    Returns (next_w, config), the config with the new m, v and t.
    """
    ### BEGIN SOLUTION
    config = {
        "learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8,
        "m": np.zeros_like(w), "v": np.zeros_like(w), "t": 0, **(config or {}),
    }  # fmt: skip
    beta1, beta2 = config["beta1"], config["beta2"]
    t = config["t"] + 1
    m = beta1 * config["m"] + (1 - beta1) * dw
    v = beta2 * config["v"] + (1 - beta2) * dw**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    next_w = w - config["learning_rate"] * m_hat / (np.sqrt(v_hat) + config["epsilon"])
    return next_w, {**config, "m": m, "v": v, "t": t}
    ### END SOLUTION


# %% check="adam"
check(adam)

# %% [markdown]
# Noisy gradients with mean 1. What does your Adam *store*, what is its average without the bias, and how long are its steps?

# %% tags=["experiment"]
rng = np.random.default_rng(0)
w, config, stored, corrected, lengths = np.zeros(1), None, [], [], []
for t in range(1, 61):
    next_w, config = adam(w, 1 + 0.3 * rng.normal(size=1), config)
    stored.append(config["m"][0])
    corrected.append(config["m"][0] / (1 - 0.9**t))
    lengths.append(w[0] - next_w[0])
    w = next_w
times = np.arange(1, 61)
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.2), layout="constrained")
plot_curves({"stored m": (times, stored), "corrected": (times, corrected)},
            "step t", "average of the gradients", title="a cold start, and its cure", axes=left)  # fmt: skip
left.axhline(1, color="0.7", ls=":")
plot_curves({"step": (times, lengths)}, "step t", "length of Adam's step",
            title="about η from the first step on", axes=right)  # fmt: skip
right.set_ylim(0, 2e-3)
plt.show()

# %% [markdown]
# Every step is about $\eta = 10^{-3}$ long, however large the gradients are. So Adam's $\eta$ means
# something: *how far a weight may move in a step*. It is the reason why $10^{-3}$ works in so
# many networks, and also why Adam never quite settles at a minimum unless $\eta$ is lowered. When would the steps be
# much *shorter* than $\eta$? (Think of gradients that keep changing sign.)

# %% [markdown] question="rescaled" points=2
# **Question 2** (2 points, read by a person). A colleague multiplies the loss by 1000, "for nicer numbers",
# and trains with the same settings as before. For each of SGD, SGD with momentum, Adagrad, RMSprop and
# Adam: what changes? Which setting would need to change, and how, to get the old path back? And why
# does $\varepsilon$ hardly matter here, but might if the loss were *divided* by $10^{6}$?
#
# ### BEGIN SOLUTION
# All gradients are 1000 times as large. SGD and momentum are linear in the gradient: their steps become 1000
# times as long (and probably diverge), and $\eta/1000$ gives the old path back. In Adagrad, RMSprop and
# Adam numerator and root both grow by 1000, and the factor cancels: the path is the same up to
# $\varepsilon$. $\varepsilon$ is added to the root, which is of the size of the gradients; as long as
# they are far above $10^{-8}$ it does not count. Divided by $10^6$, gradients of $10^{-3}$ become
# $10^{-9}$, less than $\varepsilon$: then the steps shrink to a tenth and below, and Adam turns into
# momentum with the rate $\eta/\varepsilon$.
#
# *Rubric.* 1 point: SGD and momentum scale and need $\eta/1000$, the other three do not change (0.5 if one
# is wrong). 1 point: $\varepsilon$ compared with the size of the gradients.
# ### END SOLUTION

# %% [markdown]
# ## 4 · AdamW: weight decay that decays
#
# Add a penalty $\tfrac\lambda2\lVert w\rVert^2$ to the loss and its gradient grows by $\lambda w$. Under plain
# SGD that shrinks each weight by the factor $1 - \eta\lambda$: hence the name *weight decay*. Under Adam the
# $\lambda w$ is divided by $\sqrt{\hat v}$ like everything else. A weight with large gradients is then
# hardly decayed at all, although it may need it most. Loshchilov and Hutter (2019) let the decay go past
# Adam's machinery:
#
# $$ w \leftarrow w - \eta\left( \frac{\hat m}{\sqrt{\hat v} + \varepsilon} + \lambda\,w \right) . $$
#
# Here `dw` is the gradient of the loss *without* any penalty. Which $w$ is decayed: the one from before
# the step or the one after?

# %% exercise="adamw"
def adamw(w, dw, config=None):
    """One step of AdamW, Adam with decoupled weight decay.

    w: parameters, any shape;  dw: gradient of the loss without penalty, same shape;
    config: as for adam, and weight_decay λ (1e-2).
    Returns (next_w, config), the config with the new m, v and t.
    """
    ### BEGIN SOLUTION
    config = {"learning_rate": 1e-3, "weight_decay": 1e-2, **(config or {})}
    next_w, config = adam(w, dw, config)
    return next_w - config["learning_rate"] * config["weight_decay"] * w, config
    ### END SOLUTION


# %% check="adamw"
check(adamw)

# %% [markdown]
# Two useless weights: their gradients are pure noise with mean zero, weak for the one and a hundred times stronger for
# the other. All that can be right is to let both decay to zero. Which of the two methods does it?

# %% tags=["experiment"]
def decay(optimiser, penalty, **settings):
    rng = np.random.default_rng(0)
    w, config, path = np.ones(2), dict(settings, learning_rate=3e-3), []
    for _ in range(1500):
        path.append(w)
        noise = rng.normal(size=2) * [0.1, 10.0]
        w, config = optimiser(w, noise + penalty * w, config)
    return np.array(path)


figure, places = plt.subplots(1, 2, figsize=(10, 3.2), sharey=True, layout="constrained")
runs = {"Adam, λ·w in the gradient": decay(adam, 0.5), "AdamW": decay(adamw, 0, weight_decay=0.5)}
for place, (name, path) in zip(places, runs.items()):
    plot_curves({"weak gradients": (np.arange(1500), path[:, 0]),
                 "strong gradients": (np.arange(1500), path[:, 1])},
                "step", "weight", title=name, axes=place)  # fmt: skip
    place.axhline(0, color="0.7", ls=":")
plt.show()

# %% [markdown]
# Left: the same $\lambda$ is a strict law for one weight and a suggestion for the other. Right: one
# law for all. How long does AdamW take to shrink a weight to $1/e$, from $\eta$ and $\lambda$ alone?

# %% [markdown]
# ## 5 · The race
#
# Three landscapes. An ill-conditioned *bowl*; *Beale's function*, a curved valley with steep walls and
# its minimum at $(3, \tfrac12)$; and a *saddle*, $\tfrac12 u^2 - \tfrac12 v^2 + \tfrac18 v^4$, entered almost exactly on the ridge,
# where the way out begins with a gradient of nearly zero.

# %%
def beale(u, v):
    return (1.5 - u + u * v) ** 2 + (2.25 - u + u * v**2) ** 2 + (2.625 - u + u * v**3) ** 2


def beale_gradient(w):
    u, v = w
    terms = [(c - u + u * v**k, v**k - 1, k * u * v ** (k - 1))
             for c, k in ((1.5, 1), (2.25, 2), (2.625, 3))]  # fmt: skip
    return 2 * sum(r * np.array([du, dv]) for r, du, dv in terms)


def saddle(u, v):
    return 0.5 * u**2 - 0.5 * v**2 + 0.125 * v**4


def saddle_gradient(w):
    return np.array([w[0], -w[1] + 0.5 * w[1] ** 3])


OPTIMISERS = {
    "SGD": (sgd, 1.0), "momentum": (sgd_momentum, 0.1), "Nesterov": (nesterov, 0.1),
    "Adagrad": (adagrad, 12.0), "RMSprop": (rmsprop, 0.8), "Adam": (adam, 4.0),
}  # fmt: skip


def bowl(u, v):
    return 0.5 * (u**2 + 20 * v**2)


def bowl_gradient(w):
    return np.array([1.0, 20.0]) * w


LANDSCAPES = {  # its height, its gradient, how to walk there, what to draw
    "bowl, κ = 20": (bowl, bowl_gradient, {"start": (-9.0, 1.6), "steps": 60, "rate": 0.04},
                     {"reach": ((-10, 3), (-2.5, 2.5))}),
    "Beale": (beale, beale_gradient, {"start": (1.0, 1.5), "steps": 400, "rate": 0.01},
              {"reach": ((-0.5, 4), (-1, 2)), "levels": np.geomspace(0.05, 150, 16)}),
    "saddle": (saddle, saddle_gradient, {"start": (-1.5, 1e-3), "steps": 80, "rate": 0.025},
               {"reach": ((-1.8, 1), (-0.5, 2.5))}),
}  # fmt: skip


def race(optimisers):
    """The path of every optimiser in each landscape; each has its own multiple of the rate there."""
    return {
        landscape: {
            name: walk(optimiser, gradient, way["start"], way["steps"],
                       learning_rate=way["rate"] * factor)
            for name, (optimiser, factor) in optimisers.items()
        }
        for landscape, (_, gradient, way, _) in LANDSCAPES.items()
    }  # fmt: skip


def draw(races):
    """The three landscapes with the paths through them; a star where Beale's minimum is."""
    _, places = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
    for place, (landscape, paths) in zip(places, races.items()):
        height, _, _, view = LANDSCAPES[landscape]
        plot_paths(height, paths, axes=place, **view)
        place.set_title(landscape)
    places[1].get_legend().remove()
    places[2].get_legend().remove()
    places[1].plot(3, 0.5, "k*", ms=12)
    plt.show()


# %% tags=["experiment"]
races = race(OPTIMISERS)
draw(races)

# %% [markdown]
# The same as films. Before you press play: who is first at the floor of Beale's valley, and who first at its
# minimum? Who leaves the ridge of the saddle first, who last, and why does dividing by the size of the gradient help just there?

# %% tags=["experiment"]
from IPython.display import display

for landscape, paths in races.items():
    height, _, _, view = LANDSCAPES[landscape]
    display(animate_paths(height, paths, title=landscape, **view))

# %% [markdown]
# Plain descent and momentum see a gradient of $10^{-3}$ and take it for what it is. The adaptive methods see
# that *this* weight's gradients have always been small, and divide by that. On the bowl they walk
# diagonally: both coordinates at the same pace, whatever the curvature. A word of caution: each
# method has its own rate here, chosen so that the picture is worth looking at. **Never believe a race in which
# only the winner's learning rate was tuned.** Change the factors in `OPTIMISERS` and make somebody else win.
#
# Why care about saddles? A point with zero gradient is a minimum only if the surface bends upwards in *every* direction, and with a million
# directions that is rare: in large networks, so it is believed, saddles are far more common than local minima, and most local
# minima are about equally good (Choromanska and others 2015; Dauphin and others 2014). For small networks this is not true: there a bad minimum can hold you for good.

# %% [markdown]
# ## 6 · ★ Adamax
#
# Adam divides by a kind of average of the squares, an $\ell_2$ norm of the past gradients. In the same paper stands
# the variant with the $\ell_\infty$ norm: the largest gradient in living memory,
#
# $$ u \leftarrow \max(\beta_2\,u,\; |dw|), \qquad
#    w \leftarrow w - \frac{\eta}{1 - \beta_1^{\,t}} \cdot \frac{m}{u + \varepsilon} . $$
#
# Why does $u$ need no correction for its start at zero, when $m$ does?

# %% exercise="adamax"
def adamax(w, dw, config=None):
    """One step of Adamax.

    w: parameters, any shape;  dw: their gradient, same shape;
    config: learning_rate (2e-3), beta1 (0.9), beta2 (0.999), epsilon (1e-8),
        m and u (zeros of the shape of w), t (steps done so far, 0).
    Returns (next_w, config), the config with the new m, u and t.
    """
    ### BEGIN SOLUTION
    config = {
        "learning_rate": 2e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8,
        "m": np.zeros_like(w), "u": np.zeros_like(w), "t": 0, **(config or {}),
    }  # fmt: skip
    t = config["t"] + 1
    m = config["beta1"] * config["m"] + (1 - config["beta1"]) * dw
    u = np.maximum(config["beta2"] * config["u"], np.abs(dw))
    rate = config["learning_rate"] / (1 - config["beta1"] ** t)
    return w - rate * m / (u + config["epsilon"]), {**config, "m": m, "u": u, "t": t}
    ### END SOLUTION


# %% check="adamax"
check(adamax)

# %% [markdown]
# ## 7 · ★ Rprop, the grandfather
#
# The idea of a rate for every weight is older than all of these. Rprop (Riedmiller and Braun 1993) looks at the *sign*
# of each gradient only, and gives every weight a step length of its own:
#
# - same sign as last time: the direction is right, the step grows by `eta_plus` (1.2);
# - other sign: we jumped over a minimum; the step shrinks by `eta_minus` (0.5), and this gradient counts as 0,
#   now *and as the "last" gradient of the next step*;
# - one of the two is 0: the step stays as it is.
#
# Steps are kept between `step_min` and `step_max`, then $w \leftarrow w - \text{sign}(dw)\cdot\text{step}$.

# %% exercise="rprop"
def rprop(w, dw, config=None):
    """One step of Rprop, as in torch.optim.Rprop.

    w: parameters, any shape;  dw: their gradient, same shape;
    config: learning_rate (1e-2), the length of all steps at first; eta_plus (1.2),
        eta_minus (0.5), step_min (1e-6), step_max (50); step, the current lengths, in the shape
        of w; prev_grad (zeros of the shape of w).
    Returns (next_w, config), the config with the new step and prev_grad.
    """
    ### BEGIN SOLUTION
    config = {
        "learning_rate": 1e-2, "eta_plus": 1.2, "eta_minus": 0.5, "step_min": 1e-6,
        "step_max": 50, "prev_grad": np.zeros_like(w), **(config or {}),
    }  # fmt: skip
    first_step = np.full(w.shape, config["learning_rate"], np.result_type(w, np.float32))
    step = config.get("step", first_step)
    agreement = np.sign(dw) * np.sign(config["prev_grad"])
    step = np.where(agreement > 0, step * config["eta_plus"], step)
    step = np.where(agreement < 0, step * config["eta_minus"], step)
    step = np.clip(step, config["step_min"], config["step_max"])
    counted = np.where(agreement < 0, 0, dw)
    return w - np.sign(counted) * step, {**config, "step": step, "prev_grad": counted}
    ### END SOLUTION


# %% check="rprop"
check(rprop)

# %% [markdown]
# Rprop was hard to beat, as long as one used all data in each step. Hinton's example why it is no longer
# used: nine mini-batches say $+0.1$, the tenth says $-0.9$. On average there is nothing to learn, and the weight should
# stay where it is. Does it?

# %% tags=["experiment"]
curves = {}
for name, optimiser in (("Rprop", rprop), ("RMSprop", rmsprop), ("SGD", sgd)):
    w, config, path = np.zeros(1), {"learning_rate": 1e-2, "step_max": 0.1}, []
    for t in range(200):
        w, config = optimiser(w, np.full(1, -0.9 if t % 10 == 9 else 0.1), config)
        path.append(w[0])
    curves[name] = (np.arange(200), path)
plot_curves(curves, "mini-batch", "weight", title="no gradient on average, and yet it moves")
plt.show()

# %% [markdown]
# Nine small steps down for one up: with signs only, one strong protest counts no more than one
# weak complaint. RMSprop was invented to repair exactly this, by dividing neighbouring mini-batches by
# *nearly the same* number.
#
# ### ★ The late starters
#
# The three landscapes once more, with Adamax, Rprop and AdamW, all at the rate that Adam had. (The heavy ball is not missing: it is `momentum`,
# written with two points.) All gradients are exact here. Who do you think profits from that?

# %% tags=["experiment"]
late = race({"AdamW": (adamw, 4.0), "Adamax": (adamax, 4.0), "Rprop": (rprop, 4.0)})
draw(late)
for (landscape, paths), goal in zip(late.items(), ((0, 0), (3, 0.5), (0, 2**0.5))):
    distances = {name: round(float(np.linalg.norm(path[-1] - goal)), 3) for name, path in paths.items()}
    print(f"{landscape:12} distance from the minimum at the end: {distances}")

# %% [markdown]
# Rprop, whose steps grow as long as the sign stays, is at the minimum in all three, while the others are still on their way. Without noise the sign is all one needs to know;
# with mini-batches it is too little, as you have just seen.
#
# **What you have learnt.** Divide by the size of a weight's own gradients, forget slowly, correct for the
# cold start: that is Adam. Its $\eta$ is a length, not a factor. And weight decay should go its own way. The next notebook asks
# where gradients come from in practice, and why a rate should not stay the same.
