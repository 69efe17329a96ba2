"""Networks drawn at random whose training steps Keras repeats from Convoy's checkpoints.

    keras_fuzz.py CONVOY DRAWS SEED [--only NUMBER] [--keep FOLDER]

For each draw Convoy trains four steps and keeps a checkpoint of each. Keras 3 opens each checkpoint, takes the optimizer's state
from it, does the next step in float64, and must come to the weights, statistics and state of the next checkpoint. Besides,
Keras 3 and Keras 2 (tf_keras) must open the last checkpoint as it is compiled and predict what Convoy predicts, and a model that they
train for one step more and write again, as .h5 and as .keras, must come back with the same predictions. First of all, every word of the schema that Keras knows must be one that is drawn.

Needs keras, tensorflow-cpu, tf_keras and h5py.
"""

import argparse
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import traceback

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_USE_LEGACY_KERAS"] = "0"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import warnings  # noqa: E402

warnings.filterwarnings("ignore")

import h5py  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import tf_keras  # noqa: E402

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import exchange  # noqa: E402
import schema_words  # noqa: E402
from keras_draw import STEPS, Draw, wanted_words  # noqa: E402

for name in ("absl", "tensorflow"):
    logging.getLogger(name).setLevel("ERROR")

# Where Convoy keeps what Keras calls by another name.
SLOTS = {
    "sgd": {"momentum": "momentums"},
    "adam": {"mean": "_momentums", "squared_mean": "_velocities"},
    "adamw": {"mean": "_momentums", "squared_mean": "_velocities"},
    "nadam": {"mean": "_momentums", "squared_mean": "_velocities"},
    "rmsprop": {"squared_mean": "_velocities", "momentum": "_momentums", "mean": "_average_gradients"},
    "adagrad": {"squared_sum": "_accumulators"},
    "adadelta": {"squared_mean": "_accumulated_grads", "squared_change": "_accumulated_delta_vars"},
    "lion": {"mean": "_momentums"},
}


def local_response_normalization(package):
    """The layer that Configs/README.md gives to Keras, which has none."""

    class LocalResponseNormalization(package.layers.Layer):
        def __init__(self, depth_radius, bias, alpha, beta, **options):
            super().__init__(**options)
            self.numbers = dict(depth_radius=depth_radius, bias=bias, alpha=alpha, beta=beta)

        def call(self, inputs):
            if inputs.dtype != tf.float64:
                return tf.nn.local_response_normalization(inputs, **self.numbers)
            # TensorFlow's takes no float64.
            reach = self.numbers["depth_radius"]
            squares = tf.pad(inputs * inputs, [[0, 0]] * 3 + [[reach, reach]])
            channels = inputs.shape[-1]
            total = sum(squares[..., shift : shift + channels] for shift in range(2 * reach + 1))
            return inputs / (self.numbers["bias"] + self.numbers["alpha"] * total) ** self.numbers["beta"]

        def get_config(self):
            return super().get_config() | self.numbers

    return {"LocalResponseNormalization": LocalResponseNormalization}


CUSTOM = {package: local_response_normalization(package) for package in (keras, tf_keras)}


# By how much weights are moved, relative to their size, to see where a step jumps: a few units in float32's last place at first, then what
# kernels may round by (4e-6 of the largest element for the project's own Winograd, see Sources/README.md) in values that float32 passes
# through several layers. A sound formula that is wrong in its thousandth part is seen through both: only elements that jump get slack.
NOISES = [3e-7, 3e-6]
SIDE_STEPS = 12
# What float32 holds as a gradient at least, for which it has full precision.
SMALLEST = float(np.finfo("float32").tiny)


# In front of a variable's path: its running average.
AVERAGE = "average of "


def is_kernel(name):
    return "kernel" in name or name == "embeddings"


class Refused(Exception):
    """Convoy does not take what was drawn."""


class Different(Exception):
    """Convoy and Keras come to different results."""


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


# Convoy's side


