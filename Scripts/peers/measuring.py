"""The conversation between `compare.py` and a peer's program: one JSON object a line, over standard input and output.

    {"network": …, "precision": …, "mode": …}      builds a model and runs it until it is warm
    {"mode": …, "seconds": …, "steps": …}          times training steps of the model built in that mode

Models are kept until another network or precision is asked for. A peer stays alive between measurements, so that all of them take turns in one run without starting anew.
"""
import json
import os
import sys
import time

# Frameworks write to standard output as they please; the answers get a channel of their own.
_answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)

# Nobody would train with steps that take longer than this.
HOPELESS_SECONDS = 12


def serve(version, build):
    """`build(network, precision, mode)` returns a function that trains one step and waits for its result."""
    _say({"version": version})
    steps, workload = {}, None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "network" in request:
                if workload != (request["network"], request["precision"]):
                    workload = request["network"], request["precision"]
                    steps.clear()
                step = build(request["network"], request["precision"], request["mode"])
                seconds = _timed(step)
                # The first step compiles; a hopeless one is not repeated.
                for _ in range(2):
                    if seconds < 3 * HOPELESS_SECONDS:
                        seconds = _timed(step)
                steps[request["mode"]] = step
                _say({"step": seconds})
            else:
                _say({"times": _measure(steps[request["mode"]], request["seconds"], request["steps"])})
        except Exception as error:  # A framework's failure is a result of the comparison, not its end.
            _say({"error": f"{type(error).__name__}: {error}"[:300]})


def _measure(step, seconds, steps):
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < steps:
        times.append(_timed(step))
        if times[-1] > HOPELESS_SECONDS:
            break
    return times


def _timed(step):
    started = time.perf_counter()
    step()
    return time.perf_counter() - started


def _say(answer):
    _answers.write(json.dumps(answer) + "\n")
    _answers.flush()
