"""Checks with Keras itself that files go both ways.

usage: PYTHON check_with_keras.py SEQGRAPH      (a Python with keras, and the program)

For a stack of each kind of layer: Keras makes, trains a step of, and saves a model as .keras and .h5;
`seqgraph convert` reads it into .pb and writes it back as .keras, .h5 (both layouts' readers) and
.weights.h5; Keras loads each, which must have the same weights in every bit, predictions within 2e-6,
and the same optimizer with the same state (Keras 3 does not restore slots from any .h5 file, its own
included); training goes on to the same loss within 2e-6 where nothing is drawn at random. Graphs of
layers come back with the same predictions in every bit; with several outputs, whose losses are given in
each way, they train on as above. Prints one line a model, and exits with 1 after
the first that differs.
"""

import os
import subprocess
import sys
import tempfile
import warnings

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import numpy  # noqa: E402

_ROWS, _TIME, _WORDS = 16, 12, 20
_BAR = 2e-6
_LAYERS = keras.layers


def _tokens():
    return keras.Input((_TIME,), dtype="int32")


def _adapted():
    layer = _LAYERS.Normalization()
    layer.adapt(numpy.random.default_rng(5).normal(1, 3, (20, _TIME, 6)))
    return layer


def _models():
    """Name -> (layers, optimizer, loss)."""
    l2 = keras.regularizers.L2(0.01)
    embedding = lambda **more: _LAYERS.Embedding(_WORDS, 6, **more)
    optimizers = keras.optimizers
    trained_with = {
        name: ([_tokens(), embedding(), _LAYERS.SimpleRNN(5), _LAYERS.Dense(1, activation="sigmoid")],
               optimizer, "binary_crossentropy")
        for name, optimizer in {
            "adagrad": optimizers.Adagrad(1e-2, initial_accumulator_value=0.5),
            "adadelta": optimizers.Adadelta(0.5, rho=0.9),
            "adamax": optimizers.Adamax(1e-2, weight_decay=0.01),
            "nadam": optimizers.Nadam(1e-2, clipnorm=0.5),
            "adamw": optimizers.AdamW(1e-2, global_clipnorm=0.5),
            "adam_amsgrad": optimizers.Adam(1e-2, amsgrad=True),
        }.items()}
    return {
        **trained_with,
        "simple_rnn": ([_tokens(), embedding(), _LAYERS.SimpleRNN(5),
                        _LAYERS.Dense(1, activation="sigmoid")],
                       keras.optimizers.RMSprop(1e-2), "binary_crossentropy"),
        "one_hot": ([keras.Input((_TIME, _WORDS)), _LAYERS.SimpleRNN(5, activation="relu"),
                     _LAYERS.Dense(1, activation="sigmoid")],
                    keras.optimizers.RMSprop(1e-2, momentum=0.5, centered=True),
                    "binary_crossentropy"),
        "lstm_masked": ([_tokens(), embedding(mask_zero=True), _LAYERS.LSTM(5, use_bias=False),
                         _LAYERS.Dense(1, activation="sigmoid")],
                        keras.optimizers.Adam(1e-2, clipvalue=1e-3, weight_decay=0.004),
                        "binary_crossentropy"),
        "gru_stack": ([_tokens(), embedding(embeddings_regularizer=l2),
                       _LAYERS.GRU(4, return_sequences=True, go_backwards=True),
                       _LAYERS.GRU(3, reset_after=False, kernel_regularizer=l2),
                       _LAYERS.Dense(3, activation="softmax")],
                      keras.optimizers.SGD(1e-2, momentum=0.9, nesterov=True, global_clipnorm=0.1),
                      "categorical_crossentropy"),
        "bidirectional": ([_tokens(), embedding(mask_zero=True),
                           _LAYERS.Bidirectional(_LAYERS.LSTM(4, return_sequences=True),
                                                 merge_mode="sum"),
                           _LAYERS.Bidirectional(_LAYERS.GRU(3)),
                           _LAYERS.Dense(2, activation="tanh"), _LAYERS.Dense(1)],
                          keras.optimizers.Adam(1e-2), "mean_squared_error"),
        "pooled": ([_tokens(), embedding(), _LAYERS.SpatialDropout1D(0.2),
                    _LAYERS.LSTM(4, return_sequences=True, dropout=0.1, recurrent_dropout=0.1),
                    _LAYERS.Dropout(0.3), _LAYERS.GlobalMaxPooling1D(), _LAYERS.Dense(4),
                    _LAYERS.Activation("relu"), _LAYERS.Dense(1, activation="sigmoid")],
                   keras.optimizers.RMSprop(1e-2), "binary_crossentropy"),
        "normalized": ([_tokens(), embedding(mask_zero=True), _adapted(), _LAYERS.LSTM(4),
                        _LAYERS.Dense(2),
                        _LAYERS.Normalization(mean=[0.5, 2], variance=[4, 0.25], invert=True)],
                       keras.optimizers.Adam(1e-2), "mean_squared_error"),
        "frozen": ([_tokens(), embedding(trainable=False),
                    _LAYERS.SimpleRNN(4, return_sequences=True), _LAYERS.GlobalAveragePooling1D(),
                    _LAYERS.Dense(1, activation="sigmoid")],
                   keras.optimizers.SGD(1e-2), "binary_crossentropy"),
    }


