#!/usr/bin/env python3
"""make_cases.py [PREFIX...]: records training runs of Keras for keras_parity, by default all.

Run by hand where Keras 3 is installed, in the folder of this file:

    KERAS_BACKEND=torch python3 make_cases.py
    KERAS_BACKEND=tensorflow python3 make_cases.py stateful loss_ layers_ graph_ metrics_ series_

The second is for stateful layers: Keras's torch backend changes states while the gradient needs
them, and its jax backend does not carry them on; and for losses with kinks, whose slope there we
have as TensorFlow has it. TensorFlow in turn updates only the rows of an
embedding that are in the batch, which is the same with SGD alone: so those have SGD, and so have
the runs of other layers ("layers_"), of graphs of layers and of metrics, which either backend can
make; those of series have no embedding. An argument stands for all names that begin with it.

Each run becomes a folder cases/NAME:

    case.json     how it was trained, and "config": what Keras says of model, loss and optimizer
    expected.npz  tokens [rows, time], targets [rows] or [rows, outputs], sample_weights [rows] if
                  any (with time behind rows in all of these, where there is an output per step),
                  initial_N and trained_N (weights in Keras's order), step_losses,
                  predict_initial and predict_trained [rows, outputs]; features [rows, time,
                  numbers] instead of tokens; of several inputs or outputs inputs_N, targets_N, ...,
                  in the model's order

Batches are taken in order; the last of an epoch may be smaller. States are reset before each epoch
and before predicting or evaluating. Every number follows from the seeds below. Of a run without
epochs, as of layers that draw random numbers in training, the predictions are all.
"""

import json
import os
import pathlib
import sys

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import initializers, layers, losses, metrics, optimizers, regularizers  # noqa: E402

VOCABULARY, ROWS, TIME, BATCH, EPOCHS = 20, 22, 7, 8, 2
FEATURES, UNITS = 4, 3


def embedding(mask=False, **options):
    return layers.Embedding(VOCABULARY, FEATURES, mask_zero=mask, **options)


def lstm(units=UNITS, **options):
    return layers.LSTM(units, **options)


def gru(units=UNITS, **options):
    return layers.GRU(units, **options)


def rnn(units=UNITS, **options):
    return layers.SimpleRNN(units, **options)


def both(layer, **options):
    return layers.Bidirectional(layer, **options)


def sigmoid(**options):
    return layers.Dense(1, activation="sigmoid", **options)


def frozen(layer):
    layer.trainable = False
    return layer


def adam(**options):
    # Keras's step size is off by up to 1e-5 of itself: it takes 1 - beta_2^t in float32.
    return optimizers.Adam(learning_rate=0.004, **options)


def sgd(**options):
    return optimizers.SGD(learning_rate=0.1, **options)


def rmsprop(**options):
    return optimizers.RMSprop(learning_rate=0.005, **options)


def case(stack, optimizer=rmsprop, loss="binary_crossentropy", classes=None, **how):
    """A run: functions that make layers and optimizer, and what differs from the usual."""
    return dict(stack=stack, optimizer=optimizer, loss=loss, classes=classes, how=how)


def row_loss(loss, outputs, activation=None, **how):
    return case(
        lambda: [embedding(how.get("steps", False)),
                 rnn(return_sequences=how.get("steps", False)),
                 layers.Dense(outputs, activation=activation)], sgd, loss, real=outputs, **how)


def output(loss, width=1, targets=None, steps=False, weight=None, metrics=(), sample_weights=False):
    """One of several outputs: its loss (None: it is not trained on), and what its labels are."""
    return dict(loss=loss, width=width, targets=targets, steps=steps, weight=weight,
                metrics=list(metrics), sample_weights=sample_weights)


def graph(make, outputs=None, optimizer=sgd, **how):
    """A run of a Functional model: make() gives its inputs and outputs. One output: a sigmoid."""
    return dict(graph=make, optimizer=optimizer, how=how, outputs=outputs or [
        output("binary_crossentropy", targets="bits", metrics=["accuracy"])])


def tokens_input(name=None, time=TIME):
    return keras.Input((time,), dtype="int32", name=name)


def real_input(*shape, name=None):
    return keras.Input(shape, name=name)


def two_encoded(sequences=True, mask=False):
    """Two inputs of tokens with an encoder each, over the same embedding."""
    a, b = tokens_input("a"), tokens_input("b")
    embedded = embedding(mask)
    return [a, b], [gru(return_sequences=sequences)(embedded(a)),
                    rnn(return_sequences=sequences)(embedded(b))]


def merged(layer, **options):
    """Two sequences merged by a layer, and read by a recurrent one."""
    def make():
        inputs, encoded = two_encoded(**options)
        return inputs, [sigmoid()(lstm(2)(layer()(encoded)))]
    return graph(make)


def attending(layer, mask=False, time=5):
    """A query of one input to the steps of another."""
    def make():
        query, value = tokens_input("query", time), tokens_input("value")
        embedded = embedding(mask)
        found = layer()([rnn(return_sequences=True)(embedded(query)),
                         gru(return_sequences=True)(embedded(value))])
        return [query, value], [sigmoid()(lstm(2)(found))]
    return graph(make)


def residual():
    x = tokens_input("x")
    y = embedding(True)(x)
    for _ in range(2):
        y = layers.LayerNormalization()(layers.Add()([y, gru(FEATURES, return_sequences=True)(y)]))
    return [x], [sigmoid()(rnn()(y))]


def cnn_lstm():
    """Windows of a series, each through the same convolution, and a recurrent layer over them."""
    x = real_input(3, 6, 2)
    over_time = layers.TimeDistributed
    y = over_time(layers.Conv1D(FEATURES, 3, activation="relu"))(x)
    y = over_time(layers.Flatten())(over_time(layers.MaxPooling1D(2))(y))
    return [x], [sigmoid()(lstm()(y))]


def over_time():
    """A recurrent layer, a normalization and a model for each step."""
    x = real_input(3, 5, 2)
    inner = keras.Sequential([layers.Conv1D(FEATURES, 2, activation="tanh"),
                              layers.BatchNormalization(momentum=0.8), layers.Flatten(),
                              layers.Dense(2)])
    y = layers.Concatenate()([layers.TimeDistributed(lstm())(x),
                              layers.TimeDistributed(inner)(x)])
    y = layers.TimeDistributed(layers.BatchNormalization(momentum=0.7))(y)
    return [x], [sigmoid()(gru()(y))]


