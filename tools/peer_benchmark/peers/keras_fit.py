"""Keras 3: the tutorial's model, compiled and fitted as it is, or better.

usage: keras_fit.py [--on=tensorflow|jax] [--xla] [--unroll]

--xla: jit_compile=True; for predictions on TensorFlow a tf.function compiled by XLA. (On JAX it is
compiled anyway.) --unroll: the time loop is laid out in the graph. `fit` gets several steps a
call (steps_per_execution), which spares Python.
"""

import argparse
import importlib
import os
import time

import common


class KerasFit:

    def __init__(self, spec, data, library, xla, unroll):
        os.environ["KERAS_BACKEND"] = library
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        self.library = importlib.import_module(library)
        import keras
        if library == "tensorflow":
            self.library.config.threading.set_intra_op_parallelism_threads(1)
            self.library.config.threading.set_inter_op_parallelism_threads(1)
        self.keras = keras
        self.spec, self.data, self.xla = spec, data, xla
        self.form = "steps_per_execution=%d" % spec["chunk"]
        self.model = self._make_model(unroll)
        if spec["task"] == "predict":
            self._prepare_predict()
        else:
            self.model.compile(
                optimizer=keras.optimizers.RMSprop(learning_rate=spec["learning_rate"],
                                                   rho=spec["rho"], epsilon=spec["epsilon"]),
                loss="binary_crossentropy",
                metrics=["accuracy"] if spec["task"] == "fit" else None,
                jit_compile=xla or library == "jax", steps_per_execution=spec["chunk"])

    def _make_model(self, unroll):
        keras, spec = self.keras, self.spec
        if spec["model"] == "series":
            inputs = steps = keras.Input((spec["time"], spec["features"]))
        else:
            inputs = keras.Input((spec["time"],), dtype="int32")
            if spec["model"] == "embedding":
                steps = keras.layers.Embedding(spec["vocabulary"], spec["features"])(inputs)
            else:
                steps = keras.ops.one_hot(inputs, spec["vocabulary"], dtype="float32")
        state = getattr(keras.layers, spec["cell"])(spec["units"], unroll=unroll)(steps)
        model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(state))
        model.set_weights(list(self.data.weights.values()))  # Keras's order is ours.
        return model

    def reset(self):
        self.model.set_weights(list(self.data.weights.values()))
        optimizer = self.model.optimizer
        for variable in optimizer.variables:
            if variable is not optimizer._learning_rate:
                variable.assign(self.keras.ops.zeros(variable.shape, variable.dtype))

    def fit(self, epochs, *callbacks):
        spec, data = self.spec, self.data
        validation = None
        if spec["task"] == "fit":
            validation = (data.validation_inputs, data.validation_labels)
        return self.model.fit(data.inputs, data.labels, batch_size=spec["batch"], epochs=epochs,
                              shuffle=False, verbose=0, validation_data=validation,
                              validation_batch_size=spec["batch"], callbacks=list(callbacks))

    def _prepare_predict(self):
        model, spec = self.model, self.spec
        if self.xla and self.library.__name__ == "tensorflow":
            tensorflow = self.library
            rows = self.data.inputs
            signature = [tensorflow.TensorSpec((spec["batch"],) + rows.shape[1:], rows.dtype)]
            compiled = tensorflow.function(lambda x: model(x, training=False), jit_compile=True,
                                           input_signature=signature)
            self.predict = lambda inputs: compiled(inputs).numpy()
            self.form = "tf.function, jit_compile=True"
        else:
            self.predict = model.predict_on_batch
            self.form = "predict_on_batch"

    def check(self):
        keras, spec = self.keras, self.spec
        answer = {"versions": {"keras": keras.__version__,
                               self.library.__name__: self.library.__version__},
                  "form": self.form}
        if spec["task"] == "predict":
            batches = common.batches_forever(self.data.inputs, spec["batch"])
            answer["predictions"] = [
                float(p) for _ in range(common.CHECKED_ROWS // spec["batch"])
                for p in self.predict(next(batches)).reshape(-1)]
            return answer
        means = []
        at_chunk = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda step, logs: means.append(float(logs["loss"])))
        self.reset()
        history = self.fit(1, at_chunk).history
        if spec["task"] == "fit":
            means = [history["loss"][0], history["val_loss"][0]]
        answer["losses"] = means
        answer["weights"] = common.as_lists(
            dict(zip(self.data.weights, self.model.get_weights())))
        return answer

    def run(self, seconds):
        keras, spec = self.keras, self.spec
        if spec["task"] == "predict":
            batches = common.batches_forever(self.data.inputs, spec["batch"])
            return common.repeat(lambda: self.predict(next(batches)), spec["batch"], seconds)
        self.reset()
        epochs = []
        start = time.perf_counter()

        class StopInTime(keras.callbacks.Callback):

            def on_epoch_end(self, epoch, logs=None):
                epochs.append(time.perf_counter() - start)
                self.model.stop_training = epochs[-1] >= seconds

        self.fit(1000000, StopInTime())
        return {"samples": len(epochs) * len(self.data.inputs), "seconds": epochs[-1]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--on", default="tensorflow", choices=["tensorflow", "jax"])
    parser.add_argument("--xla", action="store_true")
    parser.add_argument("--unroll", action="store_true")
    args = parser.parse_args()
    common.serve(lambda spec, data: KerasFit(spec, data, args.on, args.xla, args.unroll))


if __name__ == "__main__":
    main()
