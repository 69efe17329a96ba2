import Compute
import Foundation
import HDF5
import Networks
import Tensors
import TestSupport
import Testing
import Training

@testable import Interchange

/// Models of ONNX: those that `Fixtures/ONNX/make_onnx_models.py` exported from PyTorch and Keras, and those that are written here.
struct ONNXTests {
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

  @Test("padding that the graph computes from sizes is known", arguments: [true, false])
  func computedPadding(roundsUp: Bool) throws {
    // As much behind as windows of 2 need: twice the half, rounded up, less the size.
    let half: [ONNXNode] =
      roundsUp
      ? [Self.node("Ceil", ["quotient"], ["half"])]
      : [
        Self.node("Neg", ["quotient"], ["below"]), Self.node("Floor", ["below"], ["floor"]),
        Self.node("Neg", ["floor"], ["half"]),
      ]
    let nodes =
      [
        Self.node("Shape", ["x"], ["shape"], [.integer("start", 2)]),
        Self.node("Cast", ["shape"], ["sizes"], [.integer("to", 1)]),
        Self.node("Div", ["sizes", "two"], ["quotient"]),
      ] + half + [
        Self.node("Cast", ["half"], ["whole"], [.integer("to", 7)]),
        Self.node("Mul", ["whole", "twice"], ["wanted"]), Self.node("Sub", ["wanted", "shape"], ["missing"]),
        Self.node("Max", ["missing", "least"], ["held"]), Self.node("Min", ["held", "most"], ["bounded"]),
        Self.node("Clip", ["bounded", "least"], ["after"]),
        Self.node("Concat", ["zeros", "after"], ["pads"], [.axis(0)]), Self.node("Pad", ["x", "pads"]),
      ]
    let tensors = [
      ONNXTensor("two", [], floats: [2]), ONNXTensor("twice", [], integers: [2]),
      ONNXTensor("least", [], integers: [0]), ONNXTensor("most", [], integers: [9]),
      ONNXTensor("zeros", [6], integers: [0, 0, 0, 0, 0, 0]),
    ]
    let model = Self.model(nodes, tensors, input: [.size(3), .size(5), .size(4)])
    let network = try ONNXImport().read(model.bytes, "m").checkpoint.network
    #expect(network.outputShape == [6, 4, 3])
  }

  @Test("a dense layer's units become an image whose channels come first in the graph")
  func unitsAsImage() throws {
    let weights = (0..<48 * 12).map { (place: Int) -> Float in Float((place * 29 + 7) % 23 - 11) / 64 }
    let bias = (0..<12).map { Float($0 % 5) - 2 }
    let nodes = [
      Self.node("Flatten", ["x"], ["flat"]), Self.node("Gemm", ["flat", "matrix", "bias"], ["units"]),
      Self.node("LeakyRelu", ["units"], ["active"], [.float("alpha", 0.5)]),
      Self.node("Reshape", ["active", "sizes"], ["image"]), Self.node("Conv", ["image", "w"]),
    ]
    let tensors = [
      ONNXTensor("matrix", [48, 12], floats: weights), ONNXTensor("bias", [12], floats: bias),
      ONNXTensor("sizes", [4], integers: [-1, 3, 2, 2]), Self.kernel,
    ]
    let checkpoint = try ONNXImport().read(Self.model(nodes, tensors).bytes, "m").checkpoint
    #expect(checkpoint.network.layers.count { $0.spec.word == "dense" } == 1)
    let pixels = (0..<48).map { UInt8($0 * 37 % 256) }
    var units: [Double] = []
    for unit in 0..<12 {
      var sum = Double(bias[unit])
      // The graph's vector has channels first, the samples have them last.
      for channel in 0..<3 {
        for position in 0..<16 {
          let weight = weights[(channel * 16 + position) * 12 + unit]
          sum += Double(pixels[position * 3 + channel]) * Double(weight)
        }
      }
      units.append(sum < 0 ? sum / 2 : sum)
    }
    var expected: [Float] = []
    for position in 0..<4 {
      for filter in 0..<2 {
        var sum = 0.0
        for channel in 0..<3 { sum += units[channel * 4 + position] * Double(1 + filter * 3 + channel) }
        expected.append(Float(sum))
      }
    }
    expectClose(try modelOutputs(checkpoint, pixels), expected, absolute: 1e-4, ofLargest: 1e-5)
  }

