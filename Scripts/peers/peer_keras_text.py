"""Keras: Kim's CNN as Configs/kim-cnn.yaml has it, on the same dataset file; prints a line of JSON.

    peer_keras_text.py DATA.h5 [SEED] [EPOCHS]

The same tenth of each class (not the same sentences) is held out to choose the epoch; the test sentences are asked once, of the best
epoch's weights. Keras's gradient of an embedding is sparse, and its Adadelta moves the rows that a minibatch has.
"""
import json
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

import h5py
import keras
import numpy as np
from keras import layers as L


def split(file, name):
    return file[f"{name}/images"][:].astype("int32"), file[f"{name}/labels"][:].astype("int32")


def held_out(labels, share, random):
    rows = np.concatenate([
        random.permutation(np.flatnonzero(labels == c))[:round(share * (labels == c).sum())] for c in np.unique(labels)])
    mask = np.zeros(len(labels), bool)
    mask[rows] = True
    return mask


def main():
    path, seed, epochs = sys.argv[1], int((sys.argv[2:] or ["0"])[0]), int((sys.argv[3:] or ["25"])[0])
    keras.utils.set_random_seed(seed)
    with h5py.File(path) as file:
        (x, y), test = split(file, "train"), split(file, "test")
    mask = held_out(y, 0.1, np.random.default_rng(seed))
    words = L.Input((x.shape[1],))
    vectors = L.Embedding(20000, 300)(words)
    # The padding's vector is zero and stays zero.
    known = L.Lambda(lambda w: keras.ops.expand_dims(keras.ops.cast(w != 0, "float32"), -1))(words)
    sentence = L.ZeroPadding1D(4)(L.Multiply()([vectors, known]))
    best = [L.GlobalMaxPooling1D()(L.Conv1D(100, size, activation="relu")(sentence)) for size in (3, 4, 5)]
    answer = L.Dense(int(y.max()) + 1, kernel_constraint=keras.constraints.MaxNorm(3))(L.Dropout(0.5)(L.Concatenate()(best)))
    model = keras.Model(words, answer)
    model.compile(keras.optimizers.Adadelta(1.0, rho=0.95, epsilon=1e-6),
                  keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    start = time.time()
    history = model.fit(
        x[~mask], y[~mask], batch_size=50, epochs=epochs, verbose=0, validation_data=(x[mask], y[mask]),
        callbacks=[keras.callbacks.EarlyStopping("val_accuracy", patience=5, restore_best_weights=True)])
    seconds = time.time() - start
    accuracy = model.evaluate(*test, verbose=0)[1]
    print(json.dumps({
        "peer": f"Keras {keras.__version__}", "data": path, "accuracy": accuracy, "seconds": seconds,
        "epochs": len(history.history["loss"]), "validation": max(history.history["val_accuracy"])}))


main()
