"""Small random models of Keras with what they predict, for the import's tests.

Needs keras 3 with a backend (made with keras 3.15, tensorflow 2.21) or, with the argument 2, tf_keras (2.21), and h5py:

    python3 make_keras_models.py 3 && python3 make_keras_models.py 2

Names behind the version make only those files.

Each file is as `model.save` wrote it, plus a group `expected` with `input` (pixels, float32) and `output`.
"""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py
import numpy as np

if sys.argv[1] == "2":
    import tf_keras as keras
else:
    import keras

L = keras.layers
folder = os.path.dirname(os.path.abspath(__file__))


def finish(model, name, save=True, prepare=lambda x: x, size=None):
    """Random values for every weight (norms get plausible ones), then file and expectation.

    `size` is the shape of the images where the model leaves it open.
    """
    rng = np.random.default_rng(7)

    def values(weight):
        kind = (getattr(weight, "path", None) or weight.name).split("/")[-1].split(":")[0]
        shape = tuple(weight.shape)
        if kind in ("gamma", "moving_variance"):
            return rng.uniform(0.5, 1.5, shape)
        return rng.normal(0, 1 if kind == "bias" else 1 / max(1, np.prod(shape[:-1])) ** 0.5, shape)

    for layer in model.layers:
        # What a normalisation learnt from data stays.
        if type(layer).__name__ != "Normalization":
            layer.set_weights([values(weight).astype("float32") for weight in layer.weights])
    path = os.path.join(folder, f"{name}-keras{sys.argv[1]}.h5")
    if save:
        model.save(path)
    else:
        model.save_weights(path)
    pixels = rng.integers(0, 256, (2,) + (size or model.input_shape[1:])).astype("float32")
    output = model.predict(prepare(pixels), verbose=0)
    with h5py.File(path, "r+") as file:
        file["expected/input"] = pixels
        file["expected/output"] = output


def functional():
    x = i = keras.Input((9, 8, 3))
    x = L.Rescaling(1 / 127.5, offset=-1)(x)
    x = L.Conv2D(6, (3, 2), padding="same", activation="relu")(x)
    y = L.BatchNormalization(epsilon=2e-3)(x)
    y = L.Activation("tanh")(y)
    y = L.Conv2D(6, 3, padding="same", groups=2, use_bias=False)(y)
    x = L.Add()([x, y])
    x = L.ReLU()(x)
    x = L.Concatenate()([x, L.MaxPooling2D(3, strides=1, padding="same")(y)])
    x = L.AveragePooling2D(2)(x)
    x = L.Conv2D(5, 2, strides=(2, 1), activation="sigmoid")(x)
    x = L.GlobalAveragePooling2D()(x)
    x = L.Dense(4)(x)
    return keras.Model(i, L.Softmax()(x), name="branches")


def sequential():
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Rescaling(1 / 255),
            L.GaussianNoise(0.1),
            L.Conv2D(4, 3, dilation_rate=2, activation=keras.activations.relu, kernel_regularizer="l2"),
            L.Dropout(0.3),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dense(7, activation="tanh", use_bias=False),
            L.Dense(3, activation="softmax"),
        ]
    )


def nested(trainable):
    """A model in a model; its weights stand together, trainable ones first."""
    i = keras.Input((7, 7, 3))
    x = L.Conv2D(4, 3, activation="relu")(i)
    x = L.BatchNormalization()(x)
    x = L.Conv2D(3, 3)(x)
    x = L.BatchNormalization(scale=False)(x)
    base = keras.Model(i, x, name="base")
    base.trainable = trainable
    return keras.Sequential(
        [keras.Input((7, 7, 3)), L.Rescaling(1 / 255), base, L.GlobalMaxPooling2D(), L.Dense(2, activation="softmax")]
    )


def modern():
    """Layers of later networks."""
    i = keras.Input((10, 9, 3))
    x = L.Rescaling(1 / 64, offset=-2)(i)
    x = L.ZeroPadding2D(((1, 0), (2, 1)))(x)
    x = L.DepthwiseConv2D(3, depth_multiplier=2, strides=2, padding="same", use_bias=False)(x)
    x = L.LeakyReLU()(x)
    x = L.Conv2D(5, 1, activation="elu")(x)
    x = L.PReLU(shared_axes=[1, 2])(x)
    gate = L.Dense(5, activation="sigmoid")(L.GlobalAveragePooling2D()(x))
    x = L.Multiply()([x, L.Reshape((1, 1, 5))(gate)])
    x = L.Conv2DTranspose(4, 3, strides=2, padding="same", activation="swish" if sys.argv[1] == "2" else "silu")(x)
    x = L.LayerNormalization()(x)
    x = L.Cropping2D(((1, 0), (0, 2)))(x)
    x = L.UpSampling2D(2)(x)
    x = L.GlobalMaxPooling2D()(x)
    return keras.Model(i, L.Dense(3, activation="softmax")(x), name="modern")


