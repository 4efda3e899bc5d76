"""Measures this project beside Keras, JAX, PyTorch and ONNX Runtime; tools/benchmark calls it.

Without a Python environment that has them, only this project and oneDNN's bare primitive are measured.
Whoever computes something else than a float64 run is reported as wrong and not timed.
"""

import argparse
import json
import math
import os
import platform
import re
import sys
import tempfile
import time

from tools.peer_benchmark import measure
from tools.peer_benchmark import program as program_lib
from tools.peer_benchmark import recurrences
from tools.peer_benchmark import steps as steps_lib
from tools.peer_benchmark import table
from tools.peer_benchmark import workloads as workloads_lib

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def _arguments(argv):
    names = [w.name for w in workloads_lib.WORKLOADS]
    parser = argparse.ArgumentParser(
        prog="tools/benchmark", description=__doc__,
        epilog="tools/benchmark --install [...] first makes such an environment in .cache, from "
        "tools/peer_benchmark/requirements.txt; later calls find it there.")
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--step_program", default="", help=argparse.SUPPRESS)
    parser.add_argument("--stream_program", default="", help=argparse.SUPPRESS)
    parser.add_argument("--python", default=os.environ.get("SEQGRAPH_BENCHMARK_PYTHON", ""),
                        metavar="PATH", help="the environment's bin/python (default: that which "
                        "SEQGRAPH_BENCHMARK_PYTHON names, or the installed one)")
    parser.add_argument("--backend", action="append", metavar="NAMES",
                        help="ours, may be given several times; the first is what others are held "
                        "against (default: each that is built in, simd or else onednn first)")
    parser.add_argument("--quick", action="store_true",
                        help="shorter runs and fewer of them, no whole epochs, no torch.compile")
    parser.add_argument("--workload", action="append", choices=names, metavar="NAME",
                        help="only these: " + ", ".join(names))
    parser.add_argument("--contender", default="", metavar="REGEX",
                        help="besides the first of ours only those whose name matches")
    parser.add_argument("--rounds", type=int, help="pairs (default: 15, quick 7)")
    parser.add_argument("--seconds", type=float,
                        help="of each side of a pair (default: 0.4, quick 0.2)")
    parser.add_argument("--processor_time", action="store_true",
                        help="rates by the processor time of all threads, not by the clock on the "
                        "wall: for a machine with other work")
    parser.add_argument("--output", metavar="FILE", help="write the tables there")
    parser.add_argument("--json", metavar="FILE",
                        help="write all that was measured there, after each line of work")
    parser.add_argument("--resume", action="store_true",
                        help="take what --json has already, measured with the same settings, and add "
                        "what is missing")
    parser.add_argument("--minutes", type=float, default=math.inf, metavar="N",
                        help="begin nothing after so many; exit status 3 if something is left, for "
                        "another call with --resume")
    parser.add_argument("--update_page", action="store_true",
                        help="put the tables that were measured into docs/benchmarks.md, between "
                        "their markers")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)),
                        help="the core that all run on (default: %(default)s)")
    args = parser.parse_args(argv)
    if args.resume and not args.json:
        parser.error("--resume continues what --json names")
    return args


def _machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        text = file.read()
    model = re.search(r"^model name\s*:\s*(.*)$", text, re.MULTILINE)
    flags = re.search(r"^flags\s*:\s*(.*)$", text, re.MULTILINE)
    flags = flags.group(1).split() if flags else []
    best = [name for flag, name in (("avx512f", "AVX-512"), ("avx2", "AVX2"), ("sse4_1", "SSE4"))
            if flag in flags]
    best = best[0] if best else "no AVX"
    return {"cpu": "%s with %s, %d cores" % (model.group(1) if model else platform.machine(), best,
                                             os.cpu_count()),
            "instruction_set": best,
            "system": "Linux " + platform.release(), "flags": flags, "load": [os.getloadavg()[0]]}


def _backends(program, start):
    """Those that are built in, the fastest ones first."""
    with start((program,)) as running:
        names = running.ask(do="backends")["backends"]
    return sorted(names, key=lambda name: (name != "simd", name == "reference", name))


def _contenders(args, backends, instruction_set):
    first, *others = workloads_lib.on_each_set(
        [workloads_lib.ours(args.program, backend) for backend in backends] +
        workloads_lib.bare_primitives(args.program), instruction_set)
    if args.python:
        others += workloads_lib.peers(args.python)
    return [first] + [c for c in others if re.search(args.contender, c.name)]


def _oracles(args, say):
    """The float64 runs; where there is no numpy, our own backend `reference`."""
    meanings = (workloads_lib.DENSE, workloads_lib.PER_OCCURRENCE)
    if args.python:
        return {meaning: workloads_lib.oracle(args.python, meaning) for meaning in meanings}
    say("no Python environment named: results are held against the backend `reference`")
    return {meaning: workloads_lib.ours(args.program, "reference") for meaning in meanings}


def _known(args, settings):
    """The result that is to be continued; None where there is none. ProgramError for one that does
    not fit."""
    if not (args.resume and os.path.exists(args.json)):
        return None
    try:
        with open(args.json, encoding="utf-8") as file:
            known = json.load(file)
        if known["settings"] != settings:
            raise program_lib.ProgramError("%s was measured with other settings: %r, now %r" % (
                args.json, known["settings"], settings))
        return known
    except (ValueError, KeyError, TypeError) as error:
        raise program_lib.ProgramError("%s holds no result: %r" % (args.json, error)) from error


