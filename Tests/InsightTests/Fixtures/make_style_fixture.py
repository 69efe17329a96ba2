"""A small VGG-like model with style losses, a dream's gradient, and their gradients, by Keras in float64.

Needs keras 3 with tensorflow and h5py (made with keras 3.15, tensorflow 2.21): python3 make_style_fixture.py
"""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py
import keras
import numpy as np
import tensorflow as tf

keras.backend.set_floatx("float64")
L = keras.layers
rng = np.random.default_rng(3)
x = i = keras.Input((None, None, 3), name="image")
for name, filters in (("block1_conv1", 12), ("block1_conv2", 20), ("pool", 0), ("block2_conv1", 24), ("block2_conv2", 16)):
    x = L.MaxPooling2D(name=name)(x) if name == "pool" else L.Conv2D(filters, 3, padding="same", activation="relu", name=name)(x)
model = keras.Model(i, x, name="small")
model.set_weights(
    [
        # As a file in float32 keeps them.
        (rng.standard_normal(w.shape) * (0.1 if len(w.shape) == 1 else (2 / np.prod(w.shape[:-1])) ** 0.5)).astype("float32")
        for w in model.weights
    ]
)
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "style.h5")

content_layer, style_layers = "block2_conv1", ["block1_conv1", "block2_conv2"]
taps = keras.Model(i, [model.get_layer(n).output for n in [content_layer] + style_layers])


def gram(f):
    f = tf.reshape(f, (-1, f.shape[-1]))
    return tf.linalg.matmul(f, f, transpose_a=True) / tf.cast(tf.shape(f)[0], f.dtype)


def picture(height, width):
    return rng.integers(0, 256, (1, height, width, 3)).astype("float64")


content, style, image = picture(14, 18), picture(10, 12), picture(14, 18)
target = taps(content)[0]
wanted = [gram(f) for f in taps(style)[1:]]
variable = tf.Variable(image)
with tf.GradientTape(persistent=True) as tape:
    found, *maps = taps(variable)
    content_loss = 2 * 0.5 * tf.reduce_sum((found - target) ** 2)
    style_loss = tf.constant(0.0, tf.float64)
    for weight, f, w in zip((0.25, 0.75), maps, wanted):
        style_loss += 100 * weight / (4 * f.shape[-1] ** 2) * tf.reduce_sum((gram(f) - w) ** 2)
    variation = 3 * (
        tf.reduce_sum((variable[:, 1:] - variable[:, :-1]) ** 2) + tf.reduce_sum((variable[:, :, 1:] - variable[:, :, :-1]) ** 2)
    )
    total = content_loss + style_loss + variation
    # Deep Dream: half the mean of squares.
    dream = 0.5 * tf.reduce_mean(found**2) + 0.5 * 0.5 * tf.reduce_mean(maps[1] ** 2)

with h5py.File(path, "w") as file:
    file["content"], file["style"], file["image"] = content[0], style[0], image[0]
    file["losses"] = np.array([content_loss, style_loss, variation])
    file["gradient"] = tape.gradient(total, variable)[0].numpy()
    file["dream_objective"] = np.array([float(dream)])
    file["dream_gradient"] = tape.gradient(dream, variable)[0].numpy()
    for layer in model.layers:
        for weight in layer.weights:
            file[f"weights/{layer.name}/{weight.path.split('/')[-1]}"] = weight.numpy().astype("float32")