def weighted_steps():
    """Attention as people write it by hand."""
    ops = keras.ops
    x = tokens_input("x")
    y = lstm(return_sequences=True)(embedding()(x))
    weights = ops.softmax(layers.Dense(1)(y), axis=1)
    context = ops.sum(y * weights, axis=1)
    spread = ops.sqrt(ops.var(y, axis=1) + 0.1)
    products = ops.mean(ops.matmul(y, ops.transpose(y, (0, 2, 1))), axis=2)
    both = ops.concatenate([context / spread, 1 - y[:, -1], ops.max(y, axis=1), products], axis=-1)
    return [x], [sigmoid()(both)]


def images():
    """A film: the layers of images for each step, and a recurrent layer over them."""
    over_time = layers.TimeDistributed
    x = real_input(3, 6, 5, 2)
    y = over_time(layers.Conv2D(FEATURES, (3, 2), padding="same", activation="tanh"))(x)
    y = over_time(layers.AveragePooling2D((2, 3), strides=(2, 2), padding="same"))(y)
    y = over_time(layers.Conv2D(3, 2, dilation_rate=(1, 2), use_bias=False))(y)
    inner = keras.Sequential([layers.MaxPooling2D((2, 1)), layers.Flatten()])
    y = layers.Concatenate()([over_time(inner)(y), over_time(layers.GlobalAveragePooling2D())(y),
                              over_time(layers.GlobalMaxPooling2D())(y)])
    return [x], [sigmoid()(lstm()(y))]


def lambdas():
    """Python code in a model, which is read as operations."""
    ops = keras.ops
    x = tokens_input("x")
    y = lstm(return_sequences=True)(embedding()(x))
    last = layers.Lambda(lambda t: t[:, -1, :])(y)
    mean = layers.Lambda(lambda t: ops.mean(t, axis=1))(y)
    near = layers.Lambda(
        lambda ab: ops.exp(-ops.sum(ops.abs(ab[0] - ab[1]), axis=1, keepdims=True) * 0.5))(
            [last, mean])
    scaled = layers.Lambda(lambda t, by: t * by + 1, arguments={"by": 3.0})(last)
    return [x], [sigmoid()(layers.Concatenate()([near, scaled]))]


def constants():
    """Arrays as operands."""
    ops = keras.ops
    x = real_input(TIME, 2)
    steps = np.arange(1, TIME + 1, dtype="float32").reshape(TIME, 1)
    y = ops.multiply(x, np.array([0.5, 2], "float32")) + ops.convert_to_tensor(steps)
    y = ops.divide(np.array([1, 3], "float32"), ops.maximum(y, steps / 4))
    y = layers.Add()([y, ops.convert_to_tensor(steps[None] * [0.25, -0.5])])
    return [x], [sigmoid()(gru()(2.0 - y))]


def siamese():
    a, b = tokens_input("a"), tokens_input("b")
    encode = keras.Sequential([tokens_input(), embedding(True), lstm()], name="encoder")
    u, v = encode(a), encode(b)
    both = layers.Concatenate()([layers.Subtract()([u, v]), layers.Multiply()([u, v]),
                                 layers.Dot(axes=1)([u, v])])
    return [a, b], [sigmoid()(both)]


def model_in_model():
    inner_x = real_input(TIME, FEATURES)
    inner_y = layers.Dense(FEATURES, activation="tanh")(gru(return_sequences=True)(inner_x))
    inner = keras.Model(inner_x, inner_y, name="inner")
    x = tokens_input("x")
    y = embedding()(x)
    return [x], [sigmoid()(layers.GlobalMaxPooling1D()(layers.Add()([inner(y), inner(inner(y))])))]


def handed_on(encoder, decoder, mask=False):
    """An encoder's states are where the decoder begins."""
    def make():
        source, target = tokens_input("source"), tokens_input("target", 4)
        states = encoder()(embedding(mask)(source))[1:]
        decoded = decoder()(embedding()(target), initial_state=states)
        return [source, target], [layers.Dense(3, activation="softmax")(decoded)]
    return graph(make, [output("sparse_categorical_crossentropy", 3, "classes", steps=4,
                               metrics=["accuracy"])])


def both_directions_handed_on():
    x = real_input(TIME, 2, name="x")
    y, forward, backward = both(gru(2, return_sequences=True, return_state=True))(x)
    return [x], [sigmoid()(gru(4)(y, initial_state=layers.Concatenate()([forward, backward])))]


def states_as_inputs():
    x, h, c = real_input(TIME, 2, name="x"), real_input(3, name="h"), real_input(3, name="c")
    return [x, h, c], [sigmoid()(lstm(3)(x, initial_state=[h, c]))]


def vector_beside_tokens():
    x, v = tokens_input("x"), real_input(4, name="v")
    y = layers.Concatenate()([lstm()(embedding(True)(x)), layers.Dense(3, activation="elu")(v)])
    return [x, v], [sigmoid()(y)]


def heads(mask=False):
    """A class of each row, a number of each step, and probabilities of each row."""
    x = tokens_input("x")
    y = gru(return_sequences=True)(embedding(mask)(x))
    last = lstm()(y)
    return [x], [sigmoid(name="a")(last), layers.Dense(2, name="b")(y),
                 layers.Dense(3, activation="softmax", name="c")(last)]


def three_outputs(weights=(None, None, None), losses=(
        "binary_crossentropy", "mean_squared_error", "sparse_categorical_crossentropy"), **how):
    return [output(losses[0], 1, "bits", weight=weights[0], metrics=["accuracy"], **how),
            output(losses[1], 2, "numbers", steps=TIME, weight=weights[1], **how),
            output(losses[2], 3, "classes", weight=weights[2], metrics=["accuracy"], **how)]


def masked_tags():
    """Two outputs that both bear a mask, of one layer and of another."""
    x = tokens_input("x")
    y = both(gru(2, return_sequences=True))(embedding(True)(x))
    return [x], [layers.Dense(3, activation="softmax", name="tag")(y),
                 layers.Dense(1, activation="sigmoid", name="flag")(rnn(return_sequences=True)(y))]


def measured(activation, names, width=1, **how):
    """A run with metrics beside the loss."""
    return case(lambda: [embedding(how.get("steps", False)),
                         rnn(return_sequences=how.get("steps", False)),
                         layers.Dense(width, activation=activation)], sgd,
                how.pop("loss", "mean_squared_error"), real=width, metrics=names, **how)


