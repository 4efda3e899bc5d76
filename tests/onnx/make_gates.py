#!/usr/bin/env python3
"""Writes the models of tests/onnx/gates: make_gates.py FOLDER

RNN, LSTM and GRU with the activations, numbers and gates that exporters of frameworks do not write,
each beside an .npz with inputs in_0, .. and the outputs out_0, .. of ONNX Runtime. Needs numpy,
onnx and onnxruntime.
"""

import os
import sys

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

TIME, BATCH, FEATURES, UNITS = 4, 3, 2, 3
GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}

CASES = {
    "rnn_affine_clip": ("RNN", dict(activations=["Affine"], activation_alpha=[0.5],
                                    activation_beta=[0.25], clip=0.75)),
    "rnn_two_directions": ("RNN", dict(activations=["LeakyRelu", "ThresholdedRelu"],
                                       activation_alpha=[0.25, 0.125],
                                       direction="bidirectional")),
    "rnn_softplus_reverse": ("RNN", dict(activations=["Softplus"], direction="reverse")),
    "gru_hard_sigmoid": ("GRU", dict(activations=["HardSigmoid", "Softsign"])),
    "gru_clip_reset_after": ("GRU", dict(activations=["Sigmoid", "ScaledTanh"],
                                         activation_alpha=[1.5], activation_beta=[0.5], clip=0.4,
                                         linear_before_reset=1)),
    "lstm_numbers": ("LSTM", dict(activations=["HardSigmoid", "LeakyRelu", "Elu"],
                                  activation_alpha=[0.3, 0.1, 0.5], activation_beta=[0.4])),
    "lstm_peepholes": ("LSTM", dict(peepholes=True)),
    "lstm_peepholes_clip_coupled": ("LSTM", dict(peepholes=True, clip=0.5, input_forget=1)),
    "lstm_two_directions": ("LSTM", dict(
        activations=["Sigmoid", "Tanh", "Softsign", "HardSigmoid", "ScaledTanh", "Relu"],
        activation_alpha=[0.25, 1.25], activation_beta=[0.5, 0.75], direction="bidirectional",
        peepholes=True, lengths=True)),
}


def model(op, rng, peepholes=False, lengths=False, **attributes):
    directions = 2 if attributes.get("direction") == "bidirectional" else 1
    columns = GATES[op] * UNITS
    shapes = {"W": (columns, FEATURES), "R": (columns, UNITS), "B": (2 * columns,)}
    if peepholes:
        shapes["P"] = (3 * UNITS,)
    weights = {name: rng.uniform(-1, 1, (directions,) + shape).astype("f4")
               for name, shape in shapes.items()}
    arrays = {"X": rng.uniform(-2, 2, (TIME, BATCH, FEATURES)).astype("f4")}
    if lengths:
        arrays["lengths"] = numpy.array([TIME, 2, 1], "i4")
    inputs = ["X", "W", "R", "B", "lengths" if lengths else ""]
    for state in ("H", "C") if op == "LSTM" else ("H",):
        arrays[state] = rng.uniform(-1, 1, (directions, BATCH, UNITS)).astype("f4")
        inputs.append(state)
    inputs += ["P"] if peepholes else []
    outputs = ["Y", "Y_h", "Y_c"][:3 if op == "LSTM" else 2]
    node = helper.make_node(op, inputs, outputs, name="cell", hidden_size=UNITS, **attributes)
    types = {"f": TensorProto.FLOAT, "i": TensorProto.INT32}
    graph = helper.make_graph(
        [node], "cell",
        [helper.make_tensor_value_info(n, types[a.dtype.kind], a.shape) for n, a in arrays.items()],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs],
        [numpy_helper.from_array(w, n) for n, w in weights.items()])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    return made, arrays


def main(folder):
    for name, (op, options) in CASES.items():
        made, arrays = model(op, numpy.random.default_rng(len(name)), **options)
        session = onnxruntime.InferenceSession(made.SerializeToString(),
                                               providers=["CPUExecutionProvider"])
        outputs = session.run(None, arrays)
        # The reader needs the shapes of results as little as ONNX Runtime does.
        onnx.save(made, os.path.join(folder, name + ".onnx"))
        values = {"in_%d" % i: x for i, x in enumerate(arrays.values())}
        values.update({"out_%d" % i: y for i, y in enumerate(outputs)})
        numpy.savez(os.path.join(folder, name + ".npz"), **values)


if __name__ == "__main__":
    main(sys.argv[1])
