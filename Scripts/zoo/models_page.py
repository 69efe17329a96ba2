"""Prints Configs/MODELS.md from the tables of onnx_zoo.py and keras_zoo.py: models_page.py FOLDER.

What the page says of the configs' own networks, which Scripts/onnx-configs writes, stays.
"""

import sys

folder = sys.argv[1]
with open("Configs/MODELS.md", encoding="utf-8") as file:
    own = file.read().split("\n## The networks of these configs")[1]
print("""# Networks of other programs

Written by `Scripts/model-zoo`. Each network has random weights that hide nothing: factors and offsets are drawn, running statistics are nearly those
of a batch of images. It was saved or exported by its own program, imported here, and both computed the outputs for two images. "Equal within" is the
largest difference between their outputs, as a share of the largest output; above 1e-5 it would count as wrong, and so would outputs for the two
images that are closer than a twentieth of the largest. Variances are larger than those of the batch by the largest factor of a list that keeps the
images so far apart: without it, deep networks with random weights magnify rounding, and Keras's own result in float32 is as far from float64 as
Convoy's (MobileNetV2: 7.8e-06 and 8.1e-06). A network that is refused is refused with the name of the layer or node, as the table shows it.

## torchvision, timm, and Keras through tf2onnx: `convoy import onnx`
""")
print(open(f"{folder}/torch").read())
print("""## keras.applications: `convoy import keras`

Saved as `.keras` without the last function; written back by `convoy export keras`, as `.keras` and as `.weights.h5`, Keras computes the same within
that bound, too.
""")
print(open(f"{folder}/keras").read(), end="")
print("\n## The networks of these configs" + own, end="")
