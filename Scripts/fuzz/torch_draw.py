"""Draws networks in PyTorch from a seed, for torch_fuzz.py."""

import copy
import os
import re
import sys

import numpy as np
import torch
from torch import nn

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "zoo"))
import comparing
from torch_steps import STEPS, Random, image_end, vector

OPSETS = [11, 12, 13, 14, 15, 16, 17, 18, 19, 20]

# As many numbers as the result of a step may have.
LARGEST = 6000

# Of how many draws one goes through the newer exporter, which takes seconds.
NEW_EXPORTER = 10


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
        self.has_open_count, self.has_open_size = r.chance(0.6), places == 2 and r.chance(0.15)
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
