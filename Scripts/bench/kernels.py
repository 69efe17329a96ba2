"""The table of `convoy bench --kernels`, the least time of several rounds; Scripts/bench-kernels starts it."""
import argparse
import json
import os
import subprocess
import sys

import machine

PASSES = ("forward", "backward-data", "backward-weights")


def measure(convoy, rounds, precisions):
    """The rows of all rounds, of each the fastest, and the highest peak of each number format."""
    fastest, peaks = {}, {}
    for index in range(rounds):
        print(f"round {index + 1} of {rounds}", file=sys.stderr, flush=True)
        text = subprocess.run(
            [convoy, "bench", "--kernels", "--precision", ",".join(precisions), "--json"], check=True,
            capture_output=True, text=True).stdout
        for row in json.loads(text):
            key = row["shape"], row["pass"], row["precision"], row["algorithm"]
            peak = row["flops_per_second"] / row["peak_share"]
            peaks[row["precision"]] = max(peaks.get(row["precision"], 0), peak)
            if key not in fastest or row["seconds"] < fastest[key]["seconds"]:
                fastest[key] = row
    return fastest, peaks


def table(fastest, peaks, precision):
    """Ours beside the fastest of the library's, shape by shape and pass by pass."""
    lines = ["| convolution | pass | ours, µs | GFLOP/s | of the peak | error | library, µs | kernel | error | ratio |",
             "|" + " --- |" * 10]
    shapes = dict.fromkeys(key[0] for key in fastest if key[2] == precision)
    ratios = {name: [] for name in PASSES}
    for shape in shapes:
        for name in PASSES:
            rows = [row for key, row in fastest.items() if key[:3] == (shape, name, precision)]
            own = min((row for row in rows if row["kernel"].startswith("own")), key=lambda row: row["seconds"], default=None)
            library = min(
                (row for row in rows if not row["kernel"].startswith("own")), key=lambda row: row["seconds"], default=None)
            if not own or not library:
                continue
            ratio = library["seconds"] / own["seconds"]
            ratios[name].append(ratio)
            lines.append(
                f"| {shape} | {name} | {own['seconds'] * 1e6:.0f} | {own['flops_per_second'] * 1e-9:.0f} | "
                f"{own['flops_per_second'] / peaks[precision]:.0%} | {error(own)} | {library['seconds'] * 1e6:.0f} | "
                f"{library['kernel']} | {error(library)} | {ratio:.2f} |")
    return lines, {name: values for name, values in ratios.items() if values}


def error(row):
    return f"{row['largest_error']:.0e}" if "largest_error" in row else "–"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--convoy", required=True)
    parser.add_argument("--command", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        hasBF16 = "avx512_bf16" in file.read()
    precisions = ["fp32", "bf16"] if hasBF16 else ["fp32"]
    load = os.getloadavg()[0]
    fastest, peaks = measure(arguments.convoy, arguments.rounds, precisions)
    lines = [
        "# Kernels of our own", "",
        f"Written by `{arguments.command}`: `convoy bench --kernels`, one thread, the least time of {arguments.rounds} rounds. GFLOP/s count a "
        "convolution's multiplications and additions by its definition, so that Winograd's kernels may exceed the peak, which is the better of a "
        "large matrix product and a direct convolution. Our times contain a quarter of what transforms the weights, which is done once for "
        "the shards of a step. Errors are of an element against sums in double precision, as a share of the largest. The library's column has "
        "its fastest kernel; the ratio is its time over ours.", "",
    ]
    for precision in precisions:
        rows, ratios = table(fastest, peaks, precision)
        if not ratios:
            continue
        means = ", ".join(f"{name} {sorted(values)[len(values) // 2]:.2f}" for name, values in ratios.items())
        lines += [f"## {precision}", "", f"Peak of one core: {peaks[precision] * 1e-9:.0f} GFLOP/s. Median ratios: {means}.", ""]
        lines += rows + [""]
    if not hasBF16:
        lines += ["This CPU does not multiply bf16.", ""]
    lines += [f"- load average {load:.2f} before the start"] + machine.lines(arguments.convoy)
    text = "\n".join(lines) + "\n"
    print(text)
    with open("Results/kernels.md", "w", encoding="utf-8") as file:
        file.write(text)


main()