def _graphs():
    """Name -> Functional model, inputs."""
    numbers = numpy.random.default_rng(11)
    tokens = lambda time: numbers.integers(0, _WORDS, (_ROWS, time)).astype("int32")
    reals = lambda *shape: numbers.normal(size=(_ROWS, *shape)).astype("float32")
    graphs = {}
    a, b = keras.Input((6,), dtype="int32"), keras.Input((6,), dtype="int32")
    embedding, encoder = _LAYERS.Embedding(_WORDS, 4), _LAYERS.LSTM(3)
    u, v = encoder(embedding(a)), encoder(embedding(b))
    merged = [_LAYERS.Subtract()([u, v]), _LAYERS.Multiply()([u, v]),
              _LAYERS.Dot(axes=1, normalize=True)([u, v])]
    graphs["siamese"] = (
        keras.Model([a, b], _LAYERS.Dense(1, activation="sigmoid")(_LAYERS.Concatenate()(merged))),
        [tokens(6), tokens(6)])
    source, target = keras.Input((7,), dtype="int32"), keras.Input((5,), dtype="int32")
    encoded = _LAYERS.Embedding(_WORDS, 6, mask_zero=True)(source)
    _, h, c = _LAYERS.LSTM(4, return_state=True)(encoded)
    decoded, _, _ = _LAYERS.LSTM(4, return_sequences=True, return_state=True)(
        _LAYERS.Embedding(_WORDS, 6)(target), initial_state=[h, c])
    graphs["sequence_to_sequence"] = (
        keras.Model([source, target], _LAYERS.Dense(_WORDS, activation="softmax")(decoded)),
        [tokens(7), tokens(5)])
    x = keras.Input((6, 3))
    y, forward, backward = _LAYERS.Bidirectional(
        _LAYERS.GRU(3, return_sequences=True, return_state=True))(x)
    state = _LAYERS.Concatenate()([forward, backward])
    graphs["states_of_both_directions"] = (
        keras.Model(x, _LAYERS.GRU(6)(y, initial_state=state)), [reals(6, 3)])
    x = keras.Input((5, 4))
    inner_x = keras.Input((5, 4))
    inner = keras.Model(inner_x, _LAYERS.Dense(4)(_LAYERS.LSTM(4, return_sequences=True)(inner_x)))
    y = _LAYERS.Add()([inner(x), inner(_LAYERS.Activation("tanh")(x))])
    graphs["model_in_model"] = (
        keras.Model(x, _LAYERS.GlobalMaxPooling1D()(y)), [reals(5, 4)])
    q, v = keras.Input((4, 3)), keras.Input((6, 3))
    both = [_LAYERS.Attention(use_scale=True)([q, v]), _LAYERS.AdditiveAttention()([q, v])]
    graphs["attention"] = (
        keras.Model([q, v], _LAYERS.GlobalAveragePooling1D()(_LAYERS.Average()(both))),
        [reals(4, 3), reals(6, 3)])
    words, letters = keras.Input((5,), dtype="int32"), keras.Input((5, 4), dtype="int32")
    spelled = _LAYERS.TimeDistributed(_LAYERS.LSTM(3))(
        _LAYERS.TimeDistributed(_LAYERS.Embedding(_WORDS, 3))(letters))
    both = _LAYERS.Concatenate()([_LAYERS.Embedding(_WORDS, 3)(words), spelled])
    forward, backward = _LAYERS.Bidirectional(_LAYERS.GRU(3, return_sequences=True),
                                              merge_mode=None)(both)
    graphs["letters_of_words"] = (
        keras.Model([words, letters],
                    _LAYERS.TimeDistributed(_LAYERS.Dense(4))(_LAYERS.Add()([forward, backward]))),
        [tokens(5), numbers.integers(0, _WORDS, (_ROWS, 5, 4)).astype("int32")])
    x = keras.Input((None, 3))
    graphs["open_length"] = (keras.Model(x, _LAYERS.Dense(2)(_LAYERS.GRU(4)(x))), [reals(9, 3)])
    return graphs


