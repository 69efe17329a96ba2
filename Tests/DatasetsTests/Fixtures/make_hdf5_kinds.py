"""Makes kinds.h5, its neighbours and packed.h5 in this folder: what h5py writes besides plain arrays of bytes.

    pip install numpy h5py hdf5plugin
    python make_hdf5_kinds.py

Made with h5py 3.14.0, HDF5 1.14.6, numpy 2.4.6, hdf5plugin 7.1.0. The pixels follow a formula that `Helpers.swift` repeats.
"""

import os
import pathlib

import h5py
import hdf5plugin
import numpy as np

os.chdir(pathlib.Path(__file__).parent)
N, H, W, C = 13, 4, 5, 3
n, h, w, c = np.meshgrid(np.arange(N), np.arange(H), np.arange(W), np.arange(C), indexing="ij")
pixels = (n * 131 + h * 17 + w * 5 + c * 3 + n * n % 7) % 256
labels = np.arange(N) * 7 % 4
bytes_ = pixels.astype("u1")
floats = (pixels / 8 - 3).astype("<f4")
words = np.array(["zèbre", "ant", "bee", "cat"], dtype=object)[labels]
text = h5py.string_dtype()


def bits(f, name, values):
    """As PyTables has truth values: a bit field of 8 bits."""
    space = h5py.h5s.create_simple(values.shape)
    group, _, leaf = name.rpartition("/")
    parent = f.require_group(group) if group else f
    dataset = h5py.h5d.create(parent.id, leaf.encode(), h5py.h5t.STD_B8LE, space)
    dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, values.astype("u1"), mtype=h5py.h5t.NATIVE_B8)


with h5py.File("kinds-part.h5", "w", libver="v110") as f:
    f["second"] = bytes_[6:]

with h5py.File("kinds.h5", "w", libver="v110") as f:
    f["images"] = bytes_
    f["labels"] = labels.astype("u1")

    f["bool/images"] = bytes_ > 100
    f.create_dataset("bool/images-gzip", data=bytes_ > 100, chunks=(4, 2, 3, 2), compression="gzip", shuffle=True)
    f["bool/labels"] = labels > 1
    f["bool/targets"] = np.eye(4, dtype=bool)[labels]
    f["bool/weights"] = labels > 0
    bits(f, "bits/images", bytes_ > 100)
    bits(f, "bits/labels", labels > 1)
    bits(f, "bits/targets", np.eye(4, dtype=bool)[labels])
    kinds = h5py.enum_dtype({"cat": 2, "ant": 0, "bee": 1, "dog": 3}, basetype="<i2")
    f.create_dataset("enum/labels", data=labels.astype("<i2"), dtype=kinds)
    f["float/labels"] = labels.astype("<f8")
    f["float/broken"] = labels + 0.5

    f.create_dataset("lzf/images", data=bytes_, chunks=(4, 2, 3, 2), compression="lzf")
    f.create_dataset("lzf/floats", data=floats, chunks=(6, H, W, C), compression="lzf", shuffle=True)
    f.create_dataset("lzf/zeros", data=np.zeros((N, H, W, C), "u1"), chunks=(N, H, W, C), compression="lzf")
    f.create_dataset("lzf/labels", data=labels, chunks=(5,), compression="lzf")
    f.create_dataset("scaled/labels", data=labels, chunks=(5,), scaleoffset=0)

    def virtual(name, *parts):
        layout = h5py.VirtualLayout(shape=(N, H, W, C), dtype="u1")
        for rows, file, source, shape in parts:
            layout[rows] = h5py.VirtualSource(file, source, shape=shape)
        f.create_virtual_dataset(name, layout)

    first, second = (slice(0, 6), ".", "first", (6, H, W, C)), (slice(6, N), "kinds-part.h5", "second", (N - 6, H, W, C))
    f["first"] = bytes_[:6]
    virtual("virtual/own", (slice(0, N), ".", "images", bytes_.shape))
    virtual("virtual/other", first, second)
    virtual("virtual/deep", (slice(0, N), ".", "virtual/other", bytes_.shape))
    virtual("virtual/part", first)
    virtual("virtual/no-file", first, (slice(6, N), "nowhere.h5", "second", (N - 6, H, W, C)))
    virtual("virtual/no-dataset", first, (slice(6, N), "kinds-part.h5", "third", (N - 6, H, W, C)))
    virtual("virtual/above", first, (slice(6, N), "../Fixtures/../../kinds.h5", "second", (N - 6, H, W, C)))
    virtual("virtual/outside", first, (slice(6, N), "/etc/passwd", "second", (N - 6, H, W, C)))
    virtual("virtual/circle", (slice(0, N), ".", "virtual/circle", bytes_.shape))

    f.create_dataset("words/variable", data=words, dtype=text)
    f["words/fixed"] = np.array([word.encode() for word in words])
    f["words/column"] = np.array([[word.encode()] for word in words])
    f["words/latin1"] = np.array([word.encode("latin-1") for word in words])
    f.create_dataset("words/names", data=["ant", "bee", "cat", "zèbre"], dtype=text)
    f["from-1/labels"] = labels + 1
    f["from-1/far"] = np.where(labels > 1, np.iinfo("i8").max, labels)
    f["from-1/signs"] = np.where(labels > 1, 1, -1)
    f["one-hot/labels"] = np.eye(4, dtype="f4")[labels]
    f["one-hot/labels"].attrs["class_names"] = ["a", "b", "c", "d"]
    f["one-hot/columns"] = np.eye(4, dtype="f8")[labels].T.copy()
    f["one-hot/broken"] = np.eye(4)[labels] * np.where(np.arange(N) == 5, 0.5, 1)[:, None]
    f["axes/nchw"] = bytes_.transpose(0, 3, 1, 2)
    f["axes/ncwh"] = floats.transpose(0, 3, 2, 1)
    f["axes/hwcn"] = bytes_.transpose(1, 2, 3, 0)
    f["axes/hwn"] = bytes_[..., 0].transpose(1, 2, 0)
    f["axes/ncl"] = floats[:, :, :, 0].transpose(0, 2, 1)
    f["axes/fn"] = floats.reshape(N, -1).T.copy()
    f["axes/row"] = (labels + 1)[None].astype("f8")
    f["rows/even"] = np.arange(0, N, 2)[::-1].copy()
    f["rows/mask"] = np.arange(N) % 2 == 0
    f["wide"] = floats.astype("f8") * 1e300
    f["pairs"] = np.stack([labels, -labels], axis=1).astype("f4")
    f["pairs"].attrs["target_names"] = ["up", "down"]

