#!/usr/bin/env python3
"""Writes the models of tests/onnx/domains: make_domains.py FOLDER

Operators of ONNX Runtime's own domain and of ai.onnx.ml, which ONNX's own tests of nodes do not
have, and functions that a model defines; each beside an .npz with inputs in_0, .. and the outputs
out_0, .. of ONNX Runtime. Needs numpy, onnx and onnxruntime.
"""

import os
import sys

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

BATCH, FEATURES = 3, 4
MS, ML = "com.microsoft", "ai.onnx.ml"
RNG = numpy.random.default_rng(7)


def reals(*shape):
    return RNG.uniform(-2, 2, shape).astype("f4")


def node(op, inputs, domain="", outputs=("y",), **attributes):
    return helper.make_node(op, inputs, list(outputs), domain=domain, name=op, **attributes)


def trees(kind, modes=("BRANCH_LEQ",), missing=False, ids=(0, 0, 0, 0, 0), **attributes):
    """Two trees: of three leaves with nodes out of order (the first is the root), and of two."""
    mode = modes[0]
    table = [  # tree, node, feature, mode, value, yes, no
        (0, 2, 1, mode, -0.25, 4, 3), (0, 0, 0, mode, 0.5, 1, 2), (0, 1, 0, "LEAF", 0, 0, 0),
        (0, 3, 0, "LEAF", 0, 0, 0), (0, 4, 0, "LEAF", 0, 0, 0),
        (1, 0, 3, mode, 0.125, 1, 2), (1, 1, 0, "LEAF", 0, 0, 0), (1, 2, 0, "LEAF", 0, 0, 0)]
    names = ["treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids"]
    for i, name in enumerate(names):
        column = [row[i] for row in table]
        attributes["nodes_" + name] = [float(x) for x in column] if name == "values" else column
    if missing:
        attributes["nodes_missing_value_tracks_true"] = [1, 1, 0, 0, 0, 0, 0, 0]
    repeats = len(ids) // 5  # results that each leaf gives
    attributes[kind + "_treeids"] = numpy.repeat([0, 0, 0, 1, 1], repeats).tolist()
    attributes[kind + "_nodeids"] = numpy.repeat([1, 3, 4, 1, 2], repeats).tolist()
    attributes[kind + "_ids"] = list(ids)
    return attributes


WEIGHTS = [0.5, -1.25, 2.0, 0.75, -0.125]
SHARES = [0.5, 0.125, 0.25, 0.25, 0.0625]  # of a probability: none is negative


def with_nan(x):
    x[1, 0] = x[2, 3] = numpy.nan
    return x


