"""ONNX Runtime: the model written node by node in ONNX (lookup, recurrence, Gemm, Sigmoid), one thread."""

import common


class OnnxRuntime:

    def __init__(self, spec, data):
        import numpy
        import onnx
        import onnxruntime
        if spec["task"] != "predict":
            raise ImportError("onnxruntime runs models and does not train them")
        self.spec, self.data = spec, data
        self.versions = {"onnxruntime": onnxruntime.__version__, "onnx": onnx.__version__}
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
        self.session = onnxruntime.InferenceSession(
            self._model(numpy, onnx).SerializeToString(), options,
            providers=["CPUExecutionProvider"])

        shape = (spec["batch"], spec["time"])
        tokens = onnxruntime.OrtValue.ortvalue_from_numpy(numpy.zeros(shape, numpy.int32))
        self.probability = numpy.empty((spec["batch"], 1), numpy.float32)
        result = onnxruntime.OrtValue.ortvalue_from_numpy(self.probability)
        binding = self.session.io_binding()
        binding.bind_ortvalue_input("tokens", tokens)
        binding.bind_ortvalue_output("probability", result)

        def bound(batch):
            tokens.update_inplace(batch)
            self.session.run_with_iobinding(binding)
            return result.numpy()

        example = numpy.ascontiguousarray(data.inputs[:spec["batch"]])
        forms = {"run": lambda batch: self.session.run(["probability"], {"tokens": batch})[0],
                 "run_with_iobinding": bound}
        self.form = common.fastest({name: lambda f=f: f(example) for name, f in forms.items()})
        self.predict = forms[self.form]

    def _model(self, numpy, onnx):
        """Static shapes; weights are initializers, as exporters write them."""
        spec, weights, cell = self.spec, self.data.weights, self.data.cell
        helper, real = onnx.helper, onnx.TensorProto.FLOAT
        constants = {}
        if spec["model"] == "embedding":
            constants["table"] = weights["embedding/embeddings"]
        else:
            # ONNX Runtime's OneHot takes no int32: rows of the unit matrix.
            constants["table"] = numpy.eye(spec["vocabulary"], dtype=numpy.float32)
        columns = common.gate_columns(cell.gates, cell.onnx_gates, spec["units"])
        kernel, recurrent_kernel, biases = (v[:, columns] for v in self.data.of_cell(weights))
        both = numpy.zeros((2, len(columns)), numpy.float32)
        both[:len(biases)] = biases
        constants.update({
            "w": kernel.T[None], "r": recurrent_kernel.T[None], "b": both.reshape(1, -1),
            "kernel": weights["dense/kernel"], "bias": weights["dense/bias"],
            "axis": numpy.array([0], numpy.int64)})
        nodes = [
            helper.make_node("Gather", ["table", "tokens"], ["words"]),
            helper.make_node("Transpose", ["words"], ["by_time"], perm=[1, 0, 2]),
            helper.make_node(cell.operator, ["by_time", "w", "r", "b"], ["", "last"],
                             hidden_size=spec["units"], **cell.onnx_attributes),
            helper.make_node("Squeeze", ["last", "axis"], ["state"]),
            helper.make_node("Gemm", ["state", "kernel", "bias"], ["logits"]),
            helper.make_node("Sigmoid", ["logits"], ["probability"]),
        ]
        tokens = helper.make_tensor_value_info("tokens", onnx.TensorProto.INT32,
                                               [spec["batch"], spec["time"]])
        probability = helper.make_tensor_value_info("probability", real, [spec["batch"], 1])
        graph = helper.make_graph(nodes, "classifier", [tokens], [probability], [
            onnx.numpy_helper.from_array(numpy.ascontiguousarray(value), name)
            for name, value in constants.items()])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)],
                                  ir_version=8)
        onnx.checker.check_model(model)
        return model

    def check(self):
        batches = common.batches_forever(self.data.inputs, self.spec["batch"])
        return {"versions": self.versions, "form": self.form, "predictions": [
            float(p) for _ in range(common.CHECKED_ROWS // self.spec["batch"])
            for p in self.predict(next(batches)).reshape(-1)]}

    def run(self, seconds):
        batches = common.batches_forever(self.data.inputs, self.spec["batch"])
        return common.repeat(lambda: self.predict(next(batches)), self.spec["batch"], seconds,
                             calls_between_looks=4)


if __name__ == "__main__":
    common.serve(OnnxRuntime)
