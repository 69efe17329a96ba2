"""What of a difference between two gradients of a VGG-like network comes from units that stand at a kink.

A ReLU whose sum is 0 to within rounding, and a pooling whose two largest inputs are equal to within rounding, hand a gradient on
or not by the last bit of that sum: two arithmetics that both round correctly then differ by the unit's whole share. Here the
network is computed in float64, such units are looked for, and the gradient is computed again with each of them decided as
the other arithmetic did. What is left is the error of rounding itself.

Needs torch and numpy. Used by Scripts/style-check.
"""

import numpy as np
import torch
import torch.nn.functional as F


class Kink:
    """A unit near its kink: a ReLU (`second` is None), or a pooling window whose second best place is `second`."""

    def __init__(self, layer, place, margin, second=None):
        self.layer, self.place, self.margin, self.second = layer, place, margin, second
        # Of its change in the difference that was explained, and the largest element of the change.
        self.share = self.effect = 0.0


class ChainInFloat64:
    """Convolutions (3×3, same, ReLU) and poolings (2×2), one after another: forward, and back from some layers' outputs."""

    def __init__(self, layers):
        """`layers`: (name, kernel [OC, IC, 3, 3], bias) or (name, None, None) for a pooling."""
        self.layers = layers
        self.names = [name for name, _, _ in layers]

    def forward(self, image):
        """`image`: [1, C, H, W]. Returns every layer's output by name; keeps what the way back needs."""
        x, found = image, {}
        self.masks, self.sums, self.windows = [], [], []
        for name, kernel, bias in self.layers:
            if kernel is not None:
                z = F.conv2d(x, kernel, bias, padding=1)
                x = z.clamp_min(0)
                self.masks.append(z > 0)
                self.sums.append(z)
                self.windows.append(None)
            else:
                n, c, h, w = x.shape
                four = x[..., : h // 2 * 2, : w // 2 * 2].reshape(n, c, h // 2, 2, w // 2, 2)
                four = four.permute(0, 1, 2, 4, 3, 5).reshape(n, c, h // 2, w // 2, 4)
                x, best = four.max(-1)
                self.masks.append(best)
                self.sums.append(None)
                self.windows.append(four)
            found[name] = x
        self.image_shape = image.shape
        return found

    def backward(self, seeds):
        """From gradients of some layers' outputs to the image's; keeps the gradient of every output."""
        self.upstream = [None] * len(self.layers)
        g = None
        for index in reversed(range(len(self.layers))):
            if self.names[index] in seeds:
                seed = seeds[self.names[index]]
                g = seed if g is None else g + seed
            if g is None:
                continue
            self.upstream[index] = g
            g = self.through(index, g, (0, 0))[0]
        return g

    def through(self, index, g, corner):
        """The gradient of a layer's input of its output's in a window with that upper left corner; and the input's corner."""
        kernel = self.layers[index][1]
        (top, left), (h, w) = corner, g.shape[-2:]
        mask = self.masks[index][..., top : top + h, left : left + w]
        if kernel is None:
            wide = torch.zeros(*g.shape, 4, dtype=g.dtype).scatter_(-1, mask[..., None], g[..., None])
            wide = wide.reshape(*g.shape, 2, 2).permute(0, 1, 2, 4, 3, 5).reshape(*g.shape[:2], 2 * h, 2 * w)
            height, width = self.sums[index - 1].shape[-2:]
            if corner == (0, 0) and (2 * h, 2 * w) != (height, width) and g.shape == self.masks[index].shape:
                wide = F.pad(wide, (0, width - 2 * w, 0, height - 2 * h))
            return wide, (2 * top, 2 * left)
        return self.before(index, g * mask, corner)

    def before(self, index, g, corner):
        """Of a convolution's sums in a window to its input."""
        full = F.conv_transpose2d(g, self.layers[index][1])
        height, width = self.masks[index].shape[-2:]
        top, left = corner[0] - 1, corner[1] - 1
        up, before = max(0, -top), max(0, -left)
        down = min(full.shape[-2], height - top)
        after = min(full.shape[-1], width - left)
        return full[..., up:down, before:after], (top + up, left + before)

    # Kinks

    def kinks(self, tolerance):
        """Units whose margin is below `tolerance` of the root mean square of their layer."""
        found = []
        for index in range(len(self.layers)):
            if self.upstream[index] is None:
                continue
            if self.sums[index] is not None:
                z = self.sums[index]
                scale = z.square().mean().sqrt()
                for place in (z.abs() < tolerance * scale).nonzero().tolist():
                    found.append(Kink(index, place, float(z[tuple(place)].abs() / scale)))
            else:
                top = self.windows[index].topk(2, -1)
                scale = self.sums[index - 1].square().mean().sqrt()
                gap = top.values[..., 0] - top.values[..., 1]
                # A window with one value above 0 hands on by that unit's ReLU alone, and one without hands nothing on.
                for place in ((gap < tolerance * scale) & (top.values[..., 1] > 0)).nonzero().tolist():
                    found.append(Kink(index, place, float(gap[tuple(place)] / scale), int(top.indices[tuple(place)][1])))
        return found

    def change(self, kink):
        """How the image's gradient changes where the kink is decided the other way: a window and its corner."""
        index, (n, c, y, x) = kink.layer, kink.place
        upstream = self.upstream[index][n, c, y, x]
        if kink.second is None:
            size = self.masks[index].shape[1]
            g = torch.zeros(1, size, 1, 1, dtype=torch.float64)
            g[0, c, 0, 0] = -upstream if self.masks[index][n, c, y, x] else upstream
            g, corner = self.before(index, g, (y, x))
        else:
            g = torch.zeros(1, self.masks[index].shape[1], 2, 2, dtype=torch.float64)
            first = int(self.masks[index][n, c, y, x])
            g[0, c, first // 2, first % 2] -= upstream
            g[0, c, kink.second // 2, kink.second % 2] += upstream
            corner = (2 * y, 2 * x)
        for layer in reversed(range(index)):
            g, corner = self.through(layer, g, corner)
        return g, corner

    def decide(self, kinks):
        """Turns kinks the other way."""
        for kink in kinks:
            place = tuple(kink.place)
            if kink.second is None:
                self.masks[kink.layer][place] = ~self.masks[kink.layer][place]
            else:
                self.masks[kink.layer][place] = kink.second


def explain(chain, seeds, found, tolerance):
    """Which kinks `found` ([1, C, H, W]) decided otherwise than float64.

    Every kink's change is fitted to the difference at once, by least squares; a share near 1 is a kink decided otherwise, near
    0 one decided the same way. Returns them, how many were tried, and the gradient in float64 with them decided so.
    """
    expected = chain.backward(seeds)
    kinks = chain.kinks(tolerance)
    changes = np.zeros((len(kinks), expected.numel()), "float32")
    view = changes.reshape(len(kinks), *expected.shape[1:])
    for row, kink in enumerate(kinks):
        g, (top, left) = chain.change(kink)
        view[row, :, top : top + g.shape[-2], left : left + g.shape[-1]] = g[0].numpy()
    matters = (changes**2).sum(1) > 0
    kinks = [kink for kink, matter in zip(kinks, matters) if matter]
    changes = changes[matters].astype("float64")
    if not kinks:
        return [], 0, expected
    difference = (found - expected).numpy().ravel()
    norms = np.sqrt((changes**2).sum(1))
    products = (changes / norms[:, None]) @ (changes / norms[:, None]).T
    shares = np.linalg.lstsq(products, (changes @ difference) / norms, rcond=1e-10)[0] / norms
    for kink, share, change in zip(kinks, shares, changes):
        kink.share, kink.effect = share, np.abs(change).max()
    turned = [kink for kink in kinks if kink.share > 0.5]
    chain.decide(turned)
    return turned, len(kinks), chain.backward(seeds)
