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
    "nadam": lambda: keras.optimizers.Nadam(0.01, weight_decay=0.05),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.01),
    "rmsprop centered": lambda: keras.optimizers.RMSprop(
        0.01, rho=0.8, momentum=0.5, epsilon=1e-4, centered=True, weight_decay=0.05
    ),
    "adagrad": lambda: keras.optimizers.Adagrad(0.1),
    "adadelta": lambda: keras.optimizers.Adadelta(1.0, epsilon=1e-4),
    "lion": lambda: keras.optimizers.Lion(0.01, weight_decay=0.05),
    "lamb": lambda: keras.optimizers.Lamb(0.01),
}


def gradient(step):
    return np.array(
        [math.sin(0.7 * i + 0.3 * step) * 2.0 ** (i % 5 - 2) for i in range(COUNT)], np.float32
    )


for name, make in RULES.items():
    parameters = keras.Variable(np.array([0.1 * i - 0.9 for i in range(COUNT)], np.float32))
    optimizer = make()
    rate = float(optimizer.learning_rate)
    optimizer.build([parameters])
    for step in range(STEPS):
        # The rate moves, so that a rule which keeps it in the wrong place is found out.
        optimizer.learning_rate = rate * (1 + step % 3)
        optimizer.apply([keras.ops.convert_to_tensor(gradient(step))])
    values = ", ".join(repr(float(v)) for v in keras.ops.convert_to_numpy(parameters.value).astype(np.float64))
    print(f'    "{name}": [{values}],')

# LARS is not in Keras; optax 0.2.8 has it.
import jax.numpy as jnp  # noqa: E402
import optax  # noqa: E402

parameters = jnp.array([0.1 * i - 0.9 for i in range(COUNT)], jnp.float32)
# The rate moves between the trust ratio and the momentum, as in optax.lars.
schedule = lambda count: 0.1 * (1 + count % 3)  # noqa: E731
rule = optax.lars(schedule, weight_decay=0.05, trust_coefficient=0.01, momentum=0.9)
state = rule.init(parameters)
for step in range(STEPS):
    updates, state = rule.update(jnp.asarray(gradient(step)), state, parameters)
    parameters = optax.apply_updates(parameters, updates)
print(f'    "lars": [{", ".join(repr(float(v)) for v in np.asarray(parameters, np.float64))}],')
