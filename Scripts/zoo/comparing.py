"""When two programs' outputs of a network count as equal, and images that tell networks apart."""

import numpy as np

# Two networks are equal if no output differs by more than this share of the largest output.
TOLERANCE = 1e-5

# The least difference between the outputs for two images, as such a share: below it the outputs say little of the network.
LEAST_SPREAD = 0.05

# What running variances are multiplied by, the largest with which the outputs still depend on the image.
FACTORS = (2, 1.8, 1.6, 1.5, 1.4, 1.35, 1.3, 1.25, 1.2, 1.15, 1.1, 1.05, 1)


def pictures(count, size, rng):
    """Images of some coloured squares and noise: noise alone is the same everywhere to a deep network, which then magnifies rounding."""
    squares = rng.uniform(20, 235, (count, 4, 4, 3)).repeat(size // 4 + 1, 1).repeat(size // 4 + 1, 2)
    return (squares[:, :size, :size] + rng.uniform(-20, 20, (count, size, size, 3))).astype("float32")


def share(found, wanted):
    """The largest difference, as a share of the largest value wanted."""
    found, wanted = np.asarray(found, "float64"), np.asarray(wanted, "float64")
    if found.shape != wanted.shape or not np.isfinite(found).all():
        return float("inf")
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())


def spread(outputs):
    """How far apart the outputs for two images are, as a share of the largest."""
    return share(outputs[:1], outputs[1:])


def verdict(off, spread):
    """What came of a comparison, in words, and whether it is as it should be."""
    result = f"equal within {off:.1e}" if off <= TOLERANCE else f"DIFFERS by {off:.1e}"
    if not spread >= LEAST_SPREAD:
        result += f", but the two images give nearly the same ({spread:.1e})"
    return result, off <= TOLERANCE and spread >= LEAST_SPREAD
