"""Keras: a speech network as Configs/speech-*.yaml has it, on the same dataset file, without augmentation; prints a line of JSON.

    peer_keras_speech.py DATA.h5 frequency|trad|small [SEED] [EPOCHS]
"""
import json
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

import h5py
import keras
from keras import layers as L


def network(kind, shape, classes):
    if kind == "frequency":
        return [L.Conv2D(186, (shape[0], 8), (1, 4), activation="relu"), L.Flatten(), L.Dropout(0.3), L.Dense(32),
                L.Dense(128, activation="relu"), L.Dropout(0.3), L.Dense(128, activation="relu"), L.Dense(classes)]
    if kind == "trad":
        return [L.Conv2D(64, (20, 8), activation="relu"), L.MaxPooling2D((1, 3)), L.Conv2D(64, (10, 4), activation="relu"),
                L.Flatten(), L.Dropout(0.3), L.Dense(32), L.Dense(128, activation="relu"), L.Dropout(0.3), L.Dense(classes)]
    stages = []
    for filters in (24, 48, 96):
        stages += [L.Conv2D(filters, 3, padding="same", use_bias=False), L.BatchNormalization(), L.ReLU(), L.MaxPooling2D(2)]
    return stages + [L.Conv2D(128, 3, padding="same", activation="relu"), L.GlobalAveragePooling2D(), L.Dropout(0.3),
                     L.Dense(classes)]


def main():
    path, kind = sys.argv[1:3]
    seed, epochs = int((sys.argv[3:] or ["0"])[0]), int((sys.argv[4:] or ["40"])[0])
    keras.utils.set_random_seed(seed)
    with h5py.File(path) as file:
        x, y = file["train/images"][:], file["train/labels"][:].astype("int32")
        test = file["test/images"][:], file["test/labels"][:].astype("int32")
    model = keras.Sequential([keras.Input(x.shape[1:])] + network(kind, x.shape[1:], int(y.max()) + 1))
    steps = epochs * -(-len(x) // 64)
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, steps)),
                  keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    start = time.time()
    model.fit(x, y, batch_size=64, epochs=epochs, verbose=0)
    seconds = time.time() - start
    print(json.dumps({
        "peer": f"Keras {keras.__version__}", "data": path, "network": kind,
        "accuracy": model.evaluate(*test, verbose=0)[1], "seconds": seconds, "epochs": epochs}))


main()
