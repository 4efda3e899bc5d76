"""Writes what Keras makes of layers over time and of operations on tensors into models/.

usage: PYTHON make_models.py keras | tf_keras      (a Python with that package on TensorFlow)

Names end in _keras2 for tf_keras. Weights are drawn at random, moving statistics too; beside each file
lie inputs x0, x1, ... and what the model predicts for them, y0, y1, ...
"""

import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy  # noqa: E402

if sys.argv[1] == "keras":
    import keras
    from keras import ops

    SUFFIX, TF = "", None
else:
    import tensorflow as TF
    import tf_keras as keras

    SUFFIX, ops = "_keras2", None

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "models")
layers = keras.layers
over_time = layers.TimeDistributed


def cnn_lstm():
    return keras.Sequential([
        keras.Input((3, 8, 2)), over_time(layers.Conv1D(4, 3, activation="relu")),
        over_time(layers.MaxPooling1D(2)), over_time(layers.Dropout(0.25)),
        over_time(layers.Flatten()), layers.LSTM(5), layers.Dense(1)
    ])


def inner_model(x):
    y = layers.Conv1D(4, 2, activation="tanh")(x)
    y = layers.BatchNormalization()(y)
    return keras.Model(x, layers.Dense(3)(layers.GlobalMaxPooling1D()(y)))


def over_time_of_all():
    x = keras.Input((4, 6, 3), name="x")
    vectors = [
        over_time(layers.LSTM(3))(x),
        over_time(layers.Flatten())(over_time(layers.GRU(2, return_sequences=True))(x)),
        over_time(layers.Bidirectional(layers.SimpleRNN(2)))(x),
        over_time(layers.GlobalAveragePooling1D())(over_time(layers.BatchNormalization())(x)),
        over_time(layers.GlobalAveragePooling1D())(over_time(layers.LayerNormalization())(x)),
        over_time(keras.Sequential([
            layers.Conv1D(4, 3), layers.BatchNormalization(), layers.Flatten(),
            layers.Dense(2, activation="relu")]))(x),
        over_time(inner_model(keras.Input((6, 3))))(x),
    ]
    y = layers.Concatenate()(vectors)
    y = over_time(layers.RepeatVector(2))(over_time(layers.Dense(3))(y))
    return keras.Model(x, layers.LSTM(2)(layers.Reshape((8, 3))(y)))


def of_keras3(x, z):
    return [
        x[:, -1], x[:, :, 0:3], x[:, 1:4:2], x[..., 0], x[:, None, 0], x[:, -3:-1],
        x + z, x * 2, 1 - x, 2 / (x + 3), x / 2, -x, x**2, abs(x), x - 0.5, x - z, 2 - z,
        ops.mean(x, axis=1), ops.mean(x, axis=(1, 2), keepdims=True), ops.sum(x, axis=-1),
        ops.max(x, axis=1), ops.min(x, 1), ops.concatenate([x, z], axis=-1), ops.expand_dims(x, 1),
        ops.squeeze(ops.expand_dims(x, 1), 1), ops.transpose(x, (0, 2, 1)),
        ops.reshape(x, (-1, 24)), ops.reshape(x, (-1, 4, 6)), ops.softmax(x, axis=1),
        ops.sigmoid(x), ops.tanh(x), ops.relu(x), ops.exp(x), ops.log(x + 3), ops.absolute(x),
        ops.square(x), ops.sqrt(x + 3), ops.maximum(x, z), ops.minimum(x, 0.5),
        ops.maximum(0.25, x), ops.matmul(x, ops.transpose(z, (0, 2, 1))), ops.multiply(x, z),
        ops.divide(x, z + 3), ops.stack([x, z], axis=1), ops.flip(x, axis=1), ops.clip(x, -0.5, 0.5),
        ops.swapaxes(x, 1, 2), ops.leaky_relu(x), ops.elu(x), ops.gelu(x), ops.silu(x),
        ops.softplus(x), ops.rsqrt(x + 3), ops.reciprocal(x + 3), ops.hard_sigmoid(x), ops.sin(x),
        ops.cos(x), ops.var(x, axis=1), ops.std(x, axis=1), ops.cast(x, "float32"),
    ]


def of_tensorflow(x, z):
    nn = TF.nn
    return [
        x[:, -1], x[:, :, 0:3], x[:, 1:4:2], x[..., 0], x[:, None, 0], x[:, -3:-1],
        x + z, x * 2, 1 - x, 2 / (x + 3), x / 2, -x, x**2, abs(x), x - 0.5, x - z, 2 - z,
        TF.reduce_mean(x, axis=1), TF.reduce_mean(x, axis=(1, 2), keepdims=True),
        TF.reduce_sum(x, -1), TF.reduce_max(x, axis=1), TF.reduce_min(x, 1),
        TF.concat([x, z], axis=-1), TF.expand_dims(x, 1), TF.squeeze(TF.expand_dims(x, 1), 1),
        TF.transpose(x, (0, 2, 1)), TF.reshape(x, (-1, 24)), TF.reshape(x, [-1, 4, 6]),
        nn.softmax(x, axis=1), TF.sigmoid(x), TF.tanh(x), nn.relu(x), TF.exp(x),
        TF.math.log(x + 3), TF.abs(x), TF.square(x), TF.sqrt(x + 3), TF.maximum(x, z),
        TF.minimum(x, 0.5), TF.matmul(x, TF.transpose(z, (0, 2, 1))), TF.multiply(x, z),
        TF.matmul(x, z, transpose_b=True), TF.divide(x, z + 3), TF.stack([x, z], axis=1),
        TF.reverse(x, axis=[1]), TF.clip_by_value(x, -0.5, 0.5), nn.leaky_relu(x), nn.elu(x),
        nn.gelu(x), nn.silu(x), nn.softplus(x), TF.math.rsqrt(x + 3), TF.sin(x), TF.cos(x),
        TF.math.reduce_variance(x, axis=1), TF.math.reduce_std(x, axis=1), TF.cast(x, TF.float32),
        keras.backend.mean(x, axis=1), keras.backend.sum(x, axis=1, keepdims=True),
    ]


