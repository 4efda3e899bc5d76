#!/usr/bin/env python3
"""Writes the models of tests/onnx/models: make_models.py FOLDER

Small recurrent models that PyTorch (both of its exporters) and Keras wrote as ONNX, each beside an
.npz with inputs in_0, in_1, .. and the outputs out_0, .. that the framework itself computed, in
the order of the graph's. Needs numpy, torch, onnx, onnxscript and, for Keras's, keras on torch.
"""

import io
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy
import onnx
import torch

WORDS, FEATURES, UNITS, TIME, BATCH = 11, 4, 5, 6, 3


class Classifier(torch.nn.Module):
    """Embedding, recurrent layers, a dense layer on the last step or on all."""

    def __init__(self, cell, all_steps=False, **options):
        super().__init__()
        self.table = torch.nn.Embedding(WORDS, FEATURES)
        self.cell = cell(FEATURES, UNITS, batch_first=True, **options)
        directions = 2 if options.get("bidirectional") else 1
        self.dense = torch.nn.Linear(directions * UNITS, 2)
        self.all_steps = all_steps

    def forward(self, tokens):
        sequence = self.cell(self.table(tokens))[0]
        if not self.all_steps:
            sequence = sequence[:, -1]
        return torch.softmax(self.dense(sequence), dim=-1)


TORCH = {
    "rnn_relu": lambda: Classifier(torch.nn.RNN, nonlinearity="relu"),
    "lstm": lambda: Classifier(torch.nn.LSTM),
    "gru": lambda: Classifier(torch.nn.GRU),
    "gru_all_steps": lambda: Classifier(torch.nn.GRU, all_steps=True),
    "lstm_two_layers": lambda: Classifier(torch.nn.LSTM, num_layers=2, dropout=0.5),
    "gru_bidirectional": lambda: Classifier(torch.nn.GRU, bidirectional=True),
    "lstm_bidirectional_two_layers": lambda: Classifier(
        torch.nn.LSTM, num_layers=2, bidirectional=True),
}


def save(folder, name, model, inputs, outputs):
    """Without the documentation of nodes, which names this machine's folders."""
    for node in model.graph.node:
        node.ClearField("doc_string")
        del node.metadata_props[:]
    for value in list(model.graph.value_info) + list(model.graph.input) + list(model.graph.output):
        del value.metadata_props[:]
    del model.graph.value_info[:]
    del model.graph.metadata_props[:]
    onnx.checker.check_model(model)
    onnx.save(model, os.path.join(folder, name + ".onnx"))
    arrays = {"in_%d" % i: x for i, x in enumerate(inputs)}
    arrays.update({"out_%d" % i: y for i, y in enumerate(outputs)})
    numpy.savez(os.path.join(folder, name + ".npz"), **arrays)
    print(name, sorted({node.op_type for node in model.graph.node}))


def export_torch(folder, name, module, inputs, dynamo):
    names = ["tokens"]
    module.eval()
    with torch.no_grad():
        output = module(*inputs).numpy()
    options = {"dynamo": dynamo, "input_names": names, "output_names": ["probability"]}
    if dynamo:
        batch = torch.export.Dim("batch", min=2, max=1 << 20)
        options["dynamic_shapes"] = [{0: batch} for _ in inputs]
        options["external_data"] = False
        model = torch.onnx.export(module, tuple(inputs), verbose=False, **options).model_proto
    else:
        options["dynamic_axes"] = {n: {0: "batch"} for n in names + ["probability"]}
        options["opset_version"] = 17
        buffer = io.BytesIO()
        torch.onnx.export(module, tuple(inputs), buffer, **options)
        model = onnx.load_from_string(buffer.getvalue())
    save(folder, "torch_%s_%s" % ("dynamo" if dynamo else "legacy", name), model,
         [x.numpy() for x in inputs], [output])


def export_keras(folder, name, layers):
    import keras

    keras.utils.set_random_seed(5)
    model = keras.Sequential([keras.Input((TIME,), dtype="int32", name="tokens"),
                              keras.layers.Embedding(WORDS, FEATURES)] + layers(keras.layers))
    tokens = numpy.random.default_rng(3).integers(0, WORDS, (BATCH, TIME)).astype("int32")
    output = numpy.asarray(model.predict(tokens, verbose=0))
    path = os.path.join(folder, "keras.tmp.onnx")
    model.export(path, format="onnx", verbose=False)
    exported = onnx.load(path)
    os.remove(path)
    save(folder, "keras_" + name, exported, [tokens], [output])


KERAS = {
    "simple_rnn": lambda l: [l.SimpleRNN(UNITS), l.Dense(1, activation="sigmoid")],
    "lstm": lambda l: [l.LSTM(UNITS), l.Dense(1, activation="sigmoid")],
    "gru": lambda l: [l.GRU(UNITS), l.Dense(1, activation="sigmoid")],
    "bidirectional": lambda l: [l.Bidirectional(l.LSTM(UNITS)), l.Dense(2, activation="softmax")],
}


def attempt(what, function, *args):
    try:
        function(*args)
    except Exception as error:  # an exporter's bug is no reason not to write the others
        print("%s: not written: %s: %s" % (what, type(error).__name__, str(error)[:200]))


def main(folder):
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(0, WORDS, (BATCH, TIME), generator=generator)
    for dynamo in (False, True):
        for name, make in TORCH.items():
            torch.manual_seed(2)
            attempt(name, export_torch, folder, name, make(), [tokens], dynamo)
    for name, layers in KERAS.items():
        attempt("keras " + name, export_keras, folder, name, layers)


if __name__ == "__main__":
    main(sys.argv[1])
