"""Losses, metrics, optimizers and schedules as plain formulas in float64, and what of them Keras has under which name.

Written from the papers and from Keras's documentation, not from the program that is held to them.
"""
import math

import numpy as np

# Losses: (mean over outputs or sum over classes of one sample, its gradient by the outputs).


def softmax_cross_entropy(z, t, smoothing=0.0):
    t = (1 - smoothing) * t + smoothing / len(z)
    shifted = z - z.max()
    log_sum = math.log(np.exp(shifted).sum())
    return float((t * (log_sum - shifted)).sum()), t.sum() * np.exp(shifted - log_sum) - t


def sigmoid_cross_entropy(z, t, smoothing=0.0, weights=None):
    t = (1 - smoothing) * t + smoothing / 2
    weights = np.ones(len(z)) if weights is None else np.asarray(weights)
    each = np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))
    return float((weights * each).mean()), weights * (1 / (1 + np.exp(-z)) - t) / len(z)


def sigmoid_focal_cross_entropy(z, t, gamma=2.0, alpha=None, smoothing=0.0, weights=None):
    t = (1 - smoothing) * t + smoothing / 2
    weights = np.ones(len(z)) if weights is None else np.asarray(weights)
    if alpha is not None:
        weights = weights * (t * alpha + (1 - t) * (1 - alpha))
    p = 1 / (1 + np.exp(-z))
    entropy = np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))
    doubt = t * (1 - p) + (1 - t) * p
    focus = doubt**gamma
    # The product rule; p' = p (1 − p).
    slope = focus * (p - t)
    if gamma > 0:
        slope = slope + entropy * gamma * doubt ** (gamma - 1) * (1 - 2 * t) * p * (1 - p)
    return float((weights * focus * entropy).mean()), weights * slope / len(z)


def mean_squared_error(z, t):
    return float(((z - t) ** 2).mean()), 2 * (z - t) / len(z)


def mean_absolute_error(z, t):
    return float(np.abs(z - t).mean()), np.sign(z - t) / len(z)


def huber(z, t, delta=1.0):
    e = z - t
    value = np.where(np.abs(e) <= delta, e * e / 2, delta * (np.abs(e) - delta / 2))
    return float(value.mean()), np.clip(e, -delta, delta) / len(z)


# Metrics of a minibatch: z and t are [samples, outputs].


def decisions(z, t, task):
    """Right, taken and actual for each class or label."""
    if task == "classes":
        taken, actual = np.eye(z.shape[1])[z.argmax(1)], np.eye(z.shape[1])[t.argmax(1)]
    else:
        taken, actual = (z > 0).astype(float), (t > 0.5).astype(float)
    return (taken * actual).sum(0), taken.sum(0), actual.sum(0)


def _mean_of_defined(part, whole):
    return float((part[whole > 0] / whole[whole > 0]).mean()) if (whole > 0).any() else 0.0


def metric(name, z, t, task):
    if name == "accuracy":
        if task == "classes":
            return float((z.argmax(1) == t.argmax(1)).mean())
        return float(((z > 0) == (t > 0.5)).mean())
    if name.startswith("top_"):
        k, right = int(name.split("_")[1]), t.argmax(1)
        own = z[np.arange(len(z)), right]
        before = (z > own[:, None]).sum(1) + ((z == own[:, None]) & (np.arange(z.shape[1]) < right[:, None])).sum(1)
        return float((before < k).mean())
    if name == "exact_match":
        return float(((z > 0) == (t > 0.5)).all(1).mean())
    if name in ("precision", "recall", "f1"):
        right, taken, actual = decisions(z, t, task)
        part, whole = {
            "precision": (right, taken), "recall": (right, actual), "f1": (2 * right, taken + actual),
        }[name]
        return _mean_of_defined(part, whole)
    if name == "cosine_similarity":
        lengths = np.maximum(np.linalg.norm(z, axis=1), 1e-6) * np.maximum(np.linalg.norm(t, axis=1), 1e-6)
        return float(((z * t).sum(1) / lengths).mean())
    errors = z - t
    if name == "mean_absolute_error":
        return float(np.abs(errors).mean())
    if name == "mean_squared_error":
        return float((errors**2).mean())
    if name == "root_mean_squared_error":
        return math.sqrt((errors**2).mean())
    if name == "r2":
        spread = ((t - t.mean(0)) ** 2).sum(0)
        left = (errors**2).sum(0)
        constant = spread <= 1e-12 * (t**2).sum(0)
        each = np.where(constant, (left == 0).astype(float), 1 - left / np.where(constant, 1, spread))
        return float(each.mean())
    raise ValueError(name)


