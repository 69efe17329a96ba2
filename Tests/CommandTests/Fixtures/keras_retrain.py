"""Trains a checkpoint for one step in Keras, writes the model, and prints what it predicts then: a list of probabilities for each row, on the last line.

    python3 keras_retrain.py keras|tf_keras CHECKPOINT.h5 DATA.h5 MODEL.h5|MODEL.keras

Needs keras or tf_keras, tensorflow-cpu and h5py.
"""

import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_USE_LEGACY_KERAS"] = "0"

import importlib

import h5py
import numpy as np
import tensorflow as tf

keras = importlib.import_module(sys.argv[1])


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
    sys.argv[2], custom_objects={"LocalResponseNormalization": LocalResponseNormalization}, compile=False
)
with h5py.File(sys.argv[3]) as data:
    images = data["train/images"][...].astype("f4")
images = images.reshape(len(images), *model.input_shape[1:])
before = [np.array(weight) for weight in model.trainable_weights]
model.compile(keras.optimizers.SGD(0.05), "mse")
model.train_on_batch(images, np.tile(np.eye(10, dtype="f4"), (len(images) // 10, 1)))
still = [weight for weight, old in zip(model.trainable_weights, before) if np.array_equal(old, np.array(weight))]
assert len(still) < len(before) // 4, f"not trained: {still}"
# A factor of what is positive anyway has no gradient: every weight that comes back must be another one.
for weight in still:
    weight.assign(np.array(weight) * 1.1 + 0.01)
model.save(sys.argv[4])
logits = model.predict(images, verbose=0).astype("f8")
powers = np.exp(logits - logits.max(axis=1, keepdims=True))
print(json.dumps((powers / powers.sum(axis=1, keepdims=True)).tolist()))
