#!/usr/bin/env python3
"""Writes the graph test files of the recurrent family: tests/graph/make_recurrent_cases.py FOLDER

LSTM, GRU, masks and what goes with them, with the tools of make_cases.py beside this file: each
definition is written down a second time, one step of one row on plain numbers, and every derivative
comes from dual numbers.
"""

import math
import struct
import sys

import make_cases
from make_cases import (ACTIVATIONS, FILES, TITLES, Array, Dual, case, dual, embedding, exp, gradients,
                        indices, ints, log, real, sigmoid, sixteenths, write_files)


def case_in(file, op, *args, **kwargs):
    """A case of `op` that goes into another file than that of the op."""
    case(op, *args, **kwargs)
    FILES.setdefault(file, []).append(FILES[op].pop())
    if not FILES[op]:
        del FILES[op]


# ------------------------------------------------------------------------------------ recurrences


def product(vector, matrix, columns):
    return [sum((vector[i] * matrix[i, j] for i in range(len(vector))), 0.0) for j in columns]


def from_state(h, u, factors, gate, units):
    """(h * factors of the gate) u_gate."""
    columns = range(gate * units, (gate + 1) * units)
    scaled = [a * f for a, f in zip(h, factors[gate * units:(gate + 1) * units])] if factors else h
    return product(scaled, u, columns)


def add(*vectors):
    return [sum(xs[1:], xs[0]) for xs in zip(*vectors)]


def rnn_step(z, u, b, h, c, factors, act, options):
    bias = list(b.data) if b else [0.0] * len(h)
    return [act(s) for s in add(z, from_state(h, u, factors, 0, len(h)), bias)], c


def lstm_step(z, u, b, h, c, factors, act, options):
    n = len(h)
    pre = []
    for gate in range(4):
        part = slice(gate * n, (gate + 1) * n)
        bias = list(b.data[part]) if b else [0.0] * n
        pre.append(add(z[part], from_state(h, u, factors, gate, n), bias))
    i, f, g, o = pre
    c = [sigmoid(q) * s + sigmoid(p) * act(r) for p, q, r, s in zip(i, f, g, c)]
    return [sigmoid(p) * act(s) for p, s in zip(o, c)], c


def gru_step(z, u, b, h, c, factors, act, options):
    n = len(h)
    after = options["reset_after"]
    bias = [b[0, j] if after else b[j,] for j in range(3 * n)] if b else [0.0] * (3 * n)
    bias2 = [b[1, j] for j in range(3 * n)] if b and after else [0.0] * (3 * n)
    part = [slice(g * n, (g + 1) * n) for g in range(3)]
    own = [add(z[p], bias[p]) for p in part]
    update = [sigmoid(s) for s in add(own[0], from_state(h, u, factors, 0, n), bias2[part[0]])]
    reset = [sigmoid(s) for s in add(own[1], from_state(h, u, factors, 1, n), bias2[part[1]])]
    if after:
        inner = add(from_state(h, u, factors, 2, n), bias2[part[2]])
        inner = [r * s for r, s in zip(reset, inner)]
    else:
        inner = from_state([r * s for r, s in zip(reset, h)], u, factors, 2, n)
    new = [act(s) for s in add(own[2], inner)]
    return [p * s + (1 - p) * q for p, s, q in zip(update, h, new)], c


def row(array, n, width):
    return [array[n, j] for j in range(width)] if array else None


def order(v, options, n):
    """The places that row n visits, each with whether it counts."""
    time = v["x"].shape[1]
    places = range(time - 1, -1, -1) if options.get("reverse") else range(time)
    return [(t, not v["mask"] or v["mask"][n, t] != 0) for t in places]


def projected(v, n, t):
    x, w = v["x"], v["w"]
    x_t = [x[n, t, f] for f in range(x.shape[2])]
    return product(x_t, w, range(w.shape[1])) if w else x_t