  @Test("a matrix behind means over all places is a dense layer, and sums are such means times the places")
  func pooledProducts() throws {
    let nodes = [
      Self.node("ReduceSum", ["x", "places"], ["sum"]),
      Self.node("Transpose", ["sum"], ["last"], [.integers("perm", [0, 2, 3, 1])]),
      Self.node("MatMul", ["last", "matrix"], ["product"]),
      Self.node("Reshape", ["product", "sizes"], ["flat"]),
      Self.node("LogSoftmax", ["flat"], ["y"], [.axis(-1)]),
    ]
    let matrix: [Float] = [0.01, -0.02, 0.03, 0.01, -0.01, 0.02]
    let tensors = [
      ONNXTensor("places", [2], integers: [2, 3]), ONNXTensor("matrix", [3, 2], floats: matrix),
      ONNXTensor("sizes", [2], integers: [-1, 2]),
    ]
    let reading = try ONNXImport().read(Self.model(nodes, tensors).bytes, "m")
    #expect(reading.notes.contains { $0.contains("logarithms of probabilities") })
    let pixels = (0..<48).map { UInt8($0 * 5 % 60) }
    var logits = [0.0, 0.0]
    for place in 0..<48 {
      for unit in 0..<2 { logits[unit] += Double(pixels[place]) * Double(matrix[place % 3 * 2 + unit]) }
    }
    let found = try modelOutputs(reading.checkpoint, pixels)
    let exponentials = logits.map { exp($0 - logits[0]) }
    let share = exponentials.reduce(0, +)
    expectClose(found, exponentials.map { Float($0 / share) }, absolute: 1e-6, ofLargest: 1e-5)
  }

