"""Ensembles: of models, of snapshots, of one model's own past."""

import copy

import numpy as np

from autograder.battery.classes import Scripted
from autograder.battery.functions import CONDUCT, Function
from autograder.course.a6_training.babysitting import tell
from autograder.course.drawing import as_dtype, numbers
from autograder.exercise import Case, Exercise
from cs_nn.training.ensembles import ParameterAverage, ensemble_predict, snapshot_ensemble


def probabilities(rng, models, n, classes):
    """Votes in which sure models outvote more of the unsure."""
    votes = rng.dirichlet(np.full(classes, 0.7), size=(models, n))
    if models > 2 and classes > 2:
        votes[:, 0] = 0.1 / (classes - 1)
        votes[0, 0, 2] = 0.9
        unsure = np.full(classes, 0.08 / max(classes - 2, 1))
        unsure[0], unsure[2] = 0.48, 0.44
        votes[1:, 0] = unsure
        votes[0, 0] = 0.04 / (classes - 1)
        votes[0, 0, 2] = 0.96
    return votes / votes.sum(axis=2, keepdims=True)


def vote_cases(rng):
    def case(models, n, classes, check="", tags=(), dtype=np.float64):
        given = [p.astype(dtype) for p in probabilities(rng, models, n, classes)]
        label = f"{models} model{'s' * (models > 1)}, {n} examples and {classes} classes"
        extra = {"kept": ["probabilities"]}
        return Case(label, {"probabilities": given}, check, frozenset(tags), extra)

    return [
        case(3, 8, 4, tags=[CONDUCT]),
        case(5, 6, 3),
        case(4, 12, 7),
        case(1, 5, 4, "one model"),
        case(3, 1, 5, "N = 1"),
        case(2, 6, 2, "two classes"),
        case(3, 7, 4, "float32", dtype=np.float32),
    ]


def majority(probabilities):
    votes = np.stack([p.argmax(axis=1) for p in probabilities])
    classes = probabilities[0].shape[1]
    counts = np.stack([np.bincount(v, minlength=classes) for v in votes.T])
    return counts.argmax(axis=1)


def half_and_half(probabilities):
    mean = probabilities[0]
    for p in probabilities[1:]:
        mean = (mean + p) / 2
    return np.argmax(mean, axis=1)


VOTES = Exercise(
    name="ensemble_predict",
    kind=Function(),
    reference={"ensemble_predict": ensemble_predict},
    cases=vote_cases,
    misconceptions=(
        tell(
            "majority-vote",
            majority,
            "The models vote with one voice each. Average their probabilities first: a sure model "
            "should count more than an unsure one.",
            severity=0.4,
        ),
        tell(
            "product-of-probabilities",
            lambda probabilities: np.argmax(np.prod(probabilities, axis=0), axis=1),
            "You multiply the probabilities, so that one model can veto. The plain mean was asked "
            "for.",
        ),
        tell(
            "surest-model-decides",
            lambda probabilities: np.argmax(np.max(probabilities, axis=0), axis=1),
            "The largest probability of any model decides. Average over the models.",
        ),
        tell(
            "median-of-the-models",
            lambda probabilities: np.argmax(np.median(probabilities, axis=0), axis=1),
            "You take the median over the models; the mean was asked for.",
            severity=0.2,
        ),
        tell(
            "half-and-half",
            half_and_half,
            "Each model is averaged half and half with the mean so far, so the last one counts as "
            "much as all before it together. What weight should each of them have?",
            severity=0.2,
        ),
        tell(
            "first-model-only",
            lambda probabilities: np.argmax(probabilities[0], axis=1),
            "Only the first model is asked.",
            severity=0.5,
        ),
        tell(
            "last-model-only",
            lambda probabilities: np.argmax(probabilities[-1], axis=1),
            "Only the last model is asked.",
            severity=0.5,
        ),
        tell(
            "averaged-over-examples",
            lambda probabilities: np.argmax(np.mean(probabilities, axis=1), axis=1),
            "The mean runs over the examples, so there is one answer per model. Average over the "
            "models.",
            severity=0.5,
        ),
        tell(
            "winner-over-examples",
            lambda probabilities: np.argmax(np.mean(probabilities, axis=0), axis=0),
            "The maximum runs over the examples. Each example has a winner among the classes.",
            severity=0.5,
        ),
        tell(
            "probabilities-returned",
            lambda probabilities: np.mean(probabilities, axis=0),
            "You return the averaged probabilities; the number of the winning class was asked for.",
        ),
        tell(
            "least-likely-class",
            lambda probabilities: np.argmin(np.mean(probabilities, axis=0), axis=1),
            "The least likely class wins.",
            severity=0.5,
        ),
    ),
    variants=(
        lambda probabilities: sum(probabilities).argmax(-1),
        lambda probabilities: np.array(
            [
                int(np.argmax(np.mean([p[i] for p in probabilities], axis=0)))
                for i in range(len(probabilities[0]))
            ]  # fmt: skip
        ),
        lambda probabilities: np.einsum("mnc->nc", np.stack(probabilities)).argmax(axis=1),
    ),
)