with h5py.File("packed.h5", "w", libver="v110") as f:
    f["labels"] = labels.astype("u1")
    for name, packing in [
        ("bitshuffle", hdf5plugin.Bitshuffle()),
        ("blosc", hdf5plugin.Blosc()),
        ("zstandard", hdf5plugin.Zstd()),
        ("lz4", hdf5plugin.LZ4()),
    ]:
        f.create_dataset(name, data=bytes_, chunks=(6, H, W, C), **packing)

with h5py.File("circle.h5", "w", libver="v110") as f:
    f["images"] = bytes_
    f["labels"] = labels.astype("u1")
    inner = f.create_group("a/b")
    inner["data"] = np.arange(3)
    for name in ["c", "d", "e"]:
        inner[name] = f["a"]
        f["a"][name] = f["/"]

with h5py.File("bombs.h5", "w", libver="v110") as f:
    f["labels"] = labels.astype("u1")
    f["images"] = bytes_
    # A few kilobytes that claim gigabytes and more.
    f.create_dataset("unwritten", shape=(1 << 30, 64), dtype="u1", chunks=(1 << 10, 64))
    layout = h5py.VirtualLayout(shape=(1 << 30, 64), dtype="u1")
    layout[:] = h5py.VirtualSource(".", "unwritten", shape=(1 << 30, 64))
    f.create_virtual_dataset("virtual", layout)
    f["one"] = np.zeros((1, 256), "u1")
    layout = h5py.VirtualLayout(shape=(64, 256), dtype="u1")
    for row in range(64):
        layout[row] = h5py.VirtualSource(".", "one", shape=(1, 256))[0]
    f.create_virtual_dataset("repeated", layout)
    f.create_dataset("chunk", shape=(13, 4, 5, 3), dtype="u1", chunks=(1 << 14, 1 << 9, 1 << 8, 1), maxshape=(None,) * 4)
    f.create_dataset("chunk-labels", shape=(13,), dtype="u1", chunks=((1 << 32) - 1,), maxshape=(None,))

with h5py.File("enumeration.h5", "w", libver="v110") as f:
    # Names for numbers that do not count from 0, and stand in another order than these.
    kind = h5py.enum_dtype({"eel": 12, "cat": 2, "dog": 7}, basetype="u1")
    f["images"] = np.arange(6 * 2 * 2, dtype="u1").reshape(6, 2, 2)
    f.create_dataset("labels", data=np.array([7, 2, 12, 2, 7, 12], "u1"), dtype=kind)

# Labels of one length: far more bytes than the file has, and with zero bytes inside.
with h5py.File("one-length.h5", "w", libver="v110") as f:
    words = np.array([b"a", b"b", b"c"], "S400")[np.arange(200000) % 3]
    f.create_dataset("many/x", data=np.zeros((200000, 1, 1, 1), "u1"), chunks=(200000, 1, 1, 1), compression="gzip")
    f.create_dataset("many/y", data=words, chunks=(50000,), compression="gzip", compression_opts=9)
    f["zeros/x"] = np.zeros((3, 2, 2, 1), "u1")
    f["zeros/y"] = np.array([b"a\0b", b"a\0c", b"a"])
