"""One step of one stream through LSTMs: ours by the C interface (tests/benchmark:stream_benchmark), and
ONNX Runtime and PyTorch with states as inputs and outputs (peers/one_step.py)."""

import json
import os
import re
import subprocess

from tools.peer_benchmark import program as program_lib

# So many times as fast as each peer a step is to be, by (layers, features, units).
BARS = {(1, 1, 16): 20, (1, 1, 64): 5, (2, 128, 128): 3}
PEERS = ("ONNX Runtime", "PyTorch", "PyTorch, traced")
_NAME = re.compile(r"StepThroughC/layers:(\d+)/features:(\d+)/units:(\d+)")
_SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers", "one_step.py")


def parse(text):
    """Nanoseconds of our step by shape, of one run's JSON."""
    found = ((_NAME.match(entry["name"]), entry) for entry in json.loads(text)["benchmarks"])
    return {tuple(map(int, name.groups())): entry["real_time"] for name, entry in found if name}


def _run(command, core):
    done = subprocess.run(["taskset", "-c", str(core)] + command,
                          env=dict(os.environ, **program_lib.ONE_THREAD), capture_output=True,
                          text=True, check=False)
    return done.stdout, (done.stderr.strip().splitlines() or ["status %d" % done.returncode])[-1]


def measure(program, python, core, rounds=7):
    """Rows: shape, nanoseconds of ours and of each peer, or why a peer has none. ProgramError if our
    benchmark fails."""
    text, reason = _run([program, "--benchmark_filter=StepThroughC", "--benchmark_format=json"], core)
    ours = parse(text) if text else {}
    if not set(BARS) <= set(ours):
        raise program_lib.ProgramError("%s: %s" % (program, reason))
    rows = []
    for shape in BARS:
        row = {"shape": list(shape), "ours": ours[shape], "peers": {}, "missing": {}}
        for peer in PEERS if python else ():
            sizes = ["--%s=%d" % item for item in zip(("layers", "features", "units"), shape)]
            text, reason = _run([python, "-B", _SCRIPT, "--peer=" + peer, "--rounds=%d" % rounds] +
                                sizes, core)
            if text:
                row["peers"][peer] = json.loads(text)["nanoseconds"]
            else:
                row["missing"][peer] = reason[:160]
        rows.append(row)
    return rows


def markdown(rows):
    """A table with a column for each shape; what is below the bar, or missing, is named below it."""
    lines = ["| one step of one stream | " + " | ".join(
        "LSTM %s%d, %d features" % ("%d x " % layers * (layers > 1), units, features)
        for layers, features, units in (row["shape"] for row in rows)) + " |",
             "| --- " * (len(rows) + 1) + "|",
             "| Seqgraph, `simd`, through C | " + " | ".join(
                 "%.0f ns" % row["ours"] for row in rows) + " |"]
    notes = []
    for peer in PEERS:
        cells = []
        for row in rows:
            time = row["peers"].get(peer)
            bar = BARS[tuple(row["shape"])]
            cells.append("" if time is None else "%.0f ns (%.1f)" % (time, time / row["ours"]))
            if time is not None and time < bar * row["ours"]:
                notes.append("- below the bar: %.1f times as fast as %s at %d x %d, not %d" % (
                    time / row["ours"], peer, row["shape"][0], row["shape"][2], bar))
            if peer in row["missing"]:
                notes.append("- %s not measured: %s" % (peer, row["missing"][peer]))
        lines.append("| %s | %s |" % (peer, " | ".join(cells)))
    lines += ["", "In brackets: how many times as fast ours is. Processor time of one thread."]
    return "\n".join(lines + [""] * bool(notes) + list(dict.fromkeys(notes))) + "\n"
