"""Convoy's commands over models of other programs, for scripts that compare what both compute."""

import json
import os
import subprocess

import h5py
import numpy as np


class Failed(Exception):
    """A command of Convoy ended with an error."""

    def __init__(self, code, message):
        super().__init__(f"exit code {code}: {message}")
        self.code, self.message = code, message


def run(*command, timeout=1200):
    """Runs a command; returns what it prints."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=timeout)
    if done.returncode:
        raise Failed(done.returncode, done.stderr.strip()[-4000:])
    return done.stdout


def write_draw(draw, folder):
    """Writes the samples of a draw and its config, `draw.yaml`, where the config expects them."""
    with h5py.File(f"{folder}/data.h5", "w") as file:
        file["x"], file["y"] = draw.x, draw.y
        if draw.weights is not None:
            file["w"] = draw.weights
    # JSON is YAML, too.
    with open(f"{folder}/draw.yaml", "w") as file:
        json.dump(draw.config, file, indent=1)


def write_table(path, rows):
    """Writes networks and what came of each as a table of Markdown."""
    with open(path, "w") as file:
        file.write("| network | result |\n| --- | --- |\n")
        file.writelines(f"| {name} | {result} |\n" for name, result in rows)


def outputs(convoy, checkpoint, x, count, folder, workers=2):
    """What the network of a checkpoint gives for samples, channels last: numbers, one row for each sample.

    The checkpoint must have been imported as one of numbers (`--loss mean_squared_error`), of which `count` come out.
    """
    data = os.path.join(folder, "samples.h5")
    with h5py.File(data, "w") as file:
        file["x"] = x
        file["y"] = np.zeros((len(x), count), "float32")
    text = run(
        convoy, "predict", checkpoint, "--data", data, "--images", "x", "--targets", "y", "--rows",
        f"0-{len(x) - 1}", "--workers", workers, "--json",
    )
    return np.array([row["values"] for row in json.loads(text)], "float64").reshape(len(x), -1)


def difference(found, wanted):
    """The largest difference, as a share of the largest value wanted where that is above 1."""
    found, wanted = np.asarray(found, "float64").ravel(), np.asarray(wanted, "float64").ravel()
    if found.shape != wanted.shape or not np.isfinite(found).all():
        return float("inf")
    return float(np.abs(found - wanted).max() / max(1.0, np.abs(wanted).max()))
