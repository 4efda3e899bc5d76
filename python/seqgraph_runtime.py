"""Runs models that seqgraph has saved: predict, evaluate, train_step. NumPy in, NumPy out.

    import seqgraph_runtime

    model = seqgraph_runtime.Model("model.pb")
    predict = model.compile("predict", batch=2)
    probability = predict(tokens=tokens)["probability"]

    stream = seqgraph_runtime.StreamModel("model.pb").stream()     # step by step
    stream.inputs["x"][...] = sample
    stream.step()
    print(stream.outputs["y"])

One file over libseqgraph_runtime.so.1 (runtime.h): nothing is compiled. The library is the one that
the environment variable SEQGRAPH_RUNTIME_LIBRARY names, or the one that the system's loader finds.
Whatever fails raises seqgraph_runtime.Error.
"""

import collections
import ctypes
import os

import numpy as np

__all__ = ["Error", "Function", "Model", "Stream", "StreamModel", "Tensor", "version"]

_DTYPES = {1: np.dtype(np.float32), 2: np.dtype(np.float64), 3: np.dtype(np.int32),
           4: np.dtype(np.int64)}

Tensor = collections.namedtuple("Tensor", "name dtype shape is_trainable is_optimizer_state")
Tensor.__doc__ = "An input, an output or a variable; -1 in `shape` is the batch, before compiling."


class Error(Exception):
    """What failed, and what to do. `code`: a seqgraph_code of runtime.h."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


class _Struct(ctypes.Structure):
    def __init__(self):
        super().__init__(struct_size=ctypes.sizeof(type(self)))


class _Status(_Struct):
    _fields_ = [("struct_size", ctypes.c_size_t), ("code", ctypes.c_int32),
                ("text", ctypes.c_char * 500)]


class _ModelInfo(_Struct):
    _fields_ = [("struct_size", ctypes.c_size_t), ("name", ctypes.c_char_p),
                ("description", ctypes.c_char_p), ("num_functions", ctypes.c_int32),
                ("num_variables", ctypes.c_int32), ("num_labels", ctypes.c_int32)]


class _TensorInfo(_Struct):
    _fields_ = [("struct_size", ctypes.c_size_t), ("name", ctypes.c_char_p),
                ("dtype", ctypes.c_int32), ("rank", ctypes.c_int32),
                ("dims", ctypes.POINTER(ctypes.c_int64)), ("num_bytes", ctypes.c_int64),
                ("data", ctypes.c_void_p), ("is_trainable", ctypes.c_int32),
                ("is_optimizer_state", ctypes.c_int32)]


class _FunctionInfo(_Struct):
    _fields_ = [("struct_size", ctypes.c_size_t), ("name", ctypes.c_char_p),
                ("num_inputs", ctypes.c_int32), ("num_outputs", ctypes.c_int32),
                ("num_updates", ctypes.c_int32), ("batch", ctypes.c_int64),
                ("num_bytes", ctypes.c_int64)]


class _Options(_Struct):
    _fields_ = [("struct_size", ctypes.c_size_t), ("batch", ctypes.c_int64),
                ("threads", ctypes.c_int32), ("max_num_bytes", ctypes.c_int64)]


class _StreamOptions(_Struct):
    _fields_ = [("struct_size", ctypes.c_size_t), ("function", ctypes.c_char_p),
                ("max_batch", ctypes.c_int64), ("block", ctypes.c_int64)]


class _StreamInfo(_Struct):
    _fields_ = [("struct_size", ctypes.c_size_t), ("num_inputs", ctypes.c_int32),
                ("num_outputs", ctypes.c_int32), ("num_slow_nodes", ctypes.c_int32),
                ("num_steps", ctypes.c_int64), ("max_batch", ctypes.c_int64),
                ("state_bytes", ctypes.c_int64), ("stream_bytes", ctypes.c_int64)]


def _load():
    name = os.environ.get("SEQGRAPH_RUNTIME_LIBRARY", "libseqgraph_runtime.so.1")
    try:
        library = ctypes.CDLL(name)
    except OSError as error:
        raise ImportError(
            "%s: install libseqgraph1, or let SEQGRAPH_RUNTIME_LIBRARY name the library" % error
        ) from error
    pointer, text, index, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, ctypes.c_size_t
    for function, result, arguments in [
            ("version", text, []),
            ("model_load", index, [text, pointer, pointer]),
            ("model_parse", index, [text, size, pointer, pointer]),
            ("model_free", None, [pointer]),
            ("model_get_info", index, [pointer, pointer, pointer]),
            ("model_label", text, [pointer, index]),
            ("model_get_function", index, [pointer, index, pointer, pointer]),
            ("model_get_variable", index, [pointer, index, pointer, pointer]),
            ("variable_get", index, [pointer, text, pointer, size, pointer]),
            ("variable_set", index, [pointer, text, pointer, size, pointer]),
            ("function_compile", index, [pointer, text, pointer, pointer, pointer]),
            ("function_free", None, [pointer]),
            ("function_get_info", index, [pointer, pointer, pointer]),
            ("function_get_input_info", index, [pointer, index, pointer, pointer]),
            ("function_get_output_info", index, [pointer, index, pointer, pointer]),
            ("function_run", index, [pointer, pointer]),
            ("stream_model_load", index, [text, pointer, pointer, pointer]),
            ("stream_model_parse", index, [text, size, pointer, pointer, pointer]),
            ("stream_model_free", None, [pointer]),
            ("stream_model_get_info", index, [pointer, pointer, pointer]),
            ("stream_create", index, [pointer, pointer, pointer]),
            ("stream_free", None, [pointer]),
            ("stream_get_input", index, [pointer, index, pointer, pointer]),
            ("stream_get_output", index, [pointer, index, pointer, pointer]),
            ("stream_step", index, [pointer, pointer]),
            ("stream_step_block", index,
             [pointer, ctypes.c_int64, pointer, pointer, pointer, pointer]),
            ("stream_reset", index, [pointer, pointer]),
            ("stream_copy", index, [pointer, pointer, pointer]),
            ("stream_save", index, [pointer, pointer, pointer, pointer]),
            ("stream_restore", index, [pointer, text, size, pointer]),
    ]:
        entry = getattr(library, "seqgraph_" + function)
        entry.restype, entry.argtypes = result, arguments
    return library


_library = _load()


def _call(function, *arguments):
    """Calls a function of the library that takes a status last."""
    status = _Status()
    if getattr(_library, "seqgraph_" + function)(*arguments, ctypes.byref(status)):
        raise Error(status.code, status.text.decode("utf-8", "replace"))


def _get(function, struct, *arguments):
    info = struct()
    _call(function, *arguments, ctypes.byref(info))
    return info


def _tensor(info):
    return Tensor(info.name.decode("utf-8", "replace"), _DTYPES[info.dtype],
                  tuple(info.dims[:info.rank]), bool(info.is_trainable),
                  bool(info.is_optimizer_state))


class _Handle:
    """A handle of the library, which frees it with the last that holds this."""

    def __init__(self, free):
        self.pointer = ctypes.c_void_p()
        self._free = getattr(_library, free)

    def __del__(self):
        self._free(self.pointer)


def _array(info, handle):
    """The memory that `info` points to, as an array, which keeps what it belongs to alive."""
    tensor = _tensor(info)
    memory = (ctypes.c_char * info.num_bytes).from_address(info.data)
    memory.handle = handle
    return np.frombuffer(memory, tensor.dtype).reshape(tensor.shape)


def version():
    """The library's version: "1.0.0"."""
    return _library.seqgraph_version().decode()