def cases():
    x = {"x": reals(BATCH, FEATURES)}
    wide = {"x": reals(BATCH, 5, FEATURES)}
    w, b = reals(FEATURES, 6), reals(FEATURES)
    q = RNG.integers(0, 255, (FEATURES, 6)).astype("u1")
    yield "bias_gelu", wide, {"b": b}, [node("BiasGelu", ["x", "b"], MS)]
    yield "gelu", wide, {}, [node("Gelu", ["x"], MS)]
    yield "fast_gelu", wide, {"b": b}, [node("FastGelu", ["x", "b"], MS)]
    yield "quick_gelu", wide, {}, [node("QuickGelu", ["x"], MS, alpha=1.5)]
    yield "fused_matmul", wide, {"w": w.T.copy()}, [
        node("FusedMatMul", ["x", "w"], MS, transB=1, alpha=0.5)]
    yield "skip_layer_normalization", {**wide, "skip": reals(BATCH, 5, FEATURES)}, {
        "gamma": reals(FEATURES), "beta": reals(FEATURES), "b": b}, [
            node("SkipLayerNormalization", ["x", "skip", "gamma", "beta", "b"], MS,
                 outputs=("y", "", "", "sum"), epsilon=1e-3)]
    yield "fused_conv", {"x": reals(BATCH, 2, 9)}, {"w": reals(3, 2, 3), "b": reals(3)}, [
        node("FusedConv", ["x", "w", "b"], MS, kernel_shape=[3], pads=[1, 1], strides=[2],
             activation="LeakyRelu", activation_params=[0.25])]
    yield "dynamic_quantize_matmul", x, {
        "q": q, "scale": numpy.array([0.01], "f4"), "zero": numpy.array([120], "u1"),
        "b": reals(6)}, [node("DynamicQuantizeMatMul", ["x", "q", "scale", "zero", "b"], MS)]
    yield "matmul_integer_to_float", {"x": RNG.integers(0, 255, (BATCH, FEATURES)).astype("u1")}, {
        "q": q, "a": numpy.array([0.02], "f4"), "scale": RNG.uniform(0.01, 0.02, 6).astype("f4"),
        "a_zero": numpy.array([100], "u1"), "zero": numpy.array([120], "u1")}, [
            node("MatMulIntegerToFloat", ["x", "q", "a", "scale", "a_zero", "zero"], MS)]

    regress = lambda **more: [node("TreeEnsembleRegressor", ["x"], ML, **trees(
        "target", target_weights=WEIGHTS, **more))]
    yield "trees", x, {}, regress(n_targets=1, base_values=[0.25])
    yield "trees_average", x, {}, regress(n_targets=2, ids=(0, 1, 0, 1, 0),
                                          aggregate_function="AVERAGE", modes=("BRANCH_GT",))
    yield "trees_missing", {"x": with_nan(reals(BATCH, FEATURES))}, {}, regress(
        n_targets=1, missing=True, modes=("BRANCH_LT",))
    classify = lambda weights, **more: [node(
        "TreeEnsembleClassifier", ["x"], ML, outputs=("label", "scores"),
        **trees("class", class_weights=weights, **more))]
    # ONNX Runtime passes over classes of which the leaves say nothing, so each says all.
    yield "trees_three_classes", x, {}, classify(
        [float(w) for w in reals(15)], ids=5 * (0, 1, 2), classlabels_int64s=[5, 7, 9],
        post_transform="SOFTMAX")
    # With two classes that have scores it takes them for 0 and 1, whatever they are called.
    yield "trees_two_classes", x, {}, classify(
        SHARES, ids=(0, 1, 0, 1, 1), classlabels_int64s=[0, 1])
    yield "trees_one_score", x, {}, classify(WEIGHTS, classlabels_int64s=[0, 1],
                                             post_transform="LOGISTIC")
    yield "trees_one_probability", x, {}, classify(SHARES, classlabels_int64s=[0, 1])
    coefficients = [float(c) for c in reals(3 * FEATURES)]
    yield "linear_regressor", x, {}, [node(
        "LinearRegressor", ["x"], ML, coefficients=coefficients, intercepts=[0.5, -1.0, 2.0],
        targets=3)]
    yield "linear_classifier", x, {}, [node(
        "LinearClassifier", ["x"], ML, outputs=("label", "scores"), coefficients=coefficients,
        intercepts=[0.5, -1.0, 2.0], classlabels_ints=[2, 4, 6], post_transform="SOFTMAX")]
    yield "scaler", x, {}, [node("Scaler", ["x"], ML, offset=[1.0, 2.0, 3.0, 4.0],
                                 scale=[0.5, 2.0, 1.0, 0.25])]
    for norm in "MAX", "L1", "L2":
        rows = {"x": numpy.abs(x["x"]) if norm == "MAX" else x["x"]}
        yield "normalizer_" + norm.lower(), rows, {}, [node("Normalizer", ["x"], ML, norm=norm)]


