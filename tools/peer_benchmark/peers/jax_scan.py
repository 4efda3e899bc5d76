"""JAX: a whole epoch is one compiled call, a scan over batches around scans over time.

usage: jax_scan.py [--projected_table]

--projected_table: the table is multiplied by the kernel before words are looked up in it, once a
step (a rewriting that a user could do by hand; equal in exact arithmetic).
"""

import sys

import common


def make_cells(jax):
    """By Keras's class: (the next state of x_t W + b, h_{t-1} U + b' and the state, whose first
    part is h; how many parts the state has). The formulas are those of float64_cells.py."""
    jnp, sigmoid = jax.numpy, jax.nn.sigmoid

    def simple_rnn(x, z, state):
        del state
        return (jnp.tanh(x + z),)

    def lstm(x, z, state):
        i, f, c, o = jnp.split(x + z, 4, axis=1)
        cell = sigmoid(f) * state[1] + sigmoid(i) * jnp.tanh(c)
        return sigmoid(o) * jnp.tanh(cell), cell

    def gru(x, z, state):
        (xu, xr, xc), (zu, zr, zc) = jnp.split(x, 3, axis=1), jnp.split(z, 3, axis=1)
        update = sigmoid(xu + zu)
        return (update * state[0] + (1 - update) * jnp.tanh(xc + sigmoid(xr + zr) * zc),)

    return {"SimpleRNN": (simple_rnn, 1), "LSTM": (lstm, 2), "GRU": (gru, 1)}


class JaxScan:

    def __init__(self, spec, data, projected_table):
        import jax
        import jax.numpy as jnp
        self.jax, self.jnp, self.spec, self.data = jax, jnp, spec, data
        self.projected_table = projected_table and spec["model"] == "embedding"
        self.next_state, self.parts = make_cells(jax)[spec["cell"]]
        self.unroll = 1
        self.weights = {name: jnp.asarray(value) for name, value in data.weights.items()}
        if spec["task"] == "predict":
            self._prepare_predict()
        else:
            self._prepare_train()

    def logits(self, w, inputs):
        jnp = self.jnp
        inputs = jnp.swapaxes(inputs, 0, 1)  # Time first, as the scan takes it.
        kernel, recurrent_kernel, biases = self.data.of_cell(w)
        if self.spec["model"] == "onehot":
            # A one-hot row times the kernel is a row of the kernel.
            projected = kernel[inputs] + biases[0]
        elif self.spec["model"] == "series":
            projected = inputs @ kernel + biases[0]
        elif self.projected_table:
            projected = (w["embedding/embeddings"] @ kernel + biases[0])[inputs]
        else:
            projected = w["embedding/embeddings"][inputs] @ kernel + biases[0]

        def cell(state, x):
            z = state[0] @ recurrent_kernel
            return self.next_state(x, z + biases[1] if len(biases) > 1 else z, state), None

        start = jnp.zeros((inputs.shape[1], self.spec["units"]), jnp.float32)
        state, _ = self.jax.lax.scan(cell, (start,) * self.parts, projected, unroll=self.unroll)
        return state[0] @ w["dense/kernel"] + w["dense/bias"]

    def loss(self, w, inputs, labels):
        jnp = self.jnp
        z = self.logits(w, inputs)
        return jnp.mean(jnp.maximum(z, 0) - z * labels + jnp.log1p(jnp.exp(-jnp.abs(z))))

    def epoch(self, carry, inputs, labels):
        """Inputs [steps, batch, time, ...]; returns the new (weights, velocities) and the losses."""
        spec, jnp = self.spec, self.jnp

        def step(carry, batch):
            w, v = carry
            loss, g = self.jax.value_and_grad(self.loss)(w, *batch)
            v = {k: spec["rho"] * v[k] + (1 - spec["rho"]) * jnp.square(g[k]) for k in v}
            w = {k: w[k] - spec["learning_rate"] * g[k] * self.jax.lax.rsqrt(v[k] + spec["epsilon"])
                 for k in w}
            return (w, v), loss

        return self.jax.lax.scan(step, carry, (inputs, labels))

    def start(self):
        jnp = self.jnp
        return ({k: jnp.array(v) for k, v in self.weights.items()},
                {k: jnp.zeros_like(v) for k, v in self.weights.items()})

    def _prepare_train(self):
        jnp, spec, data = self.jnp, self.spec, self.data
        shape = (spec["steps"], spec["batch"])
        self.inputs = jnp.asarray(data.inputs.reshape(shape + data.inputs.shape[1:]))
        self.labels = jnp.asarray(data.labels.reshape(shape + (1,)))
        self.validation = (jnp.asarray(data.validation_inputs),
                           jnp.asarray(data.validation_labels))
        self.evaluate = self.jax.jit(self.loss)
        self.compiled = self._fastest_unroll(
            lambda: self.jax.jit(self.epoch, donate_argnums=0),
            lambda epoch: epoch(self.start(), self.inputs, self.labels)[1].block_until_ready())

    def _prepare_predict(self):
        # The weights are constants of the program.
        self.compiled = self._fastest_unroll(
            lambda: self.jax.jit(lambda x: self.jax.nn.sigmoid(self.logits(self.weights, x))),
            lambda f: f(self.data.inputs[:self.spec["batch"]]).block_until_ready())

    def _fastest_unroll(self, compile_it, call):
        """Leaves the number of time steps in one turn of the loop that runs quickest here."""
        forms = {}
        for self.unroll in (1, 4, 10, self.spec["time"]):
            function = compile_it()
            call(function)  # Traced with this unroll.
            forms[self.unroll] = function
        self.unroll = common.fastest({n: lambda f=f: call(f) for n, f in forms.items()})
        return forms[self.unroll]

    def check(self):
        spec, data = self.spec, self.data
        answer = {"versions": {"jax": self.jax.__version__, "jaxlib": self.jax.lib.__version__},
                  "form": "jit, scan over time unrolled by %d" % self.unroll}
        if spec["task"] == "predict":
            batches = common.batches_forever(data.inputs, spec["batch"])
            answer["predictions"] = [
                float(p) for _ in range(common.CHECKED_ROWS // spec["batch"])
                for p in self.compiled(next(batches)).reshape(-1)]
            return answer
        (weights, _), losses = self.compiled(self.start(), self.inputs, self.labels)
        if spec["task"] == "train":
            answer["losses"] = common.running_means(losses.tolist(), spec["chunk"])
        else:
            answer["losses"] = [float(losses.mean()),
                                float(self.evaluate(weights, *self.validation))]
        answer["weights"] = common.as_lists(
            {name: self.jax.device_get(value) for name, value in weights.items()})
        return answer

    def run(self, seconds):
        spec = self.spec
        if spec["task"] == "predict":
            batches = common.batches_forever(self.data.inputs, spec["batch"])
            return common.repeat(
                lambda: self.compiled(next(batches)).block_until_ready(),
                spec["batch"], seconds, calls_between_looks=4)
        self.carry = self.start()

        def epoch():
            self.carry, losses = self.compiled(self.carry, self.inputs, self.labels)
            losses.block_until_ready()
            if spec["task"] == "fit":
                self.evaluate(self.carry[0], *self.validation).block_until_ready()

        return common.repeat(epoch, spec["steps"] * spec["batch"], seconds)


if __name__ == "__main__":
    common.serve(lambda spec, data: JaxScan(spec, data, "--projected_table" in sys.argv))