def train(convoy, draw, folder):
    exchange.write_draw(draw, folder)
    done = run(convoy, "train", f"{folder}/draw.yaml", "--run-dir", f"{folder}/run")
    if done.returncode == 78:
        raise Refused(done.stderr.strip())
    if done.returncode == 76:
        return None
    if done.returncode:
        raise Different(f"train ended with {done.returncode}: {done.stderr.strip()[-600:]}")
    found = {}
    for name in os.listdir(f"{folder}/run/checkpoints"):
        path = f"{folder}/run/checkpoints/{name}"
        if name.endswith(".h5") and not os.path.islink(path):
            with h5py.File(path) as file:
                found[int(file["convoy/state"].attrs["step"])] = path
    return found


def predict(convoy, draw, checkpoint, folder):
    target = "--labels" if draw.has_classes else "--targets"
    done = run(
        convoy, "predict", checkpoint, "--data", f"{folder}/data.h5", "--images", "x", target, "y", "--rows",
        f"0-{len(draw.x) - 1}", "--json",
    )
    if done.returncode:
        raise Different(f"predict {checkpoint} ended with {done.returncode}: {done.stderr.strip()[-600:]}")
    rows = json.loads(done.stdout)
    key = "probabilities" if "probabilities" in rows[0] else "values"
    return np.array([row[key] for row in rows], "float64").reshape(len(rows), -1)


# What a checkpoint holds, in the order of Keras's weights


def weights(path, layer, averaged=False):
    """As training goes on with them; `averaged` as predictions take them, where the training keeps an average."""
    with h5py.File(path) as file:
        group = file["model_weights"][layer.name]
        trained = file.get("convoy/trained")
        found = []
        for name in group.attrs["weight_names"]:
            short = name.split("/")[-1]
            own = f"{layer.name}/{short}"
            values = trained[own] if trained is not None and own in trained and not averaged else group[name]
            found.append((short, values[...].astype("float64")))
        return found


def slot(path, name, layer, parameter, shape):
    with h5py.File(path) as file:
        key = f"convoy/optimizer/{name}/{layer}/{parameter}"
        return file[key][...].astype("float64") if key in file else np.zeros(shape)


# Keras's side


def make_optimizer(draw):
    s = draw.settings
    options = {"learning_rate": float(s["learning_rate"])}
    if draw.optimizer == "adamw" or draw.optimizer != "adam" and s["weight_decay"]:
        options["weight_decay"] = float(s["weight_decay"])
    if draw.clipping:
        options |= {"global_clipnorm": draw.clipping["norm"]} if "norm" in draw.clipping else {
            "clipvalue": draw.clipping["value"]
        }
    if draw.ema is not None:
        options |= {"use_ema": True, "ema_momentum": draw.ema}
    names = {
        "momentum": "momentum", "nesterov": "nesterov", "beta1": "beta_1", "beta2": "beta_2", "epsilon": "epsilon",
        "rho": "rho", "centered": "centered", "initial_accumulator": "initial_accumulator_value",
    }
    for key, value in s.items():
        if key in names:
            options[names[key]] = value if isinstance(value, bool) else float(value)
    classes = {
        "sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "nadam": "Nadam", "rmsprop": "RMSprop", "adagrad": "Adagrad",
        "adadelta": "Adadelta", "lion": "Lion",
    }
    return getattr(keras.optimizers, classes[draw.optimizer])(**options)


