"""Convoy and Keras one after the other on Fashion-MNIST, whole processes; writes Results/fashion.md."""
import argparse
import csv
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import machine

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "peers")


def run(command):
    """Wall seconds, peak memory in MB, and what the process printed."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"error: {command[0]} ended with status {status}:\n{text[-2000:]}")
    return time.monotonic() - started, usage.ru_maxrss / 1024, text


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--convoy", required=True)
    parser.add_argument("--command", default="Scripts/bench-peers --fashion")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", default="Results/fashion.md")
    arguments = parser.parse_args()
    data = "Results/data/fashion-mnist.h5"
    if not os.path.exists(data):
        subprocess.run([arguments.convoy, "import", "fashion-mnist", "--to", data], check=True)

    rows = []
    directory = tempfile.mkdtemp()
    programs = {
        "Convoy": [arguments.convoy, "train", "Configs/fashion-mnist.yaml", "--quiet",
                   "--set", f"training.epochs={arguments.epochs}", "--set", f"seed={arguments.seed}",
                   "--run-dir", os.path.join(directory, "run")],
        "Keras": [sys.executable, os.path.join(FOLDER, "peer_keras_fashion.py"), str(arguments.epochs),
                  str(arguments.seed)],
    }
    for name, command in programs.items():
        seconds, memory, text = run(command)
        if name == "Convoy":
            with open(os.path.join(directory, "run", "metrics.csv")) as table:
                value = float(list(csv.DictReader(table))[-1]["test_accuracy"])
        else:
            value = float(re.search(r"accuracy\D*([\d.]+)", text)[1])
        rows.append((name, seconds, memory, value))
        print(f"  {name}: {seconds:.1f} s, {memory:.0f} MB, test accuracy {value:.4f}", file=sys.stderr, flush=True)
    shutil.rmtree(directory)

    import keras
    import tensorflow
    ratio = rows[0][1] / rows[1][1] * 100
    text = "\n".join([
        "# Fashion-MNIST, the lecture's CNN", "",
        f"Written by `{arguments.command}`: {arguments.epochs} epochs with the recipe of `Configs/fashion-mnist.yaml`, "
        "whole processes with reading, evaluating and a checkpoint after every epoch, one after the other.", "",
        "| program | wall time, s | peak memory, MB | test accuracy |", "| --- | --- | --- | --- |",
        *[f"| {name} | {seconds:.1f} | {memory:.0f} | {accuracy:.4f} |" for name, seconds, memory, accuracy in rows], "",
        f"Convoy takes {ratio:.0f}% of Keras's time (60% asked).", "",
        f"- seed {arguments.seed}", *machine.lines(arguments.convoy),
        f"- Keras {keras.__version__} on TensorFlow {tensorflow.__version__}", ""])
    print(text)
    with open(arguments.output, "w", encoding="utf-8") as file:
        file.write(text)


main()
