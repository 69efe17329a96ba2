"""PyTorch, eager or channels-last, with the network of a Keras model file: networks are called `PATH:BATCH`."""
import torch
from torch import nn
from torch.nn import functional as F

import keras_graph
from measuring import serve

ACTIVATIONS = {
    "linear": lambda x: x, "relu": F.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "hard_sigmoid": F.hardsigmoid,
    "gelu": F.gelu, "silu": F.silu, "softmax": lambda x: x,  # in front of the loss, which does it
}


class Network(nn.Module):
    """Calls each node's function on the results of its inputs, in order."""

    def __init__(self, nodes, shape):
        super().__init__()
        self.layers = nn.ModuleList()
        self.steps = []
        # Channels first, without the batch.
        shapes = {nodes[0].name: (shape[-1], *shape[:-1])}
        for node in nodes[1:]:
            inputs = [shapes[name] for name in node.inputs]
            function = self.function(node, inputs)
            with torch.no_grad():
                # Two samples, since batch norm refuses one.
                shapes[node.name] = tuple(function(*[torch.zeros(2, *each) for each in inputs]).shape[1:])
            self.steps.append((node.name, function, node.inputs))
        self.first, self.last = nodes[0].name, nodes[-1].name
        self.outputs = shapes[self.last][0]

    def forward(self, x):
        values = {self.first: x}
        for name, function, inputs in self.steps:
            values[name] = function(*[values[each] for each in inputs])
        return values[self.last]

    def layer(self, module):
        self.layers.append(module)
        return module

    def function(self, node, inputs):
        kind, config = node.kind, node.config
        channels = inputs[0][0]
        activation = ACTIVATIONS[config["activation"]]
        if kind in ("Conv1D", "Conv2D", "DepthwiseConv2D"):
            return self.convolution(kind, config, inputs[0], activation)
        if kind == "Dense":
            dense = self.layer(nn.Linear(channels, config["units"], bias=config["use_bias"]))
            return lambda x: activation(dense(x))
        if kind == "BatchNormalization":
            norm = nn.BatchNorm2d if len(inputs[0]) == 3 else nn.BatchNorm1d
            return self.layer(norm(channels, eps=config["epsilon"]))
        if kind in ("MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D"):
            pool = getattr(F, f"{'max' if kind[0] == 'M' else 'avg'}_pool{kind[-2]}d")
            padded = self.padded(config, inputs[0])
            return lambda x: pool(padded(x), config["pool_size"], config["strides"])
        simple = {
            "ReLU": F.relu, "Activation": activation, "Flatten": lambda x: x.flatten(1),
            "GlobalAveragePooling2D": lambda x: x.mean((2, 3)), "GlobalAveragePooling1D": lambda x: x.mean(2),
            "Add": lambda *x: sum(x[1:], x[0]), "Concatenate": lambda *x: torch.cat(x, 1),
            "Multiply": self.product, "Rescaling": lambda x: x * config["scale"],
            "Dropout": lambda x: F.dropout(x, config["rate"]),
            "Reshape": lambda x: x.reshape(len(x), config["target_shape"][-1], *config["target_shape"][:-1]),
        }
        if kind not in simple:
            raise ValueError(f"{kind} is not known here")
        return simple[kind]

    def convolution(self, kind, config, shape, activation):
        depthwise = kind == "DepthwiseConv2D"
        filters = shape[0] * config["depth_multiplier"] if depthwise else config["filters"]
        padding = keras_graph.same_padding(config, shape[1:]) if config["padding"] == "same" else []
        symmetric = all(before == after for before, after in padding)
        conv = self.layer((nn.Conv1d if kind == "Conv1D" else nn.Conv2d)(
            shape[0], filters, config["kernel_size"], config["strides"],
            [before for before, _ in padding] if padding and symmetric else 0, config["dilation_rate"],
            shape[0] if depthwise else config["groups"], bias=config["use_bias"]))
        padded = (lambda x: x) if symmetric else self.padded(config, shape)
        return lambda x: activation(conv(padded(x)))

    @staticmethod
    def padded(config, shape):
        if config["padding"] != "same":
            return lambda x: x
        margins = [margin for axis in reversed(keras_graph.same_padding(config, shape[1:])) for margin in axis]
        return (lambda x: F.pad(x, margins)) if any(margins) else lambda x: x

    @staticmethod
    def product(x, weights):
        return x * weights.reshape(*weights.shape, *[1] * (x.dim() - weights.dim()))


def build(name, precision, mode):
    path, batch = name.rsplit(":", 1)
    nodes, shape = keras_graph.read(path)
    torch.manual_seed(0)
    network = Network(nodes, shape)
    pixels = torch.rand(int(batch), shape[-1], *shape[:-1])
    labels = torch.randint(0, network.outputs, (int(batch),))
    if mode == "channels-last" and pixels.dim() == 4:
        network = network.to(memory_format=torch.channels_last)
        pixels = pixels.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(network.parameters(), 0.001, momentum=0.9, foreach=True)

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            loss = F.cross_entropy(network(pixels), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


serve(f"PyTorch {torch.__version__}", build)
