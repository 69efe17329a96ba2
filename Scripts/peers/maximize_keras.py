"""Activation maximisation as a Keras user writes it: one filter after another, each by gradient ascent.

    pip install keras tensorflow-cpu
    python3 maximize_keras.py CHECKPOINT.h5 LAYER STEPS

The loop of Keras's example "Visualizing what convnets learn": gradient of a filter's summed map, normalised, with the step
compiled by tf.function. Prints the seconds of the loop, without imports, loading and a first step that compiles.
"""

import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf

path, layer, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
model = keras.models.load_model(path, compile=False)
extractor = keras.Model(model.inputs, model.get_layer(layer).output)
filters = extractor.output_shape[-1]
shape = (1, *model.input_shape[1:])


@tf.function
def step(image, index, rate):
    with tf.GradientTape() as tape:
        tape.watch(image)
        value = tf.reduce_sum(extractor(image * 255)[..., index])
    gradient = tape.gradient(value, image)
    gradient /= tf.sqrt(tf.reduce_mean(gradient**2)) + 1e-12
    return value, tf.clip_by_value(image + rate * gradient, 0.0, 1.0)


def start():
    return 0.5 + (tf.random.uniform(shape, seed=1) - 0.5) * 0.25


step(start(), tf.constant(0), tf.constant(0.02))
begin = time.perf_counter()
values = []
for index in range(filters):
    image = start()
    for _ in range(steps):
        value, image = step(image, tf.constant(index), tf.constant(0.02))
    values.append(float(value))
seconds = time.perf_counter() - begin
print(f"keras {filters} filters, {steps} steps: {seconds:.2f} s, mean activation {sum(values) / filters:.1f}")
