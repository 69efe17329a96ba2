"""Measures the cost of a step as workers, batch, image and width grow, and the speed of data and gradients. See Scripts/bench-scaling."""
import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile

import machine

DATA = "Results/data/fashion-mnist.h5"
NETWORKS = ("lecture", "vgg", "resnet20", "resnet18", "go")

CONFIG = """name: scaling
data: {{train: {{file: none.h5, images: train/images, labels: train/labels}}}}
network:
  input: [{size}, {size}, 3]
  layers:
    - rescale: {{scale: 1/255}}
    - conv2d: {{filters: {width}, kernel: 3, padding: same, activation: relu}}
    - conv2d: {{filters: {width}, kernel: 3, padding: same, activation: relu}}
    - max_pool2d: {{size: 2}}
    - conv2d: {{filters: {width}, kernel: 3, padding: same, activation: relu}}
    - conv2d: {{filters: {width}, kernel: 3, padding: same, activation: relu}}
    - global_average_pool2d
    - dense: {{units: 10}}
training:
  epochs: 1
  batch: {batch}
  loss: softmax_cross_entropy
  optimizer:
    sgd: {{learning_rate: 0.001, momentum: 0.9}}
"""

# Nearly all of its time is spent on its 25 million parameters.
LARGE = """name: parameters
data: {train: {file: none.h5, images: train/images, labels: train/labels}}
network:
  input: [50, 100, 1]
  layers:
    - rescale: {scale: 1/255}
    - flatten
    - dense: {units: 5000, activation: relu}
    - dense: {units: 10}
training:
  epochs: 1
  batch: 64
  loss: softmax_cross_entropy
  shard: 16
  optimizer:
    sgd: {learning_rate: 0.001, momentum: 0.9}
"""

DATASETS = """
import sys, h5py, numpy as np
source, target, copies = sys.argv[1], sys.argv[2], int(sys.argv[3])
with h5py.File(source) as f:
    images, labels = f["train/images"][()], f["train/labels"][()]
with h5py.File(target, "w") as f:
    storage = {"contiguous": {}, "chunks": {"chunks": (64,) + images.shape[1:]},
               "gzip": {"chunks": (64,) + images.shape[1:], "compression": "gzip", "compression_opts": 4}}[sys.argv[4]]
    made = f.create_dataset("train/images", (copies * len(images),) + images.shape[1:], "uint8", **storage)
    for copy in range(copies):
        made[copy * len(images):(copy + 1) * len(images)] = images
    f["train/labels"] = np.tile(labels, copies)
"""


