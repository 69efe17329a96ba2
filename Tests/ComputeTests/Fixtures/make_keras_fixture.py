"""Makes the files of this folder: networks as Keras trains them, for whole-network comparisons.

    pip install keras tensorflow-cpu h5py
    python make_keras_fixture.py

Made with keras 3.15.1, tensorflow 2.21.0, h5py 3.14.0. Keras computes in float64; what is stored is rounded to float32.
Pixels and labels follow integer formulas that `KerasFixtureTests.swift` repeats, so they are not stored.

lecture.h5      initial/<layer>/<name>   weights before the first step
                gradients/<layer>/<name> of the mean loss over the first batch
                losses                   mean loss of each of the 20 batches, before its step
                final/<layer>/<name>     after 20 steps of SGD, learning rate 0.05, momentum 0.9
residual.h5     weights/, gradients/     one batch in training mode
                input_gradient, logits, loss
                statistics/<layer>/<name>  mean and biased variance of the batch, as batch normalisation takes them
                inference_logits           with the moving statistics of weights/
"""

import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import h5py
import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.config.set_floatx("float64")
folder = pathlib.Path(__file__).parent


def pixels(first, *shape):
    """Multiplicative hashing (Knuth): bytes from the running index."""
    index = np.arange(first, first + np.prod(shape), dtype=np.uint64)
    return (((index * 2654435761) % 2**32 >> 13) & 255).astype("u1").reshape(shape)


def labels(first, count, classes):
    index = np.arange(first, first + count, dtype=np.uint64)
    return (((index * 2246822519 + 12345) % 2**32 >> 15) % classes).astype("i8")


def mean_loss(logits, targets):
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits))


def put(file, path, value):
    value = np.asarray(value, "<f4")
    storage = {"compression": "gzip", "compression_opts": 9, "shuffle": True} if value.size > 64 else {}
    file.create_dataset(path, data=value, track_times=False, **storage)


def put_weights(file, group, model, values=None):
    for layer in model.layers:
        for weight in layer.weights:
            if values is None:
                put(file, f"{group}/{layer.name}/{weight.name}", weight.numpy())
            elif weight.path in values:
                put(file, f"{group}/{layer.name}/{weight.name}", values[weight.path])


def gradients(model, loss, tape, *more):
    found = tape.gradient(loss, [weight.value for weight in model.trainable_weights] + list(more))
    named = {weight.path: gradient for weight, gradient in zip(model.trainable_weights, found)}
    return named, found[len(named) :]


def lecture():
    batch, steps, rate, momentum = 16, 20, 0.05, 0.9
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(25, 3, activation="relu", name="conv2d"),
            layers.MaxPooling2D(2),
            layers.Conv2D(50, 3, activation="relu", name="conv2d_1"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(100, activation="relu", name="dense"),
            layers.Dense(10, name="dense_1"),
        ]
    )
    optimizer = keras.optimizers.SGD(rate, momentum=momentum)
    for weight in model.weights:  # what is stored is exactly where training starts
        weight.assign(weight.numpy().astype("f4").astype("f8"))
    with h5py.File(folder / "lecture.h5", "w") as file:
        put_weights(file, "initial", model)
        losses = []
        for step in range(steps):
            images = pixels(step * batch * 784, batch, 28, 28, 1).astype("f4").astype("f8") / 255
            with tf.GradientTape() as tape:
                loss = mean_loss(model(images, training=True), labels(step * batch, batch, 10))
            named, _ = gradients(model, loss, tape)
            if step == 0:
                put_weights(file, "gradients", model, named)
            losses.append(float(loss))
            optimizer.apply([named[weight.path] for weight in model.trainable_weights], model.trainable_weights)
        put(file, "losses", losses)
        put_weights(file, "final", model)
        print("lecture:", losses[0], "to", losses[-1])


def residual():
    """13×11 images, 5 samples: strides, same padding, groups, dilation, average pooling, sigmoid and tanh."""
    keras.utils.set_random_seed(2)
    inputs = keras.Input((13, 11, 3))
    x = layers.Rescaling(1 / 128, -1.0, name="rescale")(inputs)
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False, name="stem")(x)
    x = layers.BatchNormalization(name="stem_norm")(x)
    x = stem = layers.ReLU(name="stem_relu")(x)
    x = layers.Conv2D(12, 3, padding="same", groups=4, name="grouped", activation="tanh")(x)
    x = layers.Conv2D(12, 3, padding="same", dilation_rate=2, use_bias=False, name="dilated")(x)
    x = layers.BatchNormalization(name="body_norm")(x)
    shortcut = layers.Conv2D(12, 1, use_bias=False, name="shortcut")(stem)
    shortcut = layers.BatchNormalization(name="shortcut_norm")(shortcut)
    x = layers.Add(name="sum")([x, shortcut])
    x = layers.ReLU(name="sum_relu")(x)
    x = layers.AveragePooling2D(2, padding="same", name="average")(x)
    x = layers.Conv2D(20, 3, padding="same", activation="sigmoid", name="last")(x)
    x = layers.GlobalAveragePooling2D(name="global")(x)
    x = layers.Dense(7, name="logits")(x)
    model = keras.Model(inputs, x)
    random = np.random.default_rng(3)
    for weight in model.weights:  # nothing stays at zero or one, so that no term hides
        value = weight.numpy()
        if weight.name != "kernel":
            value = value + random.uniform(-0.3, 0.3, value.shape)
        weight.assign(value.astype("f4").astype("f8"))
    images = tf.constant(pixels(1000, 5, 13, 11, 3).astype("f8"))
    targets = labels(7, 5, 7)
    norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    watch = keras.Model(inputs, [x] + [norm.input for norm in norms])
    with h5py.File(folder / "residual.h5", "w") as file:
        put_weights(file, "weights", model)
        put(file, "inference_logits", model(images, training=False))
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = watch(images, training=True)
            loss = mean_loss(outputs[0], targets)
        named, (input_gradient,) = gradients(model, loss, tape, images)
        put_weights(file, "gradients", model, named)
        put(file, "input_gradient", input_gradient)
        put(file, "logits", outputs[0])
        put(file, "loss", [float(loss)])
        for norm, value in zip(norms, outputs[1:]):
            put(file, f"statistics/{norm.name}/moving_mean", np.mean(value, axis=(0, 1, 2)))
            put(file, f"statistics/{norm.name}/moving_variance", np.var(value, axis=(0, 1, 2)))
        print("residual:", float(loss))


lecture()
residual()
