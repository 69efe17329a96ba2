"""The words of configurations: those that the program's JSON Schema has, and those that a drawn configuration has.

A key's word is its path, `optimizer.sgd.momentum`. A choice is a word of the key's own name, `padding=same`, wherever it stands. Of what may
be written as a word or as a map, such as `flip_horizontal`, the map counts.
"""

import json
import subprocess


def of_program(convoy):
    """The schema that a program prints."""
    return json.loads(subprocess.run([convoy, "config", "schema"], capture_output=True, text=True, check=True).stdout)


def join(path, key):
    return f"{path}.{key}" if path else key


def choice(path, word):
    return f"{path.split('.')[-1]}={str(word).lower() if isinstance(word, bool) else word}"


def of_schema(schema, path):
    """The words of a part of the schema, which is written at a path."""
    words, alternatives = set(), set()

    def walk(part, path):
        for inner in part.get("anyOf", []):
            walk(inner, path)
        if isinstance(part.get("items"), dict):
            walk(part["items"], path)
        for word in part.get("enum", [part["const"]] if "const" in part else []):
            words.add(choice(path, word))
            alternatives.add((choice(path, word), join(path, word)))
        if part.get("type") == "boolean":
            words.update(choice(path, word) for word in (True, False))
        for key, inner in part.get("properties", {}).items():
            words.add(join(path, key))
            walk(inner, join(path, key))

    walk(schema, path)
    return words - {word for word, as_map in alternatives if as_map in words}


def of_value(value, path):
    """The words of a part of a configuration, which is written at a path."""
    if isinstance(value, dict):
        words = set()
        for key, inner in value.items():
            words |= {join(path, key)} | of_value(inner, join(path, key))
        return words
    if isinstance(value, (list, tuple)):
        return set().union(*(of_value(inner, path) for inner in value))
    if isinstance(value, (str, bool)):
        return {choice(path, value), join(path, value)} if isinstance(value, str) else {choice(path, value)}
    return set()


def never_drawn(wanted, draw, limit=4000):
    """What of the wanted words the first draws do not have; `draw` gives the words of a draw by its number."""
    missing = set(wanted)
    for number in range(limit):
        if not missing:
            break
        missing -= draw(number)
    return missing
