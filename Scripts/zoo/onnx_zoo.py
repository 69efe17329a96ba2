"""Networks of torchvision, timm and Keras with random weights: exported to ONNX, imported, and compared with their origin.

    onnx_zoo.py CONVOY [NAME …] [--table FILE] [--size PIXELS]

Names are those of torchvision; `timm/NAME` and `keras/NAME` take the others (Keras by tf2onnx). Without names all of the list below.
Prints a line for each, and a table for the documentation with --table.
"""

import argparse
import os
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fuzz"))
import comparing
import exchange

TORCHVISION = [
    "alexnet", "vgg11", "vgg16_bn", "resnet18", "resnet50", "resnext50_32x4d", "wide_resnet50_2", "densenet121",
    "squeezenet1_0", "squeezenet1_1", "googlenet", "inception_v3", "mobilenet_v2", "mobilenet_v3_small",
    "mobilenet_v3_large", "mnasnet1_0", "shufflenet_v2_x1_0", "efficientnet_b0", "efficientnet_v2_s", "regnet_y_400mf",
    "regnet_x_400mf", "convnext_tiny", "swin_t", "vit_b_16",
]
TIMM = [
    "resnet18", "resnet50d", "seresnet18", "skresnet18", "mobilenetv2_100", "mobilenetv3_small_100", "mobilenetv4_conv_small",
    "efficientnet_b0", "efficientnet_lite0", "tf_efficientnet_b0", "tf_efficientnet_lite0", "tf_efficientnetv2_b0", "mixnet_s",
    "ghostnet_100", "hardcorenas_a", "lcnet_100", "fbnetc_100", "spnasnet_100", "rexnet_100", "densenet121", "dla34",
    "dpn68", "vgg11", "vgg11_bn", "xception41", "inception_v4", "darknet53", "cspresnet50", "cspdarknet53", "repvgg_a0",
    "regnetx_002", "regnety_002", "convnext_atto", "convnextv2_atto", "convmixer_768_32", "nfnet_f0", "selecsls42b",
    "hrnet_w18_small", "vovnet39a", "res2net50_26w_4s", "gernet_s", "ese_vovnet19b_dw", "resnetv2_50",
]
# Networks whose adaptive pools or patches fit no other size.
WHOLE_SIZE = ("alexnet", "vgg", "swin", "vit")
KERAS = ["MobileNetV2", "ResNet50", "DenseNet121", "EfficientNetB0"]


def settled(model, images, rng):
    """Weights that hide nothing, and running statistics as after a training, as keras_zoo.py has them."""
    torch.manual_seed(1)
    norms = [module for module in model.modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)]
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)) and not norms:
                # As first made, some networks' values vanish from layer to layer.
                torch.nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        for name, parameter in model.named_parameters():
            # Factors that begin near zero switch off what they multiply.
            if parameter.dim() == 1 and name.endswith("weight") or "layer_scale" in name or name.endswith("gamma"):
                parameter.uniform_(0.7, 1.3)
            elif name.endswith(("bias", "beta")):
                parameter.normal_(0, 0.2)
        model.eval()
        if not norms:
            return model
        kept = [norm.momentum for norm in norms]
        for norm in norms:
            norm.momentum = 1.0
            norm.train()
        model(torch_images(comparing.pictures(16, images.shape[-1], rng)))
        variances = []
        for norm, momentum in zip(norms, kept):
            norm.momentum = momentum
            norm.eval()
            variance = norm.running_var.clone()
            norm.running_mean += torch.randn_like(variance) * 0.1 * variance.sqrt()
            variances.append(variance * torch.empty_like(variance).uniform_(0.8, 1.25))
        for factor in comparing.FACTORS:
            for norm, variance in zip(norms, variances):
                norm.running_var.copy_(factor * variance)
            if comparing.spread(model(images).numpy()) >= comparing.LEAST_SPREAD:
                break
    return model


