#!/usr/bin/env python3
"""Writes the graph test files of what imported graphs are made of: make_array_cases.py FOLDER

Functions of single elements, choices, broadcasts, look-ups and products, with the tools of
make_cases.py beside this file: each definition is written down a second time, on plain numbers, and
every derivative comes from dual numbers.
"""

import math
import sys

from make_cases import (TITLES, Array, Dual, case, dual, indices, ints, lift, real, sixteenths,
                        write_files)


def value(x):
    return x.a if isinstance(x, Dual) else x


def element(op, f, names, inputs, gradient=True, dtype="FLOAT32", attributes=None, name="some"):
    def fn(v):
        return {"y": Array(inputs[0][1].shape, [f(*xs) for xs in zip(*[v[n].data for n in names])],
                           dtype)}

    case(op, name, inputs, fn, attributes, gradient=[n for n in names if n != "condition"]
         if gradient else ())


def step(f):
    return lift(f, lambda x, y: 0.0)


UNARY = {
    "Abs": ("y = |x|", lift(abs, lambda x, y: math.copysign(1, x))),
    "Negative": ("y = -x", lambda x: -x),
    "Sign": ("y = -1, 0 or 1, the sign of x", step(lambda x: float((x > 0) - (x < 0)))),
    "Exp": ("y = exp(x)", lift(math.exp, lambda x, y: y)),
    "Log": ("y = the natural logarithm of x", lift(math.log, lambda x, y: 1 / x)),
    "Sqrt": ("y = the square root of x", lift(math.sqrt, lambda x, y: 0.5 / y)),
    "Reciprocal": ("y = 1 / x", lambda x: 1.0 / x if not isinstance(x, Dual) else dual(1.0) / x),
    "Erf": ("y = 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x",
            lift(math.erf, lambda x, y: 2 / math.sqrt(math.pi) * math.exp(-x * x))),
    "Floor": ("y = the largest integer that is not above x", step(lambda x: float(math.floor(x)))),
    "Ceil": ("y = the smallest integer that is not below x", step(lambda x: float(math.ceil(x)))),
    "Round": ("y = the integer closest to x, ties to the even one", step(lambda x: float(round(x)))),
}


def unary_cases():
    for op, (title, f) in UNARY.items():
        TITLES[op] = title
        positive = op in ("Log", "Sqrt")
        x = real([2, 3], *[0.25, 1.0, 1.5, 2.25, 3.0, 0.125]) if positive else \
            real([2, 3], *[-2.3125, 0.25, 1.6875, -0.75, 3.4375, -1.0625])
        element(op, f, ["x"], [("x", x)])
        element(op, f, ["x"], [("x", real([], 0.75))], name="scalar")


def power(a, b):
    if not isinstance(a, Dual) and not isinstance(b, Dual):
        return a ** b
    a, b = dual(a), dual(b)
    y = a.a ** b.a
    return Dual(y, y * (b.b * math.log(a.a) + b.a * a.b / a.a))


def divide(a, b):
    return dual(a) / b if isinstance(a, Dual) or isinstance(b, Dual) else a / b


def by_multiples(count):
    """a - k b, where k, count(a / b), does not change with a and b."""
    return lambda a, b: a - float(count(value(a) / value(b))) * b


BINARY = {
    "Divide": ("y = a / b", divide),
    "Power": ("y = a^b", power),
    "Maximum": ("y = the larger of a and b", lambda a, b: a if value(a) >= value(b) else b),
    "Minimum": ("y = the smaller of a and b", lambda a, b: a if value(a) <= value(b) else b),
    "Modulo": ("y = a - b floor(a / b)", by_multiples(math.floor)),
    "Remainder": ("y = a - b k, k = a / b rounded toward zero", by_multiples(math.trunc)),
}


def binary_cases():
    a = real([2, 3], 0.5, 1.25, 2.0, 3.5, 0.75, 2.625)
    b = real([2, 3], 1.5, 0.5, -1.25, 2.0, 0.75, -0.875)
    for op, (title, f) in BINARY.items():
        TITLES[op] = title
        element(op, f, ["a", "b"], [("a", a), ("b", b)])
    i, j = ints([4], [7, -7, 2, 9]), ints([4], [2, 2, 5, -4])
    for op, y in (("Divide", [3, -3, 0, -2]), ("Maximum", [7, 2, 5, 9]), ("Minimum", [2, -7, 2, -4]),
                  ("Modulo", [1, 1, 2, -3]), ("Remainder", [1, -1, 2, 1])):
        case(op, "integers", [("a", i), ("b", j)], lambda v, y=y: {"y": ints([4], y)})
    case("Divide", "integer_by_zero", [("a", i), ("b", ints([4], [1, 0, 1, 1]))],
         error="b is 0 at element 1")
    for op, f in (("Equal", lambda p, q: int(p == q)), ("Less", lambda p, q: int(p < q))):
        TITLES[op] = "y = 1 where a %s b, else 0" % ("=" if op == "Equal" else "<")
        element(op, f, ["a", "b"], [("a", a), ("b", b)], False, "INT32")
        element(op, f, ["a", "b"], [("a", i), ("b", ints([4], [7, 2, 2, 10]))], False, "INT32",
                name="integers")
    TITLES["Where"] = "y = a where the condition is not 0, else b"
    condition = ints([2, 3], [1, 0, 0, -2, 1, 0])
    element("Where", lambda c, p, q: p if c else q, ["condition", "a", "b"],
            [("condition", condition), ("a", a), ("b", b)])


