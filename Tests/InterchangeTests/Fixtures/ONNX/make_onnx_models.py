"""Small networks of PyTorch and Keras with random weights, exported to ONNX, with what they compute, for the import's tests.

Needs torch, onnx, onnxscript, onnxruntime and h5py (made with torch 2.15, onnx 1.23, onnxscript 0.7, onnxruntime 1.32), and for those
of Keras tf2onnx and keras with tensorflow (1.17, 3.15, 2.21):

    python3 make_onnx_models.py [NAME …]

Each `NAME.onnx` takes pixels from 0 to 255. `expected.h5` has `NAME/input` (channels last, uint8) and `NAME/output` (channels last).
`external.onnx` is `vgg-dynamo.onnx` with its weights in `external.bin`, as PyTorch's exporter leaves large ones by default.
"""

import os
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py
import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn
from torch.nn import functional as F

folder = os.path.dirname(os.path.abspath(__file__))


def conv(inputs, outputs, size=3, stride=1, groups=1, act=nn.ReLU):
    parts = [
        nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False), nn.BatchNorm2d(outputs)]
    return nn.Sequential(*parts, act()) if act else nn.Sequential(*parts)


class Pixels(nn.Module):
    """Pixels by the means and deviations of ImageNet, before a network."""

    def __init__(self, body):
        super().__init__()
        self.body = body
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))

    def forward(self, x):
        return self.body((x / 255 - self.mean) / self.deviation)


class Bottleneck(nn.Module):
    def __init__(self, inputs, width, outputs, stride):
        super().__init__()
        self.body = nn.Sequential(
            conv(inputs, width, 1), conv(width, width, 3, stride), conv(width, outputs, 1, act=None))
        self.shortcut = conv(inputs, outputs, 1, stride, act=None) if stride > 1 or inputs != outputs else nn.Identity()

    def forward(self, x):
        return torch.relu(self.body(x) + self.shortcut(x))


def resnet():
    return Pixels(nn.Sequential(
        conv(3, 8, 7, 2), nn.MaxPool2d(3, 2, 1), Bottleneck(8, 4, 12, 1), Bottleneck(12, 4, 12, 1),
        Bottleneck(12, 6, 16, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 7)))


def group_norms():
    return Pixels(nn.Sequential(
        nn.Conv2d(3, 12, 3, padding=1), nn.GroupNorm(3, 12), nn.ReLU(), nn.Conv2d(12, 8, 3, 2), nn.GroupNorm(1, 8), nn.SiLU(),
        nn.Conv2d(8, 6, 3), nn.InstanceNorm2d(6, affine=True), nn.ReLU(), nn.Conv2d(6, 5, 3), nn.InstanceNorm2d(5),
        nn.Flatten(), nn.Linear(5 * 2 * 3, 4)))


def vgg():
    return Pixels(nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2, 2), nn.Conv2d(6, 8, 3, padding=1), nn.BatchNorm2d(8),
        nn.ReLU(), nn.MaxPool2d(2, 2, ceil_mode=True), nn.Flatten(), nn.Linear(8 * 3 * 4, 10), nn.ReLU(), nn.Dropout(),
        nn.BatchNorm1d(10), nn.Linear(10, 5), nn.Softmax(1)))


class Inverted(nn.Module):
    """MobileNet's block: wider, each channel alone, narrower; with gates for the channels where `gate` is given."""

    def __init__(self, inputs, outputs, stride, act, gate=None, size=3):
        super().__init__()
        wide = inputs * 3
        self.expand = conv(inputs, wide, 1, act=act)
        self.depth = conv(wide, wide, size, stride, groups=wide, act=act)
        self.gate = gate and nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(wide, 4, 1), nn.SiLU() if gate is nn.Sigmoid else nn.ReLU(), nn.Conv2d(4, wide, 1), gate())
        self.project = conv(wide, outputs, 1, act=None)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x):
        y = self.depth(self.expand(x))
        if self.gate:
            y = y * self.gate(y)
        y = self.project(y)
        return x + y if self.adds else y


def mobile(act, gate):
    return Pixels(nn.Sequential(
        conv(3, 6, 3, 2, act=act), Inverted(6, 6, 1, act, gate), Inverted(6, 8, 2, act, gate, 5), conv(8, 16, 1, act=act),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(16, 6)))


class Dense(nn.Module):
    def __init__(self, inputs, growth):
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(inputs), nn.ReLU(), nn.Conv2d(inputs, 8, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
            nn.Conv2d(8, growth, 3, padding=1, bias=False))

    def forward(self, x):
        return torch.cat([x, self.body(x)], 1)


def densenet():
    return Pixels(nn.Sequential(
        conv(3, 6), Dense(6, 4), Dense(10, 4), nn.BatchNorm2d(14), nn.ReLU(), nn.Conv2d(14, 7, 1), nn.AvgPool2d(2, 2), Dense(7, 4),
        nn.BatchNorm2d(11), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(11, 4)))


