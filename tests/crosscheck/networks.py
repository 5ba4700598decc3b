"""Graphs by hand and the two-layer network against PyTorch's autograd."""

from cs_nn import graph
from cs_nn.modules import TwoLayerNet
from tests.against_torch import Case

NAMES = ("W1", "b1", "W2", "b2")


def function_case(name, function, torch_function, draw):
    """A function that returns its value and the gradient for each argument, in one tuple."""

    def ours(*inputs):
        value, *gradients = function(*inputs)
        return {"value": value} | {f"gradient{i}": g for i, g in enumerate(gradients)}

    def theirs(torch, *tensors):
        value = torch_function(torch, *tensors)
        gradients = torch.autograd.grad(value, tensors)
        return {"value": value} | {f"gradient{i}": g for i, g in enumerate(gradients)}

    return Case(name, draw, ours, theirs)


def draw_net(rng):
    shapes = [(6, 2, 4), (8, 5), (5,), (5, 3), (3,)]
    return [*(rng.standard_normal(shape) for shape in shapes), rng.integers(3, size=6)]


def our_net(X, W1, b1, W2, b2, y):
    net = TwoLayerNet(8, 5, 3, reg=0.3)
    net.params = dict(zip(NAMES, (W1, b1, W2, b2), strict=True))
    loss, grads = net.loss(X, y)
    return {"scores": net.loss(X), "loss": loss} | grads


def torch_net(torch, X, W1, b1, W2, b2, y):
    scores = torch.relu(X.flatten(1) @ W1 + b1) @ W2 + b2
    loss = torch.nn.functional.cross_entropy(scores, y)
    loss = loss + 0.15 * (W1.square().sum() + W2.square().sum())
    grads = torch.autograd.grad(loss, [W1, b1, W2, b2])
    return {"scores": scores, "loss": loss} | dict(zip(NAMES, grads, strict=True))


def torch_flat(torch, x, y):
    return (x + torch.sigmoid(y)) / (torch.sigmoid(x) + (x + y) ** 2)


CASES = [
    function_case(
        "product_graph",
        graph.product_graph,
        lambda torch, x, y, z: (x + y) * z,
        lambda rng: list(rng.standard_normal(3)),
    ),
    function_case(
        "sigmoid_neuron",
        graph.sigmoid_neuron,
        lambda torch, w, x: torch.sigmoid(w[0] * x[0] + w[1] * x[1] + w[2]),
        lambda rng: [rng.standard_normal(3), rng.standard_normal(2)],
    ),
    function_case(
        "flat_backprop", graph.flat_backprop, torch_flat, lambda rng: list(rng.standard_normal(2))
    ),
    function_case(
        "squared_norm_graph",
        graph.squared_norm_graph,
        lambda torch, W, x: (W @ x).square().sum(),
        lambda rng: [rng.standard_normal((4, 3)), rng.standard_normal(3)],
    ),
    Case("two-layer-net", draw_net, our_net, torch_net),
]
