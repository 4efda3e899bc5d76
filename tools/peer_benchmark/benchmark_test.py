"""Tests tools/benchmark's parts with made-up peers: who is timed, who is not, and what is written."""

import collections
import json
import math
import os
import sys
import tempfile
import unittest

from tools.peer_benchmark import agreement
from tools.peer_benchmark import measure
from tools.peer_benchmark import program
from tools.peer_benchmark import recurrences
from tools.peer_benchmark import steps
from tools.peer_benchmark import table
from tools.peer_benchmark import workloads
from tools.peer_benchmark.peers import common

FAKE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fake_peer.py")
TRAIN = {"task": "train", "model": "embedding", "cell": "SimpleRNN", "learning_rate": 1e-4,
         "steps": 100, "units": 8}
PREDICT = dict(TRAIN, task="predict")
ORACLE = workloads.Contender("oracle", (sys.executable, FAKE, "oracle"))


def contender(behaviour, rate=1000, **kwargs):
    return workloads.Contender(behaviour, (sys.executable, FAKE, behaviour, str(rate)), **kwargs)


def start(command, timeout=120.0):
    return program.Program(command, timeout=timeout)


def run(*contenders, spec=TRAIN, rounds=3):
    oracles = {workloads.DENSE: ORACLE, workloads.PER_OCCURRENCE: contender("wrong_loss")}
    rows = measure.Bench(start, rounds, 0.5).run(spec, contenders, oracles)
    assert [row["name"] for row in rows] == [c.name for c in contenders]
    return rows


class ProtocolTest(unittest.TestCase):

    def ask(self, behaviour, timeout=120.0, **request):
        with start((sys.executable, FAKE, behaviour), timeout) as peer:
            return peer.ask(**(request or {"do": "run", "seconds": 2.0}))

    def test_answers_come_back(self):
        self.assertEqual(self.ask("ok"), {"samples": 2000.0, "seconds": 2.0})

    def test_noise_on_standard_error_does_not_block(self):
        answer = self.ask("ok", do="prepare", spec=TRAIN)
        self.assertEqual(answer["losses"], [0.7, 0.6])

    def test_a_program_that_dies_is_an_error_with_its_last_words(self):
        with self.assertRaisesRegex(program.ProgramError, "status 3: fake: no such library"):
            self.ask("dies")

    def test_an_answer_that_is_no_json_is_an_error_that_shows_it(self):
        with self.assertRaisesRegex(program.ProgramError, "Using 1 thread"):
            self.ask("babbles")

    def test_a_program_that_hangs_is_ended(self):
        with self.assertRaisesRegex(program.ProgramError, "no answer in 0.3 s"):
            self.ask("hangs", timeout=0.3)

    def test_programs_run_on_one_thread_and_on_the_given_core(self):
        core = min(os.sched_getaffinity(0))
        code = ("import json, os; input(); print(json.dumps({'threads': os.environ["
                "'OMP_NUM_THREADS'], 'cores': sorted(os.sched_getaffinity(0))}))")
        with program.Program((sys.executable, "-c", code), core) as running:
            self.assertEqual(running.ask(), {"threads": "1", "cores": [core]})


