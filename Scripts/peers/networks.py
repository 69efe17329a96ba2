"""The five networks of `convoy bench`, as data that every peer's program builds with its own layers.

A layer is a tuple: ("conv", filters, kernel, padding, relu), ("pool",), ("flatten",), ("dense", units, relu),
("normalized", filters, kernel, stride, relu), ("block", filters, stride), ("average",).
"""


def _lecture():
    return [("conv", 25, 3, "valid", True), ("pool",), ("conv", 50, 3, "valid", True), ("pool",),
            ("flatten",), ("dense", 100, True), ("dense", 10, False)]


def _vgg():
    layers = []
    for width in (64, 128, 256):
        layers += [("conv", width, 3, "same", True)] * 2 + [("pool",)]
    return layers + [("flatten",), ("dense", 256, True), ("dense", 10, False)]


def _residual(blocks, widths):
    layers = [("normalized", widths[0], 3, 1, True)]
    for stage, width in enumerate(widths):
        for block in range(blocks):
            layers.append(("block", width, 2 if stage > 0 and block == 0 else 1))
    return layers + [("average",), ("dense", 10, False)]


def _go():
    return ([("conv", 192, 5, "same", True)] + [("conv", 192, 3, "same", True)] * 11
            + [("conv", 1, 1, "same", False), ("flatten",)])


# name: (layers, input as [height, width, channels], classes, samples of a step)
NETWORKS = {
    "lecture": (_lecture(), (28, 28, 1), 10, 128),
    "vgg": (_vgg(), (32, 32, 3), 10, 128),
    "resnet20": (_residual(3, (16, 32, 64)), (32, 32, 3), 10, 128),
    "resnet18": (_residual(2, (64, 128, 256, 512)), (32, 32, 3), 10, 64),
    "go": (_go(), (19, 19, 48), 361, 32),
}
