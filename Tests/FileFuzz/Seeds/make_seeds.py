"""Makes the files of this folder: a small sound file of each format that Scripts/fuzz-files damages, besides HDF5.

    pip install numpy pillow soundfile
    python make_seeds.py

Made with numpy 2.4.6, Pillow 13.0.0 and soundfile 0.13.
"""

import gzip
import io
import os
import pathlib
import pickle
import struct
import tarfile
import zipfile
import zlib

import numpy as np
import soundfile
from PIL import Image

def put(name, data):
    pathlib.Path(name).write_bytes(data)


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
picture.convert("1").save("bits.png")
picture.save("restarts.jpg", restart_marker_blocks=1, icc_profile=bytes(300), comment=b"a comment")
exif = Image.Exif()
exif[0x0112] = 6
picture.save("turned.jpg", exif=exif)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


# Pillow writes neither interlaced PNG files nor several IDAT chunks with what may stand around them.
adam7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
passes = [pixels[top::down, left::right] for top, left, down, right in adam7]
rows = zlib.compress(b"".join(b"\0" + row.tobytes() for part in passes if part.size for row in part))
put(
    "interlaced.png",
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 10, 12, 8, 2, 0, 0, 1))
    + chunk(b"gAMA", struct.pack(">I", 45455))
    + chunk(b"iCCP", b"profile\0\0" + zlib.compress(bytes(200)))
    + chunk(b"tRNS", struct.pack(">HHH", *map(int, pixels[0, 0])))
    + chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"text " * 40))
    + chunk(b"IDAT", rows[:70])
    + chunk(b"IDAT", rows[70:])
    + chunk(b"IEND", b""),
)

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
with open("big-endian.npy", "wb") as f:
    np.lib.format.write_array(f, images.astype(">f4"), version=(2, 0))


def archive(name, packing):
    with zipfile.ZipFile(name, "w", packing) as f:
        for member, array in [("x", images), ("y", labels)]:
            data = io.BytesIO()
            np.save(data, array)
            f.writestr(zipfile.ZipInfo(f"{member}.npy"), data.getvalue(), packing)


archive("stored.npz", zipfile.ZIP_STORED)
archive("deflated.npz", zipfile.ZIP_DEFLATED)

put("table.csv", ("label,a,b\n" + "".join(f"{i % 3},{i},{i * 7 % 11}.5\n" for i in range(12))).encode())
put(
    "quoted.csv",
    "\ufeff;Art;Maß;Länge;Preis\r\n".encode()
    + "".join(f'{i};"Käse, ""{i % 3}""";{i},5;-1e-{i};"{i}"\r\n' for i in range(12)).encode(),
)
put("utf16.csv", ("label\ta\n" + "".join(f"{i % 2}\t{i}\n" for i in range(8))).encode("utf-16"))
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

with tarfile.open("cifar100.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as f:
    records = bytes(2) + random.bytes(3072)
    for member in ["train.bin", "test.bin"]:
        info = tarfile.TarInfo(f"cifar-100-binary/{member}")
        info.size, info.pax_headers = 2 * len(records), {"comment": "long " * 30}
        f.addfile(info, io.BytesIO(2 * records))
with tarfile.open("names.tar.gz", "w:gz", format=tarfile.GNU_FORMAT) as f:
    meta = pickle.dumps({"label_names": [f"class {i}" for i in range(10)], "num_vis": 3072, "num_cases_per_batch": 2}, protocol=2)
    for member in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch", "batches.meta"]:
        data = meta if member == "batches.meta" else batch
        info = tarfile.TarInfo(f"{'long/' * 24}cifar-10-batches-py/{member}")
        info.size = len(data)
        f.addfile(info, io.BytesIO(data))

put("texts.jsonl", b"".join(b'{"text": "word %d and \\u00e9 more", "kind": "%s"}\n' % (i, [b"a", b"b"][i % 2]) for i in range(8)))
put("texts.csv", "kind,text\n".encode() + "".join(f'{"ab"[i % 2]},"Wörter, ""{i}"" und mehr"\n' for i in range(8)).encode())
sound = np.sin(np.arange(1600) / (2 + np.arange(1600) / 800)) * 0.3 + random.normal(size=1600) * 0.02
for kind in ("wav", "flac", "ogg", "aiff"):
    soundfile.write(f"sound.{kind}", sound, 8000)
    put(f"sound-{kind}.csv", b"file,kind\nsound.%s,a\n" % kind.encode())
