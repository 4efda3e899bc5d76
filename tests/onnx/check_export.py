#!/usr/bin/env python3
"""Runs exported models in ONNX Runtime: check_export.py FOLDER

For each NAME.onnx of the folder, beside in_0.npy, .. and out_0.npy, .. in a folder NAME: ONNX's
checker must accept the model, shapes included, and ONNX Runtime must give the same outputs within
2e-6. Prints a line a model; exit status 1 if one is wrong. Needs numpy, onnx, onnxruntime.
"""

import glob
import os
import sys

import numpy
import onnx
import onnxruntime

BAR = 2e-6


def arrays(folder, prefix):
    count = len(glob.glob(os.path.join(folder, prefix + "_*.npy")))
    return [numpy.load(os.path.join(folder, "%s_%d.npy" % (prefix, i))) for i in range(count)]


def difference(path):
    onnx.checker.check_model(path, full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    folder = path[:-len(".onnx")]
    inputs, expected = arrays(folder, "in"), arrays(folder, "out")
    feeds = {i.name: x for i, x in zip(session.get_inputs(), inputs)}
    actual = session.run(None, feeds)
    assert len(actual) == len(expected) > 0 and len(feeds) == len(inputs)
    for a, b in zip(actual, expected):
        assert a.shape == b.shape and a.dtype == b.dtype, (a.shape, b.shape)
    return max(float(numpy.abs(a - b).max()) for a, b in zip(actual, expected))


def main(folder):
    paths = sorted(glob.glob(os.path.join(folder, "*.onnx")))
    wrong = not paths
    for path in paths:
        worst = difference(path)
        wrong |= not worst <= BAR
        print("%-20s %.1e" % (os.path.basename(path)[:-len(".onnx")], worst))
    print("ONNX %s, ONNX Runtime %s" % (onnx.__version__, onnxruntime.__version__))
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