# Optimizers: update(w, g, slots, rate, t, decays) gives the new w and slots; `decays` scales the weight decay.


def _adam_step(w, g, slots, rate, t, o):
    m = slots["mean"] + (g - slots["mean"]) * (1 - o["beta1"])
    v = slots["squared_mean"] + (g * g - slots["squared_mean"]) * (1 - o["beta2"])
    alpha = rate * math.sqrt(1 - o["beta2"] ** t) / (1 - o["beta1"] ** t)
    return w - alpha * m / (np.sqrt(v) + o["epsilon"]), {"mean": m, "squared_mean": v}


def sgd(w, g, slots, rate, t, o, decays):
    w = w - rate * o["weight_decay"] * decays * w
    if o["momentum"] == 0:
        return w - rate * g, {}
    m = o["momentum"] * slots["momentum"] - rate * g
    return w + (o["momentum"] * m - rate * g if o["nesterov"] else m), {"momentum": m}


def adam(w, g, slots, rate, t, o, decays):
    return _adam_step(w, g + o["weight_decay"] * decays * w, slots, rate, t, o)


def adamw(w, g, slots, rate, t, o, decays):
    return _adam_step(w - rate * o["weight_decay"] * decays * w, g, slots, rate, t, o)


def nadam(w, g, slots, rate, t, o, decays):
    w = w - rate * o["weight_decay"] * decays * w
    shares = [o["beta1"] * (1 - 0.5 * 0.96**step) for step in range(1, t + 2)]
    m = slots["mean"] + (g - slots["mean"]) * (1 - o["beta1"])
    v = slots["squared_mean"] + (g * g - slots["squared_mean"]) * (1 - o["beta2"])
    d = shares[t] * m / (1 - np.prod(shares)) + (1 - shares[t - 1]) * g / (1 - np.prod(shares[:t]))
    return w - rate * d / (np.sqrt(v / (1 - o["beta2"] ** t)) + o["epsilon"]), {"mean": m, "squared_mean": v}


def rmsprop(w, g, slots, rate, t, o, decays):
    w = w - rate * o["weight_decay"] * decays * w
    v = o["rho"] * slots["squared_mean"] + (1 - o["rho"]) * g * g
    new = {"squared_mean": v}
    below = v + o["epsilon"]
    if o["centered"]:
        new["mean"] = o["rho"] * slots["mean"] + (1 - o["rho"]) * g
        below = v - new["mean"] ** 2 + o["epsilon"]
    change = rate * g / np.sqrt(below)
    if o["momentum"] > 0:
        change = new["momentum"] = o["momentum"] * slots["momentum"] + change
    return w - change, new


def adagrad(w, g, slots, rate, t, o, decays):
    w = w - rate * o["weight_decay"] * decays * w
    s = slots["squared_sum"] + g * g  # What was added to the initial accumulator.
    return w - rate * g / np.sqrt(s + o["initial_accumulator"] + o["epsilon"]), {"squared_sum": s}


def adadelta(w, g, slots, rate, t, o, decays):
    w = w - rate * o["weight_decay"] * decays * w
    v = o["rho"] * slots["squared_mean"] + (1 - o["rho"]) * g * g
    d = g * np.sqrt(slots["squared_change"] + o["epsilon"]) / np.sqrt(v + o["epsilon"])
    u = o["rho"] * slots["squared_change"] + (1 - o["rho"]) * d * d
    return w - rate * d, {"squared_mean": v, "squared_change": u}


def lion(w, g, slots, rate, t, o, decays):
    w = w - rate * o["weight_decay"] * decays * w
    direction = o["beta1"] * slots["mean"] + (1 - o["beta1"]) * g
    return w - rate * np.sign(direction), {"mean": o["beta2"] * slots["mean"] + (1 - o["beta2"]) * g}


