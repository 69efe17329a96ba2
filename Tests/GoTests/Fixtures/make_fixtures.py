#!/usr/bin/env python3
"""Asks GNU Go 3.8 (Debian's package gnugo) about random games, over the Go Text Protocol.

    python3 make_fixtures.py            writes legal-*.txt, ladders.txt and records.txt beside this file

A line of legal-RULES-SIZE.txt is a game: size and moves with, before each move, which points GNU Go's `all_legal` gives for the
player to move, as hexadecimal digits of the number whose bit p is point p, row by row from the upper left corner.

A line of ladders.txt is a position and what `ladder_attack` says of each chain of two liberties.

A line of records.txt is the name of a record in records/ and the stones that GNU Go has on the board after `loadsgf`.
"""
import glob
import os
import random
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
LETTERS = "ABCDEFGHJKLMNOPQRST"


class Engine:
    def __init__(self, *options):
        program = shutil.which("gnugo") or "/usr/games/gnugo"
        self.process = subprocess.Popen(
            [program, "--mode", "gtp", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        lines = []
        while True:
            line = self.process.stdout.readline()
            if line.strip() == "" and lines:
                break
            if line.strip():
                lines.append(line.strip())
        answer = "\n".join(lines)
        return answer[0] == "=", answer[1:].strip()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def point(name, size):
    return (size - int(name[1:])) * size + LETTERS.index(name[0])


def name(point, size):
    return f"{LETTERS[point % size]}{size - point // size}"


def digits(points):
    return format(sum(1 << p for p in points), "x")


def legal(rules, options, size, games, length, seed):
    draw = random.Random(seed)
    engine = Engine(*options)
    lines = []
    for _ in range(games):
        engine.ask(f"boardsize {size}")
        engine.ask("clear_board")
        words = [str(size)]
        colour = "black"
        for _ in range(length):
            points = sorted(point(n, size) for n in engine.ask(f"all_legal {colour}")[1].split() if n != "PASS")
            # A pass now and then; no move where there is none.
            move = draw.choice(points) if points and draw.random() > 0.02 else None
            words.append(f"{digits(points)}:{'pass' if move is None else move}")
            ok, reason = engine.ask(f"play {colour} {'pass' if move is None else name(move, size)}")
            assert ok, reason
            colour = "white" if colour == "black" else "black"
        lines.append(" ".join(words))
    engine.close()
    with open(f"{HERE}/legal-{rules}-{size}.txt", "w") as file:
        file.write("\n".join(lines) + "\n")


def ladders(size, games, seed):
    """Stones in pairs far from each other, so that many chains have two liberties and room to run."""
    draw = random.Random(seed)
    engine = Engine()
    lines = []
    while len(lines) < games:
        engine.ask(f"boardsize {size}")
        engine.ask("clear_board")
        moves = []
        for turn in range(draw.randrange(8, 60)):
            colour = "black" if turn % 2 == 0 else "white"
            points = [point(n, size) for n in engine.ask(f"all_legal {colour}")[1].split() if n != "PASS"]
            near = [p for p in points if any(abs(p // size - q // size) + abs(p % size - q % size) <= 2 for q in moves)]
            move = draw.choice(near if near and draw.random() < 0.85 else points)
            if not engine.ask(f"play {colour} {name(move, size)}")[0]:
                break
            moves.append(move)
        answers = []
        for colour in ("black", "white"):
            for chain in engine.ask(f"worm_stones {colour}")[1].split("\n"):
                stones = chain.split()
                if not stones:
                    continue
                count = int(engine.ask(f"countlib {stones[0]}")[1])
                if count == 2:
                    ok, answer = engine.ask(f"ladder_attack {stones[0]}")
                    if ok:
                        answers.append(f"{point(stones[0], size)}:{answer.split()[0]}")
        if answers:
            lines.append(f"{size} {','.join(map(str, moves))} {' '.join(answers)}")
    engine.close()
    with open(f"{HERE}/ladders.txt", "w") as file:
        file.write("\n".join(lines) + "\n")


def self_play(size, level, seed):
    """A game of GNU Go against itself, as a record."""
    engine = Engine("--level", str(level), "--seed", str(seed))
    engine.ask(f"boardsize {size}")
    engine.ask("clear_board")
    nodes, passes, colour = [], 0, "black"
    while passes < 2 and len(nodes) < 2 * size * size:
        move = engine.ask(f"genmove {colour}")[1]
        if move == "resign":
            break
        passes = passes + 1 if move == "PASS" else 0
        place = ""
        if move != "PASS":
            row, column = divmod(point(move, size), size)
            place = chr(97 + column) + chr(97 + row)
        nodes.append(f";{colour[0].upper()}[{place}]")
        colour = "white" if colour == "black" else "black"
    engine.close()
    with open(f"{HERE}/records/self-play.sgf", "w") as file:
        file.write(f"(;GM[1]FF[4]SZ[{size}]PB[GNU Go 3.8]PW[GNU Go 3.8]KM[6.5]" + "".join(nodes) + ")\n")


def records():
    lines = []
    for path in sorted(glob.glob(f"{HERE}/records/*.sgf")):
        engine = Engine()
        ok, answer = engine.ask(f"loadsgf {path}")
        if ok:
            size = int(engine.ask("query_boardsize")[1])
            black = digits(point(n, size) for n in engine.ask("list_stones black")[1].split())
            white = digits(point(n, size) for n in engine.ask("list_stones white")[1].split())
            captures = [engine.ask(f"captures {colour}")[1] for colour in ("black", "white")]
            lines.append(f"{os.path.basename(path)} {answer} {size} {black} {white} {' '.join(captures)}")
        engine.close()
    with open(f"{HERE}/records.txt", "w") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    legal("ko", ["--simple-ko"], 9, 30, 120, 1)
    legal("ko", ["--simple-ko"], 5, 40, 60, 2)
    legal("ko", ["--simple-ko"], 19, 3, 300, 3)
    legal("positional", ["--positional-superko"], 4, 60, 60, 4)
    legal("situational", ["--situational-superko"], 4, 60, 60, 5)
    legal("suicide", ["--allow-suicide"], 5, 40, 60, 6)
    ladders(13, 300, 7)
    self_play(19, 1, 8)
    records()
