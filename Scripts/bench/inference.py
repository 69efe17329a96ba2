"""Inference by Convoy and by onnxruntime, in turns; Scripts/bench-inference starts it."""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings

import machine
import peer

warnings.filterwarnings("ignore")
import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
import torch  # noqa: E402

sys.path.append(peer.FOLDER)
import pytorch_model  # noqa: E402
from networks import NETWORKS  # noqa: E402


def session(name, workers):
    """onnxruntime with the network as PyTorch exports it, for any number of samples."""
    layers, (height, width, channels), _, _ = NETWORKS[name]
    model = pytorch_model.model(layers, (height, width, channels)).eval()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = workers
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/model.onnx"
        torch.onnx.export(
            model, (torch.rand(1, channels, height, width),), path, dynamo=False, input_names=["x"],
            output_names=["y"], dynamic_axes={"x": {0: "n"}, "y": {0: "n"}}, opset_version=17)
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def peer_rate(session, name, batch, seconds):
    height, width, channels = NETWORKS[name][1]
    samples = np.random.default_rng(0).random((batch, channels, height, width), "float32")
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 8:
        started = time.perf_counter()
        session.run(None, {"x": samples})
        times.append(time.perf_counter() - started)
    return batch / sorted(times[3:])[len(times[3:]) // 2]


def own_rate(convoy, name, batch, workers, seconds):
    output = subprocess.run(
        [convoy, "bench", "--network", name, "--batch", str(batch), "--workers", str(workers), "--seconds",
         str(2 * seconds), "--json"], check=True, capture_output=True, text=True).stdout
    return json.loads(output)[0]["inference_images_per_second"]


def row(arguments, name, batch, session):
    """The better round of each: what else the machine does only slows down."""
    own, theirs = [], []
    for _ in range(arguments.rounds):
        theirs.append(peer_rate(session, name, batch, arguments.seconds))
        own.append(own_rate(arguments.convoy, name, batch, arguments.workers, arguments.seconds))
    ratios = sorted(a / b for a, b in zip(own, theirs))
    spread = f" ({ratios[0]:.2f} to {ratios[-1]:.2f})" if len(ratios) > 1 else ""
    line = (f"| {name} | {batch} | {max(own):.0f} | {max(theirs):.0f} | {max(own) / max(theirs):.2f}{spread} |")
    print(line, file=sys.stderr, flush=True)
    return line


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--convoy", required=True)
    parser.add_argument("--command", required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--networks", default="lecture,vgg,resnet20,resnet18,go")
    parser.add_argument("--batches", default="1,32,128")
    arguments = parser.parse_args()
    arguments.rounds, arguments.seconds = (1, 1) if arguments.quick else (3, 2)
    arguments.workers = len(os.sched_getaffinity(0))
    names = arguments.networks.split(",")
    unknown = [name for name in names if name not in NETWORKS]
    if unknown:
        sys.exit(f"error: there is no network '{unknown[0]}'; known are {', '.join(NETWORKS)}")
    load = os.getloadavg()[0]
    lines = [
        "# Inference beside onnxruntime", "",
        f"Written by `{arguments.command}`. Images/s in fp32 on all cores at the median time of a minibatch, the better of "
        f"{arguments.rounds} round(s) in which both take turns of at least {arguments.seconds} s; in brackets the least and the largest "
        "ratio of a round. Convoy's figure is that of `convoy bench`, from an HDF5 file of bytes; onnxruntime runs the same "
        "network, as PyTorch exports it, on floats in memory.", "",
        "| network | minibatch | Convoy | onnxruntime | ratio |", "| --- | --- | --- | --- | --- |",
    ]
    for name in names:
        made = session(name, arguments.workers)
        lines += [row(arguments, name, int(batch), made) for batch in arguments.batches.split(",")]
    lines += ["", f"- load average {load:.2f} before the start"] + machine.lines(arguments.convoy)
    lines += [f"- onnxruntime {onnxruntime.__version__}, PyTorch {torch.__version__}"]
    text = "\n".join(lines) + "\n"
    print(text)
    if not arguments.quick:
        with open("Results/inference.md", "w", encoding="utf-8") as file:
            file.write(text)


main()
