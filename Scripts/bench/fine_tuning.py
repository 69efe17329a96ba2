"""What Scripts/fine-tuning measures: fine-tuning on few images against training from nothing.

Every number of the page comes from `convoy evaluate` on 5,000 test images after the last epoch; no epoch is chosen by them.
"""

import argparse
import concurrent.futures
import gzip
import json
import os
import pathlib
import statistics
import struct
import subprocess
import sys
import tempfile

import machine

SOURCE = pathlib.Path("/usr/share/datasets/fashion-mnist")
DATA = pathlib.Path("Results/data")
RUNS = pathlib.Path("Results/fine-tuning-runs")
BASE = "Configs/fine-tuning-base.yaml"
NAMES = "T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot".split(",")
# Images of a class, and epochs: the fewer images, the more epochs.
AMOUNTS = {50: 12, 200: 6, 1000: 2}
# The learning rate and the settings of each way. Rates are the usual ones; --pilot compares others on held-out samples.
START = ['training.start={checkpoint: Results/fine-tuning-base, layers: ["conv.*", "repeat.*", "stage*"]}']
WAYS = {
    "from nothing": (0.1, []),
    "head only": (0.3, START + ['training.layers=[{match: head, frozen: false}, {match: "*", frozen: true}]']),
    "whole": (0.03, START),
}


def read_idx(name):
    raw = gzip.open(SOURCE / f"{name}-idx{3 if 'images' in name else 1}-ubyte.gz").read()
    count = struct.unpack(">I", raw[4:8])[0]
    size = 784 if "images" in name else 1
    body = raw[16 if size > 1 else 8 :]
    return [body[i * size : (i + 1) * size] for i in range(count)]


def write_idx(path, rows):
    isImage = len(rows[0]) > 1
    head = struct.pack(">II", 0x803 if isImage else 0x801, len(rows)) + (struct.pack(">II", 28, 28) if isImage else b"")
    pathlib.Path(path).write_bytes(head + b"".join(rows))


def make_data(convoy):
    """fashion-0-4.h5 with all images, and fashion-5-9-N.h5 with the first N images of each class."""
    wanted = {"0-4": (range(5), None)} | {f"5-9-{n}": (range(5, 10), n) for n in AMOUNTS}
    wanted = {k: v for k, v in wanted.items() if not (DATA / f"fashion-{k}.h5").exists()}
    if not wanted:
        return
    DATA.mkdir(parents=True, exist_ok=True)
    splits = {s: (read_idx(f"{s}-images"), read_idx(f"{s}-labels")) for s in ["train", "t10k"]}
    for name, (classes, limit) in wanted.items():
        with tempfile.TemporaryDirectory() as folder:
            for split, (images, labels) in splits.items():
                chosen, counts = [], {c: 0 for c in classes}
                for index, label in enumerate(labels):
                    label = label[0]
                    if label in counts and (split == "t10k" or limit is None or counts[label] < limit):
                        counts[label] += 1
                        chosen.append(index)
                write_idx(f"{folder}/{split}-images", [images[i] for i in chosen])
                write_idx(f"{folder}/{split}-labels", [bytes([labels[i][0] - classes[0]]) for i in chosen])
            subprocess.run(
                [convoy, "import", "idx", "--images", f"{folder}/train-images", "--labels", f"{folder}/train-labels",
                 "--test-images", f"{folder}/t10k-images", "--test-labels", f"{folder}/t10k-labels",
                 "--classes", ",".join(NAMES[c] for c in classes), "--to", str(DATA / f"fashion-{name}.h5")],
                check=True)  # fmt: skip


def train_base(convoy):
    subprocess.run([convoy, "train", BASE], check=True)


