"""Writes layer-named-as-path.h5: a Keras model whose convolution is called as a path that leads out of a folder.

Keras itself refuses such a name, so that the file is changed after it was written; anybody can do that.
"""
import json
import os

import h5py
import keras

NAME = "x/../../../esc"
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "layer-named-as-path.h5")
keras.utils.set_random_seed(1)
model = keras.Sequential([
    keras.Input((12, 12, 1)), keras.layers.Conv2D(3, 3, activation="relu", name="esc"), keras.layers.Flatten(),
    keras.layers.Dense(2, activation="softmax", name="out")])
model.compile(loss="sparse_categorical_crossentropy")
model.save(path)
with h5py.File(path, "r+") as file:
    config = json.loads(file.attrs["model_config"])
    for layer in config["config"]["layers"]:
        if layer["config"]["name"] == "esc":
            layer["config"]["name"] = NAME
    file.attrs["model_config"] = json.dumps(config)
    weights = file["model_weights"]
    weights.attrs["layer_names"] = [n.replace(b"esc", NAME.encode()) if n == b"esc" else n
                                    for n in [s if isinstance(s, bytes) else s.encode()
                                              for s in weights.attrs["layer_names"]]]
    weights.copy("esc", NAME)
    del weights["esc"]
