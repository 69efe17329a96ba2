#!/usr/bin/env python3
"""Makes records/: three games of our own in a folder and in archives, and an archive that unpacks to very much.

    python3 make_records.py        needs 7z (Debian's p7zip-full) and zstd
"""
import bz2
import gzip
import io
import os
import shutil
import subprocess
import tarfile
import zipfile

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "records")


def game(seed):
    points = [(seed * 7 + 5 * i + i * i) % 81 for i in range(40)]
    unique = list(dict.fromkeys(points))[:12]
    moves = "".join(f";{'BW'[i % 2]}[{chr(97 + p % 9)}{chr(97 + p // 9)}]" for i, p in enumerate(unique))
    return f"(;GM[1]FF[4]SZ[9]DT[2020-01-0{seed}]{moves})\n"


def info(name, data):
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    return entry, io.BytesIO(data)


def main():
    shutil.rmtree(HERE, ignore_errors=True)
    os.makedirs(f"{HERE}/games/deep")
    files = {"1.sgf": game(1), "2.SGF": game(2), "deep/3.sgf": game(3), "notes.txt": "no game\n"}
    for name, text in files.items():
        with open(f"{HERE}/games/{name}", "w") as file:
            file.write(text)
    with zipfile.ZipFile(f"{HERE}/games.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(f"games/{name}", (2020, 1, 1, 0, 0, 0)), text)
    for ending, mode in [("tar", "w"), ("tar.gz", "w:gz"), ("tar.xz", "w:xz"), ("tar.bz2", "w:bz2")]:
        with tarfile.open(f"{HERE}/games.{ending}", mode) as archive:
            for name, text in files.items():
                archive.addfile(*info(f"games/{name}", text.encode()))
    subprocess.run(["zstd", "-q", "-f", f"{HERE}/games.tar", "-o", f"{HERE}/games.tar.zst"], check=True)
    subprocess.run(["7z", "a", "-bd", "-bso0", f"{HERE}/games.7z", f"{HERE}/games"], check=True)
    with open(f"{HERE}/one.sgf.gz", "wb") as file:
        file.write(gzip.compress(game(1).encode(), mtime=0))
    # Each file is small enough, all together are not.
    with tarfile.open(f"{HERE}/many-blanks.tar.bz2", "w:bz2") as archive:
        for number in range(7):
            archive.addfile(*info(f"{number}.sgf", b" " * (60 << 20)))


if __name__ == "__main__":
    main()
