"""Whether two programs computed the same thing."""

# Relative difference of losses. A float32 run is within 1e-6 of the float64 run.
LOSS_BOUND = 1e-4
# Absolute difference of probabilities.
PREDICTION_BOUND = 1e-5
# Weights may differ by this share of learning_rate * steps, which is about how far RMSprop moves a
# weight whose gradients agree in sign. Losses alone would not do: after an epoch at the tutorial's
# learning rate two different meanings of an embedding's gradient give losses within 1e-4.
WEIGHT_SHARE = 1e-3


def _largest(pairs, distance):
    """The largest distance; infinity for NaN or nothing to compare."""
    distances = [distance(a, b) for a, b in pairs]
    return max((d if d == d else float("inf") for d in distances), default=float("inf"))


def _absolute(a, b):
    return abs(a - b)


def compare(found, expected, spec):
    """Compares two answers to "prepare".

    Returns ({"losses" or "weights" or "predictions": largest difference}, complaint), the complaint
    empty if all is within its bound.
    """
    differences, complaints = {}, []

    def judge(what, difference, bound):
        differences[what] = difference
        if not difference <= bound:
            complaints.append("%s differ by %.2g, bound %.2g" % (what, difference, bound))

    kinds = ("predictions",) if spec["task"] == "predict" else ("losses", "weights")
    for kind in kinds:
        if kind not in expected or kind not in found:
            complaints.append("no %s to compare" % kind)
        elif kind == "weights":
            if sorted(found[kind]) != sorted(expected[kind]):
                complaints.append("weights are %s, expected %s" %
                                  (sorted(found[kind]), sorted(expected[kind])))
                continue
            if any(len(found[kind][name]) != len(expected[kind][name]) for name in expected[kind]):
                complaints.append("weights are of other sizes")
                continue
            judge(kind,
                  _largest([pair for name in expected[kind]
                            for pair in zip(found[kind][name], expected[kind][name])], _absolute),
                  WEIGHT_SHARE * spec["learning_rate"] * spec["steps"])
        elif len(found[kind]) != len(expected[kind]):
            complaints.append("%d %s, expected %d" % (len(found[kind]), kind, len(expected[kind])))
        elif kind == "losses":
            judge(kind, _largest(zip(found[kind], expected[kind]),
                                 lambda a, b: abs(a - b) / max(abs(b), 1e-300)), LOSS_BOUND)
        else:
            judge(kind, _largest(zip(found[kind], expected[kind]), _absolute), PREDICTION_BOUND)
    return differences, "; ".join(complaints)
