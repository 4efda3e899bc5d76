"""One step of one stream through a stack of LSTMs, whose states go from call to call, on ONNX Runtime
or PyTorch: one JSON line with the nanoseconds of a step, the median of rounds. What a float64 run by
NumPy does not give within 1e-5 is an error and not timed.
"""

import argparse
import json
import statistics
import time

import numpy as np


def random_weights(layers, features, units):
    """W [inputs, 4 units], U, b of each layer; gates in the order input, forget, candidate, output."""
    rng = np.random.default_rng(7)
    weights = []
    for layer in range(layers):
        shapes = ((features if layer == 0 else units, 4 * units), (units, 4 * units), (4 * units,))
        weights.append([rng.uniform(-0.4, 0.4, shape).astype(np.float32) for shape in shapes])
    return weights


def float64_steps(weights, xs):
    """The last layer's states after each of the inputs."""
    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    states = [(np.zeros(u.shape[0]), np.zeros(u.shape[0])) for _, u, _ in weights]
    outputs = []
    for x in xs:
        for layer, (w, u, b) in enumerate(weights):
            h, c = states[layer]
            i, f, g, o = np.split(x @ w.astype(np.float64) + h @ u.astype(np.float64) + b, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            x = sigmoid(o) * np.tanh(c)
            states[layer] = (x, c)
        outputs.append(x)
    return np.array(outputs)


class OnnxRuntime:
    """States are inputs and outputs; two bindings to fixed memory, of which each writes what the
    other one reads."""

    def __init__(self, weights):
        import onnx
        import onnxruntime

        helper, nodes, inputs, outputs, constants, x = onnx.helper, [], [], [], [], "x"
        features, units = weights[0][0].shape[0], weights[0][1].shape[0]

        def value(name, shape):
            return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)

        def constant(name, content):
            constants.append(onnx.numpy_helper.from_array(np.ascontiguousarray(content), name))
            return name

        inputs.append(value("x", [1, 1, features]))
        for layer, (w, u, b) in enumerate(weights):
            def in_order(a):  # ONNX: input, output, forget, candidate
                i, f, g, o = np.split(a, 4, axis=-1)
                return np.concatenate([i, o, f, g], axis=-1)

            tag = str(layer)
            states = ["h" + tag, "c" + tag]
            nodes.append(helper.make_node(
                "LSTM", [x, constant("w" + tag, in_order(w).T[None]),
                         constant("u" + tag, in_order(u).T[None]),
                         constant("b" + tag, np.concatenate([in_order(b), 0 * b])[None]), ""] + states,
                ["", "next_h" + tag, "next_c" + tag], hidden_size=units))
            inputs += [value(name, [1, 1, units]) for name in states]
            outputs += [value("next_" + name, [1, 1, units]) for name in states]
            x = "next_h" + tag
        graph = helper.make_graph(nodes, "step", inputs, outputs, constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(model.SerializeToString(), options,
                                                     providers=["CPUExecutionProvider"])
        self._x = np.zeros([1, 1, features], np.float32)
        names = [v.name for v in inputs[1:]]
        memory = [[np.zeros([1, 1, units], np.float32) for _ in names] for _ in range(2)]
        self._bindings, self._last = [], []
        ort = onnxruntime.OrtValue.ortvalue_from_numpy
        self._x_value = ort(self._x)
        values = [[ort(array) for array in side] for side in memory]
        for side in range(2):
            binding = self._session.io_binding()
            binding.bind_ortvalue_input("x", self._x_value)
            for i, name in enumerate(names):
                binding.bind_ortvalue_input(name, values[side][i])
                binding.bind_ortvalue_output("next_" + name, values[1 - side][i])
            self._bindings.append(binding)
            self._last.append(values[1 - side][names.index("h%d" % (len(weights) - 1))])
        self._side = 0

    def step(self):
        self._session.run_with_iobinding(self._bindings[self._side])
        self._side = 1 - self._side

    def step_on(self, x):
        self._x_value.update_inplace(x.reshape(self._x.shape))
        side = self._side
        self.step()
        return self._last[side].numpy().ravel()


class PyTorch:
    """nn.LSTM over one step, or the same traced and frozen."""

    def __init__(self, weights, traced):
        import torch
        torch.set_num_threads(1)
        self._torch, features, units = torch, weights[0][0].shape[0], weights[0][1].shape[0]
        lstm = torch.nn.LSTM(features, units, num_layers=len(weights)).eval()
        with torch.no_grad():
            for layer, (w, u, b) in enumerate(weights):
                for name, content in (("weight_ih", w.T), ("weight_hh", u.T), ("bias_ih", b),
                                      ("bias_hh", 0 * b)):
                    getattr(lstm, "%s_l%d" % (name, layer)).copy_(
                        torch.from_numpy(np.ascontiguousarray(content)))
        self._x = torch.zeros(1, 1, features)
        self._states = tuple(torch.zeros(len(weights), 1, units) for _ in range(2))
        self._call = lstm
        if traced:
            with torch.inference_mode():
                self._call = torch.jit.freeze(torch.jit.trace(lstm, (self._x, self._states)))

    def step(self):
        with self._torch.inference_mode():
            self._y, self._states = self._call(self._x, self._states)

    def step_on(self, x):
        self._x.copy_(self._torch.from_numpy(x).reshape(self._x.shape))
        self.step()
        return self._y.numpy().ravel()


PEERS = {
    "ONNX Runtime": OnnxRuntime,
    "PyTorch": lambda weights: PyTorch(weights, traced=False),
    "PyTorch, traced": lambda weights: PyTorch(weights, traced=True),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", choices=PEERS, required=True)
    for name in ("layers", "features", "units", "rounds"):
        parser.add_argument("--" + name, type=int, required=True)
    args = parser.parse_args()
    weights = random_weights(args.layers, args.features, args.units)
    peer = PEERS[args.peer](weights)
    xs = np.random.default_rng(1).uniform(-1, 1, (20, args.features)).astype(np.float32)
    got = np.array([peer.step_on(x).copy() for x in xs])
    difference = float(np.abs(got - float64_steps(weights, xs)).max())
    if not difference < 1e-5:
        raise SystemExit("off by %g from float64" % difference)
    steps = 2000
    rounds = []
    for _ in range(args.rounds):
        begin = time.thread_time_ns()
        for _ in range(steps):
            peer.step()
        rounds.append((time.thread_time_ns() - begin) / steps)
    print(json.dumps({"nanoseconds": statistics.median(rounds), "difference": difference}))


if __name__ == "__main__":
    main()
