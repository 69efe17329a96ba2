"""Speed, memory and kernels of the shipped configs. See Scripts/bench-configs."""
import argparse
import glob
import json
import os
import re
import subprocess
import sys

import machine


def trains(path):
    """Whether a config describes a training: what looks into a network has a look instead, a sweep trains many."""
    with open(path, encoding="utf-8") as file:
        keys = re.findall(r"^([a-z_]+):", file.read(), re.MULTILINE)
    return ("training" in keys or "extends" in keys) and "sweep" not in keys and "look" not in keys


def number(value):
    return f"{value:,.0f}" if value >= 200 else f"{value:.1f}"


def measure(arguments, path, precision):
    """The JSON of one config, or None where its precision cannot be had here."""
    command = [arguments.convoy, "bench", path, "--made-up", "--json", "--precision", precision,
               "--seconds", "1" if arguments.quick else "3"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: {' '.join(command)}: {done.stderr.strip()}")
    return json.loads(done.stdout)[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--convoy", required=True)
    parser.add_argument("--command", default="Scripts/bench-configs")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--precision", default="fp32,bf16")
    parser.add_argument("configs", nargs="*")
    arguments = parser.parse_args()
    rows, references = [], []
    for path in arguments.configs or sorted(filter(trains, glob.glob("Configs/*.yaml"))):
        for precision in arguments.precision.split(","):
            found = measure(arguments, path, precision)
            kernels = {layer["kernel"] for layer in found["layers"]}
            slow = sorted({f"{layer['layer']} {layer['pass']}" for layer in found["layers"] if layer["kernel"].startswith("ref")})
            references += [f"{path}, {precision}: {place}" for place in slow]
            winograd = sum("wino" in kernel for kernel in kernels)
            rows.append([f"`{os.path.basename(path)}`", precision, f"{found['parameters']:,}", found["batch"], found["shard"],
                         number(found["training_images_per_second"]), number(found["inference_images_per_second"]),
                         f"{found['training_flops_per_image'] * found['training_images_per_second'] / 1e9:.0f}",
                         f"{found['peak_memory_bytes'] / 1e6:.0f}", "yes" if winograd else "no", ", ".join(slow) or "none"])
            print("  ".join(str(cell) for cell in rows[-1]), file=sys.stderr, flush=True)

    header = ["config", "precision", "parameters", "batch", "shard", "training, images/s", "inference, images/s", "GFLOP/s",
              "memory, MB", "Winograd", "reference kernels"]
    lines = ["# The shipped configs", "", f"Written by `{arguments.command}`: the networks, batches and optimizers of `Configs/` on made-up "
             "images, training steps at the median, all cores.", "",
             "| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows] + [""]
    text = "\n".join(lines + machine.lines(arguments.convoy)) + "\n"
    if arguments.quick:
        print(text)
    else:
        with open("Results/configs.md", "w", encoding="utf-8") as file:
            file.write(text)
        print("Written to Results/configs.md", file=sys.stderr)
    if references:
        sys.exit("error: reference kernels in " + "; ".join(references))


if __name__ == "__main__":
    main()
