"""Prints Keras's learning rates at many steps, as Swift literals for ScheduleReferenceTests.swift.

Needs keras (made with 3.15.1 on TensorFlow): python3 schedule_values.py
"""

import keras

STEPS = [0, 1, 2, 7, 19, 29, 30, 31, 39, 40, 41, 60, 79, 80, 99, 100, 119, 120, 150]
schedules = keras.optimizers.schedules

CURVES = {
    "exponential": schedules.ExponentialDecay(1.0, decay_steps=20, decay_rate=0.7),
    "exponential, staircase": schedules.ExponentialDecay(
        1.0, decay_steps=20, decay_rate=0.7, staircase=True
    ),
    "polynomial": schedules.PolynomialDecay(1.0, decay_steps=100, end_learning_rate=0.1, power=2.0),
    "cosine": schedules.CosineDecay(1.0, decay_steps=100, alpha=0.05),
    "cosine, restarts": schedules.CosineDecayRestarts(
        1.0, first_decay_steps=20, t_mul=2.0, m_mul=0.8, alpha=0.05
    ),
    "cosine, equal restarts": schedules.CosineDecayRestarts(
        1.0, first_decay_steps=30, t_mul=1.0, m_mul=0.5, alpha=0.0
    ),
    # Of the steps below only those from 20 on are compared: Keras's first step has rate 0.
    "cosine after a warm-up": schedules.CosineDecay(
        0.0, decay_steps=80, alpha=0.05, warmup_target=1.0, warmup_steps=20
    ),
}

for name, curve in CURVES.items():
    print(f'    "{name}": [{", ".join(repr(float(curve(step))) for step in STEPS)}],')
