"""Checks what `seqgraph train --tensorboard` and `--profile=FILE.pftrace` write with what reads it.

usage: PYTHON check_event_files.py SEQGRAPH     (a Python with tensorboard, tbparse, pillow, perfetto)

A model is trained with --history, ended after two of four epochs and gone on with. Then
  - tbparse must give each of the history's numbers once, as float32, by tag and step, and nothing else
    that is called like one;
  - TensorBoard itself, by its Python reader and by its data server, must serve the same curves, the
    graph, the histograms, the picture, and the run with its flags on the page of hyper-parameters;
  - none of them may log a warning;
  - the trace must parse by Perfetto's own messages, with slices that nest and two counters; where
    SEQGRAPH_TRACE_PROCESSOR names a folder with trace_processor (as WebAssembly, for node), that must
    load it without an error too, and see the same slices and counters.
Prints one line a check, and exits with 1 at the first that fails.
"""

import collections
import contextlib
import csv
import io
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # where tbparse finds TensorFlow

import numpy
import PIL.Image
import tbparse
from perfetto.protos.perfetto.trace import perfetto_trace_pb2
from tensorboard import default, program
from tensorboard.compat.proto import graph_pb2
from google.protobuf import text_format

_RUN = "run"  # the folder of the run below TensorBoard's


