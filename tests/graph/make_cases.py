#!/usr/bin/env python3
"""Writes the graph test files of the single ops: tests/graph/make_cases.py FOLDER

An oracle that shares nothing with the framework: each op's definition is written down here a second
time, on plain numbers in double precision, and gradients come from dual numbers (x + x'e, e e = 0),
so that no derivative is written by hand. Inputs are multiples of 1/16, exact in float32. Only needed
to change or add cases: the files it wrote are kept beside it. Needs nothing but Python 3.
"""

import itertools
import math
import os
import struct
import sys


class Dual:
    """a + b e: carries the derivative b along with the value a."""

    def __init__(self, a, b=0.0):
        self.a, self.b = a, b

    def __add__(self, o):
        o = dual(o)
        return Dual(self.a + o.a, self.b + o.b)

    def __mul__(self, o):
        o = dual(o)
        return Dual(self.a * o.a, self.a * o.b + self.b * o.a)

    def __truediv__(self, o):
        o = dual(o)
        return Dual(self.a / o.a, (self.b * o.a - self.a * o.b) / (o.a * o.a))

    def __neg__(self):
        return Dual(-self.a, -self.b)

    def __sub__(self, o):
        return self + -dual(o)

    def __rsub__(self, o):
        return dual(o) + -self

    __radd__, __rmul__ = __add__, __mul__


def dual(x):
    return x if isinstance(x, Dual) else Dual(x)


def lift(f, df):
    """f on numbers and on duals; df(x, f(x)) is its derivative."""

    def apply(x):
        if isinstance(x, Dual):
            y = f(x.a)
            return Dual(y, x.b * df(x.a, y))
        return f(x)

    return apply


def stable_sigmoid(x):
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


exp = lift(math.exp, lambda x, y: y)
log = lift(math.log, lambda x, y: 1 / x)
log1p = lift(math.log1p, lambda x, y: 1 / (1 + x))
tanh = lift(math.tanh, lambda x, y: 1 - y * y)
sigmoid = lift(stable_sigmoid, lambda x, y: y * (1 - y))
relu = lift(lambda x: max(x, 0.0), lambda x, y: 1.0 if x > 0 else 0.0)
absolute = lift(abs, lambda x, y: 1.0 if x > 0 else -1.0)
ACTIVATIONS = {"none": lambda x: x, "tanh": tanh, "sigmoid": sigmoid, "relu": relu}