class Model:
    """Named functions over shared variables, from a file's path or from bytes."""

    def __init__(self, source):
        self._owner = _Handle("seqgraph_model_free")
        self._handle = self._owner.pointer
        if isinstance(source, (bytes, bytearray, memoryview)):
            source = bytes(source)
            _call("model_parse", source, len(source), ctypes.byref(self._handle))
        else:
            _call("model_load", os.fsencode(source), ctypes.byref(self._handle))
        self._info = _get("model_get_info", _ModelInfo, self._handle)

    @property
    def name(self):
        return self._info.name.decode("utf-8", "replace")

    @property
    def description(self):
        """What it was trained on and how."""
        return self._info.description.decode("utf-8", "replace")

    @property
    def labels(self):
        """Names of the classes that it tells apart."""
        return [_library.seqgraph_model_label(self._handle, i).decode("utf-8", "replace")
                for i in range(self._info.num_labels)]

    @property
    def functions(self):
        """Names of its functions."""
        return [_get("model_get_function", _FunctionInfo, self._handle, i).name.decode()
                for i in range(self._info.num_functions)]

    @property
    def variables(self):
        """A Tensor for each of its variables, by name."""
        tensors = [_tensor(_get("model_get_variable", _TensorInfo, self._handle, i))
                   for i in range(self._info.num_variables)]
        return {tensor.name: tensor for tensor in tensors}

    def get_variable(self, name):
        """A copy of the variable's content."""
        tensor = self._variable(name)
        content = np.empty(tensor.shape, tensor.dtype)
        _call("variable_get", self._handle, name.encode(), content.ctypes.data, content.nbytes)
        return content

    def set_variable(self, name, content):
        """Copies new content in, of the variable's shape and type."""
        tensor = self._variable(name)
        content = _content(tensor, content)
        _call("variable_set", self._handle, name.encode(), content.ctypes.data, content.nbytes)

    def _variable(self, name):
        variables = self.variables
        if name not in variables:
            raise Error(5, "there is no variable %s; there are: %s" % (name, ", ".join(variables)))
        return variables[name]

    def compile(self, name="predict", batch=1, threads=1, max_num_bytes=0):
        """The function of that name, made ready for batches of that many rows."""
        options = _Options()
        options.batch, options.threads, options.max_num_bytes = batch, threads, max_num_bytes
        handle = _Handle("seqgraph_function_free")
        _call("function_compile", self._handle, name.encode(), ctypes.byref(options),
              ctypes.byref(handle.pointer))
        return Function(handle)