def _rows_of(result, name):
    found = [w["rows"] for w in result["workloads"] if w["name"] == name] if result else []
    return found[0] if found else []


def run(args, say):
    """Measures; returns the result, all that is known, as it goes into the JSON file, and whether
    something is left."""
    steps, rounds, seconds = (64, 7, 0.2) if args.quick else (320, 15, 0.4)
    rounds, seconds = args.rounds or rounds, args.seconds or seconds
    end = time.monotonic() + 60 * args.minutes

    def start(command):
        return program_lib.Program(command, args.core)

    backends = args.backend or _backends(args.program, start)
    machine = _machine()
    contenders = _contenders(args, backends, machine["instruction_set"])
    oracles = _oracles(args, say)
    chosen = [w for w in workloads_lib.WORKLOADS
              if (w.name in args.workload if args.workload else w.quick or not args.quick)]
    settings = {"rounds": rounds, "seconds": seconds, "steps": steps, "core": args.core,
                "processor_time": args.processor_time, "first": contenders[0].name,
                "environment": program_lib.ONE_THREAD}
    known = _known(args, settings)
    result = {"machine": machine, "workloads": list(known["workloads"]) if known else [],
              "settings": settings}
    if known:
        result["machine"]["load"] = known["machine"]["load"] + result["machine"]["load"]
    bench = measure.Bench(start, rounds, seconds, lambda: time.monotonic() > end,
                          args.processor_time)
    is_left = False
    for workload in chosen:
        say("== " + workload.title)
        wanted = [c for c in contenders if c.does(workload, args.quick)]
        before = _rows_of(result, workload.name)
        if time.monotonic() > end:
            is_left |= {c.name for c in wanted} > {row["name"] for row in before}
            continue
        with tempfile.TemporaryDirectory(prefix="seqgraph_benchmark_") as folder:
            spec = {**workloads_lib.TUTORIAL, "steps": steps, **workload.spec, "data": folder}
            with start((args.program,)) as writer:
                # As many rows for single ones as for batches.
                answer = writer.ask(do="write_data",
                                    spec=dict(spec, batch=workloads_lib.TUTORIAL["batch"]))
            if "error" in answer:
                raise program_lib.ProgramError("cannot write the data: " + answer["error"])
            rows = bench.run(spec, wanted, oracles, say, before)
        is_left |= len(rows) < len(wanted)
        # Those that this call was not asked for stay.
        names = {row["name"] for row in rows}
        rows += [row for row in before if row["name"] not in names]
        result["workloads"] = [w for w in result["workloads"] if w["name"] != workload.name]
        result["workloads"].append({"name": workload.name, "title": workload.title,
                                    "table": workload.table, "spec": dict(spec, data=None),
                                    "rows": rows})
        _write_json(args, result)
    _measure_recurrences(args, result, known, say, time.monotonic() > end)
    is_left |= bool(args.step_program) and not result["recurrences"]
    _measure_steps(args, result, known, say, time.monotonic() > end)
    is_left |= bool(args.stream_program) and not result["steps"]
    order = [w.name for w in workloads_lib.WORKLOADS]
    result["workloads"].sort(key=lambda w: order.index(w["name"]))
    result["machine"]["load"].append(os.getloadavg()[0])
    _write_json(args, result)
    return result, is_left


def _measure_recurrences(args, result, known, say, time_is_over):
    """LSTM and GRU beside the bare primitives, unless an earlier run has them."""
    result["recurrences"] = known.get("recurrences", []) if known else []
    if result["recurrences"] or time_is_over or not args.step_program:
        return
    best = result["machine"]["instruction_set"]
    limits = workloads_lib.LIMITED_TO if best == "AVX-512" else {}
    for name, environment in {best: {}, **limits}.items():
        say("== LSTM and GRU beside oneDNN's primitives, " + name)
        result["recurrences"] += recurrences.measure(args.step_program, name, environment, args.core)


def _measure_steps(args, result, known, say, time_is_over):
    """Single steps of streams, unless an earlier run has them."""
    result["steps"] = known.get("steps", []) if known else []
    if not result["steps"] and not time_is_over and args.stream_program:
        say("== one step of one stream")
        result["steps"] = steps_lib.measure(args.stream_program, args.python, args.core)


def _write_json(args, result):
    if args.json:
        _write(args.json, json.dumps(result, indent=1) + "\n")


def _write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main(argv):
    args = _arguments(argv)

    def say(text):
        print(text, file=sys.stderr, flush=True)

    try:
        result, is_left = run(args, say)
    except program_lib.ProgramError as error:
        say("tools/benchmark: error: %s" % error)
        return 1
    tables = table.markdown(result)
    text = "\n".join(tables.values())
    sys.stdout.write(text)
    if args.output:
        _write(args.output, text)
    if args.update_page:
        path = os.path.join(_ROOT, "docs", "benchmarks.md")
        with open(path, encoding="utf-8") as file:
            page = file.read()
        _write(path, table.replace_between_markers(page, tables))
    # A peer that is not installed is no failure; one that is wrong or breaks is.
    statuses = {row["status"] for w in result["workloads"] for row in w["rows"]}
    if statuses & {measure.WRONG, measure.FAILED}:
        return 1
    return 3 if is_left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