class AgreementTest(unittest.TestCase):
    GOOD = {"losses": [0.5, 0.25], "weights": {"a": [1.0, -2.0]}, "predictions": [0.5]}

    def complaint(self, spec=TRAIN, **found):
        return agreement.compare(dict(self.GOOD, **found), self.GOOD, spec)[1]

    def test_equal_results_agree(self):
        self.assertEqual(agreement.compare(self.GOOD, self.GOOD, TRAIN),
                         ({"losses": 0.0, "weights": 0.0}, ""))
        self.assertEqual(agreement.compare(self.GOOD, self.GOOD, PREDICT),
                         ({"predictions": 0.0}, ""))

    def test_losses_are_compared_relatively(self):
        self.assertEqual(self.complaint(losses=[0.5, 0.25 * (1 + 0.9e-4)]), "")
        self.assertIn("losses differ", self.complaint(losses=[0.5, 0.25 * (1 - 1.1e-4)]))

    def test_weights_are_compared_with_how_far_training_moves_them(self):
        # 1e-3 of 1e-4 * 100 steps.
        self.assertEqual(self.complaint(weights={"a": [1.0, -2.0 + 0.9e-5]}), "")
        self.assertIn("weights differ", self.complaint(weights={"a": [1.0, -2.0 + 1.1e-5]}))

    def test_predictions_are_compared_absolutely(self):
        self.assertEqual(self.complaint(PREDICT, predictions=[0.5 + 0.9e-5]), "")
        self.assertIn("predictions differ", self.complaint(PREDICT, predictions=[0.5 - 1.1e-5]))

    def test_nan_infinity_and_what_is_missing_never_agree(self):
        self.assertIn("losses", self.complaint(losses=[0.5, math.nan]))
        self.assertIn("losses", self.complaint(losses=[math.inf, 0.25]))
        self.assertIn("losses", self.complaint(losses=[0.5]))
        self.assertIn("weights", self.complaint(weights={}))
        self.assertIn("weights", self.complaint(weights={"a": [1.0]}))
        self.assertIn("weights", self.complaint(weights={"b": [1.0, -2.0]}))
        self.assertIn("predictions", self.complaint(PREDICT, predictions=[]))
        self.assertIn("no losses", agreement.compare({}, self.GOOD, TRAIN)[1])