class Scaling:
    def __init__(self, arguments):
        self.arguments = arguments
        self.seconds = 1 if arguments.quick else 3
        self.lines = []
        self.scratch = tempfile.TemporaryDirectory()

    def bench(self, *options, full=False):
        command = [self.arguments.convoy, "bench", *options, "--seconds", str(self.seconds), "--json"]
        if not full and "--reading-as-configured" not in options:
            command.append("--training-only")
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"error: {' '.join(command)}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def config(self, text, name="scaling.yaml"):
        path = os.path.join(self.scratch.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def train(self, options):
        """A whole epoch: images per second, share of the time waited for data, peak memory."""
        folder = os.path.join(self.scratch.name, "run")
        shutil.rmtree(folder, ignore_errors=True)
        command = [self.arguments.convoy, "train", *options, "--set", "training.epochs=1", "--run-dir", folder, "-q"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"error: {' '.join(command)} ended with {process.returncode}")
        with open(os.path.join(folder, "metrics.csv"), encoding="utf-8") as file:
            epoch = next(csv.DictReader(file))
        share = float(epoch["data_wait_seconds"]) / float(epoch["seconds"])
        return [f"{float(epoch['samples_per_second']):,.0f}", f"{share * 100:.2f}%", f"{usage.ru_maxrss * 1024 / 1e6:.0f}"]

    def table(self, title, header, rows, text=""):
        self.lines += ["", f"## {title}", ""] + ([text, ""] if text else [])
        self.lines += ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
        self.lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
        print("\n".join(["", title] + ["  ".join(str(cell) for cell in row) for row in rows]), file=sys.stderr, flush=True)

    def plot(self, name, label, points, logarithmic=True):
        """Images per second, and memory on the right axis, as an SVG by gnuplot."""
        rows = "\n".join(f"{x} {rate} {memory}" for x, rate, memory in points)
        ticks = ", ".join(f'"{x}" {x}' for x, _, _ in points)
        script = f"""
set terminal svg size 560,340 font "sans-serif,12" background "white"
set output "Results/scaling-{name}.svg"
$points << end
{rows}
end
set xlabel "{label}"
set ylabel "images/s"
set y2label "peak memory, MB"
set ytics nomirror
set y2tics
set yrange [0:*]
set y2range [0:*]
set xtics ({ticks})
{'set logscale x 2' if logarithmic else ''}
set key outside bottom center horizontal
plot $points using 1:2 with linespoints lw 2 pt 7 title "images/s", \\
     $points using 1:3 axes x1y2 with linespoints lw 2 pt 5 title "memory"
"""
        try:
            subprocess.run(["gnuplot"], input=script, text=True, check=True)
            self.lines += ["", f"![images/s and memory against {label}](scaling-{name}.svg)"]
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"warning: no plot of {name}: {error}", file=sys.stderr)

    # Each method below measures one table.

    def workers(self):
        rows = []
        counts = sorted({1, 2, os.cpu_count()})
        rounds = 1 if self.arguments.quick else 3
        for network in NETWORKS[:2] if self.arguments.quick else NETWORKS:
            # In turns, because the machine's speed drifts; each in a process of its own, because memory is the process's.
            turns = [[self.bench("--network", network, "--workers", str(count))[0] for count in counts]
                     for _ in range(rounds)]
            found = [sorted(results, key=lambda result: result["training_images_per_second"])[rounds // 2]
                     for results in zip(*turns)]
            rates = [result["training_images_per_second"] for result in found]
            rows.append([network] + [f"{rate:,.0f}" if rate > 200 else f"{rate:.1f}" for rate in rates]
                        + [f"{rates[1] / rates[0]:.2f}"]
                        + [f"{found[0]['peak_memory_bytes'] / 1e6:.0f}", f"{found[-1]['peak_memory_bytes'] / 1e6:.0f}"])
            if network == "vgg":
                points = [(result["workers"], result["training_images_per_second"], result["peak_memory_bytes"] / 1e6)
                          for result in found]
        self.table("Workers", ["network"] + [f"{count} worker{'' if count == 1 else 's'}, images/s" for count in counts]
                   + ["2 over 1", "memory of 1, MB", f"of {counts[-1]}"], rows,
                   f"fp32, the batch sizes of `convoy bench --network`; medians of {rounds} rounds in turns.")
        self.plot("workers", "workers (VGG-like)", points)

    def batch(self):
        points = []
        for batch in (16, 64, 256) if self.arguments.quick else (8, 16, 32, 64, 128, 256, 512):
            result = self.bench("--network", "lecture", "--batch", str(batch))[0]
            points.append((batch, result["training_images_per_second"], result["peak_memory_bytes"] / 1e6, result["shard"]))
        self.table("Batch", ["batch", "shard", "images/s", "memory, MB"],
                   [[batch, shard, f"{rate:,.0f}", f"{memory:.0f}"] for batch, rate, memory, shard in points],
                   "The lecture's CNN.")
        self.plot("batch", "samples of a step (lecture's CNN)", [point[:3] for point in points])

    def size(self):
        points = []
        for size in (16, 32) if self.arguments.quick else (16, 32, 64, 128, 256):
            path = self.config(CONFIG.format(size=size, width=32, batch=16))
            result = self.bench(path, "--made-up")[0]
            points.append((size, result["training_images_per_second"], result["peak_memory_bytes"] / 1e6,
                           result["training_flops_per_image"]))
        self.table("Image size", ["height and width", "images/s", "GFLOP/s", "memory, MB"],
                   [[size, f"{rate:,.1f}", f"{rate * flops / 1e9:.0f}", f"{memory:.0f}"] for size, rate, memory, flops in points],
                   "Four 3×3 convolutions of 32 filters with a pool in the middle, batch 16.")
        self.plot("size", "height and width of an image, pixels", [point[:3] for point in points])

    def width(self):
        points = []
        for width in (16, 64) if self.arguments.quick else (16, 32, 64, 128, 256):
            path = self.config(CONFIG.format(size=32, width=width, batch=64))
            result = self.bench(path, "--made-up")[0]
            points.append((width, result["training_images_per_second"], result["peak_memory_bytes"] / 1e6,
                           result["training_flops_per_image"]))
        self.table("Width", ["filters of a layer", "images/s", "GFLOP/s", "memory, MB"],
                   [[width, f"{rate:,.1f}", f"{rate * flops / 1e9:.0f}", f"{memory:.0f}"] for width, rate, memory, flops in points],
                   "The same network on 32×32 images, batch 64. More GFLOP/s than the CPU multiplies are Winograd's.")
        self.plot("width", "filters of a layer", [point[:3] for point in points])

    def few(self):
        rows = []
        for batch in (1, 2, 4):
            path = self.config(CONFIG.format(size=256, width=32, batch=batch))
            rates = []
            for way in ("shards", "intra"):
                found = self.bench(path, "--made-up", "--workers", "1,2", "--set", f"training.parallelism={way}")
                rates += [result["training_images_per_second"] for result in found]
            rows.append([batch, *[f"{rate:.1f}" for rate in rates], f"{max(rates[1], rates[3]) / rates[0]:.2f}"])
        self.table("Few, large samples",
                   ["batch", "shards, 1 worker, images/s", "2 workers", "intra, 1 worker", "2 workers", "better of 2 over 1"],
                   rows, "Images of 256×256. A sample is the smallest shard, so a batch of 1 keeps one worker busy; "
                   "`parallelism: intra` lets all work on one sample.")

    def update(self):
        rows = []
        for workers in (1, 2):
            result = self.bench(self.config(LARGE), "--made-up", "--workers", str(workers), full=True)[0]
            speed = result["update_bytes"] / result["update_seconds"]
            rows.append([workers, f"{result['parameters'] / 1e6:.1f} M", f"{result['update_seconds'] * 1e3:.1f}",
                         f"{result['update_bytes'] / 1e6:.0f}", f"{speed / 1e9:.1f}",
                         f"{result['copy_bytes_per_second'] / 1e9:.1f}",
                         f"{speed / result['copy_bytes_per_second'] * 100:.0f}%"])
        self.table("Sum of gradients and optimizer",
                   ["workers", "parameters", "ms a step", "MB moved", "GB/s", "copying memory, GB/s", "share"], rows,
                   "A dense network, 4 shards, SGD with momentum; bytes read and written, both counted.")

    def data(self):
        if not os.path.exists(DATA):
            print(f"warning: {DATA} is missing, so reading is not measured", file=sys.stderr)
            return
        if subprocess.run([sys.executable, "-c", "import h5py"], capture_output=True).returncode:
            print("warning: no h5py (PEERS_VENV names an environment that has it), so reading is not measured", file=sys.stderr)
            return
        copies = 1 if self.arguments.quick else 4
        rows, waits = [], []
        for storage in ("contiguous", "chunks", "gzip"):
            path = os.path.join(self.scratch.name, f"{storage}.h5")
            subprocess.run([sys.executable, "-c", DATASETS, DATA, path, str(copies), storage], check=True)
            for limit in ("32MB", "16MB") if self.arguments.quick else ("128MB", "32MB"):
                options = ["Configs/fashion-mnist.yaml", "--set", f"data.train.file={path}", "--set",
                           f"data.memory_limit={limit}"]
                rates = [self.bench(*options, "--reading-as-configured", "--workers", str(workers))[0]["reading_images_per_second"]
                         for workers in (1, 2)]
                rows.append([storage, limit, *[f"{rate:,.0f}" for rate in rates], f"{rates[1] / rates[0]:.2f}"])
                waits.append([storage, limit, *self.train(options)])
            os.remove(path)
        count = 60000 * copies
        self.table("Reading", ["storage", "memory limit", "1 worker, images/s", "2 workers", "2 over 1"], rows,
                   f"{count:,} images of 28×28 bytes ({count * 784 / 1e6:.0f} MB), streamed in shuffled order; chunks of 64 images.")
        self.table("Training on a file larger than the memory limit",
                   ["storage", "memory limit", "images/s", "data wait", "memory, MB"], waits,
                   "The lecture's CNN, the same files, a whole epoch of `convoy train`.")

    def run(self, parts):
        for part in parts:
            getattr(self, part)()
        text = "\n".join(
            ["# What growth costs", "", f"Written by `{self.arguments.command}`; training steps, at the median."]
            + self.lines + [""] + machine.lines(self.arguments.convoy)) + "\n"
        if self.arguments.quick:
            print(text)
            return
        with open("Results/scaling.md", "w", encoding="utf-8") as file:
            file.write(text)
        print("Written to Results/scaling.md", file=sys.stderr)


PARTS = ("workers", "batch", "size", "width", "few", "update", "data")

parser = argparse.ArgumentParser()
parser.add_argument("--convoy", required=True)
parser.add_argument("--command", default="Scripts/bench-scaling")
parser.add_argument("--quick", action="store_true")
parser.add_argument("--parts", default=",".join(PARTS))
arguments = parser.parse_args()
wanted = arguments.parts.split(",")
for part in wanted:
    if part not in PARTS:
        sys.exit(f"error: there is no part '{part}'; known are {', '.join(PARTS)}")
Scaling(arguments).run(wanted)
