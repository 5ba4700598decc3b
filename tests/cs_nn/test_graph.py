"""Graphs by hand: the lecture's numbers, and the gates' laws."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_nn import graph
from tests.strategies import arrays, numbers


def slope(f, x, h=1e-6):
    return (f(x + h) - f(x - h)) / (2 * h)


def test_product_graph_of_the_lecture():
    assert graph.product_graph(-2, 5, -4) == (-12, -4, -4, 3)


def test_sigmoid_neuron_of_the_lecture():
    f, dw, dx = graph.sigmoid_neuron(np.array([2.0, -3.0, -3.0]), np.array([-1.0, -2.0]))
    assert f == pytest.approx(0.73, abs=0.005)
    np.testing.assert_allclose(dw, [-0.2, -0.39, 0.2], atol=0.005)
    np.testing.assert_allclose(dx, [0.39, -0.59], atol=0.005)


def test_flat_backprop_of_the_lecture():
    np.testing.assert_allclose(graph.flat_backprop(3, -4), (1.5456, 2.0596, 1.5922), atol=5e-5)


@given(numbers(3), numbers(3))
def test_flat_backprop_is_the_slope(x, y):
    _, dx, dy = graph.flat_backprop(x, y)
    by_x = slope(lambda x: graph.flat_backprop(x, y)[0], x)
    by_y = slope(lambda y: graph.flat_backprop(x, y)[0], y)
    np.testing.assert_allclose((dx, dy), (by_x, by_y), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("t", [-1000.0, 1000.0])
def test_saturated_neuron_has_no_gradient_and_no_overflow(t):
    f, dw, dx = graph.sigmoid_neuron(np.array([0.0, 0.0, t]), np.ones(2))
    assert f == (t > 0)
    assert not dw.any()
    assert not dx.any()


def test_squared_norm_of_the_lecture():
    W, x = np.array([[0.1, 0.5], [-0.3, 0.8]]), np.array([0.2, 0.4])
    f, dW, dx = graph.squared_norm_graph(W, x)
    assert f == pytest.approx(0.116)
    np.testing.assert_allclose(dW, [[0.088, 0.176], [0.104, 0.208]])
    np.testing.assert_allclose(dx, [-0.112, 0.636])


def test_squared_norm_of_a_matrix_that_is_not_square():
    W, x = np.arange(6.0).reshape(2, 3), np.ones(3)
    f, dW, dx = graph.squared_norm_graph(W, x)
    assert f == 3**2 + 12**2
    np.testing.assert_array_equal(dW, [[6, 6, 6], [24, 24, 24]])
    np.testing.assert_array_equal(dx, [72, 102, 132])


@given(arrays(), arrays())
def test_gates_of_equal_shape(x, y):
    y = np.resize(y, x.shape)
    dz = np.linspace(-1, 1, x.size).reshape(x.shape)
    add, multiply, maximum = graph.AddGate(), graph.MultiplyGate(), graph.MaxGate()
    np.testing.assert_array_equal(add.forward(x, y), x + y)
    np.testing.assert_array_equal(add.backward(dz), (dz, dz))
    np.testing.assert_array_equal(multiply.forward(x, y), x * y)
    np.testing.assert_array_equal(multiply.backward(dz), (y * dz, x * dz))
    np.testing.assert_array_equal(maximum.forward(x, y), np.maximum(x, y))
    dx, dy = maximum.backward(dz)
    np.testing.assert_array_equal(dx + dy, dz)
    assert not dx[x < y].any()
    assert not dy[x >= y].any()


def test_max_gate_gives_a_tie_to_the_first():
    gate = graph.MaxGate()
    gate.forward(np.array([1.0, 2.0]), np.array([1.0, 3.0]))
    dx, dy = gate.backward(np.array([5.0, 7.0]))
    np.testing.assert_array_equal((dx, dy), ([5, 0], [0, 7]))


def test_copy_gate_adds_what_comes_back():
    gate = graph.CopyGate(3)
    x = np.array([1.0, 2.0])
    copies = gate.forward(x)
    copies[0][0] = 99
    np.testing.assert_array_equal([x, copies[1], copies[2]], [[1, 2]] * 3)
    dx = gate.backward(np.ones(2), 2 * np.ones(2), np.array([0.0, 10.0]))
    np.testing.assert_array_equal(dx, [3, 13])
    with pytest.raises(ValueError, match="3 copies need 3 upstream gradients, not 2"):
        gate.backward(np.ones(2), np.ones(2))
    with pytest.raises(ValueError, match="at least one copy"):
        graph.CopyGate(0)


def test_one_gate_object_per_node():
    first, second = graph.MultiplyGate(), graph.MultiplyGate()
    first.forward(np.array([2.0]), np.array([3.0]))
    second.forward(np.array([5.0]), np.array([7.0]))
    np.testing.assert_array_equal(first.backward(np.ones(1)), ([3], [2]))


def test_gradients_of_the_add_gate_are_separate_arrays():
    dz = np.ones(2)
    gate = graph.AddGate()
    gate.forward(dz, dz)
    dx, dy = gate.backward(dz)
    dx += 1
    np.testing.assert_array_equal((dy, dz), np.ones((2, 2)))


@given(arrays(st.integers(1, 6).map(lambda n: (n,))))
def test_relu_vjp_is_the_product_with_the_jacobian(x):
    dout = np.linspace(-2, 3, len(x))
    jacobian = graph.elementwise_jacobian(lambda x: (x > 0).astype(float), x)
    np.testing.assert_array_equal(graph.relu_vjp(x, dout), dout @ jacobian)


def test_relu_vjp_of_the_lecture():
    x, dout = np.array([1.0, -2.0, 3.0, -1.0]), np.array([4.0, -1.0, 5.0, 9.0])
    np.testing.assert_array_equal(graph.relu_vjp(x, dout), [4, 0, 5, 0])


def test_elementwise_jacobian_accepts_a_constant_slope():
    np.testing.assert_array_equal(
        graph.elementwise_jacobian(lambda x: 2, np.ones(2)), 2 * np.eye(2)
    )


def test_chain_rule_multiplies_from_the_output():
    rng = np.random.default_rng(1)
    J0, J1, J2 = (rng.standard_normal(shape) for shape in [(5, 4), (3, 5), (2, 3)])
    np.testing.assert_allclose(graph.chain_rule([J0, J1, J2]), J2 @ J1 @ J0)
    only = graph.chain_rule([J0])
    only += 1
    assert not np.shares_memory(only, J0)
    with pytest.raises(ValueError, match="at least one Jacobian"):
        graph.chain_rule([])


class CountsWork(np.ndarray):
    """An array that adds up the multiplications of every matrix product it takes part in."""

    work = 0

    def __matmul__(self, other):
        CountsWork.work += self.shape[0] * self.shape[1] * other.shape[1]
        return (np.asarray(self) @ np.asarray(other)).view(CountsWork)

    def __rmatmul__(self, other):
        return other.view(CountsWork) @ self


def test_chain_rule_is_cheap_for_one_output():
    CountsWork.work = 0
    shapes = [(30, 30)] * 5 + [(1, 30)]
    graph.chain_rule([np.ones(shape).view(CountsWork) for shape in shapes])
    assert CountsWork.work == 5 * 30 * 30


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_results_keep_the_dtype(dtype):
    x, y = np.array([1, -2], dtype), np.array([3, 4], dtype)
    W, w3 = np.ones((3, 2), dtype), np.ones(3, dtype)
    multiply, maximum, copy = graph.MultiplyGate(), graph.MaxGate(), graph.CopyGate(2)
    results = [
        *graph.product_graph(*w3),
        *graph.flat_backprop(*x),
        *graph.sigmoid_neuron(w3, x),
        *graph.squared_norm_graph(W, x),
        multiply.forward(x, y),
        *multiply.backward(x),
        maximum.forward(x, y),
        *maximum.backward(x),
        *copy.forward(x),
        copy.backward(x, y),
        graph.relu_vjp(x, y),
        graph.elementwise_jacobian(np.cos, x),
        graph.chain_rule([W, W.T]),
    ]
    assert {np.asarray(result).dtype for result in results} == {np.dtype(dtype)}


def test_integers_are_computed_in_floating_point():
    relu_vjp, squared_norm = map(inspect.unwrap, (graph.relu_vjp, graph.squared_norm_graph))
    integers = np.array([1, -2])
    assert relu_vjp(integers, integers).dtype == np.float64
    assert squared_norm(np.eye(2, dtype=int), integers)[1].dtype == np.float64
    assert all(isinstance(number, np.floating) for number in graph.product_graph(1, 2, 3))
