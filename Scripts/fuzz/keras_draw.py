"""Draws small trainings that Keras can repeat: networks of the layers that both have, data, losses and optimizers."""

import math

import numpy as np

import schema_words

ACTIVATIONS = [
    "linear", "relu", "relu6", "leaky_relu", "elu", "gelu", "silu", "softplus", "sigmoid", "hard_sigmoid", "tanh", "softmax",
]
INITIALIZERS = [
    "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_normal", "lecun_uniform", "uniform", "truncated_normal",
]
STEPS = 4

# The parts of the schema that draws must have, and the words of them that Keras cannot repeat, with the reason.
PARTS = [
    ("layers", "$defs/layers"), ("loss", "training/loss"), ("optimizer", "training/optimizer"),
    ("clipping", "training/clipping"), ("weight_decay_on", "training/weight_decay_on"), ("max_norm", "training/max_norm"),
    ("ema", "training/ema"), ("parallelism", "training/parallelism"), ("tuning", "training/tuning"),
]
EXCEPTIONS = {
    "optimizer.lars": "Keras has no such class",
    "optimizer.lamb": "Keras's takes other norms, as Configs/README.md says",
    "max_norm.layers": "what it chooses is the same as for any kernel; peer_fuzz.py draws it",
    "ema.rise": "Keras's average knows one share alone; peer_fuzz.py draws it",
    "rise=true": "the same",
    "rise=false": "the same",
    "tuning.file": "its choices are those of some earlier run",
    "pretrained=true": "the vectors come from the data; what Keras sees is the same",
}
# Every layer takes a name and inputs; a draw writes them where it needs them.
PLACEMENT = ("name", "inputs")


