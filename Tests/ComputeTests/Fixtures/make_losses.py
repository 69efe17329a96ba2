#!/usr/bin/env python3
"""Five steps of gradient descent in Keras (float64) under each loss, for KerasLossTests.swift: losses.json.

One dense layer over six numbers, eight samples with weights. Needs keras 3 with tensorflow, and numpy.
"""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np

keras.backend.set_floatx("float64")
SAMPLES, INPUTS, OUTPUTS, STEPS, RATE = 8, 6, 3, 5, 0.25


def rounded(values):
    """Numbers that a float32 holds exactly."""
    return np.asarray(values, "float32").astype("float64")


def cases(random):
    losses = keras.losses
    labels = random.integers(0, OUTPUTS, SAMPLES)
    vectors = rounded(random.normal(size=(SAMPLES, OUTPUTS)) * 2)
    flags = (random.random((SAMPLES, OUTPUTS)) < 0.4).astype("float64")
    shares = random.random((SAMPLES, OUTPUTS))
    shares = rounded(shares / shares.sum(1, keepdims=True))
    one_hot = np.eye(OUTPUTS)[labels]
    yield "softmax_cross_entropy", 0, 0, labels, None, losses.SparseCategoricalCrossentropy(from_logits=True)
    yield "softmax_cross_entropy", 0.125, 0, labels, one_hot, losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=0.125)
    yield "softmax_cross_entropy", 0, 0, shares, None, losses.CategoricalCrossentropy(from_logits=True)
    yield "sigmoid_cross_entropy", 0, 0, flags, None, losses.BinaryCrossentropy(from_logits=True)
    yield "sigmoid_cross_entropy", 0.25, 0, flags, None, losses.BinaryCrossentropy(
        from_logits=True, label_smoothing=0.25)
    yield "sigmoid_focal_cross_entropy", 0, 0, flags, None, losses.BinaryFocalCrossentropy(from_logits=True), {
        "gamma": 2}
    yield "sigmoid_focal_cross_entropy", 0.25, 0, flags, None, losses.BinaryFocalCrossentropy(
        from_logits=True, gamma=1.5, alpha=0.75, apply_class_balancing=True, label_smoothing=0.25), {
        "gamma": 1.5, "alpha": 0.75}
    yield "mean_squared_error", 0, 0, vectors, None, losses.MeanSquaredError()
    yield "mean_squared_error", 0, 0, labels, one_hot, losses.MeanSquaredError()
    yield "mean_absolute_error", 0, 0, vectors, None, losses.MeanAbsoluteError()
    yield "huber", 0, 1, vectors, None, losses.Huber(delta=1.0)
    yield "huber", 0, 0.5, vectors, None, losses.Huber(delta=0.5)


def main():
    random = np.random.default_rng(6)
    x = rounded(random.normal(size=(SAMPLES, INPUTS)))
    kernel = rounded(random.normal(size=(INPUTS, OUTPUTS)) * 0.5)
    bias = rounded(random.normal(size=OUTPUTS) * 0.1)
    weights = rounded(random.random(SAMPLES) * 2)
    results = []
    for name, smoothing, delta, targets, seen, loss, *more in cases(random):
        model = keras.Sequential([keras.Input((INPUTS,)), keras.layers.Dense(OUTPUTS)])
        model.set_weights([kernel, bias])
        model.compile(keras.optimizers.SGD(RATE), loss)
        wanted = targets if seen is None else seen
        values = [float(model.train_on_batch(x, wanted, sample_weight=weights)) for _ in range(1)]
        for _ in range(STEPS - 1):
            # The mean that Keras keeps runs over its batches.
            model.reset_metrics()
            values.append(float(model.train_on_batch(x, wanted, sample_weight=weights)))
        end = model.get_weights()
        result = {
            "loss": name, "smoothing": smoothing, "delta": delta, "losses": values,
            "kernel": end[0].ravel().tolist(), "bias": end[1].tolist(), **(more[0] if more else {}),
        }
        result["labels" if targets.ndim == 1 else "values"] = targets.ravel().tolist()
        results.append(result)
    document = {
        "samples": SAMPLES, "inputs": INPUTS, "outputs": OUTPUTS, "rate": RATE, "x": x.ravel().tolist(),
        "kernel": kernel.ravel().tolist(), "bias": bias.tolist(), "weights": weights.tolist(),
        "cases": results,
    }
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "losses.json")
    with open(path, "w") as file:
        json.dump(document, file, indent=1)
        file.write("\n")
    for case in results:
        print(case["loss"], case["smoothing"], case["delta"], [round(v, 5) for v in case["losses"]])


main()
