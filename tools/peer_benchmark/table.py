"""Writes what was measured as Markdown, and puts it into a file between two markers."""

import textwrap

from tools.peer_benchmark import recurrences

BEGIN = "<!-- Written by tools/benchmark. -->"
END = "<!-- End of what tools/benchmark wrote. -->"
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
    """The table of a result (the JSON that tools/benchmark writes)."""
    workloads, machine = result["workloads"], result["machine"]
    titles = [w["title"] for w in workloads]
    lines = ["| samples/s (ratio) | " + " | ".join(titles) + " |",
             "| --- " * (len(titles) + 1) + "|"]
    for name in _names(workloads):
        rows = [next((r for r in w["rows"] if r["name"] == name), None) for w in workloads]
        lines.append("| %s | %s |" % (name, " | ".join(map(_cell, rows))))
    settings = result["settings"]
    text = ("In brackets: how many times as fast the first line is; the median of %d pairs that "
            "alternate, each side %g s at a time, one thread on one core, and the 10 %% and 90 %% "
            "quantiles. %s, load average %s; %s. %s." % (
                settings["rounds"], settings["seconds"], machine["cpu"],
                " to ".join("%.1f" % load for load in _range(machine["load"])),
                machine["system"], _versions(workloads)))
    lines += [""] + textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
    if result.get("recurrences"):
        lines += ["", recurrences.markdown(result["recurrences"]).rstrip()]
    missing = not_measured(workloads)
    if missing:
        lines += ["", "Not measured:", ""] + missing
    return "\n".join(lines) + "\n"


def replace_between_markers(text, table):
    """`text` with what stands between BEGIN and END replaced; ValueError if they are not there once
    each, in order."""
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError("expected one line %s and after it one line %s" % (BEGIN, END))
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    return "%s%s\n\n%s\n%s%s" % (head, BEGIN, table, END, tail)