def rnn_trained_with(optimizer):
    return case(lambda: [embedding(), rnn(), sigmoid()], optimizer)


# A step that is not there, and the mean and deviation of the two numbers of each step, which are
# also what is to be told.
MISSING, MEAN, DEVIATION = -1e30, [0.5, -0.25], [1.5, 0.5]


def missing():
    return layers.Masking(mask_value=MISSING)


def normalized():
    return layers.Normalization(mean=MEAN, variance=np.square(DEVIATION).tolist())


def adapted():
    layer = layers.Normalization()
    layer.adapt(np.random.default_rng(1).normal(MEAN, DEVIATION, size=(20, TIME, 2)))
    return layer


def told(times=1):
    return layers.Normalization(
        mean=MEAN * times, variance=np.square(DEVIATION).tolist() * times, invert=True)


CASES = {
    # Recurrent layers and masks.
    "bidirectional_concat_lstm": case(lambda: [embedding(), both(lstm()), sigmoid()]),
    "bidirectional_sum_rnn": case(
        lambda: [embedding(), both(rnn(), merge_mode="sum"), sigmoid()], adam),
    "bidirectional_mul_gru": case(
        lambda: [embedding(), both(gru(), merge_mode="mul"), sigmoid()], adam),
    "bidirectional_ave_lstm": case(
        lambda: [embedding(), both(lstm(), merge_mode="ave"), sigmoid()], adam),
    "bidirectional_two_kinds": case(
        lambda: [embedding(True), both(lstm(), backward_layer=gru(go_backwards=True)), sigmoid()],
        adam),
    "bidirectional_lstm_masked_stacked": case(
        lambda: [embedding(True), both(lstm(return_sequences=True)), both(lstm(2)), sigmoid()],
        adam),
    "bidirectional_gru_masked_stacked": case(
        lambda: [embedding(True), both(gru(return_sequences=True), merge_mode="mul"),
                 both(gru(2), merge_mode="ave"), sigmoid()], adam),
    "gru_reset_before": case(lambda: [embedding(), gru(reset_after=False), sigmoid()], adam),
    "gru_reset_before_masked": case(
        lambda: [embedding(True), gru(reset_after=False), sigmoid()], adam),
    "gru_without_bias": case(lambda: [embedding(True), gru(use_bias=False), sigmoid()], adam),
    "go_backwards_lstm": case(
        lambda: [embedding(), lstm(go_backwards=True, return_sequences=True), rnn(), sigmoid()],
        adam),
    "go_backwards_gru_masked": case(
        lambda: [embedding(True), gru(go_backwards=True), sigmoid()], adam),
    "go_backwards_masked_stacked": case(
        lambda: [embedding(True), lstm(go_backwards=True, return_sequences=True), rnn(),
                 sigmoid()], adam),
    "mask_zero_lstm": case(lambda: [embedding(True), lstm(), sigmoid()]),
    "mask_zero_gru": case(lambda: [embedding(True), gru(), sigmoid()]),
    "mask_zero_stacked": case(
        lambda: [embedding(True), rnn(return_sequences=True, activation="relu"),
                 lstm(return_sequences=True), gru(), sigmoid()], adam),
    "zero_output_for_mask_rnn": case(
        lambda: [embedding(True), rnn(zero_output_for_mask=True), sigmoid()], adam),
    "zero_output_for_mask_lstm_sequences": case(
        lambda: [embedding(True), lstm(zero_output_for_mask=True, return_sequences=True),
                 layers.GlobalMaxPooling1D(), sigmoid()], adam),
    "lstm_relu_gru_sigmoid": case(
        lambda: [embedding(), lstm(activation="relu", return_sequences=True),
                 gru(activation="sigmoid"), sigmoid()], adam),
    "stateful_lstm": case(
        lambda: [embedding(), lstm(stateful=True), sigmoid()], sgd, rows=24, stateful=True),
    "stateful_gru_sequences": case(
        lambda: [embedding(), gru(stateful=True, return_sequences=True), rnn(stateful=True),
                 sigmoid()], sgd, rows=24, stateful=True),
    "stateful_rnn_masked": case(
        lambda: [embedding(True), rnn(stateful=True), sigmoid()], sgd, rows=24, stateful=True),
    "stateful_bidirectional_lstm": case(
        lambda: [embedding(), both(lstm(stateful=True)), sigmoid()], sgd, rows=24, stateful=True),
    # Pooling.
    "average_pooling": case(
        lambda: [embedding(), lstm(return_sequences=True), layers.GlobalAveragePooling1D(),
                 sigmoid()], adam),
    "average_pooling_masked": case(
        lambda: [embedding(True), layers.GlobalAveragePooling1D(), sigmoid()], adam,
        empty_row=False),  # of whose steps Keras makes 0 / 0
    "max_pooling": case(
        lambda: [embedding(), gru(return_sequences=True), layers.GlobalMaxPooling1D(),
                 layers.Dense(3, activation="relu"), sigmoid()], adam),
    "one_hot_gru": case(lambda: [gru(), sigmoid()], adam, one_hot=True),
    # Losses and weights of rows.
    "categorical": case(
        lambda: [embedding(), gru(), layers.Dense(3, activation="softmax")], adam,
        "categorical_crossentropy", 3),
    "sparse_categorical": case(
        lambda: [embedding(), gru(), layers.Dense(3), layers.Activation("softmax")], adam,
        "sparse_categorical_crossentropy", 3),
    "mean_squared_error": case(
        lambda: [embedding(), lstm(), layers.Dense(2)], adam, "mean_squared_error", real=2),
    "sample_weights": case(
        lambda: [embedding(), gru(), sigmoid()], adam, sample_weights=True),
    "sample_weights_sparse": case(
        lambda: [embedding(), gru(), layers.Dense(3, activation="softmax")], adam,
        "sparse_categorical_crossentropy", 3, sample_weights=True),
    "class_weights": case(
        lambda: [embedding(), rnn(), sigmoid()], adam, class_weight={0: 0.5, 1: 2.0}),
    "class_weights_categorical": case(
        lambda: [embedding(), rnn(), layers.Dense(3, activation="softmax")], adam,
        "categorical_crossentropy", 3, class_weight={0: 0.5, 1: 2.0, 2: 1.25}),
    # Penalties, optimizers, clipping, frozen layers.
    "regularizers": case(
        lambda: [embedding(embeddings_regularizer=regularizers.L2(0.01)),
                 rnn(kernel_regularizer=regularizers.L1(0.01),
                     recurrent_regularizer=regularizers.L1L2(0.01, 0.02),
                     bias_regularizer=regularizers.L2(0.03)),
                 sigmoid(kernel_regularizer=regularizers.L1L2(0.02, 0.01),
                         bias_regularizer=regularizers.L1(0.01))], sgd),
    "regularizers_bidirectional_frozen": case(
        lambda: [embedding(True),
                 both(gru(kernel_regularizer=regularizers.L2(0.01),
                          bias_regularizer=regularizers.L1(0.01))),
                 frozen(layers.Dense(3, activation="tanh",
                                     kernel_regularizer=regularizers.L2(0.05))),
                 sigmoid()], adam),
    "sgd": rnn_trained_with(sgd),
    "sgd_momentum": rnn_trained_with(lambda: sgd(momentum=0.9)),
    "sgd_nesterov": rnn_trained_with(lambda: sgd(momentum=0.9, nesterov=True)),
    "rmsprop_centered": rnn_trained_with(lambda: rmsprop(centered=True)),
    "rmsprop_momentum": rnn_trained_with(lambda: rmsprop(momentum=0.9, rho=0.8)),
    "rmsprop_centered_momentum": rnn_trained_with(
        lambda: rmsprop(centered=True, momentum=0.5, epsilon=1e-5)),
    "adam": rnn_trained_with(lambda: adam(beta_1=0.8, beta_2=0.99, epsilon=1e-6)),
    "clipvalue": rnn_trained_with(lambda: sgd(clipvalue=0.02, momentum=0.5)),
    "clipnorm": rnn_trained_with(lambda: sgd(clipnorm=0.05)),
    "clipnorm_adam": rnn_trained_with(lambda: adam(clipnorm=0.05)),
    "global_clipnorm": rnn_trained_with(lambda: sgd(global_clipnorm=0.1)),
    "weight_decay_sgd": rnn_trained_with(lambda: sgd(weight_decay=0.05)),
    "weight_decay_rmsprop": rnn_trained_with(lambda: rmsprop(weight_decay=0.05)),
    "weight_decay_adam_clipped": rnn_trained_with(
        lambda: adam(weight_decay=0.05, global_clipnorm=0.05)),
    "frozen_embedding": case(
        lambda: [frozen(embedding(True)), lstm(), sigmoid()], lambda: adam(weight_decay=0.05)),
    "frozen_recurrent": case(
        lambda: [embedding(), frozen(lstm()), sigmoid()], lambda: adam(global_clipnorm=0.1)),
    "adam_amsgrad": rnn_trained_with(
        lambda: adam(amsgrad=True, beta_1=0.8, beta_2=0.5, epsilon=1e-6)),
    "adamw": rnn_trained_with(lambda: optimizers.AdamW(learning_rate=0.004)),
    "adamw_amsgrad_clipped": rnn_trained_with(
        lambda: optimizers.AdamW(learning_rate=0.004, weight_decay=0.5, amsgrad=True,
                                 global_clipnorm=0.05)),
    "nadam": rnn_trained_with(lambda: optimizers.Nadam(learning_rate=0.004)),
    "nadam_decayed": case(
        lambda: [embedding(True), lstm(), sigmoid()],
        lambda: optimizers.Nadam(learning_rate=0.004, beta_1=0.8, beta_2=0.9, epsilon=1e-5,
                                 weight_decay=0.05)),
    "adagrad": rnn_trained_with(lambda: optimizers.Adagrad(learning_rate=0.1)),
    "adagrad_clipped": rnn_trained_with(
        lambda: optimizers.Adagrad(learning_rate=0.05, initial_accumulator_value=0.01,
                                   epsilon=1e-4, clipvalue=0.02)),
    "adadelta": rnn_trained_with(lambda: optimizers.Adadelta(learning_rate=1.0)),
    "adadelta_frozen": case(
        lambda: [frozen(embedding(True)), gru(), sigmoid()],
        lambda: optimizers.Adadelta(learning_rate=0.5, rho=0.8, epsilon=1e-5, clipnorm=0.05)),
    "adamax": rnn_trained_with(lambda: optimizers.Adamax(learning_rate=0.004)),
    "adamax_decayed": rnn_trained_with(
        lambda: optimizers.Adamax(learning_rate=0.004, beta_1=0.8, beta_2=0.7, epsilon=1e-5,
                                  weight_decay=0.05)),
    # An output per step: rows of the loss are steps, and masked ones do not count.
    "steps_binary": case(
        lambda: [embedding(), gru(return_sequences=True), sigmoid()], adam, steps=True),
    "steps_binary_masked": case(
        lambda: [embedding(True), both(lstm(return_sequences=True)), sigmoid()], adam, steps=True),
    "steps_sparse_masked_weights": case(
        lambda: [embedding(True), gru(return_sequences=True),
                 layers.Dense(3, activation="softmax")], adam,
        "sparse_categorical_crossentropy", 3, steps=True, sample_weights=True),
    "steps_categorical_weights": case(
        lambda: [embedding(), lstm(return_sequences=True),
                 layers.Dense(3, activation="softmax")], adam,
        "categorical_crossentropy", 3, steps=True, sample_weights=True),
    "steps_mean_squared_error_masked": case(
        lambda: [embedding(True), rnn(return_sequences=True), layers.Dense(2)], adam,
        "mean_squared_error", real=2, steps=True),
    # Losses of rows.
    "loss_mean_absolute_error": row_loss("mean_absolute_error", 3),
    "loss_mean_squared_logarithmic_error": row_loss(
        "mean_squared_logarithmic_error", 2, "sigmoid", targets="counts"),
    "loss_huber": row_loss("huber", 2),
    "loss_huber_steps_masked_weights": row_loss(
        losses.Huber(), 2, steps=True, sample_weights=True),
    "loss_log_cosh": row_loss("log_cosh", 2),
    "loss_poisson": row_loss("poisson", 2, "sigmoid", targets="counts"),
    "loss_kl_divergence": row_loss("kl_divergence", 3, "softmax", targets="shares"),
    "loss_hinge": row_loss("hinge", 1, "tanh", targets="bits"),
    "loss_squared_hinge_steps_masked": row_loss(
        "squared_hinge", 2, "tanh", targets="signs", steps=True),
    "loss_categorical_hinge": row_loss("categorical_hinge", 3, targets="one_hot"),
    "loss_cosine_similarity": row_loss("cosine_similarity", 3, sample_weights=True),
    # Layers in front of recurrent ones, and behind.
    "layers_conv1d_strided": case(
        lambda: [embedding(), layers.Conv1D(4, 3, strides=2, activation="relu"), gru(), sigmoid()],
        sgd),
    "layers_conv1d_same_dilated": case(
        lambda: [embedding(), layers.Conv1D(3, 2, padding="same", dilation_rate=2,
                                            activation="tanh"),
                 layers.MaxPooling1D(2), lstm(), sigmoid()], sgd),
    "layers_conv1d_causal": case(
        lambda: [embedding(), layers.Conv1D(4, 2, padding="causal", use_bias=False), layers.ReLU(),
                 layers.AveragePooling1D(2, strides=1, padding="same"), layers.Flatten(),
                 sigmoid()], sgd),
    "layers_conv1d_separable": case(
        lambda: [embedding(), layers.SeparableConv1D(4, 3, padding="same", depth_multiplier=2,
                                                     activation="relu"),
                 layers.DepthwiseConv1D(2, depth_multiplier=2), gru(), sigmoid()], sgd),
    "layers_batch_normalization": case(
        lambda: [embedding(), lstm(return_sequences=True), layers.BatchNormalization(momentum=0.8),
                 gru(), layers.BatchNormalization(scale=False), sigmoid()], sgd),
    "layers_batch_normalization_masked": case(
        lambda: [embedding(True), layers.BatchNormalization(momentum=0.7), lstm(), sigmoid()],
        sgd),
    "layers_batch_normalization_frozen": case(
        lambda: [embedding(), gru(return_sequences=True), frozen(layers.BatchNormalization()),
                 lstm(), sigmoid()], sgd),
    "layers_conv1d_batch_normalization": case(
        lambda: [embedding(), layers.Conv1D(4, 3, padding="same", use_bias=False),
                 layers.BatchNormalization(center=False), layers.ReLU(),
                 layers.MaxPooling1D(3, padding="same"), gru(), sigmoid()], sgd),
    "layers_layer_normalization_masked": case(
        lambda: [embedding(True), gru(return_sequences=True), layers.LayerNormalization(),
                 lstm(), layers.LayerNormalization(scale=False), sigmoid()], sgd),
    "layers_reshape_permute": case(
        lambda: [embedding(), layers.Permute((2, 1)), layers.Reshape((TIME, -1)), lstm(),
                 sigmoid()], sgd),
    "layers_padding_cropping_up_sampling": case(
        lambda: [embedding(), layers.ZeroPadding1D((1, 2)), layers.Cropping1D((2, 0)),
                 layers.UpSampling1D(2), gru(), sigmoid()], sgd),
    "layers_activations": case(
        lambda: [embedding(), rnn(return_sequences=True),
                 layers.PReLU(shared_axes=[1], alpha_initializer="ones"), layers.ELU(alpha=0.5),
                 layers.LeakyReLU(0.1), layers.ReLU(0.6, 0.2, 0.05), gru(), sigmoid()], sgd),
    "layers_rescaling_unit_softmax": case(
        lambda: [embedding(), layers.Rescaling(10.0, 0.5), layers.UnitNormalization(),
                 layers.Identity(), gru(), layers.Dense(3), layers.Softmax()], sgd,
        "categorical_crossentropy", 3),
    "layers_repeat_vector_time_distributed": case(
        lambda: [embedding(), gru(), layers.RepeatVector(TIME), lstm(return_sequences=True),
                 layers.TimeDistributed(layers.Dense(1, activation="sigmoid"))], sgd, steps=True),
    "layers_rnn_of_cells": case(
        lambda: [embedding(True), layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)]), sigmoid()],
        sgd),
    "layers_rnn_of_cell_backwards": case(
        lambda: [embedding(), layers.RNN(layers.SimpleRNNCell(3), return_sequences=True,
                                         go_backwards=True),
                 layers.RNN(layers.GRUCell(3, reset_after=False)), sigmoid()], sgd),
    "layers_masking": case(
        lambda: [layers.Masking(-1.5), lstm(return_sequences=True), gru(), sigmoid()], sgd,
        features=2, masked=-1.5),
    "layers_masking_steps": case(
        lambda: [layers.Masking(), gru(return_sequences=True), sigmoid()], adam, features=3,
        masked=0.0, steps=True),
    "layers_normalization": case(
        lambda: [layers.Normalization(mean=[0.5, -1.0], variance=[2.0, 0.5]), adapted(), gru(),
                 sigmoid()], sgd, features=2),
    "layers_noise_inference": case(
        lambda: [embedding(True), layers.SpatialDropout1D(0.3), layers.GaussianNoise(0.5),
                 lstm(return_sequences=True, dropout=0.2, recurrent_dropout=0.1),
                 layers.GaussianDropout(0.4), gru(), layers.Dropout(0.5), sigmoid()], sgd,
        epochs=0),
    "layers_real_inputs_convolved": case(
        lambda: [layers.Conv1D(4, 3, groups=2, padding="same"), layers.LeakyReLU(0.2),
                 layers.GlobalAveragePooling1D(), sigmoid()], adam, features=4),
    # Graphs of layers: two of them merged.
    "graph_add": merged(layers.Add),
    "graph_subtract_masked": merged(layers.Subtract, mask=True),
    "graph_multiply": merged(layers.Multiply),
    "graph_average_masked": merged(layers.Average, mask=True),
    "graph_maximum": merged(layers.Maximum),
    "graph_minimum": merged(layers.Minimum),
    "graph_concatenate_masked": merged(layers.Concatenate, mask=True),
    "graph_concatenate_time": merged(lambda: layers.Concatenate(axis=1)),
    "graph_dot": merged(lambda: layers.Dot(axes=2)),
    "graph_dot_normalized": merged(lambda: layers.Dot(axes=(1, 1), normalize=True)),
    "graph_attention": attending(layers.Attention),
    "graph_attention_scaled_masked": attending(lambda: layers.Attention(use_scale=True), True),
    "graph_attention_concatenated": attending(
        lambda: layers.Attention(score_mode="concat", use_scale=True)),
    "graph_additive_attention": attending(layers.AdditiveAttention),
    "graph_additive_attention_masked": attending(
        lambda: layers.AdditiveAttention(use_scale=False), True),
    "graph_residual_masked": graph(residual),
    # Layers and models that are called more than once.
    "graph_siamese": graph(siamese),
    "graph_model_in_model": graph(model_in_model),
    # States handed on.
    "graph_states_lstm": handed_on(
        lambda: lstm(return_state=True), lambda: lstm(return_sequences=True)),
    "graph_states_gru_masked": handed_on(
        lambda: gru(return_state=True), lambda: gru(return_sequences=True, reset_after=False),
        True),
    "graph_states_rnn": handed_on(
        lambda: rnn(return_state=True), lambda: rnn(return_sequences=True)),
    "graph_states_both_directions": graph(both_directions_handed_on, optimizer=adam),
    "graph_states_as_inputs": graph(states_as_inputs, optimizer=adam),
    "graph_vector_beside_tokens": graph(vector_beside_tokens),
    # Several outputs.
    "graph_outputs": graph(heads, three_outputs()),
    "graph_outputs_weighted": graph(heads, three_outputs((0.5, 2.0, 1.5))),
    "graph_outputs_by_name": graph(
        heads, three_outputs((0.5, 1.0, 0.25), ("hinge", losses.LogCosh(),
                                                "sparse_categorical_crossentropy")),
        by_name=True),
    "graph_outputs_masked": graph(lambda: heads(True), three_outputs((1.0, 0.5, 1.0))),
    "graph_outputs_one_without_loss": graph(
        heads, three_outputs(losses=("binary_crossentropy", None,
                                     "sparse_categorical_crossentropy"))),
    "graph_outputs_sample_weights": graph(
        heads, three_outputs((None, 0.5, None), sample_weights=True)),
    "graph_outputs_both_masked": graph(masked_tags, [
        output("sparse_categorical_crossentropy", 3, "classes", steps=TIME, metrics=["accuracy"]),
        output("binary_crossentropy", 1, "bits", steps=TIME, weight=0.5, metrics=["accuracy"])]),
    # What is measured beside the loss.
    "metrics_of_classes": measured(
        "sigmoid", lambda: ["accuracy", metrics.AUC(name="auc"),
                            metrics.Hinge(name="hinge"),
                            metrics.SquaredHinge(name="squared_hinge")],
        loss="binary_crossentropy", targets="bits"),
    "metrics_of_numbers": measured(
        None, lambda: [metrics.MeanSquaredError(), metrics.RootMeanSquaredError(),
                       metrics.MeanAbsoluteError(), metrics.R2Score(name="r2_score"),
                       metrics.LogCoshError(name="log_cosh"),
                       metrics.CosineSimilarity(name="cosine_similarity"), losses.huber], 2),
    "metrics_of_shares": measured(
        "softmax", lambda: [metrics.KLDivergence(name="kl_divergence"),
                            metrics.CategoricalHinge(name="categorical_hinge"),
                            metrics.Poisson(name="poisson"),
                            metrics.MeanSquaredLogarithmicError(
                                name="mean_squared_logarithmic_error")], 3, targets="shares"),
    "metrics_of_steps_masked": measured(
        # Masks count in Keras's means alone, and not in its Precision, Recall or AUC.
        "sigmoid", lambda: ["accuracy", metrics.MeanAbsoluteError()],
        loss="binary_crossentropy", targets="bits", steps=True),
    "metrics_of_labels": measured(
        "sigmoid", lambda: [metrics.BinaryAccuracy(name="binary_accuracy"),
                            metrics.Precision(name="precision"), metrics.Recall(name="recall"),
                            metrics.F1Score("macro", 0.5, name="f1_score_of_labels")], 3,
        loss="binary_crossentropy", targets="bits"),
    "metrics_of_one_hot": measured(
        "softmax", lambda: ["accuracy", metrics.F1Score("macro", name="f1_score")], 3,
        loss="categorical_crossentropy", targets="one_hot"),
    "graph_outputs_steps_weighted": graph(masked_tags, [
        output("sparse_categorical_crossentropy", 3, "classes", steps=TIME, weight=0.25,
               metrics=["accuracy"], sample_weights=True),
        output("mean_absolute_error", 1, "numbers", steps=TIME, metrics=["mean_squared_error"],
               sample_weights=True)]),
    # Tasks of series of numbers, in the stacks of training/series/series_model.h.
    "series_classify": case(
        lambda: [adapted(), lstm(), sigmoid()], adam, features="whole"),
    "series_classify_ragged": case(
        lambda: [missing(), normalized(), gru(), layers.Dense(4, activation="softmax")], adam,
        "sparse_categorical_crossentropy", 4, features="ragged"),
    "series_tag_ragged_weights": case(
        lambda: [missing(), normalized(), both(lstm(return_sequences=True)),
                 layers.Dense(3, activation="softmax")], adam,
        "sparse_categorical_crossentropy", 3, steps=True, sample_weights=True,
        features="ragged"),
    "series_regress": case(
        lambda: [normalized(), gru(), layers.Dense(2), told()], adam,
        "mean_squared_error", real=2, features="whole", scaled=True),
    "series_regress_steps_ragged": case(
        lambda: [missing(), normalized(), lstm(return_sequences=True), layers.Dense(2), told()],
        adam, "huber", real=2, steps=True, features="ragged", scaled=True),
    "series_forecast": case(
        lambda: [normalized(), lstm(), layers.Dense(3 * 2), layers.Reshape((3, 2)), told()], adam,
        "mean_squared_error", real=2, horizon=3, features="whole", scaled=True),
    "series_forecast_quantiles": case(
        lambda: [normalized(), lstm(), layers.Dense(3 * 6), layers.Reshape((3, 6)), told(3)], sgd,
        "mean_squared_error", real=2, horizon=3, features="whole", scaled=True,
        quantiles=[0.1, 0.5, 0.9]),
    "series_reconstruct": case(
        lambda: [normalized(), gru(), layers.RepeatVector(TIME), gru(return_sequences=True),
                 layers.Dense(2), told()], adam,
        "mean_squared_error", targets="features", features="whole", scaled=True, real=2),
    # Of few percents, as the bars are absolute.
    "loss_mean_absolute_percentage_error": case(
        lambda: [embedding(), rnn(),
                 layers.Dense(2, kernel_initializer=initializers.RandomUniform(-0.01, 0.01),
                              bias_initializer="ones")],
        lambda: optimizers.SGD(learning_rate=1e-4), "mean_absolute_percentage_error", real=2,
        targets="near_one", metrics=lambda: [metrics.MeanAbsolutePercentageError()]),
    "graph_cnn_lstm": graph(cnn_lstm),
    "graph_over_time": graph(over_time),
    "graph_operations": graph(weighted_steps),
    "graph_images": graph(images),
    "graph_lambda": graph(lambdas),
    "graph_constants": graph(constants),
}


