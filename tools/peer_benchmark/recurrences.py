"""LSTM and GRU over oneDNN's bare primitives, on each instruction set: tests/benchmark:step_benchmark."""

import json
import os
import re
import subprocess

from tools.peer_benchmark import program as program_lib

# A whole training step may take this many times as long as the primitive alone.
BAR = 1.0
_CELLS = {"kLstm": "LSTM", "kLbrGru": "GRU, reset after", "kGru": "GRU, reset before"}
_NAME = re.compile(r"GatedStep\w*<.*?(k\w+)>/features:(\d+)/units:(\d+)")


def parse(text):
    """Rows of one run's JSON: cell, features, units, and the paired ratios' median and quantiles."""
    rows = []
    for entry in json.loads(text)["benchmarks"]:
        found = _NAME.match(entry["name"])
        if found:
            rows.append({"cell": _CELLS[found[1]], "features": int(found[2]), "units": int(found[3]),
                         "ratio": entry["ratio"], "low": entry["p10"], "high": entry["p90"],
                         "of_peak": entry["of_peak"]})
    return rows


def measure(program, instruction_set, environment, core):
    """The rows on one instruction set; ProgramError if the benchmark fails."""
    done = subprocess.run(
        ["taskset", "-c", str(core), program, "--benchmark_filter=Gated", "--benchmark_format=json"],
        env=dict(os.environ, **program_lib.ONE_THREAD, **environment), capture_output=True, text=True,
        check=False)
    rows = parse(done.stdout) if done.returncode == 0 else []
    if not rows:
        raise program_lib.ProgramError("%s on %s: status %d: %s" % (
            program, instruction_set, done.returncode, done.stderr.strip()[-200:]))
    return [dict(row, instruction_set=instruction_set) for row in rows]


def markdown(rows):
    """A table with a column for each instruction set; what is beyond the bar is named below it."""
    sets = list(dict.fromkeys(row["instruction_set"] for row in rows))
    keys = list(dict.fromkeys((row["cell"], row["features"], row["units"]) for row in rows))
    cells = {(row["cell"], row["features"], row["units"], row["instruction_set"]): row for row in rows}
    lines = ["| training step / oneDNN's bare primitive | " + " | ".join(sets) + " |",
             "| --- " * (len(sets) + 1) + "|"]
    for key in keys:
        found = [cells.get(key + (name,)) for name in sets]
        lines.append("| %s (%d, %d) | %s |" % (key + (" | ".join(
            "" if row is None else "%.2f (%.2f to %.2f), %.0f %% of peak" % (
                row["ratio"], row["low"], row["high"], 100 * row["of_peak"])
            for row in found),)))
    beyond = ["%s (%d, %d) on %s" % (row["cell"], row["features"], row["units"],
                                     row["instruction_set"]) for row in rows if row["ratio"] > BAR]
    lines += ["", "Beyond the bar of %g: %s." % (BAR, "; ".join(beyond) if beyond else "none")]
    return "\n".join(lines) + "\n"