  @Test("weights that the graph standardises are computed when it is read", arguments: [true, false])
  func standardisedWeights(isTraining: Bool) throws {
    // A kernel [2, 3, 1, 1] as one sample of two channels, as PyTorch's function of batch normalisation is used for it.
    let numbers: [Float] = [3, -1, 4, 1, -5, 9]
    let nodes = [
      Self.node("ReduceMean", ["rows"], ["means"], [.integers("axes", [0, 2]), .integer("keepdims", 0)]),
      Self.node("Mul", ["means", "zero"], ["none"]), Self.node("Add", ["none", "ones"], ["variances"]),
      Self.node(
        "BatchNormalization", ["rows", "scale", "offset", "means", "variances"], ["standard"],
        [.integer("training_mode", isTraining ? 1 : 0)]),
      Self.node("Reshape", ["standard", "sizes"], ["kernel"]), Self.node("Conv", ["x", "kernel"]),
    ]
    let tensors = [
      ONNXTensor("rows", [1, 2, 3], floats: numbers), ONNXTensor("zero", [], floats: [0]),
      ONNXTensor("ones", [2], floats: [1, 1]), ONNXTensor("scale", [2], floats: [2, 0.5]),
      ONNXTensor("offset", [2], floats: [0.25, -1]), ONNXTensor("sizes", [4], integers: [2, 3, 1, 1]),
    ]
    let checkpoint = try ONNXImport().read(Self.model(nodes, tensors).bytes, "m").checkpoint
    let kernel = try #require(checkpoint.values.layout.parameters.first { $0.path.hasSuffix("kernel") })
    let found = Array(checkpoint.values.values(of: kernel))
    for row in 0..<2 {
      let values = numbers[row * 3..<row * 3 + 3].map(Double.init)
      let mean = values.reduce(0, +) / 3
      let variance = isTraining ? values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 3 : 1
      for column in 0..<3 {
        let standard = (values[column] - mean) / (variance + 1e-5).squareRoot()
        let expected = standard * [2, 0.5][row] + [0.25, -1][row]
        // [OC, IC, 1, 1] became [1, 1, IC, OC].
        #expect(abs(Double(found[column * 2 + row]) - expected) < 1e-6)
      }
    }
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

  // MARK: - Bad input

  /// A model of one node after another on a 3×4×4 image, with these tensors.
  static func model(
    _ nodes: [ONNXNode], _ tensors: [ONNXTensor] = [], opset: Int = 17,
    input: [ONNXValueInfo.Dimension] = [.size(3), .size(4), .size(4)]
  ) -> ONNXModel {
    ONNXModel(
      irVersion: 8, opsets: ["": opset], producer: "test", producerVersion: "1",
      graph: ONNXGraph(
        name: "model", nodes: nodes, initializers: tensors,
        inputs: [ONNXValueInfo(name: "x", elementType: 1, shape: [.open("N")] + input)],
        outputs: [ONNXValueInfo(name: "y", elementType: 1, shape: nil)]))
  }

  static func node(
    _ operation: String, _ inputs: [String], _ outputs: [String] = ["y"], _ attributes: [ONNXAttribute] = []
  ) -> ONNXNode {
    ONNXNode(name: "n", operation: operation, inputs: inputs, outputs: outputs, attributes: attributes)
  }

  /// A model that defines an operator itself.
  private static func defining(_ operation: ONNXOperator) -> ONNXModel {
    var model = model([node(operation.name, ["x"])])
    model.functions = [operation]
    return model
  }

  private static let kernel = ONNXTensor("w", [2, 3, 1, 1], floats: [1, 2, 3, 4, 5, 6])

  static let bad: [(what: String, model: ONNXModel, message: String)] = [
    (
      "unknown operator", model([node("Einsum", ["x"])]),
      "m: node 'n' (Einsum): there is no such operator here"
    ),
    (
      "another domain",
      model([ONNXNode(name: "n", operation: "Conv", domain: "com.example", inputs: ["x"], outputs: ["y"])]),
      "m: node 'n' (com.example.Conv): there is no such operator here"
    ),
    (
      "circle", model([node("Relu", ["y"], ["z"]), node("Relu", ["z"])]),
      "m: node 'n' (Relu) takes 'y', which nothing before it gives"
    ),
    (
      "order", model([node("Relu", ["z"]), node("Relu", ["x"], ["z"])]),
      "m: node 'n' (Relu) takes 'z', which nothing before it gives"
    ),
    ("twice", model([node("Relu", ["x"]), node("Tanh", ["x"])]), "m: node 'n' (Tanh): 'y' is made twice"),
    ("no result", model([]), "m: the output 'y' does not depend on the input"),
    ("opset", model([node("Relu", ["x"])], opset: 99), "m is written in version 99 of ONNX's operators"),
    (
      "kernel",
      model(
        [node("Conv", ["x", "w"])], [ONNXTensor("w", [2, 5, 1, 1], floats: [Float](repeating: 1, count: 10))]),
      "m: node 'n' (Conv): a kernel of 2×5×1×1 in 1 groups does not fit the 3 channels of its input"
    ),
    (
      "lying size",
      model([node("Conv", ["x", "w"])], [ONNXTensor("w", [2, 3, 1 << 40, 1 << 40], floats: [1])]),
      "m: the tensor 'w' says that it has 2×3×1099511627776×1099511627776 elements and holds no such number"
    ),
    (
      "short tensor", model([node("Conv", ["x", "w"])], [ONNXTensor("w", [2, 3, 1, 1], floats: [1])]),
      "m: the tensor 'w' says that it has 2×3×1×1 elements and holds 1"
    ),
    (
      "not finite",
      model([node("Conv", ["x", "w"])], [ONNXTensor("w", [2, 3, 1, 1], floats: [1, 2, 3, .nan, 5, 6])]),
      "m: node 'n' (Conv): its weights hold nan"
    ),
    ("missing kernel", model([node("Conv", ["x"])]), "m: node 'n' (Conv): its kernel is missing"),
    (
      "attribute", model([node("Conv", ["x", "w"], ["y"], [.integer("secret", 1)])], [kernel]),
      "m: node 'n' (Conv): the attribute secret is not supported"
    ),
    (
      "stride", model([node("Conv", ["x", "w"], ["y"], [.integers("strides", [0, 1])])], [kernel]),
      "m: node 'n' (Conv): the attribute strides is not 2 whole numbers from 1 on"
    ),
    (
      "window",
      model(
        [node("Conv", ["x", "w"])],
        [ONNXTensor("w", [1, 3, 9, 9], floats: [Float](repeating: 0, count: 243))]),
      "m: node 'n' (Conv): layer 'layer': a 9×9 window does not fit into the 4×4×3"
    ),
    (
      "size", model([node("Relu", ["x"])], input: [.size(3), .open("h"), .size(4)]),
      "m takes inputs of any×4×3 (channels last)"
    ),
    (
      "huge input", model([node("Relu", ["x"])], input: [.size(1 << 40), .size(4), .size(4)]),
      "m: an input of 4×4×1099511627776 is empty"
    ),
    (
      "flat output", model([node("Flatten", ["x"])]),
      "m: the output 'y' is an image as one vector with its channels first"
    ),
    (
      "max pool",
      model([
        node(
          "MaxPool", ["x"], ["y"],
          [
            .integers("kernel_shape", [2, 2]), .integers("pads", [1, 1, 1, 1]), .integers("strides", [2, 2]),
          ])
      ]),
      "m: node 'n' (MaxPool): around values that may be negative, padding may take half of a window at most"
    ),
    (
      "rounding", model([node("Ceil", ["x"])]),
      "m: node 'n' (Ceil): rounding and remainders are supported among constants only"
    ),
    (
      "graph inside", model([node("If", ["x"], ["y"], [])]),
      "m: node 'n' (If): there is no such operator here"
    ),
    (
      "negative size", model([node("Conv", ["x", "w"])], [ONNXTensor("w", [-2, 3, -1, 1], floats: [])]),
      "m: the tensor 'w' says that it has -2×3×-1×1 elements and holds no such number"
    ),
    (
      "opset of no number", model([node("Relu", ["x"])], opset: -5),
      "m is written in version -5 of ONNX's operators"
    ),
    (
      "endless joining",
      model(
        (0..<70).map {
          node(
            "Concat", [$0 == 0 ? "x" : "r\($0)", $0 == 0 ? "x" : "r\($0)"], [$0 == 69 ? "y" : "r\($0 + 1)"],
            [.axis(1)])
        }),
      "m: node 'n' (Concat) gives N×4×4×"
    ),
    (
      "endless constants",
      model(
        (0..<70).map { node("Concat", ["c\($0)", "c\($0)"], ["c\($0 + 1)"], [.axis(0)]) }
          + [node("Add", ["x", "c70"])], [ONNXTensor("c0", [1 << 12, 0], floats: [])]),
      "m: node 'n' (Concat): this operation on constants is not supported"
    ),
    (
      "sizes to be copied without end",
      model(
        [node("ConstantOfShape", ["s"], ["k"]), node("Add", ["x", "k"])],
        [ONNXTensor("s", [4], integers: [Int](repeating: 1 << 20, count: 4))]),
      "m: node 'n' (ConstantOfShape): this operation on constants is not supported"
    ),
    (
      "sizes beyond 64 bits hidden by a zero",
      model([node("Reshape", ["x", "s"])], [ONNXTensor("s", [4], integers: [1 << 40, 1 << 40, 0, 0])]),
      "m: node 'n' (Reshape): N×3×4×4 cannot become"
    ),
    (
      "parts beyond 64 bits",
      model(
        [node("Split", ["x", "s"], ["y", "z"], [.axis(1)])], [ONNXTensor("s", [2], integers: [.max, .max])]),
      "m: node 'n' (Split): [9223372036854775807, 9223372036854775807] are no parts of 3"
    ),
    (
      "as many parts as there are numbers",
      model([node("Split", ["x"], ["y"], [.axis(1), .integer("num_outputs", .max)])], opset: 18),
      "m: node 'n' (Split): 3 cannot be split into 9223372036854775807 parts"
    ),
    (
      "own operator", defining(ONNXOperator(domain: "", name: "Relu")),
      "m: node 'n' (Relu): the file defines this operator itself"
    ),
    ("erf", model([node("Erf", ["x"])]), "m: the output 'y' does not depend"),
    ("powers", model([node("Pow", ["x", "x"])]), "m: node 'n' (Pow): only powers of 1 to 4 are supported"),
    (
      "dividing", model([node("Div", ["x", "x"])]),
      "m: node 'n' (Div): a result can be divided by constants only"
    ),
  ]

  @Test("what cannot be read is named in one line", arguments: bad.indices)
  func refusals(index: Int) throws {
    let (what, model, message) = Self.bad[index]
    let error = #expect(throws: InterchangeError.self, "\(what)") {
      try ONNXImport().read(model.bytes, "m")
    }
    let text = error?.description ?? ""
    #expect(text.hasPrefix(message), "\(what): \(text)")
    #expect(!text.contains("\n"))
  }