def quantized_lstms():
    """What quantize_dynamic of onnxruntime makes of an LSTM, of 5 steps."""
    signed = lambda *shape: RNG.integers(-100, 100, shape).astype("i1")
    scales = lambda *shape: RNG.uniform(0.004, 0.012, shape).astype("f4")
    for name, directions, per_column in (("", 1, False), ("_both_columns", 2, True)):
        wide_scale = (directions, 12) if per_column else (directions,)
        yield "dynamic_quantize_lstm" + name, {"x": reals(5, BATCH, FEATURES)}, {
            "w": signed(directions, FEATURES, 12), "r": signed(directions, 3, 12),
            "b": reals(directions, 24), "w_scale": scales(*wide_scale),
            "w_zero": signed(*wide_scale) // 20 if not per_column else 0 * signed(*wide_scale),
            "r_scale": scales(*wide_scale), "r_zero": 0 * signed(*wide_scale)}, [
                node("DynamicQuantizeLSTM",
                     ["x", "w", "r", "b", "", "", "", "", "w_scale", "w_zero", "r_scale",
                      "r_zero"], MS, outputs=("y", "h", "c"), hidden_size=3,
                     direction="bidirectional" if directions == 2 else "reverse")]


def function_model():
    """A function that calls another; one of its attributes is given, one has a default."""
    opset = [helper.make_opsetid("", 17), helper.make_opsetid("ours", 1)]
    leaky = helper.make_function(
        "ours", "Leaky", ["x"], ["y"], [helper.make_node("LeakyRelu", ["x"], ["y"])], opset[:1],
        ["alpha"])
    leaky.node[0].attribute.append(
        onnx.AttributeProto(name="alpha", ref_attr_name="alpha", type=onnx.AttributeProto.FLOAT))
    call = helper.make_node("Leaky", ["t"], ["y"], domain="ours")
    call.attribute.append(
        onnx.AttributeProto(name="alpha", ref_attr_name="slope", type=onnx.AttributeProto.FLOAT))
    constant = helper.make_node("Constant", [], ["c"])
    constant.attribute.append(
        onnx.AttributeProto(name="value_float", ref_attr_name="by", type=onnx.AttributeProto.FLOAT))
    shifted = helper.make_function(
        "ours", "ShiftedLeaky", ["a"], ["y"],
        [constant, helper.make_node("Add", ["a", "c"], ["t"]), call], opset, ["slope"],
        [helper.make_attribute("by", 0.5)])
    nodes = [helper.make_node("ShiftedLeaky", ["x"], ["h"], domain="ours", slope=0.25),
             helper.make_node("ShiftedLeaky", ["h"], ["y"], domain="ours", slope=0.125, by=-1.5)]
    value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", FEATURES])
    graph = helper.make_graph(nodes, "functions", [value("x")], [value("y")])
    return helper.make_model(graph, functions=[leaky, shifted], opset_imports=opset, ir_version=9)


TYPES = {"f": TensorProto.FLOAT, "u": TensorProto.UINT8, "i": TensorProto.INT8}


def model_of(name, arrays, weights, nodes):
    outputs = [o for o in nodes[-1].output if o]
    types = {"label": TensorProto.INT64}
    graph = helper.make_graph(
        nodes, name,
        [helper.make_tensor_value_info(
            n, TYPES[a.dtype.kind],
            list(a.shape) if name.startswith("dynamic_quantize_lstm") else
            ["N"] + list(a.shape[1:]))
         for n, a in arrays.items()],
        [helper.make_tensor_value_info(o, types.get(o, TensorProto.FLOAT), None) for o in outputs],
        [numpy_helper.from_array(w, n) for n, w in weights.items()])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(MS, 1), helper.make_opsetid(ML, 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def save(folder, name, made, arrays):
    # With several threads, each quantizes the states of its rows by their own range.
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(made.SerializeToString(), options,
                                           providers=["CPUExecutionProvider"])
    values = {"in_%d" % i: x for i, x in enumerate(arrays.values())}
    values.update({"out_%d" % i: y for i, y in enumerate(session.run(None, arrays))})
    onnx.save(made, os.path.join(folder, name + ".onnx"))
    numpy.savez(os.path.join(folder, name + ".npz"), **values)


def main(folder):
    for name, arrays, weights, nodes in cases():
        save(folder, name, model_of(name, arrays, weights, nodes), arrays)
    save(folder, "functions", function_model(), {"x": reals(BATCH, FEATURES)})
    for name, arrays, weights, nodes in quantized_lstms():
        save(folder, name, model_of(name, arrays, weights, nodes), arrays)


if __name__ == "__main__":
    main(sys.argv[1])
