"""Prints what Keras's optimizers make of 19 parameters in 20 steps, as Swift literals for OptimizerTests.swift.

Run with Keras 3 (made with 3.15.1 on TensorFlow): python optimizer_steps.py
"""

import math

import keras
import numpy as np

COUNT, STEPS = 19, 20

RULES = {
    "sgd": lambda: keras.optimizers.SGD(0.1),
    "momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9),
    "nesterov": lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "momentum and decay": lambda: keras.optimizers.SGD(0.1, momentum=0.9, weight_decay=0.05),
    "adam": lambda: keras.optimizers.Adam(0.01),
    "adamw": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.05),
}


def gradient(step):
    return np.array(
        [math.sin(0.7 * i + 0.3 * step) * 2.0 ** (i % 5 - 2) for i in range(COUNT)], np.float32
    )


for name, make in RULES.items():
    parameters = keras.Variable(np.array([0.1 * i - 0.9 for i in range(COUNT)], np.float32))
    optimizer = make()
    optimizer.build([parameters])
    for step in range(STEPS):
        # The rate moves, so that a rule which keeps it in the wrong place is found out.
        optimizer.learning_rate = (0.1 if "adam" not in name else 0.01) * (1 + step % 3)
        optimizer.apply([keras.ops.convert_to_tensor(gradient(step))])
    values = ", ".join(repr(float(v)) for v in keras.ops.convert_to_numpy(parameters.value).astype(np.float64))
    print(f'    "{name}": [{values}],')