def lars(w, g, slots, rate, t, o, decays):
    d = g + o["weight_decay"] * decays * w
    wn, dn = np.linalg.norm(w), np.linalg.norm(d)
    r = o["trust"] * wn / (dn + o["epsilon"]) if decays != 0 and wn > 0 and dn > 0 else 1
    m = o["momentum"] * slots["momentum"] - rate * r * d
    return w + m, {"momentum": m}


def lamb(w, g, slots, rate, t, o, decays):
    m = slots["mean"] + (g - slots["mean"]) * (1 - o["beta1"])
    v = slots["squared_mean"] + (g * g - slots["squared_mean"]) * (1 - o["beta2"])
    d = (m / (1 - o["beta1"] ** t)) / (np.sqrt(v / (1 - o["beta2"] ** t)) + o["epsilon"])
    d = d + o["weight_decay"] * decays * w
    wn, dn = np.linalg.norm(w), np.linalg.norm(d)
    r = wn / dn if decays != 0 and wn > 0 and dn > 0 else 1
    return w - rate * r * d, {"mean": m, "squared_mean": v}


# Schedules: the factor of a step, from 0. `steps` turns a span into steps, `total` is the length of the training.


def _half_cosine(progress):
    return 0.5 * (1 + math.cos(math.pi * min(progress, 1)))


def curve(kind, o, step, total, steps):
    """A curve from its own begin."""
    def progress():
        span = o.get("over", "run")
        return min(step / max(total if span == "run" else steps(span), 1), 1)

    floor = o.get("floor", 0)
    if kind in ("constant", "plateau"):
        return 1.0
    if kind == "cosine":
        return floor + (1 - floor) * _half_cosine(progress())
    if kind == "polynomial":
        return floor + (1 - floor) * (1 - progress()) ** o.get("power", 1)
    if kind == "exponential":
        spans = step / max(steps(o["every"]), 1)
        return o["factor"] ** (math.floor(spans) if o.get("staircase") else spans)
    if kind == "step":
        return o.get("factor", 0.1) ** sum(step >= steps(time) for time in o["at"])
    if kind == "cosine_restarts":
        start, length, height = 0.0, float(max(steps(o["first"]), 1)), 1.0
        while step >= start + length:
            start, length, height = start + length, length * o.get("stretch", 2), height * o.get("shrink", 1)
        return floor + (1 - floor) * height * _half_cosine((step - start) / length)
    if kind == "one_cycle":
        rise, first, end = o.get("rise", 0.3), o.get("start", 0.04), o.get("end", 4e-6)
        top, last = rise * total - 1, total - 1

        def between(a, b, p):
            return b + (a - b) * _half_cosine(min(max(p, 0), 1))

        if top > 0 and step <= top:
            return between(first, 1, step / top)
        begin = max(top, 0)
        return between(1, end, (step - begin) / (last - begin)) if last > begin else end
    raise ValueError(kind)


def factor(kind, o, step, total, steps):
    """With the warm-up: a straight line to 1 at its last step, then the curve from its begin over what is left."""
    warmup = o.get("warmup", "none")
    width = 0 if warmup == "none" else steps(warmup)
    if step < width:
        return (step + 1) / width
    if kind == "step":
        return curve(kind, o, step, total, steps)
    return curve(kind, o, step - width, max(total - width, 1), steps)


def plateau(o, figures):
    """The factor of each epoch, and of the one behind the last; the figures are losses."""
    factors, best, wait, cooldown = [1.0], math.inf, 0, 0
    for figure in figures:
        factor = factors[-1]
        if cooldown > 0:
            cooldown, wait = cooldown - 1, 0
        if figure < best - o["min_gain"]:
            best, wait = figure, 0
        elif cooldown == 0:
            wait += 1
            if wait >= o["patience"] and factor > o["floor"]:
                factor, cooldown, wait = max(factor * o["factor"], o["floor"]), o["cooldown"], 0
        factors.append(factor)
    return factors


# Keras's own.


def keras_plateau(o, figures, keras):
    """The same by Keras's callback."""
    optimizer = keras.optimizers.SGD(1.0)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer, "mse")
    rule = keras.callbacks.ReduceLROnPlateau(
        monitor="loss", factor=o["factor"], patience=o["patience"], min_delta=o["min_gain"], cooldown=o["cooldown"],
        min_lr=o["floor"])
    rule.set_model(model)
    rule.on_train_begin()
    factors = [1.0]
    for epoch, figure in enumerate(figures):
        rule.on_epoch_end(epoch, {"loss": figure})
        factors.append(float(optimizer.learning_rate))
    return factors