def loss_of(draw, outputs, y, sample_weights):
    """The mean over samples, as written in the losses' definitions; cross-entropies take what comes before softmax or sigmoid."""
    y = tf.one_hot(y, draw.outputs, dtype="float64") if draw.has_classes else tf.cast(y, "float64")
    y, outputs = tf.reshape(y, [-1, draw.outputs]), tf.reshape(outputs, [-1, draw.outputs])
    if draw.loss == "softmax_cross_entropy":
        target = y * (1 - draw.smoothing) + draw.smoothing / draw.outputs
        each = -tf.reduce_sum(target * tf.nn.log_softmax(outputs), -1)
        if draw.class_weights is not None:
            each = each * tf.gather(draw.class_weights, tf.argmax(y, -1))
    elif draw.loss.startswith("sigmoid"):
        target = y * (1 - draw.smoothing) + draw.smoothing / 2
        each = tf.nn.sigmoid_cross_entropy_with_logits(target, outputs)
        if draw.loss == "sigmoid_focal_cross_entropy":
            doubt = target * tf.sigmoid(-outputs) + (1 - target) * tf.sigmoid(outputs)
            # What float64 rounds to no doubt at all has no gradient, whatever power it is taken to.
            each = each * tf.maximum(doubt, 1e-300) ** draw.gamma
            if draw.alpha is not None:
                each = each * (target * draw.alpha + (1 - target) * (1 - draw.alpha))
        if draw.class_weights is not None:
            each = each * draw.class_weights
        each = tf.reduce_mean(each, -1)
    else:
        error = outputs - y
        size = tf.abs(error)
        if draw.loss == "mean_squared_error":
            each = error * error
        elif draw.loss == "mean_absolute_error":
            each = size
        else:
            each = tf.where(size <= draw.delta, 0.5 * error * error, draw.delta * (size - 0.5 * draw.delta))
        each = tf.reduce_mean(each, -1)
    return tf.reduce_mean(each * sample_weights)


def load_state(model, optimizer, draw, path, step):
    for layer in model.layers:
        layer.set_weights([value for _, value in weights(path, layer)])
    optimizer.build(model.trainable_variables)
    optimizer.iterations.assign(step)
    if draw.optimizer == "nadam":
        beta = draw.settings["beta1"]
        optimizer._u_product.assign(np.prod([beta * (1 - 0.5 * 0.96**t) for t in range(1, step + 1)]))
    if draw.ema is not None:
        averages = {v.path: value for layer in model.layers for v, (_, value) in zip(layer.weights, weights(path, layer, True))}
        for variable, average in zip(model.trainable_variables, optimizer._model_variables_moving_average):
            average.assign(averages[variable.path])
    of_variable = {id(v): (layer, name) for layer in model.layers for v, (name, _) in zip(layer.weights, weights(path, layer))}
    for name, attribute in SLOTS[draw.optimizer].items():
        values = getattr(optimizer, attribute, None)
        if not values:
            continue
        for variable, state in zip(model.trainable_variables, values):
            layer, parameter = of_variable[id(variable)]
            value = slot(path, name, layer.name, parameter, variable.shape)
            # Convoy's sum of squares begins at zero, and what it starts from is added where it is used.
            start = draw.settings.get("initial_accumulator", 0) if draw.optimizer == "adagrad" else 0
            state.assign(value + start)


def parameters_of(model, draw):
    """The trainable variables, each with its layer and the name that Convoy gives it."""
    return [
        (variable, layer, variable.path.split("/")[-1])
        for layer in model.layers
        for variable in layer.trainable_variables
    ]


def bound_norms(model, draw):
    """Keras's constraint on what leads to one output."""
    for variable, layer, name in parameters_of(model, draw):
        kind = type(layer).__name__
        if "kernel" not in name or kind == "EinsumDense":
            continue
        axes = list(range(len(variable.shape) - 1))
        if "depthwise" in name or kind == "DepthwiseConv2D":
            axes = [0, 1]
        elif kind == "Conv2DTranspose":
            axes = [0, 1, 3]
        variable.assign(keras.constraints.MaxNorm(draw.max_norm, axis=axes)(variable))


class Rounding:
    """Gives what maxima are taken of the noise of float32, in which close numbers are equal. Of equal ones Convoy takes the first and Keras all:
    without `random`, the earlier places get a little more."""

    noise, random = 0.0, None

    @classmethod
    def watch(cls, model):
        for layer in model.layers:
            if "Max" in type(layer).__name__ and "Pool" in type(layer).__name__:
                layer.call = cls.around(layer.call)

    @classmethod
    def around(cls, call):
        def rounded(inputs, *others, **options):
            if cls.noise:
                places = inputs.shape[1:-1]
                lead = np.linspace(1, 0, int(np.prod(places))).reshape([1, *places, 1])
                around = lead if cls.random is None else cls.random.normal(size=inputs.shape)
                inputs = inputs + cls.noise * float(tf.reduce_max(tf.abs(inputs))) * around
            return call(inputs, *others, **options)

        return rounded