def run(v, step, options, outputs):
    x, u = v["x"], v["u"]
    batch, time, _ = x.shape
    units = u.shape[0]
    act = ACTIVATIONS[options["activation"]]
    sequence, last, last_cell = {}, [], []
    for n in range(batch):
        h = row(v["h0"], n, units) or [0.0] * units
        c = row(v.get("c0"), n, units) or [0.0] * units
        factors = row(v["recurrent_dropout"], n, u.shape[1])
        out = [0.0] * units
        for t, counts in order(v, options, n):
            if counts:
                h, c = step(projected(v, n, t), u, v["b"], h, c, factors, act, options)
                out = h
            for j in range(units):
                sequence[n, t, j] = out[j]
        last += h
        last_cell += c
    everything = {
        "sequence": Array([batch, time, units],
                          [sequence[i] for i in indices([batch, time, units])]),
        "last": Array([batch, units], last), "last_cell": Array([batch, units], last_cell)}
    return {k: everything[k] for k in outputs}


def back(v, step, options, has_cell):
    """The gradient op: each step differentiated by dual numbers, its state before from sequence."""
    x, u, b, w = v["x"], v["u"], v["b"], v["w"]
    batch, time, features = x.shape
    units, columns = u.shape
    act = ACTIVATIONS[options["activation"]]
    bias = [2, columns] if options.get("reset_after") else [columns]
    d = {"dx": [0.0] * len(x.data), "dw": [0.0] * (features * columns if w else 0),
         "du": [0.0] * len(u.data), "db": [0.0] * math.prod(bias), "dh0": [], "dc0": []}
    zero_b = b or Array(bias, [0.0] * math.prod(bias))
    for n in range(batch):
        factors = row(v["recurrent_dropout"], n, columns)
        h = row(v["h0"], n, units) or [0.0] * units
        c = row(v.get("c0"), n, units) or [0.0] * units
        steps, begun = [], False
        for t, counts in order(v, options, n):
            if counts:
                steps.append((t, h, c))
                _, c = step(projected(v, n, t), u, b, h, c, factors, act, options)
                h = [v["sequence"][n, t, j] for j in range(units)]
                begun = True
            elif begun:
                steps.append((t, None, None))
        dh = row(v["d_last"], n, units) or [0.0] * units
        dc = row(v.get("d_last_cell"), n, units) or [0.0] * units
        for t, h, c in reversed(steps):
            if v["d_sequence"]:
                dh = [p + v["d_sequence"][n, t, j] for j, p in enumerate(dh)]
            if h is None:
                continue
            places = {"x": [(n * time + t) * features + f for f in range(features)],
                      "w": range(len(w.data)) if w else [], "u": range(len(u.data)),
                      "b": range(len(zero_b.data)), "h": range(units), "c": range(units)}
            into = {"h": [0.0] * units, "c": [0.0] * units}
            for name, which in places.items():
                for i in which:
                    q = {"x": x, "w": w, "u": u, "b": zero_b, "mask": None}
                    state = {"h": list(h), "c": list(c)}
                    if name in state:
                        state[name][i] = Dual(state[name][i], 1.0)
                    else:
                        seeded = list(q[name].data)
                        seeded[i] = Dual(seeded[i], 1.0)
                        q[name] = Array(q[name].shape, seeded)
                    h2, c2 = step(projected(q, n, t), q["u"], q["b"], state["h"], state["c"],
                                  factors, act, options)
                    slope = sum(dual(y).b * g for y, g in zip(h2, dh))
                    if has_cell:
                        slope += sum(dual(y).b * g for y, g in zip(c2, dc))
                    if name in into:
                        into[name][i] = slope
                    else:
                        d["d" + name][i] += slope
            dh, dc = into["h"], into["c"]
        d["dh0"] += dh
        d["dc0"] += dc
    shapes = {"dx": x.shape, "dw": w.shape if w else [0, columns], "du": u.shape, "db": bias,
              "dh0": [batch, units], "dc0": [batch, units]}
    return {k: Array(s, d[k]) for k, s in shapes.items() if has_cell or k != "dc0"}