  @Test(
    "an empty tensor with sizes that no memory holds is refused, whatever takes it",
    arguments: ["Transpose", "Concat", "Slice", "Mul", "Add"],
    [[0, 1 << 62, 4], [0, 1 << 40, 1 << 40], [1 << 62, 0]])
  func emptyTensors(operation: String, sizes: [Int]) throws {
    let inputs: [String: [String]] = [
      "Concat": ["z", "z"], "Slice": ["z", "from", "to", "axis"], "Mul": ["z", "one"], "Add": ["z", "one"],
    ]
    let attributes: [ONNXAttribute] = operation == "Concat" ? [.axis(1)] : []
    let model = Self.model(
      [Self.node(operation, inputs[operation] ?? ["z"], ["k"], attributes), Self.node("Add", ["x", "k"])],
      [
        ONNXTensor("z", sizes, floats: []), ONNXTensor("one", [1], floats: [1]),
        ONNXTensor("from", [1], integers: [0]),
        ONNXTensor("to", [1], integers: [1 << 61]), ONNXTensor("axis", [1], integers: [1]),
      ])
    let error = #expect(throws: InterchangeError.self) { try ONNXImport().read(model.bytes, "m") }
    #expect(error?.description.hasPrefix("m: the tensor 'z' says that it has") ?? false)
  }

