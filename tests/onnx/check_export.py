#!/usr/bin/env python3
"""Runs exported models in ONNX Runtime: check_export.py FOLDER

For each NAME.onnx of the folder, beside in_0.npy, .. and out_0.npy, .. in a folder NAME: names of
nodes must differ, ONNX's checker must accept the model, shapes included, and ONNX Runtime must give
the same outputs within 2e-6. Where NAME.source is, a file that the model was imported from, ONNX
Runtime must give the same for it, both within 1e-5. Prints a line a model; exit status 1 if one is
wrong. Needs numpy, onnx, onnxruntime.
"""

import glob
import os
import sys

import numpy
import onnx
import onnxruntime

BAR, IMPORTED_BAR = 2e-6, 1e-5
TYPES = {"float": "float32", "double": "float64"}


def arrays(folder, prefix):
    count = len(glob.glob(os.path.join(folder, prefix + "_*.npy")))
    return [numpy.load(os.path.join(folder, "%s_%d.npy" % (prefix, i))) for i in range(count)]


def difference(path, folder, same_types):
    """The largest difference of an output, over the number if that is above 1; a number that is not
    finite must be the same."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    inputs, expected = arrays(folder, "in"), arrays(folder, "out")
    feeds = {}
    for i, x in zip(session.get_inputs(), inputs):
        name = i.type[len("tensor("):-1]
        feeds[i.name] = x.astype(TYPES.get(name, name))
    actual = session.run(None, feeds)
    assert len(actual) == len(expected) > 0 and len(feeds) == len(inputs)
    worst = 0.0
    for a, b in zip(actual, expected):
        assert a.shape == b.shape, (a.shape, b.shape)
        assert a.dtype == b.dtype or not same_types, (a.dtype, b.dtype)
        same = (a == b) | ((a != a) & (b != b))
        a, b = a.astype("float64"), b.astype("float64")
        apart = numpy.abs(a - b) / numpy.maximum(1, numpy.where(numpy.isfinite(b), abs(b), 1))
        apart = numpy.where(numpy.isnan(apart), numpy.inf, apart)
        worst = max(worst, float(numpy.where(same, 0, apart).max(initial=0)))
    return worst


def check(path):
    folder = path[:-len(".onnx")]
    names = [node.name for node in onnx.load(path).graph.node]
    assert all(names) and len(set(names)) == len(names), "two nodes of one name"
    onnx.checker.check_model(path, full_check=True)
    worst, bar = difference(path, folder, same_types=True), BAR
    source = folder + ".source"
    if os.path.exists(source):
        bar = IMPORTED_BAR
        worst = max(worst, difference(os.path.realpath(source), folder, same_types=False))
    return worst, worst <= bar


def main(folder):
    onnxruntime.set_default_logger_severity(3)
    paths = sorted(glob.glob(os.path.join(folder, "*.onnx")))
    wrong = not paths
    for path in paths:
        name = os.path.basename(path)[:-len(".onnx")]
        try:
            worst, right = check(path)
            print("%-36s %.1e%s" % (name, worst, "" if right else "  WRONG"))
        except Exception as error:  # whatever ONNX or its runtime has against it
            right = False
            print("%-36s WRONG %s" % (name, str(error)[:300]))
        wrong |= not right
    print("ONNX %s, ONNX Runtime %s" % (onnx.__version__, onnxruntime.__version__))
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
