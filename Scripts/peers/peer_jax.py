"""JAX: the same networks by hand, one jitted training step with optax's SGD. Packages: jax, optax."""
import os

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from measuring import serve
from networks import NETWORKS

if "JAX_COMPILATION_CACHE_DIR" in os.environ:
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 1)

LAYOUT = ("NHWC", "HWIO", "NHWC")


def conv(x, kernel, stride=1, padding="SAME"):
    return lax.conv_general_dilated(x, kernel, (stride, stride), padding, dimension_numbers=LAYOUT)


def norm(x, scale, shift):
    # Statistics in fp32, as the other frameworks take them.
    wide = x.astype(jnp.float32)
    mean = wide.mean((0, 1, 2))
    variance = wide.var((0, 1, 2))
    return ((wide - mean) * lax.rsqrt(variance + 1e-3) * scale + shift).astype(x.dtype)


class Network:
    """Parameters in a list, and a function that takes them in the order in which they were made."""

    def __init__(self, layers, shape):
        self.layers, self.random, self.values = layers, np.random.RandomState(0), []
        self.shape = shape
        height, width, channels = shape
        for kind, *rest in layers:
            if kind == "conv":
                self.kernel(rest[1], channels, rest[0])
                self.values.append(np.zeros(rest[0], "float32"))
                channels = rest[0]
                if rest[2] == "valid":
                    height, width = height - rest[1] + 1, width - rest[1] + 1
            elif kind == "pool":
                height, width = height // 2, width // 2
            elif kind == "flatten":
                channels = height * width * channels
            elif kind == "dense":
                self.values.append(self.random.randn(channels, rest[0]).astype("float32") * channels**-0.5)
                self.values.append(np.zeros(rest[0], "float32"))
                channels = rest[0]
            elif kind == "normalized":
                self.normalized(channels, rest[0], rest[1])
                channels = rest[0]
            elif kind == "block":
                filters, stride = rest
                self.normalized(channels, filters, 3)
                self.normalized(filters, filters, 3)
                if stride != 1 or channels != filters:
                    self.normalized(channels, filters, 1)
                channels = filters

    def kernel(self, size, channels, filters):
        scale = (2 / (size * size * channels)) ** 0.5
        self.values.append(self.random.randn(size, size, channels, filters).astype("float32") * scale)

    def normalized(self, channels, filters, size):
        self.kernel(size, channels, filters)
        self.values += [np.ones(filters, "float32"), np.zeros(filters, "float32")]

    def __call__(self, values, x):
        values = iter(values)

        def take():
            return next(values)

        def kernel():
            return take().astype(x.dtype)

        def normalized(x, stride):
            return norm(conv(x, kernel(), stride), take(), take())

        for kind, *rest in self.layers:
            if kind == "conv":
                x = conv(x, kernel(), 1, rest[2].upper()) + kernel()
                x = jax.nn.relu(x) if rest[3] else x
            elif kind == "pool":
                x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
            elif kind == "flatten":
                x = x.reshape(x.shape[0], -1)
            elif kind == "dense":
                x = x @ kernel() + kernel()
                x = jax.nn.relu(x) if rest[1] else x
            elif kind == "normalized":
                x = normalized(x, rest[2])
                x = jax.nn.relu(x) if rest[3] else x
            elif kind == "block":
                filters, stride = rest
                body = normalized(jax.nn.relu(normalized(x, stride)), 1)
                if stride != 1 or x.shape[-1] != filters:
                    x = normalized(x, stride)
                x = jax.nn.relu(body + x)
            elif kind == "average":
                x = x.mean((1, 2))
        return x.astype(jnp.float32)


def build(name, precision, mode):
    layers, shape, classes, batch = NETWORKS[name]
    network = Network(layers, shape)
    optimizer = optax.sgd(0.01, momentum=0.9)
    random = np.random.RandomState(1)
    pixels = jnp.asarray(random.rand(batch, *shape), jnp.bfloat16 if precision == "bf16" else jnp.float32)
    labels = jnp.asarray(random.randint(0, classes, batch))

    @jax.jit
    def train(values, state, pixels, labels):
        def loss(values):
            logits = network(values, pixels)
            return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()

        value, gradient = jax.value_and_grad(loss)(values)
        updates, state = optimizer.update(gradient, state, values)
        return optax.apply_updates(values, updates), state, value

    values = [jnp.asarray(value) for value in network.values]
    state = optimizer.init(values)

    def step():
        nonlocal values, state
        values, state, loss = train(values, state, pixels, labels)
        loss.block_until_ready()

    return step


serve(f"JAX {jax.__version__}", build)