class MeasureTest(unittest.TestCase):

    def test_ratio_is_how_many_times_as_fast_the_first_is(self):
        first, slow, fast = run(contender("ok", 1000), contender("close", 250),
                                contender("ok", 4000))
        self.assertEqual([r["status"] for r in (first, slow, fast)], ["measured"] * 3)
        self.assertEqual(first["samples_per_second"], 1000)
        self.assertNotIn("ratio", first)
        self.assertEqual((slow["ratio"], slow["ratio_low"], slow["ratio_high"]), (4, 4, 4))
        self.assertEqual((fast["samples_per_second"], fast["ratio"]), (4000, 0.25))
        self.assertEqual(slow["versions"], {"fake": "1.2"})
        self.assertAlmostEqual(slow["differences"]["losses"], 5e-5)

    def test_a_peer_that_computes_something_else_is_wrong_and_not_timed(self):
        wrongs = ("wrong_loss", "wrong_weight", "lost_weight", "short_losses", "nan", "empty")
        for row in run(contender("ok"), *map(contender, wrongs))[1:]:
            with self.subTest(row["name"]):
                self.assertEqual(row["status"], measure.WRONG)
                self.assertTrue(row["reason"])
                self.assertNotIn("samples_per_second", row)

    def test_a_peer_is_held_against_the_oracle_of_its_own_meaning(self):
        other = {"meaning": workloads.PER_OCCURRENCE}
        _, same, dense = run(contender("ok"), contender("wrong_loss", **other),
                             contender("ok", **other))
        self.assertEqual((same["status"], dense["status"]), (measure.MEASURED, measure.WRONG))

    def test_what_has_no_results_is_timed_only_if_it_says_so(self):
        _, row = run(contender("ok"), contender("empty", checked=False))
        self.assertEqual(row["status"], measure.MEASURED)

    def test_skipped_and_failed_peers_are_rows_with_a_reason(self):
        _, skipped, error, dies, breaks, after = run(
            contender("ok"), contender("skipped"), contender("error"), contender("dies"),
            contender("breaks"), contender("ok"))
        self.assertEqual((skipped["status"], skipped["reason"]),
                         (measure.SKIPPED, "No module named 'fake'"))
        self.assertEqual((error["status"], error["reason"]), (measure.FAILED, "ValueError: cannot"))
        self.assertIn("no such library", dies["reason"])
        self.assertIn("too late", breaks["reason"])
        self.assertNotIn("samples_per_second", breaks)
        self.assertEqual(after["status"], measure.MEASURED)

    def test_nobody_is_timed_against_a_wrong_first(self):
        rows = run(contender("wrong_loss"), contender("ok"))
        self.assertEqual([r["status"] for r in rows], [measure.WRONG, measure.FAILED])

    def test_what_an_earlier_run_has_measured_is_taken_and_the_rest_added(self):
        oracles = {workloads.DENSE: ORACLE}
        first, close, fast = contender("ok"), contender("close", 250), contender("ok", 4000)
        fast = workloads.Contender("fast", fast.command)
        before = measure.Bench(start, 3, 0.5).run(TRAIN, [first, close], oracles)
        before[1]["ratio"] = 17
        before.append({"name": "fast", "status": measure.FAILED, "reason": "once"})
        rows = measure.Bench(start, 3, 0.5).run(TRAIN, [first, close, fast], oracles, known=before)
        self.assertEqual([row.get("ratio") for row in rows], [None, 17, 0.25])
        self.assertEqual(len(rows[0]["rates"]), 6)
        # All is known: nothing is started.
        again = measure.Bench(None, 3, 0.5).run(TRAIN, [first, close, fast], oracles, known=rows)
        self.assertEqual(again, rows)

    def test_when_the_time_is_over_no_other_contender_begins(self):
        over = iter([False, True, True])
        bench = measure.Bench(start, 3, 0.5, lambda: next(over))
        rows = bench.run(TRAIN, [contender("ok"), contender("close"), contender("nan"),
                                 contender("empty")], {workloads.DENSE: ORACLE})
        self.assertEqual([row["name"] for row in rows], ["ok", "close"])

    def test_quantiles_are_elements(self):
        self.assertEqual([measure.quantile([5, 1, 4, 2, 3], q) for q in (0, 0.1, 0.5, 0.9, 1)],
                         [1, 1, 3, 5, 5])

    def test_the_first_alone_is_timed_too(self):
        self.assertEqual(run(contender("ok", 500), spec=PREDICT)[0]["samples_per_second"], 500)

    def test_processor_time_counts_what_the_program_uses(self):
        # It says that 500 samples took it half a second, and does nothing.
        bench = measure.Bench(start, 3, 0.5, processor_time=True)
        row, = bench.run(PREDICT, [contender("ok", 1000)], {workloads.DENSE: ORACLE})
        self.assertGreater(row["samples_per_second"], 5000)

    def test_the_two_sides_of_a_pair_alternate(self):
        with tempfile.TemporaryDirectory() as folder:
            os.environ["FAKE_PEER_LOG"] = os.path.join(folder, "log")
            try:
                run(contender("ok"), contender("close"), rounds=3)
                with open(os.environ["FAKE_PEER_LOG"], encoding="utf-8") as log:
                    runs = [line.split()[0] for line in log if line.endswith(" run\n")]
            finally:
                del os.environ["FAKE_PEER_LOG"]
        self.assertEqual(runs, ["close"] + ["ok", "close"] * 3)  # The first one warms up.


