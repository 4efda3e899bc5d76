"""Runs contenders beside the first of ours: checked first, then timed in alternation."""

import statistics

from tools.peer_benchmark import agreement
from tools.peer_benchmark import program as program_lib

# What became of a contender.
MEASURED, SKIPPED, WRONG, FAILED = "measured", "skipped", "wrong", "failed"


def _prepare(program, spec):
    """Returns (answer, status, reason)."""
    answer = program.ask(do="prepare", spec=spec)
    if "skipped" in answer:
        return answer, SKIPPED, answer["skipped"]
    if "error" in answer:
        return answer, FAILED, answer["error"]
    return answer, MEASURED, ""


class Judge:
    """What the contenders' answers to one spec should be; each oracle is asked once."""

    def __init__(self, oracles, spec, start):
        self._oracles, self._spec, self._start = oracles, spec, start
        self._answers = {}

    def expected(self, meaning):
        if meaning not in self._answers:
            with self._start(self._oracles[meaning].command) as program:
                answer, status, reason = _prepare(program, self._spec)
            if status != MEASURED:
                raise program_lib.ProgramError("the float64 oracle: " + reason)
            self._answers[meaning] = answer
        return self._answers[meaning]


def quantile(values, q):
    """The element that a share q of all do not exceed."""
    return sorted(values)[round(q * (len(values) - 1))]


class Bench:
    """Measures one workload.

    start: makes a Program from a command. rounds, seconds: how often, and how long at a time, each
    side of a pair runs. time_is_over: asked before each contender; those that are left then get no
    row. processor_time: rates are by that, which others on the machine disturb less.
    """

    def __init__(self, start, rounds, seconds, time_is_over=lambda: False, processor_time=False):
        self._start, self._rounds, self._seconds = start, rounds, seconds
        self._time_is_over, self._processor_time = time_is_over, processor_time

    def run(self, spec, contenders, oracles, say=lambda text: None, known=()):
        """Returns a row (a dict) for each contender; the first is the one that others are held
        against: its row has no ratio. If it cannot be measured, nobody is. `known`: rows of an
        earlier run; those that were measured are taken as they are."""
        measured = {row["name"]: row for row in known if row["status"] == MEASURED}
        if contenders[0].name in measured and all(c.name in measured for c in contenders):
            return [measured[c.name] for c in contenders]
        judge = Judge(oracles, spec, self._start)
        rows = []
        with self._start(contenders[0].command) as base:
            for contender in contenders:
                if contender is not contenders[0]:
                    if contender.name in measured:
                        rows.append(measured[contender.name])
                        continue
                    if self._time_is_over():
                        continue
                row = {"name": contender.name, "status": FAILED, "reason": ""}
                if contender is contenders[0]:
                    row["rates"] = list(measured.get(contender.name, {}).get("rates", ()))
                rows.append(row)
                try:
                    if contender is contenders[0]:
                        self._check(base, contender, spec, judge, row)
                    elif rows[0]["status"] != MEASURED:
                        row["reason"] = "nothing to be held against"
                    else:
                        self._pair(base, contender, spec, judge, row, rows[0])
                except program_lib.ProgramError as error:
                    row.update(status=FAILED, reason=str(error))
                say("%s: %s" % (contender.name, _summary(row)))
            if rows[0]["status"] == MEASURED:
                rates = rows[0].setdefault("rates", [])
                while len(rates) < self._rounds:
                    rates.append(self._rate(base, self._seconds))
                rows[0]["samples_per_second"] = statistics.median(rates)
        return rows

    def _rate(self, program, seconds):
        begin = program.processor_seconds()
        answer = program.ask(do="run", seconds=seconds)
        used = program.processor_seconds() - begin
        if "samples" not in answer:
            raise program_lib.ProgramError(answer.get("error", "no samples in %r" % answer))
        return answer["samples"] / (used if self._processor_time else answer["seconds"])

    def _check(self, program, contender, spec, judge, row):
        """Prepares the program and fills the row; its status is MEASURED if it may be timed."""
        spec = dict(spec, **contender.spec)
        answer, row["status"], row["reason"] = _prepare(program, spec)
        row.update((key, answer[key]) for key in ("form", "versions") if key in answer)
        if row["status"] == MEASURED and contender.checked:
            row["differences"], complaint = agreement.compare(
                answer, judge.expected(contender.meaning), spec)
            if complaint:
                row.update(status=WRONG, reason=complaint)

    def _pair(self, base, contender, spec, judge, row, base_row):
        with self._start(contender.command) as program:
            self._check(program, contender, spec, judge, row)
            if row["status"] != MEASURED:
                return
            self._rate(program, self._seconds / 5)  # Once to warm up.
            pairs = [(self._rate(base, self._seconds), self._rate(program, self._seconds))
                     for _ in range(self._rounds)]
        base_row.setdefault("rates", []).extend(first for first, _ in pairs)
        row["rates"] = [second for _, second in pairs]
        row["samples_per_second"] = statistics.median(row["rates"])
        ratios = [first / second for first, second in pairs]
        row.update(ratio=statistics.median(ratios), ratio_low=quantile(ratios, 0.1),
                   ratio_high=quantile(ratios, 0.9))


def _summary(row):
    if row["status"] != MEASURED:
        return "%s: %s" % (row["status"], row["reason"])
    if "ratio" not in row:
        return "agrees"
    return "%.4g samples/s, ratio %.3g (%.3g to %.3g)" % (
        row["samples_per_second"], row["ratio"], row["ratio_low"], row["ratio_high"])
