"""Steps of networks that torch_draw.py draws: each maker takes what draws and the shape of a sample, and gives a module of PyTorch."""

import copy

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


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
