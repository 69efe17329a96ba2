"""Makes the files of this folder: what h5py writes and this project only reads.

    pip install numpy h5py
    python make_fixtures.py

Made with h5py 3.16.0, HDF5 2.0.0, numpy 2.4.6; h5py-latin1.h5 with h5py 3.14.0, HDF5 1.14.6.
"""

import pathlib

import h5py
import numpy as np

folder = pathlib.Path(__file__).parent


def fill(f):
    f["numbers/int16-big"] = np.array([[1, -2, 3], [-400, 500, -600]], dtype=">i2")
    f["numbers/float64"] = np.array([0.5, -1.25, 3e38], dtype="<f8")
    f["numbers/float32-big"] = np.array([0.5, -1.25], dtype=">f4")
    f["numbers/scalar"] = np.int32(7)
    f["numbers/enum"] = np.array([True, False])
    f["numbers/compound"] = np.zeros(2, dtype=[("a", "<i4"), ("b", "<f4")])
    f["text/fixed"] = np.array([b"one", b"three"], dtype="S5")
    chunked = np.arange(7 * 5, dtype=np.uint8).reshape(7, 5)
    f.create_dataset("stored/gzip-shuffle", data=chunked.astype("<u2"), chunks=(3, 2), compression="gzip", shuffle=True)
    f.create_dataset("stored/checksum", data=chunked, chunks=(4, 5), fletcher32=True)
    f.create_dataset("stored/unwritten", shape=(4,), dtype="u1", chunks=(2,), fillvalue=9)
    f.create_dataset("stored/contiguous", data=chunked)
    f["links/soft"] = h5py.SoftLink("/numbers/float64")
    f["links/soft-group"] = h5py.SoftLink("/numbers")
    f["links/dangling"] = h5py.SoftLink("/nowhere")
    f["links/circle"] = h5py.SoftLink("/links/circle")
    f["links/external"] = h5py.ExternalLink("other.h5", "/data")
    f.create_dataset("links/external-data", shape=(4,), dtype="u1", external=[("other.raw", 0, 4)])
    layout = h5py.VirtualLayout(shape=(7, 5), dtype="u1")
    layout[:] = h5py.VirtualSource("other.h5", "data", shape=(7, 5))
    f.create_virtual_dataset("links/virtual", layout)

    a = f.attrs
    a["variable"] = "größer"
    a["variable-array"] = np.array(["a", "", "ccc"], dtype=h5py.string_dtype())
    a.create("variable-ascii", "plain", dtype=h5py.string_dtype("ascii"))
    a["fixed"] = np.bytes_(b"fixed text")
    a["fixed-array"] = np.array([b"ab", b"", b"cde"], dtype="S3")
    a["empty-float-array"] = np.array([], dtype="<f8")
    a["null"] = h5py.Empty("f4")
    a["number"] = np.int16(-3)
    a["numbers"] = np.array([1.5, 2.5], dtype=">f8")


with h5py.File(folder / "h5py.h5", "w") as f:
    fill(f)
with h5py.File(folder / "h5py-latest.h5", "w", libver="v110") as f:
    fill(f)
with h5py.File(folder / "h5py-user-block.h5", "w", userblock_size=512) as f:
    fill(f)

# Names in another order than their values, as other programs than h5py write them.
with h5py.File(folder / "h5py-enum.h5", "w") as f:
    kind = h5py.h5t.enum_create(h5py.h5t.STD_I16BE)
    for name, value in [(b"two", 2), (b"zero", 0), (b"one", 1)]:
        kind.enum_insert(name, value)
    h5py.h5d.create(f.id, b"unordered", kind, h5py.h5s.create_simple((2,)))
    kind = h5py.h5t.enum_create(h5py.h5t.STD_I16BE)
    for name, value in [(b"two", 2), (b"zero", 0)]:
        kind.enum_insert(name, value)
    h5py.h5d.create(f.id, b"gap", kind, h5py.h5s.create_simple((2,)))

# Names and texts in Latin-1, as programs of other times write them.
with h5py.File(folder / "h5py-latin1.h5", "w") as f:
    for name in [b"B\xe4r", b"B\xf6r"]:
        h5py.h5d.create(f.id, name, h5py.h5t.STD_U8LE, h5py.h5s.create_simple((1,))).write(
            h5py.h5s.ALL, h5py.h5s.ALL, np.array([name[1]], dtype="u1"))
    f.attrs["fixed"] = np.array([b"B\xe4r", b"B\xf6r"], dtype="S3")
    f.attrs.create("variable", [b"plain", b"B\xf6r"], dtype=h5py.string_dtype())
    kind = h5py.h5t.enum_create(h5py.h5t.STD_U8LE)
    for value, name in enumerate([b"B\xe4r", b"B\xf6r"]):
        kind.enum_insert(name, value)
    h5py.h5d.create(f.id, b"enum", kind, h5py.h5s.create_simple((2,)))
