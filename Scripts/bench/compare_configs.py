"""The shipped configs' networks in Convoy and in its peers, in turn; writes Results/peers-configs.md. Started by Scripts/bench-peers --configs."""
import argparse
import glob
import json
import os
import subprocess
import sys
import tempfile

import fashion_runs
import machine
import peer
from configs import trains

# name in the table: (program, mode)
PEERS = {
    "TensorFlow": ("tensorflow_model", "graph"),
    "PyTorch eager": ("pytorch_model", "eager"),
    "PyTorch channels-last": ("pytorch_model", "channels-last"),
}


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: {' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def checkpoint(convoy, path, folder):
    """A Keras model file of the config's network, after one step."""
    directory = os.path.join(folder, os.path.basename(path))
    run([convoy, "train", path, "--quiet", "--steps", "1", "--run-dir", directory])
    return glob.glob(directory + "/checkpoints/*.h5")[0]


def bench(arguments, path, precision):
    return json.loads(run([
        arguments.convoy, "bench", path, "--made-up", "--training-only", "--json", "--precision", precision,
        "--seconds", str(arguments.seconds)]))[0]


def compare(arguments, peers, path, precision, folder):
    first = bench(arguments, path, precision)
    network = f"{checkpoint(arguments.convoy, path, folder)}:{first['batch']}"
    results = peer.in_turns(
        lambda: bench(arguments, path, precision)["training_images_per_second"], peers, PEERS, network, precision,
        first["batch"], arguments, name=os.path.basename(path))
    return first["batch"], results


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--convoy", required=True)
    parser.add_argument("--command", default="Scripts/bench-peers --configs")
    parser.add_argument("--output", default="Results/peers-configs.md")
    parser.add_argument("--precision", default="fp32,bf16")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("configs", nargs="*")
    arguments = parser.parse_args()
    arguments.hopeless = 6
    fashion_runs.ensure_data(arguments.convoy)
    peers = {program: peer.Peer(program) for program in dict.fromkeys(program for program, _ in PEERS.values())}
    all_results, rows = {}, []
    for path in arguments.configs or sorted(filter(trains, glob.glob("Configs/*.yaml"))):
        for precision in arguments.precision.split(","):
            with tempfile.TemporaryDirectory() as folder:
                batch, results = compare(arguments, peers, path, precision, folder)
            name = os.path.basename(path)
            all_results[name, precision] = results
            rows.append([f"`{name}` ({batch})", precision, *map(str, results.values()), peer.ratio(results)])
    for program in peers.values():
        program.close()
    header = ["config (batch)", "precision", "Convoy", *PEERS, "ratio to the fastest"]
    text = "\n".join([
        "# The shipped configs beside other frameworks", "",
        f"Written by `{arguments.command}`: images/s of training steps on all cores, of networks for which nothing was tuned. The peers build "
        "theirs from Convoy's checkpoint and train with SGD; Convoy uses the config's optimizer and reads made-up bytes from a file. "
        f"The median step in the median of {arguments.rounds} round(s) in turns of {arguments.seconds:g} s, and half of the distance between rounds.", "",
        "| " + " | ".join(header) + " |", "|" + " --- |" * len(header),
        *["| " + " | ".join(row) + " |" for row in rows], *peer.problems(all_results), "",
        *machine.lines(arguments.convoy), *[f"- {program.version}" for program in peers.values()], ""])
    print(text)
    with open(arguments.output, "w", encoding="utf-8") as file:
        file.write(text)


main()
