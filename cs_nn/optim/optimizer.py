"""One optimiser for a whole model: an update rule, applied to every parameter by name."""

from collections.abc import Callable, Mapping
from typing import Any

from cs_nn.arrays import Array, Scalar

Config = dict[str, Any]
UpdateRule = Callable[..., tuple[Array, Config]]


class Optimizer:
    """Trains the parameters in a dictionary with one update rule and a config for each of them.

    The dictionary is the model's own: each step puts a new array under each name. No two
    parameters ever share what the rule remembers.

    Args:
        params: arrays by name, usually ``net.params``.
        update: a rule ``(w, dw, config) -> (next_w, config)`` from ``cs_nn.optim.first_order``, or
            one of your own of the same form.
        config: settings for all parameters, such as ``{"learning_rate": 1e-3}``; what is missing
            takes the rule's defaults.
        overrides: settings for single parameters by name, such as ``{"b1": {"weight_decay": 0}}``.
        schedule: ``schedule(t)`` gives the learning rate after t steps. A parameter whose
            override names a ``learning_rate`` keeps that one.

    Attributes:
        configs: the current config of each parameter.
        t: the number of steps done.

    Raises:
        ValueError: if an override names a parameter that does not exist.

    Example:
        >>> from cs_nn.optim.first_order import sgd_momentum
        >>> params = {"w": np.array([1.0, 2.0])}
        >>> optimizer = Optimizer(params, sgd_momentum, {"learning_rate": 0.5})
        >>> optimizer.step({"w": np.array([1.0, 1.0])})
        >>> params["w"]
        array([0.5, 1.5])
    """

    def __init__(
        self,
        params: dict[str, Array],
        update: UpdateRule,
        config: Mapping[str, Any] | None = None,
        overrides: Mapping[str, Mapping[str, Any]] | None = None,
        schedule: Callable[[int], Scalar] | None = None,
    ) -> None:
        overrides = overrides or {}
        _check_names(overrides, params, "override")
        self.params = params
        self.update = update
        self.schedule = schedule
        self.configs = {name: {**(config or {}), **overrides.get(name, {})} for name in params}
        self.t = 0
        self._own_rate = {name for name in overrides if "learning_rate" in overrides[name]}

    def step(self, grads: Mapping[str, Array], rate: Scalar | None = None) -> None:
        """Update every parameter that has a gradient.

        Args:
            grads: gradients by parameter name; a parameter without one stays as it is.
            rate: learning rate of this step, in place of the schedule's.

        Raises:
            ValueError: if a gradient belongs to no parameter.
        """
        _check_names(grads, self.params, "gradient")
        if rate is None and self.schedule is not None:
            rate = self.schedule(self.t)
        for name, dw in grads.items():
            config = self.configs[name]
            if rate is not None and name not in self._own_rate:
                config = config | {"learning_rate": float(rate)}
            self.params[name], self.configs[name] = self.update(self.params[name], dw, config)
        self.t += 1


def _check_names(names: Mapping[str, Any], params: Mapping[str, Array], what: str) -> None:
    unknown = sorted(set(names) - set(params))
    if unknown:
        raise ValueError(
            f"There is no parameter {unknown[0]!r} for the {what} of that name; "
            f"the parameters are {', '.join(sorted(params))}."
        )