def inputs_of(gates, shape, w, b, h0, c0, mask, dropout, bias):
    batch, time, features, units = shape
    columns = gates * units
    inputs = [("x", sixteenths([batch, time, features if w else columns], 1)),
              ("w", sixteenths([features, columns], 4) if w else None),
              ("u", sixteenths([units, columns], 9, step=4)),
              ("b", sixteenths(bias, 2, step=8) if b else None),
              ("h0", sixteenths([batch, units], 6, step=3) if h0 else None)]
    if gates == 4:
        inputs.append(("c0", sixteenths([batch, units], 3, step=7) if c0 else None))
    inputs.append(("mask", ints([batch, time], mask) if mask else None))
    factors = [[0.0, 2.0, 0.5][(i * 7) % 3] for i in range(batch * columns)]
    inputs.append(("recurrent_dropout", real([batch, columns], *factors) if dropout else None))
    return inputs


# name, [batch, time, features, units], w, b, h0, c0, mask, dropout, reverse, outputs
FAMILY = [
    ("everything", [2, 3, 2, 2], 1, 1, 1, 1, [1, 0, 1, 0, 2, 1], 1, False, "all"),
    ("sequence_and_last", [2, 3, 2, 2], 1, 1, 0, 0, None, 0, False, "sequence last"),
    ("last_only", [1, 4, 3, 2], 1, 1, 0, 0, None, 0, False, "last"),
    ("reversed", [2, 3, 2, 3], 1, 0, 1, 1, None, 0, True, "all"),
    ("reversed_masked", [2, 4, 2, 2], 1, 1, 1, 0, [1, 1, 0, 0, 0, 1, 0, 1], 0, True, "sequence"),
    ("all_steps_masked", [2, 2, 1, 2], 1, 1, 1, 1, [0, 0, 1, 1], 0, False, "all"),
    ("padded_in_front", [2, 4, 2, 2], 1, 1, 0, 0, [0, 0, 1, 1, 0, 1, 1, 1], 0, False,
     "sequence last"),
    ("projected_input", [2, 3, 0, 2], 0, 1, 0, 1, None, 0, False, "all"),
    ("one_of_everything", [1, 1, 1, 1], 1, 1, 1, 1, None, 0, False, "all"),
    ("recurrent_dropout", [2, 3, 1, 3], 1, 0, 0, 0, None, 1, False, "last"),
]


def projected_rows(v):
    """The operands of the cell that a cell on looked-up rows stands for."""
    return {**v, "x": embedding(v)["y"], "w": None} if "table" in v else v


def summed_by_rows(v, d):
    """The gradients of a cell on looked-up rows: dtable in the place of dx and dw."""
    if "table" not in v:
        return d
    rows, columns = v["table"].shape
    table = [0.0] * (rows * columns)
    for token, row in enumerate(v["ids"].data):
        for j in range(columns):
            table[row * columns + j] += d["dx"].data[token * columns + j]
    return {"dtable": Array([rows, columns], table),
            **{k: a for k, a in d.items() if k not in ("dx", "dw")}}