def keras_loss(name, o, keras):
    """A function of [samples, outputs] that gives each sample's loss; None where Keras has none like it."""
    losses = keras.losses
    smoothing = o.get("label_smoothing", 0)
    made = {
        "softmax_cross_entropy": lambda: losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=smoothing, reduction=None),
        "sigmoid_cross_entropy": lambda: losses.BinaryCrossentropy(
            from_logits=True, label_smoothing=smoothing, reduction=None),
        "sigmoid_focal_cross_entropy": lambda: losses.BinaryFocalCrossentropy(
            apply_class_balancing=o.get("alpha", "none") != "none", alpha=0.25 if o.get("alpha", "none") == "none" else o["alpha"],
            gamma=o.get("gamma", 2), from_logits=True, label_smoothing=smoothing, reduction=None),
        "mean_squared_error": lambda: losses.MeanSquaredError(reduction=None),
        "mean_absolute_error": lambda: losses.MeanAbsoluteError(reduction=None),
        "huber": lambda: losses.Huber(delta=o.get("delta", 1.0), reduction=None),
    }[name]()
    return lambda z, t: np.asarray(made(t.astype(np.float32), z.astype(np.float32)))


def keras_optimizer(name, o, keras):
    kinds, decay = keras.optimizers, (o["weight_decay"] or None)
    if name == "sgd":
        return kinds.SGD(0.1, momentum=o["momentum"], nesterov=o["nesterov"], weight_decay=decay)
    if name == "adam" and decay is None:
        return kinds.Adam(0.1, beta_1=o["beta1"], beta_2=o["beta2"], epsilon=o["epsilon"])
    if name == "adamw":
        return kinds.AdamW(
            0.1, beta_1=o["beta1"], beta_2=o["beta2"], epsilon=o["epsilon"], weight_decay=o["weight_decay"])
    if name == "nadam":
        return kinds.Nadam(0.1, beta_1=o["beta1"], beta_2=o["beta2"], epsilon=o["epsilon"], weight_decay=decay)
    if name == "rmsprop":
        return kinds.RMSprop(
            0.1, rho=o["rho"], momentum=o["momentum"], epsilon=o["epsilon"], centered=o["centered"],
            weight_decay=decay)
    if name == "adagrad":
        return kinds.Adagrad(
            0.1, initial_accumulator_value=o["initial_accumulator"], epsilon=o["epsilon"], weight_decay=decay)
    if name == "adadelta":
        return kinds.Adadelta(0.1, rho=o["rho"], epsilon=o["epsilon"], weight_decay=decay)
    if name == "lion":
        return kinds.Lion(0.1, beta_1=o["beta1"], beta_2=o["beta2"], weight_decay=decay)
    return None


def keras_schedule(kind, o, total, steps, keras):
    """(The schedule, the first step from which it is the program's); None where Keras has none like it."""
    schedules = keras.optimizers.schedules
    warmup = o.get("warmup", "none")
    width = 0 if warmup == "none" else steps(warmup)
    left = max(total - width, 1)

    def length():
        span = o.get("over", "run")
        return max(left if span == "run" else steps(span), 1)

    floor = o.get("floor", 0)
    if kind == "cosine":
        if width:
            return schedules.CosineDecay(
                0.0, length(), alpha=floor, warmup_target=1.0, warmup_steps=width), width
        return schedules.CosineDecay(1.0, length(), alpha=floor), 0
    if width:
        return None
    if kind == "polynomial":
        return schedules.PolynomialDecay(1.0, length(), floor, power=o.get("power", 1)), 0
    if kind == "exponential" and o["factor"] > 0:
        return schedules.ExponentialDecay(
            1.0, max(steps(o["every"]), 1), o["factor"], staircase=o.get("staircase", False)), 0
    if kind == "cosine_restarts" and o.get("stretch", 2) > 1.001:
        return schedules.CosineDecayRestarts(
            1.0, max(steps(o["first"]), 1), t_mul=o.get("stretch", 2), m_mul=o.get("shrink", 1), alpha=floor), 0
    return None