# Labels that are no classes.
LABELS = {
    "numbers": lambda rng, shape: rng.normal(size=shape),
    "near_one": lambda rng, shape: 1 + 0.02 * rng.normal(size=shape),
    "counts": lambda rng, shape: rng.poisson(2, size=shape),
    "bits": lambda rng, shape: rng.integers(0, 2, size=shape),
    "signs": lambda rng, shape: 2 * rng.integers(0, 2, size=shape) - 1,
    "shares": lambda rng, shape: rng.dirichlet(np.ones(shape[-1]), size=shape[:-1]),
    "one_hot": lambda rng, shape: np.eye(shape[-1])[rng.integers(0, shape[-1], size=shape[:-1])],
    "classes": lambda rng, shape: rng.integers(0, shape[-1], size=shape[:-1]),
}


def make_tokens(rng, rows, empty_row, time=TIME):
    """Padding in front, behind and within rows; with empty_row one row of padding alone."""
    tokens = rng.integers(1, VOCABULARY, size=(rows, time))
    for row in range(rows):
        padding = rng.integers(0, time - 1)
        if row % 3 == 0:
            tokens[row, :padding] = 0
        elif row % 3 == 1:
            tokens[row, time - padding:] = 0
        else:
            tokens[row, rng.integers(0, time, size=2)] = 0
    if empty_row:
        tokens[5] = 0
    return tokens.astype(np.int32)


