"""Makes the files of this folder: datasets as h5py writes them, sound and unsound.

    pip install numpy h5py
    python make_fixtures.py

Made with h5py 3.16.0, HDF5 2.0.0, numpy 2.4.6. The pixels follow a formula that `Helpers.swift` repeats.
"""

import pathlib

import h5py
import numpy as np

folder = pathlib.Path(__file__).parent
N, H, W, C = 13, 4, 5, 3
n, h, w, c = np.meshgrid(np.arange(N), np.arange(H), np.arange(W), np.arange(C), indexing="ij")
pixels = (n * 131 + h * 17 + w * 5 + c * 3 + n * n % 7) % 256
labels = np.arange(N) * 7 % 4
bytes_ = pixels.astype("u1")
floats = (pixels / 8 - 3).astype("<f4")


def put(f, name, images, labels=labels.astype("u1"), **storage):
    f.create_dataset(f"{name}/images", data=images, **storage)
    return f.create_dataset(f"{name}/labels", data=labels)


def some_layouts(f):
    put(f, "contiguous", bytes_)
    put(f, "chunked-rows", bytes_, chunks=(6, H, W, C))
    put(f, "chunked-single", bytes_, chunks=(1, H, W, C))
    put(f, "gzip-odd", bytes_, chunks=(4, 2, 3, 2), compression="gzip")
    put(f, "gzip-shuffle", bytes_, chunks=(6, H, W, C), compression="gzip", shuffle=True)


def all_layouts(f):
    some_layouts(f)
    put(f, "chunked-odd", bytes_, chunks=(4, 2, 3, 2))
    put(f, "chunked-channels", bytes_, chunks=(5, 3, 4, C))
    put(f, "chunked-larger", bytes_, chunks=(50, 8, 8, 3), maxshape=(None, None, None, None))
    put(f, "gzip", bytes_, chunks=(6, H, W, C), compression="gzip")
    put(f, "checksum", bytes_, chunks=(6, H, W, C), fletcher32=True)
    put(f, "float32", floats)
    put(f, "float32-gzip-shuffle", floats, chunks=(6, H, W, C), compression="gzip", shuffle=True)
    put(f, "float32-gzip-shuffle-odd", floats, chunks=(4, 2, 3, 2), compression="gzip", shuffle=True)
    put(f, "float32-big", floats.astype(">f4"), chunks=(6, H, 3, C), compression="gzip")
    put(f, "float64", floats.astype("<f8"))
    put(f, "float16", floats.astype("<f2"), chunks=(6, H, W, C))
    put(f, "int16", (pixels - 100).astype("<i2"), chunks=(7, H, W, C))
    put(f, "uint16-big", pixels.astype(">u2"))
    put(f, "int64", (pixels - 100).astype("<i8"))
    put(f, "rank3", bytes_[..., 0], labels.astype("<i8").reshape(N, 1))
    put(f, "rank3-gzip", bytes_[..., 0], labels.astype(">i4"), chunks=(4, 2, 3), compression="gzip")
    # Only the first eight samples are ever written: the others have the fill value.
    partial = f.create_dataset("partial/images", shape=(N, H, W, C), dtype="u1", chunks=(5, H, W, C), fillvalue=9)
    partial[:8] = bytes_[:8]
    f.create_dataset("partial/labels", data=labels.astype("u8"))


for name, layouts, options in [
    # The newer format is smaller; h5py writes the older one unless told otherwise.
    ("layouts.h5", all_layouts, {"libver": "v110"}),
    ("layouts-old-format.h5", some_layouts, {}),
    ("layouts-user-block.h5", some_layouts, {"userblock_size": 512}),
]:
    with h5py.File(folder / name, "w", **options) as f:
        layouts(f)

names = ["zero", "one", "zwei", "три"]
with h5py.File(folder / "class-names.h5", "w", libver="v110") as f:
    put(f, "on-labels", bytes_).attrs["class_names"] = names
    put(f, "on-images", bytes_)
    f["on-images/images"].attrs["class_names"] = np.array([b"a", b"bb", b"ccc", b"d"])
    put(f, "on-group", bytes_)
    f["on-group"].attrs["class_names"] = names
    put(f, "on-file", bytes_)
    f.attrs["class_names"] = names[::-1]
    f["soft/images"] = h5py.SoftLink("/on-group/images")
    f["soft/labels"] = h5py.SoftLink("/on-group/labels")

with h5py.File(folder / "unsound.h5", "w", libver="v110") as f:
    put(f, "rank2", bytes_[:, 0, 0])
    put(f, "rank5", bytes_[..., None])
    put(f, "short-labels", bytes_, labels[:-1].astype("u1"))
    put(f, "wide-labels", bytes_, np.zeros((N, 2), "u1"))
    put(f, "float-labels", bytes_, labels.astype("f4"))
    put(f, "negative-label", bytes_, np.where(np.arange(N) == 5, -1, labels).astype("i1"))
    put(f, "large-label", bytes_, np.where(np.arange(N) == 6, 1 << 40, labels).astype("i8"))
    put(f, "label-outside", bytes_).attrs["class_names"] = names[:3]
    put(f, "no-samples", bytes_[:0], labels[:0].astype("u1"))
    put(f, "no-pixels", bytes_[:, :0])
    put(f, "text-images", np.full((N, H, W), b"x"))
    put(f, "bool-images", bytes_ > 100)
    for name, value in [("nan", np.nan), ("infinite", -np.inf)]:
        bad = floats.copy()
        bad[9, 3, 4, 2] = value
        bad[11] = value
        put(f, name, bad)
        put(f, f"{name}-gzip", bad, chunks=(6, H, W, C), compression="gzip")
        put(f, f"{name}-float64", bad.astype("f8"))
    put(f, "beyond-float32", floats.astype("f8") * 1e300)
    f.create_dataset("huge/images", shape=(1 << 20, 1 << 10, 1 << 10, 1), dtype="u1", chunks=(1, 64, 64, 1))
    f.create_dataset("huge/labels", shape=(1 << 20,), dtype="u1", chunks=(1024,))
    f.create_dataset("overflow/images", shape=(1 << 31, 1 << 20, 1 << 12, 1), dtype="u1", chunks=(1, 64, 64, 1))
    f.create_dataset("overflow/labels", data=labels.astype("u1"))
    f["external-link/images"] = h5py.ExternalLink("layouts.h5", "/contiguous/images")
    f["external-link/labels"] = h5py.ExternalLink("layouts.h5", "/contiguous/labels")
    f["dangling/images"] = h5py.SoftLink("/nowhere")
    f.create_dataset("external-data/images", shape=(N, H, W, C), dtype="u1", external=[("pixels.raw", 0, N * H * W * C)])
    f.create_dataset("external-data/labels", data=labels.astype("u1"))
    layout = h5py.VirtualLayout(shape=(N, H, W, C), dtype="u1")
    layout[:] = h5py.VirtualSource("layouts.h5", "contiguous/images", shape=(N, H, W, C))
    f.create_virtual_dataset("virtual/images", layout)
    f.create_dataset("virtual/labels", data=labels.astype("u1"))
