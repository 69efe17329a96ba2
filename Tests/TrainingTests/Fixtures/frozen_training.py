"""Makes frozen.h5: what Keras makes of a small network in 20 steps where some layers have trainable=False.

Runs: none (all is trained), below (the first convolution with its batch normalisation is frozen), middle (the second one), norms
(both batch normalisations), each from the same weights over the same samples in the same order, with a bound on the
global norm of the gradients and weight decay.

Needs keras (made with 3.15.1 on TensorFlow 2.21, in float64), h5py and numpy: python3 frozen_training.py
"""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import h5py  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402

keras.config.set_floatx("float64")
SAMPLES, CLASSES, STEPS, BATCH = 40, 5, 20, 10
random = np.random.default_rng(5)
images = random.integers(0, 256, (SAMPLES, 9, 8, 1)).astype(np.uint8)
labels = random.integers(0, CLASSES, SAMPLES).astype(np.uint8)


def network():
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((9, 8, 1)),
            layers.Rescaling(1 / 255, offset=0, name="rescale"),
            layers.Conv2D(6, 3, name="first"),
            layers.BatchNormalization(momentum=0.9, name="first_norm"),
            layers.ReLU(name="relu"),
            layers.Conv2D(7, 3, use_bias=False, name="second"),
            layers.BatchNormalization(momentum=0.8, name="second_norm"),
            layers.ReLU(name="relu_1"),
            layers.Flatten(name="flatten"),
            layers.Dense(CLASSES, name="head"),
        ]
    )


def draw(weight):
    values = random.normal(0, 0.3, weight.shape)
    # Variances and scales are positive.
    if any(word in weight.path for word in ["gamma", "variance"]):
        values = 1 + abs(values)
    return values.astype(np.float32).astype(np.float64)


start = [draw(weight) for weight in network().weights]
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def train(frozen):
    model = network()
    model.set_weights(start)
    for name in frozen:
        model.get_layer(name).trainable = False
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9, weight_decay=0.1, global_clipnorm=0.7), loss)
    for step in range(STEPS):
        rows = [(step * BATCH + i) % SAMPLES for i in range(BATCH)]
        model.train_on_batch(images[rows].astype(np.float64), labels[rows])
    for name in frozen:
        model.get_layer(name).trainable = True
    return model


def flat(weights):
    return np.concatenate([np.ravel(weight) for weight in weights]).astype(np.float32)


FROZEN = {
    "none": [],
    "below": ["first", "first_norm"],
    "middle": ["second", "second_norm"],
    "norms": ["first_norm", "second_norm"],
}
folder = os.path.dirname(os.path.abspath(__file__))
with h5py.File(os.path.join(folder, "frozen.h5"), "w", libver="earliest") as file:
    file["images"], file["labels"] = images, labels
    for run, model in [("start", train([]))] + [(run, train(names)) for run, names in FROZEN.items()]:
        if run == "start":
            model.set_weights(start)
        # Layer by layer: what is trained, and the running statistics.
        file[run + "/trained"] = flat([w.numpy() for w in model.trainable_weights])
        file[run + "/statistics"] = flat([w.numpy() for w in model.non_trainable_weights])
