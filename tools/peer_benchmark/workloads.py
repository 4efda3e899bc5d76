"""What is measured: the lines of work, and the programs that do them."""

import dataclasses
import os

_PEERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers")

# The tables: the tutorial's model, the same with gated cells, and series of numbers.
TUTORIAL_TABLE, GATED_TABLE, SERIES_TABLE = "tutorial", "gated cells", "series"

# Keras 3 on TensorFlow squares each occurrence of a word in a batch by itself; it is compared with a
# float64 run that does the same. All others square the sum.
DENSE, PER_OCCURRENCE = "dense", "per occurrence"


@dataclasses.dataclass(frozen=True)
class Workload:
    """A column of a table. `spec` is what differs from the tutorial's."""
    name: str
    title: str
    spec: dict
    quick: bool = True
    table: str = TUTORIAL_TABLE


@dataclasses.dataclass(frozen=True)
class Contender:
    """A row of the tables: a program, and which work it does."""
    name: str
    command: tuple
    tasks: tuple = ("train", "fit", "predict")
    models: tuple = ("embedding", "onehot", "series")
    tables: tuple = (TUTORIAL_TABLE, GATED_TABLE, SERIES_TABLE)
    spec: dict = dataclasses.field(default_factory=dict)
    meaning: str = DENSE
    checked: bool = True
    quick: bool = True

    def does(self, workload, quick):
        return (workload.spec["task"] in self.tasks and workload.spec["model"] in self.models and
                workload.table in self.tables and (self.quick or not quick))


TUTORIAL = {"cell": "SimpleRNN", "batch": 64, "time": 100, "vocabulary": 500, "features": 16,
            "units": 8, "learning_rate": 1e-4, "rho": 0.9, "epsilon": 1e-7, "chunk": 16}


def _gated(cell, units, task="train", batch=64):
    """A cell with as many features as units."""
    name, title = "%s_%s_%d" % (task, cell.lower(), units), "%s (%d, %d)" % (cell, units, units)
    if task == "train":
        title = "training step, " + title
    else:
        name, title = "%s_batch_%d" % (name, batch), "inference, %s, batch %d" % (title, batch)
    # Fewer steps an epoch, for each takes longer, and some peers run no less than an epoch.
    spec = {"task": task, "model": "embedding", "cell": cell, "features": units, "units": units,
            "batch": batch, "steps": 2048 // units}
    return Workload(name, title, spec, table=GATED_TABLE)


def _series(cell, units, features=6):
    """The shape of a motion sensor's: six channels, 100 steps."""
    spec = {"task": "fit", "model": "series", "cell": cell, "features": features, "units": units,
            "vocabulary": 4, "steps": 128}
    title = "epoch with validation, series of %d numbers, %s %d" % (features, cell, units)
    return Workload("fit_series_%s_%d" % (cell.lower(), units), title, spec, table=SERIES_TABLE)


WORKLOADS = (
    Workload("train_embedding", "training step, embedding", {"task": "train", "model": "embedding"}),
    Workload("train_onehot", "training step, one-hot", {"task": "train", "model": "onehot"}),
    Workload("fit_embedding", "epoch with validation, embedding",
             {"task": "fit", "model": "embedding"}, quick=False),
    Workload("fit_onehot", "epoch with validation, one-hot",
             {"task": "fit", "model": "onehot"}, quick=False),
    Workload("predict_64", "inference, batch 64",
             {"task": "predict", "model": "embedding", "batch": 64}),
    Workload("predict_1", "inference, batch 1",
             {"task": "predict", "model": "embedding", "batch": 1}),
    *(_gated(cell, units) for cell in ("LSTM", "GRU") for units in (16, 64)),
    *(_gated("LSTM", 64, "predict", batch) for batch in (64, 1)),
    _series("LSTM", 32),
    _series("GRU", 32),
)


# What limits ours and oneDNN to less than the CPU has.
LIMITED_TO = {"AVX2": {"SEQGRAPH_SIMD_TARGET": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2"}}


def on_each_set(contenders, best):
    """The contenders by name with the CPU's best instruction set, then limited to the lesser ones."""
    named = [dataclasses.replace(c, name="%s, %s" % (c.name, best)) for c in contenders]
    for name, environment in LIMITED_TO.items() if best == "AVX-512" else ():
        limits = tuple("%s=%s" % item for item in environment.items())
        named += [dataclasses.replace(c, name="%s, %s" % (c.name, name),
                                      command=("env",) + limits + c.command) for c in contenders]
    return named


def ours(program, backend):
    return Contender("Seqgraph, `%s`" % backend, (program, "--backend=" + backend))


def bare_primitives(program):
    """oneDNN's RNN primitive: at the tutorial's size, and at the one that it computes faster."""
    return [Contender("oneDNN's RNN primitive alone (16, %d)" % units, (program, "--bare_rnn"),
                      tasks=("train",), models=("embedding",), tables=(TUTORIAL_TABLE,),
                      spec={"units": units}, checked=False)
            for units in (8, 16)]


def oracle(python, meaning):
    """The judge of all contenders with that meaning, in float64."""
    flags = ("--per_occurrence",) if meaning == PER_OCCURRENCE else ()
    return Contender("float64", (python, "-B", os.path.join(_PEERS, "float64_oracle.py")) + flags)


def peers(python):
    """The other frameworks, each in its best form beside the usual one."""

    def peer(name, *command, **kwargs):
        script = os.path.join(_PEERS, command[0])
        return Contender(name, (python, "-B", script) + command[1:], **kwargs)

    on_tensorflow = {"meaning": PER_OCCURRENCE}
    return [
        peer("Keras on TensorFlow", "keras_fit.py", **on_tensorflow),
        peer("Keras on TensorFlow, XLA", "keras_fit.py", "--xla", **on_tensorflow),
        peer("Keras on TensorFlow, XLA, unrolled", "keras_fit.py", "--xla", "--unroll",
             **on_tensorflow),
        peer("Keras on JAX", "keras_fit.py", "--on=jax"),
        peer("PyTorch", "pytorch.py"),
        peer("PyTorch, `torch.compile`", "pytorch.py", "--compile", tasks=("train",), quick=False),
        peer("JAX, an epoch under one jit", "jax_scan.py"),
        peer("JAX, the same, table projected by hand", "jax_scan.py", "--projected_table",
             models=("embedding",)),
        peer("ONNX Runtime", "onnx_runtime.py", tasks=("predict",)),
    ]
