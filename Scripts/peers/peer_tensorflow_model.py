"""Keras on TensorFlow, graph mode, with the network of a Keras model file: networks are called `PATH:BATCH`."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf

from measuring import serve


def build(name, precision, mode):
    path, batch = name.rsplit(":", 1)
    keras.config.set_dtype_policy("mixed_bfloat16" if precision == "bf16" else "float32")
    model = keras.models.load_model(path, compile=False)
    model.compile(keras.optimizers.SGD(0.001, momentum=0.9),
                  keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=mode == "xla")
    pixels = np.random.rand(int(batch), *model.input_shape[1:]).astype("float32")
    labels = np.random.randint(0, model.output_shape[-1], int(batch))
    return lambda: model.train_on_batch(pixels, labels)


serve(f"TensorFlow {tf.__version__}, Keras {keras.__version__}", build)
