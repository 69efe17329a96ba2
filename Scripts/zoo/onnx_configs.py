"""Exports the networks of configs to ONNX and compares onnxruntime's outputs with Convoy's: the work of Scripts/onnx-configs.

    onnx_configs.py CONVOY [CONFIG …]

A network gets its weights from the config's own initialisers and a few steps of its own training, on samples of its shape that are
drawn here. Without configs, those of Configs/ that have a network are compared, and the table in Configs/MODELS.md is written.
"""

import glob
import json
import os
import re
import sys
import tempfile

import h5py
import numpy as np
import onnx
import onnxruntime

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fuzz"))
import exchange

TOLERANCE = 1e-5
# As many as the shards of all configs need, and one epoch more than the one that keeps layers frozen the longest.
BATCH = 32
EPOCHS = 3
# onnxruntime takes the samples in lots of these sizes.
LOTS = [1, 7, 24]
PAGE = "Configs/MODELS.md"
BEGIN, END = "<!-- onnx-configs -->\n", "<!-- end of onnx-configs -->\n"


def has_network(path):
    with open(path, encoding="utf-8") as file:
        return "look" not in re.findall(r"^([a-z_]+):", file.read(), re.MULTILINE)


class Task:
    """A config with samples that fit it."""

    def __init__(self, convoy, path, folder):
        self.convoy, self.path, self.folder = convoy, path, folder
        shown = json.loads(exchange.run(convoy, "config", "show", path, "--json"))
        network = shown["network"]
        self.name, self.shape = shown["name"], network["input"]
        self.layers = network["layers"]
        tables = [layer["embedding"] for layer in self.layers if "embedding" in layer]
        self.vocabulary = min((table["vocabulary"] for table in tables), default=None)
        # Words begin with drawn vectors, which need no file.
        for table in tables:
            table["pretrained"] = False
        # Sounds are floats, everything else bytes: pixels, planes of 0 and 1, numbers of words.
        self.is_float = self.name.startswith("speech")
        start = shown["training"].get("start")
        self.start = start["checkpoint"] if isinstance(start, dict) else None
        self.draw()

    def draw(self):
        random = np.random.default_rng(20)
        count = BATCH
        if self.vocabulary:
            self.x = random.integers(0, self.vocabulary, [count, *self.shape]).astype("uint16")
        elif self.is_float:
            self.x = random.standard_normal([count, *self.shape], "float32")
        elif "go-" in self.name:
            self.x = random.integers(0, 2, [count, *self.shape]).astype("uint8")
        else:
            self.x = random.integers(0, 256, [count, *self.shape]).astype("uint8")
        self.data = f"{self.folder}/data.h5"
        with h5py.File(self.data, "w") as file:
            for split in ("train", "test"):
                file[f"{split}/images"] = self.x
                # Every network here has at least two classes.
                file[f"{split}/labels"] = np.arange(count) % 2

    def train(self, run):
        settings = {
            "data.train.file": self.data, "data.test.file": self.data, "data.validation": "none",
            "training.batch": BATCH, "training.epochs": EPOCHS, "training.schedule": "constant",
            # What is trained in bf16 has its weights in fp32, and so has a model of ONNX.
            "training.precision": "fp32",
        }
        if self.start:
            # What it starts from is a run of the config of that name.
            base = Task(self.convoy, f"Configs/{os.path.basename(self.start)}.yaml", self.folder)
            base.train(f"{run}-base")
            settings["training.start.checkpoint"] = f"{run}-base"
        words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        config = f"{self.folder}/config.yaml"
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"extends": os.path.abspath(self.path), "network": {"layers": self.layers}}, file)
        exchange.run(self.convoy, "train", config, "--run-dir", run, "--workers", 2, "--quiet", *words)

    def predict(self, run):
        """Convoy's probabilities, one row for each sample."""
        text = exchange.run(
            self.convoy, "predict", run, "--data", self.data, "--rows", f"0-{len(self.x) - 1}", "--workers", 2, "--json")
        return np.array([row["probabilities"] for row in json.loads(text)], "float64")

    def export(self, run, *options):
        path = f"{self.folder}/model.onnx"
        exchange.run(self.convoy, "export", "onnx", run, "--to", path, "--overwrite", *options)
        onnx.checker.check_model(path, full_check=True)
        return path

    def run_onnx(self, path, x):
        """The model's outputs, from lots of several sizes."""
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        parts, lots, start = [], 0, 0
        while start < len(x):
            size = LOTS[lots % len(LOTS)]
            parts.append(session.run(None, {name: x[start : start + size]})[0])
            lots, start = lots + 1, start + size
        return np.concatenate(parts).astype("float64")

    def compare(self):
        """The largest differences of logits, of probabilities from bytes (None without bytes), and after an import."""
        run = f"{self.folder}/run"
        self.train(run)
        own = self.predict(run)
        path = self.export(run)
        floats = self.x.astype("float32")
        first = np.ascontiguousarray(np.moveaxis(floats, -1, 1)) if floats.ndim == 4 else floats
        logits = self.run_onnx(path, first)
        # Probabilities determine logits but for a number that all of a sample have in common.
        largest = logits.max(1, keepdims=True)
        logarithms = logits - largest - np.log(np.exp(logits - largest).sum(1, keepdims=True))
        found = [exchange.difference(np.log(own), logarithms)]
        exchange.run(
            self.convoy, "import", "onnx", path, "--to", f"{self.folder}/again.h5", "--overwrite", "--loss",
            "mean_squared_error")
        again = exchange.outputs(self.convoy, f"{self.folder}/again.h5", self.x, own.shape[1], self.folder)
        found.append(exchange.difference(again, logits))
        if self.x.dtype != np.uint8:
            return found + [None]
        bytes_path = self.export(run, "--layout", "nhwc", "--input", "uint8", "--probabilities")
        return found + [exchange.difference(self.run_onnx(bytes_path, self.x), own)]


def table(rows):
    lines = [
        "| config | outputs before softmax, from floats | imported again | probabilities, from bytes |", "| --- | --- | --- | --- |"]
    for name, found in rows:
        cells = ["takes no bytes" if off is None else f"{off:.1e}" for off in found]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def write_page(rows):
    with open(PAGE, encoding="utf-8") as file:
        text = file.read()
    before, rest = text.split(BEGIN)
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(before + BEGIN + table(rows) + END + rest.split(END)[1])


def main():
    convoy, configs = sys.argv[1], sys.argv[2:]
    rows, failed = [], []
    for path in configs or sorted(filter(has_network, glob.glob("Configs/*.yaml"))):
        name = os.path.basename(path)
        with tempfile.TemporaryDirectory() as folder:
            try:
                found = Task(convoy, path, folder).compare()
            except (exchange.Failed, onnx.checker.ValidationError) as error:
                failed.append(name)
                print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
                continue
        rows.append((name, found))
        if not all(off is None or off <= TOLERANCE for off in found):
            failed.append(name)
        print(name, *["-" if off is None else f"{off:.1e}" for off in found], flush=True)
    if failed:
        sys.exit(f"error: these differ by more than {TOLERANCE:g}, or could not be compared: {', '.join(failed)}")
    if not configs:
        write_page(rows)


if __name__ == "__main__":
    main()
