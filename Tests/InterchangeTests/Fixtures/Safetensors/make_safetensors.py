"""A small random network of PyTorch as safetensors, with what it computes, for the tests of reading and writing weights.

Needs torch, safetensors and h5py (made with torch 2.15, safetensors 0.8):

    python3 make_safetensors.py

`expected.h5` has `input` (channels last, uint8) and `output`.
"""

import os

import h5py
import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

folder = os.path.dirname(os.path.abspath(__file__))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, (3, 2), bias=False), nn.BatchNorm2d(6), nn.PReLU(6), nn.Conv2d(6, 6, 3, groups=6, padding=1),
            nn.ConvTranspose2d(6, 4, 2, 2))
        self.first, self.norm, self.head = nn.Linear(4 * 10 * 12, 5), nn.LayerNorm(5), nn.Linear(5, 3)

    def forward(self, x):
        x = torch.relu(self.features(x / 128 - 1))
        return self.head(self.norm(self.first(x.flatten(1))))


if __name__ == "__main__":
    torch.manual_seed(2)
    model = Net().eval()
    with torch.no_grad():
        for name, value in list(model.named_parameters()) + list(model.named_buffers()):
            if value.is_floating_point():
                value.uniform_(0.5, 1.5) if name.endswith(("running_var", "1.weight", "norm.weight")) else value.normal_(0, 0.3)
        pixels = torch.randint(0, 256, (2, 3, 7, 7), dtype=torch.uint8)
        output = model(pixels.float())
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, f"{folder}/net.safetensors")
    with h5py.File(f"{folder}/expected.h5", "w") as file:
        file["input"] = np.ascontiguousarray(pixels.permute(0, 2, 3, 1).numpy())
        file["output"] = output.numpy()