def keras_step(model, draw, path, step, noise=0.0, random=None):
    """What Keras makes of a checkpoint: all weights after one step, by layer, and the gradient's largest size."""
    optimizer = make_optimizer(draw)
    load_state(model, optimizer, draw, path, step)
    if noise and random is not None:
        for variable in model.trainable_variables:
            # Zeros move, too: those of biases by position make equal maxima of equal words.
            around = random.normal(size=variable.shape), 1e-2 * random.normal(size=variable.shape)
            variable.assign(variable * (1 + noise * around[0]) + noise * around[1])
    before = {v.path: v.numpy() for layer in model.layers for v in layer.weights} | averages_of(model, optimizer, draw)
    rows = slice(step * draw.batch, (step + 1) * draw.batch)
    x = tf.constant(draw.x[rows].astype("float64"))
    w = np.ones(draw.batch) if draw.weights is None else draw.weights[rows].astype("float64")
    Rounding.noise, Rounding.random = noise, random
    with tf.GradientTape() as tape:
        loss = loss_of(draw, model(x, training=True), draw.y[rows], tf.constant(w))
    gradients = tape.gradient(loss, [v.value for v in model.trainable_variables], unconnected_gradients="zero")
    gradients = [tf.convert_to_tensor(g) for g in gradients]
    if noise and random is not None:
        # What sums of float32 leave of a gradient that is zero, as of a bias in front of a batch normalisation.
        largest = max(float(tf.reduce_max(tf.abs(g))) for g in gradients)
        # Nor does float32 know the sign of what is too small for it.
        size = 3 * noise * largest + SMALLEST
        gradients = [g + size * random.normal(size=g.shape) for g in gradients]
    # The vector of what fills up short texts stays zero, which Keras knows nothing of.
    fillers = {
        settings["name"]: settings["padding_word"]
        for word, settings in draw.all_layers
        if word == "embedding" and settings["padding_word"] != "none"
    }
    for index, variable in enumerate(model.trainable_variables):
        filler = fillers.get(variable.path.split("/")[0])
        if filler is not None:
            gradients[index] *= 1 - tf.one_hot(filler, variable.shape[0], dtype="float64")[:, None]
    spared = [v for v, _, name in parameters_of(model, draw) if draw.decays_on == "kernels" and not is_kernel(name)]
    # Convoy bounds the gradient and then adds Adam's decay to it.
    if draw.optimizer == "adam" and draw.settings["weight_decay"]:
        gradients = clipped(draw, gradients)
        decay = draw.settings["weight_decay"]
        decays = {v.path: 0 if any(v is other for other in spared) else decay for v in model.trainable_variables}
        gradients = [g + decays[v.path] * v.value for g, v in zip(gradients, model.trainable_variables)]
        optimizer.global_clipnorm = optimizer.clipvalue = None
    elif spared:
        optimizer.exclude_from_weight_decay(var_list=spared)
    optimizer.apply(gradients, model.trainable_variables)
    if draw.max_norm is not None:
        bound_norms(model, draw)
    after = {v.path: v.numpy() for layer in model.layers for v in layer.weights}
    for path, value in averages_of(model, optimizer, draw).items():
        # Keras bounds norms after it has averaged, and Convoy before.
        after[path] = value if draw.max_norm is None else draw.ema * before[path] + (1 - draw.ema) * after[path[len(AVERAGE) :]]
    return before, after


def averages_of(model, optimizer, draw):
    if draw.ema is None:
        return {}
    averages = optimizer._model_variables_moving_average
    return {AVERAGE + v.path: average.numpy() for v, average in zip(model.trainable_variables, averages)}


def clipped(draw, gradients):
    if not draw.clipping:
        return gradients
    if "value" in draw.clipping:
        bound = draw.clipping["value"]
        return [tf.clip_by_value(g, -bound, bound) for g in gradients]
    return tf.clip_by_global_norm(gradients, draw.clipping["norm"])[0]


