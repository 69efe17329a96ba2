"""Every network of keras.applications with random weights: saved by Keras, imported by Convoy, and compared.

    keras_zoo.py CONVOY [NAME …] [--table FILE] [--format keras|h5|weights] [--classes N]

Prints a line for each, and a table for the documentation with --table. With --back, what `convoy export keras` writes of the imported
model is opened in Keras and compared, too. Two networks are equal if no output differs by more than 1e-5 of the largest output.
"""

import argparse
import inspect
import os
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
import keras
import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fuzz"))
import comparing
import exchange

# Sides of the images. At 64 pixels the last maps of the deepest networks still have 2×2 positions, so that margins count.
SIZE, SIZES = 64, {"InceptionV3": 75, "InceptionResNetV2": 75, "Xception": 71}


def networks():
    """The functions that make networks, each under its first name."""
    found = {}
    for name, make in vars(keras.applications).items():
        if inspect.isfunction(make) and "weights" in inspect.signature(make).parameters:
            found[name] = make
    return dict(sorted(found.items()))


def build(make, name, classes):
    """The network, its last function left out, and two images."""
    size = SIZES.get(name, SIZE)
    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    model = make(weights=None, input_shape=(size, size, 3), classes=classes, classifier_activation=None)
    rng = np.random.default_rng(2)
    vary(model, rng)
    images = comparing.pictures(2, size, rng)
    settle(model, comparing.pictures(16, size, rng), images, rng)
    return model, images


def vary(model, rng):
    """Gives factors, offsets and given figures values of their own, where new networks have ones and zeros that hide mistakes."""
    layers = list(model._flatten_layers(include_self=False))
    # Without normalisation, large biases drown the image from layer to layer.
    spread = 0.2 if any("Normalization" in type(layer).__name__ for layer in layers) else 0.05
    for layer in layers:
        for weight in layer._trainable_variables:
            if weight.name == "gamma":
                weight.assign(rng.uniform(0.7, 1.3, weight.shape))
            elif weight.name in ("beta", "bias"):
                weight.assign(rng.normal(0, spread, weight.shape))


def settle(model, batch, images, rng):
    """Running statistics as after a training: those of a batch, and a little beside them.

    With those of a new network, values vanish or grow from layer to layer, and the outputs hardly depend on the image. With exactly those of a
    batch, a deep network with random weights magnifies every difference, that of rounding too. The variances are therefore larger by a
    factor: the largest of some with which the outputs still depend on the image.
    """
    norms = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    if not norms:
        return
    kept = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    model(batch, training=True)
    statistics = []
    for norm, momentum in zip(norms, kept):
        norm.momentum = momentum
        variance = np.array(norm.moving_variance)
        norm.moving_mean.assign(np.array(norm.moving_mean) + rng.normal(0, 0.1, variance.shape) * np.sqrt(variance))
        statistics.append(variance * rng.uniform(0.8, 1.25, variance.shape))
    for factor in comparing.FACTORS:
        for norm, variance in zip(norms, statistics):
            norm.moving_variance.assign(factor * variance)
        if comparing.spread(np.array(model(images))) >= comparing.LEAST_SPREAD:
            return


def compare(convoy, model, x, form, folder, back):
    path = f"{folder}/model.{'h5' if form == 'h5' else 'keras'}"
    model.save(path)
    wanted = model.predict(x, verbose=0)
    exchange.run(
        convoy, "import", "keras", path, "--to", f"{folder}/own.h5", "--preprocessing", "none", "--loss", "mean_squared_error")
    off = comparing.share(exchange.outputs(convoy, f"{folder}/own.h5", x, wanted.shape[1], folder), wanted)
    if back:
        exchange.run(convoy, "export", "keras", f"{folder}/own.h5", "--to", f"{folder}/back.keras")
        again = keras.models.load_model(f"{folder}/back.keras").predict(x, verbose=0)
        exchange.run(convoy, "export", "keras", f"{folder}/own.h5", "--to", f"{folder}/back.weights.h5")
        reloaded = keras.models.load_model(f"{folder}/back.keras")
        reloaded.load_weights(f"{folder}/back.weights.h5")
        off = max(off, comparing.share(again, wanted), comparing.share(reloaded.predict(x, verbose=0), wanted))
    return off, comparing.spread(wanted)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("convoy")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--table")
    parser.add_argument("--format", choices=["keras", "h5"], default="keras")
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--back", action="store_true")
    options = parser.parse_args()
    made = networks()
    rows, wrong = [], 0
    for name in options.names or made:
        with tempfile.TemporaryDirectory() as folder:
            try:
                model, x = build(made[name], name, options.classes)
                off, spread = compare(options.convoy, model, x, options.format, folder, options.back)
                result, isRight = comparing.verdict(off, spread)
                wrong += not isRight
            except exchange.Failed as error:
                place = error.message.split("layer '", 1)
                result = "refused: layer '" + place[1].split("; supported are")[0] if len(place) == 2 else f"FAILED: {error}"
                wrong += error.code != 65 or len(place) != 2
        rows.append((name, result))
        print(f"{name}: {result}", flush=True)
    if options.table:
        exchange.write_table(options.table, rows)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
