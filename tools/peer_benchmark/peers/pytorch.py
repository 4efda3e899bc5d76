"""PyTorch: nn.RNN, nn.LSTM or nn.GRU, eager or compiled. Its own RMSprop adds epsilon outside of the root, so the update is written
with the list operations that its optimizers use.

usage: pytorch.py [--compile]

--compile: training through torch.compile, which takes minutes to compile 100 time steps.
"""

import sys

import common


class PyTorch:

    def __init__(self, spec, data, compiled):
        import torch
        torch.set_num_threads(1)
        torch.set_num_interop_threads(1)
        self.torch, self.spec, self.data = torch, spec, data
        torch.set_flush_denormal(True)
        self.model = self._make_model()
        self.parameters = self._parameters()
        self.form = "eager"
        self.logits = self.model
        if compiled:
            torch._dynamo.config.allow_rnn = True
            self.logits = torch.compile(self.model, fullgraph=True)
            self.form = "torch.compile"
        self.reset()
        if spec["task"] == "predict":
            self._prepare_predict()

    def _make_model(self):
        torch, spec = self.torch, self.spec
        layer = getattr(torch.nn, self.data.cell.operator)
        model = spec["model"]

        class Classifier(torch.nn.Module):

            def __init__(self):
                super().__init__()
                features = spec["vocabulary"] if model == "onehot" else spec["features"]
                if model == "series":
                    self.embedding = torch.nn.Identity()
                elif model == "embedding":
                    self.embedding = torch.nn.Embedding(spec["vocabulary"], features)
                else:
                    # Rows of the unit matrix: quicker than one_hot, which makes 64-bit integers.
                    self.embedding = torch.nn.Embedding.from_pretrained(
                        torch.eye(spec["vocabulary"]))
                self.rnn = layer(features, spec["units"], batch_first=True)
                self.dense = torch.nn.Linear(spec["units"], 1)

            def forward(self, inputs):
                state = self.rnn(self.embedding(inputs))[1]
                if isinstance(state, tuple):  # An LSTM's h and c.
                    state = state[0]
                return self.dense(state[0])

        return Classifier()

    def _parameters(self):
        """By our names those that hold a weight of ours: one, or one for each row of a bias."""
        model, rnn = self.model, self.model.rnn
        biases = [rnn.bias_ih_l0, rnn.bias_hh_l0]
        if len(self.data.of_cell(self.data.weights)[2]) == 1:
            # The second bias stays zero: Keras's cell has one.
            self.torch.nn.init.zeros_(biases[1])
            biases.pop().requires_grad_(False)
        parameters = dict(zip(self.data.cell_names,
                              ([rnn.weight_ih_l0], [rnn.weight_hh_l0], biases)))
        parameters.update({"dense/kernel": [model.dense.weight], "dense/bias": [model.dense.bias]})
        if self.spec["model"] == "embedding":
            parameters["embedding/embeddings"] = [model.embedding.weight]
        return parameters

    def _columns(self, name, *orders):
        """Columns that bring a cell's weight from one order of gates into another; else all."""
        if name not in self.data.cell_names:
            return slice(None)
        return common.gate_columns(*orders, self.spec["units"])

    def reset(self):
        torch, cell = self.torch, self.data.cell
        with torch.no_grad():
            for name, value in self.data.weights.items():
                value = value[..., self._columns(name, cell.gates, cell.torch_gates)]
                values = [value.T] if "kernel" in name else value.reshape(
                    (-1,) + tuple(self.parameters[name][0].shape))
                for parameter, part in zip(self.parameters[name], values, strict=True):
                    parameter.copy_(torch.from_numpy(part))
        self.trained = [p for name in self.data.weights for p in self.parameters[name]]
        self.velocities = [torch.zeros_like(p) for p in self.trained]

    def step(self, inputs, labels):
        torch, spec = self.torch, self.spec
        for parameter in self.trained:
            parameter.grad = None
        loss = torch.nn.functional.binary_cross_entropy_with_logits(self.logits(inputs), labels)
        loss.backward()
        with torch.no_grad():
            gradients = [p.grad for p in self.trained]
            torch._foreach_mul_(self.velocities, spec["rho"])
            torch._foreach_addcmul_(self.velocities, gradients, gradients, 1 - spec["rho"])
            roots = torch._foreach_add(self.velocities, spec["epsilon"])
            torch._foreach_sqrt_(roots)
            torch._foreach_addcdiv_(self.trained, gradients, roots, -spec["learning_rate"])
        return loss.detach()

    def epoch(self):
        torch, batch = self.torch, self.spec["batch"]
        inputs, labels = torch.from_numpy(self.data.inputs), torch.from_numpy(self.data.labels)
        losses = [self.step(inputs[i:i + batch], labels[i:i + batch])
                  for i in range(0, len(inputs), batch)]
        if self.spec["task"] == "fit":
            with torch.inference_mode():
                logits = self.model(torch.from_numpy(self.data.validation_inputs))
                self.validation_loss = torch.nn.functional.binary_cross_entropy_with_logits(
                    logits, torch.from_numpy(self.data.validation_labels))
        return losses

    def _prepare_predict(self):
        """Eager, or traced and frozen: what runs quicker here."""
        torch = self.torch
        model = self.model.eval()

        class Probability(torch.nn.Module):

            def __init__(self):
                super().__init__()
                self.model = model

            def forward(self, inputs):
                return torch.sigmoid(self.model(inputs))

        probability = Probability().eval()
        example = torch.from_numpy(self.data.inputs[:self.spec["batch"]])
        with torch.inference_mode():
            forms = {"eager": probability,
                     "traced and frozen": torch.jit.optimize_for_inference(
                         torch.jit.freeze(torch.jit.trace(probability, example)))}
            for form in forms.values():
                for _ in range(3):  # The first calls of a traced function optimize it.
                    form(example)
            self.form = common.fastest({name: lambda f=f: f(example) for name, f in forms.items()})
        self.predict = forms[self.form]

    def check(self):
        torch, spec = self.torch, self.spec
        answer = {"versions": {"torch": torch.__version__}, "form": self.form}
        if spec["task"] == "predict":
            batches = common.batches_forever(torch.from_numpy(self.data.inputs), spec["batch"])
            with torch.inference_mode():
                answer["predictions"] = [
                    float(p) for _ in range(common.CHECKED_ROWS // spec["batch"])
                    for p in self.predict(next(batches)).reshape(-1)]
            return answer
        losses = [float(loss) for loss in self.epoch()]
        if spec["task"] == "train":
            answer["losses"] = common.running_means(losses, spec["chunk"])
        else:
            answer["losses"] = [sum(losses) / len(losses), float(self.validation_loss)]
        cell = self.data.cell
        answer["weights"] = common.as_lists({
            name: torch.stack([p.T if "kernel" in name else p for p in parts]).detach().numpy()[
                ..., self._columns(name, cell.torch_gates, cell.gates)]
            for name, parts in self.parameters.items()})
        return answer

    def run(self, seconds):
        torch, spec = self.torch, self.spec
        if spec["task"] == "predict":
            batches = common.batches_forever(torch.from_numpy(self.data.inputs), spec["batch"])
            with torch.inference_mode():
                return common.repeat(lambda: self.predict(next(batches)), spec["batch"], seconds)
        self.reset()
        if spec["task"] == "fit":
            return common.repeat(self.epoch, spec["steps"] * spec["batch"], seconds)
        batches = zip(common.batches_forever(torch.from_numpy(self.data.inputs), spec["batch"]),
                      common.batches_forever(torch.from_numpy(self.data.labels), spec["batch"]))
        return common.repeat(lambda: self.step(*next(batches)), spec["batch"], seconds)


if __name__ == "__main__":
    common.serve(lambda spec, data: PyTorch(spec, data, "--compile" in sys.argv))