def compare_step(model, draw, paths, step):
    before, wanted = keras_step(model, draw, paths[step], step)
    found = {}
    averaged = {variable.path for variable in model.trainable_variables}
    for layer in model.layers:
        is_stand_in = type(layer).__name__ == "EinsumDense"
        for variable, (name, value) in zip(layer.weights, weights(paths[step + 1], layer)):
            # The identity matrix of a bias by position is none of the network's parameters.
            if not (is_stand_in and name == "kernel"):
                found[variable.path] = value
        if draw.ema is not None:
            for variable, (name, value) in zip(layer.weights, weights(paths[step + 1], layer, averaged=True)):
                if variable.path in averaged and not (is_stand_in and name == "kernel"):
                    found[AVERAGE + variable.path] = value
    change = {path: wanted[path] - before[path] for path in found}
    largest = max([np.abs(c).max() for c in change.values()], default=0)

    def excess(slack):
        worst = (0.0, "")
        for path, value in found.items():
            bound = 1e-3 * np.abs(change[path]).max() + 2e-6 * np.abs(wanted[path]).max() + 3e-5 * largest + 1e-9
            ratio = np.abs(value - wanted[path]) / (bound + slack.get(path, 0))
            if not np.isfinite(ratio).all():
                return (np.inf, path)
            worst = max(worst, (float(ratio.max()), path))
        return worst

    ratio, path = excess({})
    for noise in NOISES:
        if ratio <= 1:
            return
        # Where the step jumps between weights that float32 cannot tell apart (the kink of ReLU, equal maxima, the sign of a gradient
        # that is zero), both sides of it are right. How far it jumps is seen in Keras's own steps from weights beside these.
        random = np.random.default_rng(1)
        slack = {path: np.zeros_like(value) for path, value in found.items()}
        for side in range(SIDE_STEPS):
            other_before, other = keras_step(
                model, draw, paths[step], step, noise=noise, random=random if side else None)
            for path in slack:
                slack[path] = np.maximum(slack[path], 3 * np.abs(other[path] - other_before[path] - change[path]))
        ratio, path = excess(slack)
    if ratio > 1:
        raise Different(f"step {step + 1}: {path} is off by {ratio:.3g} times what is allowed")


def outputs_of(package, model, draw):
    """Predictions as Convoy prints them."""
    result = np.asarray(model(draw.x.astype("float32"), training=False), "float64").reshape(len(draw.x), -1)
    if draw.loss == "softmax_cross_entropy" and draw.ends_in != "softmax":
        powers = np.exp(result - result.max(1, keepdims=True))
        return powers / powers.sum(1, keepdims=True)
    if draw.loss.startswith("sigmoid") and draw.ends_in != "sigmoid":
        return 1 / (1 + np.exp(-result))
    return result


def expect_equal(found, wanted, what, tolerance=2e-4):
    if found.shape != wanted.shape:
        raise Different(f"{what}: {found.shape} and {wanted.shape}")
    off = np.abs(found - wanted).max()
    if not off <= tolerance * max(1, np.abs(wanted).max()):
        raise Different(f"{what} differ by {off:.3g}")


def train_on(package, model, draw):
    """Trains for one step, so that what is written are not the weights that were read; returns the predictions."""
    x = draw.x.astype("float32")
    target = np.asarray(model(x, training=False)) + 0.5
    # The loss is told when the model comes back, whatever Keras writes.
    model.compile(package.optimizers.SGD(1e-3, clipnorm=1.0), "mse")
    before = [np.array(weight) for weight in model.trainable_weights]
    model.train_on_batch(x, target)
    # What has no gradient, such as everything behind units that are never positive, is moved by hand.
    for weight, old in zip(model.trainable_weights, before):
        if np.array_equal(old, np.array(weight)):
            weight.assign(old * 1.01 + 0.001)
    return outputs_of(package, model, draw)