class _Warnings(logging.Handler):
    """Keeps what is logged as a warning or worse."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        self.lines.append(self.format(record))


def _check(condition, what):
    if not condition:
        print(f"FAILED: {what}")
        sys.exit(1)


def _train(seqgraph, folder):
    """Gives the rows of the history."""
    def run(*arguments):
        return subprocess.run([seqgraph, *arguments], cwd=folder, check=True, capture_output=True,
                              text=True).stdout

    common = ["train", "--data=synthetic", f"--tensorboard=board/{_RUN}", "--history=history.csv",
              "--profile=trace.pftrace", "--maxlen=20", "--units=4", "--patience=100"]
    run(*common, "--epochs=2", "--run=state")
    run("train", "--resume=state", "--epochs=4", "--profile=trace.pftrace")
    with open(os.path.join(folder, "history.csv"), newline="") as file:
        return list(csv.DictReader(file))


def _expected(rows):
    """(run, tag) -> {step: value} of the history."""
    curves = collections.defaultdict(dict)
    for row in rows:
        for name, value in row.items():
            if name in ("epoch", "backends", "threads"):
                continue
            part = "validation" if name.startswith("val_") else "train"
            tag = "epoch_" + name.removeprefix("val_")
            curves[f"{_RUN}/{part}", tag][int(row["epoch"])] = float(numpy.float32(float(value)))
    return dict(curves)


def _compare(curves, expected, reader):
    """`curves` as `expected`, with more than these only where the history has none of it."""
    for key, points in expected.items():
        _check(curves.get(key) == points, f"{reader}: {key} is {curves.get(key)}, not {points}")
    epochs = set(next(iter(expected.values())))
    for (run, tag), points in curves.items():
        of_history = tag.startswith("epoch_") and tag != "epoch_learning_rate"
        _check((run, tag) in expected or not of_history, f"{reader}: {run} has {tag}")
        _check(set(points) == epochs, f"{reader}: {run} {tag} has the steps {sorted(points)}")
    rate = curves[f"{_RUN}/train", "epoch_learning_rate"]
    _check(set(rate.values()) == {float(numpy.float32(1e-4))}, f"{reader}: learning rates {rate}")
    for norm in ("update_norm/", "weight_norm/", "gradient_norm/"):
        of = {tag.removeprefix(norm) for _, tag in curves if tag.startswith(norm)}
        _check("all" in of and len(of) >= 4, f"{reader}: {norm} of {of} alone")


def _check_tbparse(board, expected):
    # What TensorFlow 2 and we write are tensors to it, curves as well.
    reader = tbparse.SummaryReader(board, extra_columns={"dir_name"})
    tensors = reader.tensors
    _check(not tensors.duplicated(["dir_name", "tag", "step"]).any(), "tbparse: a step twice")
    curves, histograms = collections.defaultdict(dict), collections.defaultdict(dict)
    pictures = {}
    for row in tensors.itertuples():
        if row.tag == "confusion_matrix":
            pictures[row.dir_name, row.step] = row.value
        elif row.tag.endswith("/histogram"):
            histograms[row.tag][row.step] = tbparse.SummaryReader.tensor_to_histogram(row.value)
        else:
            curves[row.dir_name, row.tag][row.step] = row.value
    _compare(curves, expected, "tbparse")
    epochs = sorted(next(iter(expected.values())))
    _check(len(histograms) >= 3, f"tbparse: histograms {list(histograms)}")
    for tag, steps in histograms.items():
        _check(sorted(steps) == epochs, f"tbparse: {tag} has the steps {sorted(steps)}")
        _check(len({step["num"] for step in steps.values()}) == 1 and steps[0]["num"] > 0,
               f"tbparse: {tag} counts other numbers of weights from step to step")
    _check(list(pictures) == [(f"{_RUN}/validation", epochs[-1])], f"tbparse: {list(pictures)}")
    width, height, png = next(iter(pictures.values()))
    with PIL.Image.open(io.BytesIO(png)) as image:
        _check(image.size == (int(width), int(height)), f"tbparse: a picture of {image.size}")
    hyper_parameters = dict(zip(reader.hparams["tag"], reader.hparams["value"]))
    _check(hyper_parameters.get("units") == 4, f"tbparse: {hyper_parameters}")
    return curves


class _Server:
    """TensorBoard on a free port of 127.0.0.1."""

    def __init__(self, board, load_fast):
        tensorboard = program.TensorBoard(plugins=default.get_plugins())
        tensorboard.configure(argv=["tensorboard", f"--logdir={board}", "--host=127.0.0.1",
                                    "--port=0", f"--load_fast={load_fast}",
                                    "--reload_interval=1"])
        self._url = tensorboard.launch()

    def get(self, path, **query):
        url = f"{self._url}data/{path}?{urllib.parse.urlencode(query)}"
        return urllib.request.urlopen(url, timeout=30).read()

    def post(self, path, data, content_type):
        request = urllib.request.Request(f"{self._url}data/{path}", data,
                                         {"Content-Type": content_type})
        return json.loads(urllib.request.urlopen(request, timeout=30).read())

    def series(self, plugin, run, tag, **more):
        requests = json.dumps([{"plugin": plugin, "tag": tag, "run": run, **more}])
        answer = self.post("plugin/timeseries/timeSeries",
                           urllib.parse.urlencode({"requests": requests}).encode(),
                           "application/x-www-form-urlencoded")
        return answer[0]["runToSeries"][run]


def _wait_for(condition, what):
    """Until TensorBoard, which reads in a thread of its own, has read all."""
    import time
    for _ in range(300):
        result = condition()
        if result:
            return result
        time.sleep(0.1)
    _check(False, what)


def _check_server(board, expected, load_fast):
    server = _Server(board, load_fast)
    reader = "data server" if load_fast == "true" else "TensorBoard"
    last = max(next(iter(expected.values())))

    def tags():
        found = json.loads(server.get("plugin/timeseries/tags"))
        pictures = found.get("images", {}).get("tagRunSampledInfo", {})
        return found if "confusion_matrix" in pictures else None

    found = _wait_for(tags, f"{reader}: no picture")
    curves = {}
    for run, names in found["scalars"]["runTagInfo"].items():
        for tag in names:
            points = server.series("scalars", run, tag)
            curves[run, tag] = {p["step"]: float(numpy.float32(p["value"])) for p in points}
            _check(len(points) == len(curves[run, tag]), f"{reader}: a step twice in {tag}")
    _compare(curves, expected, reader)

    histograms = found["histograms"]["runTagInfo"][f"{_RUN}/train"]
    _check(len(histograms) >= 3, f"{reader}: histograms {histograms}")
    steps = server.series("histograms", f"{_RUN}/train", histograms[0])
    _check([h["step"] for h in steps] == list(range(last + 1)), f"{reader}: steps of histograms")

    picture = server.series("images", f"{_RUN}/validation", "confusion_matrix", sample=0)[0]
    with PIL.Image.open(io.BytesIO(server.get("plugin/timeseries/imageData",
                                              imageId=picture["imageId"]))) as image:
        image.load()
        _check(image.format == "PNG" and image.size[0] == image.size[1], f"{reader}: {image}")
        _check(len(image.convert("RGB").getcolors(65536)) > 2, f"{reader}: an empty picture")

    graph = graph_pb2.GraphDef()
    text_format.Parse(server.get("plugin/graphs/graph", run=f"{_RUN}/train", conceptual="false"),
                      graph)
    names = {node.name for node in graph.node}
    _check(len(names) == len(graph.node) > 20, f"{reader}: {len(graph.node)} nodes")
    for node in graph.node:
        for name in node.input:
            _check(name.split(":")[0] in names, f"{reader}: {node.name} reads {name}")
    _check("Placeholder" in {node.op for node in graph.node}, f"{reader}: no inputs")

    body = json.dumps({"experimentName": "", "allowedStatuses": ["STATUS_SUCCESS"], "colParams": [],
                       "startIndex": 0, "sliceSize": 10, "aggregationType": "AGGREGATION_AVG",
                       "includeMetrics": True}).encode()
    groups = _wait_for(
        lambda: server.post("plugin/hparams/session_groups", body,
                            "application/json").get("sessionGroups"),
        f"{reader}: the run is not on the page of hyper-parameters, or has not succeeded")
    _check(len(groups) == 1, f"{reader}: {len(groups)} groups of sessions")
    flags = groups[0]["hparams"]
    for name, value in {"units": 4, "maxlen": 20, "epochs": 2, "data": "synthetic",
                        "optimizer": "RMSprop", "learning_rate": 0.0001}.items():
        _check(flags.get(name) == value, f"{reader}: {name} in {flags}")
    metrics = {(m["name"].get("group", ""), m["name"]["tag"]): m["value"]
               for m in groups[0]["sessions"][0]["metricValues"]}
    for (run, tag), points in expected.items():
        value = metrics.get((os.path.basename(run), tag))
        _check(value is not None and numpy.float32(value) == numpy.float32(points[last]),
               f"{reader}: the page of hyper-parameters says {metrics}")
    print(f"{reader}: {len(curves)} curves, {len(histograms)} histograms, a picture, a graph of "
          f"{len(names)} nodes, {len(flags)} hyper-parameters")


def _check_trace(path):
    trace = perfetto_trace_pb2.Trace()
    with open(path, "rb") as file:
        trace.ParseFromString(file.read())
    unknown = [p for p in trace.packet if p.WhichOneof("data") is None]
    _check(not unknown, "trace: packets of no kind")
    tracks = {p.track_descriptor.uuid: p.track_descriptor for p in trace.packet
              if p.HasField("track_descriptor")}
    _check(tracks[1].process.process_name == "seqgraph train", f"trace: {tracks[1]}")
    event_type = perfetto_trace_pb2.TrackEvent.Type
    open_slices, last, counters, nodes = collections.defaultdict(list), {}, {}, 0
    for packet in trace.packet:
        if not packet.HasField("track_event"):
            continue
        event, at = packet.track_event, packet.timestamp
        track = event.track_uuid
        _check(track in tracks, f"trace: no track {track}")
        _check(at >= last.get(track, 0), "trace: time goes back")
        last[track] = at
        if event.type == event_type.TYPE_COUNTER:
            _check(tracks[track].HasField("counter"), "trace: a counter on no track of one")
            value = getattr(event, event.WhichOneof("counter_value_field"))
            counters.setdefault(tracks[track].name, []).append(value)
        elif event.type == event_type.TYPE_SLICE_BEGIN:
            open_slices[track].append(event.name)
            nodes += event.categories[0] == "node"
        else:
            _check(event.type == event_type.TYPE_SLICE_END and open_slices[track],
                   "trace: an end without its begin")
            open_slices[track].pop()
    _check(not any(open_slices.values()), "trace: a slice that does not end")
    _check(set(counters) == {"memory of values", "GFLOP/s"}, f"trace: counters {set(counters)}")
    _check(max(counters["memory of values"]) > 0 and max(counters["GFLOP/s"]) > 0,
           "trace: counters of nothing")
    _check(nodes > 100, f"trace: {nodes} nodes")
    print(f"Perfetto's messages: {len(trace.packet)} packets, {nodes} nodes")
    processor = os.environ.get("SEQGRAPH_TRACE_PROCESSOR")
    if not processor or not shutil.which("node"):
        print("SKIPPED: trace_processor: SEQGRAPH_TRACE_PROCESSOR names none, or there is no node")
        return
    _check_with_processor(path, processor, nodes, counters)


def _check_with_processor(path, processor, nodes, counters):
    queries = {
        "errors": "select name, value from stats where severity = 'error' and value > 0",
        "nodes": "select count(*) as n, min(dur) as shortest from slice where category = 'node'",
        "counters": "select track.name as name, count(*) as n, max(value) as most, track.unit as unit "
                    "from counter join counter_track as track on counter.track_id = track.id "
                    "group by track.name",
        "process": "select name from process where name is not null",
        "inside": "select count(*) as n from slice join slice as outer on slice.parent_id = outer.id "
                  "where slice.category = 'node' and (slice.ts < outer.ts or "
                  "slice.ts + slice.dur > outer.ts + outer.dur)",
    }
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "trace_processor.mjs")
    said = subprocess.run(["node", script, processor, path, *queries.values()], capture_output=True,
                          text=True, check=False)
    _check(said.returncode == 0, f"trace_processor: {said.stderr}")
    rows = dict(zip(queries, map(json.loads, said.stdout.splitlines())))
    _check(rows["errors"] == [], f"trace_processor: {rows['errors']}")
    _check(rows["nodes"][0]["n"] == nodes and rows["nodes"][0]["shortest"] >= 0,
           f"trace_processor: {rows['nodes']}, not {nodes} nodes")
    _check(rows["inside"] == [{"n": 0}], f"trace_processor: {rows['inside']} nodes reach out")
    _check(rows["process"] == [{"name": "seqgraph train"}], f"trace_processor: {rows['process']}")
    seen = {row["name"]: (row["n"], row["most"]) for row in rows["counters"]}
    for name, values in counters.items():
        count, most = seen.get(name, (0, 0))
        _check(count == len(values) and abs(most - max(values)) <= 1e-9 * max(values),
               f"trace_processor: {name} {seen}, not {len(values)} with {max(values)} at most")
    print(f"trace_processor: {nodes} nodes, counters {rows['counters']}")


def main():
    seqgraph = os.path.abspath(sys.argv[1])
    logged = _Warnings()
    logging.getLogger().addHandler(logged)
    logging.getLogger("tensorboard").addHandler(logged)
    with tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR")) as folder:
        rows = _train(seqgraph, folder)
        _check([row["epoch"] for row in rows] == ["0", "1", "2", "3"], f"history: {rows}")
        expected = _expected(rows)
        _check(len(expected) == 4, f"history: {list(expected)}")
        board = os.path.join(folder, "board")
        said = io.StringIO()
        with warnings.catch_warnings(), contextlib.redirect_stderr(said):
            warnings.simplefilter("error", UserWarning)
            curves = _check_tbparse(board, expected)
        _check(not said.getvalue(), f"tbparse: {said.getvalue()}")
        print(f"tbparse: {len(curves)} curves equal to the history")
        for load_fast in ("false", "true"):
            _check_server(board, expected, load_fast)
        _check(not logged.lines, f"logged: {logged.lines}")
        _check_trace(os.path.join(folder, "trace.pftrace"))
    return 0


if __name__ == "__main__":
    sys.stdout.flush()
    status = main()
    sys.stdout.flush()
    os._exit(status)  # TensorBoard's threads do not end
