"""The graph of a Keras model file, as Convoy's checkpoints are, without Keras: what other frameworks rebuild it from."""
import collections
import json

import h5py

Node = collections.namedtuple("Node", "name kind config inputs")


def read(path):
    """The layers in order, and the shape of one input."""
    with h5py.File(path) as file:
        layers = json.loads(file.attrs["model_config"])["config"]["layers"]
    nodes = []
    for layer in layers:
        config = _complete(layer["class_name"], layer["config"])
        # One call of each layer; each input is [name, call, output, options].
        inputs = [entry[0] for call in layer["inbound_nodes"] for entry in call]
        nodes.append(Node(layer["name"], layer["class_name"], config, inputs))
    return nodes, tuple(nodes[0].config["batch_input_shape"][1:])


def _complete(kind, config):
    """With Keras's defaults, which the file leaves out."""
    axes = 1 if "1D" in kind else 2
    defaults = {
        "strides": config.get("pool_size", [1] * axes), "dilation_rate": [1] * axes, "groups": 1, "use_bias": True,
        "activation": "linear", "padding": "valid", "depth_multiplier": 1, "epsilon": 1e-3,
    }
    return defaults | config


def same_padding(config, size):
    """Zeros before and after each axis, as Keras's `same` sets them: the odd one behind."""
    kernels = config.get("kernel_size") or config["pool_size"]
    padding = []
    for length, kernel, stride, dilation in zip(size, kernels, config["strides"], config["dilation_rate"]):
        total = max(0, (-(-length // stride) - 1) * stride + (kernel - 1) * dilation + 1 - length)
        padding.append((total // 2, total - total // 2))
    return padding
