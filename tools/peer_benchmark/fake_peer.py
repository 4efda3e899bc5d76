"""A peer for tests: answers as its first argument says, without computing anything.

usage: fake_peer.py BEHAVIOUR [SAMPLES_PER_SECOND]

Every request is also written to the file that FAKE_PEER_LOG names, one line "BEHAVIOUR request".
"""

import json
import os
import sys
import time


def results(spec):
    if spec["task"] == "predict":
        return {"predictions": [0.25, 0.75]}
    return {"losses": [0.7, 0.6], "weights": {"w": [1.0, 2.0], "b": [3.0]}}


def prepare(behaviour, spec):
    answer = dict(results(spec), form="made up", versions={"fake": "1.2"})
    if behaviour == "skipped":
        return {"skipped": "No module named 'fake'"}
    if behaviour == "error":
        return {"error": "ValueError: cannot"}
    if behaviour == "empty":
        return {"form": "nothing to compare", "versions": {}}
    if behaviour == "wrong_loss":
        answer["losses"][1] *= 1 + 2e-4
    if behaviour == "wrong_weight":
        answer["weights"]["w"][1] += 2e-3 * spec["learning_rate"] * spec["steps"]
    if behaviour == "lost_weight":
        del answer["weights"]["b"]
    if behaviour == "short_losses":
        answer["losses"].pop()
    if behaviour == "nan":
        answer["losses"][0] = float("nan")
    if behaviour == "close":
        answer["losses"][1] *= 1 + 5e-5
        answer["weights"]["w"][1] += 5e-4 * spec["learning_rate"] * spec["steps"]
    return answer


def main(behaviour, rate="1000"):
    if behaviour == "dies":
        print("Traceback\nfake: no such library", file=sys.stderr)
        sys.exit(3)
    for line in sys.stdin:
        request = json.loads(line)
        if os.environ.get("FAKE_PEER_LOG"):
            with open(os.environ["FAKE_PEER_LOG"], "a", encoding="utf-8") as log:
                log.write("%s %s\n" % (behaviour, request["do"]))
        if behaviour == "hangs":
            time.sleep(60)
        if behaviour == "babbles":
            print("Using 1 thread", flush=True)
        elif request["do"] == "prepare":
            print("noise " * 20000, file=sys.stderr)
            print(json.dumps(prepare(behaviour, request["spec"])), flush=True)
        elif behaviour == "breaks":
            print(json.dumps({"error": "RuntimeError: too late"}), flush=True)
        else:
            seconds = request["seconds"]
            print(json.dumps({"samples": float(rate) * seconds, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
