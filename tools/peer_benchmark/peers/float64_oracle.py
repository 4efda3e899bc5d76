"""The judge: the same training and predictions in float64, written out by hand with numpy.

usage: float64_oracle.py [--per_occurrence]

h_t = tanh(x_t W + h_{t-1} U + b), p = sigmoid(h_T k + c), loss = mean(-y log p - (1 - y) log(1 - p));
RMSprop: v = rho v + (1 - rho) g^2, w = w - lr g / sqrt(v + epsilon).

--per_occurrence: the square of an embedding's gradient is the sum of the squares of what each
occurrence of a word contributes, as Keras 3 on TensorFlow has it; otherwise the square of the sum.
"""

import sys

import common


class Float64Oracle:
    """Backpropagation through time, step by step."""

    def __init__(self, spec, data, per_occurrence):
        import numpy
        self.np = numpy
        self.spec, self.data = spec, data
        self.per_occurrence = per_occurrence
        self.w = {name: value.astype(numpy.float64) for name, value in data.weights.items()}
        self.v = {name: numpy.zeros_like(value) for name, value in self.w.items()}

    def forward(self, tokens):
        """Returns (states [time + 1] of [batch, units], logits [batch, 1])."""
        np, w = self.np, self.w
        kernel = w["simple_rnn/kernel"]
        if self.spec["model"] == "embedding":
            projected = w["embedding/embeddings"][tokens] @ kernel
        else:
            projected = kernel[tokens]
        states = [np.zeros((len(tokens), self.spec["units"]))]
        for t in range(self.spec["time"]):
            states.append(np.tanh(projected[:, t] + states[-1] @ w["simple_rnn/recurrent_kernel"] +
                                  w["simple_rnn/bias"]))
        return states, states[-1] @ w["dense/kernel"] + w["dense/bias"]

    def loss(self, logits, labels):
        np = self.np
        return float(np.mean(np.logaddexp(0.0, logits) - labels * logits))

    def gradients(self, tokens, labels):
        """Returns (loss, gradients, squares of gradients), the latter two by name."""
        np, w = self.np, self.w
        states, logits = self.forward(tokens)
        d_logits = (1.0 / (1.0 + np.exp(-logits)) - labels) / len(tokens)
        g = {"dense/kernel": states[-1].T @ d_logits, "dense/bias": d_logits.sum(axis=0),
             "simple_rnn/recurrent_kernel": np.zeros_like(w["simple_rnn/recurrent_kernel"])}
        d_inputs = np.empty(tokens.shape + (self.spec["units"],))
        d_state = d_logits @ w["dense/kernel"].T
        for t in reversed(range(self.spec["time"])):
            d_inputs[:, t] = d_state * (1.0 - states[t + 1] ** 2)
            g["simple_rnn/recurrent_kernel"] += states[t].T @ d_inputs[:, t]
            d_state = d_inputs[:, t] @ w["simple_rnn/recurrent_kernel"].T
        g["simple_rnn/bias"] = d_inputs.sum(axis=(0, 1))
        squares = {}
        if self.spec["model"] == "embedding":
            table, kernel = w["embedding/embeddings"], w["simple_rnn/kernel"]
            occurrences = d_inputs @ kernel.T
            g["simple_rnn/kernel"] = np.einsum("btf,btu->fu", table[tokens], d_inputs)
            g["embedding/embeddings"] = np.zeros_like(table)
            np.add.at(g["embedding/embeddings"], tokens, occurrences)
            if self.per_occurrence:
                squares["embedding/embeddings"] = np.zeros_like(table)
                np.add.at(squares["embedding/embeddings"], tokens, occurrences ** 2)
        else:
            g["simple_rnn/kernel"] = np.zeros_like(w["simple_rnn/kernel"])
            np.add.at(g["simple_rnn/kernel"], tokens, d_inputs)
        for name, value in g.items():
            squares.setdefault(name, value ** 2)
        return self.loss(logits, labels), g, squares

    def step(self, tokens, labels):
        rho, lr, epsilon = (self.spec[key] for key in ("rho", "learning_rate", "epsilon"))
        loss, g, squares = self.gradients(tokens, labels)
        for name, value in self.w.items():
            self.v[name] = rho * self.v[name] + (1.0 - rho) * squares[name]
            value -= lr * g[name] / self.np.sqrt(self.v[name] + epsilon)
        return loss

    def check(self):
        np, spec, data = self.np, self.spec, self.data
        answer = {"versions": {"numpy": np.__version__}, "form": "float64"}
        if spec["task"] == "predict":
            _, logits = self.forward(data.tokens[:common.CHECKED_ROWS])
            answer["predictions"] = (1.0 / (1.0 + np.exp(-logits))).reshape(-1).tolist()
            return answer
        batch = spec["batch"]
        losses = [self.step(data.tokens[i:i + batch], data.labels[i:i + batch])
                  for i in range(0, len(data.tokens), batch)]
        if spec["task"] == "train":
            answer["losses"] = common.running_means(losses, spec["chunk"])
        else:
            _, logits = self.forward(data.validation_tokens)
            answer["losses"] = [sum(losses) / len(losses),
                                self.loss(logits, data.validation_labels)]
        answer["weights"] = common.as_lists(self.w)
        return answer

    def run(self, seconds):
        del seconds
        return {"error": "the oracle is not measured"}


if __name__ == "__main__":
    common.serve(lambda spec, data: Float64Oracle(spec, data, "--per_occurrence" in sys.argv))
