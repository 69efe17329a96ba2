"""PyTorch's modules for the layers of `networks.py`."""
from torch import nn
from torch.nn import functional as F


class Normalized(nn.Module):
    def __init__(self, channels, filters, kernel, stride, relu):
        super().__init__()
        self.conv = nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(filters)
        self.relu = relu

    def forward(self, x):
        x = self.norm(self.conv(x))
        return F.relu(x) if self.relu else x


class Block(nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        self.body = nn.Sequential(
            Normalized(channels, filters, 3, stride, True), Normalized(filters, filters, 3, 1, False))
        keeps = stride == 1 and channels == filters
        self.shortcut = nn.Identity() if keeps else Normalized(channels, filters, 1, stride, False)

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x))


def model(layers, shape):
    height, width, channels = shape
    modules, features = [], None
    for kind, *rest in layers:
        if kind == "conv":
            filters, kernel, padding, relu = rest
            modules.append(nn.Conv2d(channels, filters, kernel, padding=kernel // 2 if padding == "same" else 0))
            if padding == "valid":
                height, width = height - kernel + 1, width - kernel + 1
            channels = filters
            if relu:
                modules.append(nn.ReLU())
        elif kind == "pool":
            modules.append(nn.MaxPool2d(2))
            height, width = height // 2, width // 2
        elif kind == "flatten":
            modules.append(nn.Flatten())
            features = height * width * channels
        elif kind == "dense":
            modules.append(nn.Linear(features, rest[0]))
            features = rest[0]
            if rest[1]:
                modules.append(nn.ReLU())
        elif kind == "normalized":
            modules.append(Normalized(channels, *rest))
            channels = rest[0]
        elif kind == "block":
            modules.append(Block(channels, *rest))
            channels = rest[0]
        elif kind == "average":
            modules += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
            features = channels
    return nn.Sequential(*modules)
