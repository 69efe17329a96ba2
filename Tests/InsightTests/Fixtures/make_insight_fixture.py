"""Makes objectives.h5: objectives of an image and their gradients with respect to its pixels, as Keras computes them.

    pip install keras tensorflow-cpu h5py
    python3 make_insight_fixture.py

Made with keras 3.15.1, tensorflow 2.21.0, h5py 3.14.0, in float64; what is stored is rounded to float32.
Another objective is another entry of `cases`.

objectives.h5   image                    [16, 16, 1], pixels in 0...1; the network is given 255 times that
                weights/<layer>/<name>
                cases/<name>/value       the objective
                cases/<name>/gradient    with respect to the image
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
keras.utils.set_random_seed(7)

model = keras.Sequential(
    [
        keras.Input((16, 16, 1)),
        layers.Rescaling(1 / 255, name="rescale"),
        layers.Conv2D(9, 3, activation="relu", name="conv2d"),
        layers.MaxPooling2D(2, name="max_pool2d"),
        layers.Conv2D(14, 3, activation="relu", name="conv2d_1"),
        layers.MaxPooling2D(2, name="max_pool2d_1"),
        layers.Flatten(name="flatten"),
        layers.Dense(20, activation="relu", name="dense"),
        layers.Dense(6, activation="linear", name="dense_1"),
        layers.Softmax(name="softmax"),
    ]
)
random = np.random.default_rng(3)
for weight in model.weights:
    noise = random.normal(0, 0.05, weight.shape) if weight.name == "bias" else 0
    weight.assign((weight.numpy() + noise).astype("f4").astype("f8"))
image = random.uniform(0.01, 1, (16, 16, 1)).astype("f4").astype("f8")


def output(layer):
    return keras.Model(model.inputs, model.get_layer(layer).output)


def total_variation(x):
    down, right = x[1:] - x[:-1], x[:, 1:] - x[:, :-1]
    return tf.reduce_sum(tf.sqrt(down**2 + 1e-6)) + tf.reduce_sum(tf.sqrt(right**2 + 1e-6))


first, second, dense, logits = (output(name) for name in ["conv2d", "conv2d_1", "dense", "dense_1"])
cases = {
    "filter": lambda x: tf.reduce_sum(second(x[None] * 255)[..., 3]),
    "first_filter": lambda x: tf.reduce_sum(first(x[None] * 255)[..., 5]),
    "neuron": lambda x: dense(x[None] * 255)[0, ACTIVE],
    "class": lambda x: logits(x[None] * 255)[0, 2],
    "class_l1": lambda x: logits(x[None] * 255)[0, 2] - 0.3 * tf.reduce_sum(tf.abs(x)),
    "class_l2": lambda x: logits(x[None] * 255)[0, 2] - 0.2 * tf.reduce_sum((x - 0.5) ** 2),
    "class_tv": lambda x: logits(x[None] * 255)[0, 2] - 0.05 * total_variation(x),
}
ACTIVE = int(np.argmax(dense(image[None] * 255).numpy()[0]))


def put(file, path, value):
    file.create_dataset(path, data=np.asarray(value, "<f4"), track_times=False)


with h5py.File(pathlib.Path(__file__).parent / "objectives.h5", "w") as file:
    put(file, "image", image)
    file.create_dataset("active_neuron", data=np.int32(ACTIVE), track_times=False)
    for layer in model.layers:
        for weight in layer.weights:
            put(file, f"weights/{layer.name}/{weight.name}", weight.numpy())
    for name, objective in cases.items():
        x = tf.Variable(image)
        with tf.GradientTape() as tape:
            value = objective(x)
        gradient = tape.gradient(value, x)
        put(file, f"cases/{name}/value", value)
        put(file, f"cases/{name}/gradient", gradient)
        print(f"{name}: {float(value):.6f}, largest gradient {float(tf.reduce_max(tf.abs(gradient))):.6f}")
