"""Measures Convoy and its peers in turn, one network and precision after the other; writes a table. Scripts/bench-peers starts it."""
import argparse
import json
import os
import subprocess
import sys
import time

import machine
import peer

sys.path.append(peer.FOLDER)
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


def convoy_rate(program, name, precision, seconds):
    output = subprocess.run(
        [program, "bench", "--network", name, "--precision", precision, "--seconds", str(seconds),
         "--training-only", "--json"], check=True, capture_output=True, text=True).stdout
    return json.loads(output)[0]["training_images_per_second"]


def compare(arguments, peers, name, precision):
    return peer.in_turns(
        lambda: convoy_rate(arguments.convoy, name, precision, arguments.seconds), peers,
        {label: PEERS[label] for label in arguments.modes}, name, precision, NETWORKS[name][3], arguments)


def table(arguments, all_results):
    columns = ["Convoy"] + list(arguments.modes)
    lines = ["| network (batch) | precision | " + " | ".join(columns) + " | ratio to the fastest | asked |",
             "|" + " --- |" * (len(columns) + 4)]
    for (name, precision), results in all_results.items():
        cells = [str(results[column]) for column in columns]
        asked = ASKED[name][precision]
        lines.append(f"| {name} ({NETWORKS[name][3]}) | {precision} | " + " | ".join(cells)
                     + f" | {peer.ratio(results)} | {asked} |")
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
    lines += peer.problems(all_results)
    minutes = (time.monotonic() - started) / 60
    lines += ["", f"- {minutes:.1f} minutes; load average {load} before the start"] + machine.lines(arguments.convoy)
    lines += [f"- {program.version}" for program in peers.values()]
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
        sys.exit(f"error: there is no network '{unknown[0]}'; known are {', '.join(NETWORKS)}")
    arguments.modes = [label for label in arguments.peers.split(",") if label in PEERS]
    if arguments.quick and arguments.peers == ",".join(PEERS):
        arguments.modes.remove("PyTorch compiled")

    started, load = time.monotonic(), os.getloadavg()[0]
    programs = dict.fromkeys(PEERS[label][0] for label in arguments.modes)
    peers = {program: peer.Peer(program) for program in programs}
    for program in peers.values():
        print(f"  {program.version or program.error}", file=sys.stderr, flush=True)
    results = {}
    for name in names:
        for precision in arguments.precision.split(","):
            results[name, precision] = compare(arguments, peers, name, precision)
    for program in peers.values():
        program.close()
    report(arguments, peers, results, started, f"{load:.2f}")


main()