def operations():
    x, z = keras.Input((6, 4), name="x"), keras.Input((6, 4), name="z")
    return keras.Model([x, z], of_keras3(x, z) if ops else of_tensorflow(x, z))


def attention():
    """Weights of steps by hand, as models have them that were written before such layers were."""
    words = keras.Input((6,), dtype="int32", name="words")
    x = layers.LSTM(4, return_sequences=True)(layers.Embedding(9, 3, mask_zero=True)(words))
    score = layers.Dense(1)(x)
    if ops:
        weights = ops.softmax(score, axis=1)
        context = ops.sum(x * weights, axis=1)
    else:
        weights = TF.nn.softmax(score, axis=1)
        context = TF.reduce_sum(x * weights, axis=1)
    # The mask ends at the operation.
    later = layers.LSTM(3)(x * 2)
    return keras.Model(words, layers.Dense(2)(layers.Concatenate()([context, later, x[:, -1]])))


def words_of_letters():
    """Ids in layers over time: letters of words, each word by itself, or as a model with a mask."""
    words = keras.Input((5,), dtype="int32", name="words")
    letters = keras.Input((5, 4), dtype="int32", name="letters")
    table = over_time(layers.Embedding(9, 3))(letters)
    directly = layers.Embedding(9, 2)(letters)
    one = keras.Input((4,), dtype="int32")
    masked = keras.Model(one, layers.GRU(3)(layers.Embedding(9, 3, mask_zero=True)(one)))
    parts = [
        layers.Embedding(9, 4)(words), over_time(layers.LSTM(3))(table),
        over_time(layers.GlobalMaxPooling1D())(over_time(layers.Conv1D(3, 2))(directly)),
        over_time(masked)(letters)
    ]
    y = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(layers.Concatenate()(parts))
    return keras.Model([words, letters], over_time(layers.Dense(4, activation="softmax"))(y))


def dictionaries():
    """Inputs and outputs by name, which Keras orders by it."""
    words = keras.Input((6,), dtype="int32", name="words")
    numbers = keras.Input((3,), name="numbers")
    y = layers.Concatenate()([layers.LSTM(4)(layers.Embedding(9, 3)(words)), numbers])
    return keras.Model({"words": words, "numbers": numbers},
                       {"topic": layers.Dense(3, activation="softmax")(y), "score": layers.Dense(1)(y)})


def both_directions():
    """Not merged: of sequences, of last steps, and with the states."""
    x = keras.Input((6,), dtype="int32", name="words")
    y = layers.Embedding(9, 3, mask_zero=True)(x)
    a, b = layers.Bidirectional(layers.GRU(3, return_sequences=True), merge_mode=None)(y)
    c, d = layers.Bidirectional(layers.LSTM(2), merge_mode=None)(b)
    e = layers.Bidirectional(layers.LSTM(2, return_sequences=True, return_state=True),
                             merge_mode=None)(a)
    return keras.Model(x, [layers.Dense(3)(c), layers.Dense(2)(d),
                           layers.GlobalAveragePooling1D()(e[1]), *e[2:]])


def weights_of(model, rng):
    drawn = []
    for weight in model.weights:
        low = 0.5 if "variance" in getattr(weight, "path", weight.name) else -0.7
        drawn.append(rng.uniform(low, 1, weight.shape).astype("float32"))
    model.set_weights(drawn)


def write(make, endings):
    rng = numpy.random.default_rng(7)
    model = make()
    weights_of(model, rng)
    inputs = []
    for x in model.inputs:
        shape = (5, *x.shape[1:])
        inputs.append(rng.integers(0, 9, shape).astype("int32") if "int" in str(x.dtype) else
                      rng.uniform(-1, 1, shape).astype("float32"))
    given = inputs if len(inputs) > 1 else inputs[0]
    if isinstance(model.input, dict):
        given = {x.name.split(":")[0]: array for x, array in zip(model.inputs, inputs)}
    outputs = model(given)
    outputs = [outputs[key] for key in sorted(outputs)] if isinstance(outputs, dict) else outputs
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    arrays = {f"x{i}": x for i, x in enumerate(inputs)}
    arrays.update({f"y{i}": numpy.array(y) for i, y in enumerate(outputs)})
    stem = os.path.join(FOLDER, make.__name__ + SUFFIX)
    numpy.savez_compressed(stem + ".expected.npz", **arrays)
    for ending in endings:
        model.save(stem + ending)


write(cnn_lstm, [".keras", ".h5"])
write(over_time_of_all, [".keras", ".h5"])
write(words_of_letters, [".keras"] if ops else [".h5"])
write(dictionaries, [".keras"])
write(both_directions, [".keras"] if ops else [".h5"])
# Keras 3 does not read its own .h5 files of such models.
write(operations, [".keras"] if ops else [".h5"])
write(attention, [".keras"] if ops else [".h5"])