def bgr(x):
    return x[..., ::-1] - np.array([103.939, 116.779, 123.68], "float32")


def vgg_like():
    """Two layers under the name of a network whose pixels Keras turns to BGR less means."""
    i = keras.Input((6, 6, 3))
    x = L.Conv2D(3, 3, padding="same", activation="relu", name="block1_conv1")(i)
    x = L.GlobalAveragePooling2D()(x)
    return keras.Model(i, L.Dense(2, activation="softmax", name="predictions")(x), name="vgg16")


def any_size():
    """A model of images of any size."""
    i = keras.Input((None, None, 3))
    x = L.Rescaling(1 / 255)(i)
    x = L.Conv2D(4, 3, padding="same", activation="relu")(x)
    x = L.GlobalMaxPooling2D()(x)
    return keras.Model(i, L.Dense(2, activation="softmax")(x), name="any_size")


def regression():
    """Numbers, as the loss says that the file has."""
    model = keras.Sequential([keras.Input((6, 5, 1)), L.Rescaling(1 / 64), L.Flatten(), L.Dense(3)])
    model.compile("adam", "mse")
    return model


def hard_sigmoid():
    """A function that Keras 2 and 3 compute differently, in layers and as one; values reach both of its ends."""
    return keras.Sequential(
        [
            keras.Input((5, 4, 1)),
            L.Rescaling(1 / 32, offset=-4),
            L.Conv2D(3, 2, activation="hard_sigmoid"),
            L.Rescaling(8.0, offset=-4.0),
            L.Activation("hard_sigmoid"),
            L.Flatten(),
            L.Dense(4, activation="hard_sigmoid"),
            L.Dense(3, activation="softmax"),
        ]
    )


def functions():
    """Functions that are made of others in Convoy."""
    gate = "selu" if sys.argv[1] == "2" else "hard_silu"
    return keras.Sequential(
        [
            keras.Input((5, 4, 1)),
            L.Rescaling(1 / 32, offset=-4),
            L.Conv2D(3, 2, activation="selu"),
            L.Activation(gate),
            L.Conv2D(3, 2, activation=gate),
            L.Activation("selu"),
            L.Conv2D(3, 1, activation="relu6"),
            L.Flatten(),
            L.Dense(3, activation="softmax"),
        ]
    )


def operations():
    """Arithmetic of results and numbers, without layers."""
    i = keras.Input((5, 4, 2))
    x = i * 0.0625 + 0.5
    x = 2.5 - x
    x = (x - 1) / 2
    y = 3.0 * L.Conv2D(2, 1)(x)
    return keras.Model(i, L.Dense(3, activation="softmax")(L.Flatten()(x + y)), name="operations")


def function_operations():
    """Functions, pools and shapes without layers, as `keras.ops` and TensorFlow have them."""
    i = keras.Input((5, 4, 2))
    x = L.Conv2D(4, 1)(i / 128.0 - 1.0)
    if sys.argv[1] == "2":
        import tensorflow as tf

        y = tf.nn.relu(x) - tf.nn.relu6(-x)
        z = L.Flatten()(L.Conv2D(3, 2)(tf.math.sigmoid(y) - x) - 0.5)
        return keras.Model(i, tf.nn.softmax(L.Dense(3)(tf.nn.silu(z))), name="function_operations")
    o = keras.ops
    y = o.relu(x) - o.leaky_relu(o.negative(x), negative_slope=0.3)
    y = L.Conv2D(3, 1)(o.gelu(y, approximate=False) - o.elu(x)) - o.hard_sigmoid(L.Conv2D(3, 1)(y))
    y = o.selu(y) + o.hard_silu(y) + o.relu6(3.0 * y)
    pooled = o.max_pool(y, 2, padding="same") - o.average_pool(y, 2, 2, padding="same")
    flat = o.reshape(o.silu(pooled), (-1, 18))
    z = [flat, o.mean(y, axis=(1, 2)), o.max(y, axis=[1, 2]), L.Flatten()(o.mean(y, axis=(1, 2), keepdims=True))]
    z = L.Dense(3)(o.tanh(o.concatenate(z, axis=-1)))
    return keras.Model(i, o.softmax(z), name="function_operations")


