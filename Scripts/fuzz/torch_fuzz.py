"""Draws networks in PyTorch, exports them to ONNX, imports them, and compares the outputs with PyTorch's.

    torch_fuzz.py CONVOY DRAWS [--seed S] [--only DRAW] [--keep FOLDER]

A network is a chain of steps that are drawn one after the other for the shape that the one before it gives; what PyTorch itself refuses
is drawn again. Most are exported by the older exporter of TorchScript, which also writes ONNX's older versions, some by the newer one.
A network may be refused, with exit code 65 and one line that names the node; the reasons are counted. For what differs, the shortest part
of the chain that differs as well is printed.
"""

import argparse
import collections
import contextlib
import copy
import logging
import os
import re
import shutil
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
import numpy as np
import onnx
import onnxruntime
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "zoo"))
import comparing
import exchange
import onnx_fuzz
from torch_draw import Draw

# No command takes more seconds for such networks: above that it hangs.
LONGEST = 60


class Different(Exception):
    """Convoy and PyTorch come to different results."""


class NotExported(Exception):
    """PyTorch's exporter refuses a network, or writes one that onnxruntime computes differently."""


@contextlib.contextmanager
def silence():
    """Without what is printed: the exporter writes the graph that it refuses, past Python."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def export(draw, path):
    network = draw.network().eval()
    try:
        if draw.is_new:
            shapes = ({0: torch.export.Dim("n")},) if draw.has_open_count else None
            torch.onnx.export(
                network, (draw.x.clone(),), path, dynamo=True, external_data=False, verbose=False, dynamic_shapes=shapes)
            return
        open_axes = {0: "n"}
        if draw.has_open_size:
            open_axes |= {axis: f"size{axis}" for axis in range(2, draw.x.dim())}
        torch.onnx.export(
            network, (draw.x.clone(),), path, dynamo=False, input_names=["input"], output_names=["output"],
            dynamic_axes={"input": open_axes, "output": {0: "n"}}, opset_version=draw.opset)
    except Exception as error:
        raise NotExported(f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0][:120]}") from None


def computed(draw):
    """What PyTorch gives with twice the digits, and how far it is from that with the usual ones."""
    with torch.no_grad():
        exact = copy.deepcopy(draw.network()).double()(draw.x.double()).numpy()
        usual = draw.network()(draw.x.clone()).numpy()
    return exact, comparing.share(usual, exact)


def moved(values, isMoved):
    """Values with their channels last."""
    return np.moveaxis(values, 1, -1) if isMoved else values


def outputs(convoy, checkpoint, x, wanted, folder):
    """What the imported network gives.

    There is no loss, and so no prediction, for images: these networks are exported again, with their channels last, for onnxruntime.
    """
    if wanted.ndim == 2:
        return exchange.outputs(convoy, checkpoint, x, wanted[0].size, folder, workers=1)
    again = f"{folder}/again.onnx"
    exchange.run(convoy, "export", "onnx", checkpoint, "--to", again, "--overwrite", "--layout", "nhwc", "--input", "float")
    return onnx_fuzz.run_onnx(again, x).reshape(len(x), -1)


def check(convoy, draw, folder):
    """Compares the outputs.

    Raises Different, exchange.Failed or NotExported.
    """
    path, checkpoint = f"{folder}/model.onnx", f"{folder}/model.h5"
    with silence():
        export(draw, path)
    exact, own = computed(draw)
    x = moved(draw.x.numpy(), draw.x.dim() > 2)
    notes = exchange.run(
        convoy, "import", "onnx", path, "--to", checkpoint, "--overwrite", "--loss", "mean_squared_error",
        *(["--input", "x".join(map(str, x.shape[1:]))] if draw.has_open_size else []),
    )
    if "the network here the probabilities" in notes:
        exact = np.exp(exact)
    # The import says what it takes for channels, and where it puts them last.
    if "the model takes [N, channels" not in notes:
        x = draw.x.numpy()
    wanted = moved(exact, "with the model's first dimension, the channels, last" in notes).reshape(len(x), -1)
    off = comparing.share(outputs(convoy, checkpoint, x, exact, folder), wanted)
    # Where values nearly cancel each other, PyTorch loses digits as well.
    if off <= max(comparing.TOLERANCE, 4 * own):
        return
    theirs = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {input_name(path): draw.x.numpy()})[0]
    if comparing.share(theirs, exact) > 1e-3:
        raise NotExported("written by PyTorch as another network")
    raise Different(f"Convoy and PyTorch differ by {off:.3g}, and PyTorch with itself by {own:.1g}")


def input_name(path):
    return onnx.load(path).graph.input[0].name


def outcome(convoy, draw, folder):
    """What came of a draw: `equal`, `refused`, `not exported` or `wrong`; and why."""
    try:
        check(convoy, draw, folder)
    except NotExported as error:
        return "not exported", str(error)
    except exchange.Failed as error:
        if error.code == 65 and "\n" not in error.message and "model.onnx: " in error.message:
            return "refused", error.message.split("model.onnx: ")[-1].split("; supported are")[0]
        return "wrong", str(error)
    except Exception as error:
        return "wrong", f"{type(error).__name__}: {error}"
    return "equal", ""


def reduced(convoy, draw, folder):
    """The shortest part of the network that is wrong as well."""
    count = len(draw.steps)
    for length in range(1, count):
        for first in range(count - length + 1):
            part = draw.part(first, first + length)
            # Vectors are no input of a network of images.
            if len(part.shapes[0]) in (2, 3) and outcome(convoy, part, folder)[0] == "wrong":
                return part
    return draw


def reason(text):
    """A refusal without what is special to one node."""
    text = re.sub(r"^(the )?.*?\((\w+)\)( |: )", r"\2: ", text, count=1)
    return re.sub(r"-?\d+(\.\d+)?(×-?\d+)*", "#", text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("convoy")
    parser.add_argument("draws", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int)
    parser.add_argument("--keep")
    options = parser.parse_args()
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    # A hanging command would hold up all draws behind it.
    exchange.run.__kwdefaults__["timeout"] = LONGEST
    counts, reasons, wrong = collections.Counter(), collections.defaultdict(list), []
    for number in [options.only] if options.only is not None else range(options.draws):
        draw = Draw(options.seed, number)
        with tempfile.TemporaryDirectory() as folder:
            result, text = outcome(options.convoy, draw, folder)
            counts[result] += 1
            if result in ("refused", "not exported"):
                reasons[f"{result}: {reason(text)}"].append(number)
            if options.only is not None:
                print(f"{draw.text()}\n{result}: {text}")
            if options.keep and (result == "wrong" or options.only is not None):
                shutil.copytree(folder, f"{options.keep}/{number}", dirs_exist_ok=True)
            if result == "wrong":
                wrong.append(number)
                print(f"draw {number}: {text}\n  least: {reduced(options.convoy, draw, folder).text()}", file=sys.stderr, flush=True)
    for text, numbers in sorted(reasons.items(), key=lambda item: -len(item[1])):
        print(f"{len(numbers):4} {text} (such as {', '.join(map(str, numbers[:3]))})")
    print(f"{', '.join(f'{count} {result}' for result, count in counts.most_common())}; wrong: {wrong}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