  @Test("a shape that the file says of a result must be the one that it has")
  func lyingShape() throws {
    var model = Self.model([Self.node("Relu", ["x"])])
    model.graph.outputs = [
      ONNXValueInfo(name: "y", elementType: 1, shape: [.open("N"), .size(3), .size(4), .size(5)])
    ]
    let error = #expect(throws: InterchangeError.self) { try ONNXImport().read(model.bytes, "m") }
    #expect(
      error?.description.hasPrefix("m: node 'n' (Relu) gives N×3×4×4, and the file says any×3×4×5") ?? false)
  }

  @Test("a file that is cut anywhere is refused")
  func cut() throws {
    let bytes = try Self.model([Self.node("Conv", ["x", "w"])], [Self.kernel]).bytes
    #expect(throws: Never.self) { try ONNXImport().read(bytes, "m") }
    var refused = 0
    for count in 0..<bytes.count {
      #expect(throws: InterchangeError.self, "\(count)") {
        try ONNXImport().read(Array(bytes[..<count]), "m")
      }
      refused += 1
    }
    #expect(refused == bytes.count)
  }

  @Test(
    "numbers of 16 bits are read as IEEE 754 has them",
    arguments: [
      (0x0000, 0), (0x3C00, 1), (0xC000, -2), (0x7BFF, 65504), (0x0001, 0x1p-24), (0x0400, 0x1p-14),
      (0x3555, 0.33325195),
    ] as [(UInt16, Float)])
  func halves(bits: UInt16, value: Float) {
    #expect(ONNXTensor.float(half: bits) == value)
    #expect(ONNXTensor.float(half: 0x7C00) == .infinity)
    #expect(ONNXTensor.float(half: 0x7E00).isNaN)
  }
}

extension ONNXImport {
  /// Reads the bytes of a file.
  func read(_ bytes: [UInt8], _ path: String) throws -> ImportedModel {
    try read(ONNXModel(bytes, path: path), path: path)
  }
}