def make_features(rng, rows, kind):
    """[rows, TIME, 2]; of ragged rows the steps behind, and here and there one in between, miss."""
    features = rng.normal(MEAN, DEVIATION, size=(rows, TIME, 2))
    for row in range(rows if kind == "ragged" else 0):
        features[row, TIME - rng.integers(0, TIME - 1):] = MISSING
        if row % 4 == 0:
            features[row, 1] = MISSING
    return features.astype(np.float32)


def pinball(quantiles):
    """The mean over quantiles, which stand in front of the numbers in the last axis of p."""
    def loss(y, p):
        parts = keras.ops.split(p, len(quantiles), axis=-1)
        each = [keras.ops.maximum(q * (y - part), (q - 1) * (y - part))
                for q, part in zip(quantiles, parts)]
        return keras.ops.mean(sum(each) / len(quantiles), axis=-1)
    return loss


def scaled(loss, times):
    """The loss of numbers in units of their deviation."""
    def of(y, p):
        return loss((y - np.float32(MEAN)) / np.float32(DEVIATION),
                    (p - np.float32(MEAN * times)) / np.float32(DEVIATION * times))
    return of


def loss_of(run):
    """What the model is compiled with, which Keras's configuration does not tell."""
    if not run["how"].get("scaled"):
        return run["loss"]
    quantiles = run["how"].get("quantiles")
    plain = pinball(quantiles) if quantiles else getattr(losses, run["loss"])
    return scaled(plain, len(quantiles) if quantiles else 1)