def check_versions(convoy, draw, path, folder):
    """Both versions of Keras open the checkpoint, and what they write comes back."""
    own = predict(convoy, draw, path, folder)
    with h5py.File(path) as file:
        is_compiled = "training_config" in file.attrs
    keras.config.set_floatx("float32")
    try:
        for package, name in [(keras, "Keras 3"), (tf_keras, "Keras 2")]:
            model = package.models.load_model(path, custom_objects=CUSTOM[package])
            if (getattr(model, "optimizer", None) is not None) != is_compiled:
                raise Different(f"{name} opens the checkpoint {'not ' if is_compiled else ''}compiled")
            theirs = outputs_of(package, model, draw)
            # Keras 2 computes another hard sigmoid.
            if package is keras or "hard_sigmoid" not in draw.functions:
                expect_equal(own, theirs, f"predictions of Convoy and {name}")
            theirs = train_on(package, model, draw)
            for ending in ["h5", "keras"] if package is keras else ["h5"]:
                again, checkpoint = f"{folder}/again.{ending}", f"{folder}/imported.h5"
                model.save(again)
                done = run(
                    convoy, "import", "keras", again, "--to", checkpoint, "--overwrite", "--preprocessing", "none", "--loss",
                    draw.loss,
                )
                if done.returncode:
                    raise Different(
                        f"import of the .{ending} that {name} wrote ended with {done.returncode}: {done.stderr.strip()[-600:]}")
                expect_equal(
                    predict(convoy, draw, checkpoint, folder), theirs, f"predictions after {name} trained and wrote a .{ending}")
    finally:
        keras.config.set_floatx("float64")


def check(convoy, draw, folder):
    """Returns how many steps were compared."""
    paths = train(convoy, draw, folder)
    if paths is None:
        return 0
    steps = sorted(paths)
    if steps[-1] != STEPS:
        raise Different(f"there are checkpoints of the steps {steps}")
    model = keras.models.load_model(paths[steps[0]], compile=False, custom_objects=CUSTOM[keras])
    if draw.loss.endswith("entropy") and draw.ends_in:
        # Probabilities near 0 and 1 have lost what their gradients' signs follow from.
        model.layers[-1].activation = keras.activations.linear
    Rounding.watch(model)
    done = 0
    for step in steps[:-1]:
        compare_step(model, draw, paths, step)
        done += 1
    check_versions(convoy, draw, paths[STEPS], folder)
    return done


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("convoy")
    parser.add_argument("draws", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("--only", type=int)
    parser.add_argument("--keep")
    options = parser.parse_args()
    keras.config.set_floatx("float64")
    missing = schema_words.never_drawn(
        wanted_words(schema_words.of_program(options.convoy)), lambda number: Draw(options.seed, number).schema_words
    )
    if missing:
        sys.exit(f"error: of what the schema has, these are never drawn: {sorted(missing)}")
    steps, refused, failed, overflowed = 0, [], [], 0
    numbers = [options.only] if options.only is not None else range(options.draws)
    words = {}
    for number in numbers:
        draw = Draw(options.seed, number)
        folder = tempfile.mkdtemp(prefix="keras-fuzz-")
        try:
            compared = check(options.convoy, draw, folder)
            steps += compared
            overflowed += compared == 0
            for word in draw.words | {draw.optimizer, draw.loss}:
                words[word] = words.get(word, 0) + 1
        except Refused as problem:
            refused.append(number)
            print(f"draw {number}: refused: {problem}", flush=True)
        except Exception as problem:
            failed.append(number)
            text = str(problem) if isinstance(problem, Different) else traceback.format_exc()
            print(f"draw {number}: {text}", flush=True)
            if options.keep:
                shutil.copytree(folder, f"{options.keep}/draw-{number}", dirs_exist_ok=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        keras.backend.clear_session()
        tf_keras.backend.clear_session()
    print(f"{len(numbers)} draws of seed {options.seed}: {steps} steps repeated, {len(failed)} draws differ {failed or ''}")
    print(f"{len(refused)} refused, {overflowed} whose loss was not finite")
    print("drawn: " + ", ".join(f"{word} {count}" for word, count in sorted(words.items())))
    # Draws that say nothing would make the rest look better than it is.
    too_few = len(numbers) > 10 and len(refused) + overflowed > len(numbers) // 5
    sys.exit(1 if failed or too_few else 0)


main()