def _round_trip_graph(program, folder, name, model, inputs):
    numbers = numpy.random.default_rng(13)
    model.set_weights([numbers.normal(0, 0.4, w.shape) for w in model.get_weights()])
    inputs = inputs if len(inputs) > 1 else inputs[0]
    expected = model.predict(inputs, verbose=0)
    path = os.path.join(folder, name)
    for source in (".keras", ".h5"):
        # Keras 3.15 does not read the score_mode that it writes into a .h5 file.
        if source == ".h5" and name == "attention":
            continue
        model.save(path + source)
        _convert(program, path + source, path + ".pb")
        for ending in (".back.keras", ".back.h5"):
            _convert(program, path + ".pb", path + ending)
            back = keras.saving.load_model(path + ending)
            _check(numpy.array_equal(back.predict(inputs, verbose=0), expected),
                   name + source + ending + ": predictions")
            _check(back.input_shape == model.input_shape, name + ending + ": shapes of inputs")
    print("%s: the same predictions in every bit" % name)


def _two_heads(losses, weights, metrics):
    """A compiled model with the outputs a, b and c, its inputs and labels."""
    numbers = numpy.random.default_rng(17)
    x = keras.Input((6,), dtype="int32", name="x")
    y = _LAYERS.GRU(3, return_sequences=True)(_LAYERS.Embedding(_WORDS, 4, mask_zero=True)(x))
    last = _LAYERS.LSTM(3)(y)
    model = keras.Model(x, [_LAYERS.Dense(1, activation="sigmoid", name="a")(last),
                            _LAYERS.Dense(2, name="b")(y),
                            _LAYERS.Dense(3, activation="softmax", name="c")(last)])
    model.compile(optimizer=keras.optimizers.Adam(1e-2), loss=losses, loss_weights=weights,
                  metrics=metrics)
    labels = [numbers.integers(0, 2, (_ROWS, 1)).astype("float32"),
              numbers.normal(size=(_ROWS, 6, 2)).astype("float32"),
              numbers.integers(0, 3, (_ROWS,)).astype("int32")]
    return model, numbers.integers(0, _WORDS, (_ROWS, 6)).astype("int32"), labels


def _round_trip_losses(program, folder):
    """Several outputs, with losses and weights as lists and by name, and one output left out."""
    binary, sparse = "binary_crossentropy", "sparse_categorical_crossentropy"
    for name, how in {
            "losses_in_a_list": ([binary, "mean_squared_error", sparse], [1.0, 0.5, 2.0],
                                 [["accuracy"], None, ["accuracy"]]),
            "losses_by_name": ({"c": sparse, "b": keras.losses.LogCosh(), "a": binary},
                               {"a": 0.25, "b": 0.5, "c": 2.0}, {"c": ["accuracy"]}),
            "one_output_without_loss": ([binary, None, sparse], None, None)}.items():
        model, x, y = _two_heads(*how)
        if None in how[0]:
            y = [label for label, loss in zip(y, how[0]) if loss is not None]
        model.train_on_batch(x, y)
        path = os.path.join(folder, name)
        model.save(path + ".keras")
        _convert(program, path + ".keras", path + ".pb")
        _convert(program, path + ".pb", path + ".back.keras")
        _convert(program, path + ".pb", path + ".back.h5")
        # Keras 3 restores no slots from a .h5 file.
        for ending, steps in ((".back.h5", 0), (".back.keras", 2)):
            back = keras.saving.load_model(path + ending)
            losses = [[each.evaluate(x, y, verbose=0, return_dict=True)] +
                      [each.train_on_batch(x, y, return_dict=True) for _ in range(steps)]
                      for each in (back, model)]
            gap = max(abs(ours[key] - theirs[key]) for ours, theirs in zip(*losses)
                      for key in theirs if key.endswith("loss"))
            _check(gap <= _BAR, "%s%s: losses, by %g" % (name, ending, gap))
    print("several outputs: losses given in each way, and those of two further steps")