def make_targets(rng, rows, run):
    shape = (rows, TIME) if run["how"].get("steps") else (rows,)
    if "horizon" in run["how"]:
        shape += (run["how"]["horizon"],)
    if "real" in run["how"]:
        shape += (run["how"]["real"],)
        return LABELS[run["how"].get("targets", "numbers")](rng, shape).astype(np.float32)
    if run["classes"] is None:
        targets = rng.integers(0, 2, size=shape).astype(np.int32)
        return targets[..., None] if run["how"].get("steps") else targets
    classes = rng.integers(0, run["classes"], size=shape).astype(np.int32)
    if run["loss"] == "sparse_categorical_crossentropy":
        return classes
    return np.eye(run["classes"], dtype=np.float32)[classes]


def targets_of(rng, rows, spec):
    """Labels of one of several outputs."""
    shape = (rows, spec["steps"]) if spec["steps"] else (rows,)
    labels = LABELS[spec["targets"]](rng, shape + (spec["width"],))
    return labels.astype(np.int32 if spec["targets"] == "classes" else np.float32)


def make_reals(rng, shape, masked):
    """With the steps masked that make_tokens pads."""
    values = rng.normal(size=shape).astype(np.float32)
    if masked is not None:
        values[make_tokens(rng, shape[0], True, shape[1]) == 0] = masked
    return values


