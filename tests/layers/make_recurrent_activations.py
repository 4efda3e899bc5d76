#!/usr/bin/env python3
"""Prints the table of tests/layers/recurrent_activations_test.cc: what Keras gives for recurrent
layers with activations of all kinds.

Input and weights are sines, which the test computes too. Needs keras on tensorflow.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy
import tensorflow as tf

BATCH, TIME, FEATURES, UNITS = 2, 3, 2, 2


def hard_sigmoid2(x):
    """Keras 2's."""
    return tf.clip_by_value(0.2 * x + 0.5, 0, 1)


# class, activation, recurrent_activation, reset_after; as text, and as Keras takes it.
CASES = [
    ("SimpleRNN", "softsign", None, True),
    ("SimpleRNN", "gelu", None, True),
    ("SimpleRNN", "linear", None, True),
    ("LSTM", "tanh", "hard_sigmoid", True),
    ("LSTM", "tanh", "hard_sigmoid(0.2,0.5)", True),
    ("LSTM", "elu", "sigmoid", True),
    ("LSTM", "silu", "relu6", True),
    ("GRU", "selu", "hard_sigmoid", True),
    ("GRU", "softplus", "hard_sigmoid(0.2,0.5)", False),
    ("GRU", "mish", "tanh", False),
]


def sines(shape, first):
    count = int(numpy.prod(shape))
    return numpy.sin(first + numpy.arange(count)).reshape(shape)


def main():
    keras.backend.set_floatx("float64")
    for name, activation, gates, reset_after in CASES:
        options = {"activation": activation}
        if gates:
            options["recurrent_activation"] = hard_sigmoid2 if "(" in gates else gates
        if name == "GRU":
            options["reset_after"] = reset_after
        layer = getattr(keras.layers, name)(UNITS, **options)
        layer.build((BATCH, TIME, FEATURES))
        layer.set_weights([sines(w.shape, 10 * (i + 1)) for i, w in enumerate(layer.weights)])
        y = layer(tf.constant(sines((BATCH, TIME, FEATURES), 0))).numpy()
        print('    {"%s", "%s", "%s", %s, {%s}},' % (
            name, activation, gates or "sigmoid", str(reset_after).lower(),
            ", ".join("%.15g" % v for v in y.reshape(-1))))


if __name__ == "__main__":
    main()
