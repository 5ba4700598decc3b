"""The plan of the course: every exercise, where it is graded, what it is worth, where it lives.

One table for the whole curriculum, built or not yet: ``csnn exercises`` lists it, the student
edition cuts by it, the notebooks take their points from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

ASSIGNMENTS = {
    "a1_graphs": "Chain rule, computation graphs, numerical gradients",
    "a2_backprop": "Modular backpropagation and the multi-layer perceptron",
    "a3_initialization": "Preprocessing and weight initialisation",
    "a4_normalization": "Batch normalisation, dropout, regularisation",
    "a5_optimization": "Optimisers, schedules, convergence",
    "a6_training": "Training a network in practice",
}
"""Name → title, in the order of the course."""


@dataclass(frozen=True)
class Planned:
    """One graded function or class.

    points: of the assignment's 100 if it is core; else a bonus that a course may switch on.
    kind:   in a word; a pair's halves are "forward" and "backward".
    module: where the reference lives in ``cs_nn``.
    """

    name: str
    assignment: str
    points: float
    core: bool
    kind: str
    module: str


def _core(assignment: str, module: str, kind: str, **points: float) -> Iterator[Planned]:
    for name, worth in points.items():
        yield Planned(name, assignment, worth, True, kind, f"cs_nn.{module}")


def _optional(assignment: str, module: str, kind: str, **points: float) -> Iterator[Planned]:
    for name, worth in points.items():
        yield Planned(name, assignment, worth, False, kind, f"cs_nn.{module}")


def _pair(
    assignment: str, module: str, core: bool = True, **points: tuple[float, float]
) -> Iterator[Planned]:
    """A forward and a backward pass, two exercises."""
    for name, worth in points.items():
        for kind, part in zip(("forward", "backward"), worth, strict=True):
            yield Planned(f"{name}_{kind}", assignment, part, core, kind, f"cs_nn.{module}")


_A1, _A2, _A3, _A4, _A5, _A6 = ASSIGNMENTS

PLAN: tuple[Planned, ...] = (
    *_core(_A1, "gradcheck.textbook", "function", numeric_gradient=10, relative_error=4),
    *_core(_A1, "graph", "function", product_graph=6, sigmoid_neuron=10),
    *_core(_A1, "graph", "class", AddGate=4, MultiplyGate=6, MaxGate=6, CopyGate=4),
    *_core(_A1, "graph", "function", flat_backprop=14),
    *_optional(_A1, "graph", "function", elementwise_jacobian=3),
    *_core(_A1, "graph", "function", relu_vjp=6, squared_norm_graph=10),
    *_optional(_A1, "graph", "function", chain_rule=3),
    *_core(_A1, "autodiff", "class", Value=20),
    # a2
    *_pair(_A2, "layers.affine", affine=(6, 12)),
    *_pair(_A2, "layers.activations", sigmoid=(3, 4)),
    *_pair(_A2, "layers.activations", core=False, tanh=(1, 2)),
    *_pair(_A2, "layers.activations", relu=(3, 5)),
    *_pair(
        _A2, "layers.activations", False, leaky_relu=(1, 2), elu=(1, 2), prelu=(1, 3), maxout=(2, 3)
    ),
    *_core(_A2, "layers.losses", "loss", softmax_loss=14, svm_loss=10),
    *_optional(
        _A2, "layers.losses", "loss", mse_loss=2, l1_loss=2, bce_with_logits_loss=3, kl_div_loss=3
    ),
    *_optional(_A2, "layers.losses", "transform", smooth_labels=2),
    *_core(_A2, "modules", "class", Linear=9, ReLU=3, Sequential=7, TwoLayerNet=16),
    *_core(_A2, "modules", "training", train_step=8),
    # a3
    *_core(
        *(_A3, "data.preprocessing", "transform"),
        **dict(subtract_mean_image=4, subtract_channel_mean=4, standardize=8, pca=14, whiten=8),
    ),
    *_core(_A3, "initializers", "initialiser", constant_init=3, small_random_init=4),
    *_core(_A3, "initializers", "initialiser", xavier_normal=9, xavier_uniform=8),
    *_core(_A3, "initializers", "initialiser", kaiming_normal=9, kaiming_uniform=6),
    *_core(_A3, "initializers", "initialiser", lecun_normal=6),
    *_optional(_A3, "initializers", "initialiser", orthogonal_init=4, geometric_init=2),
    *_optional(_A3, "initializers", "function", lsuv_init=4),
    *_core(_A3, "initializers", "statistics", activation_statistics=13, dead_units=4),
    # a4
    *_pair(_A4, "layers.normalization", batchnorm=(14, 16)),
    *_optional(_A4, "layers.normalization", "backward", batchnorm_backward_alt=3),
    *_pair(_A4, "layers.normalization", layernorm=(8, 10)),
    *_pair(_A4, "layers.image_normalization", False, spatial_batchnorm=(2, 2), groupnorm=(3, 4)),
    *_pair(_A4, "layers.dropout", False, dropout_vanilla=(1, 1)),
    *_pair(_A4, "layers.dropout", dropout=(8, 6)),
    *_core(_A4, "layers.dropout", "statistics", mc_dropout_predict=5),
    *_pair(_A4, "layers.dropout", False, dropconnect=(2, 3)),
    *_core(_A4, "regularizers", "penalty", l1_penalty=4, l2_penalty=5),
    *_optional(_A4, "regularizers", "penalty", elastic_net=2),
    *_core(_A4, "regularizers", "transform", max_norm=5, clip_gradient_norm=7),
    *_core(_A4, "data.augmentation", "augmentation", random_flip=4),
    *_optional(_A4, "data.augmentation", "augmentation", random_crop=2, random_resized_crop=3),
    *_optional(_A4, "data.augmentation", "augmentation", color_jitter=2, random_affine=4),
    *_optional(_A4, "data.augmentation", "augmentation", ten_crop=2),
    *_core(_A4, "training.early_stopping", "class", EarlyStopping=8),
    # a5
    *_core(_A5, "optim.first_order", "optimiser", sgd=3, sgd_momentum=8, nesterov=8, adagrad=7),
    *_core(_A5, "optim.first_order", "optimiser", rmsprop=8, adam=14, adamw=8),
    *_optional(_A5, "optim.first_order", "optimiser", adamax=2, rprop=3),
    *_optional(_A5, "optim.first_order", "function", polyak_heavy_ball=2),
    *_core(_A5, "data.minibatches", "sampler", minibatches=8),
    *_optional(_A5, "data.minibatches", "sampler", sample_batch=1),
    *_core(_A5, "optim.schedules", "schedule", step_decay=4, exponential_decay=3),
    *_optional(_A5, "optim.schedules", "schedule", inverse_time_decay=1),
    *_core(_A5, "optim.schedules", "schedule", cosine_decay=5),
    *_optional(_A5, "optim.schedules", "schedule", warm_restarts=3, cyclic=2),
    *_core(_A5, "optim.schedules", "schedule", linear_warmup=4),
    *_optional(_A5, "optim.schedules", "class", ReduceOnPlateau=3),
    *_core(_A5, "optim.second_order", "function", newton_step=6),
    *_optional(_A5, "optim.second_order", "function", bfgs_update=3, lbfgs_direction=4),
    *_core(_A5, "optim.second_order", "function", backtracking_line_search=8),
    *_core(_A5, "optim.second_order", "function", optimal_step_quadratic=3, condition_number=3),
    # a6
    *_pair(_A6, "layers.convolution", conv=(12, 14)),
    *_pair(_A6, "layers.pooling", max_pool=(7, 8)),
    *_pair(_A6, "layers.pooling", False, avg_pool=(2, 2)),
    *_core(_A6, "training.networks", "class", ConvNet=12),
    *_core(_A6, "training.babysitting", "function", check_initial_loss=3),
    *_core(_A6, "training.babysitting", "training", overfit_small_batch=5),
    *_core(_A6, "training.babysitting", "function", exploded=2, find_learning_rate=6),
    *_core(_A6, "training.search", "statistics", sample_log_uniform=4),
    *_optional(_A6, "training.search", "search", grid_search=2),
    *_core(_A6, "training.search", "search", random_search=6),
    *_optional(_A6, "training.search", "search", coarse_to_fine=4),
    *_core(_A6, "training.babysitting", "function", update_ratio=3),
    *_optional(_A6, "training.babysitting", "function", diagnose_curves=4),
    *_core(_A6, "training.babysitting", "function", moving_average=3),
    *_core(_A6, "training.ensembles", "function", ensemble_predict=3),
    *_optional(_A6, "training.ensembles", "training", snapshot_ensemble=2),
    *_optional(_A6, "training.ensembles", "class", ParameterAverage=2),
    *_optional(_A6, "training.transfer", "function", freeze=1, feature_extractor=2),
    *_optional(_A6, "training.transfer", "training", fine_tune=3),
    *_core(_A6, "training.loop", "training", train=12),
)


@cache
def by_name() -> dict[str, Planned]:
    """Every exercise by its name; names are unique over the whole course."""
    return {entry.name: entry for entry in PLAN}


def planned(assignment: str) -> tuple[Planned, ...]:
    """The exercises of one assignment, in the order of the curriculum.

    Raises:
        KeyError: for a name that is not among `ASSIGNMENTS`.
    """
    if assignment not in ASSIGNMENTS:
        raise KeyError(assignment)
    return tuple(entry for entry in PLAN if entry.assignment == assignment)


def graded_from(assignment: str) -> tuple[str, ...]:
    """Names graded in this assignment or later: what a student must not be given yet."""
    order = list(ASSIGNMENTS)
    first = order.index(assignment)
    return tuple(e.name for e in PLAN if order.index(e.assignment) >= first)
