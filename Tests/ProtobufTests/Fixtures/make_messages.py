"""Messages that ONNX's and TensorBoard's own classes write, each with every field that Sources/Protobuf knows: for MessageTests.

    make_messages.py            needs onnx and tensorboard
"""

import os

import onnx
from tensorboard.compat.proto import event_pb2
from tensorboard.plugins.hparams import plugin_data_pb2

FOLDER = os.path.dirname(os.path.abspath(__file__))


def write(name, message):
    with open(os.path.join(FOLDER, name), "wb") as file:
        file.write(message.SerializeToString(deterministic=True))


def model():
    model = onnx.ModelProto(
        ir_version=8, producer_name="producer", producer_version="1.2", doc_string="words",
        opset_import=[onnx.OperatorSetIdProto(domain="", version=17), onnx.OperatorSetIdProto(domain="other", version=-1)],
    )
    model.metadata_props.add(key="key", value="value")
    graph = model.graph
    graph.name = "graph"
    node = graph.node.add(name="node", op_type="Conv", domain="ai.onnx", input=["x", ""], output=["y"])
    for setting in (
        {"type": 1, "f": 0.0}, {"type": 2, "i": -3}, {"type": 3, "s": b"text\xff"},
        {"type": 4, "t": onnx.TensorProto(name="t", dims=[], data_type=1)}, {"type": 6, "floats": [0.5, -1]},
        {"type": 7, "ints": [2**62, -1]}, {"type": 8, "strings": [b"a", b""]},
    ):
        node.attribute.add(name=f"setting{setting['type']}", **setting)
    node.metadata_props.add(key="scope", value="module")
    tensor = graph.initializer.add(
        name="w", dims=[2, 0, 3], data_type=10, float_data=[1.5, -2], int32_data=[-1, 7], int64_data=[-(2**63)],
        raw_data=b"\x00\x01", double_data=[0.25], uint64_data=[2**64 - 1], data_location=1,
    )
    tensor.external_data.add(key="location", value="file")
    for infos in (graph.input, graph.output, graph.value_info):
        info = infos.add(name="info")
        info.type.tensor_type.elem_type = 1
        info.type.tensor_type.shape.dim.add(dim_param="N")
        info.type.tensor_type.shape.dim.add(dim_value=-1)
        info.type.tensor_type.shape.dim.add()
    graph.sparse_initializer.add()
    model.functions.add(name="function", domain="own")
    return model


def events():
    start = plugin_data_pb2.HParamsPluginData()
    start.session_start_info.hparams["batch"].number_value = 64
    start.session_start_info.start_time_secs = 1.5
    summary = event_pb2.Event(wall_time=1.5, step=-2)
    summary.summary.value.add(tag="scalar", simple_value=0)
    summary.summary.value.add(tag="image").image.CopyFrom(
        summary.summary.Image(height=2, width=3, colorspace=4, encoded_image_string=b"png"))
    histogram = summary.summary.value.add(tag="histogram").histo
    histogram.min, histogram.max, histogram.num, histogram.sum, histogram.sum_squares = 1, 2, 3, 4, 5
    histogram.bucket_limit.extend([6, 7])
    histogram.bucket.extend([8, 9])
    plugin = summary.summary.value.add(tag="plugin").metadata.plugin_data
    plugin.plugin_name, plugin.content = "hparams", start.SerializeToString(deterministic=True)
    session = event_pb2.Event(wall_time=2)
    session.session_log.status = 1
    return {"version": event_pb2.Event(wall_time=1, file_version="brain.Event:2"), "summary": summary, "session": session}


write("onnx.pb", model())
for name, event in events().items():
    write(f"tensorboard-{name}.pb", event)
