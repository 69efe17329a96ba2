"""Fine-tunes in Keras what Scripts/fine-tuning fine-tunes in Convoy: the same data, the same weights, the same number of steps, rates
and schedule; orders of samples and new layers are drawn by Keras.

Reads lines of JSON (checkpoint, data, way, epochs, rate, seed) and prints a line with the test accuracy for each.
"""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

BATCH, MOMENTUM, WEIGHT_DECAY = 50, 0.9, 5e-4


def anew(layer):
    """A layer that begins as in Convoy's config, whose initialisers the model does not name."""
    config = layer.get_config()
    if isinstance(layer, keras.layers.Conv2D):
        config["kernel_initializer"] = "he_normal"
    return type(layer).from_config(config)


def network(checkpoint, way):
    """The trained network with a new head of the same size; all of it new, or all but the head frozen, or nothing frozen."""
    trained = keras.models.load_model(checkpoint, compile=False)
    if way == "from nothing":
        trained = keras.models.clone_model(trained, clone_function=anew)
    head = trained.layers[-1]
    while not isinstance(head, keras.layers.Dense):
        head = head._inbound_nodes[0].parent_nodes[0].operation
    for layer in trained.layers:
        layer.trainable = way != "head only"
    # Its numbers go into the loss as they are: of probabilities below 1e-7 Keras gives no gradient.
    new = keras.layers.Dense(head.units, name="new_head")(head.input)
    return keras.Model(trained.input, new)


def train(job):
    keras.utils.set_random_seed(job["seed"])
    with h5py.File(job["data"]) as file:
        data = {s: (file[f"{s}/images"][:].astype("f4"), file[f"{s}/labels"][:]) for s in ["train", "test"]}
    model = network(job["checkpoint"], job["way"])
    images, labels = data["train"]
    steps = job["epochs"] * (len(labels) // BATCH)
    optimizer = keras.optimizers.SGD(
        keras.optimizers.schedules.CosineDecay(job["rate"], steps), momentum=MOMENTUM, nesterov=True)  # fmt: skip
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    decayed = [v for v in model.trainable_variables if v.path.endswith("kernel")]
    # As in Convoy, the decay is part of the gradient; that of Keras's optimizers is not.
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
            loss += WEIGHT_DECAY / 2 * sum(tf.reduce_sum(tf.square(v.value)) for v in decayed)
        optimizer.apply(tape.gradient(loss, [v.value for v in model.trainable_variables]), model.trainable_variables)

    order = np.random.default_rng(job["seed"])
    for _ in range(job["epochs"]):
        places = order.permutation(len(labels))
        for start in range(0, len(places) - BATCH + 1, BATCH):
            chosen = places[start : start + BATCH]
            step(images[chosen], labels[chosen])
    images, labels = data["test"]
    return float((model.predict(images, batch_size=250, verbose=0).argmax(1) == labels).mean())


for line in sys.stdin:
    print(train(json.loads(line)), flush=True)
