"""Opens a checkpoint in Keras, and prints what it predicts; `keras_predict.py` and `keras_retrain.py` share it."""

import importlib
import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_USE_LEGACY_KERAS"] = "0"

import h5py
import numpy as np
import tensorflow as tf


def opened(package, checkpoint, data):
    """The package `keras` or `tf_keras`, the checkpoint's model, and the training images of the data in the model's shape."""
    keras = importlib.import_module(package)

    class LocalResponseNormalization(keras.layers.Layer):
        """Keras has no such layer; this is how the checkpoint's is read."""

        def __init__(self, depth_radius, bias, alpha, beta, **options):
            super().__init__(**options)
            self.numbers = dict(depth_radius=depth_radius, bias=bias, alpha=alpha, beta=beta)

        def call(self, inputs):
            return tf.nn.local_response_normalization(inputs, **self.numbers)

        def get_config(self):
            return {**super().get_config(), **self.numbers}

    model = keras.models.load_model(
        checkpoint, custom_objects={"LocalResponseNormalization": LocalResponseNormalization}, compile=False
    )
    with h5py.File(data) as file:
        images = file["train/images"][...].astype("f4")
    return keras, model, images.reshape(len(images), *model.input_shape[1:])


def print_probabilities(model, images):
    """Prints, as JSON on the last line, a list of probabilities for each image."""
    logits = model.predict(images, verbose=0).astype("f8")
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    print(json.dumps((powers / powers.sum(axis=1, keepdims=True)).tolist()))
