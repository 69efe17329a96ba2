#!/usr/bin/env python3
"""What Keras (float64) makes of small images under sliding windows, for KerasWindowTests.swift: windows.json.

All numbers are small whole ones, so that every result but a mean is exact, and a window at a wrong place gives another
number. Needs keras 3 with tensorflow, and numpy; the fixture was made with keras 3.15.1 and tensorflow 2.21.0.
"""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np

keras.backend.set_floatx("float64")
layers = keras.layers


def source(shape):
    """The test writes the same: 7i mod 23 − 11 at the i-th place."""
    return (np.arange(np.prod(shape)) * 7 % 23 - 11.0).reshape(shape)


def weights(shape):
    """The test writes the same: 5i mod 13 − 6 at the i-th place."""
    return (np.arange(np.prod(shape)) * 5 % 13 - 6.0).reshape(shape)


def run(layer, shape, settings):
    inputs = keras.Input(shape[1:])
    outputs = layer(inputs)
    own = [weights(weight.shape) for weight in layer.get_weights()]
    if own:
        layer.set_weights(own)
    result = np.asarray(keras.Model(inputs, outputs)(source(shape)))
    return {
        "layer": type(layer).__name__, "input": list(shape), **settings,
        "shape": list(result.shape), "values": result.ravel().tolist(),
    }


def conv2d(shape, filters, kernel, stride=(1, 1), dilation=(1, 1), padding="valid", groups=1):
    layer = layers.Conv2D(filters, kernel, stride, padding, dilation_rate=dilation, groups=groups, use_bias=False)
    return run(layer, shape, {
        "filters": filters, "kernel": kernel, "stride": stride, "dilation": dilation, "padding": padding,
        "groups": groups})


def depthwise(shape, multiplier, kernel, stride=(1, 1), dilation=(1, 1), padding="valid"):
    layer = layers.DepthwiseConv2D(
        kernel, stride, padding, depth_multiplier=multiplier, dilation_rate=dilation, use_bias=False)
    return run(layer, shape, {
        "filters": multiplier, "kernel": kernel, "stride": stride, "dilation": dilation, "padding": padding})


def conv1d(shape, filters, kernel, stride=1, dilation=1, padding="valid", groups=1):
    layer = layers.Conv1D(filters, kernel, stride, padding, dilation_rate=dilation, groups=groups, use_bias=False)
    return run(layer, shape, {
        "filters": filters, "kernel": [kernel], "stride": [stride], "dilation": [dilation], "padding": padding,
        "groups": groups})


def transposed(shape, filters, kernel, stride=(1, 1), padding="valid"):
    layer = layers.Conv2DTranspose(filters, kernel, stride, padding, use_bias=False)
    return run(layer, shape, {"filters": filters, "kernel": kernel, "stride": stride, "padding": padding})


def pools(shape, size, stride=None, padding="valid"):
    one = len(shape) == 3
    for kind in [layers.MaxPooling1D, layers.AveragePooling1D] if one else [
            layers.MaxPooling2D, layers.AveragePooling2D]:
        layer = kind(size, stride, padding)
        own = stride or size
        yield run(layer, shape, {
            "kernel": [size] if one else size, "stride": [own] if one else own, "padding": padding})


def main():
    cases = [
        # An odd total of padding, an even kernel, extents that the stride divides and that it does not.
        conv2d((1, 4, 5, 1), 1, (2, 3), padding="same"),
        conv2d((1, 5, 6, 1), 1, (3, 3), (2, 2), padding="same"),
        conv2d((1, 6, 5, 1), 1, (4, 2), (3, 2), padding="same"),
        conv2d((1, 7, 4, 2), 1, (2, 5), (1, 3), padding="same"),
        # A stride longer than the kernel leaves pixels out.
        conv2d((1, 7, 8, 1), 1, (2, 1), (3, 4), padding="same"),
        conv2d((1, 7, 8, 1), 1, (2, 1), (3, 4)),
        conv2d((1, 6, 7, 1), 2, (3, 2), (2, 3)),
        conv2d((1, 7, 6, 1), 1, (3, 2), dilation=(2, 3)),
        conv2d((1, 5, 6, 1), 1, (2, 3), dilation=(3, 2), padding="same"),
        conv2d((1, 1, 1, 3), 2, (3, 3), padding="same"),
        conv2d((1, 3, 3, 4), 4, (2, 2), padding="same", groups=2),
        conv2d((2, 3, 2, 1), 1, (3, 3), padding="same"),
        depthwise((1, 4, 5, 2), 2, (3, 2), padding="same"),
        depthwise((1, 5, 6, 3), 1, (3, 3), (2, 2), padding="same"),
        depthwise((1, 6, 5, 2), 1, (2, 3), dilation=(2, 2)),
        conv1d((1, 7, 2), 1, 4, padding="same"),
        conv1d((1, 7, 1), 2, 3, 2, padding="same"),
        conv1d((1, 8, 1), 1, 3, 2),
        conv1d((1, 7, 1), 1, 3, padding="causal"),
        conv1d((1, 8, 2), 2, 2, dilation=3, padding="causal"),
        conv1d((1, 7, 1), 1, 4, 3, padding="causal"),
        conv1d((1, 6, 4), 2, 3, padding="causal", groups=2),
        # Kernels longer than, as long as and shorter than the stride.
        transposed((1, 3, 4, 1), 1, (3, 3), (2, 2), "same"),
        transposed((1, 3, 4, 1), 1, (3, 3), (2, 2)),
        transposed((1, 3, 2, 2), 2, (4, 3), (3, 2), "same"),
        transposed((1, 3, 2, 2), 1, (4, 2), (1, 2)),
        transposed((1, 2, 3, 1), 1, (2, 1), (3, 2), "same"),
        transposed((1, 2, 3, 1), 1, (2, 1), (3, 2)),
        *pools((1, 4, 5, 1), (2, 2), padding="same"),
        *pools((1, 5, 6, 2), (3, 2), (2, 1), "same"),
        *pools((1, 6, 7, 1), (2, 3), (3, 2), "same"),
        *pools((1, 5, 5, 1), (2, 3), (3, 1)),
        *pools((1, 7, 2), 2, padding="same"),
        *pools((1, 7, 1), 3, 2, "same"),
        *pools((1, 8, 1), 3, 2),
    ]
    for case in cases:
        # Only means have fractions.
        case["values"] = [int(value) if value == int(value) else value for value in case["values"]]
    with open(os.path.join(os.path.dirname(__file__), "windows.json"), "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    print(len(cases), "cases")


main()
