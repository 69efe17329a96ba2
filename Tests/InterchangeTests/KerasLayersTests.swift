import Foundation
import HDF5
import Networks
import Tensors
import TestSupport
import Testing
import Training

@testable import Interchange

@Suite("Layers in Keras's words")
struct KerasLayersTests {
  private static func text(_ path: String) throws -> String {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    return try String(contentsOf: folder.appendingPathComponent(path), encoding: .utf8)
      .trimmingCharacters(in: .newlines)
  }

  @Test("checkpoints say of every layer what they have always said")
  func existing() throws {
    let network = try Network(json: try Self.text("../NetworksTests/Fixtures/every-layer.json")).resolved()
    let model = ModelDescription(network, name: "every-setting")
    #expect(try KerasModelConfig(model).json() == Self.text("Fixtures/every-layer-model-config.json"))
  }

  private static func model(_ example: LayerExample) throws -> ModelDescription {
    ModelDescription(try example.network().resolved(), name: "example")
  }

  @Test("a layer read from Keras's words is written in the same", arguments: LayerExample.all)
  func roundTrip(_ example: LayerExample) throws {
    let layer = try Self.model(example).layers[0]
    switch try KerasLayers.translate(layer, path: "x.h5") {
    case .layer(let spec, _):
      let again = try #require(try Self.model(LayerExample(example.input, spec)).layers.first)
      #expect(again.className == layer.className && again.options == layer.options)
      #expect(spec.kind == example.spec.kind && spec.word == example.spec.word)
    case .nothing: #expect(example.spec == .activation(.linear))
    }
  }

  /// A file as Keras keeps models, of the example with some values.
  private static func write(_ example: LayerExample, to path: String) throws -> Checkpoint {
    let network = try example.network().resolved()
    let values = ParameterLayout(network).initialValues(seed: 3)
    for (index, place) in values.trainable.elements.indices.enumerated() {
      values.trainable.elements[place] += Float(index % 7)
    }
    let checkpoint = Checkpoint(
      network: network, name: "example", progress: TrainingProgress(), identity: RunIdentity(runID: "a"),
      values: values, optimizer: nil, slots: [])
    let file = try HDF5.File.create(path, overwrite: true)
    try KerasModelWriter().write(checkpoint, to: file.root)
    try file.close()
    return checkpoint
  }

  @Test("a model that was written for Keras comes back with its values", arguments: LayerExample.all)
  func values(_ example: LayerExample) throws {
    // What does nothing is left out, and no model stays.
    guard example.spec != .activation(.linear) else { return }
    let folder = try TemporaryDirectory()
    let written = try Self.write(example, to: folder.file("model.h5"))
    let read = try KerasImport(preprocessing: Preprocessing.none).read(folder.file("model.h5")).checkpoint
    #expect(read.network.outputShape == written.network.outputShape)
    #expect(read.values.layout.parameters.map(\.path) == written.values.layout.parameters.map(\.path))
    #expect(read.values.trainable.array() == written.values.trainable.array())
    #expect(read.values.statistics.array() == written.values.statistics.array())
  }