def family_cases(op, gates, step, activations, variants=({},), files=None, lookup=False):
    for name, shape, w, b, h0, c0, mask, dropout, reverse, outputs in FAMILY:
        if files and not (mask or dropout or reverse):
            continue
        for k, variant in enumerate(variants):
            options = {"activation": activations[len(name) % len(activations)], **variant}
            if reverse:
                options["reverse"] = True
            columns = gates * shape[3]
            bias = [2, columns] if options.get("reset_after") else [columns]
            inputs = inputs_of(gates, shape, w, b, h0, c0, mask, dropout, bias)
            if lookup:  # of some rows twice, of others never
                ids = [(3 * i * i + 1) % 5 for i in range(shape[0] * shape[1])]
                inputs[:2] = [("ids", ints(shape[:2], ids)), ("table", sixteenths([5, columns], 1))]
            names = ["sequence", "last"] + (["last_cell"] if gates == 4 else [])
            wanted = names if outputs == "all" else outputs.split()
            fn = lambda v, o=options, q=wanted: run(projected_rows(v), step, o, q)
            wrt = [n for n, a in inputs if a and n not in ("ids", "mask", "recurrent_dropout")]
            full_name = name + (["_reset_after", "_reset_before"][k] if len(variants) > 1 else "")
            case_in(files[0] if files else op, op, full_name, inputs, fn, options, gradient=wrt)

            values = {**{n: None for n, _ in inputs}, **{n: a for n, a in inputs if a}}
            sequence = run(projected_rows(values), step, options, ["sequence"])["sequence"]
            rounded = [struct.unpack("f", struct.pack("f", h))[0] for h in sequence.data]
            grads = {n: sixteenths(a.shape, 4 + 3 * i, step=7)
                     for i, (n, a) in enumerate(fn(values).items())}
            outer = [("sequence", Array(sequence.shape, rounded)),
                     ("d_sequence", grads.get("sequence")), ("d_last", grads.get("last"))]
            if gates == 4:
                outer.append(("d_last_cell", grads.get("last_cell")))
            grad_inputs = inputs + outer
            if gates == 1:  # its masks came later, behind all other inputs
                grad_inputs = inputs[:5] + outer + inputs[5:]
            grad = lambda v, o=options: summed_by_rows(
                v, back({"c0": None, "d_last_cell": None, **projected_rows(v)}, step, o, gates == 4))
            case_in(files[1] if files else op + "Grad", op + "Grad", full_name, grad_inputs, grad,
                    options)
            # Step by step, or through the whole recurrence: the same to the rounding of sequence.
            whole = gradients(fn, inputs, values, fn(values), grads, wrt)
            by_steps = grad({n: a for n, a in grad_inputs})
            for n, expected in whole.items():
                assert all(abs(p - q) < 2e-6 for p, q in
                           zip(expected.data, by_steps["d" + n].data)), (op, full_name, n)


def recurrent_cases():
    masks = "with masks, recurrent dropout or in reverse"
    TITLES["RNNCellMasked"] = "RNNCell " + masks
    TITLES["RNNCellGradMasked"] = "RNNCellGrad " + masks
    family_cases("RNNCell", 1, rnn_step, ["tanh", "relu"],
                 files=("RNNCellMasked", "RNNCellGradMasked"))
    TITLES["LSTMCell"] = "[i, f, g, o] = x_t w + h_{t-1} u + b, c_t = s(f) c_{t-1} + s(i) act(g), " \
        "h_t = s(o) act(c_t)"
    TITLES["LSTMCellGrad"] = "the gradients of LSTMCell from its sequence"
    family_cases("LSTMCell", 4, lstm_step, ["tanh", "tanh", "sigmoid"])
    TITLES["GRUCell"] = "h_t = z h_{t-1} + (1 - z) n, n = act(x_n + r (h u_n + b')) or with (r h) u_n"
    TITLES["GRUCellGrad"] = "the gradients of GRUCell from its sequence"
    family_cases("GRUCell", 3, gru_step, ["tanh", "tanh", "relu"],
                 ({"reset_after": True}, {"reset_after": False}))
    TITLES["LookupRNNCellMasked"] = "LookupRNNCell " + masks
    TITLES["LookupRNNCellGradMasked"] = "LookupRNNCellGrad " + masks
    family_cases("LookupRNNCell", 1, rnn_step, ["tanh", "relu"],
                 files=("LookupRNNCellMasked", "LookupRNNCellGradMasked"), lookup=True)
    for cell, gates, step, variants in [
            ("LSTMCell", 4, lstm_step, ({},)),
            ("GRUCell", 3, gru_step, ({"reset_after": True}, {"reset_after": False}))]:
        TITLES["Lookup" + cell] = cell + " with table[ids_t] for x_t w"
        TITLES["Lookup" + cell + "Grad"] = "the gradients of Lookup%s from its sequence" % cell
        family_cases("Lookup" + cell, gates, step, ["tanh", "tanh", "sigmoid"], variants,
                     lookup=True)


# ------------------------------------------------------------------------- softmax and the losses


def rows_of(array):
    width = array.shape[-1]
    return [array.data[i:i + width] for i in range(0, len(array.data), width)]


def softmax_row(x):
    top = max(dual(a).a for a in x)
    powers = [exp(a - top) for a in x]
    total = sum(powers[1:], powers[0])
    return [p / total for p in powers]


