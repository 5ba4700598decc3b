"""Which formula the variance of drawn weights follows, over all the shapes that were tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from autograder.battery.kind import Trial
from autograder.values import Value

Formula = Callable[[float, float], float]

SIZES: dict[str, Formula] = {
    "1/fan_in": lambda i, o: 1 / i,
    "1/fan_out": lambda i, o: 1 / o,
    "1/(fan_in + fan_out)": lambda i, o: 1 / (i + o),
    "1/√(fan_in·fan_out)": lambda i, o: (i * o) ** -0.5,
    "1/√fan_in": lambda i, o: i**-0.5,
    "1/√fan_out": lambda i, o: o**-0.5,
    "1/√(fan_in + fan_out)": lambda i, o: (i + o) ** -0.5,
    "1/(fan_in·fan_out)": lambda i, o: 1 / (i * o),
    "1/fan_in²": lambda i, o: i**-2,
    "1/fan_out²": lambda i, o: o**-2,
    "1/(fan_in + fan_out)²": lambda i, o: (i + o) ** -2,
    "1": lambda i, o: 1.0,
    "1·√(fan_out/fan_in)": lambda i, o: (o / i) ** 0.5,
    "1·√(fan_in/fan_out)": lambda i, o: (i / o) ** 0.5,
    "1·fan_out/fan_in": lambda i, o: o / i,
    "1·fan_in/fan_out": lambda i, o: i / o,
    "1·fan_in": lambda i, o: i,
    "1·fan_out": lambda i, o: o,
    "1·√fan_in": lambda i, o: i**0.5,
    "1·√fan_out": lambda i, o: o**0.5,
    "1·(fan_in + fan_out)": lambda i, o: i + o,
    "1·(1/fan_in + 1/fan_out)": lambda i, o: 1 / i + 1 / o,
}
"""How a variance may depend on the layer, likelier ways first; the 1 is a factor's place."""

FACTORS = {"1": 1.0, "2": 2.0, "4": 4.0, "½": 0.5, "6": 6.0, "3": 3.0, "⅓": 1 / 3, "⅔": 2 / 3,
           "12": 12.0, "¼": 0.25, "(1/12)": 1 / 12, "(1/6)": 1 / 6}  # fmt: skip
POWERS = {"": 0.0, "{}·": 1.0, "{}²·": 2.0, "√{}·": 0.5, "1/{}·": -1.0}
"""How a setting (scale, c) may enter."""

CLOSE = 0.06
"""What an estimate from 10⁴ draws is worth: four standard deviations."""


def formula(wrong: Sequence[tuple[Trial, Value]]) -> tuple[str, str, str] | None:
    """(code, fact, question) of the variances that were seen, where they follow one formula."""
    seen = [(trial, got) for trial, got in wrong if isinstance(got, float) and got > 0]
    if not seen or len(seen) < len(wrong):
        return None
    got = np.array([g for _, g in seen])
    truth = np.array([float(trial.case.extra["variance"]) for trial, _ in seen])
    fits = [
        (float(np.max(abs(got / values - 1))), candidate, values)
        for candidate, values in _formulas(seen)
    ]
    # Of several that an estimate cannot tell apart the likeliest, unless another is much nearer.
    least = min((off for off, _, _ in fits), default=1.0)
    near = (fit for fit in fits if fit[0] <= min(CLOSE, max(2 * least, CLOSE / 4)))
    _, name, exact = next(near, (0.0, "", got))
    code = f"variance:{name or 'factor'}"
    named = f" ({name})" if name else ""
    for power, times, ask in SLIPS:
        if len(seen) > 1 and np.all(abs(got / (times * truth**power) - 1) <= CLOSE):
            return code, f"is {_times(got[0] / truth[0])}{named}", ask
    ratio = exact / truth
    if len(seen) > 1 and np.ptp(ratio) <= (1e-6 if name else CLOSE) * ratio.mean():
        ask = "it depends on the size of the layer as it should. Look at the constant factor, and "
        ask += "at what stands under the root."
        return code, f"is {_times(ratio.mean())}{named}", ask
    if name:
        ask = "compare it with the formula: which fans does that hold, and under which root?"
        return code, f"is that of {name}", ask
    return None


SLIPS = (
    (2.0, 1.0, "this is the square of what it should be: is the variance used where its root, the "
     "standard deviation, belongs?"),
    (2.0, 1 / 3, "is the limit of the uniform distribution without its root?"),
    (0.5, 1.0, "this is the root of what it should be: was a root taken twice?"),
)  # fmt: skip


def _times(ratio: float) -> str:
    return f"{ratio:.3g} times too large" if ratio > 1 else f"{1 / ratio:.3g} times too small"


def _formulas(seen: Sequence[tuple[Trial, Value]]) -> Iterator[tuple[str, np.ndarray]]:
    fans = np.array([[t.case.args["fan_in"], t.case.args["fan_out"]] for t, _ in seen], dtype=float)
    given = [dict(t.case.args["settings"]) for t, _ in seen]
    setting = next((key for settings in given for key in settings), "")
    value = np.array([float(settings.get(setting, np.nan)) for settings in given])
    for before, power in POWERS.items() if setting else [("", 0.0)]:
        # Where the setting has its default, which is not known here, any power of it will do.
        factor = np.ones(len(value)) if not power else value**power
        if np.isnan(factor).all():
            continue
        for times, number in FACTORS.items():
            for size, formula in SIZES.items():
                values = number * factor * np.array([formula(i, o) for i, o in fans])
                if power:
                    got = np.array([float(g) for _, g in seen])  # type: ignore[arg-type]
                    values = np.where(np.isnan(values), got, values)
                yield before.format(setting) + _named(times, size), values


def _named(times: str, size: str) -> str:
    if size.startswith("1·"):
        return size[2:] if times == "1" else f"{times}·{size[2:]}"
    return times + size[1:]
