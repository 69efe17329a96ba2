"""Small random models in the formats of Keras 3, with what they predict, for the import's tests.

Needs keras 3 with a backend and h5py (made with keras 3.15, tensorflow 2.21):

    python3 make_keras_archives.py

`expected.h5` has `NAME/input` (pixels, uint8) and `NAME/output` of each `NAME.keras`; `plain.weights.h5` are the weights of `plain.keras`.
The other archives hold what must be refused.
"""

import io
import json
import os
import zipfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py
import keras
import numpy as np
import tensorflow as tf

L = keras.layers
folder = os.path.dirname(os.path.abspath(__file__))


def finish(model, name, file):
    rng = np.random.default_rng(7)
    for layer in model._flatten_layers():
        if isinstance(layer, (keras.Model, L.Normalization)) or not layer.weights:
            continue
        layer.set_weights([
            rng.uniform(0.5, 1.5, weight.shape) if weight.path.endswith(("gamma", "moving_variance"))
            else rng.normal(0, 1 / max(1, np.prod(weight.shape[:-1])) ** 0.5, weight.shape) for weight in layer.weights
        ])
    model.save(f"{folder}/{name}.keras")
    pixels = rng.integers(0, 256, (2,) + model.input_shape[1:]).astype("uint8")
    file[f"{name}/input"] = pixels
    file[f"{name}/output"] = model.predict(pixels.astype("float32"), verbose=0)


def plain():
    """Two layers of one class in another order than their names, and one of each kind that Keras keeps variables of."""
    i = x = keras.Input((9, 8, 3))
    x = L.Rescaling(1 / 127.5, offset=-1)(x)
    x = L.Conv2D(4, 3, name="second", use_bias=False)(x)
    x = L.BatchNormalization()(x)
    x = L.ReLU(max_value=6)(x)
    x = L.SeparableConv2D(5, 3, padding="same", name="apart")(x)
    x = L.PReLU(shared_axes=[1, 2])(x)
    y = L.Conv2D(5, 3, padding="same", name="first")(x)
    x = L.LayerNormalization()(x + y)
    x = L.Conv2DTranspose(3, 2, 2)(x * 0.5)
    x = L.Flatten()(x)
    return keras.Model(i, L.Dense(4, "softmax")(x), name="plain")


def nested():
    """Models in models, whose layers have names and classes in common, one of them frozen."""
    inner = keras.Sequential([keras.Input((4,)), L.Dense(6, "tanh", name="a"), L.BatchNormalization(name="norm")], name="inner")
    middle_in = keras.Input((5, 5, 2))
    middle = L.GlobalAveragePooling2D()(L.BatchNormalization(name="norm")(L.Conv2D(4, 3, name="a")(middle_in)))
    middle = keras.Model(middle_in, inner(middle), name="middle")
    middle.trainable = False
    i = keras.Input((11, 11, 3))
    normalization = L.Normalization(name="adapted")
    normalization.adapt(np.random.default_rng(3).uniform(0, 255, (50, 11, 11, 3)).astype("float32"))
    x = L.AveragePooling2D(2)(L.Conv2D(2, 2, name="a")(normalization(i)))
    return keras.Model(i, L.Dense(3, name="b")(middle(x)), name="nested")


def words():
    i = keras.Input((7,))
    x = L.Embedding(256, 5)(i)
    x = L.Conv1D(4, 3, padding="causal", activation="silu")(x)
    return keras.Model(i, L.Dense(2)(L.GlobalMaxPooling1D()(x)), name="words")


@keras.saving.register_keras_serializable(package="mine")
class Conv2D(L.Conv2D):
    """A class of somebody's own with a name of Keras's, which computes something else."""

    def call(self, inputs):
        return -super().call(inputs)


@keras.saving.register_keras_serializable(package="somebody")
class LocalResponseNormalization(L.Layer):
    """What Configs/README.md gives to Keras for a layer that it does not have."""

    def __init__(self, depth_radius, bias, alpha, beta, **options):
        super().__init__(**options)
        self.numbers = dict(depth_radius=depth_radius, bias=bias, alpha=alpha, beta=beta)

    def call(self, inputs):
        return tf.nn.local_response_normalization(inputs, **self.numbers)

    def get_config(self):
        return super().get_config() | self.numbers


def response():
    i = keras.Input((6, 5, 3))
    x = LocalResponseNormalization(2, 1.0, 1e-4, 0.75)(L.Conv2D(7, 3)(i))
    return keras.Model(i, L.Dense(3)(L.Flatten()(x)), name="response")


def rewritten(source, target, change):
    """An archive with other files."""
    with zipfile.ZipFile(f"{folder}/{source}.keras") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    with zipfile.ZipFile(f"{folder}/{target}.keras", "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)


def without_names(files):
    """The weights as the first versions of Keras 3 wrote them."""
    buffer = io.BytesIO(files["model.weights.h5"])
    with h5py.File(buffer, "r+") as file:
        file.visititems(lambda _, item: item.attrs.pop("name", None) if "name" in item.attrs else None)
    files["model.weights.h5"] = buffer.getvalue()


def climbing(files):
    files["../climbing.txt"] = b"outside"


def cut_weights(files):
    files["model.weights.h5"] = files["model.weights.h5"][:2000]


def no_weights(files):
    del files["model.weights.h5"]


if __name__ == "__main__":
    with h5py.File(f"{folder}/expected.h5", "w") as file:
        for make in (plain, nested, words, response):
            finish(make(), make.__name__, file)
    keras.models.load_model(f"{folder}/plain.keras").save_weights(f"{folder}/plain.weights.h5")
    i = keras.Input((4, 4, 1))
    keras.Model(i, L.Lambda(lambda x: x * 2)(i)).save(f"{folder}/lambda.keras")
    keras.Model(i, Conv2D(2, 3)(i)).save(f"{folder}/custom.keras")
    rewritten("nested", "nameless", without_names)
    rewritten("words", "climbing", climbing)
    rewritten("words", "cut-weights", cut_weights)
    rewritten("words", "no-weights", no_weights)
    rewritten("words", "no-model", lambda files: files.pop("config.json"))
    rewritten("words", "not-json", lambda files: files.update({"config.json": b"{"}))
