"""Makes the files of this folder: a small sound file of each format that Scripts/fuzz-files damages, besides HDF5.

    pip install numpy pillow
    python make_seeds.py

Made with numpy 2.4.6 and Pillow 13.0.0.
"""

import gzip
import io
import os
import pathlib
import pickle
import struct
import tarfile
import zipfile

import numpy as np
from PIL import Image

os.chdir(pathlib.Path(__file__).parent)
random = np.random.default_rng(0)
pixels = random.integers(0, 256, (12, 10, 3), dtype=np.uint8)
picture = Image.fromarray(pixels)
picture.save("rgb.png")
picture.convert("P", palette=Image.Palette.ADAPTIVE).save("palette.png", transparency=0)
Image.fromarray(random.integers(0, 65536, (9, 7), dtype=np.uint16)).save("grey16.png")
Image.fromarray(random.integers(0, 256, (9, 7, 4), dtype=np.uint8)).save("alpha.png")
picture.save("baseline.jpg", quality=80)
picture.save("progressive.jpg", progressive=True, subsampling=0)
picture.convert("L").save("grey.jpg")
picture.convert("CMYK").save("cmyk.jpg")
exif = Image.Exif()
exif[0x0112] = 6
picture.save("turned.jpg", exif=exif)


def put(name, data):
    pathlib.Path(name).write_bytes(data)


images = random.integers(0, 256, (6, 5, 4), dtype=np.uint8)
labels = (np.arange(6) % 3).astype(np.uint8)
idx_images = struct.pack(">BBBBIII", 0, 0, 8, 3, *images.shape) + images.tobytes()
idx_labels = struct.pack(">BBBBI", 0, 0, 8, 1, 6) + labels.tobytes()
put("images.idx", idx_images)
put("labels.idx", idx_labels)
put("images.idx.gz", gzip.compress(idx_images, mtime=0))
np.save("images.npy", images)
np.save("floats.npy", (images / 255).astype(np.float64).transpose(1, 2, 0).copy().transpose(2, 0, 1))
np.save("labels.npy", labels.astype(np.int64))


def archive(name, packing):
    with zipfile.ZipFile(name, "w", packing) as f:
        for member, array in [("x", images), ("y", labels)]:
            data = io.BytesIO()
            np.save(data, array)
            f.writestr(zipfile.ZipInfo(f"{member}.npy"), data.getvalue(), packing)


archive("stored.npz", zipfile.ZIP_STORED)
archive("deflated.npz", zipfile.ZIP_DEFLATED)

put("table.csv", ("label,a,b\n" + "".join(f"{i % 3},{i},{i * 7 % 11}.5\n" for i in range(12))).encode())
put("table.csv.gz", gzip.compress(pathlib.Path("table.csv").read_bytes(), mtime=0))

batch = pickle.dumps(
    {b"data": random.integers(0, 256, (2, 3072), dtype=np.uint8), b"labels": [3, 7], b"batch_label": b"one"}, protocol=4
)
for name, mode in [("cifar.tar", "w"), ("cifar.tar.gz", "w:gz")]:
    with tarfile.open(name, mode) as f:
        for member in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]:
            info = tarfile.TarInfo(f"cifar-10-batches-py/{member}")
            info.size = len(batch)
            f.addfile(info, io.BytesIO(batch))
