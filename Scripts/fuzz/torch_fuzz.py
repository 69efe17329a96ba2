"""Draws networks in PyTorch, exports them to ONNX, imports them, and compares the outputs with PyTorch's.

    torch_fuzz.py CONVOY DRAWS [--seed S] [--only DRAW] [--keep FOLDER]

A network is a chain of steps that are drawn one after the other for the shape that the one before it gives; what PyTorch itself refuses
is drawn again. Most are exported by the older exporter of TorchScript, which also writes ONNX's older versions, some by the newer one.
A network may be refused, with exit code 65 and one line that names the node; the reasons are counted. For what differs, the shortest part
of the chain that differs as well is printed.
"""

import argparse
import collections
import contextlib
import copy
import logging
import os
import re
import shutil
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "zoo"))
import comparing
import exchange
import onnx_fuzz

OPSETS = [11, 12, 13, 14, 15, 16, 17, 18, 19, 20]

# No command takes more seconds for such networks: above that it hangs.
LONGEST = 60

# As many numbers as the result of a step may have.
LARGEST = 6000

# Of how many draws one goes through the newer exporter, which takes seconds.
NEW_EXPORTER = 10


class Different(Exception):
    """Convoy and PyTorch come to different results."""


class NotExported(Exception):
    """PyTorch's exporter refuses a network, or writes one that onnxruntime computes differently."""


class Step(nn.Module):
    """A formula of x, printed as it is written; `m` has the modules and tensors that it uses."""

    def __init__(self, formula, **parts):
        super().__init__()
        self.formula = formula
        self.function = eval(f"lambda m, x: {formula}")
        for name, part in parts.items():
            if isinstance(part, nn.Module):
                self.add_module(name, part)
            else:
                self.register_buffer(name, part)

    def __deepcopy__(self, memo):
        tensors = {name: tensor.clone() for name, tensor in self.named_buffers(recurse=False)}
        return Step(self.formula, **{name: copy.deepcopy(part, memo) for name, part in self.named_children()}, **tensors)

    def forward(self, x):
        return self.function(self, x)

    def extra_repr(self):
        return self.formula


class Random:
    """Numbers and choices of one draw."""

    def __init__(self, *seed):
        self.numbers = np.random.default_rng(seed)

    def whole(self, low, high):
        """A number of low, …, high."""
        return int(self.numbers.integers(low, high + 1))

    def chance(self, share):
        return self.numbers.random() < share

    def of(self, *choices):
        return choices[self.whole(0, len(choices) - 1)]

    def of_makers(self, usual, rare):
        """What one of the functions makes; what Convoy has no layer for comes up seldom, so that the rest is compared."""
        return self.of(*(rare if self.chance(0.03) else usual))()

    def real(self, low, high):
        return round(float(self.numbers.uniform(low, high)), 3)

    def divisor(self, number):
        return self.of(*[size for size in range(1, number + 1) if number % size == 0])

    def sizes(self, count, low, high):
        """One number for each dimension, of which most windows have the same for all."""
        first = self.whole(low, high)
        return tuple(first if self.chance(0.6) else self.whole(low, high) for _ in range(count))

    def tensor(self, *shape, low=0.5, high=1.5):
        return torch.from_numpy(self.numbers.uniform(low, high, shape).astype("float32"))


def ranked(name, places):
    """A module of torch.nn for sequences or images."""
    return getattr(nn, f"{name}{places}d")


# Each of these takes what draws and the shape of a sample, [channels, …], and gives a module.


