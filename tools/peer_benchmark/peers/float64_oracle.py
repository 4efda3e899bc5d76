"""The judge: the same training and predictions in float64, written out by hand with numpy.

usage: float64_oracle.py [--per_occurrence]

h_t from float64_cells.py, p = sigmoid(h_T k + c), loss = mean(-y log p - (1 - y) log(1 - p)); RMSprop:
v = rho v + (1 - rho) g^2, w = w - lr g / sqrt(v + epsilon).

--per_occurrence: the square of an embedding's gradient is the sum of the squares of what each
occurrence of a word contributes, as Keras 3 on TensorFlow has it; otherwise the square of the sum.
"""

import sys

import common


class Float64Oracle:
    """Backpropagation through time, step by step."""

    def __init__(self, spec, data, per_occurrence):
        import numpy
        import float64_cells
        self.np = numpy
        self.cell = float64_cells.CELLS[spec["cell"]]
        self.spec, self.data = spec, data
        self.per_occurrence = per_occurrence
        self.w = {name: value.astype(numpy.float64) for name, value in data.weights.items()}
        self.v = {name: numpy.zeros_like(value) for name, value in self.w.items()}

    def forward(self, inputs):
        """Returns (h [time + 1] of [batch, units], what the cell saved [time], logits [batch, 1])."""
        np, w = self.np, self.w
        kernel, recurrent_kernel, biases = self.data.of_cell(w)
        if self.spec["model"] == "embedding":
            projected = w["embedding/embeddings"][inputs] @ kernel
        elif self.spec["model"] == "series":
            projected = inputs.astype(np.float64) @ kernel
        else:
            projected = kernel[inputs]
        state = (np.zeros((len(inputs), self.spec["units"])),) * self.cell.parts
        states, saved = [state[0]], []
        for t in range(self.spec["time"]):
            state, kept = self.cell.forward(projected[:, t] + biases[0],
                                            state[0] @ recurrent_kernel + biases[1:].sum(axis=0),
                                            state)
            states.append(state[0])
            saved.append(kept)
        return states, saved, states[-1] @ w["dense/kernel"] + w["dense/bias"]

    def loss(self, logits, labels):
        np = self.np
        return float(np.mean(np.logaddexp(0.0, logits) - labels * logits))

    def gradients(self, inputs, labels):
        """Returns (loss, gradients, squares of gradients), the latter two by name."""
        np, w = self.np, self.w
        kernel, recurrent_kernel, biases = self.data.of_cell(w)
        kernel_name, recurrent_name, bias_name = self.data.cell_names
        states, saved, logits = self.forward(inputs)
        d_logits = (1.0 / (1.0 + np.exp(-logits)) - labels) / len(inputs)
        g = {"dense/kernel": states[-1].T @ d_logits, "dense/bias": d_logits.sum(axis=0),
             recurrent_name: np.zeros_like(recurrent_kernel)}
        d_inputs = np.empty(inputs.shape[:2] + (kernel.shape[1],))
        d_biases = np.zeros((2, kernel.shape[1]))
        d_state = (d_logits @ w["dense/kernel"].T,) + (0.0,) * (self.cell.parts - 1)
        for t in reversed(range(self.spec["time"])):
            d_inputs[:, t], d_recurrent, d_state = self.cell.backward(d_state, saved[t])
            g[recurrent_name] += states[t].T @ d_recurrent
            d_biases += d_inputs[:, t].sum(axis=0), d_recurrent.sum(axis=0)
            d_state = (d_state[0] + d_recurrent @ recurrent_kernel.T,) + d_state[1:]
        g[bias_name] = d_biases[:len(biases)].reshape(w[bias_name].shape)
        squares = {}
        if self.spec["model"] == "embedding":
            table = w["embedding/embeddings"]
            occurrences = d_inputs @ kernel.T
            g[kernel_name] = np.tensordot(table[inputs], d_inputs, axes=([0, 1], [0, 1]))
            g["embedding/embeddings"] = np.zeros_like(table)
            np.add.at(g["embedding/embeddings"], inputs, occurrences)
            if self.per_occurrence:
                squares["embedding/embeddings"] = np.zeros_like(table)
                np.add.at(squares["embedding/embeddings"], inputs, occurrences ** 2)
        elif self.spec["model"] == "series":
            g[kernel_name] = np.tensordot(inputs.astype(np.float64), d_inputs,
                                          axes=([0, 1], [0, 1]))
        else:
            g[kernel_name] = np.zeros_like(kernel)
            np.add.at(g[kernel_name], inputs, d_inputs)
        for name, value in g.items():
            squares.setdefault(name, value ** 2)
        return self.loss(logits, labels), g, squares

    def step(self, inputs, labels):
        rho, lr, epsilon = (self.spec[key] for key in ("rho", "learning_rate", "epsilon"))
        loss, g, squares = self.gradients(inputs, labels)
        for name, value in self.w.items():
            self.v[name] = rho * self.v[name] + (1.0 - rho) * squares[name]
            value -= lr * g[name] / self.np.sqrt(self.v[name] + epsilon)
        return loss

    def check(self):
        np, spec, data = self.np, self.spec, self.data
        answer = {"versions": {"numpy": np.__version__}, "form": "float64"}
        if spec["task"] == "predict":
            logits = self.forward(data.inputs[:common.CHECKED_ROWS])[-1]
            answer["predictions"] = (1.0 / (1.0 + np.exp(-logits))).reshape(-1).tolist()
            return answer
        batch = spec["batch"]
        losses = [self.step(data.inputs[i:i + batch], data.labels[i:i + batch])
                  for i in range(0, len(data.inputs), batch)]
        if spec["task"] == "train":
            answer["losses"] = common.running_means(losses, spec["chunk"])
        else:
            logits = self.forward(data.validation_inputs)[-1]
            answer["losses"] = [sum(losses) / len(losses),
                                self.loss(logits, data.validation_labels)]
        answer["weights"] = common.as_lists(self.w)
        return answer

    def run(self, seconds):
        del seconds
        return {"error": "the oracle is not measured"}


if __name__ == "__main__":
    common.serve(lambda spec, data: Float64Oracle(spec, data, "--per_occurrence" in sys.argv))