class WorkloadsTest(unittest.TestCase):

    def test_every_peer_is_a_file_and_names_are_unique(self):
        contenders = (workloads.peers("python") + workloads.bare_primitives("ours") +
                      [workloads.ours("ours", "onednn")])
        for peer in workloads.peers("python"):
            self.assertTrue(os.path.isfile(peer.command[2]), peer.command)
        counts = collections.Counter(c.name for c in contenders)
        self.assertEqual(set(counts.values()), {1})
        self.assertEqual(len({w.name for w in workloads.WORKLOADS}), len(workloads.WORKLOADS))

    def test_ours_run_on_each_instruction_set_and_say_so(self):
        both = [workloads.ours("ours", "simd")] + workloads.bare_primitives("ours")[:1]
        named = workloads.on_each_set(both, "AVX-512")
        self.assertEqual([c.name for c in named], [
            "Seqgraph, `simd`, AVX-512", "oneDNN's RNN primitive alone (16, 8), AVX-512",
            "Seqgraph, `simd`, AVX2", "oneDNN's RNN primitive alone (16, 8), AVX2"])
        self.assertEqual(named[0].command, both[0].command)
        limits = ("env", "SEQGRAPH_SIMD_TARGET=AVX2", "ONEDNN_MAX_CPU_ISA=AVX2")
        self.assertEqual(named[2].command, limits + both[0].command)
        self.assertEqual(named[3].spec, both[1].spec)
        self.assertEqual([c.name for c in workloads.on_each_set(both[:1], "AVX2")],
                         ["Seqgraph, `simd`, AVX2"])

    def test_quick_leaves_out_what_takes_long(self):
        train = workloads.WORKLOADS[0]
        peers = workloads.peers("python")
        left_out = [c.name for c in peers if c.does(train, False) and not c.does(train, True)]
        self.assertEqual(left_out, ["PyTorch, `torch.compile`"])

    def test_gated_cells_are_trained_at_two_sizes_beside_each_framework(self):
        gated = [w for w in workloads.WORKLOADS if w.table == workloads.GATED_TABLE]
        trained = [w for w in gated if w.spec["task"] == "train"]
        self.assertEqual([(w.spec["cell"], w.spec["features"], w.spec["units"]) for w in trained],
                         [("LSTM", 16, 16), ("LSTM", 64, 64), ("GRU", 16, 16), ("GRU", 64, 64)])
        for work in trained:
            names = [c.name for c in workloads.peers("python") if c.does(work, True)]
            for name in ("PyTorch", "Keras on TensorFlow, XLA", "Keras on JAX",
                         "JAX, the same, table projected by hand"):
                self.assertIn(name, names)
            # The primitive alone is of the tutorial's cell.
            self.assertFalse([c for c in workloads.bare_primitives("ours") if c.does(work, False)])
        self.assertEqual([(w.spec["task"], w.spec["batch"]) for w in gated if w not in trained],
                         [("predict", 64), ("predict", 1)])

    def test_epochs_are_whole_chunks_and_hold_the_rows_that_are_checked(self):
        for work in workloads.WORKLOADS:
            spec = {**workloads.TUTORIAL, "steps": 64, **work.spec}
            self.assertEqual(spec["steps"] % spec["chunk"], 0, work.name)
            self.assertGreaterEqual(spec["steps"] * workloads.TUTORIAL["batch"],
                                    common.CHECKED_ROWS, work.name)
            self.assertIn(spec["cell"], common.CELLS)

    def test_keras_on_tensorflow_alone_has_its_own_meaning(self):
        for peer in workloads.peers("python"):
            self.assertEqual(peer.meaning == workloads.PER_OCCURRENCE,
                             peer.name.startswith("Keras on TensorFlow"), peer.name)


class PeersTest(unittest.TestCase):

    def test_a_missing_library_is_told_as_skipped(self):
        for peer in workloads.peers(sys.executable):
            # Without site-packages nobody has numpy.
            command = (peer.command[0], "-S") + peer.command[1:]
            with self.subTest(peer.name), start(command) as running:
                answer = running.ask(do="prepare", spec=dict(PREDICT, data="/no/such"))
                self.assertEqual(list(answer), ["skipped"])
                self.assertIn("numpy", answer["skipped"])

    def test_an_unknown_request_is_an_error(self):
        with start(workloads.peers(sys.executable)[0].command) as running:
            self.assertIn("unknown request", running.ask(do="dance")["error"])

    def test_columns_of_gates_are_brought_into_another_order_and_back(self):
        # Input, forget, candidate, output in Keras; input, output, forget, candidate in ONNX.
        lstm, gru = common.CELLS["LSTM"], common.CELLS["GRU"]
        self.assertEqual(common.gate_columns(lstm.gates, lstm.onnx_gates, 2),
                         [0, 1, 6, 7, 2, 3, 4, 5])
        # Update, reset, candidate in Keras and ONNX; reset, update, candidate in PyTorch.
        self.assertEqual(common.gate_columns(gru.gates, gru.torch_gates, 2), [2, 3, 0, 1, 4, 5])
        for cell in common.CELLS.values():
            for other in (cell.torch_gates, cell.onnx_gates):
                there = common.gate_columns(cell.gates, other, 3)
                back = common.gate_columns(other, cell.gates, 3)
                self.assertEqual([there[i] for i in back], list(range(3 * len(cell.gates))))

    def test_losses_are_reported_as_means_of_all_steps_so_far(self):
        self.assertEqual(common.running_means([1.0, 3.0, 5.0, 7.0, 100.0], 2), [2.0, 4.0])


