"""Convoy and Keras one after the other on Fashion-MNIST, whole processes; writes Results/fashion.md."""
import argparse
import sys

import fashion_runs
import machine


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--convoy", required=True)
    parser.add_argument("--command", default="Scripts/bench-peers --fashion")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", default="Results/fashion.md")
    arguments = parser.parse_args()
    epochs, seed = arguments.epochs, arguments.seed
    fashion_runs.ensure_data(arguments.convoy)

    rows = []
    programs = {
        "Convoy": lambda: fashion_runs.train_convoy(arguments.convoy, epochs, seed),
        "Keras": lambda: fashion_runs.train_keras(epochs, seed),
    }
    for name, train in programs.items():
        seconds, memory, accuracy = train()
        rows.append((name, seconds, memory, accuracy))
        print(f"  {name}: {seconds:.1f} s, {memory:.0f} MB, test accuracy {accuracy:.4f}", file=sys.stderr, flush=True)

    import keras
    import tensorflow
    ratio = rows[0][1] / rows[1][1] * 100
    text = "\n".join([
        "# Fashion-MNIST, the lecture's CNN", "",
        f"Written by `{arguments.command}`: {epochs} epochs with the recipe of `Configs/fashion-mnist.yaml`, "
        "whole processes with reading, evaluating and a checkpoint after every epoch, one after the other.", "",
        "| program | wall time, s | peak memory, MB | test accuracy |", "| --- | --- | --- | --- |",
        *[f"| {name} | {seconds:.1f} | {memory:.0f} | {accuracy:.4f} |" for name, seconds, memory, accuracy in rows], "",
        f"Convoy takes {ratio:.0f}% of Keras's time (60% asked).", "",
        f"- seed {seed}", *machine.lines(arguments.convoy),
        f"- Keras {keras.__version__} on TensorFlow {tensorflow.__version__}", ""])
    print(text)
    with open(arguments.output, "w", encoding="utf-8") as file:
        file.write(text)


main()
