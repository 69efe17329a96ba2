"""Makes the files of this folder: networks as Keras trains them, for whole-network comparisons.

    pip install keras tensorflow-cpu h5py
    python make_keras_fixture.py [NAME…]

Made with keras 3.15.1, tensorflow 2.21.0, h5py 3.14.0. Keras computes in float64; what is stored is rounded to float32.
Pixels and labels follow integer formulas that `KerasFixtureTests.swift` repeats, so they are not stored.

lecture.h5      initial/<layer>/<name>   weights before the first step
                gradients/<layer>/<name> of the mean loss over the first batch
                losses                   mean loss of each of the 20 batches, before its step
                final/<layer>/<name>     after 20 steps of SGD, learning rate 0.05, momentum 0.9
residual.h5     a residual network with batch normalisation, groups, dilation; groups as in lecture.h5, and
                input_gradient             of the mean loss over the first batch, with respect to the pixels
                inference_logits           of the first batch after the 20 steps, with running statistics
text.h5         words as vectors with a padding word, convolutions over them, layer normalisation; groups as above,
                without input_gradient
excite.h5       depthwise convolutions, squeeze-and-excite, PReLU; groups as above
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


def train(name, model, batch_of, batch, rate, input_gradient=True, frozen_rows=None):
    """20 steps of SGD with momentum 0.9, without the optimizer's class: m = 0.9 m - rate g; w = w + m."""
    for weight in model.weights:  # what is stored is exactly where training starts
        weight.assign(weight.numpy().astype("f4").astype("f8"))
    momentum = {weight.path: np.zeros(weight.shape) for weight in model.trainable_weights}
    with h5py.File(folder / f"{name}.h5", "w") as file:
        put_weights(file, "initial", model)
        losses = []
        for step in range(20):
            images, targets = batch_of(step * batch)
            images = tf.constant(images)
            with tf.GradientTape() as tape:
                if input_gradient:
                    tape.watch(images)
                loss = mean_loss(model(images, training=True), targets)
            named, rest = gradients(model, loss, tape, *([images] if input_gradient else []))
            named = {path: tf.convert_to_tensor(value).numpy() for path, value in named.items()}
            if frozen_rows:
                path, row = frozen_rows
                named[path][row] = 0
            if step == 0:
                put_weights(file, "gradients", model, named)
                if input_gradient:
                    put(file, "input_gradient", rest[0])
            losses.append(float(loss))
            for weight in model.trainable_weights:
                momentum[weight.path] = 0.9 * momentum[weight.path] - rate * named[weight.path]
                weight.assign_add(momentum[weight.path])
        put(file, "losses", losses)
        put_weights(file, "final", model)
        put(file, "inference_logits", model(batch_of(0)[0], training=False))
        print(f"{name}:", losses[0], "to", losses[-1])


def spread(model, seed):
    """Nothing starts at zero or one, so that no term hides."""
    random = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.name not in ("kernel", "embeddings"):
            weight.assign(weight.numpy() + random.uniform(-0.3, 0.3, weight.shape))


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
    """13×11 images, 6 of them: strides, same padding, groups, dilation, average pooling, sigmoid and tanh."""
    keras.utils.set_random_seed(2)
    inputs = keras.Input((13, 11, 3))
    x = layers.Rescaling(1 / 128, -1.0, name="rescale")(inputs)
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False, name="stem")(x)
    x = layers.BatchNormalization(momentum=0.9, name="stem_norm")(x)
    x = stem = layers.ReLU(name="stem_relu")(x)
    x = layers.Conv2D(12, 3, padding="same", groups=4, name="grouped", activation="tanh")(x)
    x = layers.Conv2D(12, 3, padding="same", dilation_rate=2, use_bias=False, name="dilated")(x)
    x = layers.BatchNormalization(momentum=0.9, name="body_norm")(x)
    shortcut = layers.Conv2D(12, 1, use_bias=False, name="shortcut")(stem)
    shortcut = layers.BatchNormalization(momentum=0.9, name="shortcut_norm")(shortcut)
    x = layers.Add(name="sum")([x, shortcut])
    x = layers.ReLU(name="sum_relu")(x)
    x = layers.AveragePooling2D(2, padding="same", name="average")(x)
    x = layers.Conv2D(20, 3, padding="same", activation="sigmoid", name="last")(x)
    x = layers.GlobalAveragePooling2D(name="global")(x)
    model = keras.Model(inputs, layers.Dense(7, name="logits")(x))
    spread(model, 3)
    train("residual", model, lambda first: (
        pixels(1000 + first * 429, 6, 13, 11, 3).astype("f8"), labels(7 + first, 6, 7)), 6, 0.05)