def softmax(v):
    return {"y": Array(v["x"].shape, [p for r in rows_of(v["x"]) for p in softmax_row(r)])}


def mean_of_rows(v, name, labels, of_row):
    total, rows = 0.0, list(zip(rows_of(v[name]), rows_of(v[labels])))
    for k, (x, y) in enumerate(rows):
        total = total + of_row(x, y) * (v["weights"].data[k] if v["weights"] else 1.0)
    return {"loss": Array([], [total / len(rows)])}


def logits_row(z, y):
    top = max(dual(a).a for a in z)
    powers = [exp(a - top) for a in z]
    normalizer = log(sum(powers[1:], powers[0])) + top
    return sum(((normalizer - a) * t for a, t in zip(z, y)), 0.0)


def probabilities_row(p, y, epsilon):
    s = sum(p[1:], p[0])
    total = 0.0
    for a, t in zip(p, y):
        q = a / s
        size = dual(q).a
        q = epsilon if size < epsilon else 1 - epsilon if size > 1 - epsilon else q
        total = total - log(q) * t
    return total


def squares_row(x, y):
    return sum(((a - t) * (a - t) for a, t in zip(x, y)), 0.0) / len(x)


def loss_pair(op, name, pred, labels, labels_name, weights, of_row, attributes, output, dloss):
    inputs = [(pred[0], pred[1]), (labels_name, labels), ("weights", weights)]
    fn = lambda v: mean_of_rows(v, pred[0], labels_name, of_row)
    case(op, name, inputs, fn, attributes, gradient=[pred[0]])

    def grad(v):
        given = {pred[0]: v[pred[0]], labels_name: v[labels_name], "weights": v["weights"]}
        g = gradients(fn, [], given, {"loss": None}, {"loss": v["dloss"]}, [pred[0]])
        return {output: g[pred[0]]}

    case(op + "Grad", name, inputs[:2] + [("dloss", real([], dloss))] + inputs[2:], grad, attributes)


