import Compute
import HDF5
import Networks
import Tensors
import TestSupport
import Testing
import Training

@testable import Interchange

/// Models of ONNX: those that `Fixtures/ONNX/make_onnx_models.py` exported from PyTorch and Keras, and those of this program.
struct ONNXTests: ONNXExamples {
  private static let folder = fixtureFolder("ONNX")

  // MARK: - Models of other programs

  static let networks =
    [
      "resnet", "vgg", "mobilenet-v2", "mobilenet-v3", "efficientnet", "densenet", "convnext", "unet",
      "upsampled", "shuffled",
      "functions", "words", "group-norms",
    ].flatMap { ["\($0)-dynamo", "\($0)-torchscript"] } + ["keras-tf2onnx"]

  @Test("a model of PyTorch or Keras computes here what it computes there", arguments: networks)
  func peers(name: String) throws {
    let checkpoint = try ONNXImport().read("\(Self.folder)/\(name).onnx").checkpoint
    let root = try File.open("\(Self.folder)/expected.h5").root
    let pixels = try root.dataset("\(name)/input").read(UInt8.self)
    let expected = try root.dataset("\(name)/output").read(Float.self)
    expectClose(try modelOutputs(checkpoint, pixels), expected, absolute: 1e-6, ofLargest: 1e-5)
  }

  @Test("every fixture has an expectation, and the other way round")
  func fixtures() throws {
    let names = try File.open("\(Self.folder)/expected.h5").root.members().map(\.name)
    #expect(names.sorted() == Self.networks.sorted())
  }