def cycle_cases(rng):
    def case(cycles, shapes, check="", dtype=np.float64):
        def draw():
            return {key: numbers(rng, *shape) for key, shape in shapes.items()}

        args = {
            "params": draw(),
            "moves": [as_dtype(draw(), dtype) for _ in range(max(cycles, 1))],
            "cycles": cycles,
        }
        return Case(f"{cycles} cycles", as_dtype(args, dtype), check)

    net = {"W1": (3, 4), "b1": (4,)}
    return [
        case(3, net),
        case(4, {"W": (2, 2, 2)}),
        case(3, {"W1": (2, 3), "b1": (3,), "W2": (3, 2), "b2": (2,)}),
        case(3, net, "float32", np.float32),
    ]


def collecting(take=lambda net: copy.deepcopy(net.params), *, first=False, count=0):
    """Snapshots with switches for what may go wrong."""

    def snapshot_ensemble(net, run_cycle, cycles):
        kept = []
        for _ in range(cycles + count):
            if first:
                kept.append(take(net))
            run_cycle(net)
            if not first:
                kept.append(take(net))
        return kept

    return snapshot_ensemble


def starting_afresh(net, run_cycle, cycles):
    start, kept = copy.deepcopy(net.params), []
    for _ in range(cycles):
        net.params = copy.deepcopy(start)
        run_cycle(net)
        kept.append(copy.deepcopy(net.params))
    return kept


def going_on_with_the_snapshot(net, run_cycle, cycles):
    kept = []
    for _ in range(cycles):
        run_cycle(net)
        kept.append(copy.deepcopy(net.params))
        net.params = kept[-1]
    return kept