class Array:
    """A row-major array; data is a flat list of numbers or duals."""

    def __init__(self, shape, data, dtype="FLOAT32"):
        self.shape, self.data, self.dtype = list(shape), list(data), dtype
        assert len(self.data) == math.prod(shape), (shape, self.data)

    def __getitem__(self, index):
        flat = 0
        for i, n in zip(index, self.shape):
            assert 0 <= i < n
            flat = flat * n + i
        return self.data[flat]

    def rows(self):
        """(rows, columns) with all axes but the last folded into rows."""
        columns = self.shape[-1]
        return Array([len(self.data) // columns, columns], self.data, self.dtype)


def sixteenths(shape, start, step=5, span=19):
    """Deterministic values k / 16 of both signs, none of them 0."""
    data = []
    for i in range(math.prod(shape)):
        k = (start + i * step) % span - span // 2
        data.append((k if k != 0 else 3) / 16)
    return Array(shape, data)


def ints(shape, data, dtype="INT32"):
    return Array(shape, data, dtype)


def real(shape, *data):
    return Array(shape, data)


def indices(shape):
    return itertools.product(*[range(n) for n in shape])


# ------------------------------------------------------------------------------------- text output


def number(x):
    return repr(float(x)) if isinstance(x, float) else str(x)


def tensor_text(array, exact):
    dtype = "FLOAT64" if exact and array.dtype == "FLOAT32" else array.dtype
    parts = ["type { dtype: %s" % dtype]
    if array.shape:
        parts[0] += " dims: [%s]" % ", ".join(map(str, array.shape))
    parts[0] += " }"
    if array.data:
        values = [x if "INT" in dtype else float(x) for x in array.data]
        parts.append("%s_values: [%s]" % (dtype.lower(), ", ".join(map(number, values))))
    return " ".join(parts)


def named(field, name, array, exact, indent):
    return "%s%s { name: \"%s\" tensor { %s } }" % (indent, field, name, tensor_text(array, exact))


def attribute_text(name, value):
    if isinstance(value, bool):
        kind = "bool_value: %s" % str(value).lower()
    elif isinstance(value, int):
        kind = "int_value: %d" % value
    elif isinstance(value, float):
        kind = "float_value: %r" % value
    elif isinstance(value, list):
        kind = "ints_value { values: [%s] }" % ", ".join(map(str, value))
    elif isinstance(value, Array):
        kind = "tensor_value { %s }" % tensor_text(value, False)
    elif value.startswith(("FLOAT", "INT")):
        kind = "dtype_value: %s" % value
    else:
        kind = "string_value: \"%s\"" % value
    return "    attributes { name: \"%s\" %s }" % (name, kind)


FILES = {}
TITLES = {}


def case(op, name, inputs, fn=None, attributes=None, gradient=(), error="", tolerances=()):
    """Adds a case of a single node.

    inputs: (name, Array or None if absent) in the op's order; fn(dict) -> {output: Array};
    gradient: names of inputs to differentiate by.
    """
    attributes = attributes or {}
    lines = ["cases {", "  name: \"%s\"" % name]
    lines.append("  source: \"tests/graph/make_cases.py\"")
    lines.append("  node {")
    lines.append("    op: \"%s\"" % op)
    lines += [attribute_text(k, v) for k, v in sorted(attributes.items())]
    names = ["" if a is None else n for n, a in inputs]
    while names and names[-1] == "":
        names.pop()
    lines.append("    inputs: [%s]" % ", ".join("\"%s\"" % n for n in names))
    lines.append("  }")
    given = {n: a for n, a in inputs if a is not None}
    lines += [named("inputs", n, a, False, "  ") for n, a in given.items()]
    if error:
        lines.append("  error: \"%s\"" % error)
    else:
        results = fn({**{n: None for n, _ in inputs}, **given})
        lines += [named("results", n, a, True, "  ") for n, a in results.items()]
        if gradient:
            lines += gradient_text(fn, inputs, given, results, gradient)
    lines += ["  tolerances { name: \"%s\" absolute: %r }" % t for t in tolerances]
    lines.append("}")
    FILES.setdefault(op, []).append("\n".join(lines))


def gradients(fn, inputs, given, results, weights, wrt):
    """d sum(weights * results) / d input, one dual evaluation an element."""
    out = {}
    for name in wrt:
        array = given[name]
        data = []
        for i in range(len(array.data)):
            seeded = [Dual(x, 1.0 if j == i else 0.0) for j, x in enumerate(array.data)]
            values = {**{n: None for n, _ in inputs}, **given}
            values[name] = Array(array.shape, seeded)
            outputs = fn(values)
            total = sum((dual(r) * w for n in results for r, w in
                         zip(outputs[n].data, weights[n].data)), Dual(0.0))
            data.append(total.b)
        out[name] = Array(array.shape, data)
    return out


def gradient_text(fn, inputs, given, results, wrt):
    weights = {n: sixteenths(a.shape, 4 + 3 * k, step=7) for k, (n, a) in
               enumerate(results.items()) if a.dtype == "FLOAT32"}
    expected = gradients(fn, inputs, given, results, weights, wrt)
    lines = ["  gradient {"]
    lines += [named("weights", n, a, False, "    ") for n, a in weights.items()]
    lines += [named("expected", n, a, True, "    ") for n, a in expected.items()]
    return lines + ["  }"]


# ---------------------------------------------------------------------------------------- the ops


def embedding(v):
    ids, table = v["ids"], v["table"]
    width = table.shape[1]
    return {"y": Array(ids.shape + [width],
                       [table[i, j] for i in ids.data for j in range(width)])}


def embedding_cases():
    TITLES["Embedding"] = "y[..., :] = table[ids[...], :]"
    table = sixteenths([4, 2], 1)
    case("Embedding", "repeated_and_unused_rows",
         [("ids", ints([2, 3], [3, 0, 3, 1, 3, 0])), ("table", table)], embedding,
         gradient=["table"])
    case("Embedding", "batch_of_one", [("ids", ints([1], [2])), ("table", table)], embedding,
         gradient=["table"])
    case("Embedding", "width_one",
         [("ids", ints([3, 1], [0, 4, 2])), ("table", sixteenths([5, 1], 7))], embedding,
         gradient=["table"])
    for name, ids, text in [("index_too_large", [1, 4], "is 4"), ("index_negative", [-1, 0], "is -1")]:
        case("Embedding", name, [("ids", ints([1, 2], ids)), ("table", table)], error=text)

    TITLES["EmbeddingGrad"] = "dtable[r, :] = sum of dy[..., :] over the places where ids is r"

    def grad(v, rows):
        ids, dy = v["ids"], v["dy"].rows()
        width = dy.shape[1]
        out = [0.0] * (rows * width)
        for place, row in enumerate(ids.data):
            for j in range(width):
                out[row * width + j] += dy[place, j]
        return {"dtable": Array([rows, width], out)}

    for name, rows, ids, shape in [("duplicates_are_summed", 5, [3, 0, 3, 1, 3, 0], [2, 3]),
                                   ("one_token", 3, [1], [1, 1])]:
        case("EmbeddingGrad", name,
             [("ids", ints(shape, ids)), ("dy", sixteenths(shape + [2], 3))],
             lambda v, rows=rows: grad(v, rows), {"rows": rows})
    case("EmbeddingGrad", "index_too_large",
         [("ids", ints([2], [0, 3])), ("dy", sixteenths([2, 2], 3))], attributes={"rows": 3},
         error="is 3")


def one_hot_cases():
    TITLES["OneHot"] = "y[..., k] = 1 where ids[...] is k, else 0"

    def one_hot(v, depth):
        ids = v["ids"]
        return {"y": Array(ids.shape + [depth],
                           [1.0 if i == k else 0.0 for i in ids.data for k in range(depth)])}

    for name, shape, ids, depth in [("matrix", [2, 2], [0, 2, 2, 1], 3), ("one", [1], [0], 1)]:
        case("OneHot", name, [("ids", ints(shape, ids))],
             lambda v, depth=depth: one_hot(v, depth), {"depth": depth, "dtype": "FLOAT32"})
    for name, i in [("index_too_large", 3), ("index_negative", -1)]:
        case("OneHot", name, [("ids", ints([2], [0, i]))], attributes={"depth": 3},
             error="is %d" % i)


def rnn(v, activation, outputs):
    x, w, u, b, h0 = (v[k] for k in ("x", "w", "u", "b", "h0"))
    batch, time, features = x.shape
    units = u.shape[0]
    act = ACTIVATIONS[activation]
    sequence = {}
    for n in range(batch):
        h = [h0[n, j] if h0 else 0.0 for j in range(units)]
        for t in range(time):
            z = []
            for j in range(units):
                s = b[j,] if b else 0.0
                if w:
                    s = s + sum((x[n, t, f] * w[f, j] for f in range(features)), 0.0)
                else:
                    s = s + x[n, t, j]
                z.append(s + sum((h[k] * u[k, j] for k in range(units)), 0.0))
            h = [act(s) for s in z]
            for j in range(units):
                sequence[n, t, j] = h[j]
    all_outputs = {
        "sequence": Array([batch, time, units], [sequence[i] for i in indices([batch, time, units])]),
        "last": Array([batch, units], [sequence[n, time - 1, j] for n, j in indices([batch, units])]),
    }
    return {k: all_outputs[k] for k in outputs}


def rnn_inputs(batch, time, features, units, w=True, b=True, h0=True):
    return [("x", sixteenths([batch, time, features if w else units], 1)),
            ("w", sixteenths([features, units], 4) if w else None),
            ("u", sixteenths([units, units], 9, step=4)),
            ("b", sixteenths([units], 2, step=8) if b else None),
            ("h0", sixteenths([batch, units], 6, step=3) if h0 else None)]


RNN_CASES = [
    # name, batch, time, features, units, activation, w, b, h0, outputs
    ("tanh_with_all_inputs", 2, 3, 2, 3, "tanh", True, True, True, ["sequence", "last"]),
    ("tanh_last_only", 2, 4, 3, 2, "tanh", True, True, False, ["last"]),
    ("tanh_sequence_only", 1, 3, 2, 2, "tanh", True, False, False, ["sequence"]),
    ("relu_without_bias", 2, 3, 2, 3, "relu", True, False, True, ["sequence", "last"]),
    ("sigmoid_projected_input", 2, 3, 0, 3, "sigmoid", False, True, False, ["sequence", "last"]),
    ("tanh_projected_without_bias", 2, 2, 0, 2, "tanh", False, False, True, ["last"]),
    ("one_of_everything", 1, 1, 1, 1, "tanh", True, True, True, ["sequence", "last"]),
    ("nine_units", 3, 2, 5, 9, "tanh", True, True, False, ["sequence", "last"]),
]


def rnn_cases():
    TITLES["RNNCell"] = "h_t = act(x_t w + h_{t-1} u + b)"
    TITLES["RNNCellGrad"] = "the gradients of RNNCell from its outputs"
    for name, batch, time, features, units, act, w, b, h0, outputs in RNN_CASES:
        inputs = rnn_inputs(batch, time, features, units, w, b, h0)
        fn = lambda v, act=act, outputs=outputs: rnn(v, act, outputs)
        wrt = [n for n, a in inputs if a]
        case("RNNCell", name, inputs, fn, {"activation": act}, gradient=wrt)

        # RNNCellGrad reads the forward's sequence, rounded to float32 here so that the file says
        # exactly what it reads; its recursion is checked against dual numbers.
        values = {**{n: None for n, _ in inputs}, **{n: a for n, a in inputs if a}}
        results = rnn(values, act, outputs)
        weights = {n: sixteenths(a.shape, 4 + 3 * k, step=7)
                   for k, (n, a) in enumerate(results.items())}
        sequence = rnn(values, act, ["sequence"])["sequence"]
        rounded = [struct.unpack("f", struct.pack("f", h))[0] for h in sequence.data]
        grad_inputs = inputs + [("sequence", Array(sequence.shape, rounded)),
                                ("d_sequence", weights.get("sequence")),
                                ("d_last", weights.get("last"))]
        grad = lambda v, act=act: rnn_grad(v, act)
        case("RNNCellGrad", name, grad_inputs, grad, {"activation": act})
        by_recursion = grad({n: a for n, a in grad_inputs})
        for n, expected in gradients(fn, inputs, values, results, weights, wrt).items():
            assert all(abs(p - q) < 1e-6
                       for p, q in zip(expected.data, by_recursion["d" + n].data)), (name, n)


def looked_up(v):
    """x for an RNNCell without w: the rows of the table."""
    x = embedding(v)["y"]
    return {"x": x, "w": None, **{k: v[k] for k in v if k not in ("ids", "table")}}


LOOKUP_RNN_CASES = [
    # name, ids, rows, units, activation, b, h0, outputs
    ("tanh_with_all_inputs", [[3, 0, 3], [1, 3, 0]], 5, 3, "tanh", True, True,
     ["sequence", "last"]),
    ("tanh_last_only", [[0, 1, 1, 0], [2, 1, 0, 2]], 3, 2, "tanh", True, False, ["last"]),
    ("sigmoid_without_bias", [[1, 1, 1]], 2, 2, "sigmoid", False, False, ["sequence"]),
    ("relu_with_state", [[2, 0], [1, 2]], 3, 3, "relu", False, True, ["sequence", "last"]),
    ("one_of_everything", [[0]], 1, 1, "tanh", True, True, ["sequence", "last"]),
    ("nine_units", [[6, 2], [2, 6], [0, 2]], 7, 9, "tanh", True, False, ["sequence", "last"]),
]


def lookup_rnn_cases():
    TITLES["LookupRNNCell"] = "h_t = act(table[ids_t] + h_{t-1} u + b)"
    TITLES["LookupRNNCellGrad"] = "the gradients of LookupRNNCell from its outputs"

    def grad(v, act, rows):
        g = rnn_grad(looked_up(v), act)
        dtable = [0.0] * (rows * g["dx"].shape[-1])
        for place, row in enumerate(v["ids"].data):
            for j in range(g["dx"].shape[-1]):
                dtable[row * g["dx"].shape[-1] + j] += g["dx"].rows()[place, j]
        return {"dtable": Array([rows, g["dx"].shape[-1]], dtable),
                **{k: g[k] for k in ("du", "db", "dh0")}}

    for name, ids, rows, units, act, b, h0, outputs in LOOKUP_RNN_CASES:
        batch, time = len(ids), len(ids[0])
        inputs = [("ids", ints([batch, time], sum(ids, []))),
                  ("table", sixteenths([rows, units], 4))]
        inputs += rnn_inputs(batch, time, 0, units, False, b, h0)[2:]
        fn = lambda v, act=act, outputs=outputs: rnn(looked_up(v), act, outputs)
        wrt = [n for n, a in inputs if a and n != "ids"]
        case("LookupRNNCell", name, inputs, fn, {"activation": act}, gradient=wrt)

        values = {n: a for n, a in inputs}
        results = fn(values)
        weights = {n: sixteenths(a.shape, 4 + 3 * k, step=7)
                   for k, (n, a) in enumerate(results.items())}
        sequence = rnn(looked_up(values), act, ["sequence"])["sequence"]
        rounded = [struct.unpack("f", struct.pack("f", h))[0] for h in sequence.data]
        grad_inputs = inputs + [("sequence", Array(sequence.shape, rounded)),
                                ("d_sequence", weights.get("sequence")),
                                ("d_last", weights.get("last"))]
        grad_fn = lambda v, act=act, rows=rows: grad(v, act, rows)
        case("LookupRNNCellGrad", name, grad_inputs, grad_fn, {"activation": act})
        by_recursion = grad_fn({n: a for n, a in grad_inputs})
        for n, expected in gradients(fn, inputs, values, results, weights, wrt).items():
            assert all(abs(p - q) < 1e-6
                       for p, q in zip(expected.data, by_recursion["d" + n].data)), (name, n)
    state = [("u", sixteenths([2, 2], 9))]
    grad_state = state + [("b", None), ("h0", None), ("sequence", sixteenths([1, 2, 2], 1)),
                          ("d_sequence", None), ("d_last", sixteenths([1, 2], 2))]
    for name, ids, text in [("index_too_large", [1, 4], "is 4"), ("index_negative", [-1, 0], "is -1")]:
        lookup = [("ids", ints([1, 2], ids)), ("table", sixteenths([4, 2], 1))]
        case("LookupRNNCell", name, lookup + state, error=text)
        case("LookupRNNCellGrad", name, lookup + grad_state, error=text)


SLOPES = {"tanh": lambda h: 1 - h * h, "sigmoid": lambda h: h * (1 - h),
          "relu": lambda h: 1.0 if h > 0 else 0.0, "none": lambda h: 1.0}


def rnn_grad(v, activation):
    x, w, u, h0, h = (v[k] for k in ("x", "w", "u", "h0", "sequence"))
    batch, time, features = x.shape
    units = u.shape[0]
    dx, dh0 = {i: 0.0 for i in indices(x.shape)}, {}
    dw = {i: 0.0 for i in indices([features if w else 0, units])}
    du, db = {i: 0.0 for i in indices([units, units])}, {i: 0.0 for i in indices([units])}
    for n in range(batch):
        carried = [v["d_last"][n, j] if v["d_last"] else 0.0 for j in range(units)]
        for t in reversed(range(time)):
            dz = [(carried[j] + (v["d_sequence"][n, t, j] if v["d_sequence"] else 0.0)) *
                  SLOPES[activation](h[n, t, j]) for j in range(units)]
            for j in range(units):
                db[j,] += dz[j]
                for k in range(units):
                    before = h[n, t - 1, k] if t > 0 else h0[n, k] if h0 else 0.0
                    du[k, j] += before * dz[j]
                if not w:
                    dx[n, t, j] = dz[j]
                    continue
                for f in range(features):
                    dw[f, j] += x[n, t, f] * dz[j]
                    dx[n, t, f] += w[f, j] * dz[j]
            carried = [sum(dz[j] * u[k, j] for j in range(units)) for k in range(units)]
        for k in range(units):
            dh0[n, k] = carried[k]
    return {"dx": Array(x.shape, dx.values()), "dw": Array([features if w else 0, units], dw.values()),
            "du": Array([units, units], du.values()), "db": Array([units], db.values()),
            "dh0": Array([batch, units], dh0.values())}


def dense(v, activation):
    x, w, b = v["x"], v["w"], v["b"]
    flat, units, act = x.rows(), w.shape[1], ACTIVATIONS[activation]
    data = []
    for i in range(flat.shape[0]):
        for j in range(units):
            s = sum((flat[i, k] * w[k, j] for k in range(w.shape[0])), b[j,] if b else 0.0)
            data.append(act(s))
    return {"y": Array(x.shape[:-1] + [units], data)}


def dense_cases():
    TITLES["Dense"] = "y = act(x w + b)"
    for name, shape, units, act, bias in [
            ("matrix_with_bias", [2, 3], 4, "none", True), ("tanh", [3, 2], 2, "tanh", True),
            ("relu", [2, 3], 3, "relu", True), ("sigmoid_one_unit", [3, 4], 1, "sigmoid", True),
            ("without_bias", [2, 2], 3, "sigmoid", False),
            ("three_axes", [2, 2, 3], 2, "tanh", True), ("vector", [3], 2, "none", True),
            ("batch_of_one", [1, 1], 1, "none", True)]:
        inputs = [("x", sixteenths(shape, 2)), ("w", sixteenths([shape[-1], units], 5)),
                  ("b", sixteenths([units], 8, step=6) if bias else None)]
        case("Dense", name, inputs, lambda v, act=act: dense(v, act), {"activation": act},
             gradient=[n for n, a in inputs if a])

    TITLES["DenseGrad"] = "dx = dz w', dw = x' dz, db = sum of dz over all axes but the last"
    for name, shape, units in [("matrix", [3, 2], 4), ("three_axes", [2, 2, 3], 2),
                               ("one_row", [1, 4], 1)]:
        inputs = [("x", sixteenths(shape, 2)), ("w", sixteenths([shape[-1], units], 5)),
                  ("dz", sixteenths(shape[:-1] + [units], 4, step=7))]

        def grad(v, units=units, shape=shape):
            full = [("x", None), ("w", None), ("b", None)]
            given = {"x": v["x"], "w": v["w"], "b": Array([units], [0.0] * units)}
            fn = lambda q: dense(q, "none")
            g = gradients(fn, full, given, {"y": None}, {"y": v["dz"]}, ["x", "w", "b"])
            return {"d" + n: a for n, a in g.items()}

        case("DenseGrad", name, inputs, grad)


def elementwise_fn(f, inputs, output="y"):
    def fn(v):
        arrays = [v[n] for n in inputs]
        return {output: Array(arrays[0].shape, [f(*xs) for xs in zip(*(a.data for a in arrays))])}
    return fn


def activation_cases():
    formulas = {"Sigmoid": "y = 1 / (1 + exp(-x))", "Tanh": "y = tanh(x)", "Relu": "y = max(x, 0)"}
    for op, formula in formulas.items():
        TITLES[op] = formula
        f = ACTIVATIONS[op.lower()]
        fn = elementwise_fn(f, ["x"])
        case(op, "both_signs", [("x", sixteenths([2, 3], 1))], fn, gradient=["x"])
        case(op, "scalar", [("x", real([], -0.75))], fn, gradient=["x"])
        case(op, "three_axes", [("x", sixteenths([2, 2, 5], 6))], fn, gradient=["x"])
        wide = lambda x: x if math.isnan(x) else f(x)
        case(op, "far_out", [("x", real([5], 80.0, -80.0, 0.0, -20.0, 20.0))],
             elementwise_fn(wide, ["x"]), tolerances=[("results/y", 1e-6)])
        case(op, "nan_stays_nan", [("x", real([2], float("nan"), 0.5))],
             elementwise_fn(wide, ["x"]))
        grad = op + "Grad"
        TITLES[grad] = "dx = dy f'(x), from y = f(x)"
        y = real([2, 2], 0.25, 0.9375, 0.5, 0.0625)
        slope = SLOPES[op.lower()]
        fn = elementwise_fn(lambda y, d, slope=slope: d * slope(y), ["y", "dy"], "dx")
        case(grad, "matrix", [("y", y), ("dy", sixteenths([2, 2], 4))], fn)
        case(grad, "zero_and_one", [("y", real([2], 0.0, 1.0)), ("dy", real([2], 0.5, -0.25))], fn)


def row_weights(v, x):
    """For each element of x the weight of its row."""
    width = x.shape[-1] if x.shape else 1
    weights = v.get("weights")
    return [weights.data[i // width] if weights else 1.0 for i in range(len(x.data))]


def bce(v, epsilon):
    p, y = v["p"], v["labels"]
    total = 0.0
    for a, t, w in zip(p.data, y.data, row_weights(v, p)):
        low, high = (a.a if isinstance(a, Dual) else a) < epsilon, \
            (a.a if isinstance(a, Dual) else a) > 1 - epsilon
        q = epsilon if low else 1 - epsilon if high else a
        total = total - w * (t * log(q) + (1 - t) * log(1 - q))
    return {"loss": Array([], [total / len(p.data)])}


def bce_logits(v):
    z, y = v["z"], v["labels"]
    total = 0.0
    for a, t, w in zip(z.data, y.data, row_weights(v, z)):
        total = total + w * (relu(a) - a * t + log1p(exp(-absolute(a))))
    return {"loss": Array([], [total / len(z.data)])}


def loss_cases():
    TITLES["BCE"] = "mean of -w (y log p + (1 - y) log(1 - p)), p clipped to [epsilon, 1 - epsilon]"
    TITLES["BCEGrad"] = "dp: the gradient of BCE by p; zero where p is clipped"
    TITLES["BCEWithLogits"] = "mean of w (max(z, 0) - z y + log(1 + exp(-|z|)))"
    TITLES["BCEWithLogitsGrad"] = "dz: the gradient of BCEWithLogits by z"
    labels = real([4, 1], 1.0, 0.0, 1.0, 0.0)
    two = ("weights", real([2], 2.0, 0.5))
    for name, p, y, attributes, *weights in [
            ("four_reviews", real([4, 1], 0.5, 0.25, 0.9375, 0.0625), labels, {}),
            ("one_review", real([1, 1], 0.25), real([1, 1], 1.0), {}),
            ("soft_labels", real([2, 2], 0.5, 0.25, 0.75, 0.125), real([2, 2], 0.5, 0.25, 1.0, 0.0),
             {}),
            ("zero_is_clipped", real([2], 0.0, 0.5), real([2], 1.0, 0.0), {}),
            ("both_ends_are_clipped", real([4], 0.0, 1.0, 0.03125, 0.5), real([4], 1.0, 0.0, 0.0, 1.0),
             {"epsilon": 0.0625}),
            ("weighted", real([2, 2], 0.5, 0.25, 0.75, 0.125), real([2, 2], 1.0, 0.0, 1.0, 0.0), {},
             two)]:
        fn = lambda v, e=attributes.get("epsilon", 1e-7): bce(v, e)
        inputs = [("p", p), ("labels", y)]
        case("BCE", name, inputs + weights, fn, attributes, gradient=["p"])

        def grad(v, fn=fn):
            given = {k: x for k, x in v.items() if k != "dloss"}
            g = gradients(fn, [], given, {"loss": None}, {"loss": v["dloss"]}, ["p"])
            return {"dp": g["p"]}

        case("BCEGrad", name, inputs + [("dloss", real([], 0.75))] + weights, grad, attributes)
    for name, z, y, *weights in [
            ("four_reviews", real([4, 1], 0.5, -1.25, 2.0, -0.0625), labels),
            ("one_review", real([1, 1], -0.75), real([1, 1], 1.0)),
            ("far_out", real([4], 60.0, -60.0, 60.0, -60.0), real([4], 1.0, 0.0, 0.0, 1.0)),
            ("soft_labels", real([2, 2], 1.5, 0.25, -0.75, 3.0), real([2, 2], 0.5, 0.25, 1.0, 0.0)),
            ("weighted", real([2, 2], 1.5, 0.25, -0.75, 3.0), real([2, 2], 1.0, 0.0, 1.0, 0.0), two)]:
        inputs = [("z", z), ("labels", y)]
        case("BCEWithLogits", name, inputs + weights, bce_logits, gradient=["z"])

        def grad(v):
            given = {k: x for k, x in v.items() if k != "dloss"}
            g = gradients(bce_logits, [], given, {"loss": None}, {"loss": v["dloss"]}, ["z"])
            return {"dz": g["z"]}

        case("BCEWithLogitsGrad", name, inputs + [("dloss", real([], -1.5))] + weights, grad)


def elementwise_cases():
    for op, text, f in [("Add", "a + b", lambda a, b: a + b), ("Subtract", "a - b", lambda a, b: a - b),
                        ("Multiply", "a b", lambda a, b: a * b)]:
        TITLES[op] = "y = %s, element by element" % text
        for name, shape in [("matrix", [2, 3]), ("scalar", []), ("many", [3, 1, 7])]:
            case(op, name, [("a", sixteenths(shape, 3)), ("b", sixteenths(shape, 11, step=4))],
                 elementwise_fn(f, ["a", "b"]), gradient=["a", "b"])
    TITLES["Scale"] = "y = factor x"
    for name, shape, factor in [("matrix", [2, 3], -2.5), ("by_zero", [2], 0.0), ("scalar", [], 0.125)]:
        case("Scale", name, [("x", sixteenths(shape, 3))],
             elementwise_fn(lambda x, k=factor: x * k, ["x"]), {"factor": factor}, gradient=["x"])
    TITLES["FillLike"] = "y = value everywhere"
    for name, shape, value in [("matrix", [2, 3], -0.375), ("scalar", [], 1.0)]:
        case("FillLike", name, [("like", sixteenths(shape, 3))],
             elementwise_fn(lambda x, k=value: k, ["like"]), {"value": value})


def constant_cases():
    TITLES["Constant"] = "y = value, which fills shape where that is given"
    for name, value, shape in [("matrix", Array([2, 3], [0.5, -0.25, 3.0, 0.0, -1.5, 0.0625]), []),
                               ("scalar", Array([], [-0.375]), []),
                               ("one_for_all", Array([], [0.75]), [2, 2, 2])]:
        y = Array(shape, value.data * math.prod(shape)) if shape else value
        case("Constant", name, [], lambda v, y=y: {"y": y}, {"value": value, "shape": shape})


def fused_cases():
    TITLES["FusedElementwise"] = "y = program(x0, x1, ...), element by element"
    slope = lambda f, a, b: b * SLOPES[f](a)
    every_op = ("fill_like:0.5; multiply x0 t0; tanh t1; tanh_grad t2 x1; sigmoid x0; "
                "sigmoid_grad t4 x1; relu x0; relu_grad t6 x1; add t3 t5; subtract t8 t7; scale:-2 t9")

    def all_of_them(x0, x1):
        return -2 * (slope("tanh", math.tanh(0.5 * x0), x1) +
                     slope("sigmoid", stable_sigmoid(x0), x1) - (x1 if x0 > 0 else 0.0))

    for name, shape, program, f, count in [
            ("one_instruction", [2, 3], "tanh x0", math.tanh, 1),
            ("two_inputs", [2, 3], "add x0 x1; scale:-0.5 t0", lambda a, b: -0.5 * (a + b), 2),
            ("operand_twice", [], "multiply x0 x0; subtract t0 x0", lambda a: a * a - a, 1),
            ("every_op", [3, 7], every_op, all_of_them, 2),
            ("more_than_a_block", [3, 300], "sigmoid x0; sigmoid_grad t0 x1; relu t1",
             lambda a, b: max(slope("sigmoid", stable_sigmoid(a), b), 0.0), 2),
            ("eight_inputs", [5], "add x0 x1; add t0 x2; add t1 x3; multiply t2 x4; add t3 x5; "
             "subtract t4 x6; relu_grad x7 t5",
             lambda a, b, c, d, e, f, g, h: (a + b + c + d) * e + f - g if h > 0 else 0.0, 8)]:
        inputs = ["x%d" % i for i in range(count)]
        case("FusedElementwise", name,
             [(n, sixteenths(shape, 3 + 4 * i, step=5 + 2 * i)) for i, n in enumerate(inputs)],
             elementwise_fn(f, inputs), {"program": program})


def take_step_cases():
    TITLES["TakeStep"] = "y[n, ...] = x[n, step, ...]"
    TITLES["TakeStepGrad"] = "dx[n, step, ...] = dy[n, ...], zero elsewhere"

    def take(v, step):
        x = v["x"]
        shape = x.shape[:1] + x.shape[2:]
        return {"y": Array(shape, [x[(i[0], step % x.shape[1]) + i[1:]] for i in indices(shape)])}

    def put(v, step):
        like, dy = v["like"], v["dy"]
        return {"dx": Array(like.shape, [dy[(i[0],) + i[2:]] if i[1] == step % like.shape[1] else 0.0
                                         for i in indices(like.shape)])}

    for name, shape, step in [("last_state", [2, 3, 4], -1), ("first_state", [2, 3, 2], 0),
                              ("scalars", [3, 2], 1), ("from_the_end", [1, 4, 2, 2], -3),
                              ("one_step", [2, 1, 3], -1)]:
        dy = sixteenths(shape[:1] + shape[2:], 4)
        case("TakeStep", name, [("x", sixteenths(shape, 3))], lambda v, s=step: take(v, s),
             {"step": step}, gradient=["x"])
        case("TakeStepGrad", name, [("dy", dy), ("like", sixteenths(shape, 3))],
             lambda v, s=step: put(v, s), {"step": step}, gradient=["dy"])


def reduce(v, axes, keep, mean):
    x = v["x"]
    kept = [i for i in range(len(x.shape)) if i not in axes]
    shape = [x.shape[i] for i in kept]
    sums = {i: 0.0 for i in indices(shape)}
    for index in indices(x.shape):
        place = tuple(index[i] for i in kept)
        sums[place] = sums[place] + x[index]
    count = math.prod(x.shape[i] for i in axes) if mean else 1
    out = [1 if i in axes else n for i, n in enumerate(x.shape)] if keep else shape
    return {"y": Array(out, [sums[i] / count for i in indices(shape)])}


def broadcast(x, like, axes, divide):
    kept = [i for i in range(len(like.shape)) if i not in axes]
    flat = Array([like.shape[i] for i in kept], x.data)
    count = math.prod(like.shape[i] for i in axes) if divide else 1
    return Array(like.shape, [flat[tuple(i[k] for k in kept)] / count for i in indices(like.shape)])


def reduction_cases():
    variants = [("first_axis", [2, 3], [0], False), ("last_axis", [2, 3], [1], False),
                ("all_axes", [2, 3], [0, 1], False), ("outer_axes_of_three", [2, 3, 2], [0, 2], False),
                ("keep_dims", [2, 3, 2], [1], True), ("no_axes", [2, 2], [], False)]
    for op, mean in [("ReduceSum", False), ("ReduceMean", True)]:
        TITLES[op] = "y = %s of x over axes" % ("mean" if mean else "sum")
        for name, shape, axes, keep in variants:
            case(op, name, [("x", sixteenths(shape, 3))],
                 lambda v, a=axes, k=keep, m=mean: reduce(v, a, k, m),
                 {"axes": axes, "keep_dims": keep}, gradient=["x"])
    for op, source, output, divide in [("BroadcastLike", "x", "y", False),
                                       ("ReduceMeanGrad", "dy", "dx", True)]:
        TITLES[op] = "%s repeated along axes of like%s" % (
            source, ", divided by the number of repetitions" if divide else "")
        for name, shape, axes, keep in variants:
            kept = [n for i, n in enumerate(shape) if i not in axes]
            x_shape = [1 if i in axes else n for i, n in enumerate(shape)] if keep else kept
            case(op, name, [(source, sixteenths(x_shape, 5)), ("like", sixteenths(shape, 3))],
                 lambda v, a=axes, s=source, o=output, d=divide:
                 {o: broadcast(v[s], v["like"], a, d)},
                 {"axes": axes}, gradient=[source])


def slots(shape, *names):
    """w and g of both signs; mean squares and the like positive."""
    out = []
    for k, name in enumerate(names):
        array = sixteenths(shape, 3 + 4 * k, step=5 + k)
        if name == "v":
            array = Array(shape, [abs(x) for x in array.data])
        out.append((name, array))
    return out


def clip_cases():
    TITLES["Clip"] = "y = min(max(x, -limit), limit)"
    TITLES["ClipByNorm"] = "y = x limit / max(sqrt(squared_norm), limit)"
    for name, shape, limit in [("matrix", [2, 3], 0.25), ("nothing", [2, 3], 2.0), ("scalar", [], 0.125)]:
        case("Clip", name, [("x", sixteenths(shape, 3))],
             elementwise_fn(lambda x, k=limit: min(max(x, -k), k), ["x"]), {"limit": limit})
    for name, shape, square, limit in [("shortened", [2, 3], 6.25, 1.5), ("within", [2, 3], 2.0, 1.5),
                                       ("scalar", [], 9.0, 0.5), ("no_gradient", [2], 0.0, 1.0)]:
        x = Array(shape, [0.0, 0.0]) if square == 0 else sixteenths(shape, 3)
        factor = limit / max(square ** 0.5, limit)
        case("ClipByNorm", name, [("x", x), ("squared_norm", real([], square))],
             elementwise_fn(lambda x, k=factor: k * x, ["x"]), {"limit": limit})


def optimizer_cases():
    lr = ("lr", real([], 0.125))
    TITLES["SGDUpdate"] = "w' = w - lr g; momentum: m' = mu m - lr g, w' = w + m'; " \
        "nesterov: w' = w + mu m' - lr g"

    def sgd(v, mu, nesterov):
        w, g, rate = v["w"], v["g"], v["lr"].data[0]
        zeros = [0.0] * len(w.data)
        m = v["m"].data if v["m"] else zeros
        if mu > 0:
            m = [mu * a - rate * b for a, b in zip(m, g.data)]
        step = [-rate * b for b in g.data]
        if mu > 0:
            step = [mu * a + s for a, s in zip(m, step)] if nesterov else m
        return {"new_w": Array(w.shape, [a + s for a, s in zip(w.data, step)]),
                "new_m": Array(w.shape, m)}

    w, g, m = slots([2, 3], "w", "g", "m")
    for name, mu, nesterov, with_m in [("plain", 0.0, False, False), ("momentum", 0.5, False, True),
                                       ("nesterov", 0.875, True, True),
                                       ("slot_without_momentum", 0.0, False, True)]:
        case("SGDUpdate", name, [w, g, lr, ("m", m[1] if with_m else None)],
             lambda v, mu=mu, n=nesterov: sgd(v, mu, n), {"momentum": mu, "nesterov": nesterov})
    case("SGDUpdate", "scalar", slots([], "w", "g") + [lr, ("m", None)],
         lambda v: sgd(v, 0.0, False), {})

    TITLES["RMSPropUpdate"] = "v' = rho v + (1 - rho) g^2, w' = w - lr g / sqrt(v' + epsilon); " \
        "centered: v' - a'^2 with a' = rho a + (1 - rho) g; momentum: m' = mu m + step, w' = w - m'"

    def rmsprop(v, rho, mu, eps, centered):
        wv, gv, rate = v["w"], v["g"].data, v["lr"].data[0]
        zeros = [0.0] * len(gv)
        v2 = [rho * s + (1 - rho) * x * x for s, x in zip(v["v"].data, gv)]
        a = v["a"].data if v["a"] else zeros
        if centered:
            a = [rho * s + (1 - rho) * x for s, x in zip(a, gv)]
        d = [s - (b * b if centered else 0.0) + eps for s, b in zip(v2, a)]
        step = [rate * x / math.sqrt(s) for x, s in zip(gv, d)]
        m = v["m"].data if v["m"] else zeros
        if mu > 0:
            m = [mu * s + x for s, x in zip(m, step)]
            step = m
        result = {"new_w": [x - s for x, s in zip(wv.data, step)], "new_v": v2, "new_m": m, "new_a": a}
        return {k: Array(wv.shape, x) for k, x in result.items()}

    w, g, v2, m = slots([2, 3], "w", "g", "v", "m")
    # |a| is small against sqrt(v): the difference v - a^2 loses no digits.
    a = ("a", Array([2, 3], [x / 16 for x in sixteenths([2, 3], 8).data]))
    for name, attributes, with_m, with_a in [
            ("keras_defaults", {}, False, False), ("momentum", {"momentum": 0.5}, True, False),
            ("centered", {"centered": True, "rho": 0.75}, False, True),
            ("centered_with_momentum", {"centered": True, "rho": 0.5, "momentum": 0.25}, True, True),
            ("large_epsilon", {"epsilon": 0.5, "rho": 0.25}, False, False)]:
        fn = lambda v, q=attributes: rmsprop(v, q.get("rho", 0.9), q.get("momentum", 0.0),
                                             q.get("epsilon", 1e-7), q.get("centered", False))
        case("RMSPropUpdate", name,
             [w, g, lr, v2, ("m", m[1] if with_m else None), ("a", a[1] if with_a else None)], fn,
             attributes)
    case("RMSPropUpdate", "zero_gradient_keeps_w",
         [("w", real([2], 0.5, -0.25)), ("g", real([2], 0.0, 0.0)), lr, ("v", real([2], 0.0, 0.25)),
          ("m", None), ("a", None)], lambda v: rmsprop(v, 0.9, 0.0, 1e-7, False))

    TITLES["AdamUpdate"] = "m' = b1 m + (1 - b1) g, v' = b2 v + (1 - b2) g^2, w' = w - lr " \
        "sqrt(1 - b2^(t+1)) / (1 - b1^(t+1)) m' / (sqrt(v') + epsilon)"

    def adam(v, b1, b2, eps):
        wv, gv, rate, step = v["w"], v["g"].data, v["lr"].data[0], v["t"].data[0] + 1
        m = [b1 * s + (1 - b1) * x for s, x in zip(v["m"].data, gv)]
        s2 = [b2 * s + (1 - b2) * x * x for s, x in zip(v["v"].data, gv)]
        alpha = rate * math.sqrt(1 - b2 ** step) / (1 - b1 ** step)
        w2 = [x - alpha * y / (math.sqrt(z) + eps) for x, y, z in zip(wv.data, m, s2)]
        return {k: Array(wv.shape, x) for k, x in [("new_w", w2), ("new_m", m), ("new_v", s2)]}

    for name, shape, t, attributes in [
            ("first_step", [2, 3], 0, {}), ("later_step", [2, 3], 9, {}),
            ("other_decays", [4], 2, {"beta_1": 0.5, "beta_2": 0.75, "epsilon": 0.25}),
            ("scalar", [], 1, {})]:
        w, g, m, v2 = slots(shape, "w", "g", "m", "v")
        case("AdamUpdate", name, [w, g, lr, ("t", ints([], [t], "INT64")), m, v2],
             lambda v, q=attributes: adam(v, q.get("beta_1", 0.9), q.get("beta_2", 0.999),
                                          q.get("epsilon", 1e-7)), attributes)

    TITLES["Increment"] = "new_t = t + 1"
    for name, shape, t in [("scalar", [], [0]), ("beyond_double", [], [2 ** 53]),
                           ("vector", [3], [-1, 7, 2 ** 40])]:
        case("Increment", name, [("t", ints(shape, t, "INT64"))],
             lambda v: {"new_t": Array(v["t"].shape, [x + 1 for x in v["t"].data], "INT64")})


TRAIN_STEP = """    name: "train_step"
    inputs { name: "tokens" type { dtype: INT32 dims: [-1, TIME] } }
    inputs { name: "labels" type { dtype: FLOAT32 dims: [-1, 1] } }
VARIABLES
    nodes { name: "embedding" op: "Embedding" inputs: ["tokens", "table"] outputs: "x" }
    nodes {
      name: "rnn" op: "RNNCell" inputs: ["x", "kernel", "recurrent_kernel", "bias"]
      outputs: ["sequence", "last"]
    }
    nodes { name: "dense" op: "Dense" inputs: ["last", "dense_kernel", "dense_bias"] outputs: "z" }
    nodes { name: "bce" op: "BCEWithLogits" inputs: ["z", "labels"] outputs: "mean_loss" }
    nodes { name: "one" op: "FillLike" attributes { name: "value" float_value: 1 } inputs: "mean_loss" outputs: "dloss" }
    nodes { name: "bce_grad" op: "BCEWithLogitsGrad" inputs: ["z", "labels", "dloss"] outputs: "dz" }
    nodes {
      name: "dense_grad" op: "DenseGrad" inputs: ["last", "dense_kernel", "dz"]
      outputs: ["d_last", "d_dense_kernel", "d_dense_bias"]
    }
    nodes {
      name: "rnn_grad" op: "RNNCellGrad"
      inputs: ["x", "kernel", "recurrent_kernel", "bias", "", "sequence", "", "d_last"]
      outputs: ["d_x", "d_kernel", "d_recurrent_kernel", "d_bias"]
    }
    nodes {
      name: "embedding_grad" op: "EmbeddingGrad" attributes { name: "rows" int_value: ROWS }
      inputs: ["tokens", "d_x"] outputs: "d_table"
    }
UPDATES
    results { name: "loss" value: "mean_loss" }"""


def train_step_cases():
    """One step of SGD on the embedding classifier: every weight must arrive at w - lr dL/dw."""
    rows, width, units, time, rate = 5, 3, 4, 3, 0.125
    shapes = {"table": [rows, width], "kernel": [width, units], "recurrent_kernel": [units, units],
              "bias": [units], "dense_kernel": [units, 1], "dense_bias": [1]}
    weights = {n: sixteenths(s, 1 + 2 * k, step=5 + k) for k, (n, s) in enumerate(shapes.items())}
    variable = '    variables { name: "%s" type { dtype: FLOAT32%s } }'
    lines = [variable % (n, " dims: [%s]" % ", ".join(map(str, s))) for n, s in shapes.items()]
    lines.append(variable % ("lr", ""))
    update = ('    nodes { name: "step_%s" op: "SGDUpdate" inputs: ["%s", "d_%s", "lr"]'
              ' outputs: "new_%s" }\n    updates { variable: "%s" value: "new_%s" }')
    updates = [update % ((n,) * 6) for n in shapes]
    function = (TRAIN_STEP.replace("TIME", str(time)).replace("ROWS", str(rows))
                .replace("VARIABLES", "\n".join(lines)).replace("UPDATES", "\n".join(updates)))
    for name, tokens, labels in [("two_reviews", [0, 3, 3, 1, 0, 4], [1.0, 0.0]),
                                 ("one_review", [2, 2, 1], [0.0])]:
        batch = len(labels)
        tokens = ints([batch, time], tokens)
        labels = Array([batch, 1], labels)

        def loss(v, tokens=tokens, labels=labels):
            x = embedding({"ids": tokens, "table": v["table"]})["y"]
            last = rnn({"x": x, "w": v["kernel"], "u": v["recurrent_kernel"], "b": v["bias"],
                        "h0": None}, "tanh", ["last"])["last"]
            z = dense({"x": last, "w": v["dense_kernel"], "b": v["dense_bias"]}, "none")["y"]
            return bce_logits({"z": z, "labels": labels})

        results = loss(weights)
        by = gradients(loss, [], weights, results, {"loss": real([], 1.0)}, list(shapes))
        out = ["cases {", '  name: "%s"' % name, '  source: "tests/graph/make_cases.py"',
               "  function {", function, "  }", "  batch: %d" % batch,
               named("inputs", "tokens", tokens, False, "  "),
               named("inputs", "labels", labels, False, "  ")]
        out += [named("variables", n, a, False, "  ") for n, a in weights.items()]
        out.append(named("variables", "lr", real([], rate), False, "  "))
        out.append(named("results", "loss", results["loss"], True, "  "))
        for n, a in weights.items():
            stepped = Array(a.shape, [w - rate * d for w, d in zip(a.data, by[n].data)])
            out.append(named("updates", n, stepped, True, "  "))
        # The framework's own differentiation through the same function must agree too.
        out += ["  gradient {", named("weights", "loss", real([], 1.0), False, "    ")]
        out += [named("expected", n, by[n], True, "    ") for n in shapes] + ["  }", "}"]
        FILES.setdefault("TrainStep", []).append("\n".join(out))
    TITLES["TrainStep"] = "a step of SGD on embedding, RNN, dense and BCE, written out node by node"


def snake(op):
    out = ""
    for i, c in enumerate(op):
        starts = c.isupper() and i > 0 and (op[i - 1].islower() or op[i + 1:i + 2].islower())
        out += ("_" if starts else "") + c.lower()
    return out


def place(folder, name):
    """Where the file is now; a new one becomes a case for every backend."""
    for group in ("common", "array", "recurrent", "fused"):
        path = os.path.join(folder, group, name)
        if os.path.exists(path):
            return path
    os.makedirs(os.path.join(folder, "common"), exist_ok=True)
    return os.path.join(folder, "common", name)


def write_files(folder, script):
    for op, cases in FILES.items():
        with open(place(folder, snake(op) + ".textproto"), "w") as out:
            out.write("# proto-file: serialization/graph_test.proto\n"
                      "# proto-message: seqgraph.proto.GraphTestFile\n#\n"
                      "# %s: %s\n"
                      "# Written by ../%s, from that definition in double;"
                      " gradients by dual\n# numbers. Expected tensors are FLOAT64: exact values.\n\n"
                      % (op, TITLES[op], script))
            out.write("\n\n".join(cases) + "\n")


def main(folder):
    for make in (embedding_cases, one_hot_cases, rnn_cases, lookup_rnn_cases, dense_cases,
                 activation_cases, loss_cases, elementwise_cases, constant_cases, fused_cases,
                 take_step_cases, reduction_cases, clip_cases, optimizer_cases,
                 train_step_cases):
        make()
    write_files(folder, "make_cases.py")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
