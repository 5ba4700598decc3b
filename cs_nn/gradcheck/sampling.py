"""Calling f near x: one line at a time, everything put back, and how noisy f is."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cs_nn.arrays import Array
from cs_nn.gradcheck.structure import Inputs, Leaf


class Unusable(Exception):
    """The function cannot be checked; the message is a sentence for its author."""


class EntryLine:
    """The line through x along one entry of one array.

    ``move(t)`` goes to x + t·direction and returns the t that floating point made of it; ``rest()``
    goes back to x, bit for bit. ``scale`` is the length over which f may be expected to bend.
    """

    def __init__(self, leaf: Leaf, index: int, typical: float) -> None:
        self.flat = leaf.array.flat
        self.index = index
        self.start = self.flat[index]
        self.x = float(self.start)
        self.scale = max(abs(self.x), typical)
        self.eps = leaf.eps

    def move(self, t: float) -> float:
        self.flat[self.index] = self.x + t
        return float(self.flat[self.index]) - self.x

    def rest(self) -> None:
        self.flat[self.index] = self.start


class DirectionLine:
    """The same along a direction through a whole array, all entries moving at once."""

    def __init__(self, leaf: Leaf, direction: Array, typical: float) -> None:
        self.leaf = leaf
        self.direction = direction
        self.start = leaf.array.copy()
        # Less than one entry would take, since all bends of f come nearer, and more than
        # 1/√n of it, or the steps of the single entries would drown in their rounding.
        self.scale = typical / direction.size**0.25
        self.eps = leaf.eps

    def move(self, t: float) -> float:
        self.leaf.array[...] = self.start + t * self.direction
        return t

    def rest(self) -> None:
        self.leaf.array[...] = self.start


Line = EntryLine | DirectionLine


def typical_size(array: Array) -> float:
    """The step of a zero entry is measured by its neighbours; 1 where all are zero."""
    rms = math.sqrt(float(np.mean(np.square(array, dtype=np.float64)))) if array.size else 0.0
    return min(rms, 1.0) or 1.0


@dataclass
class Sample:
    """What two calls at x ± h tell, contracted with the upstream gradient.

    ``slope`` is the central difference, ``bend`` the second difference, ``left`` and ``right`` are
    the one-sided slopes; ``noise`` is the standard deviation of the round-off in f that they feel.
    """

    h: float
    slope: float
    bend: float
    left: float
    right: float
    noise: float
    moved: bool


class Sampler:
    """f at x and around it. Counts calls; keeps x as it was.

    Differences are taken output by output and weighted by the upstream gradient afterwards: what
    an entry does not touch cancels exactly and brings no round-off with it.
    """

    def __init__(self, f: Callable[..., Any], inputs: Inputs) -> None:
        self.f = f
        self.inputs = inputs
        self.calls = 0
        self.saved = [leaf.array.copy() for leaf in inputs.leaves]
        try:
            first = self._raw()
        except BaseException:
            self.restore()  # f may have changed x before it raised
            raise
        self.shape, self.dtype = first.shape, first.dtype
        self.scalar = first.ndim == 0
        self.base: Any = self._checked(first)
        if not np.all(np.isfinite(self.base)):
            raise Unusable(
                "f(x) is not finite (nan or inf): mend the forward pass first, a gradient of it "
                "cannot be checked."
            )
        self._refuse_changed_input()
        self.weights: Any = None
        self.noise: Any = None

    def prepare(self, upstream: Array) -> None:
        """Set the upstream gradient, see that f answers alike twice, and measure its noise."""
        self.weights = float(upstream) if self.scalar else upstream.astype(np.float64).ravel()
        again = self()
        apart = float(np.max(np.abs(again - self.base), initial=0.0))
        size = float(np.max(np.abs(self.base), initial=0.0))
        if apart > 64 * self.eps * size:
            raise Unusable(
                f"f(x) called twice gives two values, up to {apart:.2g} apart: is there dropout, a "
                "random draw, or a state that each call changes? Make f repeat itself (a seed "
                "inside f, test mode, a fresh state) and check again."
            )
        self.noise = self._measured_noise()

    @property
    def eps(self) -> float:
        """Of the type in which f computes, as far as its output shows."""
        if self.dtype.kind != "f":
            return float(np.finfo(np.float64).eps)
        eps = max(float(np.finfo(self.dtype).eps), float(np.finfo(np.float64).eps))
        values = np.ravel(self.base)
        values = values[values != 0]
        single = values.astype(np.float32) == values if np.all(np.abs(values) < 1e38) else False
        # One value may be a round number by chance; eight that all fit in 24 bits are not.
        if values.size >= 8 and np.all(single) and not np.all(values == np.round(values, 3)):
            eps = max(eps, float(np.finfo(np.float32).eps))
        return eps

    def __call__(self) -> Any:
        """f where the leaves now are: a float, or a flat float64 array of its own."""
        out = self._raw()
        if out.shape != self.shape:
            raise Unusable(
                f"f returned shape {self.shape} at x and shape {out.shape} beside it: the shape "
                "of the output must not depend on the values."
            )
        return self._checked(out)

    def sample(self, line: Line, h: float) -> Sample:
        """Two calls, at x ± h·direction; x is put back whatever happens in them."""
        try:
            up = line.move(h)
            above = self()
            down = line.move(-h)
            below = self()
        finally:
            line.rest()
        ahead, behind = above - self.base, self.base - below
        if self.scalar:
            noise = self.noise if above != below or above != self.base else 0.0
            forward, backward, noise = (
                self.weights * ahead, self.weights * behind, abs(self.weights) * noise
            )  # fmt: skip
        else:
            touched = (ahead != 0) | (behind != 0)
            forward = float(self.weights @ ahead)
            backward = float(self.weights @ behind)
            noise = float(np.linalg.norm((self.weights * self.noise)[touched]))
        right, left = forward / up, -backward / down
        return Sample(
            h=h,
            slope=(forward + backward) / (up - down),
            bend=(right - left) / h,
            left=left,
            right=right,
            noise=noise,
            moved=noise > 0 or forward != 0 or backward != 0,
        )

    def total_noise(self) -> float:
        """The noise when every output may be involved: what a change too small to see hides in."""
        return float(np.linalg.norm(self.weights * self.noise))

    def restore(self) -> list[str]:
        """Put every leaf back; return the names of those that f itself had changed."""
        changed = []
        for leaf, saved in zip(self.inputs.leaves, self.saved, strict=True):
            if leaf.array.tobytes() != saved.tobytes():
                changed.append(leaf.name)
                leaf.array[...] = saved
        return changed

    def _raw(self) -> Array:
        self.calls += 1
        out = self.inputs.call(self.f)
        if isinstance(out, tuple | list | dict) or out is None:
            what = "nothing" if out is None else f"a {type(out).__name__}"
            raise TypeError(
                f"f returned {what}, and must return one number or array: if it is a forward "
                "pass with a cache, check lambda x: forward(x)[0]."
            )
        out = np.asarray(out)
        if out.dtype.kind not in "fiub":
            raise TypeError(f"f returned values of type {out.dtype}, and must return real numbers.")
        return out

    @staticmethod
    def _checked(out: Array) -> Any:
        # A copy: f may hand out its input, or a buffer that the next call overwrites.
        return float(out) if out.ndim == 0 else out.astype(np.float64).ravel()

    def _refuse_changed_input(self) -> None:
        changed = self.restore()
        if changed:
            raise Unusable(
                f"f changes {' and '.join(changed)} while it computes (x += …, x[mask] = …?): work "
                "on a copy. A function that changes its input has no gradient to speak of."
            )

    def _measured_noise(self) -> Any:
        """The round-off of f, per output: high differences of calls at almost the same x.

        Of seven values along a random line of about 1e-11, a smooth f leaves nothing in the
        second to fourth differences; what remains is round-off, its size known from the binomial
        coefficients. Source: Moré and Wild 2011, "Estimating computational noise", equation 2.7.
        """
        rng = np.random.default_rng(0)
        leaves = self.inputs.leaves
        directions = []
        for leaf, saved in zip(leaves, self.saved, strict=True):
            size = np.maximum(np.abs(saved), typical_size(saved)).astype(np.float64)
            step = max(2.0**-40, 8 * leaf.eps)
            directions.append(step * size * rng.choice([-1.0, 1.0], size=saved.shape))
        values = []
        try:
            for k in range(7):
                for leaf, saved, direction in zip(leaves, self.saved, directions, strict=True):
                    leaf.array[...] = saved + k * direction
                values.append(np.ravel(self()))
        finally:
            self.restore()
        table = np.array(values)
        # Where numbers underflow ε says nothing; and 1e-150 can still be squared.
        smallest = float(np.finfo(self.dtype).tiny) if self.dtype.kind == "f" else 0.0
        noise = 0.5 * self.eps * np.abs(np.ravel(self.base)) + max(smallest, 1e-150)
        for order in (1, 2, 3, 4):
            table = np.diff(table, axis=0)
            if order > 1:
                measured = np.sqrt(np.mean(table**2, axis=0) / math.comb(2 * order, order))
                noise = np.fmax(noise, measured)  # a value that is not finite says nothing
        return float(noise[0]) if self.scalar else noise