def build(run, name, rows_per_batch):
    how = run["how"]
    if "graph" in run:
        inputs, outputs = run["graph"]()
        model = keras.Model(inputs if len(inputs) > 1 else inputs[0],
                            outputs if len(outputs) > 1 else outputs[0], name=name)
        return compiled_graph(model, run)
    one_hot = how.get("one_hot", False)
    shape = (TIME, VOCABULARY) if one_hot else (TIME,)
    if "features" in how:
        shape = (TIME, how["features"] if isinstance(how["features"], int) else 2)
    inputs = keras.Input(
        shape, batch_size=rows_per_batch, dtype="float32" if len(shape) > 1 else "int32")
    model = keras.Sequential([inputs] + run["stack"](), name=name)
    measured_by = None if "real" in how else ["accuracy"]
    model.compile(loss=loss_of(run), optimizer=run["optimizer"](),
                  metrics=how["metrics"]() if "metrics" in how else measured_by)
    return model


def compiled_graph(model, run):
    specs = run["outputs"]
    of_all = {key: [spec[key] for spec in specs] for key in ("loss", "weight", "metrics")}
    if all(weight is None for weight in of_all["weight"]):
        of_all["weight"] = None
    elif None in of_all["weight"]:
        of_all["weight"] = [1.0 if weight is None else weight for weight in of_all["weight"]]
    if len(specs) == 1:
        of_all = {key: value and value[0] for key, value in of_all.items()}
    elif run["how"].get("by_name"):
        of_all = {key: value and dict(zip(model.output_names, value))
                  for key, value in of_all.items()}
    model.compile(loss=of_all["loss"], loss_weights=of_all["weight"], metrics=of_all["metrics"],
                  optimizer=run["optimizer"]())
    return model


def perturb_biases(model, rng):
    """Zeros as a start would hide what a bias does."""
    for weight in model.weights:
        if weight.path.endswith("bias"):
            weight.assign(weight.numpy() + rng.normal(scale=0.1, size=weight.shape))


