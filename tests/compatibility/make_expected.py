#!/usr/bin/env python3
"""Writes what the models of this folder must answer: make_expected.py FOLDER

FOLDER holds NAME.npz for each model: its weights, as `seqgraph convert NAME.pb NAME.npz` writes
them. The answers are computed here a second time, in float64, from the formulas of the layers.
Only needed to add a model. Needs numpy.
"""

import json
import os
import sys

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def rnn_step(x, h, w):
    kernel, recurrent, bias = w
    return np.tanh(x @ kernel + h[0] @ recurrent + bias),


def lstm_step(x, h, w):
    kernel, recurrent, bias = w
    i, f, g, o = np.split(x @ kernel + h[0] @ recurrent + bias, 4, axis=-1)
    c = sigmoid(f) * h[1] + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru_step(x, h, w):
    kernel, recurrent, bias = w
    z, r, n = np.split(x @ kernel + bias[0], 3, axis=-1)
    uz, ur, un = np.split(h[0] @ recurrent + bias[1], 3, axis=-1)
    z, r = sigmoid(z + uz), sigmoid(r + ur)
    return z * h[0] + (1 - z) * np.tanh(n + r * un),


def scan(step, states, x, w, mask, reverse=False):
    """[batch, time, units] and the last state; a masked step leaves the states as they are."""
    units = w[1].shape[0]
    h = tuple(np.zeros((x.shape[0], units)) for _ in range(states))
    out = np.zeros((x.shape[0], x.shape[1], units))
    for t in range(x.shape[1])[::-1 if reverse else 1]:
        new = step(x[:, t], h, w)
        keep = mask[:, t, None]
        h = tuple(np.where(keep, n, old) for n, old in zip(new, h))
        out[:, t] = np.where(keep, h[0], 0)
    return out, h[0]


def layer(weights, name):
    return [weights[f"{name}/{part}"] for part in ("kernel", "recurrent_kernel", "bias")]


def both(step, states, weights, name, x, mask):
    cell = name.replace("bidirectional", {lstm_step: "lstm", gru_step: "gru"}[step])
    forward, _ = scan(step, states, x, layer(weights, f"{name}/forward_{cell}"), mask)
    backward, _ = scan(step, states, x, layer(weights, f"{name}/backward_{cell}"), mask, True)
    return np.concatenate([forward, backward], axis=-1)


def average(x, mask):
    return (x * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)


def simple(weights, tokens):
    """Embedding, SimpleRNN, one sigmoid."""
    x = weights["embedding/embeddings"][tokens]
    _, h = scan(rnn_step, 1, x, layer(weights, "simple_rnn"), tokens >= 0)
    return sigmoid(h @ weights["dense/kernel"] + weights.get("dense/bias", 0))


def masked(step, states, names):
    def run(weights, tokens):
        """Embedding with mask_zero, bidirectional layers, the average, one sigmoid."""
        x, mask = weights["embedding/embeddings"][tokens], tokens != 0
        for name in names:
            x = both(step, states, weights, name, x, mask)
        return sigmoid(average(x, mask) @ weights["dense/kernel"] + weights["dense/bias"])

    return run


def pair(weights, a, b):
    """The same Embedding and SimpleRNN of two inputs, side by side, softmax."""
    w = layer(weights, "reader")
    ends = [scan(rnn_step, 1, weights["words/embeddings"][x], w, x >= 0)[1] for x in (a, b)]
    z = np.concatenate(ends, axis=-1) @ weights["answer/kernel"] + weights["answer/bias"]
    return np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)


SHORT = {"tokens": [[1, 2, 3], [3, 0, 2]]}
LONG = {"tokens": [[0, 0, 1, 5], [4, 7, 6, 2], [0, 1, 4, 3]]}
MODELS = {
    "v1": (simple, SHORT),
    "v2": (simple, SHORT),
    "v3": (simple, SHORT),
    "v3_layers": (masked(lstm_step, 2, ["bidirectional", "bidirectional_1"]), LONG),
    "v4": (masked(gru_step, 1, ["bidirectional"]), LONG),
    "v5": (pair, {"a": [[1, 2, 3], [4, 5, 0]], "b": [[3, 3, 1], [2, 0, 5]]}),
}


def main(folder):
    for name, (run, inputs) in MODELS.items():
        stored = np.load(os.path.join(folder, name + ".npz"))
        weights = {key: stored[key].astype(np.float64) for key in stored.files}
        answer = run(weights, **{key: np.array(value) for key, value in inputs.items()})
        expected = {"inputs": inputs, "answer": answer.tolist()}
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "models",
                            name + ".expected.json")
        with open(path, "w") as file:
            file.write(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