def _same(a, b):
    return len(a) == len(b) and all(
        numpy.array_equal(keras.ops.convert_to_numpy(x), keras.ops.convert_to_numpy(y))
        for x, y in zip(a, b))


def _check(condition, what):
    if not condition:
        print("differs: " + what)
        sys.exit(1)


def _convert(program, source, target, more=()):
    done = subprocess.run([program, "convert", source, target, *more], capture_output=True,
                          text=True, check=False)
    _check(done.returncode == 0, "seqgraph convert %s %s: %s" % (source, target, done.stderr))


def _batch(model, loss, numbers):
    """Inputs and labels for one batch."""
    tokens = numbers.integers(1, _WORDS, (_ROWS, _TIME)).astype("int32")
    tokens[:, : _TIME // 3] *= numbers.integers(0, 2, (_ROWS, 1), dtype="int32")
    x = tokens if len(model.input_shape) == 2 else numpy.eye(_WORDS, dtype="float32")[tokens]
    width = model.output_shape[-1]
    if loss == "categorical_crossentropy":
        return x, numpy.eye(width, dtype="float32")[numbers.integers(0, width, _ROWS)]
    return x, numbers.integers(0, 2, (_ROWS, width)).astype("float32")


def _step(model, x, y):
    """The loss of one more step of training."""
    return float(numpy.ravel(model.train_on_batch(x, y))[0])


def _round_trip(program, folder, name, layers, optimizer, loss):
    numbers = numpy.random.default_rng(7)
    model = keras.Sequential(layers)
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
    x, y = _batch(model, loss, numbers)
    model.train_on_batch(x, y)
    expected = model.predict(x, verbose=0)
    path = os.path.join(folder, name)
    model.save(path + ".keras")
    model.save(path + ".h5")
    more = ["--one_hot"] if name == "one_hot" else []
    _convert(program, path + ".keras", path + ".pb", more)
    _convert(program, path + ".h5", path + ".from_h5.textproto", more)
    random = any(getattr(layer, "dropout", 0) or "Dropout" in type(layer).__name__
                 for layer in model.layers)
    largest = 0.0
    after = None
    for source, ending in ((".pb", ".back.keras"), (".pb", ".back.h5"),
                           (".from_h5.textproto", ".h5_back.keras")):
        _convert(program, path + source, path + ending)
        back = keras.saving.load_model(path + ending)
        _check(_same(model.weights, back.weights), name + ending + ": weights")
        largest = max(largest, numpy.abs(back.predict(x, verbose=0) - expected).max())
        _check(largest <= _BAR, "%s%s: predictions, by %g" % (name, ending, largest))
        theirs, ours = model.optimizer.get_config(), back.optimizer.get_config()
        theirs.pop("name"), ours.pop("name")
        _check(theirs == ours, "%s%s: optimizer, %s and %s" % (name, ending, theirs, ours))
        if ending == ".back.keras":
            # Slots that plain SGD makes on PyTorch and never reads are not saved.
            plain = type(optimizer).__name__ == "SGD" and optimizer.momentum == 0
            held = 2 if plain else len(model.optimizer.variables)
            _check(_same(model.optimizer.variables[:held], back.optimizer.variables[:held]),
                   name + ending + ": the optimizer's state")
            if not random:
                after = _step(back, x, y), _step(back, x, y)
    _convert(program, path + ".pb", path + ".weights.h5")
    bare = keras.models.clone_model(model)
    with warnings.catch_warnings():  # it has no optimizer to put the state into
        warnings.simplefilter("ignore")
        bare.load_weights(path + ".weights.h5")
    _check(_same(model.weights, bare.weights), name + ".weights.h5: weights")
    if after is not None:
        gap = max(abs(a - b) for a, b in zip(after, (_step(model, x, y), _step(model, x, y))))
        _check(gap <= _BAR, "%s: losses of further steps, by %g" % (name, gap))
    print("%s: predictions within %.2g%s" %
          (name, largest, "" if after is None else ", losses of two further steps within %.2g" % gap))


def main(program):
    print("keras %s on %s" % (keras.__version__, keras.backend.backend()))
    with tempfile.TemporaryDirectory() as folder:
        for name, (layers, optimizer, loss) in _models().items():
            _round_trip(program, folder, name, layers, optimizer, loss)
        for name, (model, inputs) in _graphs().items():
            _round_trip_graph(program, folder, name, model, inputs)
        _round_trip_losses(program, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
