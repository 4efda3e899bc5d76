"""What all peers share: the protocol, the data, the loop that is timed.

A peer is a program that reads JSON objects from standard input, one a line, and answers each with one
line on standard output:

  {"do": "prepare", "spec": {...}}   -> {"losses": [...], "weights": {name: [...]}} after training, or
                                        {"predictions": [...]}; besides "versions": {library: version}
                                        and "form": how the work is done, in words
  {"do": "run", "seconds": 0.5}      -> {"samples": 12800, "seconds": 0.51}

An answer may also be {"skipped": reason} (a library is not installed) or {"error": reason}. The peer
ends with its standard input.

The spec: "task" ("train", "fit" or "predict"), "model" ("embedding" or "onehot", of words, or "series",
of numbers), "cell" (of CELLS), "batch", "time", "vocabulary", "features", "units", "steps" (batches in an epoch), "chunk" (steps
between two losses that are reported), "learning_rate", "rho", "epsilon", "data" (a folder of .npy
files).

  train    One epoch in the order of the rows, from the given weights. "losses": after each chunk, the
           mean of the losses of all steps so far.
  fit      The same, then the validation. "losses": the epoch's mean loss and the validation's.
  predict  "predictions": the probabilities of the first rows.

A run begins with the given weights again and repeats the work until the time is over.
"""

import dataclasses
import json
import os
import sys
import time

# Predictions that are compared; a multiple of every batch size that predicts.
CHECKED_ROWS = 256


@dataclasses.dataclass(frozen=True)
class Cell:
    """A recurrent layer as the libraries have it: `layer` begins the names of its weights,
    `operator` is its class in torch.nn and its operator in ONNX. `gates`, a letter each, are in the
    order of the columns of Keras's weights, which are ours; the others have orders of their own."""
    layer: str
    operator: str
    gates: str
    torch_gates: str
    onnx_gates: str
    onnx_attributes: dict = dataclasses.field(default_factory=dict)


# By Keras's class. Formulas: float64_cells.py. Gates: input, forget, candidate, output; update
# (Keras's z), reset, candidate.
CELLS = {
    "SimpleRNN": Cell("simple_rnn", "RNN", "c", "c", "c"),
    "LSTM": Cell("lstm", "LSTM", "ifco", "ifco", "iofc"),
    # The reset comes after the product with the state, and so the bias has two rows.
    "GRU": Cell("gru", "GRU", "urc", "ruc", "urc", {"linear_before_reset": 1}),
}


def gate_columns(gates, wanted, units):
    """Which columns, in order, make weights in the order `wanted` of those in the order `gates`."""
    return [gates.index(gate) * units + i for gate in wanted for i in range(units)]


class Data:
    """The arrays of a spec: inputs, int32 tokens [rows, time] or float32 [rows, time, features] of
    series; float32 labels [rows, 1]; weights by name."""

    def __init__(self, spec):
        import numpy  # Only here, so that a missing numpy is reported as any other missing library.

        def load(name):
            return numpy.load(os.path.join(spec["data"], name + ".npy"))

        rows = spec["steps"] * spec["batch"] if spec["task"] != "predict" else None
        self.inputs = load("inputs")[:rows]
        self.labels = load("labels")[:rows].astype(numpy.float32).reshape(-1, 1)
        self.validation_inputs = load("validation_inputs")
        self.validation_labels = load("validation_labels").astype(numpy.float32).reshape(-1, 1)
        self.cell = CELLS[spec["cell"]]
        self.cell_names = [self.cell.layer + "/" + n for n in ("kernel", "recurrent_kernel", "bias")]
        names = ["embedding/embeddings"] * (spec["model"] == "embedding") + self.cell_names
        self.weights = {name: load(name.replace("/", "."))
                        for name in names + ["dense/kernel", "dense/bias"]}

    def of_cell(self, weights):
        """Of weights by name the cell's: kernel, recurrent kernel and the bias beside each, as rows
        [1 or 2, columns]: where there is one, it is the kernel's."""
        kernel, recurrent_kernel, bias = (weights[name] for name in self.cell_names)
        return kernel, recurrent_kernel, bias.reshape(-1, kernel.shape[1])


def running_means(losses, chunk):
    """The means of the first chunk, 2 * chunk, ... losses."""
    means, total = [], 0.0
    for count, loss in enumerate(losses, 1):
        total += float(loss)
        if count % chunk == 0:
            means.append(total / count)
    return means


def as_lists(weights):
    """Arrays by name as flat lists of floats."""
    return {name: [float(x) for x in value.reshape(-1)] for name, value in weights.items()}


def repeat(call, samples, seconds, calls_between_looks=1):
    """Calls until `seconds` are over; the answer to "run". `samples` is what one call handles."""
    done = 0
    start = time.perf_counter()
    while True:
        for _ in range(calls_between_looks):
            call()
        done += calls_between_looks
        elapsed = time.perf_counter() - start
        if elapsed >= seconds:
            return {"samples": done * samples, "seconds": elapsed}


def batches_forever(rows, batch):
    """The batches of `rows`, again and again; no copies."""
    while True:
        for begin in range(0, len(rows) - batch + 1, batch):
            yield rows[begin:begin + batch]


def fastest(forms):
    """The name of the quickest of {name: call}, best of three looks after one call each."""
    times = {}
    for name, call in forms.items():
        call()
        looks = [repeat(call, 1, 0.05) for _ in range(3)]
        times[name] = min(look["seconds"] / look["samples"] for look in looks)
    return min(times, key=times.get)


def serve(make_peer):
    """Answers requests until standard input ends. `make_peer(spec, data)` returns an object with
    `check()`, the answer to "prepare", and `run(seconds)`, the answer to "run"."""
    # Libraries print what they like; the protocol has a descriptor of its own.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    peer = None
    for line in sys.stdin:
        try:
            request = json.loads(line)
            if request["do"] == "prepare":
                peer = make_peer(request["spec"], Data(request["spec"]))
                answer = peer.check()
            elif request["do"] == "run":
                answer = peer.run(request["seconds"])
            else:
                answer = {"error": "unknown request: " + line.strip()}
        except ImportError as error:
            answer = {"skipped": str(error)}
        except Exception as error:  # pylint: disable=broad-except
            answer = {"error": "%s: %s" % (type(error).__name__, error)}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
