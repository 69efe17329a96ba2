"""Writes pictures.json for WitnessTests.swift: small PNG and JPEG files, and their pixels as Pillow gives them.

Needs numpy and Pillow; made with numpy 2.4.6 and Pillow 13.0.0.
"""

import base64
import io
import json
import pathlib
import struct
import zlib

import numpy
from PIL import Image, ImageCms, ImageOps

HEIGHT, WIDTH = 5, 7
random = numpy.random.default_rng(20)
pictures = []


def text(data):
    return base64.b64encode(bytes(data)).decode()


def add(name, data, deep=False, near=0):
    """`near`: how far pixels may be apart, for what is decoded with loss."""
    image = Image.open(io.BytesIO(data))

    def pixels(image):
        if image.mode.startswith("I"):
            # Pillow keeps 16 bits of grey; of colours it keeps the upper 8, as is done here.
            return (numpy.asarray(image).astype(numpy.int64) >> 8).astype(numpy.uint8)[..., None]
        clear = "A" in image.mode or "transparency" in image.info
        grey = image.mode in ("1", "L") and not clear
        array = numpy.asarray(image.convert("RGBA" if clear else "L" if grey else "RGB"))
        return array[..., None] if grey else array

    stored = pixels(image)
    upright = pixels(ImageOps.exif_transpose(image))
    pictures.append({
        "name": name, "file": text(data), "orientation": image.getexif().get(0x0112, 1), "deep": deep, "near": near,
        "stored": {"shape": stored.shape, "pixels": text(stored.tobytes())},
        "upright": {"shape": upright.shape, "pixels": text(upright.tobytes())},
    })


# --- PNG, by its chunks


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(samples, depth):
    rows = b""
    for row in samples:
        bits = "".join(format(int(value), f"0{depth}b") for value in row.reshape(-1))
        bits += "0" * (-len(bits) % 8)
        rows += b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")
    return rows


def png(kind, depth, samples, before=b"", after=b"", interlaced=False):
    """`samples`: [H, W, C] whole numbers of `depth` bits."""
    height, width, _ = samples.shape
    # Adam7: first row and column of each pass, and the steps of both.
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    parts = [samples[y::down, x::right] for y, x, down, right in passes] if interlaced else [samples]
    rows = b"".join(packed(part, depth) for part in parts if part.size)
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + chunk(b"IDAT", zlib.compress(rows)) + after
            + chunk(b"IEND", b""))


def samples(depth, channels):
    return random.integers(0, 1 << depth, (HEIGHT, WIDTH, channels))


palette = chunk(b"PLTE", random.integers(0, 256, 16 * 3, dtype=numpy.uint8).tobytes())
profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
colours = {
    "gamma-1": chunk(b"gAMA", struct.pack(">I", 100000)),
    "gamma-1-over-2.2": chunk(b"gAMA", struct.pack(">I", 45455)),
    "gamma-1-over-1.8": chunk(b"gAMA", struct.pack(">I", 55556)),
    "srgb": chunk(b"sRGB", b"\0") + chunk(b"gAMA", struct.pack(">I", 45455)),
    "primaries": chunk(b"gAMA", struct.pack(">I", 55556)) + chunk(
        b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)),
    "profile": chunk(b"iCCP", b"x\0\0" + zlib.compress(profile)),
    "bits": chunk(b"sBIT", b"\5\6\5"),
    "background": chunk(b"bKGD", struct.pack(">3H", 1, 2, 3)),
}
for name, before in colours.items():
    add(f"{name}.png", png(2, 8, samples(8, 3), before))
add("gamma-grey.png", png(0, 8, samples(8, 1), colours["gamma-1"]))
add("gamma-deep.png", png(2, 16, samples(16, 3), colours["gamma-1"]), deep=True)
add("gamma-alpha.png", png(6, 8, samples(8, 4), colours["gamma-1"]))
for depth in (1, 2, 4, 8, 16):
    add(f"grey-{depth}.png", png(0, depth, samples(depth, 1)), deep=depth == 16)
for depth in (1, 2, 4):
    add(f"palette-{depth}.png", png(3, depth, samples(depth, 1), palette))