def torch_images(pictures):
    """Pictures of bytes as PyTorch's networks take them: channels first, about the mean."""
    return torch.from_numpy((pictures - 127.5) / 64).permute(0, 3, 1, 2).contiguous()


def torch_model(name):
    if name.startswith("timm/"):
        import timm

        return timm.create_model(name[5:], pretrained=False)
    import torchvision

    options = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
    if name in ("googlenet", "inception_v3"):
        options["aux_logits"] = True
    return getattr(torchvision.models, name)(weights=None, **options)


def export(model, x, path, dynamo):
    if dynamo:
        torch.onnx.export(model, (x,), path, dynamo=True, external_data=False, verbose=False)
    else:
        torch.onnx.export(
            model, (x,), path, dynamo=False, input_names=["input"], output_names=["output"],
            dynamic_axes={"input": {0: "n"}, "output": {0: "n"}}, opset_version=17,
        )


def compare_torch(convoy, name, folder, size, dynamo):
    rng = np.random.default_rng(2)
    x = torch_images(comparing.pictures(2, size, rng))
    model = settled(torch_model(name), x, rng)
    with torch.no_grad():
        wanted = model(x)
    path = f"{folder}/model.onnx"
    # A network that was exported for a number of samples takes that number; Convoy takes any.
    export(model, x[:1] if not dynamo else x, path, dynamo)
    exchange.run(
        convoy, "import", "onnx", path, "--to", f"{folder}/model.h5", "--overwrite", "--loss", "mean_squared_error",
        *(["--input", f"{size}x{size}x3"] if not dynamo else []),
    )
    channels_last = x.permute(0, 2, 3, 1).numpy()
    found = exchange.outputs(convoy, f"{folder}/model.h5", channels_last, wanted[0].numel(), folder)
    return comparing.share(found, wanted.numpy().reshape(len(x), -1)), comparing.spread(wanted.numpy())


def compare_keras(convoy, name, folder):
    import keras
    import keras_zoo
    import tf2onnx

    model, x = keras_zoo.build(getattr(keras.applications, name), name, 10)
    wanted = model.predict(x, verbose=0)
    path = f"{folder}/model.onnx"
    tf2onnx.convert.from_keras(model, output_path=path, opset=17)
    exchange.run(
        convoy, "import", "onnx", path, "--to", f"{folder}/model.h5", "--overwrite", "--loss", "mean_squared_error")
    return comparing.share(exchange.outputs(convoy, f"{folder}/model.h5", x, 10, folder), wanted), comparing.spread(wanted)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("convoy")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--table")
    parser.add_argument("--size", type=int, default=0)
    parser.add_argument("--exporter", choices=["torchscript", "dynamo"], default="torchscript")
    options = parser.parse_args()
    names = options.names or TORCHVISION + [f"timm/{name}" for name in TIMM] + [f"keras/{name}" for name in KERAS]
    rows, wrong = [], 0
    for name in names:
        size = options.size or (299 if "inception" in name else 224 if name.startswith(WHOLE_SIZE) else 96)
        with tempfile.TemporaryDirectory() as folder:
            try:
                if name.startswith("keras/"):
                    off, spread = compare_keras(options.convoy, name[6:], folder)
                else:
                    off, spread = compare_torch(options.convoy, name, folder, size, options.exporter == "dynamo")
                result, isRight = comparing.verdict(off, spread)
                wrong += not isRight
            except exchange.Failed as error:
                place = error.message.split("model.onnx: ")[-1]
                result = f"refused: {place.split('; supported are')[0]}"
                wrong += error.code != 65
                if error.code != 65:
                    result = f"FAILED with {error.code}: {error.message}"
            except Exception as error:
                result = f"not exported: {type(error).__name__}: {str(error)[:120]}"
        rows.append((name, result))
        print(f"{name}: {result}", flush=True)
    if options.table:
        exchange.write_table(options.table, rows)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
