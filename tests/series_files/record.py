#!/usr/bin/env python3
"""Writes tests/series_files/models: record.py FOLDER MODELS

FOLDER is what runtime_test leaves in TEST_UNDECLARED_OUTPUTS_DIR (with SEQGRAPH_ONNX_PYTHON set):
NAME.onnx as we export it, and raw rows NAME/in_0.npy. Copies each model and writes beside it what
ONNX Runtime gives for these rows, NAME.npz with in_0 and out_0. Needs numpy and onnxruntime.
"""

import glob
import os
import shutil
import sys

import numpy
import onnxruntime


def main(folder, models):
    for path in sorted(glob.glob(os.path.join(folder, "*.onnx"))):
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        rows = numpy.load(os.path.join(path[:-len(".onnx")], "in_0.npy"))
        (answers,) = session.run(None, {session.get_inputs()[0].name: rows})
        name = os.path.join(models, os.path.basename(path))
        shutil.copyfile(path, name)
        numpy.savez(name[:-len(".onnx")] + ".npz", in_0=rows, out_0=answers)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