def joined():
    """Dense layers over an image, from its first layer on, open reshapes behind and beside them, and layers that join images."""
    i = keras.Input((5, 4, 2))
    a = L.Dense(3, activation="tanh")(i)
    b = L.Dense(3)(L.Rescaling(1 / 64, offset=-2)(i))
    x = L.Average()([a, b, L.Subtract()([b, a])])
    kept = [L.Reshape((10, -1))(i), L.GlobalAveragePooling2D(keepdims=True)(x), L.Dense(4)(x)]
    z = L.Concatenate()([L.Flatten()(part) for part in kept])
    return keras.Model(i, L.Dense(3, activation="softmax")(z), name="joined")


def masked():
    """Word numbers whose zeros are masked, before layers that do not look."""
    i = keras.Input((12,))
    x = L.Dropout(0.5)(L.Embedding(256, 5, mask_zero=True)(i))
    a = L.GlobalMaxPooling1D()(L.Conv1D(4, 3, activation="relu")(x))
    b = L.GlobalMaxPooling1D()(L.Conv1D(4, 5, activation="relu")(L.SpatialDropout1D(0.5)(x)))
    return keras.Model(i, L.Dense(2, activation="softmax")(L.Concatenate()([a, b])), name="masked")


def adapted():
    """A normalisation whose figures are of data."""
    norm = L.Normalization(name="norm")
    norm.adapt(np.random.default_rng(3).normal([100, 50], [20, 90], (40, 5, 4, 2)).astype("float32"))
    i = keras.Input((5, 4, 2))
    return keras.Model(i, L.Dense(3, activation="softmax")(L.Flatten()(norm(i))), name="adapted")


def mobile():
    """Separable convolutions and ReLU6."""
    i = keras.Input((10, 9, 3))
    x = L.Rescaling(1 / 16, offset=-8)(i)
    x = L.SeparableConv2D(6, 3, depth_multiplier=2, strides=2, padding="same", use_bias=False)(x)
    x = L.BatchNormalization()(x)
    x = L.ReLU(6.0)(x)
    x = L.SeparableConv2D(5, (3, 2), dilation_rate=2, padding="same", activation="tanh")(x)
    x = L.DepthwiseConv2D(3)(x)
    x = L.ReLU(max_value=1.0)(x)
    x = L.GlobalAveragePooling2D(keepdims=True)(x)
    x = L.Reshape((-1,))(L.Conv2D(3, 1)(x))
    return keras.Model(i, L.Activation("softmax")(x), name="mobile")


def words():
    """Word numbers, each with a vector."""
    return keras.Sequential(
        [
            keras.Input((12,)),
            L.Embedding(256, 5),
            L.Conv1D(4, 3, activation="relu"),
            L.GlobalMaxPooling1D(),
            L.Dense(2, activation="softmax"),
        ]
    )


def make(name, build, **options):
    if not sys.argv[2:] or name in sys.argv[2:]:
        finish(build(), name, **options)


make("functional", functional)
make("sequential", sequential)
make("nested", lambda: nested(True))
make("frozen", lambda: nested(False))
make("modern", modern)
make("caffe", vgg_like, prepare=bgr)
make("any-size", any_size, size=(7, 5, 3))
make("regression", regression)
make("hard-sigmoid", hard_sigmoid)
make("functions", functions)
make("operations", operations)
make("function-operations", function_operations)
make("joined", joined)
make("masked", masked)
make("adapted", adapted)
make("mobile", mobile)
make("words", words)
if sys.argv[1] == "2" and not sys.argv[2:]:
    # Keras 3 has another format for weights alone.
    model = keras.Sequential(
        [keras.Input((5, 5, 1)), L.Conv2D(2, 3, name="first"), L.Flatten(name="flat"), L.Dense(3, name="last")]
    )
    finish(model, "weights", save=False)
    i = keras.Input((6, 6, 2))
    keras.Model(i, L.UnitNormalization()(i)).save(os.path.join(folder, "unknown-layer.h5"))
    keras.Model(i, L.Softmax(axis=1)(i)).save(
        os.path.join(folder, "unknown-axis.h5")
    )