class Draw:
    """One training: `config` as nested Python values, and its data sets by name."""

    def __init__(self, seed, number):
        self.number = number
        self.random = np.random.default_rng([seed, number])
        self.layers = []
        # Where the next layer is put: the network, or a part of it that is repeated.
        self.place = self.layers
        self.count = 0
        self.batch = int(self.random.integers(2, 9))
        self.draw_input()
        for _ in range(int(self.random.integers(2, 7))):
            if max(self.shape) > 400 or np.prod(self.shape) > 6000:
                break
            self.draw_layer()
        self.draw_end()
        self.draw_task()

    # Dice

    def chance(self, probability):
        return self.random.random() < probability

    def pick(self, *values):
        return values[int(self.random.integers(len(values)))]

    def whole(self, low, high):
        return int(self.random.integers(low, high + 1))

    def number_between(self, low, high, digits=3):
        return round(float(self.random.uniform(low, high)), digits)

    def sizes(self, low, high, equal=0.6):
        """One number for each side of the images or sequences."""
        first = self.whole(low, high)
        return [first if index == 0 or self.chance(equal) else self.whole(low, high) for index in range(len(self.shape) - 1)]

    def written(self, sizes):
        """As configurations have it: one number, or a pair."""
        return sizes[0] if len(set(sizes)) == 1 and (len(sizes) == 1 or self.chance(0.7)) else sizes

    # The network

    def add(self, word, gives=None, inputs=None, **settings):
        """Adds a layer behind the last one; returns its name."""
        self.count += 1
        name = f"layer_{self.count}"
        settings["name"] = name
        if inputs is not None:
            settings["inputs"] = inputs
        self.place.append({word: settings})
        if gives is not None:
            self.shape = gives
        self.last = name
        return name

    def draw_input(self):
        self.kind = self.pick("image", "image", "image", "image", "sequence", "vector", "words")
        self.vocabulary = self.whole(5, 30)
        if self.kind == "image":
            self.input = [self.whole(5, 13), self.whole(5, 13), self.pick(1, 2, 3, 4)]
        elif self.kind == "sequence":
            self.input = [self.whole(8, 20), self.whole(1, 5)]
        elif self.kind == "vector":
            self.input = [self.whole(3, 20)]
        else:
            self.input = [self.whole(4, 12)]
        self.shape = list(self.input)
        self.last = "input"
        self.is_bytes = self.kind in ("image", "words") and self.chance(0.4)
        if self.kind == "words":
            dimension = self.whole(2, 9)
            self.add(
                "embedding", [self.input[0], dimension], vocabulary=self.vocabulary, dimension=dimension,
                frozen=self.chance(0.2), padding_word=self.pick("none", "none", self.whole(0, self.vocabulary - 1)),
                initializer=self.initializer(), pretrained=False,
            )
        elif self.is_bytes:
            self.add("rescale", scale=1 / 128, offset=-1)
        elif self.chance(0.2):
            self.draw_normalization()

    def draw_normalization(self):
        count = self.pick(1, self.shape[-1])
        self.add(
            "normalization", mean=[self.number_between(-1, 1) for _ in range(count)],
            variance=[self.pick(1, self.number_between(0.5, 2)) for _ in range(count)],
        )

    def initializer(self):
        # Units that begin alike lie on each other's kinks, so there are few of them.
        return self.pick("zeros", "ones") if self.chance(0.03) else self.pick(*INITIALIZERS)

    def kernel_settings(self):
        settings = {"use_bias": self.chance(0.8)}
        if self.chance(0.6):
            settings["activation"] = self.pick("relu", *ACTIVATIONS)
        # A bias that starts at zero behind ReLU would lie on the kink.
        settings["bias_initializer"] = self.pick("uniform", "truncated_normal", self.initializer())
        settings["kernel_initializer"] = self.initializer()
        return settings

    def window(self, one_stride=False):
        """Kernel, stride, dilation and padding that fit, and the sides of the output."""
        sides = self.shape[:-1]
        kernel = self.sizes(1, 4, equal=0.7)
        stride = self.sizes(1, 3) if self.chance(0.4) else [1] * len(sides)
        if one_stride:
            stride = [stride[0]] * len(sides)
        dilation = self.sizes(1, 2) if max(stride) == 1 and self.chance(0.2) else [1] * len(sides)
        reach = [(size - 1) * d + 1 for size, d in zip(kernel, dilation)]
        padding = "same" if self.chance(0.5) or any(r > s for r, s in zip(reach, sides)) else "valid"
        if padding == "same":
            output = [-(-side // step) for side, step in zip(sides, stride)]
        else:
            output = [(side - r) // step + 1 for side, r, step in zip(sides, reach, stride)]
        settings = {"kernel": self.written(kernel), "padding": padding}
        if max(stride) > 1:
            settings["stride"] = self.written(stride)
        if max(dilation) > 1:
            settings["dilation"] = self.written(dilation)
        return settings, output

    def draw_layer(self):
        rank = len(self.shape)
        kinds = [self.draw_function, self.draw_function, self.draw_norm]
        if rank == 3:
            kinds += [self.draw_convolution] * 4 + [self.draw_depthwise, self.draw_separable, self.draw_transposed]
            kinds += [self.draw_pool, self.draw_pool, self.draw_moving, self.draw_gate]
        elif rank == 2:
            kinds += [self.draw_convolution] * 4 + [self.draw_pool, self.draw_pool, self.draw_moving]
        else:
            kinds += [self.draw_dense] * 3
        if self.last != "input" and self.chance(0.2):
            kinds = [self.draw_branches, self.draw_branches, self.draw_repetition, self.draw_reshaping]
        self.pick(*kinds)()

    def draw_repetition(self):
        """The same layers several times over, which keep the shape."""
        times, inner, place = self.whole(1, 3), [], self.place
        self.place = inner
        for _ in range(self.whole(1, 2)):
            channels = self.shape[-1]
            if self.chance(0.4):
                self.draw_norm()
            elif len(self.shape) == 1:
                self.add("dense", units=channels, **self.kernel_settings())
            else:
                word = "conv2d" if len(self.shape) == 3 else "conv1d"
                self.add(word, filters=channels, kernel=self.pick(1, 2, 3), padding="same", **self.kernel_settings())
        self.place = place
        if inner:
            self.add("repeat", times=times, layers=inner)

    def draw_reshaping(self):
        count = int(np.prod(self.shape))
        if self.chance(0.3):
            self.add("flatten", [count])
            return
        sides = [side for side in range(1, min(count, 40) + 1) if count % side == 0]
        first = self.pick(*sides)
        second = self.pick(*[side for side in sides if (count // first) % side == 0])
        shape = self.pick([count], [first, count // first], [first, second, count // first // second])
        if shape[-1] <= 64 or len(shape) == 1:
            self.add("reshape", shape, shape=shape)

    def draw_convolution(self):
        settings, output = self.window()
        filters = self.pick(self.whole(1, 8), self.whole(1, 8), 16, self.whole(9, 40))
        groups = [g for g in (2, 3) if self.shape[-1] % g == 0 and filters % g == 0]
        if groups and self.chance(0.3):
            settings["groups"] = self.pick(*groups)
        word = "conv2d" if len(self.shape) == 3 else "conv1d"
        if word == "conv1d" and "stride" not in settings and self.chance(0.3):
            settings["padding"] = "causal"
            output = self.shape[:-1]
        self.add(word, output + [filters], filters=filters, **settings, **self.kernel_settings())

    def draw_depthwise(self):
        # TensorFlow, which repeats it, has one stride for both sides here.
        settings, output = self.window(one_stride=True)
        multiplier = self.whole(1, 3)
        self.add(
            "depthwise_conv2d", output + [self.shape[-1] * multiplier], multiplier=multiplier, **settings,
            **self.kernel_settings(),
        )

    def draw_separable(self):
        settings, output = self.window(one_stride=True)
        filters = self.whole(1, 8)
        self.add(
            "separable_conv2d", output + [filters], filters=filters, multiplier=self.whole(1, 3), **settings,
            **self.kernel_settings(),
        )

    def draw_transposed(self):
        sides = self.shape[:-1]
        if max(sides) > 14:
            return
        kernel, stride, padding = self.sizes(1, 4), self.sizes(1, 2), self.pick("same", "valid")
        output = [
            side * step if padding == "same" else side * step + max(size - step, 0)
            for side, size, step in zip(sides, kernel, stride)
        ]
        filters = self.whole(1, 6)
        self.add(
            "conv2d_transpose", output + [filters], filters=filters, kernel=self.written(kernel), stride=self.written(stride),
            padding=padding, **self.kernel_settings(),
        )

    def draw_pool(self):
        sides = self.shape[:-1]
        size = self.sizes(1, 3)
        stride = list(size) if self.chance(0.3) else self.sizes(1, 3)
        fits = all(one <= side for one, side in zip(size, sides))
        padding = "same" if self.chance(0.5) or not fits else "valid"
        output = [
            -(-side // step) if padding == "same" else (side - one) // step + 1
            for side, one, step in zip(sides, size, stride)
        ]
        word = self.pick("max_pool", "average_pool") + ("2d" if len(sides) == 2 else "1d")
        settings = {"stride": "size" if stride == size and self.chance(0.7) else self.written(stride)}
        self.add(word, output + [self.shape[-1]], size=self.written(size), padding=padding, **settings)

    def draw_moving(self):
        is_image = len(self.shape) == 3
        sides = self.shape[:-1]
        suffix = "2d" if is_image else "1d"
        names = ["top", "bottom", "left", "right"] if is_image else ["before", "after"]
        kind = self.pick("zero_padding", "cropping", "up_sampling")
        if kind == "up_sampling":
            if max(sides) > 14:
                return
            size = self.sizes(1, 3)
            settings = {"interpolation": self.pick("nearest", "bilinear")} if is_image else {}
            output = [one * side for one, side in zip(size, sides)]
            self.add("up_sampling" + suffix, output + [self.shape[-1]], size=self.written(size), **settings)
            return
        margins = {name: self.whole(0, 2) for name in names}
        settings = dict(margins)
        if self.chance(0.3):
            # What is the same on several sides may be said once.
            shared = self.whole(0, 2)
            kept = {name: margin for name, margin in margins.items() if self.chance(0.3)}
            margins = {name: kept.get(name, shared) for name in names}
            settings = {"all": shared} | kept | {name: "all" for name in names if name not in kept and self.chance(0.3)}
        values = list(margins.values())
        sums = [values[0] + values[1]] + ([values[2] + values[3]] if is_image else [])
        sign = 1 if kind == "zero_padding" else -1
        output = [s + sign * m for s, m in zip(sides, sums)]
        if min(output) > 0:
            self.add(kind + suffix, output + [self.shape[-1]], **settings)

    def draw_function(self):
        word = self.pick(
            "activation", "activation", "capped_relu", "leaky_relu", "elu", "prelu", "position_bias", "rescale", "dropout",
            "normalization", "local_response_norm",
        )
        if word == "activation":
            self.add(self.pick(*[a for a in ACTIVATIONS if a not in ("leaky_relu", "elu")]))
        elif word == "capped_relu":
            self.add("relu", max_value=self.pick("none", 1, 6, self.number_between(0.2, 3)))
        elif word == "leaky_relu":
            self.add(word, negative_slope=self.pick(0, 1, self.number_between(0, 0.5)))
        elif word == "elu":
            self.add(word, alpha=self.pick(1, self.number_between(0.2, 2)))
        elif word == "prelu":
            self.add(word, shared=self.chance(0.5))
        elif word == "normalization":
            self.draw_normalization()
        elif word == "local_response_norm":
            if len(self.shape) == 3:
                self.add(
                    word, radius=self.whole(0, 3), bias=self.pick(1, self.number_between(0.5, 2)),
                    alpha=self.pick(1, self.number_between(0.01, 1)), beta=self.pick(0.5, self.number_between(0.3, 1)),
                )
        elif word == "rescale":
            self.add(word, scale=self.pick(1, 2, self.number_between(0.5, 2)), offset=self.pick(0, self.number_between(-1, 1)))
        elif word == "dropout":
            # What is dropped is each program's own affair; of nothing both drop the same.
            self.add(word, rate=0)
        else:
            self.add(word)

    def draw_norm(self):
        if self.last == "input":
            return
        settings = {"epsilon": self.pick(0.001, 0.01), "scale": self.chance(0.8), "center": self.chance(0.8)}
        if self.chance(0.3):
            groups = [count for count in range(1, self.shape[-1] + 1) if self.shape[-1] % count == 0]
            # One value in a group is nothing but its offset.
            groups = [count for count in groups if math.prod(self.shape) > count]
            if groups:
                count = self.pick(*groups)
                self.add("group_norm", groups="channels" if count == self.shape[-1] and self.chance(0.5) else count, **settings)
        elif self.chance(0.6):
            self.add("batch_norm", momentum=self.pick(0, 0.5, 0.9), **settings)
        elif self.shape[-1] > 1:
            self.add("layer_norm", **settings)

    def draw_dense(self):
        units = self.whole(1, 12)
        self.add("dense", [units], units=units, **self.kernel_settings())

    def draw_gate(self):
        """Squeeze and excite: a factor for each channel."""
        channels, image = self.shape[-1], (self.last, list(self.shape))
        if image[0] == "input":
            return
        self.add(self.pick("global_average_pool2d", "global_max_pool2d"), [channels])
        self.add("dense", units=channels, activation=self.pick("sigmoid", "hard_sigmoid", "tanh"), bias_initializer="uniform")
        gate = self.add("reshape", [1, 1, channels], shape=[1, 1, channels])
        self.add("multiply", image[1], inputs=[image[0], gate])

    def draw_branches(self):
        start, shape = self.last, list(self.shape)
        names = [start] if self.chance(0.3) else []
        word = self.pick("add", "multiply", "concat")
        for _ in range(self.whole(2 - len(names), 3 - len(names))):
            self.last, self.shape = start, list(shape)
            if len(shape) == 1:
                self.add("dense", units=shape[0], inputs=start, **self.kernel_settings())
            else:
                self.add(
                    "conv2d" if len(shape) == 3 else "conv1d", filters=shape[-1], kernel=self.pick(1, 3), padding="same",
                    inputs=start, **self.kernel_settings(),
                )
            names.append(self.last)
        output = shape[:-1] + [shape[-1] * (len(names) if word == "concat" else 1)]
        self.add(word, output, inputs=names)

    def draw_end(self):
        self.loss = self.pick(
            "softmax_cross_entropy", "softmax_cross_entropy", "sigmoid_cross_entropy", "sigmoid_focal_cross_entropy",
            "mean_squared_error", "mean_absolute_error", "huber",
        )
        self.ends_in = None
        if len(self.shape) > 1 and not self.loss.endswith("entropy") and self.last != "input" and self.chance(0.3):
            # Numbers for the points of an image or sequence; targets may have its shape.
            points, self.outputs = list(self.shape), int(np.prod(self.shape))
            self.add("flatten", [self.outputs])
            self.output_shape = self.pick(points, self.shape)
            return
        if len(self.shape) > 1:
            suffix = "2d" if len(self.shape) == 3 else "1d"
            if self.chance(0.4):
                word = self.pick("global_average_pool", "global_max_pool")
                self.add(word + suffix, [self.shape[-1]])
            else:
                self.add("flatten", [int(np.prod(self.shape))])
        self.outputs = self.whole(2, 6) if self.loss == "softmax_cross_entropy" else self.whole(1, 5)
        end = {"softmax_cross_entropy": "softmax", "sigmoid_cross_entropy": "sigmoid", "sigmoid_focal_cross_entropy": "sigmoid"}.get(
            self.loss
        )
        settings = {"bias_initializer": "uniform"}
        if end and self.chance(0.5):
            settings["activation"] = end
        elif end is None and self.chance(0.2):
            settings["activation"] = self.pick("tanh", "softplus")
        self.ends_in = settings.get("activation")
        self.add("dense", [self.outputs], units=self.outputs, **settings)
        self.output_shape = list(self.shape)

    # The task

    def draw_task(self):
        samples = self.batch * STEPS
        shape = [samples] + self.input
        if self.kind == "words":
            x = self.random.integers(0, self.vocabulary, shape)
            self.x = x.astype("uint8" if self.is_bytes else "float32")
        elif self.is_bytes:
            self.x = self.random.integers(0, 256, shape).astype("uint8")
        else:
            self.x = self.random.normal(0, 1, shape).astype("float32")
        loss = {}
        self.has_classes = self.loss == "softmax_cross_entropy" and self.chance(0.7)
        if self.has_classes:
            self.y = self.random.integers(0, self.outputs, samples).astype("int64")
        elif self.loss == "softmax_cross_entropy":
            shares = self.random.uniform(0, 1, (samples, self.outputs)) + 0.01
            self.y = (shares / shares.sum(1, keepdims=True)).astype("float32")
        elif self.loss.startswith("sigmoid"):
            self.y = self.random.integers(0, 2, (samples, self.outputs)).astype("float32")
        else:
            self.y = self.random.normal(0, 1, [samples] + self.output_shape).astype("float32")
        self.smoothing = 0
        if self.loss.endswith("entropy") and self.chance(0.3):
            self.smoothing = loss["label_smoothing"] = self.number_between(0.05, 0.4)
        self.delta = 1
        if self.loss == "huber":
            self.delta = loss["delta"] = self.pick(1, self.number_between(0.3, 2))
        self.gamma, self.alpha = 2, None
        if self.loss == "sigmoid_focal_cross_entropy":
            self.gamma = loss["gamma"] = self.pick(0, 1, 2, self.number_between(0, 4))
            self.alpha = self.pick(None, self.number_between(0, 1))
            loss["alpha"] = "none" if self.alpha is None else self.alpha
        self.class_weights = None
        if self.loss.endswith("entropy") and self.chance(0.4):
            self.draw_class_weights(loss)
        self.weights = None
        if self.chance(0.2):
            self.weights = self.random.uniform(0, 2, samples).astype("float32")
        self.draw_optimizer()
        train = {"file": "data.h5", "images": "x", ("labels" if self.has_classes else "targets"): "y"}
        if self.weights is not None:
            train["weights"] = "w"
        # A batch normalisation goes over a shard; what else there is does not ask how a minibatch is cut.
        shard = self.batch if "batch_norm" in self.words else self.pick(self.batch, "auto", self.whole(1, self.batch))
        intra = "batch_norm" not in self.words and self.chance(0.15)
        training = {
            "epochs": 1, "batch": self.batch, "shard": 1 if intra else shard, "parallelism": "intra" if intra else "shards",
            "tuning": self.pick("model", "model", "model", "direct", "measured"), "weight_decay_on": self.decays_on, "loss": {self.loss: loss} if loss else self.loss,
            "optimizer": {self.optimizer: self.settings},
        }
        training["clipping"] = self.clipping or "none"
        self.ema = self.number_between(0, 0.99) if self.chance(0.15) else None
        training["ema"] = "none" if self.ema is None else {"decay": self.ema}
        self.max_norm = self.number_between(0.1, 2) if self.chance(0.15) else None
        training["max_norm"] = "none" if self.max_norm is None else {"limit": self.max_norm}
        self.config = {
            "name": f"draw-{self.number}", "seed": self.number, "data": {"train": train, "shuffle": False},
            "network": {"input": self.input, "layers": self.layers}, "training": training,
            "checkpoints": {"every": {"steps": 1}, "keep": {"last": STEPS + 1, "best": 0}},
        }

    def draw_class_weights(self, loss):
        """What counts how much: a class, or a label."""
        if self.chance(0.2):
            loss["class_weights"] = "none"
        elif self.loss == "softmax_cross_entropy" and self.chance(0.3):
            loss["class_weights"] = "balanced"
            classes = self.y if self.has_classes else self.y.argmax(-1)
            counts = np.bincount(classes, minlength=self.outputs)
            self.class_weights = len(classes) / (np.count_nonzero(counts) * np.maximum(counts, 1))
        else:
            self.class_weights = np.array([self.number_between(0, 3) for _ in range(self.outputs)])
            loss["class_weights"] = [float(weight) for weight in self.class_weights]

    def draw_optimizer(self):
        self.decays_on = self.pick("all", "kernels")
        self.optimizer = self.pick("sgd", "sgd", "adam", "adamw", "nadam", "rmsprop", "adagrad", "adadelta", "lion")
        s = {"learning_rate": self.pick(1, 0.1, 0.01, self.number_between(0.001, 0.1))}
        # Where gradients are divided by their own size, noise of a gradient that is zero would become a step: ε holds it down.
        epsilon = self.pick(0.1, 0.01)
        decay = self.pick(0, 0, self.number_between(0.001, 0.1))
        if self.optimizer == "sgd":
            s["momentum"] = self.pick(0, 0.5, 0.9)
            if s["momentum"]:
                s["nesterov"] = self.chance(0.5)
        elif self.optimizer in ("adam", "adamw", "nadam"):
            s.update(beta1=self.pick(0, 0.9), beta2=self.pick(0.9, 0.999), epsilon=epsilon)
        elif self.optimizer == "rmsprop":
            s.update(rho=self.pick(0.5, 0.9), momentum=self.pick(0, 0.9), epsilon=epsilon, centered=self.chance(0.4))
        elif self.optimizer == "adagrad":
            s.update(initial_accumulator=self.pick(0.1, 1), epsilon=epsilon)
        elif self.optimizer == "adadelta":
            s.update(rho=self.pick(0.5, 0.95), epsilon=epsilon)
        else:
            # Every weight moves by the whole rate. By 1, losses and gradients would become too small for float32, and then have no sign.
            s["learning_rate"] = min(s["learning_rate"], 0.1)
            # Keras's takes no 0 for the first.
            s.update(beta1=self.pick(0.1, 0.9), beta2=self.pick(0.9, 0.99))
        s["weight_decay"] = decay
        self.settings = s
        self.clipping = None
        # Keras's stand-in for a bias by position has a matrix more, which would count in the norm.
        if self.chance(0.3):
            kind = "value" if "position_bias" in self.words else self.pick("norm", "value")
            self.clipping = {kind: self.number_between(0.05, 1)}

    # What was drawn

    @property
    def all_layers(self):
        """Each layer as (word, settings), also those that are repeated."""
        found, open_layers = [], list(self.layers)
        while open_layers:
            (word, settings), = open_layers.pop(0).items()
            found.append((word, settings))
            open_layers = settings.get("layers", []) + open_layers if word == "repeat" else open_layers
        return found

    @property
    def words(self):
        return {word for word, _ in self.all_layers}

    @property
    def functions(self):
        return self.words | {settings["activation"] for _, settings in self.all_layers if "activation" in settings}

    @property
    def schema_words(self):
        """The words of the configuration that stand in the parts of the schema above."""
        training = self.config["training"]
        words = schema_words.of_value([{word: settings} for word, settings in self.all_layers], "layers")
        for name, _ in PARTS[1:]:
            words |= schema_words.of_value(training[name], name)
        return words


def wanted_words(schema):
    """What some draw must have."""
    found = set()
    for name, place in PARTS:
        part = schema if place.startswith("$defs") else schema["properties"]["training"]
        part = part["$defs"]["layers"] if place.startswith("$defs") else part["properties"][place.split("/")[1]]
        found |= schema_words.of_schema(part, name)

    def is_excepted(word):
        parts = word.split(".")
        return any(".".join(parts[:count]) in EXCEPTIONS for count in range(1, len(parts) + 1)) or (
            parts[0] == "layers" and len(parts) == 3 and parts[2] in PLACEMENT
        )

    return {word for word in found if not is_excepted(word)}