def _content(tensor, given):
    array = np.ascontiguousarray(given)
    if array.shape != tensor.shape or not np.can_cast(array.dtype, tensor.dtype, "same_kind"):
        raise Error(3, "%s is %s%s, not %s%s" % (tensor.name, tensor.dtype, list(tensor.shape),
                                                 array.dtype, list(array.shape)))
    return array.astype(tensor.dtype, copy=False)


class Function:
    """A compiled function: call it with its inputs by name; it gives its outputs by name.

    Inputs that a call leaves out keep what they had. `inputs` and `outputs` are the function's own
    arrays, by name: who writes and reads there and calls run() copies nothing.
    """

    def __init__(self, handle):
        self._handle = handle
        info = _get("function_get_info", _FunctionInfo, handle.pointer)
        self.name = info.name.decode("utf-8", "replace")
        self.batch = info.batch
        self._tensors, self.inputs, self.outputs = {}, {}, {}
        for i in range(info.num_inputs):
            found = _get("function_get_input_info", _TensorInfo, handle.pointer, i)
            tensor = _tensor(found)
            self._tensors[tensor.name] = tensor
            self.inputs[tensor.name] = _array(found, handle)
        for i in range(info.num_outputs):
            found = _get("function_get_output_info", _TensorInfo, handle.pointer, i)
            self.outputs[_tensor(found).name] = _array(found, handle)

    def run(self):
        """Runs it on its inputs."""
        _call("function_run", self._handle.pointer)

    def __call__(self, **inputs):
        for name, given in inputs.items():
            if name not in self.inputs:
                raise Error(5, "%s has no input %s; it has: %s" %
                            (self.name, name, ", ".join(self.inputs)))
            self.inputs[name][...] = _content(self._tensors[name], given)
        self.run()
        return {name: output.copy() for name, output in self.outputs.items()}


class StreamModel:
    """A model made ready for streams, from a file's path or from bytes."""

    def __init__(self, source, function="predict", block=1):
        options = _StreamOptions()
        options.function, options.block = function.encode(), block
        self._handle = _Handle("seqgraph_stream_model_free")
        made = ctypes.byref(self._handle.pointer)
        if isinstance(source, (bytes, bytearray, memoryview)):
            source = bytes(source)
            _call("stream_model_parse", source, len(source), ctypes.byref(options), made)
        else:
            _call("stream_model_load", os.fsencode(source), ctypes.byref(options), made)
        self._info = _get("stream_model_get_info", _StreamInfo, self._handle.pointer)

    def stream(self):
        """A stream at the beginning."""
        handle = _Handle("seqgraph_stream_free")
        _call("stream_create", self._handle.pointer, ctypes.byref(handle.pointer))
        return Stream(handle, self._info)


class Stream:
    """One sequence on its way through a model.

    `inputs` and `outputs` are the stream's own arrays, by name: write there, step(), and read there.
    """

    def __init__(self, handle, info):
        self._handle = handle
        self.inputs, self.outputs = {}, {}
        for count, function, arrays in ((info.num_inputs, "stream_get_input", self.inputs),
                                        (info.num_outputs, "stream_get_output", self.outputs)):
            for i in range(count):
                found = _get(function, _TensorInfo, handle.pointer, i)
                arrays[_tensor(found).name] = _array(found, handle)

    def step(self):
        """Takes the step whose inputs have been written."""
        _call("stream_step", self._handle.pointer)

    def steps(self, **inputs):
        """Takes many steps: of each input an array of one more axis, the first, along the steps. Gives
        the outputs likewise."""
        if set(inputs) != set(self.inputs):
            raise Error(3, "the inputs are: %s" % ", ".join(self.inputs))
        count = len(next(iter(inputs.values())))
        given = [_content(Tensor(name, own.dtype, (count,) + own.shape, False, False), inputs[name])
                 for name, own in self.inputs.items()]
        outputs = {name: np.empty((count,) + own.shape, own.dtype)
                   for name, own in self.outputs.items()}
        pointers = [(ctypes.c_void_p * len(arrays))(*[array.ctypes.data for array in arrays])
                    for arrays in (given, list(outputs.values()))]
        _call("stream_step_block", self._handle.pointer, count, *pointers, None)
        return outputs

    def reset(self):
        """Back to the beginning."""
        _call("stream_reset", self._handle.pointer)

    def copy_from(self, other):
        """Goes on from where another stream of the same model is."""
        _call("stream_copy", self._handle.pointer, other._handle.pointer)

    def save(self):
        """The states as bytes."""
        size = ctypes.c_size_t()
        _call("stream_save", self._handle.pointer, None, ctypes.byref(size))
        saved = ctypes.create_string_buffer(size.value)
        _call("stream_save", self._handle.pointer, saved, ctypes.byref(size))
        return saved.raw

    def restore(self, saved):
        """Goes on from saved states, of this or any other process with the same model."""
        _call("stream_restore", self._handle.pointer, saved, len(saved))
