"""Keras: the lecture's CNN on Fashion-MNIST with the recipe of Configs/fashion-mnist.yaml, a checkpoint after every epoch.

    peer_keras_fashion.py EPOCHS SEED [repeated|new]

Keras's own shuffle repeats one order in every epoch once a seed is set; `new` makes one for each epoch.
"""
import gzip
import os
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
from keras import layers as L

FOLDER = "/usr/share/datasets/fashion-mnist"


def read(name, header):
    with gzip.open(os.path.join(FOLDER, name)) as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)


def images(name):
    return (read(name, 16).reshape(-1, 28, 28, 1) / 255).astype("float32")


def main():
    epochs, seed = int(sys.argv[1]), int(sys.argv[2])
    repeats_order = sys.argv[3:] != ["new"]
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([
        keras.Input((28, 28, 1)), L.Conv2D(25, 3, activation="relu"), L.MaxPooling2D(2),
        L.Conv2D(50, 3, activation="relu"), L.MaxPooling2D(2), L.Flatten(),
        L.Dense(100, activation="relu"), L.Dense(10)])
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9),
                  keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    pixels, labels = images("train-images-idx3-ubyte.gz"), read("train-labels-idx1-ubyte.gz", 8)
    test = images("t10k-images-idx3-ubyte.gz"), read("t10k-labels-idx1-ubyte.gz", 8)
    random = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        options = dict(batch_size=128, verbose=0, validation_data=test,
                       callbacks=[keras.callbacks.ModelCheckpoint(folder + "/{epoch}.keras")])
        if repeats_order:
            history = model.fit(pixels, labels, epochs=epochs, **options)
        else:
            for epoch in range(epochs):
                order = random.permutation(len(labels))
                history = model.fit(pixels[order], labels[order], shuffle=False, initial_epoch=epoch,
                                    epochs=epoch + 1, **options)
    print("accuracy", history.history["val_accuracy"][-1])


main()
