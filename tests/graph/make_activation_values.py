#!/usr/bin/env python3
"""Prints the table of graph/activation_test.cc: what Keras gives for its activations in float64, and
formulas for the others.

Needs keras on tensorflow, whose recorded gradients are the slopes.
"""

import math
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import tensorflow as tf

keras.backend.set_floatx("float64")
POINTS = [-4.5, -1.25, -0.3, 0.2, 0.8, 2.5, 7]

KERAS = """linear tanh relu sigmoid relu6 hard_sigmoid hard_tanh elu celu selu softplus softsign silu
hard_silu mish log_sigmoid exponential tanh_shrink soft_shrink hard_shrink squareplus sparse_plus
sparse_sigmoid""".split()
act = keras.activations
FUNCTIONS = {name: act.get(name) for name in KERAS}
FUNCTIONS.update({
    # Keras computes these with constants in float32.
    "gelu": lambda x: 0.5 * x * tf.math.erfc(-x / math.sqrt(2)),
    "gelu_tanh": lambda x: 0.5 * x * (1 + tf.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "leaky_relu": lambda x: tf.where(x > 0, x, 0.2 * x),
    "leaky_relu(0.01)": lambda x: tf.where(x > 0, x, 0.01 * x),
    "elu(0.5)": lambda x: act.elu(x, alpha=0.5),
    "celu(0.5)": lambda x: act.celu(x, alpha=0.5),
    "hard_sigmoid(0.2,0.5)": lambda x: tf.clip_by_value(0.2 * x + 0.5, 0, 1),
    "affine(0.5,-2)": lambda x: 0.5 * x - 2,
    "scaled_tanh(1.7159,0.6667)": lambda x: 1.7159 * tf.tanh(0.6667 * x),
    "thresholded_relu(0.5)": lambda x: act.threshold(x, 0.5, 0.0),
})


def main():
    for name, function in FUNCTIONS.items():
        x = tf.constant(POINTS, tf.float64)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.convert_to_tensor(function(x))
        slope = tape.gradient(y, x).numpy()
        print('    {"%s",' % name)
        for values in (y.numpy(), slope):
            print("     {%s}%s" % (", ".join("%.15g" % v for v in values),
                                   "," if values is not slope else "},"))


if __name__ == "__main__":
    main()