def train(convoy, way, amount, seed, rate=None, more=()):
    """Trains one run, unless it is there, and gives its folder."""
    usual, settings = WAYS[way]
    rate = rate or usual
    folder = RUNS / f"{way.replace(', ', '-').replace(' ', '-')}-{amount}-{seed}{'' if rate == usual else f'-{rate}'}"
    if more:
        folder = pathlib.Path(f"{folder}-held-out")
    # Each minibatch is one shard, so that batch normalisation takes its statistics from as many samples as in Keras.
    values = [
        f"seed={seed}", f"data.train.file={DATA}/fashion-5-9-{amount}.h5", "data.test=none", "training.batch=50",
        "training.shard=50", f"training.epochs={AMOUNTS[amount]}", "training.schedule=cosine", "training.augmentation=none",
        f"training.optimizer.sgd.learning_rate={rate}", "checkpoints.every={epochs: 100}", "checkpoints.keep={last: 2, best: 0}",
        *settings, *more,
    ]  # fmt: skip
    command = [convoy, "train", BASE, "--run-dir", str(folder), "--workers", "1", "--quiet"]
    for value in values:
        command += ["--set", value]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"error: {' '.join(command)} ended with {result.returncode}: {result.stderr.strip()}")
    return folder


def accuracy(convoy, folder, amount):
    found = folder / "test.json"
    if not found.exists():
        text = subprocess.run(
            [convoy, "evaluate", f"{folder}/last", "--data", str(DATA / f"fashion-5-9-{amount}.h5"), "--workers", "1", "--json"],
            check=True, capture_output=True, text=True).stdout  # fmt: skip
        found.write_text(text)
    return json.loads(found.read_text())["accuracy"]


def in_keras(convoy, python, jobs):
    """The test accuracies of the same trainings in Keras, from the same weights."""
    base = RUNS / "base.keras"
    subprocess.run([convoy, "export", "keras", "Results/fine-tuning-base", "--to", str(base), "--overwrite"], check=True)
    known = RUNS / "keras.json"
    found = json.loads(known.read_text()) if known.exists() else {}
    wanted = [job for job in jobs if " ".join(map(str, job)) not in found]
    if wanted:
        lines = [
            json.dumps({"checkpoint": str(base.resolve()), "data": f"{DATA}/fashion-5-9-{amount}.h5", "way": way,
                        "epochs": AMOUNTS[amount], "rate": WAYS[way][0], "seed": seed})
            for way, amount, seed in wanted
        ]  # fmt: skip
        script = pathlib.Path(__file__).with_name("fine_tuning_keras.py")
        process = subprocess.Popen([python, "-u", str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        process.stdin.write("\n".join(lines))
        process.stdin.close()
        # Each is kept as soon as it is known: all of them take half an hour.
        for job in wanted:
            line = process.stdout.readline()
            if not line:
                sys.exit(f"error: {script.name} ended with {process.wait()}")
            found[" ".join(map(str, job))] = float(line)
            known.write_text(json.dumps(found, indent=1))
        process.wait()
    return {job: found[" ".join(map(str, job))] for job in jobs}


def in_parallel(jobs):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda job: job(), jobs))


def pilot(convoy):
    """The learning rate of each way, by samples held out of 200 images a class."""
    held_out = ["data.validation={fraction: 0.25, take: stratified}"]
    jobs = [(way, rate) for way in WAYS for rate in [0.01, 0.03, 0.1, 0.3]]

    def job(way, rate):
        folder = train(convoy, way, 200, 9, rate, held_out)
        lines = (folder / "metrics.csv").read_text().splitlines()
        row = dict(zip(lines[0].split(","), lines[-1].split(",")))
        return float(row["validation_accuracy"])

    found = in_parallel([lambda way=way, rate=rate: job(way, rate) for way, rate in jobs])
    for (way, rate), value in zip(jobs, found):
        print(f"{way}: {rate}: {value:.4f}")


def best(results, amount, seeds):
    """The way with the highest mean."""
    return max(WAYS, key=lambda way: statistics.mean(results[way, amount, seed] for seed in seeds))