class LayerNorm2d(nn.LayerNorm):
    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Next(nn.Module):
    """ConvNeXt's block, in which channels come last for a while."""

    def __init__(self, width):
        super().__init__()
        self.depth = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm, self.wide, self.narrow = nn.LayerNorm(width, 1e-6), nn.Linear(width, 3 * width), nn.Linear(3 * width, width)
        self.scale = nn.Parameter(torch.ones(width, 1, 1) * 0.3)

    def forward(self, x):
        y = self.depth(x).permute(0, 2, 3, 1)
        y = self.narrow(F.gelu(self.wide(self.norm(y)))).permute(0, 3, 1, 2)
        return x + self.scale * y


def convnext():
    return Pixels(nn.Sequential(
        nn.Conv2d(3, 8, 4, 4), LayerNorm2d(8), Next(8), LayerNorm2d(8), nn.Conv2d(8, 12, 2, 2), Next(12),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(12), nn.Linear(12, 5)))


class UNet(nn.Module):
    """Three sizes of images, enlarged in three ways; gives an image."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.third = conv(3, 6), conv(6, 8), conv(8, 10)
        self.up = nn.ConvTranspose2d(10, 8, 2, 2)
        self.widened = nn.ConvTranspose2d(8, 6, 3, 2, 1, output_padding=1)
        self.left, self.right, self.end = conv(16, 8), conv(12, 6), nn.Conv2d(6, 2, 1)

    def forward(self, x):
        a = self.first(x / 255)
        b = self.second(F.max_pool2d(a, 2))
        c = self.third(F.max_pool2d(b, 2))
        d = self.left(torch.cat([self.up(c), b], 1))
        e = self.right(torch.cat([self.widened(d), a], 1))
        return torch.sigmoid(self.end(e))


class Upsampled(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.end = conv(3, 4), conv(4, 4, act=nn.LeakyReLU), nn.Conv2d(8, 2, 3, padding=1)

    def forward(self, x):
        x = self.first(x / 128 - 1)
        a = F.interpolate(x, scale_factor=2, mode="nearest")
        b = F.interpolate(self.second(x), scale_factor=2, mode="bilinear", align_corners=False)
        return torch.tanh(self.end(torch.cat([a, b], 1)))[:, :, 1:-1, 2:]


class Shuffled(nn.Module):
    """ShuffleNet's halves and order of channels, and channels that are padded as in ResNet's plainest shortcut."""

    def __init__(self):
        super().__init__()
        self.first, self.part, self.end = conv(3, 8, 3, 2), conv(4, 4, groups=4), nn.Linear(12, 3)

    def forward(self, x):
        x = self.first(x / 255)
        a, b = x.chunk(2, 1)
        x = torch.cat([a, self.part(b)], 1)
        n, c, h, w = x.shape
        x = x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)
        x = F.pad(x, (0, 1, 1, 0, 2, 2))
        return self.end(x.amax((2, 3)))


class Functions(nn.Module):
    """Functions that are made of several layers."""

    def forward(self, x):
        x = x / 64 - 2
        x = torch.cat([F.selu(x), F.hardtanh(x, -0.5, 0.8), F.mish(x), F.elu(x, 0.7)], 1)
        x = torch.cat([x, F.hardswish(x), F.hardsigmoid(x), torch.clamp(x, max=0.3), F.softplus(x)], 1)
        return (1 - x) * x + x.square()


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(256, 6)
        self.convs = nn.ModuleList([nn.Conv1d(6, 5, size) for size in (2, 3)])
        self.slope, self.end = nn.PReLU(10), nn.Linear(10, 3)

    def forward(self, x):
        x = self.words(x.long()).transpose(1, 2)
        x = torch.cat([F.relu(conv(x)).amax(2) for conv in self.convs], 1)
        return self.end(self.slope(x - 0.5))


def randomised(model, seed=3):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in list(model.named_parameters()) + list(model.named_buffers()):
            if name.endswith("running_var") or (name.endswith("weight") and value.dim() == 1):
                value.uniform_(0.5, 1.5, generator=generator)
            elif name.endswith(("weight", "bias", "running_mean")):
                value.normal_(0, 0.3 if value.dim() < 2 else value[0].numel() ** -0.5, generator=generator)
    return model.eval()


NETWORKS = {
    "resnet": (resnet, (21, 19, 3)),
    "vgg": (vgg, (12, 14, 3)),
    "mobilenet-v2": (lambda: mobile(nn.ReLU6, None), (16, 16, 3)),
    "mobilenet-v3": (lambda: mobile(nn.Hardswish, nn.Hardsigmoid), (16, 17, 3)),
    "efficientnet": (lambda: mobile(nn.SiLU, nn.Sigmoid), (18, 16, 3)),
    "densenet": (densenet, (12, 13, 3)),
    "convnext": (convnext, (16, 24, 3)),
    "unet": (UNet, (12, 16, 3)),
    "upsampled": (Upsampled, (7, 9, 3)),
    "shuffled": (Shuffled, (9, 11, 3)),
    "functions": (Functions, (5, 6, 3)),
    "words": (Words, (11,)),
    "group-norms": (group_norms, (13, 15, 3)),
}


def stripped(model):
    """Without what the exporter says of its own program."""
    model.graph.doc_string = model.doc_string = ""
    del model.metadata_props[:], model.graph.metadata_props[:]
    for part in list(model.graph.node) + list(model.graph.value_info) + list(model.graph.input) + list(model.graph.output) + list(model.graph.initializer):
        part.doc_string = ""
        del part.metadata_props[:]
    return model


def save(name, model, x, output):
    """The model checked against onnxruntime, and what it computes."""
    onnx.checker.check_model(model, full_check=True)
    path = os.path.join(folder, f"{name}.onnx")
    onnx.save(stripped(model), path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    channels_first = [value.name for value in session.get_inputs()]
    theirs = session.run(None, {channels_first[0]: x})[0]
    assert np.abs(theirs - output).max() < 1e-4 * max(1, np.abs(output).max()), name
    return path


def torch_network(name, file):
    for exporter, opset in [("dynamo", None), ("torchscript", 13 if name == "convnext" else 17)]:
        make, shape = NETWORKS[name]
        model = randomised(make())
        rng = np.random.default_rng(5)
        pixels = rng.integers(0, 256, (1,) + shape).astype("uint8")
        x = torch.from_numpy(np.ascontiguousarray(np.moveaxis(pixels, -1, 1) if len(shape) > 1 else pixels).astype("float32"))
        with torch.no_grad():
            y = model(x).numpy()
        with tempfile.TemporaryDirectory() as place:
            path = f"{place}/model.onnx"
            if exporter == "dynamo":
                torch.onnx.export(model, (x,), path, dynamo=True, external_data=False, verbose=False)
            else:
                torch.onnx.export(
                    model, (x,), path, dynamo=False, opset_version=opset, input_names=["x"], output_names=["y"],
                    dynamic_axes={"x": {0: "n"}, "y": {0: "n"}})
            save(f"{name}-{exporter}", onnx.load(path), x.numpy(), y)
        group = file.require_group(f"{name}-{exporter}")
        for key, value in [("input", pixels), ("output", np.moveaxis(y, 1, -1) if y.ndim > 2 else y)]:
            if key in group:
                del group[key]
            group[key] = np.ascontiguousarray(value)


def keras_network(name, file):
    import keras
    import tf2onnx

    L = keras.layers
    keras.utils.set_random_seed(4)
    i = x = keras.Input((14, 15, 3))
    x = L.Rescaling(1 / 127.5, offset=-1)(x)
    x = L.Conv2D(6, 3, 2, "same", use_bias=False)(x)
    x = L.BatchNormalization()(x)
    y = x = L.ReLU(max_value=6)(x)
    x = L.DepthwiseConv2D(3, padding="same", activation="relu")(x)
    g = L.GlobalAveragePooling2D(keepdims=True)(x)
    g = L.Conv2D(6, 1, activation="sigmoid")(g)
    x = L.Add()([L.Multiply()([x, g]), y])
    x = L.MaxPooling2D(3, 2, "same")(x)
    x = L.SeparableConv2D(8, 3, padding="same", activation="silu")(x)
    x = L.Concatenate()([x, L.AveragePooling2D(3, 1, "same")(x)])
    x = L.Conv2DTranspose(5, 3, 2, "same")(x)
    x = L.LeakyReLU()(x)
    x = L.Flatten()(x)
    x = L.Dense(9, "tanh")(x)
    model = keras.Model(i, L.Dense(4, "softmax")(x))
    for layer in model.layers:
        if isinstance(layer, L.BatchNormalization):
            rng = np.random.default_rng(6)
            layer.set_weights([rng.uniform(0.5, 1.5, weight.shape) for weight in layer.weights])
    pixels = np.random.default_rng(5).integers(0, 256, (2, 14, 15, 3)).astype("uint8")
    output = model.predict(pixels.astype("float32"), verbose=0)
    with tempfile.TemporaryDirectory() as place:
        tf2onnx.convert.from_keras(model, output_path=f"{place}/model.onnx", opset=15)
        save(name, onnx.load(f"{place}/model.onnx"), pixels.astype("float32"), output)
    group = file.require_group(name)
    for key, value in [("input", pixels), ("output", output)]:
        if key in group:
            del group[key]
        group[key] = value


def external():
    """A network's weights in a file beside it; onnxruntime reads it as before."""
    model = onnx.load(os.path.join(folder, "vgg-dynamo.onnx"))
    path = os.path.join(folder, "external.onnx")
    data = os.path.join(folder, "external.bin")
    if os.path.exists(data):
        os.remove(data)  # It would be appended to.
    onnx.save_model(model, path, save_as_external_data=True, location="external.bin", size_threshold=60)
    os.chmod(data, 0o644)
    onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


if __name__ == "__main__":
    with h5py.File(os.path.join(folder, "expected.h5"), "a") as file:
        for name in sys.argv[1:] or list(NETWORKS) + ["keras-tf2onnx", "external"]:
            if name == "external":
                external()
            else:
                keras_network(name, file) if name.startswith("keras") else torch_network(name, file)
            print(name, flush=True)
