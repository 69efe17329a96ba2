"""Test accuracies of the lecture's CNN on Fashion-MNIST over seeds, Convoy's and Keras's; writes Results/seeds.md.

Keras goes through the samples in the same order in every epoch once its seed is set; both are trained so, and with a new order in each epoch.
"""
import argparse
import statistics
import sys

import fashion_runs
import machine


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--convoy", required=True)
    parser.add_argument("--command", default="Scripts/bench-peers --seeds")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--count", type=int, default=3, help="number of seeds, from 0")
    parser.add_argument("--output", default="Results/seeds.md")
    arguments = parser.parse_args()
    epochs = arguments.epochs
    fashion_runs.ensure_data(arguments.convoy)

    columns = {
        "Convoy": lambda seed: fashion_runs.train_convoy(arguments.convoy, epochs, seed),
        "Keras, new order in each epoch": lambda seed: fashion_runs.train_keras(epochs, seed, "new"),
        "Convoy, `data.shuffle=once`":
            lambda seed: fashion_runs.train_convoy(arguments.convoy, epochs, seed, "data.shuffle=once"),
        "Keras, its own shuffle": lambda seed: fashion_runs.train_keras(epochs, seed, "repeated"),
    }
    accuracies = {name: [] for name in columns}
    for seed in range(arguments.count):
        for name, train in columns.items():
            seconds, _, accuracy = train(seed)
            accuracies[name].append(accuracy)
            print(f"  seed {seed}, {name}: {accuracy:.4f} ({seconds:.0f} s)", file=sys.stderr, flush=True)

    import keras
    import tensorflow

    def row(label, of):
        return f"| {label} | " + " | ".join(f"{of(values):.4f}" for values in accuracies.values()) + " |"

    seeds = [row(seed, lambda values: values[seed]) for seed in range(arguments.count)]
    spread = [row("deviation", statistics.stdev)] if arguments.count > 1 else []
    text = "\n".join([
        "# Fashion-MNIST, the lecture's CNN: test accuracy over seeds", "",
        f"Written by `{arguments.command}`: test accuracy after {epochs} epochs with the recipe of `Configs/fashion-mnist.yaml`, "
        "in all four the same but for the order of the samples.", "",
        "Keras goes through the samples in one order, again in every epoch, once `keras.utils.set_random_seed` was called; Convoy makes a "
        "new one for each epoch, unless `data.shuffle` is `once`.", "",
        "| seed | " + " | ".join(accuracies) + " |", "| --- |" + " --- |" * len(accuracies),
        *seeds, row("mean", statistics.mean), *spread, "",
        *machine.lines(arguments.convoy),
        f"- Keras {keras.__version__} on TensorFlow {tensorflow.__version__}", ""])
    print(text)
    with open(arguments.output, "w", encoding="utf-8") as file:
        file.write(text)


main()
