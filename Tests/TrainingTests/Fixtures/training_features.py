"""Makes features.h5: what Keras makes of a small network in 20 steps with what a training can do besides.

Runs: max_norm, ema, accumulate (2 x 5 samples a step) and decay_rules, each from the same weights over the same samples
in the same order; and prints what ReduceLROnPlateau makes of some figures, as Swift literals for FeatureReferenceTests.swift.

Needs keras (made with 3.15.1 on TensorFlow 2.21, in float64), h5py and numpy: python3 training_features.py
"""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import h5py  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402

keras.config.set_floatx("float64")
SAMPLES, CLASSES, STEPS, BATCH = 40, 5, 20, 10
random = np.random.default_rng(3)
images = random.integers(0, 256, (SAMPLES, 9, 8, 1)).astype(np.uint8)
labels = random.integers(0, CLASSES, SAMPLES).astype(np.uint8)


def network(limit=None):
    def bound(*axes):
        return keras.constraints.MaxNorm(limit, axis=list(axes)) if limit else None

    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((9, 8, 1)),
            layers.Rescaling(1 / 255, offset=0, name="rescale"),
            layers.Conv2D(5, 3, activation="relu", kernel_constraint=bound(0, 1, 2), name="conv2d"),
            layers.DepthwiseConv2D(
                3, depth_multiplier=2, activation="relu", depthwise_constraint=bound(0, 1), name="depthwise_conv2d"
            ),
            layers.Conv2DTranspose(
                3, 3, strides=2, activation="relu", kernel_constraint=bound(0, 1, 3), name="conv2d_transpose"
            ),
            layers.Flatten(name="flatten"),
            layers.Dense(CLASSES, kernel_constraint=bound(0), name="dense"),
        ]
    )


start = [
    random.normal(0, 0.3, w.shape).astype(np.float32).astype(np.float64) for w in network().get_weights()
]
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def train(optimizer, limit=None, batch=BATCH, steps=STEPS, setup=None):
    model = network(limit)
    model.set_weights(start)
    model.compile(optimizer, loss)
    if setup:
        setup(model, optimizer)
    for step in range(steps):
        rows = [(step * batch + i) % SAMPLES for i in range(batch)]
        model.train_on_batch(images[rows].astype(np.float64), labels[rows])
    return model


def without_decay(model, optimizer):
    optimizer.exclude_from_weight_decay(
        var_list=[w for w in model.trainable_variables if w.name == "bias" or "/depthwise" in w.path]
    )


SGD = keras.optimizers.SGD
runs = {}
runs["max_norm"] = train(SGD(0.05, momentum=0.9), limit=0.8).get_weights()
optimizer = SGD(0.05, momentum=0.9, use_ema=True, ema_momentum=0.8)
model = train(optimizer)
runs["ema_trained"] = model.get_weights()
optimizer.finalize_variable_values(model.trainable_variables)
runs["ema"] = model.get_weights()
runs["accumulate"] = train(
    SGD(0.05, momentum=0.9, gradient_accumulation_steps=2), batch=5, steps=2 * STEPS
).get_weights()
runs["decay_rules"] = train(SGD(0.05, momentum=0.9, weight_decay=0.5), setup=without_decay).get_weights()

folder = os.path.dirname(os.path.abspath(__file__))
with h5py.File(os.path.join(folder, "features.h5"), "w", libver="earliest") as file:
    file["images"], file["labels"] = images, labels
    # All parameters one after another, layer by layer, kernel before bias.
    for run, values in {"start": start, **runs}.items():
        file[run] = np.concatenate([value.ravel() for value in values]).astype(np.float32)

# ReduceLROnPlateau over given figures.
FIGURES = {
    "loss": [1, 0.8, 0.79, 0.7899, 0.78995, 0.79, 0.6, 0.61, 0.62, 0.63, 0.59, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6],
    "accuracy": [0.1, 0.3, 0.3, 0.3005, 0.29, 0.31, 0.3, 0.3, 0.3, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.6, 0.6, 0.6, 0.6],
}
RULES = {
    "plain": dict(factor=0.5, patience=2),
    "cooldown": dict(factor=0.1, patience=2, cooldown=3, min_delta=0.001),
    # With a longer patience a cooldown that never passes changes nothing here.
    "impatient": dict(factor=0.5, patience=1, cooldown=2, min_delta=0.001),
    "floor": dict(factor=0.3, patience=1, min_lr=0.05, min_delta=0),
}
for figure, values in FIGURES.items():
    for name, rule in RULES.items():
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile(SGD(1.0), "mse")
        callback = keras.callbacks.ReduceLROnPlateau(
            monitor=figure, mode="min" if figure == "loss" else "max", **rule
        )
        callback.set_model(model)
        callback.on_train_begin()
        rates = []
        for epoch, value in enumerate(values):
            callback.on_epoch_end(epoch, {figure: value})
            rates.append(float(model.optimizer.learning_rate))
        print(f'    "{figure}, {name}": {rates},')