class TableTest(unittest.TestCase):
    RESULT = {
        "machine": {"cpu": "A CPU", "system": "Linux 6", "load": [1.26, 0.5]},
        "settings": {"rounds": 7, "seconds": 0.5},
        "workloads": [
            {"title": "training", "table": "tutorial", "rows": [
                {"name": "ours", "status": "measured", "samples_per_second": 1234567.0,
                 "versions": {"a": "1.0"}},
                {"name": "peer", "status": "measured", "samples_per_second": 9876.0,
                 "ratio": 125.004, "ratio_low": 101.2, "ratio_high": 130, "versions": {"b": "2.0"}},
                {"name": "other", "status": "wrong", "reason": "losses differ\nby 1"}]},
            {"title": "inference", "table": "tutorial", "rows": [
                {"name": "ours", "status": "measured", "samples_per_second": 42.51},
                {"name": "third", "status": "skipped", "reason": "No module named 'x'"}]},
        ]}

    def tutorial(self):
        return table.markdown(self.RESULT)["tutorial"]

    def test_tables_are_apart_and_only_what_was_measured_is_there(self):
        lstm = {"title": "LSTM", "table": workloads.GATED_TABLE, "rows": [
            {"name": "ours", "status": "measured", "samples_per_second": 9.0}]}
        both = table.markdown(dict(self.RESULT, workloads=self.RESULT["workloads"] + [lstm]))
        self.assertEqual(both["tutorial"], self.tutorial())
        self.assertEqual(both[workloads.GATED_TABLE].splitlines()[:3],
                         ["| samples/s (ratio) | LSTM |", "| --- | --- |", "| ours | 9 |"])
        self.assertEqual(list(table.markdown(dict(self.RESULT, workloads=[lstm]))),
                         [workloads.GATED_TABLE])

    def test_numbers_have_three_digits(self):
        found = [table.thousands(x) for x in (1234567, 9876, 999.6, 456.4, 42.51, 7.125, 0.5)]
        self.assertEqual(found, ["1,230,000", "9,880", "1,000", "456", "42.5", "7.12", "0.5"])

    def test_rows_are_contenders_and_columns_are_work(self):
        lines = self.tutorial().splitlines()
        self.assertEqual(lines[:6], [
            "| samples/s (ratio) | training | inference |",
            "| --- | --- | --- |",
            "| ours | 1,230,000 | 42.5 |",
            "| peer | 9,880 (125, 101 to 130) |  |",
            "| other | wrong |  |",
            "| third |  | skipped |",
        ])

    def test_settings_machine_and_versions_stand_below(self):
        text = " ".join(self.tutorial().split())
        timed = dict(self.RESULT, settings=dict(self.RESULT["settings"], processor_time=True))
        self.assertIn("0.5 s at a time and by processor time, one",
                      " ".join(table.markdown(timed)["tutorial"].split()))
        for part in ("7 pairs", "0.5 s at a time, one", "A CPU, load average 0.5 to 1.3", "Linux 6", "a 1.0, b 2.0"):
            self.assertIn(part, text)

    def test_who_was_not_measured_is_listed_with_the_reason(self):
        text = self.tutorial()
        self.assertIn("- other wrong: losses differ by 1 (training)", text)
        self.assertIn("- third skipped: No module named 'x' (inference)", text)

    def test_recurrences_are_a_table_that_names_what_is_beyond_the_bar(self):
        name = "GatedStepOverBarePrimitive<BareCell::%s>/features:64/units:32/iterations:31"
        runs = [json.dumps({"benchmarks": [
            {"name": name % cell, "ratio": ratio, "p10": 0.5, "p90": 2, "of_peak": 0.456},
            {"name": "Another", "ratio": 9, "p10": 9, "p90": 9}]})
                for cell, ratio in (("kLstm", 0.9999), ("kLbrGru", 1.31))]
        rows = [dict(row, instruction_set=isa) for run, isa in zip(runs, ("AVX-512", "AVX2"))
                for row in recurrences.parse(run)]
        texts = table.markdown(dict(self.RESULT, recurrences=rows))
        self.assertEqual(texts["tutorial"], self.tutorial())
        lines = texts[workloads.GATED_TABLE].splitlines()
        start = lines.index("| training step / oneDNN's bare primitive | AVX-512 | AVX2 |")
        self.assertEqual(lines[start + 2:start + 6], [
            "| LSTM (64, 32) | 1.00 (0.50 to 2.00), 46 % of peak |  |",
            "| GRU, reset after (64, 32) |  | 1.31 (0.50 to 2.00), 46 % of peak |", "",
            "Beyond the bar of 1: GRU, reset after (64, 32) on AVX2."])

    def test_steps_are_a_table_that_names_what_is_below_the_bar(self):
        name = "StepThroughC/layers:%d/features:%d/units:%d/iterations:31/manual_time"
        ours = steps.parse(json.dumps({"benchmarks": [
            {"name": name % shape, "real_time": time}
            for shape, time in (((1, 1, 16), 100), ((1, 1, 64), 500), ((2, 128, 128), 9000))] + [
                {"name": "Latency/units:16", "real_time": 1}]}))
        self.assertEqual(ours, {(1, 1, 16): 100, (1, 1, 64): 500, (2, 128, 128): 9000})
        rows = [{"shape": list(shape), "ours": time,
                 "peers": {"ONNX Runtime": 20 * time if shape[2] == 16 else 4.04 * time},
                 "missing": {"PyTorch": "no torch"}} for shape, time in ours.items()]
        texts = table.markdown(dict(self.RESULT, steps=rows))
        self.assertEqual(texts["tutorial"], self.tutorial())
        lines = texts[workloads.GATED_TABLE].splitlines()
        start = lines.index("| one step of one stream | LSTM 16, 1 features | LSTM 64, 1 features | "
                            "LSTM 2 x 128, 128 features |")
        self.assertEqual(lines[start + 2:start + 4], [
            "| Seqgraph, `simd`, through C | 100 ns | 500 ns | 9000 ns |",
            "| ONNX Runtime | 2000 ns (20.0) | 2020 ns (4.0) | 36360 ns (4.0) |"])
        self.assertEqual(lines[-2:], [
            "- below the bar: 4.0 times as fast as ONNX Runtime at 1 x 64, not 5",
            "- PyTorch not measured: no torch"])

    def test_only_what_is_between_the_markers_is_replaced(self):
        begin, end = table.BEGIN % "a", table.END % "a"
        other = "%s\nkept\n%s\n" % (table.BEGIN % "b", table.END % "b")
        once = table.replace_between_markers("before\n%s\nold\n%s\nafter\n%s" % (begin, end, other),
                                             {"a": "new\n"})
        self.assertEqual(once, "before\n%s\n\nnew\n\n%s\nafter\n%s" % (begin, end, other))
        self.assertEqual(table.replace_between_markers(once, {"a": "new\n"}), once)

    def test_missing_double_or_swapped_markers_are_an_error(self):
        begin, end = table.BEGIN % "a", table.END % "a"
        for text in ("", begin, end + begin, begin + end + begin + end,
                     table.BEGIN % "b" + table.END % "b"):
            with self.assertRaises(ValueError):
                table.replace_between_markers(text, {"a": "new"})


if __name__ == "__main__":
    unittest.main()
