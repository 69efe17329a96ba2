"""Drawn trainings whose steps are repeated by the formulas of `rules.py`, which are held to Keras's classes in the same draws.

    peer_fuzz.py CONVOY DRAWS SEED [--only DRAW] [--keep FOLDER]

Each draw trains one dense layer and leaves a checkpoint after every step. From a checkpoint's parameters and slots, the samples of the next
minibatch and the configuration follow the next checkpoint and the next row of `steps.csv`. Where samples are varied by a step that
can do one of finitely many things, one of them must give the row's loss, with the answer moved as the sample is. Steps of other kinds are seen
through what they do to the parameters, by `varied.py`. First of all, every word of these parts of the schema must be one that is drawn.

Used by Scripts/peer-fuzz, whose head says what it takes.
"""
import argparse
import collections
import csv
import itertools
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import h5py  # noqa: E402
import numpy as np  # noqa: E402

import rules  # noqa: E402
import schema_words  # noqa: E402
import varied  # noqa: E402

# The parts of `training` that draws must have, and the words of them that are left out, with the reason.
PARTS = [
    "loss", "optimizer", "metrics", "schedule", "augmentation", "clipping", "ema", "max_norm", "weight_decay_rules", "weight_decay_on",
    "base_batch",
]
EXCEPTIONS = {"metrics=top_10_accuracy": "it is top_3_accuracy with another number, and takes 11 outputs"}

# Float32 in the program, float64 here: what roundings may come to, as a share of the largest number.
ROUNDING = 4e-6