def same_convolution(r, channels, places, filters=None, groups=1):
    """A convolution that leaves places as many as they are."""
    size = r.of(1, 3, 3, 5)
    return ranked("Conv", places)(channels, filters or channels, size, padding=size // 2, groups=groups, bias=r.chance(0.7))


def convolution(r, shape):
    channels, places = shape[0], len(shape) - 1
    kernel, stride = r.sizes(places, 1, 5), r.sizes(places, 1, 3) if r.chance(0.4) else 1
    dilation = r.sizes(places, 1, 3) if r.chance(0.3) else 1
    groups = channels if r.chance(0.25) else r.divisor(channels) if r.chance(0.3) else 1
    filters = groups * r.whole(1, 2 if groups > 1 else 7)
    padding = r.of(0, "same", "drawn", "drawn", "half")
    if padding == "same" and stride != 1:
        padding = "half"
    if padding == "half":
        steps = (dilation,) * places if dilation == 1 else dilation
        padding = tuple((size - 1) * step // 2 for size, step in zip(kernel, steps))
    elif padding == "drawn":
        padding = r.sizes(places, 0, 4)
    return ranked("Conv", places)(
        channels, filters, kernel, stride=stride, padding=padding, dilation=dilation, groups=groups, bias=r.chance(0.7))


def padded_convolution(r, shape):
    """Padding as a step of its own, which need not be even, and may cut."""
    places = len(shape) - 1
    margins = [r.whole(0, 3) for _ in range(2 * places)]
    if r.chance(0.2):
        margins[r.whole(0, len(margins) - 1)] = -1
    pad = nn.ZeroPad2d(margins) if places == 2 and r.chance(0.5) else Step(f"F.pad(x, {margins})")
    return nn.Sequential(pad, convolution(r, shape))


def transposed_convolution(r, shape):
    channels, places = shape[0], len(shape) - 1
    kernel, stride = r.sizes(places, 1, 5), r.sizes(places, 1, 3)
    padding = tuple(r.whole(0, size - 1) if r.chance(0.6) else 0 for size in kernel)
    beyond = tuple(r.whole(0, step - 1) if r.chance(0.4) else 0 for step in stride)
    return ranked("ConvTranspose", places)(
        channels, r.whole(1, 5), kernel, stride=stride, padding=padding, output_padding=beyond, bias=r.chance(0.7))


def window_pool(r, shape):
    places = len(shape) - 1
    kernel, stride = r.sizes(places, 1, 4), r.of(None, r.sizes(places, 1, 3))
    padding = tuple(r.whole(0, size // 2) for size in kernel) if r.chance(0.6) else 0
    # Sequences' averages take single numbers.
    if places == 1:
        kernel, stride, padding = kernel[0], stride and stride[0], padding and padding[0]
    rounds_up = r.chance(0.3)
    if r.chance(0.55):
        return ranked("MaxPool", places)(kernel, stride, padding, ceil_mode=rounds_up)
    return ranked("AvgPool", places)(kernel, stride, padding, ceil_mode=rounds_up, count_include_pad=r.chance(0.6))


def adaptive_pool(r, shape):
    wanted = tuple(r.divisor(size) for size in shape[1:])
    return ranked(r.of("AdaptiveAvgPool", "AdaptiveMaxPool"), len(shape) - 1)(wanted if len(wanted) > 1 else wanted[0])


def whole_pool(r, shape):
    """A mean or maximum over all places, which stay with size 1."""
    places = len(shape) - 1
    dims = list(range(2, places + 2)) if r.chance(0.5) else list(range(-places, 0))
    if r.chance(0.4):
        return ranked(r.of("AdaptiveAvgPool", "AdaptiveMaxPool"), places)(1)
    return Step(f"x.{r.of('mean', 'amax')}({dims}, keepdim=True)")


def batch_norm(r, shape):
    norm = ranked("BatchNorm", len(shape) - 1)(shape[0], eps=r.of(1e-5, 1e-3), affine=r.chance(0.85))
    norm.running_mean.copy_(r.tensor(shape[0], low=-0.5, high=0.5))
    norm.running_var.copy_(r.tensor(shape[0], low=0.4, high=2.5))
    return norm


def other_norm(r, shape):
    channels, places = shape[0], len(shape) - 1
    order, back = ("0, 2, 3, 1", "0, 3, 1, 2") if places == 2 else ("0, 2, 1", "0, 2, 1")
    column = f"[:, {', '.join(['None'] * places)}]"
    return r.of_makers([
        lambda: nn.GroupNorm(r.divisor(channels), channels),
        lambda: nn.GroupNorm(r.divisor(channels), channels, affine=False),
        lambda: ranked("InstanceNorm", places)(channels, affine=r.chance(0.8)),
        lambda: Step(f"m.norm(x.permute({order})).permute({back})", norm=nn.LayerNorm(channels)),
        # As ConvNeXt writes it.
        lambda: Step(
            f"(lambda mean: m.scale{column} * ((x - mean) / torch.sqrt((x - mean).pow(2).mean(1, keepdim=True) + 1e-6)) + m.offset{column})"
            "(x.mean(1, keepdim=True))", scale=r.tensor(channels), offset=r.tensor(channels, low=-0.5, high=0.5)),
    ], [
        lambda: nn.LocalResponseNorm(r.of(1, 3, 5, 5, 2), alpha=r.of(1e-4, 0.3), beta=r.of(0.75, 0.5), k=r.of(1.0, 2.0)),
        lambda: nn.LayerNorm(list(shape)), lambda: Step("F.normalize(x, dim=1)"),
    ])


def activation(r, shape):
    low, high = r.real(-1, 0.5), r.real(0.6, 3)
    return r.of_makers([
        lambda: nn.ReLU(), lambda: nn.ReLU(inplace=True), lambda: nn.ReLU6(), lambda: nn.LeakyReLU(r.real(0.01, 0.4)),
        lambda: nn.ELU(r.of(1.0, 0.6)), lambda: nn.SELU(), lambda: nn.PReLU(), lambda: nn.PReLU(shape[0]), lambda: nn.GELU(),
        lambda: nn.GELU("tanh"), lambda: nn.SiLU(), lambda: nn.Hardswish(), lambda: nn.Hardsigmoid(), lambda: nn.Hardtanh(),
        lambda: nn.Hardtanh(low, high), lambda: nn.Sigmoid(), lambda: nn.Tanh(), lambda: nn.Softplus(), lambda: nn.Mish(),
        lambda: Step(f"x.clamp({low}, {high})"), lambda: Step(f"x.clamp(min={low})"), lambda: Step(f"x.clamp(max={high})"),
        lambda: Step("x * torch.sigmoid(1.702 * x)"), lambda: Step("x * F.relu6(x + 3) / 6"), lambda: Step("F.relu(x).pow(2)"),
        lambda: Step("x * torch.tanh(F.softplus(x))"), lambda: Step("0.5 * x * (1 + torch.erf(x / 2 ** 0.5))"),
    ], [
        lambda: nn.CELU(r.of(1.0, 0.7)), lambda: nn.Softplus(beta=2), lambda: nn.Softsign(), lambda: nn.LogSigmoid(),
        lambda: nn.Hardshrink(), lambda: nn.Softshrink(), lambda: nn.Tanhshrink(), lambda: nn.Threshold(0.1, 0.0),
        lambda: Step("torch.abs(x)"), lambda: Step("torch.exp(-x * x)"),
    ])


def constants(r, shape):
    """Arithmetic with numbers, and with one constant for each channel."""
    places = len(shape) - 1
    column = r.tensor(shape[0], *[1] * places)
    # Samples have their dimension, too, in the constants of some.
    column = column[None] if r.chance(0.4) else column
    number = r.real(0.3, 2)
    return r.of_makers([
        lambda: Step("(x - m.mean) / m.deviation", mean=column - 1, deviation=column),
        lambda: Step("x * m.scale + m.offset", scale=column, offset=column - 1),
        lambda: Step("m.offset - x", offset=column - 1), lambda: Step("x - m.offset", offset=column),
        lambda: Step("x * m.scale", scale=column - 1), lambda: Step("m.scale * x", scale=column),
        lambda: Step(f"{number} - x"), lambda: Step(f"x / {number} - 1"), lambda: Step("-x"), lambda: Step(f"x * {number} + 0.5"),
        lambda: Step("x + m.places", places=r.tensor(1, *shape)),
    ], [lambda: Step("x * m.places", places=r.tensor(1, *shape))])


def inner(r, shape, filters=None):
    """A branch that leaves places as many as they are."""
    channels, places = shape[0], len(shape) - 1
    filters = filters or channels
    steps = [same_convolution(r, channels, places, filters)]
    if r.chance(0.6):
        steps.append(batch_norm(r, [filters, *shape[1:]]))
    if r.chance(0.7):
        steps.append(activation(r, [filters, *shape[1:]]))
    if r.chance(0.4):
        steps.append(same_convolution(r, filters, places))
    return nn.Sequential(*steps)


def residual(r, shape):
    usual = (
        "x + m.inner(x)", "m.inner(x) + x", "F.relu(x + m.inner(x))", "m.other(x) + m.inner(x)", "x - m.inner(x)",
        "m.inner(x) * x", "x + 0.5 * m.inner(x)", "x + m.inner(x) + m.other(x)", "x + torch.tanh(m.inner(x)) * m.other(x)",
        "x + x",
    )
    formula = r.of("torch.maximum(x, m.inner(x))", "m.inner(x) / (1 + x.pow(2))") if r.chance(0.03) else r.of(*usual)
    parts = {name: inner(r, shape) for name in ("inner", "other") if f"m.{name}" in formula}
    return Step(formula, **parts)


def gate(r, shape):
    """Factors that a squeeze-and-excitation, or another gate, gives."""
    channels, places = shape[0], len(shape) - 1
    dims, column = list(range(2, 2 + places)), "[:, :, None, None]" if places == 2 else "[:, :, None]"
    function = r.of("torch.sigmoid", "F.hardsigmoid", "torch.tanh")
    hidden = r.whole(1, 4)
    layers = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels))
    convolve = ranked("Conv", places)
    convolutions = nn.Sequential(convolve(channels, hidden, 1), r.of(nn.ReLU(), nn.SiLU()), convolve(hidden, channels, 1))
    pool = ranked("AdaptiveAvgPool", places)(1)
    ones = ", ".join(["1"] * places)
    return r.of_makers([
        lambda: Step(f"x * {function}(m.gate(x.mean({dims}, keepdim=True)))", gate=convolutions),
        lambda: Step(f"{function}(m.gate(m.pool(x))) * x", gate=convolutions, pool=pool),
        lambda: Step(f"x * {function}(m.gate(x.mean({dims}))){column}", gate=layers),
        lambda: Step(f"x * {function}(m.gate(m.pool(x).flatten(1))).view(-1, {channels}, {ones})", gate=layers, pool=pool),
        lambda: Step(
            f"x * {function}(m.gate(m.pool(x).view(x.shape[0], x.shape[1]))).view(x.shape[0], x.shape[1], {ones})", gate=layers,
            pool=pool),
        # An efficient channel attention: a convolution along the channels.
        lambda: Step(
            f"x * {function}(m.gate(x.mean({dims}).unsqueeze(1))).squeeze(1){column}", gate=nn.Conv1d(1, 1, 3, padding=1, bias=False)),
        lambda: Step(f"x * {function}(m.gate(x))", gate=inner(r, shape)),
    ], [
        # The attention to places of CBAM.
        lambda: Step(
            f"x * {function}(m.gate(torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)))",
            gate=same_convolution(r, 2, places, 1)),
        lambda: Step(f"x * {function}(m.gate(x))", gate=same_convolution(r, channels, places, 1)),
        lambda: Step(f"x + m.gate(x.mean({dims}, keepdim=True))", gate=convolutions),
    ])


def join(r, shape):
    channels, places = shape[0], len(shape) - 1
    formula = r.of(
        "torch.cat([x, m.inner(x)], 1)", "torch.cat([m.inner(x), m.other(x), x], 1)", "torch.cat((m.inner(x), m.pool(x)), dim=1)",
        "torch.cat([x, x], 1)", "torch.cat([F.relu(x), F.relu(-x)], dim=1)",
        f"torch.cat([x, m.inner(x)], {r.of(2, -1) if r.chance(0.1) else 1})",
        "torch.cat([x, (lambda y: torch.cat([y, m.other(y)], 1))(m.inner(x))], -3)" if places == 2 else "torch.cat([m.inner(x), x], 1)",
        "torch.cat([x, m.inner(x), m.other(x), m.inner(x)], 1)",
    )
    filters = channels if ", 2)" in formula or ", -1)" in formula else r.whole(1, 5)
    parts = {
        "inner": inner(r, shape, filters), "other": inner(r, [filters if "lambda" in formula else channels, *shape[1:]]),
        "pool": ranked("MaxPool", places)(3, 1, 1),
    }
    return Step(formula, **{name: part for name, part in parts.items() if f"m.{name}" in formula})


def divide(r, shape):
    """Some of the channels, or parts of them put together anew."""
    channels, places = shape[0], len(shape) - 1
    if channels == 1:
        return inner(r, shape)
    cut = r.whole(1, channels - 1)
    half = "a, b: {}" if r.chance(0.5) else "b, a: {}"
    parts = r.of("x.chunk(2, 1)", "x.chunk(2, dim=1)", f"x.split([{cut}, {channels - cut}], 1)", f"(x[:, :{cut}], x[:, {cut}:])")
    joined = r.of("torch.cat([b, a], 1)", "torch.cat([a, F.relu(b)], 1)", "torch.cat([a.tanh(), b, a], dim=1)", "a", "F.relu(b)")
    order = [int(place) for place in r.numbers.permutation(channels)]
    return r.of_makers([
        lambda: Step(f"(lambda {half.format(joined)})(*{parts})"), lambda: Step(f"(lambda {half.format(joined)})(*{parts})"),
        lambda: Step("(lambda a, b: a * torch.sigmoid(b))(*x.chunk(2, 1))") if channels % 2 == 0 else Step("F.relu(x[:, 1:])"),
        lambda: nn.GLU(1) if channels % 2 == 0 else Step("x[:, :-1]"), lambda: Step(f"x[:, {order}]"),
        lambda: Step(f"x.narrow(1, {channels - cut}, {cut})"), lambda: Step(f"x[:, {cut}:{cut + 1}]"),
        lambda: Step(f"x[:, {cut}].unsqueeze(1)"), lambda: Step("torch.index_select(x, 1, m.order)", order=torch.tensor(order)),
    ], [
        lambda: Step("x.flip(1)"), lambda: Step(f"x[:, {r.of('::2', '1::2')}]"),
        lambda: Step(f"torch.stack(x.unbind(1)[:{cut}], 1)"),
    ])


def shuffle(r, shape):
    channels, places = shape[0], len(shape) - 1
    groups = r.divisor(channels)
    if groups == 1:
        return divide(r, shape)
    each = channels // groups
    sizes = ", ".join(f"x.shape[{2 + place}]" if r.chance(0.5) else str(size) for place, size in enumerate(shape[1:]))
    count = r.of("x.shape[0]", "x.size(0)", "-1")
    return r.of(
        lambda: nn.ChannelShuffle(groups),
        lambda: Step(f"x.view({count}, {groups}, {each}, {sizes}).transpose(1, 2).reshape({count}, {channels}, {sizes})"),
        lambda: Step(f"x.view({count}, {groups}, {each}, {sizes}).transpose(1, 2).flatten(1, 2)"),
        lambda: Step(f"x.reshape({count}, {groups}, {each}, {sizes}).transpose(2, 1).contiguous().view({count}, -1, {sizes})"),
    )()


def scaled(r, shape):
    """Images of another size."""
    channels, places = shape[0], len(shape) - 1
    factor = r.whole(2, 3)
    sizes = [size * r.whole(1, 3) for size in shape[1:]]
    if places == 1:
        return Step(f"F.interpolate(x, {r.of(f'scale_factor={factor}', f'size={sizes}')}, mode='nearest')")
    height, width = shape[1:]
    first, last = r.whole(0, min(2, height - 1)), r.whole(0, min(2, width - 1))
    return r.of_makers([
        lambda: Step(f"F.interpolate(x, scale_factor={factor}, mode='nearest')"),
        lambda: Step(f"F.interpolate(x, size={sizes})"),
        lambda: Step(f"F.interpolate(x, scale_factor={factor}, mode='bilinear', align_corners=False)"),
        lambda: Step(f"F.interpolate(x, size={sizes}, mode='bilinear', align_corners=False)"),
        lambda: nn.Upsample(scale_factor=(factor, r.whole(1, 3)), mode=r.of("nearest", "bilinear")),
        lambda: Step(
            f"F.interpolate(m.inner(x), size=x.shape[2:], mode='{r.of('nearest', 'bilinear')}')",
            inner=nn.Sequential(nn.AvgPool2d(2), same_convolution(r, channels, places))),
        lambda: Step(f"x[:, :, {first}:, {last}:]"), lambda: Step(f"x[:, :, {first}:-1, {last}:]"), lambda: Step(f"x[..., {last}:{width}]"),
        lambda: Step(f"x[:, :, {first}:, :{width - last}]"),
    ], [
        lambda: nn.Sequential(same_convolution(r, channels, places, 4 * r.whole(1, 2)), nn.PixelShuffle(2)),
        lambda: nn.PixelUnshuffle(2), lambda: Step("x.transpose(2, 3)"),
        # As YOLO begins.
        lambda: Step("torch.cat([x[..., ::2, ::2], x[..., 1::2, ::2]], 1)") if height % 2 == 0 else Step("x[:, :, ::2, ::2]"),
        lambda: Step("x.flip(3)"), lambda: Step(f"F.interpolate(x, size={sizes}, mode='bilinear', align_corners=True)"),
        lambda: Step("F.pad(x, [1, 1, 1, 1], mode='reflect')"), lambda: Step("F.pad(x, [1, 0, 2, 1], value=0.5)"),
        lambda: nn.ReplicationPad2d(1), lambda: Step(f"F.interpolate(x, size=[{height + 1}, {width + 2}], mode='bilinear')"),
    ])


def dense_at_places(r, shape):
    """A dense layer at each place, as ConvNeXt has it."""
    channels, places, units = shape[0], len(shape) - 1, r.whole(1, 6)
    order, back = ("0, 2, 3, 1", "0, 3, 1, 2") if places == 2 else ("0, 2, 1", "0, 2, 1")
    layers = nn.Sequential(nn.Linear(channels, units), r.of(nn.GELU(), nn.ReLU()), nn.Linear(units, channels))
    matrix = r.tensor(channels, units, low=-1, high=1)
    return r.of(
        lambda: Step(f"m.layers(x.permute({order})).permute({back})", layers=layers),
        lambda: Step(
            f"x + (m.scale * m.layers(m.norm(m.inner(x).permute({order})))).permute({back})", layers=layers, scale=r.tensor(channels),
            norm=nn.LayerNorm(channels), inner=same_convolution(r, channels, places, groups=channels)),
        lambda: Step(f"(x.permute({order}) @ m.matrix).permute({back})", matrix=matrix),
        lambda: Step(f"m.layers(x.flatten(2).transpose(1, 2)).transpose(1, 2).reshape(-1, *x.shape[1:])", layers=layers),
    )()


def tokens(r, shape):
    """Places as a list, and back."""
    channels, places = shape[0], len(shape) - 1
    count = int(np.prod(shape[1:]))
    sizes = ", ".join(map(str, shape[1:]))
    formula = r.of(
        "m.norm(t)", "t + m.position", "t @ m.matrix", "m.norm(t + m.position)", "F.gelu(t * m.scale)", "torch.softmax(t, 2)",
        "torch.softmax(t, 1)", "t + m.layer(m.norm(t))", "t * torch.sigmoid(m.layer(t.mean(1, keepdim=True)))", "t[:, :, :1] + t",
    )
    parts = {
        "norm": nn.LayerNorm(channels), "position": r.tensor(1, count, channels), "matrix": r.tensor(channels, channels, low=-1),
        "scale": r.tensor(channels), "layer": nn.Linear(channels, channels),
    }
    parts = {name: part for name, part in parts.items() if f"m.{name}" in formula}
    return Step(f"(lambda t: {formula})(x.flatten(2).transpose(1, 2)).transpose(1, 2).reshape(-1, {channels}, {sizes})", **parts)


def again(r, shape):
    """Results that are used several times, which must not become parts of one layer."""
    formula = r.of(
        "(lambda s: m.inner(x) * s + s)(torch.sigmoid(x))", "(lambda y: y * torch.sigmoid(y) + y)(m.inner(x))",
        "(lambda y: F.relu(y) + y)(m.inner(x))", "(lambda y: y + (2 * y - 1))(m.inner(x))", "x * torch.sigmoid(x) * torch.sigmoid(x)",
        "(lambda y: torch.cat([y, y * 2, F.relu(y)], 1))(m.inner(x))", "(lambda y: y * torch.sigmoid(m.inner(y)))(x * 0.7)",
        "(lambda y: F.relu(y + 1) - F.relu(y - 1))(m.inner(x))", "(lambda y: (y + m.inner(y)) * torch.sigmoid(y))(F.relu(x))",
        "(lambda y: y * y.sigmoid() + (0.5 - y))(-x)", "(lambda a: (lambda b: torch.cat([a, b, x], 1))(a + x))(m.inner(x))",
        "(lambda a: torch.cat([a, torch.cat([a, x], 1), torch.cat([a, x, a], 1)], 1))(m.inner(x))",
        "(lambda y: F.silu(y) * y)(m.inner(x))", "(lambda y: torch.sigmoid(y) * (y * torch.sigmoid(y)))(m.inner(x))",
        "(lambda a: m.inner(a) + F.relu(m.inner(a)))(x * 1.5 - 0.2)", "(lambda y: F.gelu(y) + F.gelu(y * 2))(m.inner(x))",
    )
    return Step(formula, **{"inner": inner(r, shape)} if "m.inner" in formula else {})


def dense_block(r, shape):
    """As DenseNet joins all results so far."""
    channels, growth = shape[0], r.whole(1, 3)
    layers = [inner(r, [channels + growth * index, *shape[1:]], growth) for index in range(3)]
    parts = {name: layer for name, layer in zip("abc", layers)}
    return Step(
        "(lambda y: (lambda z: torch.cat([x, y, z, m.c(torch.cat([x, y, z], 1))], 1))(m.b(torch.cat([x, y], 1))))(m.a(x))", **parts)


def pool_of_signs(r, shape):
    """Zeros around an image never win a maximum among values that are not negative, and may among others."""
    places = len(shape) - 1
    before = r.of(
        "F.relu(x)", "-F.relu(x)", "F.relu(x) - 0.5", "torch.sigmoid(x) * -1", "F.relu(x) * 2 + 1", "1 - torch.sigmoid(x)",
        "x.clamp(-2, -1)", "x.clamp(max=-0.5)", "F.relu6(x).transpose(1, 2).transpose(1, 2)",
        "torch.cat([F.relu(x), x], 1)", "F.relu(x) * x",
        "F.relu(x) + torch.sigmoid(x)", "torch.softmax(x, 1) - 1", "F.hardtanh(x, -3, -1)", "F.softplus(x)", "-x.clamp(min=1)",
    )
    size = r.of(2, 3, 3, 4, 5)
    pool = ranked("MaxPool", places)(size, r.of(1, 2, 2, 3), r.whole(0, size // 2 - (1 - size % 2)), ceil_mode=r.chance(0.4))
    return nn.Sequential(Step(before), pool)


def plain(r, shape):
    """What nearly every network begins with."""
    return inner(r, shape, r.whole(1, 7))


STEPS = [
    plain, plain, convolution, convolution, convolution, padded_convolution, transposed_convolution, window_pool, window_pool,
    adaptive_pool, whole_pool, batch_norm, other_norm, activation, activation, constants, residual, residual, gate, join, join, divide,
    shuffle, scaled, scaled, dense_at_places, tokens, again, again, dense_block, pool_of_signs,
]


def within_vector(r, count):
    """What treats each number of a vector by its place, which is another one where channels come last."""
    cut, other = r.whole(0, count - 1), nn.Linear(count, count)
    return r.of(
        lambda: batch_norm(r, [count, 1]), lambda: nn.LayerNorm(count), lambda: nn.PReLU(count), lambda: nn.Softmax(1),
        lambda: Step("x * m.scale + m.offset", scale=r.tensor(count), offset=r.tensor(count) - 1),
        lambda: Step("(x - m.offset) / m.scale", scale=r.tensor(1, count), offset=r.tensor(1, count)),
        lambda: Step(f"x[:, {cut}:]"), lambda: Step(f"torch.cat([x[:, {cut}:], x[:, :{cut}]], 1)"), lambda: activation(r, [count]),
        lambda: Step("x + m.other(x)", other=other), lambda: Step("x * torch.sigmoid(m.other(x))", other=other),
        lambda: Step("torch.cat([F.relu(m.other(x)), x], 1)", other=other),
        lambda: Step("(lambda a, b: torch.cat([b, a * 2], 1))(*x.chunk(2, 1))") if count > 1 else nn.Sigmoid(),
        lambda: nn.GroupNorm(r.divisor(count), count),
    )()


def vector(r, shape):
    """An image as a vector, and what comes behind it."""
    channels, places = shape[0], len(shape) - 1
    count, dims = int(np.prod(shape)), list(range(2, 2 + places))
    pooled = ranked("AdaptiveAvgPool", places)(1)
    flat = r.of_makers([
        lambda: nn.Flatten(), lambda: Step("x.flatten(1)"), lambda: Step("x.view(x.size(0), -1)"), lambda: Step(f"x.reshape(-1, {count})"),
        lambda: Step("torch.flatten(x.permute(0, 2, 3, 1), 1)" if places == 2 else "x.transpose(1, 2).flatten(1)"),
        lambda: nn.Sequential(pooled, nn.Flatten()), lambda: Step(f"x.{r.of('mean', 'amax')}({dims})"),
        lambda: Step("m.pool(x)[:, :, 0, 0]" if places == 2 else "m.pool(x)[..., 0]", pool=pooled),
        lambda: Step("m.pool(x).squeeze(-1).squeeze(-1)" if places == 2 else "m.pool(x).squeeze(2)", pool=pooled),
        lambda: Step(f"torch.cat([x.mean({dims}), x.amax({dims})], 1)"), lambda: Step("x.flatten(2).mean(2)"),
        lambda: Step("x.flatten(2).amax(2)"),
    ], [lambda: Step("x.flatten(2).max(2).values"), lambda: Step(f"x.sum({dims})")])
    middle = []
    for _ in range(r.of(0, 0, 1, 2)):
        with torch.no_grad():
            count = nn.Sequential(flat, *middle).eval()(torch.zeros(2, *shape)).shape[1]
        middle.append(within_vector(r, count))
    with torch.no_grad():
        count = nn.Sequential(flat, *middle).eval()(torch.zeros(2, *shape)).shape[1]
    units = r.whole(1, 9)
    norm = batch_norm(r, [units, 1])
    head = r.of_makers([
        lambda: nn.Linear(count, units), lambda: nn.Linear(count, units), lambda: nn.Linear(count, units, bias=False),
        lambda: Step("x @ m.matrix", matrix=r.tensor(count, units, low=-1, high=1)),
        lambda: Step("torch.matmul(x, m.matrix) + m.bias", matrix=r.tensor(count, units, low=-1, high=1), bias=r.tensor(units)),
        lambda: nn.Sequential(nn.Linear(count, 8), activation(r, [8]), nn.Dropout(), nn.Linear(8, units)),
        lambda: nn.Sequential(nn.Linear(count, units), norm, nn.Tanh()),
        lambda: nn.Sequential(
            nn.Linear(count, 12), Step(f"x.view(-1, {'3, 2, 2' if places == 2 else '3, 4'})"), same_convolution(r, 3, places, 2)),
        lambda: nn.LayerNorm(count), lambda: nn.Identity(),
    ], [
        lambda: Step("F.normalize(x)"),
        lambda: nn.Sequential(
            nn.Linear(count, 12), nn.Unflatten(1, (3, 2, 2) if places == 2 else (3, 4)), same_convolution(r, 3, places, 2)),
    ])
    end = r.of(
        nn.Identity(), nn.Identity(), nn.Softmax(1), nn.Softmax(-1), nn.Sigmoid(), nn.Tanh(),
        nn.LogSoftmax(1) if r.chance(0.2) else nn.Softmax(1), Step("x.reshape(x.shape[0], -1, 1)"))
    return nn.Sequential(flat, *middle, head, end)


def image_end(r, shape):
    """Outputs that are images or lists of vectors."""
    places = len(shape) - 1
    channels, order = shape[0], "0, 2, 3, 1" if places == 2 else "0, 2, 1"
    return r.of_makers([
        lambda: nn.Identity(), lambda: Step(f"x.permute({order}).flatten(1)"), lambda: Step(f"x.permute({order}).flatten(1)"),
        lambda: ranked("Conv", places)(channels, r.whole(1, 4), 1), lambda: nn.Softmax(1), lambda: Step(f"x.permute({order})"),
        lambda: Step("x.flatten(2).transpose(1, 2)"), lambda: Step(f"x.permute({order}).reshape(x.shape[0], -1, {channels})"),
        lambda: Step(f"torch.softmax(x.permute({order}), -1)"), lambda: Step("x[:, 0]"), lambda: Step("x[:, :1]"),
    ], [
        lambda: Step(f"F.softmax(x.flatten(1), 1).view({', '.join(['-1', *map(str, shape)])})"), lambda: Step("x.mean(1)"),
        lambda: nn.LogSoftmax(1), lambda: Step("x.argmax(1)"), lambda: Step("x.flatten(2)"),
    ])


class Draw:
    """A drawn network: steps, and what shape of a sample each takes."""

    def __init__(self, seed, number):
        self.number = number
        # Networks in which two images are told apart too little say little.
        for attempt in range(50):
            self.draw(Random(seed, number, attempt))
            if self.spread() >= comparing.LEAST_SPREAD:
                break

    def draw(self, r):
        torch.manual_seed(r.whole(0, 1 << 30))
        places = 1 if r.chance(0.12) else 2
        shape = [r.whole(1, 6), *(r.whole(5, 17) for _ in range(places))]
        if r.chance(0.4):
            shape[1:] = [shape[1]] * places
        self.is_new = self.number % NEW_EXPORTER == NEW_EXPORTER - 1
        # Which dimension of a sequence has the channels is not always clear, and so not in which order its sizes are given.
        self.is_newBatch, self.has_open_size = r.chance(0.6), places == 2 and r.chance(0.15)
        self.opset = r.of(*OPSETS)
        self.steps, self.shapes = [], [shape]
        for _ in range(r.whole(1, 6)):
            self.add(r, r.of(*STEPS))
        self.add(r, vector if r.chance(0.5) else image_end)
        self.x = torch.from_numpy(r.numbers.normal(0, 1, (2, *shape)).astype("float32"))

    def add(self, r, maker):
        """A step that PyTorch takes, in at most ten attempts."""
        shape = self.shapes[-1]
        for _ in range(10):
            try:
                with torch.no_grad():
                    step = settled(maker(r, shape), r).eval()
                    result = step(torch.zeros(2, *shape))
            except (RuntimeError, ValueError, AssertionError, IndexError, ZeroDivisionError):
                continue
            if 1 <= result[0].numel() <= LARGEST and result.dtype == torch.float32 and list(result.shape) != [2]:
                self.steps.append(step)
                self.shapes.append(list(result.shape[1:]))
                return

    def spread(self):
        try:
            with torch.no_grad():
                wanted = self.network()(self.x.clone()).numpy()
        except RuntimeError:
            # A view that the order of values in memory does not allow, which only whole networks show.
            return 0
        return comparing.spread(wanted) if np.isfinite(wanted).all() and wanted.any() else 0

    def network(self):
        return nn.Sequential(*self.steps)

    def part(self, first, last):
        """The network of some of the steps, for random values."""
        part = copy.copy(self)
        part.steps, part.shapes = self.steps[first:last], self.shapes[first:last + 1]
        part.x = torch.from_numpy(np.random.default_rng(1).normal(0, 1, (2, *part.shapes[0])).astype("float32"))
        return part

    def text(self):
        exporter = "dynamo" if self.is_new else f"opset {self.opset}"
        return f"N×{'×'.join(map(str, self.shapes[0]))}, {exporter}: {short(self.steps)}"


def short(steps):
    """Modules in one line."""
    return re.sub(r"\s*\n\s*", " ", "; ".join(str(step) for step in steps))


def settled(module, r):
    """Weights with which nothing vanishes, and biases and factors that are none of the usual ones."""
    for part in module.modules():
        if isinstance(part, (nn.modules.conv._ConvNd, nn.Linear)):
            nn.init.kaiming_normal_(part.weight, nonlinearity="linear")
    for name, parameter in module.named_parameters():
        if name.endswith("bias"):
            parameter.copy_(r.tensor(*parameter.shape, low=-0.5, high=0.5))
        elif parameter.dim() == 1 or "norm" in name:
            parameter.copy_(r.tensor(*parameter.shape, low=0.2, high=1.4))
    return module


@contextlib.contextmanager
def silence():
    """Without what is printed: the exporter writes the graph that it refuses, past Python."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def export(draw, path):
    network = draw.network().eval()
    try:
        if draw.is_new:
            shapes = ({0: torch.export.Dim("n")},) if draw.is_newBatch else None
            torch.onnx.export(
                network, (draw.x.clone(),), path, dynamo=True, external_data=False, verbose=False, dynamic_shapes=shapes)
            return
        open_axes = {0: "n"}
        if draw.has_open_size:
            open_axes |= {axis: f"size{axis}" for axis in range(2, draw.x.dim())}
        torch.onnx.export(
            network, (draw.x.clone(),), path, dynamo=False, input_names=["input"], output_names=["output"],
            dynamic_axes={"input": open_axes, "output": {0: "n"}}, opset_version=draw.opset)
    except Exception as error:
        raise NotExported(f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0][:120]}") from None


def computed(draw):
    """What PyTorch gives with twice the digits, and how far it is from that with the usual ones."""
    with torch.no_grad():
        exact = copy.deepcopy(draw.network()).double()(draw.x.double()).numpy()
        usual = draw.network()(draw.x.clone()).numpy()
    return exact, comparing.share(usual, exact)


def moved(values, isMoved):
    """Values with their channels last."""
    return np.moveaxis(values, 1, -1) if isMoved else values


def outputs(convoy, checkpoint, x, wanted, folder):
    """What the imported network gives.

    There is no loss, and so no prediction, for images: these networks are exported again, with their channels last, for onnxruntime.
    """
    if wanted.ndim == 2:
        return exchange.outputs(convoy, checkpoint, x, wanted[0].size, folder, workers=1)
    again = f"{folder}/again.onnx"
    exchange.run(convoy, "export", "onnx", checkpoint, "--to", again, "--overwrite", "--layout", "nhwc", "--input", "float")
    return onnx_fuzz.run_onnx(again, x).reshape(len(x), -1)


def check(convoy, draw, folder):
    """Compares the outputs.

    Raises Different, exchange.Failed or NotExported.
    """
    path, checkpoint = f"{folder}/model.onnx", f"{folder}/model.h5"
    with silence():
        export(draw, path)
    exact, own = computed(draw)
    x = moved(draw.x.numpy(), draw.x.dim() > 2)
    notes = exchange.run(
        convoy, "import", "onnx", path, "--to", checkpoint, "--overwrite", "--loss", "mean_squared_error",
        *(["--input", "x".join(map(str, x.shape[1:]))] if draw.has_open_size else []),
    )
    if "the network here the probabilities" in notes:
        exact = np.exp(exact)
    # The import says what it takes for channels, and where it puts them last.
    if "the model takes [N, channels" not in notes:
        x = draw.x.numpy()
    wanted = moved(exact, "with the model's first dimension, the channels, last" in notes).reshape(len(x), -1)
    off = comparing.share(outputs(convoy, checkpoint, x, exact, folder), wanted)
    # Where values nearly cancel each other, PyTorch loses digits as well.
    if off <= max(comparing.TOLERANCE, 4 * own):
        return
    theirs = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {input_name(path): draw.x.numpy()})[0]
    if comparing.share(theirs, exact) > 1e-3:
        raise NotExported("written by PyTorch as another network")
    raise Different(f"Convoy and PyTorch differ by {off:.3g}, and PyTorch with itself by {own:.1g}")


def input_name(path):
    return onnx.load(path).graph.input[0].name


def outcome(convoy, draw, folder):
    """What came of a draw: `equal`, `refused`, `not exported` or `wrong`; and why."""
    try:
        check(convoy, draw, folder)
    except NotExported as error:
        return "not exported", str(error)
    except exchange.Failed as error:
        if error.code == 65 and "\n" not in error.message and "model.onnx: " in error.message:
            return "refused", error.message.split("model.onnx: ")[-1].split("; supported are")[0]
        return "wrong", str(error)
    except Exception as error:
        return "wrong", f"{type(error).__name__}: {error}"
    return "equal", ""


def reduced(convoy, draw, folder):
    """The shortest part of the network that is wrong as well."""
    count = len(draw.steps)
    for length in range(1, count):
        for first in range(count - length + 1):
            part = draw.part(first, first + length)
            # Vectors are no input of a network of images.
            if len(part.shapes[0]) in (2, 3) and outcome(convoy, part, folder)[0] == "wrong":
                return part
    return draw


def reason(text):
    """A refusal without what is special to one node."""
    text = re.sub(r"^(the )?.*?\((\w+)\)( |: )", r"\2: ", text, count=1)
    return re.sub(r"-?\d+(\.\d+)?(×-?\d+)*", "#", text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("convoy")
    parser.add_argument("draws", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int)
    parser.add_argument("--keep")
    options = parser.parse_args()
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    # A hanging command would hold up all draws behind it.
    exchange.run.__kwdefaults__["timeout"] = LONGEST
    counts, reasons, wrong = collections.Counter(), collections.defaultdict(list), []
    for number in [options.only] if options.only is not None else range(options.draws):
        draw = Draw(options.seed, number)
        with tempfile.TemporaryDirectory() as folder:
            result, text = outcome(options.convoy, draw, folder)
            counts[result] += 1
            if result in ("refused", "not exported"):
                reasons[f"{result}: {reason(text)}"].append(number)
            if options.only is not None:
                print(f"{draw.text()}\n{result}: {text}")
            if options.keep and (result == "wrong" or options.only is not None):
                shutil.copytree(folder, f"{options.keep}/{number}", dirs_exist_ok=True)
            if result == "wrong":
                wrong.append(number)
                print(f"draw {number}: {text}\n  least: {reduced(options.convoy, draw, folder).text()}", file=sys.stderr, flush=True)
    for text, numbers in sorted(reasons.items(), key=lambda item: -len(item[1])):
        print(f"{len(numbers):4} {text} (such as {', '.join(map(str, numbers[:3]))})")
    print(f"{', '.join(f'{count} {result}' for result, count in counts.most_common())}; wrong: {wrong}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