def page(convoy, results, keras, seeds):
    def cell(values):
        spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
        return f"{statistics.mean(values):.3f}{spread}"

    lines = [
        "# Fine-tuning", "",
        "ResNet-20 was trained on 30,000 images of classes 0–4 of Fashion-MNIST (three epochs, `Configs/fine-tuning-base.yaml`), and then learns",
        "classes 5–9 from few images. Test accuracy over the 5,000 test images of classes 5–9 after the last epoch, mean and standard",
        f"deviation over seeds {', '.join(map(str, seeds))}; nothing was chosen by these images. Each way takes the same number of steps of 50 images,",
        "without augmentation, with a cosine schedule from a learning rate of " + ", ".join(f"{rate} ({way})" for way, (rate, _) in WAYS.items()) + ",",
        "none of which was tuned; running statistics of batch normalisation keep 0.9 of themselves in a step. In `head only` all but the new last layer is frozen, batch normalisation included.", "",
        "| images a class | epochs | in | " + " | ".join(WAYS) + " |", "| --- | --- | --- | " + " | ".join("---" for _ in WAYS) + " |",
    ]  # fmt: skip
    for amount, epochs in AMOUNTS.items():
        for name, values in [("Convoy", results), ("Keras", keras)]:
            if values:
                cells = [cell([values[way, amount, seed] for seed in seeds]) for way in WAYS]
                lines.append(f"| {amount} | {epochs} | {name} | " + " | ".join(cells) + " |")
    lines += ["", "![Test accuracy against images a class](fine-tuning.svg)", ""]
    lines += [
        "Best are " + ", ".join(f"{best(results, amount, seeds)} with {amount} images a class" for amount in AMOUNTS) + ". Features that tell five",
        "kinds of clothes apart may say less of five others, and in a frozen network they cannot move. Keras's runs begin with the same weights",
        "and take the same steps; orders of samples and new layers are drawn by each program.", "",
        "Made by `Scripts/fine-tuning`.", "", *machine.lines(convoy),
    ]  # fmt: skip
    pathlib.Path("Results/fine-tuning.md").write_text("\n".join(lines) + "\n")


def plot(results, seeds):
    blocks = []
    for way in WAYS:
        rows = []
        for amount in AMOUNTS:
            values = [results[way, amount, seed] for seed in seeds]
            rows.append(f"{amount} {statistics.mean(values)} {min(values)} {max(values)}")
        blocks.append(f"${way.replace(',', '').replace(' ', '_')} << EOD\n" + "\n".join(rows) + "\nEOD")
    names = [way.replace(",", "").replace(" ", "_") for way in WAYS]
    curves = ", ".join(
        f"${name} using 1:2:3:4 with yerrorlines lw 2 pt 7 ps 0.5 title '{way}'" for name, way in zip(names, WAYS)
    )
    script = "\n".join(blocks) + f"""
set terminal svg size 640,400 font 'sans-serif,13' background rgb 'white'
set output 'Results/fine-tuning.svg'
set logscale x
set xtics ({', '.join(str(a) for a in AMOUNTS)})
set xrange [40:1250]
set xlabel 'training images of each class'
set ylabel 'test accuracy'
set key bottom right
set grid
plot {curves}
"""
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--convoy", required=True)
    parser.add_argument("--base", action="store_true")
    parser.add_argument("--pilot", action="store_true")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--keras", metavar="PYTHON", help="also in Keras, by this Python")
    arguments = parser.parse_args()
    seeds = [int(seed) for seed in arguments.seeds.split(",")]
    convoy = arguments.convoy
    make_data(convoy)
    train_base(convoy)
    if arguments.base:
        return
    if arguments.pilot:
        return pilot(convoy)
    jobs = [(way, amount, seed) for seed in seeds for amount in AMOUNTS for way in WAYS]

    def job(way, amount, seed):
        return accuracy(convoy, train(convoy, way, amount, seed), amount)

    found = in_parallel([lambda each=each: job(*each) for each in jobs])
    results = dict(zip(jobs, found))
    for each, value in results.items():
        print(*each, value)
    keras = in_keras(convoy, arguments.keras, jobs) if arguments.keras else {}
    for each, value in keras.items():
        print("Keras", *each, value)
    page(convoy, results, keras, seeds)
    plot(results, seeds)


main()