def text():
    """Rows of 12 words of 40, 8 of them; word 0 is padding, whose vector stays zero."""
    keras.utils.set_random_seed(4)
    inputs = keras.Input((12,))
    x = layers.Embedding(40, 9, name="words")(inputs)
    x = layers.Conv1D(16, 3, padding="causal", activation="relu", name="near")(x)
    x = layers.LayerNormalization(name="norm")(x)
    x = layers.MaxPooling1D(2, name="pool")(x)
    x = layers.Conv1D(10, 3, padding="same", dilation_rate=2, activation="gelu", name="far")(x)
    x = layers.Concatenate(name="both")(
        [layers.GlobalMaxPooling1D(name="most")(x), layers.GlobalAveragePooling1D(name="mean")(x)]
    )
    model = keras.Model(inputs, layers.Dense(4, name="logits")(x))
    spread(model, 5)
    table = model.get_layer("words").embeddings
    value = table.numpy()
    value[0] = 0
    table.assign(value * 10)

    def batch_of(first):
        return (pixels(first * 12, 8, 12) % 40).astype("f8"), labels(first, 8, 4)

    train("text", model, batch_of, 8, 0.02, input_gradient=False, frozen_rows=(table.path, 0))


def excite():
    """12×10 images, 5 of them: depthwise convolutions, squeeze-and-excite, PReLU, leaky ReLU, upsampling, transposed convolution."""
    keras.utils.set_random_seed(6)
    inputs = keras.Input((12, 10, 3))
    x = layers.Normalization(axis=-1, mean=[100.0, 120.0, 140.0], variance=[3600.0, 4900.0, 6400.0], name="scale")(inputs)
    x = layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False, name="stem")(x)
    x = stem = layers.PReLU(shared_axes=[1, 2], name="stem_prelu")(x)
    x = layers.DepthwiseConv2D(3, padding="same", activation="silu", name="depth")(x)
    s = layers.GlobalAveragePooling2D(name="squeeze")(x)
    s = layers.Dense(5, activation="relu", name="narrow")(s)
    s = layers.Dense(16, activation="sigmoid", name="gate")(s)
    s = layers.Reshape((1, 1, 16), name="square")(s)
    x = layers.Multiply(name="excited")([x, s])
    x = layers.Conv2D(16, 1, name="project")(x)
    x = layers.Add(name="sum")([x, stem])
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, strides=2, padding="same", name="wide")(x)
    x = layers.LeakyReLU(negative_slope=0.1, name="leaky")(x)
    x = layers.UpSampling2D(2, interpolation="bilinear", name="larger")(x)
    x = layers.Conv2DTranspose(6, 3, strides=2, padding="same", activation="elu", name="back")(x)
    x = layers.ZeroPadding2D(((1, 0), (0, 2)), name="pad")(x)
    x = layers.Cropping2D(((0, 2), (1, 1)), name="crop")(x)
    x = layers.GlobalAveragePooling2D(name="global")(x)
    model = keras.Model(inputs, layers.Dense(5, name="logits")(x))
    spread(model, 7)
    train("excite", model, lambda first: (
        pixels(2000 + first * 360, 5, 12, 10, 3).astype("f8"), labels(3 + first, 5, 5)), 5, 0.05)


if __name__ == "__main__":
    import sys

    for make in (lecture, residual, text, excite):
        if len(sys.argv) < 2 or make.__name__ in sys.argv[1:]:
            make()
