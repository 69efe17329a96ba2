"""PyTorch: eager, channels-last, or compiled by Inductor (channels-last). Package: torch; compiling needs a C++ compiler."""
import torch
from torch.nn import functional as F

from measuring import serve
from networks import NETWORKS
from pytorch_model import model


def build(name, precision, mode):
    layers, shape, classes, batch = NETWORKS[name]
    torch.manual_seed(0)
    network = model(layers, shape)
    height, width, channels = shape
    pixels = torch.rand(batch, channels, height, width)
    labels = torch.randint(0, classes, (batch,))
    if mode != "eager":
        network = network.to(memory_format=torch.channels_last)
        pixels = pixels.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9, foreach=True)

    def loss(pixels, labels):
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            return F.cross_entropy(network(pixels), labels)

    if mode == "compiled":
        loss = torch.compile(loss)

    def step():
        optimizer.zero_grad(set_to_none=True)
        value = loss(pixels, labels)
        value.backward()
        optimizer.step()
        return value.item()

    return step


serve(f"PyTorch {torch.__version__}", build)