SNAPSHOTS = Exercise(
    name="snapshot_ensemble",
    kind=Scripted("snapshots"),
    reference={"snapshot_ensemble": snapshot_ensemble},
    cases=cycle_cases,
    misconceptions=(
        tell(
            "same-parameters-each-time",
            collecting(lambda net: net.params),
            "All snapshots are the network's own dictionary, so in the end they all show the last "
            "parameters. Make copies.",
            "first snapshot",
            0.4,
        ),
        tell(
            "arrays-not-copied",
            collecting(lambda net: dict(net.params)),
            "The dictionary is copied but not the arrays in it, which training goes on changing.",
            "first snapshot",
            0.4,
            ("same-parameters-each-time",),
        ),
        tell(
            "training-goes-on-in-the-snapshot",
            going_on_with_the_snapshot,
            "A copy is taken, but then the network itself goes on with it, so the next cycle "
            "changes the snapshot. Who holds the copy, and who the original?",
            "first snapshot",
        ),
        tell(
            "snapshot-before-the-cycle",
            collecting(first=True),
            "The snapshots are taken before the cycles: the first is untrained, and the last "
            "cycle is wasted.",
            "first snapshot",
            0.4,
        ),
        tell(
            "cycles-start-afresh",
            starting_afresh,
            "Each cycle starts from the parameters that the network had at first. It should go on "
            "from where the one before has ended.",
            "second snapshot",
            0.3,
        ),
        tell(
            "one-cycle-too-many",
            collecting(count=1),
            "One cycle too many is run.",
            "cycles run",
        ),
        tell(
            "one-cycle-too-few",
            collecting(count=-1),
            "One cycle is missing.",
            "cycles run",
        ),
        tell(
            "only-the-last",
            lambda net, run_cycle, cycles: [collecting()(net, run_cycle, cycles)[-1]],
            "Only the last snapshot comes back; the ensemble needs one of each cycle.",
            "number of snapshots",
        ),
        tell(
            "newest-first",
            lambda net, run_cycle, cycles: collecting()(net, run_cycle, cycles)[::-1],
            "The newest snapshot comes first; oldest first was asked for.",
            "first snapshot",
            0.2,
        ),
        tell(
            "networks-instead-of-parameters",
            collecting(lambda net: {"params": copy.deepcopy(net.params)}),
            "Each snapshot holds the parameters one level too deep: it should be the dictionary "
            "itself.",
            "first snapshot",
            0.2,
        ),
    ),
    variants=(
        collecting(),
        collecting(lambda net: {k: np.array(v) for k, v in net.params.items()}),
        lambda net, run_cycle, cycles: tuple(
            (run_cycle(net), {k: v + 0 for k, v in net.params.items()})[1] for _ in range(cycles)
        ),
    ),
)


def average_cases(rng):
    def case(shapes, decay, steps=3, check="", dtype=np.float64):
        def draw():
            return as_dtype({key: numbers(rng, *shape) for key, shape in shapes.items()}, dtype)

        args = {"params": draw(), "decay": decay, "updates": [draw() for _ in range(steps)]}
        args["updates"][-1] = dict(reversed(args["updates"][-1].items()))
        names = ", ".join(shapes)
        return Case(f"parameters {names} and decay = {decay}", args, check)

    return [
        case({"W": (3, 4), "b": (4,)}, 0.9),
        case({"W1": (2, 3), "b1": (3,), "W2": (3, 2)}, 0.6),
        case({"W": (5,)}, 0.25),
        case({"W": (2, 2)}, 0.0, check="no memory"),
        case({"W": (3, 2)}, 1.0, check="no forgetting"),
        case({"W": (3, 4), "b": (4,)}, 0.8, check="float32", dtype=np.float32),
    ]


class Average:
    """A correct one; the misconceptions below change one thing each."""

    def __init__(self, params, decay):
        self.decay, self.steps = decay, 0
        self.average = self.start(params)

    def start(self, params):
        return {key: value.copy() for key, value in params.items()}

    def mix(self, old, new):
        return self.decay * old + (1 - self.decay) * new

    def update(self, params):
        self.steps += 1
        for key, value in params.items():
            self.average[key] = self.mix(self.average[key], value)


class NotCopied(Average):
    def start(self, params):
        return params


class DictCopied(Average):
    def start(self, params):
        return dict(params)


class FromZero(Average):
    def start(self, params):
        return {key: np.zeros_like(value) for key, value in params.items()}


class WeightsSwapped(Average):
    def mix(self, old, new):
        return (1 - self.decay) * old + self.decay * new


class Sum(Average):
    def mix(self, old, new):
        return self.decay * old + new


class PlainMean(Average):
    def mix(self, old, new):
        return old + (new - old) / (self.steps + 1)


class Replaced(Average):
    def update(self, params):
        self.average = {key: value.copy() for key, value in params.items()}


class Corrected(Average):
    def __init__(self, params, decay):
        super().__init__(params, decay)
        self.raw = {key: np.zeros_like(value) for key, value in params.items()}

    def update(self, params):
        self.steps += 1
        for key, value in params.items():
            self.raw[key] = self.mix(self.raw[key], value)
            share = 1 - self.decay**self.steps
            self.average[key] = self.raw[key] / share if share else self.average[key]


