"""Writes arrays.npz and arrays-deflated.npz for ImporterTests.swift. Needs numpy."""

import pathlib

import numpy

here = pathlib.Path(__file__).parent
arrays = {
    "x_train": (numpy.arange(84) * 3 % 251).astype(numpy.uint8).reshape(7, 3, 4),
    "y_train": (numpy.arange(7) % 4).astype(numpy.int64),
    "x_test": (255 - numpy.arange(24)).astype(numpy.uint8).reshape(2, 3, 4),
    "y_test": numpy.array([[1], [3]], dtype=numpy.uint8),
}
numpy.savez(here / "arrays.npz", **arrays)
numpy.savez_compressed(here / "arrays-deflated.npz", **arrays)
