"""Draws small trainings that Keras can repeat: networks of the layers that both have, data, losses and optimizers."""

import numpy as np

ACTIVATIONS = ["relu", "relu6", "leaky_relu", "elu", "gelu", "silu", "softplus", "sigmoid", "hard_sigmoid", "tanh", "softmax"]
STEPS = 4


class Draw:
    """One training: `config` as nested Python values, and its data sets by name."""

    def __init__(self, seed, number):
        self.number = number
        self.random = np.random.default_rng([seed, number])
        self.layers = []
        self.count = 0
        self.batch = int(self.random.integers(2, 9))
        self.draw_input()
        for _ in range(int(self.random.integers(2, 7))):
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

    # The network

    def add(self, word, gives=None, inputs=None, **settings):
        """Adds a layer behind the last one; returns its name."""
        self.count += 1
        name = f"layer_{self.count}"
        settings["name"] = name
        if inputs is not None:
            settings["inputs"] = inputs
        self.layers.append({word: settings})
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
                frozen=self.chance(0.2),
            )
        elif self.is_bytes:
            self.add("rescale", scale=1 / 128, offset=-1)
        elif self.chance(0.2):
            channels = self.shape[-1]
            count = self.pick(1, channels)
            self.add(
                "normalization", mean=[self.number_between(-1, 1) for _ in range(count)],
                variance=[self.pick(1, self.number_between(0.5, 2)) for _ in range(count)],
            )

    def kernel_settings(self):
        settings = {}
        if self.chance(0.2):
            settings["use_bias"] = False
        if self.chance(0.6):
            settings["activation"] = self.pick("relu", *ACTIVATIONS)
        # A bias that starts at zero behind ReLU would lie on the kink.
        settings["bias_initializer"] = self.pick("uniform", "truncated_normal")
        settings["kernel_initializer"] = self.pick("glorot_uniform", "he_normal", "lecun_uniform")
        return settings

    def window(self):
        """Kernel, stride, dilation and padding that fit, and the sides of the output."""
        sides = self.shape[:-1]
        kernel = [self.whole(1, 4) for _ in sides]
        if len(sides) == 2 and self.chance(0.7):
            kernel[1] = kernel[0]
        stride = self.pick(1, 1, 1, 2, 3)
        dilation = 2 if stride == 1 and self.chance(0.2) else 1
        reach = [(size - 1) * dilation + 1 for size in kernel]
        padding = "same" if self.chance(0.5) or any(r > s for r, s in zip(reach, sides)) else "valid"
        if padding == "same":
            output = [-(-side // stride) for side in sides]
        else:
            output = [(side - r) // stride + 1 for side, r in zip(sides, reach)]
        settings = {"kernel": kernel if len(kernel) == 2 else kernel[0], "padding": padding}
        if stride > 1:
            settings["stride"] = stride
        if dilation > 1:
            settings["dilation"] = dilation
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
        if self.last != "input" and self.chance(0.15):
            kinds = [self.draw_branches]
        self.pick(*kinds)()

    def draw_convolution(self):
        settings, output = self.window()
        filters = self.pick(self.whole(1, 8), 16)
        groups = [g for g in (2, 3) if self.shape[-1] % g == 0 and filters % g == 0]
        if groups and self.chance(0.3):
            settings["groups"] = self.pick(*groups)
        word = "conv2d" if len(self.shape) == 3 else "conv1d"
        if word == "conv1d" and "stride" not in settings and self.chance(0.3):
            settings["padding"] = "causal"
            output = self.shape[:-1]
        self.add(word, output + [filters], filters=filters, **settings, **self.kernel_settings())

    def draw_depthwise(self):
        settings, output = self.window()
        multiplier = self.whole(1, 3)
        self.add(
            "depthwise_conv2d", output + [self.shape[-1] * multiplier], multiplier=multiplier, **settings,
            **self.kernel_settings(),
        )

    def draw_separable(self):
        settings, output = self.window()
        filters = self.whole(1, 8)
        self.add(
            "separable_conv2d", output + [filters], filters=filters, multiplier=self.whole(1, 3), **settings,
            **self.kernel_settings(),
        )

    def draw_transposed(self):
        kernel, stride, padding = self.whole(1, 4), self.whole(1, 2), self.pick("same", "valid")
        sides = self.shape[:-1]
        if max(sides) > 14:
            return
        output = [s * stride if padding == "same" else s * stride + max(kernel - stride, 0) for s in sides]
        filters = self.whole(1, 6)
        self.add(
            "conv2d_transpose", output + [filters], filters=filters, kernel=kernel, stride=stride, padding=padding,
            **self.kernel_settings(),
        )

    def draw_pool(self):
        sides = self.shape[:-1]
        size, stride = self.whole(1, 3), self.whole(1, 3)
        padding = "same" if self.chance(0.5) or min(sides) < size else "valid"
        output = [-(-s // stride) if padding == "same" else (s - size) // stride + 1 for s in sides]
        word = self.pick("max_pool", "average_pool") + ("2d" if len(sides) == 2 else "1d")
        self.add(word, output + [self.shape[-1]], size=size, stride=stride, padding=padding)

    def draw_moving(self):
        is_image = len(self.shape) == 3
        sides = self.shape[:-1]
        suffix = "2d" if is_image else "1d"
        names = ["top", "bottom", "left", "right"] if is_image else ["before", "after"]
        kind = self.pick("zero_padding", "cropping", "up_sampling")
        if kind == "up_sampling":
            if max(sides) > 14:
                return
            settings = {"interpolation": self.pick("nearest", "bilinear")} if is_image else {}
            self.add("up_sampling" + suffix, [2 * s for s in sides] + [self.shape[-1]], size=2, **settings)
            return
        margins = [self.whole(0, 2) for _ in names]
        sums = [margins[0] + margins[1]] + ([margins[2] + margins[3]] if is_image else [])
        sign = 1 if kind == "zero_padding" else -1
        output = [s + sign * m for s, m in zip(sides, sums)]
        if min(output) > 0:
            self.add(kind + suffix, output + [self.shape[-1]], **dict(zip(names, margins)))

    def draw_function(self):
        word = self.pick(
            "activation", "activation", "capped_relu", "leaky_relu", "elu", "prelu", "position_bias", "rescale", "dropout"
        )
        if word == "activation":
            self.add(self.pick(*[a for a in ACTIVATIONS if a not in ("leaky_relu", "elu")]))
        elif word == "capped_relu":
            self.add("relu", max_value=self.pick(1, 6, self.number_between(0.2, 3)))
        elif word == "leaky_relu":
            self.add(word, negative_slope=self.pick(0, 1, self.number_between(0, 0.5)))
        elif word == "elu":
            self.add(word, alpha=self.pick(1, self.number_between(0.2, 2)))
        elif word == "prelu":
            self.add(word, shared=self.chance(0.5))
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
        if self.chance(0.6):
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
        word = self.pick("add", "multiply", "concat")
        output = shape[:-1] + [shape[-1] * (len(names) if word == "concat" else 1)]
        self.add(word, output, inputs=names)

    def draw_end(self):
        self.loss = self.pick(
            "softmax_cross_entropy", "softmax_cross_entropy", "sigmoid_cross_entropy", "mean_squared_error",
            "mean_absolute_error", "huber",
        )
        if len(self.shape) > 1:
            suffix = "2d" if len(self.shape) == 3 else "1d"
            if self.chance(0.4):
                word = self.pick("global_average_pool", "global_max_pool")
                self.add(word + suffix, [self.shape[-1]])
            else:
                self.add("flatten", [int(np.prod(self.shape))])
        self.outputs = self.whole(2, 6) if self.loss == "softmax_cross_entropy" else self.whole(1, 5)
        end = {"softmax_cross_entropy": "softmax", "sigmoid_cross_entropy": "sigmoid"}.get(self.loss)
        settings = {"bias_initializer": "uniform"}
        if end and self.chance(0.5):
            settings["activation"] = end
        elif end is None and self.chance(0.2):
            settings["activation"] = self.pick("tanh", "softplus")
        self.ends_in = settings.get("activation")
        self.add("dense", [self.outputs], units=self.outputs, **settings)

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
        elif self.loss == "sigmoid_cross_entropy":
            self.y = self.random.integers(0, 2, (samples, self.outputs)).astype("float32")
        else:
            self.y = self.random.normal(0, 1, (samples, self.outputs)).astype("float32")
        self.smoothing = 0
        if self.loss.endswith("entropy") and self.chance(0.3):
            self.smoothing = loss["label_smoothing"] = self.number_between(0.05, 0.4)
        self.delta = 1
        if self.loss == "huber":
            self.delta = loss["delta"] = self.pick(1, self.number_between(0.3, 2))
        self.weights = None
        if self.chance(0.2):
            self.weights = self.random.uniform(0, 2, samples).astype("float32")
        self.draw_optimizer()
        train = {"file": "data.h5", "images": "x", ("labels" if self.has_classes else "targets"): "y"}
        if self.weights is not None:
            train["weights"] = "w"
        training = {
            "epochs": 1, "batch": self.batch, "shard": self.batch, "loss": {self.loss: loss} if loss else self.loss,
            "optimizer": {self.optimizer: self.settings},
        }
        if self.clipping:
            training["clipping"] = self.clipping
        self.config = {
            "name": f"draw-{self.number}", "seed": self.number, "data": {"train": train, "shuffle": False},
            "network": {"input": self.input, "layers": self.layers}, "training": training,
            "checkpoints": {"every": {"steps": 1}, "keep": {"last": STEPS + 1, "best": 0}},
        }

    def draw_optimizer(self):
        self.optimizer = self.pick("sgd", "sgd", "adam", "adamw", "rmsprop", "adagrad", "adadelta", "lion")
        s = {"learning_rate": self.pick(1, 0.1, 0.01, self.number_between(0.001, 0.1))}
        # Where gradients are divided by their own size, noise of a gradient that is zero would become a step: ε holds it down.
        epsilon = self.pick(0.1, 0.01)
        decay = self.pick(0, 0, self.number_between(0.001, 0.1))
        if self.optimizer == "sgd":
            s["momentum"] = self.pick(0, 0.5, 0.9)
            if s["momentum"]:
                s["nesterov"] = self.chance(0.5)
        elif self.optimizer in ("adam", "adamw"):
            s.update(beta1=self.pick(0, 0.9), beta2=self.pick(0.9, 0.999), epsilon=epsilon)
        elif self.optimizer == "rmsprop":
            s.update(rho=self.pick(0.5, 0.9), momentum=self.pick(0, 0.9), epsilon=epsilon, centered=self.chance(0.4))
        elif self.optimizer == "adagrad":
            s.update(initial_accumulator=self.pick(0.1, 1), epsilon=epsilon)
        elif self.optimizer == "adadelta":
            s.update(rho=self.pick(0.5, 0.95), epsilon=epsilon)
        else:
            s.update(beta1=self.pick(0, 0.9), beta2=self.pick(0.9, 0.99))
        s["weight_decay"] = decay
        self.settings = s
        self.clipping = None
        # Keras's stand-in for a bias by position has a matrix more, which would count in the norm.
        if self.chance(0.3):
            words = {word for layer in self.layers for word in layer}
            kind = "value" if "position_bias" in words else self.pick("norm", "value")
            self.clipping = {kind: self.number_between(0.05, 1)}

    @property
    def words(self):
        return {word for layer in self.layers for word in layer}

    @property
    def functions(self):
        names = {settings.get("activation") for layer in self.layers for settings in layer.values()}
        return self.words | {name for name in names if name}
