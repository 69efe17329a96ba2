"""Every network of keras.applications with random weights: saved by Keras, imported by Convoy, and compared.

    keras_zoo.py CONVOY [NAME …] [--table FILE] [--format keras|h5|weights] [--classes N]

Prints a line for each, and a table for the documentation with --table. With --back, what `convoy export keras` writes of the imported
model is opened in Keras and compared, too.
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
import exchange

# The smallest images that the networks take, where 64 pixels are too few or not taken.
SIZES = {"InceptionV3": 75, "InceptionResNetV2": 75, "Xception": 71, "NASNetMobile": 224, "NASNetLarge": 331}


def networks():
    """The functions that make networks, each under its first name."""
    found = {}
    for name, make in vars(keras.applications).items():
        if inspect.isfunction(make) and "weights" in inspect.signature(make).parameters:
            found[name] = make
    return dict(sorted(found.items()))


def build(make, name, classes):
    size = SIZES.get(name, 64)
    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    model = make(weights=None, input_shape=(size, size, 3), classes=classes)
    rng = np.random.default_rng(2)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            # Statistics of a network that was trained, so that values stay of ordinary size.
            layer.set_weights([
                rng.uniform(0.7, 1.3, weight.shape) if weight.path.endswith(("gamma", "variance")) else rng.normal(0, 0.1, weight.shape)
                for weight in layer.weights
            ])
    return model, rng.uniform(0, 255, (2, size, size, 3)).astype("float32")


def compare(convoy, model, x, form, folder, back):
    path = f"{folder}/model.{'h5' if form == 'h5' else 'keras'}"
    model.save(path)
    wanted = model.predict(x, verbose=0)
    exchange.run(
        convoy, "import", "keras", path, "--to", f"{folder}/own.h5", "--preprocessing", "none", "--loss", "mean_squared_error")
    off = exchange.difference(exchange.outputs(convoy, f"{folder}/own.h5", x, wanted.shape[1], folder), wanted)
    if back:
        exchange.run(convoy, "export", "keras", f"{folder}/own.h5", "--to", f"{folder}/back.keras")
        again = keras.models.load_model(f"{folder}/back.keras").predict(x, verbose=0)
        exchange.run(convoy, "export", "keras", f"{folder}/own.h5", "--to", f"{folder}/back.weights.h5")
        reloaded = keras.models.load_model(f"{folder}/back.keras")
        reloaded.load_weights(f"{folder}/back.weights.h5")
        off = max(off, exchange.difference(again, wanted), exchange.difference(reloaded.predict(x, verbose=0), wanted))
    return off


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
                off = compare(options.convoy, model, x, options.format, folder, options.back)
                result = f"equal within {off:.1e}" if off <= 1e-5 else f"DIFFERS by {off:.1e}"
                wrong += off > 1e-5
            except exchange.Failed as error:
                place = error.message.split("layer '", 1)
                result = "refused: layer '" + place[1].split("; supported are")[0] if len(place) == 2 else f"FAILED: {error}"
                wrong += error.code != 65 or len(place) != 2
        rows.append((name, result))
        print(f"{name}: {result}", flush=True)
    if options.table:
        with open(options.table, "w") as file:
            file.write("| network | result |\n| --- | --- |\n")
            file.writelines(f"| {name} | {result} |\n" for name, result in rows)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