class CorrectedCopy(Average):
    """Adam's correction, on an average that started from a copy."""

    def __init__(self, params, decay):
        super().__init__(params, decay)
        self.raw = self.start(params)

    def update(self, params):
        self.steps += 1
        for key, value in params.items():
            self.raw[key] = self.mix(self.raw[key], value)
            self.average[key] = self.raw[key] / (1 - self.decay**self.steps)


class WarmedUp(Average):
    def mix(self, old, new):
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        return decay * old + (1 - decay) * new


class OnlyFirst(Average):
    def update(self, params):
        key = next(iter(params))
        self.average[key] = self.mix(self.average[key], params[key])


class Wide(Average):
    def start(self, params):
        return {key: value.astype(float) for key, value in params.items()}


class AverageInPlace(Average):
    def update(self, params):
        for key in self.average:
            self.average[key] *= self.decay
            self.average[key] += (1 - self.decay) * params[key]


class AverageAnew(Average):
    def update(self, params):
        self.average = {
            key: old + (1 - self.decay) * (params[key] - old) for key, old in self.average.items()
        }


class AverageAsProperty:
    def __init__(self, params, decay):
        self._history, self._decay = [copy.deepcopy(params)], decay

    def update(self, params):
        self._history.append(copy.deepcopy(params))

    @property
    def average(self):
        first, *later = self._history
        for params in later:
            first = {k: self._decay * first[k] + (1 - self._decay) * params[k] for k in first}
        return first


AVERAGES = Exercise(
    name="ParameterAverage",
    kind=Scripted("running_average"),
    reference={"ParameterAverage": ParameterAverage},
    cases=average_cases,
    misconceptions=(
        tell(
            "starts-with-the-arrays-themselves",
            NotCopied,
            "The average starts as the very dictionary that it was given, so it follows the "
            "parameters instead of averaging them. Start from copies.",
            "average at first",
            0.4,
        ),
        tell(
            "arrays-not-copied",
            DictCopied,
            "The dictionary is copied but not the arrays in it, which the optimiser goes on "
            "changing.",
            "average at first",
            0.4,
            ("starts-with-the-arrays-themselves",),
        ),
        tell(
            "starts-at-zero",
            FromZero,
            "The average starts at zero. It should start as a copy of the parameters.",
            "average at first",
        ),
        tell(
            "weights-swapped",
            WeightsSwapped,
            "decay is the weight of the past and 1 − decay that of the new parameters; yours are "
            "swapped.",
            "average after step 1",
        ),
        tell(
            "new-parameters-in-full",
            Sum,
            "The new parameters enter in full, so the average grows. Where is their weight "
            "1 − decay?",
            "average after step 1",
        ),
        tell(
            "plain-mean",
            PlainMean,
            "This is the plain mean of all parameters so far; decay has no influence.",
            "average after step 1",
        ),
        tell(
            "replaced-instead-of-averaged",
            Replaced,
            "The new parameters replace the average.",
            "average after step 1",
            0.5,
        ),
        tell(
            "bias-corrected",
            Corrected,
            "The average is corrected as if it had started at zero. It starts as a copy of the "
            "parameters and needs no correction.",
            "average after step 1",
        ),
        tell(
            "bias-corrected-though-not-biased",
            CorrectedCopy,
            "The average is divided by 1 − decayᵗ, as in Adam. That makes up for a start at zero; "
            "this one starts from a copy of the parameters, so the division blows it up.",
            "average after step 1",
        ),
        tell(
            "decay-warmed-up",
            WarmedUp,
            "The decay is smaller in the first updates, as some libraries warm it up. Here it is "
            "the same from the first update on.",
            "average after step 1",
        ),
        tell(
            "only-the-first-parameter",
            OnlyFirst,
            "Only one of the parameters is averaged.",
            "average after step 1",
        ),
        tell(
            "float32-lost",
            Wide,
            "float32 parameters are averaged in float64.",
            "float32",
            0.1,
        ),
    ),
    variants=(AverageInPlace, AverageAnew, AverageAsProperty),
)

EXERCISES = (VOTES, SNAPSHOTS, AVERAGES)
