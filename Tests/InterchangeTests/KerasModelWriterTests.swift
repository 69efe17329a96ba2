import Foundation
import HDF5
import Networks
import Tensors
import TestSupport
import Testing
import Training

@testable import Interchange

@Suite("Models as Keras reads them")
struct KerasModelWriterTests {
  @Test("the file is a Keras model: its attributes, and its weights in Keras's order under Keras's names")
  func layout() throws {
    let network = try Network(
      inputShape: [5, 6, 2],
      layers: [
        Layer(name: "bn", inputs: ["input"], spec: .batchNorm(BatchNorm(scale: false))),
        Layer(name: "place", inputs: ["bn"], spec: .positionBias),
        Layer(
          name: "conv", inputs: ["place"],
          spec: .conv2D(Conv2D(filters: 4, kernel: Size2D(3, 1), groups: 2, useBias: false))),
        Layer(name: "flat", inputs: ["conv"], spec: .flatten),
        Layer(name: "out", inputs: ["flat"], spec: .dense(Dense(units: 3))),
      ]
    ).resolved()
    let checkpoint = Checkpoint(
      network: network, name: "example", progress: TrainingProgress(), identity: RunIdentity(runID: "a"),
      values: ParameterLayout(network).initialValues(seed: 1), optimizer: nil, slots: [])
    let folder = try TemporaryDirectory()
    try CheckpointFile.write(checkpoint, to: folder.file("x.h5"), model: KerasModelWriter())
    let root = try HDF5.File.open(folder.file("x.h5")).root
    let text = try root.attributes.string("model_config")
    let model = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(model["class_name"] as? String == "Functional")
    let weights = try root.group("model_weights")
    #expect(
      try weights.attributes.strings("layer_names") == ["input_layer", "bn", "place", "conv", "flat", "out"])
    #expect(
      try weights.group("bn").attributes.strings("weight_names")
        == ["bn/beta", "bn/moving_mean", "bn/moving_variance"])
    #expect(try weights.group("flat").attributes.strings("weight_names").isEmpty)
    #expect(try weights.dataset("conv/conv/kernel").shape == [3, 1, 1, 4])
    // Keras has no bias by position; an identity stands beside ours.
    #expect(
      try weights.dataset("place/place/kernel").read(Float.self) == (0..<4).map { $0 % 3 == 0 ? 1 : 0 })
    #expect(try !root.members().map(\.name).contains("optimizer_weights"))
  }

  @Test("Keras's document has the keys that Keras 3 writes, and only those that differ from its defaults")
  func kerasConfig() throws {
    func config(_ input: Shape, _ spec: LayerSpec) throws -> (name: String, keys: [String: String]) {
      let network = try Network(inputShape: input, chain: [spec]).resolved()
      let text = try KerasModelConfig(ModelDescription(network, name: "model")).json()
      let document = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
      let layers = try #require((document?["config"] as? [String: Any])?["layers"] as? [[String: Any]])
      let own = try #require(layers.last?["config"] as? [String: Any])
      let keys = try own.filter { $0.key != "name" }.mapValues { value in
        String(
          decoding: try JSONSerialization.data(
            withJSONObject: value, options: [.fragmentsAllowed, .sortedKeys]),
          as: UTF8.self)
      }
      return (try #require(layers.last?["class_name"] as? String), keys)
    }
    let conv = try config(
      [29, 4], .conv1D(Conv1D(filters: 6, kernel: 3, padding: .causal, activation: .silu)))
    #expect(conv.name == "Conv1D")
    #expect(
      conv.keys == ["filters": "6", "kernel_size": "[3]", "padding": "\"causal\"", "activation": "\"silu\""])
    let depthwise = try config(
      [9, 9, 4], .depthwiseConv2D(DepthwiseConv2D(kernel: Size2D(3), multiplier: 2, useBias: false)))
    #expect(depthwise.name == "DepthwiseConv2D")
    #expect(depthwise.keys == ["kernel_size": "[3,3]", "depth_multiplier": "2", "use_bias": "false"])
    let separable = try config(
      [9, 9, 4],
      .separableConv2D(SeparableConv2D(filters: 6, kernel: Size2D(3), multiplier: 2, useBias: false)))
    #expect(separable.name == "SeparableConv2D")
    #expect(
      separable.keys == [
        "filters": "6", "kernel_size": "[3,3]", "depth_multiplier": "2", "use_bias": "false",
      ])
    let transposed = try config(
      [9, 9, 4], .conv2DTranspose(Conv2DTranspose(filters: 3, kernel: Size2D(4), stride: Size2D(2))))
    #expect(transposed.keys == ["filters": "3", "kernel_size": "[4,4]", "strides": "[2,2]"])
    let padding = try config([9, 9, 4], .zeroPadding2D(Margins2D(top: 1, bottom: 2, left: 3, right: 4)))
    #expect(padding.keys == ["padding": "[[1,2],[3,4]]"])
    let frozen = try config([9], .embedding(Embedding(vocabulary: 7, dimension: 3, isFrozen: true)))
    #expect(frozen.keys == ["input_dim": "7", "output_dim": "3", "trainable": "false"])
    let prelu = try config([9, 8, 4], .prelu(PReLU(sharesPositions: true)))
    #expect(prelu.keys == ["shared_axes": "[1,2]"])
    let norm = try config([9, 2], .normalization(Normalization(mean: [1], variance: [4, 9])))
    #expect(norm.keys == ["axis": "-1", "mean": "[1,1]", "variance": "[4,9]"])
    #expect(try config([9], .leakyReLU(LeakyReLU(negativeSlope: 0.1))).keys == ["alpha": "0.1"])
    #expect(try config([9], .relu(ReLU(maxValue: 6))).keys == ["max_value": "6"])
  }

  @Test("a number that is a float in Keras is written as one, also where it is whole")
  func floats() throws {
    let chain: [LayerSpec] = [
      .rescale(Rescale(scale: 2, offset: 1)), .normalization(Normalization(mean: [1], variance: [4])),
      .batchNorm(BatchNorm(momentum: 0)), .dropout(Dropout(rate: 0)),
      .leakyReLU(LeakyReLU(negativeSlope: 0)), .elu(ELU(alpha: 1)), .dense(Dense(units: 3)),
    ]
    let network = try Network(inputShape: [2], chain: chain).resolved()
    let text = try KerasModelConfig(ModelDescription(network, name: "model")).json()
    for wanted in [
      #""scale":2.0"#, #""offset":1.0"#, #""mean":[1.0,1.0]"#, #""variance":[4.0,4.0]"#, #""momentum":0.0"#,
      #""rate":0.0"#, #""alpha":0.0"#, #""alpha":1.0"#, #""units":3}"#, #""axis":-1"#,
    ] { #expect(text.contains(wanted), "\(wanted) in \(text)") }
  }

  @Test(
    "layers are listed as Keras lists them: by distance from the output, then as a search from there meets them"
  )
  func kerasOrder() throws {
    // Keras 3.15 and tf_keras 2.21 give this order of `model.layers` for this graph.
    let layers = [
      Layer(name: "a", inputs: ["input"], spec: .flatten),
      Layer(name: "b", inputs: ["input"], spec: .flatten),
      Layer(name: "c", inputs: ["b"], spec: .flatten), Layer(name: "d", inputs: ["a", "c"], spec: .add),
      Layer(name: "e", inputs: ["input"], spec: .flatten), Layer(name: "f", inputs: ["e", "d"], spec: .add),
    ]
    let network = try Network(inputShape: [3], layers: layers).resolved()
    let config = KerasModelConfig(ModelDescription(network, name: "model"))
    #expect(config.layerNames == ["input_layer", "b", "a", "c", "e", "d", "f"])
  }
}
