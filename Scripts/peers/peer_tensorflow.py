"""Keras on TensorFlow: graph mode, or compiled by XLA. Packages: tensorflow-cpu, keras."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf
from keras import layers as L

from measuring import serve
from networks import NETWORKS


def normalized(x, filters, kernel, stride, relu):
    x = L.Conv2D(filters, kernel, stride, padding="same", use_bias=False)(x)
    x = L.BatchNormalization()(x)
    return L.ReLU()(x) if relu else x


def block(x, filters, stride):
    body = normalized(normalized(x, filters, 3, stride, True), filters, 3, 1, False)
    if stride != 1 or x.shape[-1] != filters:
        x = normalized(x, filters, 1, stride, False)
    return L.ReLU()(L.Add()([body, x]))


def apply(layer, x):
    kind, *rest = layer
    if kind == "conv":
        filters, kernel, padding, relu = rest
        return L.Conv2D(filters, kernel, padding=padding, activation="relu" if relu else None)(x)
    if kind == "dense":
        return L.Dense(rest[0], activation="relu" if rest[1] else None)(x)
    if kind == "pool":
        return L.MaxPooling2D(2)(x)
    if kind == "flatten":
        return L.Flatten()(x)
    if kind == "average":
        return L.GlobalAveragePooling2D()(x)
    return normalized(x, *rest) if kind == "normalized" else block(x, *rest)


def build(name, precision, mode):
    layers, shape, classes, batch = NETWORKS[name]
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy("mixed_bfloat16" if precision == "bf16" else "float32")
    image = keras.Input(shape)
    x = image
    for layer in layers:
        x = apply(layer, x)
    model = keras.Model(image, x)
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9),
                  keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=mode == "xla")
    pixels = np.random.rand(batch, *shape).astype("float32")
    labels = np.random.randint(0, classes, batch)
    return lambda: model.train_on_batch(pixels, labels)


serve(f"TensorFlow {tf.__version__}, Keras {keras.__version__}", build)