class Draw:
    """A configuration with its samples, which follow from a seed and a number."""

    def __init__(self, seed, number):
        self.random = np.random.default_rng([seed, number])
        self.varied = self.chance(0.3)
        self.task = self.pick(["classes", "shares", "labels", "yes_no", "numbers", "one_hot"])
        self.draw_samples()
        self.draw_loss()
        self.optimizer, self.options = self.draw_optimizer()
        self.steps_per_epoch = -(-self.count // self.step_samples)
        self.epochs = int(self.random.integers(1, 4))
        self.schedule, self.curve = self.draw_schedule()
        self.clipping = self.pick(["none", "none", {"norm": self.number(0.05, 2)}, {"value": self.number(0.005, 0.2)}])
        self.decays_on = self.pick(["all", "kernels"])
        self.rules = self.draw_rules()
        self.ema = {"decay": self.number(0, 0.999), "rise": self.chance(0.5)} if self.chance(0.25) else "none"
        self.max_norm = {"limit": self.number(0.1, 1.5)} if self.chance(0.25) else "none"
        if self.max_norm != "none" and self.chance(0.4):
            self.max_norm["layers"] = self.pick([["dense"], ["den*"]])
        self.base_batch = self.pick([None, None, int(self.random.integers(8, 64))])

    def chance(self, share):
        return bool(self.random.random() < share)

    def pick(self, choices):
        return choices[int(self.random.integers(len(choices)))]

    def number(self, low, high):
        return round(float(self.random.uniform(low, high)), 4)

    # Samples

    def draw_samples(self):
        board = self.varied and self.chance(0.6)
        side = int(self.random.integers(2, 4))
        self.shape = (side, side, int(self.random.integers(1, 3))) if self.varied else (int(self.random.integers(2, 9)),)
        points = side * side
        if self.task == "yes_no":
            self.outputs = 1
        elif board:
            self.outputs = points + int(self.chance(0.4))
        else:
            self.outputs = int(self.random.integers(2, 7))
        self.batch = 1 if self.varied else int(self.random.integers(1, 12))
        self.accumulate = self.pick([1, 1, 1, 2]) if not self.varied else 1
        self.step_samples = self.batch * self.accumulate
        self.count = max(self.step_samples, int(self.random.integers(4, 30)))
        self.x = self.random.normal(size=(self.count,) + self.shape).astype(np.float32)
        classes = self.random.integers(0, max(2, self.outputs), self.count)
        if self.task in ("classes", "one_hot"):
            self.file_targets, self.t = classes.astype(np.int32), np.eye(self.outputs)[classes]
        elif self.task == "yes_no":
            self.file_targets, self.t = classes.astype(np.int32), classes[:, None].astype(float)
        elif self.task == "shares":
            shares = self.random.dirichlet(np.ones(self.outputs), self.count).astype(np.float32)
            self.file_targets, self.t = shares, shares.astype(float)
        elif self.task == "labels":
            self.file_targets = self.random.integers(0, 2, (self.count, self.outputs)).astype(np.float32)
            self.t = self.file_targets.astype(float)
        else:
            self.file_targets = self.random.normal(size=(self.count, self.outputs)).astype(np.float32)
            self.t = self.file_targets.astype(float)
        self.weights = self.random.uniform(0, 2, self.count).astype(np.float32) if self.chance(0.3) else None
        self.augmentation = self.draw_augmentation(board) if self.varied else None

    @property
    def has_targets(self):
        return self.task in ("shares", "labels", "numbers")

    def draw_augmentation(self, board):
        points = self.shape[0] * self.shape[1]
        fits = self.outputs in (points, points + 1)
        if self.task in ("labels", "numbers"):
            fits = fits or self.outputs % points == 0
        moves = board and fits and self.task != "yes_no"
        answer = "board" if moves and self.chance(0.7) else "none"
        words = ["board_symmetry", "flip_horizontal", "flip_vertical", "cutout"]
        if answer == "none" or self.task in ("labels", "numbers"):
            words.append("pad_and_crop")
        word = self.pick(words)
        if word == "cutout":
            size = [int(n) for n in self.random.integers(1, 4, 2)]
            return {"cutout": {"size": size, "fill": self.number(-1, 1)} | self.probability()}
        if word == "pad_and_crop":
            return {"pad_and_crop": {
                "padding": 1, "border": self.pick(["zero", "edge", "reflect"]), "answer": answer}}
        return {word: {"answer": answer} | (self.probability() if word.startswith("flip") else {})}

    def probability(self):
        return self.pick([{}, {"probability": self.pick([0, 1, self.number(0, 1)])}])

    # The loss

    def draw_loss(self):
        self.loss_options, self.class_weights = {}, None
        if self.task in ("numbers", "one_hot"):
            self.loss = self.pick(["mean_squared_error", "mean_absolute_error", "huber"])
            if self.loss == "huber":
                self.loss_options["delta"] = self.number(0.2, 2)
        else:
            self.loss = "softmax_cross_entropy" if self.task in ("classes", "shares") else self.pick(
                ["sigmoid_cross_entropy", "sigmoid_focal_cross_entropy"])
            if self.loss == "sigmoid_focal_cross_entropy":
                self.loss_options["gamma"] = self.pick([0, 1, 2, self.number(0, 4)])
                self.loss_options["alpha"] = self.pick(["none", self.number(0, 1)])
            if self.chance(0.4):
                self.loss_options["label_smoothing"] = self.number(0, 0.4)
            if self.chance(0.4):
                width = 2 if self.task == "yes_no" else self.outputs
                balanced = self.task != "labels" and self.chance(0.4)
                self.class_weights = self.pick([None, (
                    "balanced" if balanced else [self.number(0.1, 3) for _ in range(width)])])
        self.judged = {
            "classes": "classes", "shares": "classes", "one_hot": "classes", "labels": "labels", "yes_no": "labels",
            "numbers": "values",
        }[self.task]
        names = {
            "classes": ["accuracy", "precision", "recall", "f1"]
            + [f"top_{k}_accuracy" for k in (2, 3, 5) if k < self.outputs],
            "labels": ["accuracy", "exact_match", "precision", "recall", "f1"],
            "values": ["mean_absolute_error", "mean_squared_error", "root_mean_squared_error", "r2"]
            + ["cosine_similarity"][:self.outputs - 1],
        }[self.judged]
        self.metrics = [name for name in names if self.chance(0.6)] or names[:1]

    def class_of(self, sample):
        return int(self.file_targets[sample]) if self.task == "yes_no" else int(self.t[sample].argmax())

    def sample_weight(self, sample):
        weight = 1.0 if self.weights is None else float(self.weights[sample])
        if self.class_weights is None or self.task == "labels":
            return weight
        if self.class_weights == "balanced":
            counts = collections.Counter(self.class_of(other) for other in range(self.count))
            return weight * self.count / (len(counts) * counts[self.class_of(sample)])
        return weight * self.class_weights[self.class_of(sample)]

    def sample_loss(self, z, t):
        options = dict(self.loss_options)
        if "label_smoothing" in options:
            options["smoothing"] = float(np.float32(options.pop("label_smoothing")))
        for name in ("delta", "gamma", "alpha"):
            if options.get(name, "none") == "none":
                options.pop(name, None)
            else:
                options[name] = float(np.float32(options[name]))
        if self.task == "labels" and self.class_weights is not None:
            options["weights"] = self.class_weights
        return getattr(rules, self.loss)(z, t, **options)

    # Optimizer and schedule

    def draw_optimizer(self):
        kind = self.pick(["sgd", "sgd", "adam", "adamw", "nadam", "rmsprop", "adagrad", "adadelta", "lion", "lars", "lamb"])
        options = {"learning_rate": self.number(0.01, 0.1), "weight_decay": self.pick([0, 0, self.number(0.001, 0.1)])}
        if kind in ("adam", "adamw", "nadam", "lion", "lamb"):
            options.update(beta1=self.number(0.5, 0.95), beta2=self.number(0.6, 0.999))
        if kind in ("adam", "adamw", "nadam", "lamb", "rmsprop", "adagrad", "adadelta"):
            options["epsilon"] = self.pick([1e-7, 1e-5, 1e-3])
        if kind in ("rmsprop", "adadelta"):
            options["rho"] = self.number(0.5, 0.99)
        if kind in ("sgd", "rmsprop", "lars"):
            options["momentum"] = self.pick([0.0, self.number(0.1, 0.95)])
        if kind == "sgd":
            options["nesterov"] = self.chance(0.5)
        if kind == "rmsprop":
            options["centered"] = self.chance(0.5)
        if kind == "adagrad":
            options["initial_accumulator"] = self.number(0.01, 1)
        if kind == "lars":
            options.update(trust=self.number(0.001, 0.1), epsilon=self.pick([0, 1e-4]))
        return kind, options

    @property
    def total_steps(self):
        return self.steps_per_epoch * self.epochs

    def span(self, share=1.0):
        steps = int(self.random.integers(1, max(2, int(self.total_steps * share))))
        return self.pick([{"steps": steps}, {"epochs": round(steps / self.steps_per_epoch, 2) or 0.01}])

    def steps(self, span):
        """A span in steps, rounded to the nearest."""
        return span["steps"] if "steps" in span else math.floor(span["epochs"] * self.steps_per_epoch + 0.5)

    def draw_rules(self):
        """Weight decay by parameters; the first rule that matches counts."""
        if self.chance(0.7):
            return "none"
        matches = ["*", "dense", "*/bias", "dense/*", "*/kernel"]
        return [{"match": self.pick(matches), "scale": self.pick([0, 1, self.number(0, 3)])} for _ in range(self.pick([1, 2]))]

    def decay_of(self, name):
        for rule in [] if self.rules == "none" else self.rules:
            if rule["match"] in ("*", "dense", "dense/*", "*/" + name.split("/")[1]):
                return rule["scale"]
        return 1 if self.decays_on == "all" or name.endswith("kernel") else 0

    def draw_schedule(self):
        kind = self.pick(
            ["constant", "step", "cosine", "exponential", "polynomial", "cosine_restarts", "one_cycle", "plateau"])
        options = {}
        if kind == "plateau":
            self.epochs = int(self.random.integers(3, 7))
            options = {
                "factor": self.number(0.2, 0.9), "patience": self.pick([1, 1, 2]), "min_gain": self.pick([0, self.number(0, 0.3)]),
                "cooldown": self.pick([0, 1, 2]), "floor": self.pick([0, self.number(0.05, 0.6)])}
        if kind in ("cosine", "polynomial"):
            options = {"floor": self.number(0, 0.5), "over": self.pick(["run", self.span()])}
        if kind == "polynomial":
            options["power"] = self.number(0.5, 3)
        if kind == "exponential":
            options = {"every": self.span(), "factor": self.number(0.2, 1), "staircase": self.chance(0.5)}
        if kind == "step":
            # A time in epochs must be one of the run.
            first = min(self.span(0.9).items())
            later = first[1] + 3 if first[0] == "steps" else (first[1] + self.epochs) / 2
            options = {"at": [{first[0]: first[1]}, {first[0]: later}], "factor": self.number(0.1, 1)}
            if later == first[1]:
                options["at"].pop()
        if kind == "cosine_restarts":
            options = {
                "first": self.span(0.5), "stretch": self.number(1, 3), "shrink": self.number(0.3, 1),
                "floor": self.number(0, 0.5)}
        if kind == "one_cycle":
            options = {"rise": self.number(0, 0.8), "start": self.number(0, 0.5), "end": self.number(0, 0.1)}
        elif self.chance(0.5):
            options["warmup"] = self.pick(["none"] + 4 * [self.span(0.7)])
        return kind, self.within_run(options)

    def within_run(self, options):
        """With spans in steps where so many epochs would be more than the program takes for the run."""
        epochs = sum(
            span["epochs"] for name in ("warmup", "over") if isinstance(span := options.get(name), dict) and "epochs" in span)
        longest = max([epochs] + [time.get("epochs", 0) for time in options.get("at", [])])
        if longest < self.epochs:
            return options
        return {
            name: {"steps": max(1, self.steps(value))} if isinstance(value, dict) else
            [{"steps": max(1, self.steps(time))} for time in value[:1]] if name == "at" else value
            for name, value in options.items()}

    def factor(self, step):
        return rules.factor(self.schedule, self.curve, step, self.total_steps, self.steps)

    # As the program takes it

    @property
    def configuration(self):
        loss = dict(self.loss_options)
        if self.class_weights is not None:
            loss["class_weights"] = self.class_weights
        elif not self.task in ("numbers", "one_hot") and self.count % 2:
            loss["class_weights"] = "none"
        source = {"file": "data.h5", "images": "x", ("targets" if self.has_targets else "labels"): "t"}
        if self.weights is not None:
            source["weights"] = "w"
        layers = (["flatten"] if len(self.shape) > 1 else []) + [{"dense": {"name": "dense", "units": self.outputs}}]
        training = {
            "epochs": self.epochs, "batch": self.batch, "shard": max(1, self.batch // 2),
            "accumulate": self.accumulate, "loss": {self.loss: loss} if loss else self.loss,
            "metrics": self.metrics, "monitor": "loss", "optimizer": {self.optimizer: self.options},
            "schedule": {self.schedule: self.curve} if self.curve else self.schedule, "clipping": self.clipping,
            "weight_decay_on": self.decays_on, "weight_decay_rules": self.rules, "ema": self.ema, "max_norm": self.max_norm,
            "base_batch": self.base_batch or "none",
        }
        training["augmentation"] = [self.augmentation] if self.augmentation else "none"
        return {
            "name": "drawn", "data": {"train": source, "shuffle": False},
            "network": {"input": list(self.shape), "layers": layers}, "training": training,
            "checkpoints": {"every": {"steps": 1}, "keep": {"last": 1000, "best": 0}},
        }

    def write(self, folder):
        with h5py.File(f"{folder}/data.h5", "w") as file:
            file["x"], file["t"] = self.x, self.file_targets
            if self.weights is not None:
                file["w"] = self.weights
        with open(f"{folder}/config.yaml", "w") as file:
            # JSON is YAML of the kind that the program reads.
            json.dump(self.configuration, file, indent=1)

    # What an augmentation can make of a sample

    def variants(self, sample):
        """Every (pixels, target) that the step can give."""
        x, t = self.x[sample].astype(float), self.t[sample]
        if not self.augmentation:
            return [(x, t)]
        (word, options), = self.augmentation.items()
        height, width = self.shape[:2]
        share = options.get("probability", 1 if word == "cutout" else 0.5)
        if word == "cutout":
            rows, columns = options["size"]
            found = [(x, t)] if share < 1 else []
            if share == 0:
                return found
            for row, column in itertools.product(range(height), range(width)):
                top, left = row - rows // 2, column - columns // 2
                cut = x.copy()
                cut[max(top, 0):max(top + rows, 0), max(left, 0):max(left + columns, 0)] = np.float32(options["fill"])
                found.append((cut, t))
            return found
        if word == "board_symmetry":
            moves = [lambda a, k=k, f=f: np.rot90(a[:, ::-1] if f else a, k) for k in range(4) for f in (0, 1)]
        elif word == "flip_horizontal":
            moves = [lambda a: a, lambda a: a[:, ::-1]][share == 1 : 2 - (share == 0)]
        elif word == "flip_vertical":
            moves = [lambda a: a, lambda a: a[::-1]][share == 1 : 2 - (share == 0)]
        else:
            mode = {"zero": "constant", "edge": "edge", "reflect": "reflect"}[options["border"]]

            def shift(a, i, j):
                return np.pad(a, ((1, 1), (1, 1), (0, 0)), mode=mode)[i:i + height, j:j + width]

            moves = [lambda a, i=i, j=j: shift(a, i, j) for i in range(3) for j in range(3)]
        points = height * width
        kept = t[points:] if len(t) == points + 1 else t[:0]

        def answer(move):
            if options["answer"] == "none":
                return t
            lying = t[:len(t) - len(kept)].reshape(height, width, -1)
            return np.concatenate([move(lying).reshape(-1), kept])

        return [(move(x), answer(move)) for move in moves]


def drawn(seed, number):
    """A draw of the one kind or of the other."""
    random = np.random.default_rng([seed, number, 1])
    return varied.VariedDraw(random) if random.random() < 0.25 else Draw(seed, number)


def words_of(configuration):
    return set().union(*(schema_words.of_value(configuration["training"].get(part), part) for part in PARTS))


class Difference(Exception):
    pass


def train(convoy, folder):
    done = subprocess.run(
        [convoy, "train", "config.yaml", "--run-dir", "run", "--workers", "2", "--quiet"], cwd=folder, capture_output=True,
        text=True, timeout=300)
    if done.returncode:
        raise Difference(f"the program ended with {done.returncode}: {done.stderr.strip()}")


def checkpoint(folder, step):
    """After a step: parameters and slots as training goes on with them, and the average: {name: array}, {slot: {name: array}}."""
    with h5py.File(f"{folder}/run/checkpoints/checkpoint-s{step:010d}.h5") as file:
        names = ["dense/kernel", "dense/bias"]
        average = {name: file[f"model_weights/dense/{name}"][()].astype(float) for name in names}
        trained = file.get("convoy/trained")
        values = {name: trained[name][()].astype(float) for name in names} if trained is not None else average
        slots = {
            slot: {name: group[name][()].astype(float) for name in names}
            for slot, group in file.get("convoy/optimizer", {}).items()}
    return values, slots, average


class VariedTrial:
    """A draw of `varied.py` carried out by the program: each step must be one of the kind that was configured."""

    def __init__(self, draw, folder):
        self.draw, self.folder = draw, folder
        self.counts = collections.Counter()

    def run(self, convoy):
        with h5py.File(f"{self.folder}/data.h5", "w") as file:
            file["x"], file["t"] = self.draw.x, self.draw.t
        with open(f"{self.folder}/config.yaml", "w") as file:
            json.dump(self.draw.configuration, file, indent=1)
        train(convoy, self.folder)
        steps = 2 * self.draw.count // (2 if self.draw.pairs else 1)
        seen, state = [], checkpoint(self.folder, 1)
        for step in range(1, steps):
            after = checkpoint(self.folder, step + 1)
            try:
                number = self.draw.explain(step, state[0], after[0])
            except ValueError as problem:
                raise Difference(f"step {step + 1}, {self.draw.word}: {problem}")
            self.counts["varied steps"] += 1
            seen += [] if number is None else [round(number, 5)]
            state = after
        # What is drawn is not the same twice.
        if len(seen) > 4 and len(set(seen)) < len(seen) / 2:
            raise Difference(f"{self.draw.word}: of {len(seen)} samples there are but {len(set(seen))} different ones")
        self.counts["varied steps with what was drawn"] += len(seen)


def close(what, found, expected, tolerance):
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    off = np.abs(found - expected)
    if not (off <= tolerance).all():
        place = np.unravel_index(np.argmax(off - tolerance), off.shape) if off.shape else ()
        raise Difference(f"{what}: {found[place]!r} where {expected[place]!r} is right")


class Trial:
    """A draw carried out by the program, and repeated."""

    def __init__(self, draw, folder, keras):
        self.draw, self.folder, self.keras = draw, folder, keras
        self.counts = collections.Counter()

    def run(self, convoy):
        self.draw.write(self.folder)
        train(convoy, self.folder)
        self.plateau = self.plateau_factors()
        with open(f"{self.folder}/run/steps.csv") as file:
            self.rows = list(csv.DictReader(file))
        if len(self.rows) != self.draw.total_steps:
            raise Difference(f"{len(self.rows)} steps where {self.draw.total_steps} are right")
        for step, row in enumerate(self.rows):
            rate = self.rate(step)
            close(f"step {step + 1}, learning rate", float(row["learning_rate"]), rate, 1e-12 + 1e-9 * abs(rate))
        self.hold_schedule()
        state = checkpoint(self.folder, 1)
        gradients = []
        for step in range(1, self.draw.total_steps):
            after = checkpoint(self.folder, step + 1)
            gradients.append(self.repeat(step, state, after))
            state = after
        self.hold_optimizer(gradients)

    def rate(self, step):
        d = self.draw
        scale = d.step_samples / d.base_batch if d.base_batch else 1
        return d.options["learning_rate"] * scale * d.factor(step) * self.plateau[step // d.steps_per_epoch]

    def plateau_factors(self):
        """What a plateau leaves of the rate in each epoch, by the figures that the program says."""
        d = self.draw
        if d.schedule != "plateau":
            return [1.0] * d.epochs
        with open(f"{self.folder}/run/metrics.csv") as file:
            figures = [float(row["test_loss"] or row["train_loss"]) for row in csv.DictReader(file)]
        factors = rules.plateau(d.curve, figures)
        if self.keras is not None:
            theirs = rules.keras_plateau(d.curve, figures, self.keras)
            close("the formula of a plateau beside Keras", factors, theirs, 1e-5)
            self.counts["plateaus by Keras"] += 1
        return factors[:d.epochs]

    def repeat(self, step, before, after):
        d, (w, slots, average) = self.draw, before
        start = step % d.steps_per_epoch * d.step_samples
        samples = range(start, min(start + d.step_samples, d.count))
        choices = [d.variants(sample) for sample in samples]
        row, matches = self.rows[step], []
        for chosen in itertools.product(*choices):
            losses, z = [], []
            g = {"dense/kernel": np.zeros_like(w["dense/kernel"]), "dense/bias": np.zeros_like(w["dense/bias"])}
            for sample, (x, t) in zip(samples, chosen):
                flat = x.reshape(-1)
                outputs = flat @ w["dense/kernel"] + w["dense/bias"]
                value, slope = d.sample_loss(outputs, t)
                weight = d.sample_weight(sample)
                losses.append(weight * value)
                g["dense/kernel"] += weight * np.outer(flat, slope) / len(samples)
                g["dense/bias"] += weight * slope / len(samples)
                z.append(outputs)
            loss = float(np.mean(losses))
            if abs(loss - float(row["loss"])) <= 2e-5 * max(1, abs(loss)):
                matches.append((g, np.array(z), np.array([t for _, t in chosen])))
        what = f"step {step + 1}"
        if not matches:
            raise Difference(f"{what}, loss: {row['loss']} comes of nothing that the samples can be")
        # Several ways may give one loss; one of them must give all the rest.
        problems = []
        for g, z, t in matches:
            try:
                for name in d.metrics:
                    expected = rules.metric(name, z, t, d.judged)
                    close(f"{what}, {name}", float(row[name]), expected, 2e-5 * max(1, abs(expected)))
                self.update(what, step, w, slots, average, g, after)
                self.hold_loss(z, t)
                self.counts["steps"] += 1
                return g
            except Difference as difference:
                problems.append(difference)
        raise problems[0]

    def clipped(self, g):
        kind, bound = next(iter(self.draw.clipping.items())) if isinstance(self.draw.clipping, dict) else (None, 0)
        if kind == "norm":
            norm = math.sqrt(sum((value**2).sum() for value in g.values()))
            return {name: value * min(1, bound / norm) if norm else value for name, value in g.items()}
        if kind == "value":
            return {name: np.clip(value, -bound, bound) for name, value in g.items()}
        return g

    def bounded(self, name, value):
        """With the norm of what leads to each output bounded."""
        if self.draw.max_norm == "none" or not name.endswith("kernel"):
            return value
        norms = np.linalg.norm(value, axis=0, keepdims=True)
        limit = self.draw.max_norm["limit"]
        return np.where(norms > limit, value * limit / np.maximum(norms, 1e-30), value)

    def kept_share(self, update):
        """Of the average, in an update from 1."""
        decay = self.draw.ema["decay"]
        return min(decay, (1 + update) / (10 + update)) if self.draw.ema["rise"] else decay

    def update(self, what, step, w, slots, average, g, after):
        d = self.draw
        rule, rate = getattr(rules, d.optimizer), self.rate(step)
        clipped = self.clipped(g)
        # What a rounded gradient can come to: rules that divide by its size, or take its sign, make much of little.
        error = ROUNDING * max(1e-3, max(np.abs(value).max() for value in g.values()))
        for name in w:
            own = {slot: values[name] for slot, values in slots.items()}
            decays = d.decay_of(name)
            new, new_slots = rule(w[name], clipped[name], own, rate, step + 1, d.options, decays)
            new = self.bounded(name, new)
            spread = np.zeros_like(new)
            for sign in (-1, 1):
                moved, _ = rule(w[name], clipped[name] + sign * error, own, rate, step + 1, d.options, decays)
                spread = np.maximum(spread, np.abs(self.bounded(name, moved) - new))
            if d.max_norm != "none":
                # All of a bounded column moves with each of its elements.
                spread = np.broadcast_to(spread.max(0, keepdims=True), spread.shape)
            scale = ROUNDING * max(1, np.abs(new).max())
            close(f"{what}, {name}", after[0][name], new, 2 * spread + scale)
            if d.ema != "none":
                kept = self.kept_share(step + 1)
                expected = kept * average[name] + (1 - kept) * new
                close(f"{what}, the average of {name}", after[2][name], expected, 2 * spread + scale)
            for slot, expected in new_slots.items():
                size = max(1e-3, np.abs(expected).max())
                close(f"{what}, {slot} of {name}", after[1][slot][name], expected, 2 * spread + 50 * ROUNDING * size)

    # The formulas beside Keras

    def hold_loss(self, z, t):
        if self.keras is None or (self.draw.task == "labels" and self.draw.class_weights is not None):
            return
        own = [self.draw.sample_loss(outputs, target)[0] for outputs, target in zip(z, t)]
        theirs = rules.keras_loss(self.draw.loss, self.draw.loss_options, self.keras)(z, t)
        close("the formula of the loss beside Keras", own, theirs, 2e-5 * np.maximum(1, np.abs(theirs)))
        self.counts["losses by Keras"] += 1

    def hold_schedule(self):
        if self.keras is None:
            return
        d = self.draw
        found = rules.keras_schedule(d.schedule, d.curve, d.total_steps, d.steps, self.keras)
        if found is None:
            return
        schedule, first = found
        for step in range(first, d.total_steps):
            close(f"the formula of the schedule beside Keras, step {step}", d.factor(step), float(schedule(step)), 2e-5)
        self.counts["schedules by Keras"] += 1

    def hold_optimizer(self, gradients):
        """The same gradients from the same start, by the formula and by Keras."""
        if self.keras is None or not gradients:
            return
        d = self.draw
        optimizer = rules.keras_optimizer(d.optimizer, d.options, self.keras)
        if optimizer is None:
            return
        rule = getattr(rules, d.optimizer)
        w = np.linspace(-0.9, 0.9, gradients[0]["dense/kernel"].size)
        variable = self.keras.Variable(w.astype(np.float32))
        optimizer.build([variable])
        slots = collections.defaultdict(lambda: np.zeros_like(w))
        for step, g in enumerate(gradients[:6]):
            g = g["dense/kernel"].reshape(-1)
            # Signs of what is nothing but rounding are nobody's.
            g = np.where(np.abs(g) < 1e-5, 1e-3, g).astype(np.float32)
            rate = 0.02 * (1 + step % 3)
            optimizer.learning_rate = rate
            optimizer.apply([self.keras.ops.convert_to_tensor(g)])
            w, new = rule(w, g.astype(float), slots, rate, step + 1, d.options, 1)
            slots.update(new)
        theirs = self.keras.ops.convert_to_numpy(variable.value)
        close(f"the formula of {d.optimizer} beside Keras", w, theirs, 2e-4)
        self.counts["optimizers by Keras"] += 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("convoy")
    parser.add_argument("draws", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("--only", type=int)
    parser.add_argument("--keep")
    options = parser.parse_args()
    import keras

    wanted = set()
    for part in PARTS:
        schema = schema_words.of_program(options.convoy)["properties"]["training"]["properties"][part]
        wanted |= schema_words.of_schema(schema, part)
    missing = schema_words.never_drawn(
        wanted - EXCEPTIONS.keys(), lambda number: words_of(drawn(options.seed, number).configuration))
    if missing:
        sys.exit(f"error: of what the schema has, these are never drawn: {sorted(missing)}")
    counts, different = collections.Counter(), 0
    for number in range(options.draws) if options.only is None else [options.only]:
        draw = drawn(options.seed, number)
        is_varied = isinstance(draw, varied.VariedDraw)
        if options.only is not None:
            print(json.dumps(draw.configuration, indent=1))
        folder = tempfile.mkdtemp(prefix="peer-fuzz-")
        try:
            trial = VariedTrial(draw, folder) if is_varied else Trial(draw, folder, keras)
            trial.run(options.convoy)
            counts.update(trial.counts)
        except Difference as difference:
            different += 1
            print(f"draw {number}: {difference}", file=sys.stderr)
            if options.keep:
                shutil.copytree(folder, f"{options.keep}/{options.seed}-{number}", dirs_exist_ok=True)
        finally:
            shutil.rmtree(folder)
        counts["draws"] += 1
        if is_varied:
            counts[draw.word] += 1
            continue
        for feature in [draw.loss, draw.optimizer, draw.schedule] + list(draw.augmentation or []):
            counts[feature] += 1
        if "warmup" in draw.curve:
            counts["warm-up"] += 1
        if (next(iter(draw.augmentation.values())) if draw.augmentation else {}).get("answer") == "board":
            counts["answers moved"] += 1
        if draw.class_weights is not None:
            counts["class weights"] += 1
    print(" · ".join(f"{name} {times}" for name, times in counts.most_common()))
    print(f"{different} of {counts['draws']} differ")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
