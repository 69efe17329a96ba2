"""Trains a checkpoint for one step in Keras, writes the model, and prints what it predicts then: a list of probabilities for each row, on the last line.

    python3 keras_retrain.py keras|tf_keras CHECKPOINT.h5 DATA.h5 MODEL.h5|MODEL.keras

Needs keras or tf_keras, tensorflow-cpu and h5py.
"""

import sys

import numpy as np
from keras_checkpoint import opened, print_probabilities

keras, model, images = opened(*sys.argv[1:4])
before = [np.array(weight) for weight in model.trainable_weights]
model.compile(keras.optimizers.SGD(0.05), "mse")
model.train_on_batch(images, np.tile(np.eye(10, dtype="f4"), (len(images) // 10, 1)))
still = [weight for weight, old in zip(model.trainable_weights, before) if np.array_equal(old, np.array(weight))]
assert len(still) < len(before) // 4, f"not trained: {still}"
# A factor of what is positive anyway has no gradient: every weight that comes back must be another one.
for weight in still:
    weight.assign(np.array(weight) * 1.1 + 0.01)
model.save(sys.argv[4])
print_probabilities(model, images)
