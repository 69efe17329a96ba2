"""Compares exported networks with onnxruntime, and reads them back: the work of Scripts/onnx-fuzz.

Draws are those of keras_draw.py, so that every layer, setting and function of the schema comes up. Each network is trained for a few steps, exported with a drawn version of the operators, layout and type of input,
checked by onnx.checker, run by onnxruntime, and imported again.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

import exchange
import keras_draw
import schema_words

TOLERANCE = 1e-5
OPSETS = [13, 14, 15, 16, 17, 18, 19, 20, 21, 22]


class Different(Exception):
    """Convoy and onnxruntime come to different results."""


def train(convoy, draw, folder):
    exchange.write_draw(draw, folder)
    try:
        exchange.run(convoy, "train", f"{folder}/draw.yaml", "--run-dir", f"{folder}/run")
    except exchange.Failed as error:
        # A configuration that is refused, or a loss that is not finite.
        if error.code in (76, 78):
            return None
        raise
    return f"{folder}/run"


def predict(convoy, draw, checkpoint, folder):
    target = "--labels" if draw.has_classes else "--targets"
    text = exchange.run(
        convoy, "predict", checkpoint, "--data", f"{folder}/data.h5", "--images", "x", target, "y", "--rows",
        f"0-{len(draw.x) - 1}", "--json",
    )
    rows = json.loads(text)
    key = "probabilities" if "probabilities" in rows[0] else "values"
    return np.array([row[key] for row in rows], "float64").reshape(len(rows), -1)


def turned(x, layout):
    """Samples as the exported model takes them."""
    return np.ascontiguousarray(np.moveaxis(x, -1, 1)) if layout == "nchw" and x.ndim > 2 else x


def turned_back(y, layout):
    return np.moveaxis(y, 1, -1) if layout == "nchw" and y.ndim > 2 else y


def run_onnx(path, x):
    onnx.checker.check_model(path, full_check=True)
    session = onnxruntime.InferenceSession(
        with_exact_lrn(onnx.load(path)).SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})[0]


def with_exact_lrn(model):
    """The model with its LRN nodes as their formula.

    onnxruntime adds the square of the channel that enters a window and takes away that of the one that leaves it, so that a large channel
    swallows digits of those after it: 4e-4 in draw 131, where the formula in float64 agrees with Convoy within 1e-6.
    """
    graph = onnx.shape_inference.infer_shapes(model).graph
    shapes = {info.name: info.type.tensor_type.shape.dim for info in [*graph.input, *graph.value_info, *graph.output]}
    nodes = []
    for node in model.graph.node:
        if node.op_type != "LRN":
            nodes.append(node)
            continue
        settings = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
        shape = shapes[node.input[0]]
        channels = np.arange(shape[1].dim_value)
        window = np.abs(channels[:, None] - channels) <= (settings["size"] - 1) // 2
        kernel = window.reshape(*window.shape, *[1] * (len(shape) - 2)) * settings["alpha"] / settings["size"]
        names = [f"{node.name}/{part}" for part in ("kernel", "bias", "power", "squares", "sums", "scales")]
        bias = np.full(len(channels), settings["bias"])
        for name, values in zip(names, (kernel, bias, np.array(-settings["beta"]))):
            model.graph.initializer.append(onnx.numpy_helper.from_array(values.astype("float32"), name))
        steps = [
            ("Mul", [node.input[0], node.input[0]], names[3]), ("Conv", [names[3], *names[:2]], names[4]),
            ("Pow", [names[4], names[2]], names[5]), ("Mul", [node.input[0], names[5]], node.output[0]),
        ]
        nodes += [onnx.helper.make_node(operation, inputs, [output]) for operation, inputs, output in steps]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def check(convoy, draw, folder):
    """Returns whether there was something to compare."""
    run = train(convoy, draw, folder)
    if run is None:
        return False
    random = np.random.default_rng([7, draw.number])
    layout = str(random.choice(["nchw", "nhwc"]))
    opset = int(random.choice(OPSETS))
    is_bytes = draw.x.dtype == np.uint8 and random.random() < 0.5
    path = f"{folder}/model.onnx"
    exchange.run(
        convoy, "export", "onnx", run, "--to", path, "--opset", opset, "--layout", layout, "--input",
        "uint8" if is_bytes else "float", "--probabilities",
    )
    samples = draw.x if is_bytes else draw.x.astype("float32")
    theirs = turned_back(run_onnx(path, turned(samples, layout)), layout)
    own = predict(convoy, draw, f"{folder}/run", folder)
    # A training that diverged in its last step.
    if np.isnan(own).all() and np.isnan(theirs).all():
        return False
    compare(own, theirs, f"opset {opset}, {layout}: Convoy and onnxruntime")
    # What was written comes back.
    exchange.run(convoy, "import", "onnx", path, "--to", f"{folder}/again.h5", "--loss", "mean_squared_error")
    again = exchange.outputs(convoy, f"{folder}/again.h5", draw.x, own.shape[1], folder)
    compare(again, theirs, f"opset {opset}, {layout}: the imported model and onnxruntime")
    return True


def compare(found, wanted, what):
    off = exchange.difference(found, wanted)
    if not off <= TOLERANCE:
        raise Different(f"{what} differ by {off:.3g}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("convoy")
    parser.add_argument("draws", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("--only", type=int)
    parser.add_argument("--keep")
    options = parser.parse_args()
    missing = schema_words.never_drawn(
        {word for word in keras_draw.wanted_words(schema_words.of_program(options.convoy)) if word.startswith("layers")},
        lambda number: keras_draw.Draw(options.seed, number).schema_words,
    )
    if missing:
        sys.exit(f"error: of what the schema has, these are never drawn: {sorted(missing)}")
    done, left, failed = 0, 0, []
    for number in [options.only] if options.only is not None else range(options.draws):
        draw = keras_draw.Draw(options.seed, number)
        with tempfile.TemporaryDirectory() as folder:
            try:
                if check(options.convoy, draw, folder):
                    done += 1
                else:
                    left += 1
            except (Different, exchange.Failed, onnx.checker.ValidationError, Exception) as error:
                failed.append(number)
                print(f"draw {number}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
                if options.keep:
                    shutil.copytree(folder, f"{options.keep}/{number}", dirs_exist_ok=True)
    print(f"{done} networks equal within {TOLERANCE:g}, {left} left out, {len(failed)} not: {failed}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
