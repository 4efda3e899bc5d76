"""Writes what was measured as Markdown, and puts it into a file between markers."""

import textwrap

from tools.peer_benchmark import recurrences
from tools.peer_benchmark import steps
from tools.peer_benchmark import workloads as workloads_lib

# Around a table, by its name.
BEGIN = "<!-- Written by tools/benchmark: %s. -->"
END = "<!-- End of what tools/benchmark wrote: %s. -->"
_WIDTH = 125


def thousands(value):
    """Three significant digits: 1,230,000; 456; 7.89."""
    if value >= 100:
        digits = len(str(int(value)))
        return format(int(round(value, 3 - digits)), ",")
    return format(value, ".3g")


def _cell(row):
    if row is None:
        return ""
    if row["status"] != "measured":
        return row["status"]
    text = thousands(row["samples_per_second"])
    if "ratio" not in row:
        return text
    return "%s (%s, %s to %s)" % ((text,) + tuple(
        thousands(row[key]) for key in ("ratio", "ratio_low", "ratio_high")))


def _range(values):
    """The least and the most of them; one where they look the same."""
    ends = [min(values), max(values)]
    return ends if "%.1f" % ends[0] != "%.1f" % ends[1] else ends[:1]


def _names(workloads):
    """All contenders in the order of their first appearance."""
    return list(dict.fromkeys(row["name"] for w in workloads for row in w["rows"]))


def _versions(workloads):
    found = {}
    for workload in workloads:
        for row in workload["rows"]:
            found.update(row.get("versions", {}))
    return ", ".join(name if value == "" else "%s %s" % (name, value)
                     for name, value in sorted(found.items()))


def not_measured(workloads):
    """One line for each contender and reason, the reasons cut to one line."""
    reasons = {}
    for workload in workloads:
        for row in workload["rows"]:
            if row["status"] != "measured":
                reason = " ".join(row["reason"].split())[:160]
                key = "%s %s: %s" % (row["name"], row["status"], reason)
                reasons.setdefault(key, []).append(workload["title"])
    return ["- %s (%s)" % (key, "; ".join(titles)) for key, titles in reasons.items()]


def markdown(result):
    """By name the tables of a result (the JSON that tools/benchmark writes) that hold anything; what
    is measured beside the bare primitives, and single steps, stand with the gated cells."""
    by_table = {}
    for workload in result["workloads"]:
        name = workload.get("table", workloads_lib.TUTORIAL_TABLE)  # Older files have that one only.
        by_table.setdefault(name, []).append(workload)
    texts = {name: _table(workloads, result) for name, workloads in by_table.items()}
    if result.get("recurrences"):
        parts = texts.get(workloads_lib.GATED_TABLE), recurrences.markdown(result["recurrences"])
        texts[workloads_lib.GATED_TABLE] = "\n".join(filter(None, parts))
    if result.get("steps"):
        parts = texts.get(workloads_lib.GATED_TABLE), steps.markdown(result["steps"])
        texts[workloads_lib.GATED_TABLE] = "\n".join(filter(None, parts))
    return texts


def _table(workloads, result):
    machine = result["machine"]
    titles = [w["title"] for w in workloads]
    lines = ["| samples/s (ratio) | " + " | ".join(titles) + " |",
             "| --- " * (len(titles) + 1) + "|"]
    for name in _names(workloads):
        rows = [next((r for r in w["rows"] if r["name"] == name), None) for w in workloads]
        lines.append("| %s | %s |" % (name, " | ".join(map(_cell, rows))))
    settings = result["settings"]
    text = ("In brackets: how many times as fast the first line is; the median of %d pairs that "
            "alternate, each side %g s at a time%s, one thread on one core, and the 10 %% and 90 %% "
            "quantiles. %s, load average %s; %s. %s." % (
                settings["rounds"], settings["seconds"],
                " and by processor time" * settings.get("processor_time", False), machine["cpu"],
                " to ".join("%.1f" % load for load in _range(machine["load"])),
                machine["system"], _versions(workloads)))
    lines += [""] + textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
    missing = not_measured(workloads)
    if missing:
        lines += ["", "Not measured:", ""] + missing
    return "\n".join(lines) + "\n"


def replace_between_markers(text, tables):
    """`text` with what stands between each table's markers replaced; ValueError if they are not there
    once each, in order."""
    for name, table in tables.items():
        begin, end = BEGIN % name, END % name
        if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
            raise ValueError("expected one line %s and after it one line %s" % (begin, end))
        head, rest = text.split(begin)
        tail = rest.split(end)[1]
        text = "%s%s\n\n%s\n%s%s" % (head, begin, table, end, tail)
    return text