  @Test("a matrix that Keras trained before a bias by position becomes a layer of its own")
  func otherMatrices() throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("model.h5")
    let matrix = (0..<81).map { Float($0) / 7 }
    try Self.writePositionBias(to: path, matrix: matrix)
    let result = try KerasImport().read(path)
    #expect(result.notes.contains { $0.contains("'layer_matrix' is the matrix that 'layer' got in Keras") })
    let network = result.checkpoint.network
    #expect(network.layers.map(\.name) == ["layer_matrix", "layer"])
    #expect(network.layers.map(\.spec) == [.dense(Dense(units: 9, useBias: false)), .positionBias])
    let values = result.checkpoint.values
    let kernel = try #require(values.layout.parameters.first { $0.path == "layer_matrix/kernel" })
    let bias = try #require(values.layout.parameters.first { $0.path == "layer/bias" })
    #expect(Array(values.values(of: kernel)) == matrix)
    #expect(Array(values.values(of: bias)) == [Float](repeating: 1, count: 9))
  }

  /// A model of one position bias in front of which any matrix stands.
  private static func writePositionBias(to path: String, matrix: [Float]) throws {
    let file = try HDF5.File.create(path)
    try writePositionBias(to: file.root, matrix: matrix)
    try file.close()
  }

  private static func writePositionBias(to root: Group, matrix: [Float]) throws {
    let config = KerasModelConfig(try model(LayerExample([9], .positionBias)))
    try root.attributes.write("model_config", try config.json())
    let weights = try root.makeGroup("model_weights")
    try weights.attributes.write("layer_names", config.layerNames)
    let group = try weights.makeGroup("layer")
    try group.attributes.write("weight_names", ["layer/kernel", "layer/bias"])
    try group.write("layer/kernel", matrix, shape: [9, 9])
    try group.write("layer/bias", [Float](repeating: 1, count: 9), shape: [9])
  }

  @Test("what the network finds wrong with a model names the file, and is the file's fault")
  func networkErrors() throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("model.h5")
    let file = try HDF5.File.create(path)
    try Self.writeTooLargeWindow(to: file.root)
    try file.close()
    let error = try #require(throws: InterchangeError.self) { try KerasImport().read(path) }
    #expect(error.kind == .badData)
    #expect(error.description.hasPrefix("\(path): layer 'layer': a 9×9 window does not fit"), "\(error)")
  }

  /// A model without weights, whose window is larger than its image.
  private static func writeTooLargeWindow(to root: Group) throws {
    let example = LayerExample([3, 3, 1], .conv2D(Conv2D(filters: 1, kernel: Size2D(3))))
    let config = try KerasModelConfig(try model(example)).json()
    try root.attributes.write(
      "model_config", config.replacing("\"kernel_size\":[3,3]", with: "\"kernel_size\":[9,9]"))
    try root.makeGroup("model_weights").attributes.write("layer_names", [String]())
  }

  private static func problem(_ className: String, _ options: [String: JSONValue]) -> String? {
    let layer = ModelDescription.Layer(
      name: "layer", className: className, options: .object(options), inputs: ["input"], owner: "layer",
      isTrainable: true, weights: [])
    do {
      _ = try KerasLayers.translate(layer, path: "x.h5")
      return nil
    } catch { return "\(error)" }
  }

  @Test("an unknown layer is answered with every class that can be read")
  func supported() throws {
    let text = try #require(Self.problem("UnitNormalization", [:]))
    let classes = try LayerExample.all.map { try Self.model($0).layers[0].className }
    let others = ["InputLayer", "ReLU", "Softmax", "SpatialDropout2D", "MaxPool2D", "GaussianNoise"]
    for name in classes + others { #expect(text.contains(" \(name)"), "\(name)") }
  }

  @Test("options that are missing, of another form, or would change the result are named")
  func options() {
    let size: JSONValue = .array([.integer(3), .integer(3)])
    for (name, options, wanted) in [
      ("Dense", [:], "the option units is missing"),
      ("Dense", ["units": "many"], "units = \"many\" is not supported; supported: a whole number"),
      ("Dense", ["units": .integer(.max)], "supported: a whole number from 1 to"),
      ("Conv1D", ["filters": .integer(3), "kernel_size": .integer(0)], "from 1 to 1024"),
      (
        "Dropout", ["rate": .integer(1)],
        "rate = 1 is not supported; supported: a number at least 0.0 and below 1.0"
      ),
      ("Dense", ["units": .integer(3), "activation": "mish"], "activation = \"mish\""),
      ("Dense", ["units": .integer(3), "gain": .integer(1)], "gain = 1 is not supported"),
      ("Conv2D", ["filters": .integer(3), "kernel_size": "wide"], "supported: two whole numbers"),
      (
        "Conv2D", ["filters": .integer(3), "kernel_size": size, "data_format": "channels_first"],
        "supported: channels_last"
      ),
      ("DepthwiseConv2D", ["kernel_size": size, "groups": .integer(2)], "groups = 2"),
      ("GlobalMaxPooling2D", ["keepdims": "some"], "keepdims = \"some\" is not supported; supported: false"),
      ("ReLU", ["max_value": .number(6), "threshold": .integer(1)], "is not supported"),
      ("PReLU", ["shared_axes": .array([.integer(2)])], "shared_axes"),
      ("Normalization", ["axis": .integer(-1)], "mean = null"),
      ("Embedding", ["input_dim": .integer(3), "output_dim": .integer(2), "mask_zero": true], "mask_zero"),
      ("EinsumDense", ["equation": "ab,bc->ac", "bias_axes": "c"], "equation"),
      ("UpSampling2D", ["interpolation": "lanczos3"], "supported: nearest, bilinear"),
    ] as [(String, [String: JSONValue], String)] {
      let text = Self.problem(name, options) ?? "nothing"
      #expect(text.contains(wanted), "\(name): \(text)")
    }
  }

  @Test(
    "a dimension that a reshape leaves open follows from the elements, or is an error that names the layer")
  func openReshapes() throws {
    func layers(_ target: [JSONValue]) throws -> [Layer] {
      let reshape = ModelDescription.Layer(
        name: "r", className: "Reshape", options: .object(["target_shape": .array(target)]), inputs: ["a"],
        owner: "r", isTrainable: true, weights: [])
      var model = ModelDescription(name: "m", inputShape: [6, 4], layers: [reshape], output: "r")
      let open = OpenReshapes(takenFrom: &model, path: "x.h5")
      guard case .layer(let spec, _) = try KerasLayers.translate(model.layers[0], path: "x.h5") else {
        return []
      }
      let first = Layer(name: "a", inputs: ["input"], spec: .maxPool1D(Pool1D(size: 2)))
      return try open.close([first, Layer(name: "r", inputs: ["a"], spec: spec)], of: [6, 4])
    }
    #expect(try layers([.integer(-1)]).last?.spec == .reshape(Reshape([12])))
    #expect(try layers([.integer(2), .integer(-1)]).last?.spec == .reshape(Reshape([2, 6])))
    #expect(try layers([.integer(3), .integer(4)]).last?.spec == .reshape(Reshape([3, 4])))
    let error = #expect(throws: InterchangeError.self) { try layers([.integer(5), .integer(-1)]) }
    #expect(error?.description == "x.h5: layer 'r' (Reshape) cannot bring 12 elements into the shape 5×any")
    // Two of them are left to the options' own check.
    let two = #expect(throws: InterchangeError.self) { try layers([.integer(-1), .integer(-1)]) }
    #expect(two?.description.contains("target_shape") == true)
  }

  @Test("pools that keep their dimensions stand before a reshape")
  func keptDimensions() {
    let pool = ModelDescription.Layer(
      name: "a", className: "GlobalAveragePooling2D", options: .object(["keepdims": true]), inputs: ["input"],
      owner: "a", isTrainable: true, weights: [])
    var model = ModelDescription(name: "m", inputShape: [6, 5, 4], layers: [pool], output: "a")
    _ = KerasDialect(version: "3.15.1").translate(&model)
    #expect(model.layers.map(\.className) == ["GlobalAveragePooling2D", "Reshape"])
    #expect(model.layers[0].options["keepdims"] == false && model.output == model.layers[1].name)
  }

  @Test("words whose meaning changed are those of the version that wrote the file")
  func dialects() throws {
    func model(_ className: String) -> ModelDescription {
      let layer = ModelDescription.Layer(
        name: "a", className: className, options: .object(["activation": "hard_sigmoid"]), inputs: ["input"],
        owner: "a", isTrainable: true, weights: [])
      return ModelDescription(name: "m", inputShape: [4], layers: [layer], output: "a")
    }
    for version in ["2.2.4-tf", "2.21.0", nil] as [String?] {
      var dense = model("Dense")
      let notes = KerasDialect(version: version).translate(&dense)
      #expect(notes.count == 1)
      #expect(dense.layers.map(\.className) == ["Dense", "Rescaling", "Activation"])
      #expect(dense.layers.map(\.inputs) == [["input"], ["a"], [dense.layers[1].name]])
      #expect(dense.output == dense.layers[2].name && dense.layers[0].options["activation"] == "linear")
      var function = model("Activation")
      let others = KerasDialect(version: version).translate(&function)
      #expect(others.count == 1)
      #expect(function.layers.map(\.className) == ["Rescaling", "Activation"] && function.output == "a")
    }
    var new = model("Dense")
    let none = KerasDialect(version: "3.15.1").translate(&new)
    #expect(none.isEmpty && new.layers.count == 1)
    for (function, classes) in [
      ("selu", ["ELU", "Rescaling"]), ("hard_silu", ["Activation", "Multiply"]),
    ] {
      var dense = model("Dense")
      dense.layers[0].options = .object(["activation": .string(function)])
      let notes = KerasDialect(version: "3.15.1").translate(&dense)
      #expect(notes.isEmpty)
      #expect(dense.layers.map(\.className) == ["Dense"] + classes && dense.layers[0].inputs == ["input"])
      #expect(dense.layers[0].options["activation"] == "linear" && dense.output == dense.layers[2].name)
      #expect(dense.layers[1].inputs == ["a"])
      let names = function == "selu" ? [dense.layers[1].name] : ["a", dense.layers[1].name]
      #expect(dense.layers[2].inputs == names)
      var alone = model("Activation")
      alone.layers[0].options = .object(["activation": .string(function)])
      _ = KerasDialect(version: "3.15.1").translate(&alone)
      #expect(alone.layers.map(\.className) == classes && alone.output == alone.layers[1].name)
    }
    let error = #expect(throws: InterchangeError.self) {
      try KerasDialect(version: "1.2.2").check(path: "x.h5")
    }
    #expect(error?.description.contains("Keras 1.2.2") == true)
  }

  @Test("options are read in every way that Keras and its older versions write them")
  func spellings() throws {
    func spec(_ className: String, _ options: [String: JSONValue]) throws -> LayerSpec? {
      let layer = ModelDescription.Layer(
        name: "layer", className: className, options: .object(options), inputs: ["input"], owner: "layer",
        isTrainable: true, weights: [])
      guard case .layer(let spec, _) = try KerasLayers.translate(layer, path: "x.h5") else { return nil }
      return spec
    }
    let function: JSONValue = .object(["class_name": "function", "config": "relu"])
    let object: JSONValue = .object(["class_name": "ReLU", "config": .object([:])])
    for activation in ["relu", "ReLU", function, object] as [JSONValue] {
      #expect(
        try spec("Dense", ["units": .number(3), "activation": activation])
          == .dense(Dense(units: 3, activation: .relu)))
    }
    #expect(try spec("Activation", ["activation": "swish"]) == .activation(.silu))
    #expect(try spec("Activation", ["activation": "relu6"]) == .activation(.relu6))
    #expect(try spec("Softmax", ["axis": .integer(-1)]) == .activation(.softmax))
    #expect(
      try spec("LeakyReLU", ["negative_slope": .number(0.2)]) == .leakyReLU(LeakyReLU(negativeSlope: 0.2)))
    #expect(try spec("LeakyReLU", ["alpha": .number(0.2)]) == .leakyReLU(LeakyReLU(negativeSlope: 0.2)))
    let plain: [String: JSONValue] = [
      "max_value": .null, "negative_slope": .number(0), "threshold": .number(0),
    ]
    #expect(try spec("ReLU", plain) == .activation(.relu))
    #expect(
      try spec("ReLU", plain.merging(["max_value": .integer(6)]) { $1 }) == .relu(ReLU(maxValue: 6)))
    #expect(try spec("ZeroPadding2D", ["padding": .integer(2)]) == .zeroPadding2D(Margins2D(2)))
    #expect(
      try spec("ZeroPadding2D", ["padding": .array([.integer(1), .integer(2)])])
        == .zeroPadding2D(Margins2D(top: 1, bottom: 1, left: 2, right: 2)))
    #expect(try spec("Cropping1D", [:]) == .cropping1D(Margins1D(1)))
    #expect(
      try spec("MaxPooling2D", ["pool_size": .integer(3), "strides": .null])
        == .maxPool2D(Pool2D(size: Size2D(3))))
    #expect(
      try spec("Conv1D", ["filters": .integer(2), "kernel_size": .integer(3), "strides": .integer(2)])
        == .conv1D(Conv1D(filters: 2, kernel: 3, stride: 2)))
    #expect(
      try spec("Normalization", ["mean": .array([.array([.number(1)])]), "variance": .number(4)])
        == .normalization(Normalization(mean: [1], variance: [4])))
    #expect(
      try spec("Embedding", ["input_dim": .integer(5), "output_dim": .integer(2), "trainable": false])
        == .embedding(Embedding(vocabulary: 5, dimension: 2, isFrozen: true)))
  }
}
