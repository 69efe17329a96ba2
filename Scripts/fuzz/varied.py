"""Drawn augmentations with parameters that nobody prints, seen through what one step does to a dense layer.

A plain gradient step changes the kernel by the outer product of the sample, as it was varied, with the bias's own change. So the checkpoints
of a step give the varied sample and its target, and both must be what the step's formula makes of the sample with parameters inside of what
was configured. Of two samples that are mixed with each other the sum is seen, and their shares are looked for.

Used by peer_fuzz.py.
"""

import itertools
import math

import numpy as np

GREY = np.array([0.299, 0.587, 0.114])
# Of ramps that show where a pixel comes from, and of float32 in between.
CLOSE = 3e-4


class VariedDraw:
    """A training of single samples, or of pairs, that are varied by one step."""

    KINDS = [
        "brightness", "contrast", "saturation", "gain", "noise", "mask", "random_erasing", "rotate", "affine", "mixup", "cutmix"]

    def __init__(self, random):
        self.random = random
        self.word = self.pick(self.KINDS)
        self.pairs = self.word in ("mixup", "cutmix")
        self.rate = self.number(0.2, 0.5)
        self.warps = self.word in ("rotate", "affine")
        low, high = (6, 10) if self.warps else (3, 6)
        channels = 3 if self.warps or self.word == "saturation" else self.pick([1, 2, 3, 4])
        self.shape = (int(random.integers(low, high)), int(random.integers(low, high)), channels)
        self.count = 2 * int(random.integers(2, 5))
        self.x = random.uniform(-1, 1, (self.count,) + self.shape).astype(np.float32)
        if self.warps:
            self.x[..., 0] = np.arange(self.shape[1]) / self.shape[1]
            self.x[..., 1] = (np.arange(self.shape[0]) / self.shape[0])[:, None]
        self.options = self.draw_options()
        self.moves = self.options.get("answer") == "board"
        points = self.shape[0] * self.shape[1]
        self.outputs = points if self.moves else int(random.integers(3, 7))
        self.is_classes = not self.moves and self.chance(0.4)
        if self.is_classes:
            self.t = random.dirichlet(np.ones(self.outputs), self.count).astype(np.float32)
        else:
            # Far from what the network says, so that the step is large.
            self.t = random.uniform(2, 4, (self.count, self.outputs)).astype(np.float32)
            # Steps that go too far would let the parameters grow without end.
            largest = 1 + float((self.x.astype(float) ** 2).reshape(self.count, -1).sum(1).max())
            self.rate = max(1e-4, round(self.number(0.3, 0.9) * self.outputs / (2 * largest), 4))

    def chance(self, share):
        return bool(self.random.random() < share)

    def pick(self, choices):
        return choices[int(self.random.integers(len(choices)))]

    def number(self, low, high):
        return round(float(self.random.uniform(low, high)), 4)

    def draw_options(self):
        options = {}
        if self.word in ("brightness", "contrast", "saturation"):
            return {"strength": self.number(0.1, 1.5)}
        if self.word == "gain":
            return {"strength": self.number(0.1, 1)}
        if self.word == "noise":
            return {"deviation": self.number(0.05, 0.5)}
        if self.word == "mask":
            options = {
                "rows": int(self.random.integers(1, self.shape[0])), "columns": int(self.random.integers(0, self.shape[1]))}
            if self.chance(0.6):
                options["count"] = int(self.random.integers(1, 3))
            if self.chance(0.6):
                options["fill"] = self.number(-1, 1)
            return options
        if self.chance(0.4):
            options["probability"] = self.number(0.3, 1)
        if self.word == "random_erasing":
            if self.chance(0.7):
                options["area"] = self.pick(["default", [self.number(0.02, 0.2), self.number(0.3, 0.9)]])
            if self.chance(0.7):
                options["aspect"] = self.pick(["default", [self.number(0.2, 0.9), self.number(1, 4)]])
            options["fill"] = self.pick(["random", {"value": self.number(-1, 1)}])
        elif self.warps:
            options |= {"answer": self.pick(["none", "board"]), "border": self.pick(["zero", "edge", "reflect"])}
            if self.word == "rotate" or self.chance(0.6):
                options["degrees"] = self.number(5, 180)
            if self.word == "affine":
                if self.chance(0.6):
                    options["translate"] = self.number(0.01, 0.3)
                if self.chance(0.6):
                    options["scale"] = self.pick(["none", [self.number(0.6, 1), self.number(1, 1.8)]])
                if self.chance(0.6):
                    options["shear"] = self.number(1, 40)
        elif self.chance(0.7):
            options["alpha"] = self.number(0.2, 2)
        return options

    @property
    def configuration(self):
        return {
            "name": "varied", "data": {"train": {"file": "data.h5", "images": "x", "targets": "t"}, "shuffle": False},
            "network": {
                "input": list(self.shape), "layers": ["flatten", {"dense": {"name": "dense", "units": self.outputs}}]},
            "training": {
                "epochs": 2, "batch": 2 if self.pairs else 1,
                "loss": "softmax_cross_entropy" if self.is_classes else "mean_squared_error",
                "optimizer": {"sgd": {"learning_rate": self.rate}},
                "augmentation": [{self.word: self.options} if self.options else self.word]},
            "checkpoints": {"every": {"steps": 1}, "keep": {"last": 1000, "best": 0}},
        }

    # What a step shows

    def slope(self, z, t):
        if self.is_classes:
            power = np.exp(z - z.max())
            return t.sum() * power / power.sum() - t
        return 2 * (z - t) / len(z)

    def seen(self, before, after):
        """The varied sample and its target, from the parameters around a step."""
        change, gradient = after["dense/kernel"] - before["dense/kernel"], (before["dense/bias"] - after["dense/bias"]) / self.rate
        clearest = int(np.abs(gradient).argmax())
        x = -change[:, clearest] / (self.rate * gradient[clearest])
        z = x @ before["dense/kernel"] + before["dense/bias"]
        if self.is_classes:
            # The target's sum is 1, as a target's is.
            power = np.exp(z - z.max())
            return x.reshape(self.shape), power / power.sum() - gradient
        return x.reshape(self.shape), z - gradient * len(z) / 2

    def explain(self, step, before, after):
        """What the step did, as numbers that must be spread; raises ValueError with what is wrong."""
        samples = self.samples_of(step)
        if self.pairs:
            return self.explain_pair(samples, before, after)
        x, t = self.x[samples[0]].astype(float), self.t[samples[0]].astype(float)
        step_size = np.abs(before["dense/bias"] - after["dense/bias"]).max()
        if step_size < 0.03 * np.abs(before["dense/bias"]).max():
            # Parameters of float32 do not show so small a step well enough.
            return None
        found, target = self.seen(before, after)
        if np.abs(found - x).max() < CLOSE and self.options.get("probability", 1) < 1:
            self.expect(target, t, "the target of a sample that stays as it is")
            return None
        if not self.moves:
            self.expect(target, t, "the target")
        return getattr(self, self.word)(x, t, found, target)

    def samples_of(self, step):
        width = 2 if self.pairs else 1
        start = step * width % self.count
        return range(start, start + width)

    @staticmethod
    def expect(found, wanted, what, tolerance=CLOSE):
        off = np.abs(np.asarray(found) - wanted).max()
        if not off <= tolerance * max(1, np.abs(wanted).max()):
            raise ValueError(f"{what} is off by {off:.3g}")

    @staticmethod
    def within(value, low, high, what):
        if not low - 1e-3 * max(1, abs(low)) <= value <= high + 1e-3 * max(1, abs(high)):
            raise ValueError(f"{what} is {value:.5g}, outside of {low} to {high}")

    # Colours

    def factor_about(self, centre, x, found):
        part = x - centre
        factor = float((part * (found - centre)).sum() / (part * part).sum())
        self.expect(found, centre + factor * part, "a pixel")
        self.within(factor, max(0, 1 - self.options["strength"]), 1 + self.options["strength"], "the factor")
        return factor

    def brightness(self, x, t, found, target):
        return self.factor_about(np.zeros_like(x), x, found)

    def contrast(self, x, t, found, target):
        return self.factor_about((x @ GREY).mean() if self.shape[2] == 3 else x.mean(), x, found)

    def saturation(self, x, t, found, target):
        return self.factor_about((x @ GREY)[..., None] * np.ones(3), x, found)

    # Spectra

    def gain(self, x, t, found, target):
        shift = float((found - x).mean())
        self.expect(found, x + shift, "a pixel")
        self.within(shift, -self.options["strength"], self.options["strength"], "the number that is added")
        return shift

    def noise(self, x, t, found, target):
        added, deviation = (found - x).ravel(), self.options["deviation"]
        # Five deviations of the mean, and of the deviation, of so many normal numbers.
        reach = 5 / math.sqrt(len(added))
        self.within(float(added.mean()), -reach * deviation, reach * deviation, "the mean of the noise")
        spread = float(math.sqrt((added * added).mean()))
        self.within(spread, max(0, 1 - reach) * deviation, (1 + reach) * deviation, "the deviation of the noise")
        return float(added[0])

    def mask(self, x, t, found, target):
        changed = (np.abs(found - x) > CLOSE).any(-1)
        rows, columns = changed.all(1), changed.all(0)
        if not changed.any() or rows.all():
            return None
        if (changed != (rows[:, None] | columns[None, :])).any():
            raise ValueError("what was filled are no whole rows and columns")
        inside = found[changed]
        self.expect(inside, np.full_like(inside, self.options.get("fill", 0)), "what was filled in")
        count = self.options.get("count", 1)
        for lines, most in [(rows, self.options["rows"]), (columns, self.options["columns"])]:
            spans = int((np.diff(np.concatenate([[0], lines.astype(int)])) == 1).sum())
            if lines.sum() > count * most or spans > count:
                raise ValueError(f"{lines.sum()} lines in {spans} spans, of at most {count} with {most}")
        return float(100 * rows.sum() + 10 * columns.sum() + np.flatnonzero(changed.ravel())[0] / changed.size)

    # Rectangles

    def random_erasing(self, x, t, found, target):
        changed = (np.abs(found - x) > CLOSE).any(-1)
        if not changed.any():
            return None
        rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        if changed.sum() != height * width:
            raise ValueError("what was erased is no rectangle")
        inside, fill = found[changed], self.options["fill"]
        if fill == "random":
            if inside.min() < x.min() - CLOSE or inside.max() > x.max() + CLOSE:
                raise ValueError("what was filled in lies outside of the sample's values")
        else:
            self.expect(inside, np.full_like(inside, fill["value"]), "what was filled in")
        area = [0.02, 0.33] if self.options.get("area", "default") == "default" else self.options["area"]
        aspect = [0.3, 3.3] if self.options.get("aspect", "default") == "default" else self.options["aspect"]
        points = self.shape[0] * self.shape[1]
        # Sides are whole pixels: each may be rounded by one.
        if (height - 1) * (width - 1) > area[1] * points or (height + 1) * (width + 1) < area[0] * points:
            raise ValueError(f"a rectangle of {height}×{width} is outside of the areas {area}")
        if (height - 1) > aspect[1] * (width + 1) or (height + 1) < aspect[0] * max(width - 1, 0):
            raise ValueError(f"a rectangle of {height}×{width} is outside of the proportions {aspect}")
        return float(rows[0] * 100 + columns[0] * 10 + height)

    # Maps of the plane

    def affine_map(self, found):
        """Where each pixel comes from, source = M·pixel + o with (column, row), by the ramps; the map that most pixels agree on."""
        height, width, _ = self.shape
        places = np.array([(column, row, 1) for row in range(height) for column in range(width)], float)
        sources = np.stack([found[..., 0].reshape(-1) * width, found[..., 1].reshape(-1) * height], 1)
        dice, best = np.random.default_rng(0), (0, None)
        for _ in range(400):
            chosen = dice.choice(len(places), 3, replace=False)
            if abs(np.linalg.det(places[chosen])) < 2:
                continue
            fit = np.linalg.solve(places[chosen], sources[chosen])
            agree = np.abs(places @ fit - sources).max(1) < 2e-3
            if agree.sum() > best[0]:
                best = (int(agree.sum()), np.linalg.lstsq(places[agree], sources[agree], rcond=None)[0])
        return best

    def warped(self, x, fit):
        """The sample seen through a map, by bilinear interpolation."""
        height, width = x.shape[:2]

        def pixel(row, column):
            if self.options["border"] == "zero":
                inside = 0 <= row < height and 0 <= column < width
                return x[row, column] if inside else np.zeros(x.shape[2])
            if self.options["border"] == "edge":
                return x[min(max(row, 0), height - 1), min(max(column, 0), width - 1)]
            return x[self.mirrored(row, height), self.mirrored(column, width)]

        result = np.zeros_like(x)
        for row, column in itertools.product(range(height), range(width)):
            right, down = np.array([column, row, 1.0]) @ fit
            left, top = math.floor(right), math.floor(down)
            u, v = right - left, down - top
            result[row, column] = (1 - v) * ((1 - u) * pixel(top, left) + u * pixel(top, left + 1)) + v * (
                (1 - u) * pixel(top + 1, left) + u * pixel(top + 1, left + 1))
        return result

    @staticmethod
    def mirrored(place, length):
        if length == 1:
            return 0
        place %= 2 * (length - 1)
        return min(place, 2 * (length - 1) - place)

    def explain_map(self, x, t, found, target):
        count, fit = self.affine_map(found)
        if count < 8:
            # Too little of the sample is left to know the map by.
            return None
        # A pixel on the edge of another may be rounded to either side of it, where nothing but a border lies beyond.
        off = np.abs(found - self.warped(x, fit)).max(-1)
        if (off > 20 * CLOSE).sum() > (1 if self.options["border"] == "zero" else 0):
            raise ValueError(f"pixels are off by {off.max():.3g} from any map")
        if self.moves:
            lying = t.reshape(self.shape[0], self.shape[1], -1)
            moved = np.abs(target.reshape(lying.shape) - self.warped(lying, fit)).max(-1)
            if (moved > 60 * CLOSE).sum() > (1 if self.options["border"] == "zero" else 0):
                raise ValueError(f"the target is off by {moved.max():.3g} from the map of the pixels")
        forward = np.linalg.inv(fit[:2].T)
        scale = math.hypot(*forward[:, 0])
        degrees = math.degrees(math.atan2(-forward[1, 0], forward[0, 0]))
        slant = float(forward[:, 0] @ forward[:, 1]) / scale**2
        rest = forward[:, 1] - slant * forward[:, 0]
        self.expect(math.hypot(*rest), scale, "the scale down the picture", 5e-3)
        centre = np.array([(self.shape[1] - 1) / 2, (self.shape[0] - 1) / 2])
        shift = forward @ (centre - fit[2]) - centre
        return scale, degrees, math.degrees(math.atan(slant)), shift

    def check_map(self, seen, degrees, scales, shear, translate):
        if seen is None:
            return None
        scale, turn, slant, shift = seen
        self.within(scale, *scales, "the scale")
        # A rotation's whole turn leaves no bound.
        self.within(abs(turn), 0, degrees + 0.2, "the angle")
        self.within(abs(slant), 0, shear + 0.3, "the slant")
        self.within(abs(shift[0]), 0, translate * self.shape[1] + 0.02, "the shift to the side")
        self.within(abs(shift[1]), 0, translate * self.shape[0] + 0.02, "the shift down")
        return scale + turn + slant + shift[0] + shift[1]

    def rotate(self, x, t, found, target):
        return self.check_map(self.explain_map(x, t, found, target), self.options["degrees"], (1, 1), 0, 0)

    def affine(self, x, t, found, target):
        scales = self.options.get("scale", "none")
        return self.check_map(
            self.explain_map(x, t, found, target), self.options.get("degrees", 0), (1, 1) if scales == "none" else scales,
            self.options.get("shear", 0), self.options.get("translate", 0))

    # Two samples that are mixed with each other

    def gradient(self, x, t, before):
        flat = x.reshape(-1)
        slope = self.slope(flat @ before["dense/kernel"] + before["dense/bias"], t) / 2
        return np.concatenate([np.outer(flat, slope), slope[None]])

    def explain_pair(self, samples, before, after):
        wanted = np.concatenate([
            before["dense/kernel"] - after["dense/kernel"], (before["dense/bias"] - after["dense/bias"])[None]]) / self.rate
        ways = [
            self.blends(first, second) if self.word == "mixup" else self.cuts(first, second)
            for first, second in [(samples[0], samples[1]), (samples[1], samples[0])]]
        if self.word == "mixup":
            return self.explain_shares(ways, wanted, before)
        gradients = [[self.gradient(x, t, before) for x, t in way] for way in ways]
        sums = np.array(gradients[0])[:, None] + np.array(gradients[1])[None]
        off = np.abs(sums - wanted).max((-2, -1))
        if off.min() > CLOSE:
            raise ValueError(f"no two rectangles give the step: the closest is off by {off.min():.3g}")
        return float(off.argmin()) or None

    def blends(self, first, second):
        return lambda share: (
            share * self.x[first] + (1 - share) * self.x[second].astype(float),
            share * self.t[first] + (1 - share) * self.t[second].astype(float))

    def explain_shares(self, ways, wanted, before):
        def residual(shares):
            return sum(self.gradient(*way(share), before) for way, share in zip(ways, shares)) - wanted

        best = None
        for start in itertools.product([0.02, 0.3, 0.5, 0.7, 1], repeat=2):
            shares = np.array(start)
            for _ in range(30):
                off = residual(shares).reshape(-1)
                slopes = np.stack([
                    (residual(shares + 1e-5 * np.eye(2)[index]).reshape(-1) - off) / 1e-5 for index in range(2)], 1)
                shares = np.clip(shares - np.linalg.lstsq(slopes, off, rcond=None)[0], 0, 1)
            off = np.abs(residual(shares)).max()
            if best is None or off < best[0]:
                best = (off, shares)
        if best[0] > CLOSE:
            raise ValueError(f"no two shares give the step: the closest, {best[1]}, are off by {best[0]:.3g}")
        return float(best[1][0]) if best[1][0] < 1 else None

    def cuts(self, first, second):
        height, width, _ = self.shape
        sides = {(int(height * side), int(width * side)) for side in np.linspace(0, 1, 2001)}
        rectangles = set()
        for (rows, columns), row, column in itertools.product(sides, range(height), range(width)):
            top, left = row - rows // 2, column - columns // 2
            rectangles.add((max(top, 0), min(top + rows, height), max(left, 0), min(left + columns, width)))
        found = []
        for top, bottom, left, right in sorted(rectangles):
            x = self.x[first].astype(float)
            x[top:bottom, left:right] = self.x[second][top:bottom, left:right]
            share = 1 - max(bottom - top, 0) * max(right - left, 0) / (height * width)
            found.append((x, share * self.t[first].astype(float) + (1 - share) * self.t[second]))
        return found
