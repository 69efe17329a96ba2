"""Writes tables.json for TableWitnessTests.swift: tables in many spellings, and what pandas reads of them.

Needs pandas; made with pandas 3.1.1. Values are compared as float32, labels as text.
"""

import base64
import io
import json
import pathlib
import random
import unicodedata

import pandas

draw = random.Random(15)
tables = []


def add(name, data, label="label", delimiter=",", decimal=".", encoding=None, header=True):
    """What pandas reads of `data`; nil where it refuses the bytes."""
    entry = {
        "name": name, "file": base64.b64encode(data).decode(), "label": label, "delimiter": delimiter,
        "decimal": decimal, "encoding": encoding, "values": None, "labels": None,
    }
    mark = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        frame = pandas.read_csv(
            io.BytesIO(data), sep=delimiter, decimal=decimal, encoding=encoding or mark,
            header=0 if header else None, dtype={label if header else int(label) - 1: str},
            keep_default_na=False, skipinitialspace=True)
    except UnicodeError:
        tables.append(entry)
        return
    column = frame.columns[int(label) - 1] if not header else label
    labels = [str(value).strip(" \t") for value in frame[column]]
    rest = frame.drop(columns=column)
    entry["values"] = rest.astype("float32").to_numpy().reshape(-1).tolist()
    entry["labels"] = [list(text.encode()) for text in labels]
    tables.append(entry)


words = ["Bär", "Bör", "Bür", "cat", "dog", "Straße", "naïve", "Ærø", "ñandú", "a b", "x;y", "x,y", 'say "hi"', "two\nlines"]
exotic = ["猫", "кот", "γάτα", unicodedata.normalize("NFD", "Bär"), "🐈"]


def number(decimal):
    kind = draw.randrange(7)
    if kind < 3:
        text = str(draw.randrange(-300, 300))
    elif kind == 3:
        text = repr(draw.uniform(-1, 1))
    elif kind == 4:
        text = f"{draw.uniform(-1, 1) * 10 ** draw.randrange(-30, 30):.{draw.randrange(1, 17)}e}"
    elif kind == 5:
        text = draw.choice([".5", "5.", "+3", "-.25", "1E2", "1e+2", "0.1e-3", "007", "-0"])
    else:
        text = f"{draw.randrange(0, 10**draw.randrange(1, 18))}"
    return text.replace(".", decimal)


def quoted(text, delimiter, always):
    special = any(mark in text for mark in (delimiter, '"', "\n", "\r"))
    return '"' + text.replace('"', '""') + '"' if special or always else text


for index in range(120):
    delimiter = draw.choice([",", ",", ";", "\t", "|"])
    decimal = "," if delimiter != "," and draw.random() < 0.4 else "."
    encoding, mark, real = draw.choice([
        (None, b"", "utf-8"), (None, b"\xef\xbb\xbf", "utf-8"), (None, b"\xff\xfe", "utf-16-le"),
        (None, b"\xfe\xff", "utf-16-be"), ("windows-1252", b"", "cp1252"), ("latin1", b"", "latin-1"),
        ("latin1", b"", "latin-1"), ("utf-16-le", b"", "utf-16-le"), ("cp1250", b"", "cp1250"),
        ("gb18030", b"", "gb18030"), ("utf-8", b"", "utf-8"), (None, b"", "cp1252"),
    ])
    end = draw.choice(["\n", "\r\n", "\r\n", "\r"])
    header = draw.random() < 0.8
    columns = draw.randrange(2, 6)
    place = draw.randrange(columns)
    usable = []
    for word in words + exotic:
        try:
            word.encode(real)
        except UnicodeError:
            continue
        # A table on one line for each row keeps the lines of words apart from those of rows.
        if "\n" not in word or end == "\n":
            usable.append(word)
    rows = []
    always = draw.random() < 0.2
    if header:
        rows.append(["label" if i == place else f"c{i} ä" if real != "cp1250" else f"c{i}" for i in range(columns)])
    for _ in range(draw.randrange(1, 9)):
        rows.append([draw.choice(usable) if i == place else number(decimal) for i in range(columns)])
    blank = draw.random() < 0.3
    text = ""
    for row in rows:
        gap = " " if draw.random() < 0.1 else ""
        text += (delimiter + gap).join(quoted(field, delimiter, always) for field in row) + end
        if blank and draw.random() < 0.3:
            text += end
    if draw.random() < 0.3:
        text = text[: -len(end)]
    add(f"{index}", mark + text.encode(real), "label" if header else str(place + 1), delimiter, decimal, encoding, header)

path = pathlib.Path(__file__).parent / "tables.json"
path.write_text(json.dumps(tables, indent=0, ensure_ascii=True) + "\n")
refused = sum(table["values"] is None for table in tables)
print(len(tables), "tables,", refused, "refused,", path.stat().st_size, "bytes")