add("palette-8.png", png(3, 8, samples(4, 1), palette))
add("palette-clear.png", png(3, 4, samples(4, 1), palette + chunk(b"tRNS", bytes(range(0, 160, 16)))))
add("grey-clear.png", png(0, 8, samples(2, 1), chunk(b"tRNS", struct.pack(">H", 2))))
few = samples(1, 3) * 200
add("rgb-clear.png", png(2, 8, few, chunk(b"tRNS", struct.pack(">3H", *few[2, 3]))))
add("grey-alpha.png", png(4, 8, samples(8, 2)))
add("grey-alpha-deep.png", png(4, 16, samples(16, 2)), deep=True)
add("rgb-deep.png", png(2, 16, samples(16, 3)), deep=True)
add("rgba-deep.png", png(6, 16, samples(16, 4)), deep=True)
add("rgba-opaque.png", png(6, 8, numpy.concatenate([samples(8, 3), numpy.full((HEIGHT, WIDTH, 1), 255)], 2)))
add("interlaced.png", png(2, 8, samples(8, 3), interlaced=True))
add("interlaced-grey-2.png", png(0, 2, samples(2, 1), interlaced=True))
add("interlaced-palette.png", png(3, 4, samples(4, 1), palette, interlaced=True))


# --- Orientation


def exif(orientation, order=">", kind=3, before=()):
    """A directory of `before`'s tags and the orientation."""
    entries = [(0x010F, 2, 4, b"abc\0")] * len(before)
    value = struct.pack(order + ("H" if kind == 3 else "I"), orientation).ljust(4, b"\0")
    entries = entries + [(0x0112, kind, 1, value)]
    data = (b"MM" if order == ">" else b"II") + struct.pack(order + "HIH", 42, 8, len(entries))
    for tag, kind, count, value in entries:
        data += struct.pack(order + "HHI", tag, kind, count) + value
    return data + struct.pack(order + "I", 0)


def jpeg(array, mode="RGB", **options):
    out = io.BytesIO()
    Image.fromarray(array, mode).save(out, "JPEG", **options)
    return out.getvalue()


smooth = numpy.zeros((24, 40, 3), numpy.uint8)
smooth[..., 0] = numpy.arange(24)[:, None] * 9
smooth[..., 1] = numpy.arange(40)[None] * 6
smooth[:8, :8] = (250, 20, 20)
for orientation in range(0, 10):
    order = "><"[orientation % 2]
    block = b"Exif\0\0" + exif(orientation, order, before=range(orientation % 3))
    known = 1 <= orientation <= 8
    if known:
        add(f"turned-{orientation}.jpg", jpeg(smooth, quality=90, exif=block), near=1)
        add(f"turned-{orientation}.png", png(2, 8, samples(8, 3), chunk(b"eXIf", block[6:])))
        add(f"turned-late-{orientation}.png", png(6, 8, samples(8, 4), after=chunk(b"eXIf", block[6:])))
add("turned-grey.jpg", jpeg(smooth[..., 1], "L", quality=90, exif=b"Exif\0\0" + exif(6)), near=1)


# --- Other JPEG

noise = random.integers(0, 256, (19, 23, 3), dtype=numpy.uint8)
add("plain.jpg", jpeg(noise, quality=95, subsampling=0), near=1)
add("halved.jpg", jpeg(smooth, quality=90, subsampling=2), near=1)
add("wide.jpg", jpeg(smooth, quality=90, subsampling=1), near=1)
add("progressive.jpg", jpeg(noise, quality=95, progressive=True), near=1)
add("grey.jpg", jpeg(smooth[..., 0], "L", quality=95), near=1)
inks = random.integers(0, 256, (3, 4, 4), dtype=numpy.uint8).repeat(8, 0).repeat(8, 1)
add("inks.jpg", jpeg(inks, "CMYK", quality=95), near=2)
out = io.BytesIO()
Image.fromarray(smooth).save(out, "JPEG", quality=90, icc_profile=profile)
add("profile.jpg", out.getvalue(), near=1)

path = pathlib.Path(__file__).parent / "pictures.json"
path.write_text(json.dumps(pictures, indent=0) + "\n")
print(len(pictures), "pictures,", path.stat().st_size, "bytes")