def cast_cases():
    TITLES["Cast"] = "y = x in another element type"
    x = real([4], 1.5, -2.0, 0.25, 8.0)
    case("Cast", "same", [("x", x)], lambda v: {"y": v["x"]}, {"dtype": "FLOAT32"}, gradient=["x"])
    case("Cast", "of_integers", [("x", ints([3], [1, -2, 3]))],
         lambda v: {"y": real([3], 1.0, -2.0, 3.0)}, {"dtype": "FLOAT32"})


def broadcast_cases():
    TITLES["BroadcastTo"] = "y = x, repeated along new axes in front and where its extent is 1"
    for name, shape, extents in [("rows", [3], [2, 3]), ("columns", [2, 1], [2, 3]),
                                 ("kept", [2, 1, 3], [4, -1, 2, -1]), ("scalar", [], [2, 2])]:
        lead = len(extents) - len(shape)
        to = [shape[k - lead] if n == -1 else n for k, n in enumerate(extents)]

        def fn(v, shape=shape, lead=lead, to=to):
            return {"y": Array(to, [
                v["x"][[j if n > 1 else 0 for j, n in zip(i[lead:], shape)]] for i in indices(to)])}

        case("BroadcastTo", name, [("x", sixteenths(shape, 3))], fn, {"shape": extents},
             gradient=["x"])


def gather_cases():
    TITLES["Gather"] = "y holds the slices of x along the axis that the indices name"
    TITLES["GatherGrad"] = "dx sums each slice of dy where Gather took it from"
    for name, shape, axis, ids in [("rows", [3, 2], 0, ints([2], [2, 0])),
                                   ("columns_twice", [2, 3], 1, ints([2, 2], [1, 1, -1, 0])),
                                   ("one", [2, 3, 2], 1, ints([], [2]))]:
        rank = len(ids.shape)
        to = shape[:axis] + ids.shape + shape[axis + 1:]

        def source(i, shape=shape, axis=axis, ids=ids, rank=rank):
            at = ids[i[axis:axis + rank]]
            return i[:axis] + (at % shape[axis],) + i[axis + rank:]

        def fn(v, to=to, source=source):
            return {"y": Array(to, [v["x"][source(i)] for i in indices(to)])}

        def grad(v, shape=shape, to=to, source=source):
            total = {i: 0.0 for i in indices(shape)}
            for i in indices(to):
                total[source(i)] = total[source(i)] + v["dy"][i]
            return {"dx": Array(shape, [total[i] for i in indices(shape)])}

        x = sixteenths(shape, 3)
        case("Gather", name, [("x", x), ("indices", ids)], fn, {"axis": axis}, gradient=["x"])
        case("GatherGrad", name, [("dy", sixteenths(to, 5)), ("indices", ids), ("like", x)], grad,
             {"axis": axis}, gradient=["dy"])
    case("Gather", "out_of_range", [("x", sixteenths([3, 2], 3)), ("indices", ints([2], [0, 3]))],
         attributes={"axis": 0}, error="must be in [-3, 3)")


def matmul_cases():
    TITLES["MatMul"] = "y[.., i, j] = sum_k a[.., i, k] b[.., k, j]"
    for name, lead, m, k, n in [("one", [], 2, 3, 2), ("two_by_two", [2, 2], 1, 2, 3)]:

        def fn(v, to=lead + [m, n], k=k):
            return {"y": Array(to, [
                sum((v["a"][i[:-1] + (q,)] * v["b"][i[:-2] + (q, i[-1])] for q in range(k)), 0.0)
                for i in indices(to)])}

        case("MatMul", name, [("a", sixteenths(lead + [m, k], 3)),
                              ("b", sixteenths(lead + [k, n], 8))], fn, gradient=["a", "b"])


def extremum_cases():
    def reduced(best):
        def fn(v, axis):
            x, to = v["x"], v["x"].shape[:axis] + v["x"].shape[axis + 1:]
            return {"y": Array(to, [
                best([x[i[:axis] + (k,) + i[axis:]] for k in range(x.shape[axis])])
                for i in indices(to)])}
        return fn

    for op, title, best in [
            ("ReduceMax", "y = the largest x over the axes", lambda xs: max(xs, key=value)),
            ("ReduceMin", "y = the smallest x over the axes", lambda xs: min(xs, key=value)),
            ("ReduceProd", "y = the product of x over the axes", lambda xs: math.prod(xs))]:
        TITLES[op] = title
        for name, shape, axis in [("rows", [2, 4], 1), ("middle", [2, 3, 2], 1)]:
            case(op, name, [("x", sixteenths(shape, 3))],
                 lambda v, f=reduced(best), axis=axis: f(v, axis), {"axes": [axis]},
                 gradient=[] if op == "ReduceProd" else ["x"])
        case(op, "integers", [("x", ints([3], [4, -2, 3]))],
             lambda v, best=best: {"y": ints([], [best([4, -2, 3])])}, {"axes": [0]})


def main(folder):
    for make in (unary_cases, binary_cases, cast_cases, broadcast_cases, gather_cases, matmul_cases,
                 extremum_cases):
        make()
    write_files(folder, "make_array_cases.py")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