def loss_cases():
    TITLES["Softmax"] = "y_k = exp(x_k) / sum of exp(x_j) along the last axis"
    for name, x in [("matrix", sixteenths([3, 4], 2)), ("vector", sixteenths([5], 7)),
                    ("one_class", sixteenths([2, 1], 3)), ("three_axes", sixteenths([2, 2, 3], 5)),
                    ("far_apart", real([2, 3], 90.0, -90.0, 0.0, -200.0, -200.0, -200.0))]:
        case("Softmax", name, [("x", x)], softmax, gradient=["x"])
    TITLES["SoftmaxGrad"] = "dx_k = y_k (dy_k - sum of y_j dy_j)"
    for name, shape in [("matrix", [3, 4]), ("vector", [5]), ("one_class", [2, 1])]:
        y = Array(shape, [abs(a) for a in sixteenths(shape, 2).data])

        def grad(v):
            out = []
            for y_row, d_row in zip(rows_of(v["y"]), rows_of(v["dy"])):
                s = math.fsum(a * b for a, b in zip(y_row, d_row))
                out += [a * (b - s) for a, b in zip(y_row, d_row)]
            return {"dx": Array(v["y"].shape, out)}

        case("SoftmaxGrad", name, [("y", y), ("dy", sixteenths(shape, 4))], grad)

    one_hot = real([3, 4], *[1.0 if (i % 4) == [2, 0, 3][i // 4] else 0.0 for i in range(12)])
    soft = Array([3, 4], [abs(a) / 4 for a in sixteenths([3, 4], 8).data])
    weights = real([3], 0.5, 0.0, 2.0)
    positive = Array([3, 4], [abs(a) for a in sixteenths([3, 4], 5).data])
    TITLES["SoftmaxCrossEntropyWithLogits"] = "mean over rows of -w sum of y_k log softmax(z)_k"
    TITLES["SoftmaxCrossEntropyWithLogitsGrad"] = "dz = dloss w / rows (softmax(z) sum(y) - y)"
    TITLES["CategoricalCrossEntropy"] = "mean over rows of -w sum of y_k log(clip(p_k / sum(p)))"
    TITLES["CategoricalCrossEntropyGrad"] = "dp: the gradient of CategoricalCrossEntropy by p"
    TITLES["MSE"] = "mean over all elements of w (x - y)^2"
    TITLES["MSEGrad"] = "dx = 2 dloss w / n (x - y)"
    for name, labels, w in [("one_hot", one_hot, None), ("soft_labels", soft, None),
                            ("weighted", one_hot, weights), ("soft_and_weighted", soft, weights)]:
        loss_pair("SoftmaxCrossEntropyWithLogits", name, ("z", sixteenths([3, 4], 2)), labels,
                  "labels", w, logits_row, {}, "dz", 0.75)
        loss_pair("CategoricalCrossEntropy", name, ("p", positive), labels, "labels", w,
                  lambda p, y: probabilities_row(p, y, 1e-7), {}, "dp", -1.5)
        loss_pair("MSE", name, ("x", sixteenths([3, 4], 2)), labels, "targets", w, squares_row, {},
                  "dx", 0.75)
    loss_pair("CategoricalCrossEntropy", "clipped_at_both_ends",
              ("p", real([2, 3], 0.03125, 0.0625, 0.90625, 0.5, 0.25, 0.25)),
              real([2, 3], 1.0, 0.0, 1.0, 0.0, 1.0, 0.5), "labels", None,
              lambda p, y: probabilities_row(p, y, 0.125), {"epsilon": 0.125}, "dp", 1.0)
    loss_pair("SoftmaxCrossEntropyWithLogits", "far_apart",
              ("z", real([2, 2], 60.0, -60.0, 60.0, -60.0)), real([2, 2], 0.0, 1.0, 1.0, 0.0),
              "labels", None, logits_row, {}, "dz", 1.0)


# ------------------------------------------------------------------- pooling, masks, layout, dropout


def counted(v, name, n):
    return [t for t in range(v[name].shape[1]) if not v["mask"] or v["mask"][n, t] != 0]


def pooled(v, of_values):
    x = v["x"]
    out = []
    for n in range(x.shape[0]):
        steps = counted(v, "x", n)
        for j in range(x.shape[2]):
            out.append(of_values([x[n, t, j] for t in steps]) if steps else 0.0)
    return {"y": Array([x.shape[0], x.shape[2]], out)}


def largest(values):
    best = values[0]
    for q in values[1:]:
        best = q if dual(q).a > dual(best).a else best
    return best


def pooling_cases():
    mean = lambda values: sum(values[1:], values[0]) / len(values)
    TITLES["GlobalAveragePooling1D"] = "y = mean of x_t over the steps that are not masked"
    TITLES["GlobalMaxPooling1D"] = "y = largest x_t of the steps that are not masked"
    TITLES["GlobalAveragePooling1DGrad"] = "dx_t = dy / number of steps that are not masked"
    TITLES["GlobalMaxPooling1DGrad"] = "dx_t = dy / ties where x_t is the largest"
    for name, shape, mask in [("all_steps", [2, 4, 3], None), ("one_step", [2, 1, 2], None),
                              ("masked", [2, 4, 3], [1, 0, 1, 1, 0, 0, 3, 0]),
                              ("all_masked", [2, 2, 2], [0, 0, 1, 0])]:
        x, dy = sixteenths(shape, 3), sixteenths([shape[0], shape[2]], 5)
        m = ("mask", ints(shape[:2], mask) if mask else None)
        case("GlobalAveragePooling1D", name, [("x", x), m], lambda v: pooled(v, mean),
             gradient=["x"])
        case("GlobalMaxPooling1D", name, [("x", x), m], lambda v: pooled(v, largest),
             gradient=["x"])

        def average_grad(v):
            like = v["like"]
            out = []
            for n, t, j in indices(like.shape):
                steps = counted(v, "like", n)
                out.append(v["dy"][n, j] / len(steps) if t in steps else 0.0)
            return {"dx": Array(like.shape, out)}

        def max_grad(v):
            x = v["x"]
            out = []
            for n, t, j in indices(x.shape):
                ties = [s for s in counted(v, "x", n) if x[n, s, j] == v["y"][n, j]]
                out.append(v["dy"][n, j] / len(ties) if t in ties else 0.0)
            return {"dx": Array(x.shape, out)}

        case("GlobalAveragePooling1DGrad", name, [("dy", dy), ("like", x), m], average_grad)
        tied = Array(shape, [max(a, 0.125) for a in x.data])
        y = pooled({"x": tied, "mask": m[1]}, largest)["y"]
        case("GlobalMaxPooling1DGrad", name, [("x", tied), ("y", y), ("dy", dy), m], max_grad)


def mask_cases():
    TITLES["SequenceMask"] = "mask[n, t] = 1 where t < lengths[n]"
    for name, lengths, time in [("several", [0, 3, 1, 4], 4), ("one", [1], 1)]:
        fn = lambda v, time=time: {"mask": ints([len(v["lengths"].data), time],
                                                [int(t < n) for n in v["lengths"].data
                                                 for t in range(time)])}
        case("SequenceMask", name, [("lengths", ints([len(lengths)], lengths))], fn, {"time": time})
    for name, n in [("too_long", 5), ("negative", -1)]:
        case("SequenceMask", name, [("lengths", ints([2], [1, n]))], attributes={"time": 4},
             error="lengths[1] is %d" % n)
    TITLES["ZeroMasked"] = "y[n, t, ..] = x[n, t, ..] where mask[n, t] is not 0, else 0"
    for name, shape, mask in [("three_axes", [2, 3, 2], [1, 0, 2, 0, 0, -1]),
                              ("two_axes", [1, 4], [0, 1, 1, 0])]:
        width = math.prod(shape[2:])
        fn = lambda v, k=width: {"y": Array(v["x"].shape, [
            a if v["mask"].data[i // k] else 0.0 for i, a in enumerate(v["x"].data)])}
        case("ZeroMasked", name, [("x", sixteenths(shape, 3)), ("mask", ints(shape[:2], mask))], fn,
             gradient=["x"])


def moved(shape, source):
    """A function that gathers: element i of the result is x[source(i)]."""
    return lambda v: {"y": Array(shape, [v["x"][source(i)] for i in indices(shape)])}


def with_axis(index, axis, value):
    return index[:axis] + (value,) + index[axis + 1:]


def layout_cases():
    TITLES["Reshape"] = "the elements of x in row-major order, in another shape"
    for name, shape, to, given in [("flatten", [2, 3], [6], [6]), ("open", [2, 3, 2], [4, 3], [-1, 3]),
                                   ("to_scalar", [1], [], [])]:
        case("Reshape", name, [("x", sixteenths(shape, 3))],
             lambda v, to=to: {"y": Array(to, v["x"].data)}, {"shape": given}, gradient=["x"])
    TITLES["Transpose"] = "axis i of y is axis permutation[i] of x"
    for name, shape, p in [("matrix", [2, 3], [1, 0]), ("time_major", [2, 3, 2], [1, 0, 2]),
                           ("cycle", [2, 3, 4], [2, 0, 1]), ("same", [3], [0])]:
        source = lambda i, p=p: tuple(i[p.index(k)] for k in range(len(p)))
        case("Transpose", name, [("x", sixteenths(shape, 3))],
             moved([shape[k] for k in p], source), {"permutation": p}, gradient=["x"])
    TITLES["Reverse"] = "y_i = x_{n-1-i} along the axis"
    for name, shape, axis in [("time", [2, 3, 2], 1), ("last", [2, 3], 1), ("first", [3], 0)]:
        source = lambda i, a=axis, n=shape[axis]: with_axis(i, a, n - 1 - i[a])
        case("Reverse", name, [("x", sixteenths(shape, 3))], moved(shape, source), {"axis": axis},
             gradient=["x"])
    TITLES["Slice"] = "y_i = x_{begin + i stride} along the axis"
    TITLES["SliceGrad"] = "dx_{begin + i stride} = dy_i along the axis, 0 elsewhere"
    for name, shape, axis, begin, end, stride in [
            ("columns", [2, 5], 1, 1, 4, 1), ("strided", [2, 5, 2], 1, 0, 5, 2),
            ("rows", [4, 2], 0, 2, 4, 1), ("nothing", [2, 3], 1, 1, 1, 1)]:
        places = list(range(begin, end, stride))
        to = [len(places) if k == axis else n for k, n in enumerate(shape)]
        options = {"axis": axis, "begin": begin, "end": end, "stride": stride}
        source = lambda i, a=axis, q=places: with_axis(i, a, q[i[a]])
        if places:
            case("Slice", name, [("x", sixteenths(shape, 3))], moved(to, source), options,
                 gradient=["x"])

        def grad(v, axis=axis, places=places):
            like, dy = v["like"], v["dy"]
            return {"dx": Array(like.shape, [
                dy[with_axis(i, axis, places.index(i[axis]))] if i[axis] in places else 0.0
                for i in indices(like.shape)])}

        if places:
            case("SliceGrad", name, [("dy", sixteenths(to, 5)), ("like", sixteenths(shape, 3))],
                 grad, options)
    TITLES["Concat"] = "a, then b, along the axis"
    for name, shape, axis, more in [("last", [2, 3], 1, 2), ("first", [1, 2], 0, 3),
                                    ("middle", [2, 1, 3], 1, 2)]:
        to = [n + more if k == axis else n for k, n in enumerate(shape)]
        other = [more if k == axis else n for k, n in enumerate(shape)]

        def concat(v, axis=axis, to=to, n=shape[axis]):
            return {"y": Array(to, [v["a"][i] if i[axis] < n else
                                    v["b"][with_axis(i, axis, i[axis] - n)]
                                    for i in indices(to)])}

        case("Concat", name, [("a", sixteenths(shape, 3)), ("b", sixteenths(other, 8))], concat,
             {"axis": axis}, gradient=["a", "b"])


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & 0xFFFFFFFF, (p0 >> 32) ^ c[3] ^ k[1], p0 & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def words(x):
    return [x & 0xFFFFFFFF, (x >> 32) & 0xFFFFFFFF]


def dropout_cases():
    # The known answer of the authors' own library for counter and key zero.
    assert philox([0] * 4, [0] * 2) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    TITLES["DropoutMask"] = "0 where the Philox number of the element is below rate 2^32, else " \
        "1 / (1 - rate)"

    def fn(v, rate, stream, shape):
        seed, step = v["seed"].data[0], v["step"].data[0]
        key = philox(words(step) + words(stream), words(seed))[:2]
        bits = [philox(words(i // 4) + words(stream), key)[i % 4] for i in range(math.prod(shape))]
        return {"y": Array(shape, [0.0 if b < int(rate * 2 ** 32) else 1 / (1 - rate)
                                   for b in bits])}

    for name, seed, step, like, rate, stream, given in [
            ("half", 42, 0, [3, 7], 0.5, 0, None), ("next_step", 42, 1, [3, 7], 0.5, 0, None),
            ("next_stream", 42, 0, [3, 7], 0.5, 1, None), ("rate_zero", 1, 1, [4], 0.0, 0, None),
            ("large_numbers", -2 ** 62, 2 ** 40, [2, 2], 0.25, 2 ** 50, None),
            ("own_shape", 7, 3, [2, 5, 1], 0.75, 9, [-1, 6])]:
        shape = [like[0] if n == -1 else n for n in given] if given else like
        options = {"rate": rate, "stream": stream}
        if given:
            options["shape"] = given
        case("DropoutMask", name,
             [("seed", ints([], [seed], "INT64")), ("step", ints([], [step], "INT64")),
              ("like", sixteenths(like, 3))],
             lambda v, r=rate, s=stream, q=shape: fn(v, r, s, q), options)


def main(folder):
    for make in (recurrent_cases, loss_cases, pooling_cases, mask_cases, layout_cases,
                 dropout_cases):
        make()
    write_files(folder, "make_recurrent_cases.py")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
