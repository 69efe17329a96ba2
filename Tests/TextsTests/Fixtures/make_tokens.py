"""Writes tokens.json: texts, some by hand and most drawn, and their tokens by Python's `re` (Python 3.11).

Kim's rule is written as its published description has it, one substitution after another, so that it shares nothing with the single pass in
`Sources/Texts/TokenRule.swift`.
"""
import json
import random
import re
import unicodedata
from pathlib import Path


def kim(text, lower):
    text = re.sub(r"[^A-Za-z0-9(),!?'`]", " ", text)
    for ending in ("'s", "'ve", "n't", "'re", "'d", "'ll"):
        text = text.replace(ending, " " + ending)
    for mark in ",!()?":
        text = text.replace(mark, f" {mark} ")
    return (text.lower() if lower else text).split()


def words(text):
    # Letters, marks and digits, by Unicode's categories; an apostrophe inside of a word belongs to it.
    inside = "".join(
        "w" if unicodedata.category(c)[0] in "LMN" else "'" if c in "'\u2019" else " " for c in text)
    return [text[m.start():m.end()].replace("\u2019", "'") for m in re.finditer(r"w+(?:'w+)*", inside)]


def drawn(random):
    pieces = ["n't", "'s", "'ve", "'re", "'d", "'ll", "N'T", "'S", "'", "''", "`", "can't", "it's", ",", "!", "(", ")", "?",
              ".", "-", " ", "  ", "\t", "\u0085", "\u00a0", "a", "N", "n", "t", "7", "é", "ß", "İ", "Σ", "ς", "\u2019", "東京",
              "\U0001f600", "e\u0301", "1990", "don", "s", "ve", "{", "\\", "/", "\u0661", "½", "Ⅷ"]
    return "".join(random.choice(pieces) for _ in range(random.randint(0, 12)))


texts = [
    "", " ", "simplistic , silly and tedious . ", "it's so laddish and juvenile , only teenage boys could possibly find it funny . ",
    "can't won't n't'n't 'sorry' they'd've", "What?!? (really)", "caf\u00e9 na\u00efve \u201cquoted\u201d",
    "a sentence\u0085with a next line in it",
]
generator = random.Random(0)
texts += [drawn(generator) for _ in range(400)]
cases = []
for text in texts:
    composed = unicodedata.normalize("NFC", text)
    # One character after another: Python's `lower` knows that a sigma at a word's end looks different.
    lower = "".join(c.lower() for c in composed)
    cases.append({
        "text": text, "kim": kim(composed, True), "kimKept": kim(composed, False), "words": words(lower),
        "space": composed.split(), "characters": list(composed)})
Path(__file__).with_name("tokens.json").write_text(json.dumps(cases, indent=0, ensure_ascii=True) + "\n")