class Recorder:
    """One run, with batches in order."""

    def __init__(self, name, run, seed):
        keras.utils.set_random_seed(seed)
        keras.backend.clear_session()
        rng = np.random.default_rng(seed)
        self.name, self.run, self.how = name, run, run["how"]
        self.rows = self.how.get("rows", ROWS)
        self.epochs = self.how.get("epochs", EPOCHS)
        self.stateful = self.how.get("stateful", False)
        self.arrays = {}
        if "graph" in run:
            self.model = build(run, name, None)
            self.make_graph_data(rng)
        else:
            self.make_data(rng)
            self.model = build(run, name, BATCH if self.stateful else None)
        perturb_biases(self.model, rng)

    def make_data(self, rng):
        empty_row = self.how.get("empty_row", True)
        features = self.how.get("features")
        if features is None:
            self.inputs = self.arrays["tokens"] = make_tokens(rng, self.rows, empty_row)
        else:
            self.inputs = self.arrays["features"] = (
                make_features(rng, self.rows, features) if isinstance(features, str) else
                make_reals(rng, (self.rows, TIME, features), self.how.get("masked")))
        reconstructs = self.how.get("targets") == "features"
        self.targets = self.inputs if reconstructs else make_targets(rng, self.rows, self.run)
        self.arrays["targets"] = self.targets
        self.weights = None
        if self.how.get("sample_weights"):
            shape = (self.rows, TIME) if self.how.get("steps") else self.rows
            self.weights = self.arrays["sample_weights"] = rng.uniform(0.2, 2.0, size=shape).astype(
                np.float32)
        if self.how.get("one_hot"):
            self.inputs = keras.utils.to_categorical(self.inputs, VOCABULARY).astype(np.float32)

    def make_graph_data(self, rng):
        """Lists by the model's inputs and outputs; without labels where there is no loss."""
        specs = self.run["outputs"]
        self.inputs = [
            make_tokens(rng, self.rows, True, each.shape[1]) if each.dtype == "int32"
            else make_reals(rng, (self.rows,) + each.shape[1:], None)
            for each in self.model.inputs]
        self.targets = [targets_of(rng, self.rows, spec) if spec["loss"] else None
                        for spec in specs]
        self.weights = None
        if any(spec["sample_weights"] for spec in specs):
            self.weights = [
                rng.uniform(0.2, 2.0, size=labels.shape[:2] if spec["steps"] else self.rows).astype(
                    np.float32) for labels, spec in zip(self.targets, specs)]
        for kind, values in (("inputs", self.inputs), ("targets", self.targets),
                             ("sample_weights", self.weights or [])):
            one = kind != "inputs" and len(specs) == 1
            self.arrays.update((kind if one else f"{kind}_{i}", value)
                               for i, value in enumerate(values) if value is not None)
        self.targets = [labels for labels in self.targets if labels is not None]
        if len(specs) == 1:
            self.targets = self.targets[0]

    def reset_states(self):
        for layer in self.model.layers:
            if self.stateful and hasattr(layer, "reset_states"):
                layer.reset_states()

    def predict(self, when):
        """Records what is predicted."""
        self.reset_states()
        found = self.model.predict(self.inputs, batch_size=BATCH, verbose=0)
        if isinstance(found, list):
            self.arrays.update((f"predict_{when}_{i}", each) for i, each in enumerate(found))
        else:
            self.arrays[f"predict_{when}"] = found

    def evaluate(self):
        self.reset_states()
        # In a graph TensorFlow does not know how many rows a batch has, and the losses of several
        # outputs are then means over batches, the last smaller one not counted as such.
        self.model.run_eagerly = True
        return self.model.evaluate(
            self.inputs, self.targets, batch_size=BATCH, sample_weight=self.weights, verbose=0,
            return_dict=True)

    def train(self):
        losses = []
        for _ in range(self.epochs):
            self.reset_states()
            for first in range(0, self.rows, BATCH):
                def batch(values):
                    if isinstance(values, list):
                        return [batch(each) for each in values]
                    return None if values is None else values[first:first + BATCH]
                self.model.reset_metrics()
                losses.append(self.model.train_on_batch(
                    batch(self.inputs), batch(self.targets), sample_weight=batch(self.weights),
                    class_weight=self.how.get("class_weight"), return_dict=True)["loss"])
        return np.array(losses, dtype=np.float64)

    def record_weights(self, when):
        # But for the count of what a layer was adapted to, from which nothing is computed.
        weights = [w for w in self.model.weights if w.dtype == "float32"]
        self.arrays.update((f"{when}_{i}", w.numpy().copy()) for i, w in enumerate(weights))

    def record(self, folder):
        self.reset_states()
        self.record_weights("initial")
        self.predict("initial")
        self.arrays["step_losses"] = self.train()
        self.record_weights("trained")
        self.predict("trained")
        description = {
            "name": self.name,
            "batch": BATCH,
            "epochs": self.epochs,
            "shuffle": False,
            "one_hot_depth": VOCABULARY if self.how.get("one_hot") else None,
            "class_weight": self.how.get("class_weight"),
            "evaluate_after": {k: float(v) for k, v in self.evaluate().items()},
            "keras": keras.__version__,
            "keras_backend": keras.backend.backend(),
            "config": json.loads(self.model.to_json()),
        }
        if self.how.get("scaled"):
            description["config"]["compile_config"]["loss"] = self.run["loss"]
            description["scaled_loss"] = {
                "mean": MEAN, "scale": DEVIATION, "quantiles": self.how.get("quantiles", [])}
        folder.mkdir(parents=True, exist_ok=True)
        lines = ",\n".join(f' "{k}": {json.dumps(v)}' for k, v in description.items())
        (folder / "case.json").write_text("{\n" + lines + "\n}\n")
        np.savez_compressed(folder / "expected.npz", **self.arrays)


def main(names):
    cases = pathlib.Path(__file__).resolve().parent / "cases"
    for seed, (name, run) in enumerate(CASES.items()):
        if names and not name.startswith(tuple(names)):
            continue
        if run["how"].get("stateful") and keras.backend.backend() != "tensorflow":
            print(f"{name}: left out, needs Keras's backend tensorflow")
            continue
        Recorder(name, run, seed).record(cases / name)
        print(name)


if __name__ == "__main__":
    main(sys.argv[1:])