  @Test("factors, functions and preparation of pixels go into the layers that can do them")
  func simplified() throws {
    let network = try ONNXImport().read("\(Self.folder)/mobilenet-v2-torchscript.onnx").checkpoint.network
    let words = network.layers.map(\.spec.word)
    #expect(words.first == "normalization")
    // The exporter folds batch normalisations; ReLU6 is in the convolutions.
    #expect(
      Set(words) == [
        "normalization", "zero_padding2d", "conv2d", "depthwise_conv2d", "add", "global_average_pool2d",
        "dense",
      ])
    let next = try ONNXImport().read("\(Self.folder)/convnext-torchscript.onnx").checkpoint.network
    // The layer scale is multiplied into the convolution before it; a layer normalisation of single steps is one layer.
    #expect(next.layers.filter { $0.spec.word == "layer_norm" }.count == 5)
    #expect(next.layers.filter { $0.spec.word == "depthwise_conv2d" }.count == 2)
    #expect(next.layers.contains { $0.spec.finalActivation == .gelu })
  }

  @Test(
    "a function that exporters write as two operators is one",
    arguments: ["efficientnet-torchscript", "efficientnet-dynamo"])
  func silu(name: String) throws {
    let layers = try ONNXImport().read("\(Self.folder)/\(name).onnx").checkpoint.network.network.layers
    #expect(!layers.contains { $0.spec == .activation(.sigmoid) })
    #expect(layers.count { $0.spec.finalActivation == .silu } > 4)
  }

  @Test("a join that begins with all inputs of an earlier one takes that one")
  func joins() throws {
    let model = Self.model([
      Self.node("Relu", ["x"], ["a"]), Self.node("Concat", ["x", "a"], ["b"], [.axis(1)]),
      Self.node("Relu", ["b"], ["c"]), Self.node("Concat", ["x", "a", "c"], ["d"], [.axis(1)]),
      Self.node("Relu", ["d"], ["e"]), Self.node("Concat", ["x", "a", "c", "e"], ["y"], [.axis(1)]),
    ])
    let checkpoint = try ONNXImport().read(model.bytes, "m").checkpoint
    let joins = checkpoint.network.network.layers.filter { $0.spec == .concat }
    #expect(joins.map(\.inputs.count) == [2, 2, 2])
    #expect(joins[1].inputs[0] == joins[0].name && joins[2].inputs[0] == joins[1].name)
    let pixels = (0..<48).map { UInt8($0 * 5) }
    let pixel = (0..<16).map { Array(pixels[$0 * 3..<$0 * 3 + 3]).map(Float.init) }
    #expect(
      try modelOutputs(checkpoint, pixels)
        == pixel.flatMap { [[Float]](repeating: $0, count: 8).flatMap(\.self) })
  }

  @Test("nodes are in the modules of PyTorch that their names or the exporter's notes give")
  func modules() {
    func modules(_ name: String, _ scopes: [String] = []) -> [String] {
      var node = Self.node("Conv", [])
      (node.name, node.scopes) = (name, scopes)
      return node.modules
    }
    #expect(modules("/layer1/layer1.0/conv1/Conv") == ["layer1", "layer1.0", "layer1.0.conv1"])
    #expect(
      modules("/features/features.1/features.1.0/block/block.1/fc1/Conv")
        == [
          "features", "features.1", "features.1.0", "features.1.0.block", "features.1.0.block.1",
          "features.1.0.block.1.fc1",
        ])
    #expect(
      modules("/Add_3").isEmpty && modules("node_conv2d").isEmpty && modules("model/conv/Conv2D").isEmpty)
    #expect(modules("node_add", ["", "layer1", "layer1.0", "add_2"]) == ["layer1", "layer1.0"])
  }

  // MARK: - Models of this program

  private static func checkpoint(_ network: ResolvedNetwork, classNames: [String] = []) -> Checkpoint {
    let values = ParameterLayout(network).initialValues(seed: 5)
    // Statistics and vectors that are not 0 or 1.
    for parameter in values.layout.parameters {
      let numbers = values.values(of: parameter)
      for index in numbers.indices where parameter.spec.role != .table {
        numbers[index] += 0.01 * Float(index * 7 % 11)
      }
    }
    return Checkpoint(
      network: network, name: "example", progress: TrainingProgress(),
      identity: RunIdentity(
        runID: "a", classNames: classNames, criterion: classNames.isEmpty ? nil : .classification,
        pixels: RunIdentity.picturePixels), values: values,
      optimizer: nil, slots: [])
  }

  @Test(
    "every layer comes back from ONNX with the same outputs", arguments: LayerExample.all, [13, 17, 20, 21])
  func roundTrip(example: LayerExample, opset: Int) throws {
    let isTable = example.spec.kind == .embedding
    let network = try example.network(before: isTable ? [] : [.rescale(Rescale(scale: 1 / 64, offset: -2))])
      .resolved()
    let checkpoint = Self.checkpoint(network)
    let count = 2 * network.inputShape.elementCount
    let pixels = (0..<count).map { UInt8($0 * 41 % (isTable ? 7 : 256)) }
    let expected = try modelOutputs(checkpoint, pixels)
    for layout in ONNXExport.Layout.allCases {
      let file = try ONNXExport(opset: opset, layout: layout).write(checkpoint, program: ("test", "1"))
      let again = try ONNXImport().read(file.bytes, "model.onnx").checkpoint
      #expect(again.network.outputShape == network.outputShape)
      expectClose(try modelOutputs(again, pixels), expected, absolute: 1e-6, ofLargest: 1e-5, "\(layout)")
    }
  }

  @Test("a file says what goes in and comes out, and its names come back")
  func facts() throws {
    let network = try Network(
      inputShape: [4, 5, 3], chain: [.rescale(Rescale(scale: 1 / 255)), .flatten, .dense(Dense(units: 2))]
    ).resolved()
    let checkpoint = Self.checkpoint(network, classNames: ["cat", "dog"])
    let file = try ONNXExport(layout: .channelsLast, input: .uint8, addsProbabilities: true).write(
      checkpoint, program: ("test", "1"))
    #expect(file.input == "uint8 [N, 4, 5, 3]")
    #expect(file.output == "float32 [N, 2]")
    let model = try ONNXModel(file.bytes, path: "x")
    #expect(model.irVersion == 8)
    #expect(model.opsets == ["": 17])
    #expect(model.producer == "test")
    #expect(
      model.graph.nodes.map(\.operation) == [
        "Cast", "Transpose", "Mul", "Transpose", "Flatten", "Gemm", "Softmax", "Identity",
      ])
    let metadata = Dictionary(uniqueKeysWithValues: model.metadata.map { ($0.key, $0.value) })
    #expect(metadata["class_names"] == #"["cat","dog"]"#)
    #expect(metadata["loss"] == "softmax_cross_entropy")
    let again = try ONNXImport().read(file.bytes, "x").checkpoint
    #expect(again.identity.classNames == ["cat", "dog"])
    #expect(again.identity.pixels == RunIdentity.picturePixels)
    #expect(again.network.network.output.spec.finalActivation == .softmax)
  }
}
