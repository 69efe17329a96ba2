"""Convoy and its peers in turn, one network and precision after the other; writes a table. Started by Scripts/bench-peers."""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import machine

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "peers")
sys.path.append(FOLDER)
from networks import NETWORKS  # noqa: E402

# name in the table: (program, mode)
PEERS = {
    "TensorFlow": ("tensorflow", "graph"),
    "PyTorch eager": ("pytorch", "eager"),
    "PyTorch channels-last": ("pytorch", "channels-last"),
    "PyTorch compiled": ("pytorch", "compiled"),
    "JAX": ("jax", "jit"),
}

# What this project asks of itself: its speed over that of the fastest peer at the same precision.
ASKED = {
    "lecture": {"fp32": 1.5, "bf16": 1.3}, "vgg": {"fp32": 2.0, "bf16": 1.15},
    "resnet20": {"fp32": 1.35, "bf16": 1.25}, "resnet18": {"fp32": 1.8, "bf16": 1.1},
    "go": {"fp32": 1.5, "bf16": 1.15},
}


class Peer:
    """A peer's program, alive for the whole comparison."""

    def __init__(self, program):
        self.program = program
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(FOLDER, f"peer_{program}.py")], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        answer = self._answer()
        self.version = answer.get("version", "")
        self.error = answer.get("error")

    def _answer(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"error": f"peer_{self.program}.py ended"}

    def ask(self, **request):
        if self.process.poll() is not None:
            return {"error": self.error or f"peer_{self.program}.py is not running"}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Result:
    """Images per second of one program at one network and precision, a number for each round."""

    def __init__(self):
        self.rounds, self.problem = [], None

    @property
    def rate(self):
        return statistics.median(self.rounds) if self.rounds else None

    def __str__(self):
        if not self.rounds:
            return "–"
        digits = 0 if self.rate >= 200 else 1
        spread = (max(self.rounds) - min(self.rounds)) / 2 / self.rate * 100
        return f"{self.rate:,.{digits}f} ±{spread:.0f}%"


def convoy_rate(program, name, precision, seconds):
    output = subprocess.run(
        [program, "bench", "--network", name, "--precision", precision, "--seconds", str(seconds),
         "--training-only", "--json"], check=True, capture_output=True, text=True).stdout
    return json.loads(output)[0]


def compare(arguments, peers, name, precision):
    """One network at one precision: every program is warmed up by itself, then all take turns."""
    batch = NETWORKS[name][3]
    results = {"Convoy": Result()} | {label: Result() for label in arguments.modes}
    slow = set()
    for label in arguments.modes:
        program, mode = PEERS[label]
        answer = peers[program].ask(network=name, precision=precision, mode=mode)
        if "error" in answer:
            results[label].problem = answer["error"]
        elif answer["step"] > arguments.hopeless:
            results[label].rounds.append(batch / answer["step"])
            slow.add(label)
    for _ in range(arguments.rounds):
        measured = convoy_rate(arguments.convoy, name, precision, arguments.seconds)
        results["Convoy"].rounds.append(measured["training_images_per_second"])
        for label in arguments.modes:
            program, mode = PEERS[label]
            if results[label].problem or label in slow:
                continue
            answer = peers[program].ask(mode=mode, seconds=arguments.seconds, steps=2)
            if "error" in answer:
                results[label].problem = answer["error"]
            else:
                results[label].rounds.append(batch / statistics.median(answer["times"]))
    for label, result in results.items():
        print(f"  {name} {precision} {label}: {result.problem or result}", file=sys.stderr, flush=True)
    return results


def table(arguments, all_results):
    columns = ["Convoy"] + list(arguments.modes)
    lines = ["| network (batch) | precision | " + " | ".join(columns) + " | ratio to the fastest | asked |",
             "|" + " --- |" * (len(columns) + 4)]
    for (name, precision), results in all_results.items():
        others = {label: result.rate for label, result in results.items() if label != "Convoy" and result.rate}
        if others:
            fastest = max(others, key=others.get)
            ratio = f"**{results['Convoy'].rate / others[fastest]:.2f}** ({fastest})"
        else:
            ratio = "–"
        cells = [str(results[column]) for column in columns]
        asked = ASKED[name][precision]
        lines.append(f"| {name} ({NETWORKS[name][3]}) | {precision} | " + " | ".join(cells)
                     + f" | {ratio} | {asked} |")
    return lines


def report(arguments, peers, all_results, started, load):
    lines = [
        "# Training speed beside other frameworks", "",
        "Written by `" + arguments.command + "`. Images/s of training steps on all cores, at the median step; the median of "
        f"{arguments.rounds} round(s) in which all programs take turns of at least {arguments.seconds:g} s, and half of the "
        "distance between the rounds. Convoy reads shuffled bytes from an HDF5 file, its peers train on one batch in memory. "
        "bf16 is Convoy's `precision: bf16`, Keras's `mixed_bfloat16`, PyTorch's autocast, and bf16 activations with fp32 "
        "parameters in JAX.", ""]
    lines += table(arguments, all_results)
    problems = [f"- {name} {precision}, {label}: {result.problem}"
                for (name, precision), results in all_results.items()
                for label, result in results.items() if result.problem]
    if problems:
        lines += ["", "Did not run:", ""] + problems
    minutes = (time.monotonic() - started) / 60
    lines += ["", f"- {minutes:.1f} minutes; load average {load} before the start"] + machine.lines(arguments.convoy)
    lines += [f"- {peer.version}" for peer in peers.values()]
    text = "\n".join(lines) + "\n"
    print(text)
    if arguments.output:
        with open(arguments.output, "w", encoding="utf-8") as file:
            file.write(text)
        print(f"Written to {arguments.output}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--convoy", required=True)
    parser.add_argument("--command", default="Scripts/bench-peers")
    parser.add_argument("--output")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--precision", default="fp32,bf16")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    arguments = parser.parse_args()
    arguments.rounds = arguments.rounds or (1 if arguments.quick else 2)
    arguments.seconds = arguments.seconds or (1 if arguments.quick else 2.5)
    arguments.hopeless = 4 if arguments.quick else 6
    names = arguments.networks.split(",")
    unknown = [name for name in names if name not in NETWORKS]
    if unknown:
        sys.exit(f"error: there is no network '{unknown[0]}'; there are: {', '.join(NETWORKS)}")
    arguments.modes = [label for label in arguments.peers.split(",") if label in PEERS]
    if arguments.quick and arguments.peers == ",".join(PEERS):
        arguments.modes.remove("PyTorch compiled")

    started, load = time.monotonic(), os.getloadavg()[0]
    programs = dict.fromkeys(PEERS[label][0] for label in arguments.modes)
    peers = {program: Peer(program) for program in programs}
    for program, peer in peers.items():
        print(f"  {peer.version or peer.error}", file=sys.stderr, flush=True)
    results = {}
    for name in names:
        for precision in arguments.precision.split(","):
            results[name, precision] = compare(arguments, peers, name, precision)
    for peer in peers.values():
        peer.close()
    report(arguments, peers, results, started, f"{load:.2f}")


main()
