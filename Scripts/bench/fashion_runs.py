"""Whole trainings of the lecture's CNN on Fashion-MNIST, Convoy's and Keras's, with the recipe of Configs/fashion-mnist.yaml."""
import csv
import os
import re
import subprocess
import sys
import tempfile
import time

KERAS = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "peers", "peer_keras_fashion.py")
DATA = "Results/data/fashion-mnist.h5"


def ensure_data(convoy):
    if not os.path.exists(DATA):
        subprocess.run([convoy, "import", "fashion-mnist", "--to", DATA], check=True)


def train_convoy(convoy, epochs, seed, *settings):
    """Wall seconds, peak memory in MB, and the test accuracy after the last epoch."""
    with tempfile.TemporaryDirectory() as folder:
        run = os.path.join(folder, "run")
        seconds, memory, _ = _run([
            convoy, "train", "Configs/fashion-mnist.yaml", "--quiet", "--run-dir", run,
            *[word for setting in (f"training.epochs={epochs}", f"seed={seed}", *settings)
              for word in ("--set", setting)]])
        with open(os.path.join(run, "metrics.csv")) as table:
            return seconds, memory, float(list(csv.DictReader(table))[-1]["test_accuracy"])


def train_keras(epochs, seed, order="repeated"):
    """The same of Keras; `order` as in peer_keras_fashion.py."""
    seconds, memory, text = _run([sys.executable, KERAS, str(epochs), str(seed), order])
    return seconds, memory, float(re.search(r"accuracy\D*([\d.]+)", text)[1])


def _run(command):
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"error: {command[0]} ended with status {status}:\n{text[-2000:]}")
    return time.monotonic() - started, usage.ru_maxrss / 1024, text
