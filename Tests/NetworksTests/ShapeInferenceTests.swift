import Networks
import Tensors
import Testing

@Suite("Shapes and parameters of networks")
struct ShapeInferenceTests {
  /// A layer, its input, and what Keras says of them: output shape, parameters.
  struct Example: Sendable, CustomTestStringConvertible {
    let input: Shape
    let spec: LayerSpec
    let output: Shape
    let parameters: Int
    var flops: Int?

    init(_ input: Shape, _ spec: LayerSpec, _ output: Shape, _ parameters: Int = 0, flops: Int? = nil) {
      self.input = input
      self.spec = spec
      self.output = output
      self.parameters = parameters
      self.flops = flops
    }

    var testDescription: String { "\(spec.word) \(input) → \(output)" }
  }

  // The shapes and counts were read from Keras 3.15's `compute_output_shape` and `count_params`.
  static let examples: [Example] = [
    Example(
      [13, 11, 4], .conv2D(Conv2D(filters: 6, kernel: Size2D(3), groups: 2)), [11, 9, 6], 114,
      flops: 11 * 9 * 6 * 37),
    Example(
      [13, 11, 4], .conv2D(Conv2D(filters: 6, kernel: Size2D(3, 5), stride: Size2D(2), padding: .same)),
      [7, 6, 6], 366),
    Example(
      [13, 11, 4], .conv2D(Conv2D(filters: 6, kernel: Size2D(3), dilation: Size2D(3), useBias: false)),
      [7, 5, 6], 216),
    Example(
      [13, 11, 4], .depthwiseConv2D(DepthwiseConv2D(kernel: Size2D(3), multiplier: 2)), [11, 9, 8], 80,
      flops: 11 * 9 * 8 * 19),
    Example(
      [13, 11, 4], .depthwiseConv2D(DepthwiseConv2D(kernel: Size2D(3), stride: Size2D(2), padding: .same)),
      [7, 6, 4], 40),
    Example(
      [13, 11, 4], .separableConv2D(SeparableConv2D(filters: 6, kernel: Size2D(3), multiplier: 2)),
      [11, 9, 6], 126, flops: 11 * 9 * (8 * 18 + 6 * 17)),
    Example(
      [13, 11, 4],
      .separableConv2D(
        SeparableConv2D(filters: 6, kernel: Size2D(3), stride: Size2D(2), padding: .same, useBias: false)),
      [7, 6, 6], 60),
    Example(
      [7, 6, 4],
      .conv2DTranspose(Conv2DTranspose(filters: 5, kernel: Size2D(3), stride: Size2D(2), padding: .same)),
      [14, 12, 5], 185, flops: 7 * 6 * 4 * 2 * 9 * 5 + 14 * 12 * 5),
    Example(
      [7, 6, 4], .conv2DTranspose(Conv2DTranspose(filters: 5, kernel: Size2D(2, 4), stride: Size2D(3, 2))),
      [21, 14, 5], 165),
    Example([29, 4], .conv1D(Conv1D(filters: 6, kernel: 3, stride: 2)), [14, 6], 78, flops: 14 * 6 * 25),
    Example([29, 4], .conv1D(Conv1D(filters: 6, kernel: 3, dilation: 4, padding: .causal)), [29, 6], 78),
    Example([29, 4], .conv1D(Conv1D(filters: 6, kernel: 3, stride: 2, padding: .causal)), [15, 6], 78),
    Example([29, 4], .maxPool1D(Pool1D(size: 3)), [9, 4]),
    Example([29, 4], .averagePool1D(Pool1D(size: 3, stride: 2, padding: .same)), [15, 4]),
    Example([29, 4], .globalMaxPool1D, [4]),
    Example([29, 4], .globalAveragePool1D, [4]),
    Example([13, 11, 4], .maxPool2D(Pool2D(size: Size2D(3), stride: Size2D(2))), [6, 5, 4]),
    Example([13, 11, 4], .globalAveragePool2D, [4], flops: 13 * 11 * 4),
    Example([29, 4], .zeroPadding1D(Margins1D(before: 1, after: 2)), [32, 4]),
    Example([13, 11, 4], .zeroPadding2D(Margins2D(top: 1, bottom: 2, left: 3, right: 4)), [16, 18, 4]),
    Example([29, 4], .cropping1D(Margins1D(before: 1, after: 2)), [26, 4]),
    Example([13, 11, 4], .cropping2D(Margins2D(top: 1, bottom: 2, left: 3, right: 4)), [10, 4, 4]),
    Example([29, 4], .upSampling1D(UpSampling1D(size: 3)), [87, 4]),
    Example([13, 11, 4], .upSampling2D(UpSampling2D(size: Size2D(2, 3))), [26, 33, 4]),
    Example([13, 11, 4], .reshape(Reshape([143, 4])), [143, 4]),
    Example([7], .embedding(Embedding(vocabulary: 100, dimension: 8)), [7, 8], 800),
    Example([13, 11, 4], .relu(ReLU(maxValue: 6)), [13, 11, 4]),
    Example([13, 11, 4], .prelu(PReLU()), [13, 11, 4], 572),
    Example([13, 11, 4], .prelu(PReLU(sharesPositions: true)), [13, 11, 4], 4),
    Example([13, 11, 4], .batchNorm(BatchNorm()), [13, 11, 4], 16),
    Example([13, 11, 4], .layerNorm(LayerNorm()), [13, 11, 4], 8),
    Example([13, 11, 4], .layerNorm(LayerNorm(center: false)), [13, 11, 4], 4),
    Example([13, 11, 4], .groupNorm(GroupNorm(groups: 2)), [13, 11, 4], 8),
    Example([13, 4], .groupNorm(GroupNorm(groups: nil, scale: false)), [13, 4], 4),
    Example([13, 11, 4], .localResponseNorm(LocalResponseNorm()), [13, 11, 4]),
    Example([13, 11, 1], .normalization(Normalization(mean: [3], variance: [4])), [13, 11, 1]),
    Example([13, 11, 4], .positionBias, [13, 11, 4], 572),
    Example([13], .dense(Dense(units: 7)), [7], 98, flops: 7 * 27),
  ]

  @Test("layers have Keras's shapes and parameters", arguments: examples)
  func shapes(_ example: Example) throws {
    let network = try Network(inputShape: example.input, chain: [example.spec]).resolved()
    #expect(network.outputShape == example.output)
    #expect(network.parameterCount == example.parameters)
    if let flops = example.flops { #expect(network.flops == flops) }
  }

  @Test("parameters have Keras's shapes, order, and initial fans")
  func parameters() throws {
    func specs(_ input: Shape, _ spec: LayerSpec) throws -> [ParameterSpec] {
      try Network(inputShape: input, chain: [spec]).resolved().layers[0].parameters
    }
    let depthwise = try specs(
      [9, 9, 4], .depthwiseConv2D(DepthwiseConv2D(kernel: Size2D(3, 2), multiplier: 5)))
    #expect(depthwise.map(\.shape) == [[3, 2, 4, 5], [20]])
    #expect(depthwise[0].fans == Fans(incoming: 24, outgoing: 30))
    let separable = try specs(
      [9, 9, 4], .separableConv2D(SeparableConv2D(filters: 6, kernel: Size2D(3, 2), multiplier: 5)))
    #expect(separable.map(\.name) == ["depthwise_kernel", "pointwise_kernel", "bias"])
    #expect(separable.map(\.shape) == [[3, 2, 4, 5], [1, 1, 20, 6], [6]])
    #expect(separable[0].fans == Fans(incoming: 24, outgoing: 30))
    #expect(separable[1].fans == Fans(incoming: 20, outgoing: 6))
    let transposed = try specs(
      [9, 9, 4], .conv2DTranspose(Conv2DTranspose(filters: 6, kernel: Size2D(3, 2))))
    #expect(transposed.map(\.shape) == [[3, 2, 6, 4], [6]])
    #expect(transposed[0].fans == Fans(incoming: 36, outgoing: 24))
    #expect(try specs([9, 4], .conv1D(Conv1D(filters: 6, kernel: 3))).map(\.shape) == [[3, 4, 6], [6]])
    #expect(try specs([9, 4], .layerNorm(LayerNorm())).map(\.name) == ["gamma", "beta"])
    #expect(
      try specs([9, 4], .batchNorm(BatchNorm())).map(\.name) == [
        "gamma", "beta", "moving_mean", "moving_variance",
      ])
    #expect(try specs([9, 7, 4], .prelu(PReLU(sharesPositions: true))).map(\.shape) == [[1, 1, 4]])
  }

  @Test("a padding word starts at zero, and a frozen table is not counted as trained")
  func embedding() throws {
    let network = try Network(
      inputShape: [4],
      chain: [.embedding(Embedding(vocabulary: 5, dimension: 3, paddingWord: 2, isFrozen: true)), .flatten]
    ).resolved()
    #expect(network.parameterCount == 15)
    #expect(network.trainableParameterCount == 0)
    let layout = ParameterLayout(network)
    let values = layout.initialValues(seed: 1)
    let table = Array(values.values(of: layout.parameters[0]))
    #expect(Array(table[6..<9]) == [0, 0, 0])
    #expect(
      table.enumerated().allSatisfy {
        (6..<9).contains($0.offset) || ($0.element != 0 && abs($0.element) <= 0.05)
      })
  }

  // MARK: - What does not fit

  /// A network that cannot be, and what its message must say.
  struct Mistake: Sendable, CustomTestStringConvertible {
    let input: Shape
    let spec: LayerSpec
    let words: [String]
    var testDescription: String { "\(spec.word) on \(input)" }
  }

  static let mistakes: [Mistake] = [
    Mistake(input: [9, 4], spec: .conv2D(Conv2D(filters: 2, kernel: Size2D(3))), words: ["image", "9×4"]),
    Mistake(input: [9, 9, 4], spec: .conv1D(Conv1D(filters: 2, kernel: 3)), words: ["sequence", "9×9×4"]),
    Mistake(
      input: [3, 3, 4], spec: .conv2D(Conv2D(filters: 2, kernel: Size2D(5))), words: ["5×5", "3×3×4", "same"]),
    Mistake(input: [3, 4], spec: .conv1D(Conv1D(filters: 2, kernel: 5)), words: ["window of 5", "3×4"]),
    Mistake(
      input: [9, 9, 4], spec: .conv2D(Conv2D(filters: 3, kernel: Size2D(3), groups: 2)),
      words: ["groups", "3 filters"]),
    Mistake(
      input: [9, 9, 4], spec: .conv2D(Conv2D(filters: 3, kernel: Size2D(3), padding: .causal)),
      words: ["padding", "conv1d"]),
    Mistake(input: [9, 4], spec: .maxPool1D(Pool1D(size: 2, padding: .causal)), words: ["padding", "same"]),
    Mistake(input: [9, 9, 4], spec: .dense(Dense(units: 3)), words: ["flatten", "9×9×4"]),
    Mistake(input: [9, 9, 4], spec: .cropping2D(Margins2D(5)), words: ["nothing", "9×9×4"]),
    Mistake(input: [9, 9, 4], spec: .reshape(Reshape([10, 10])), words: ["10×10", "324", "9×9×4"]),
    Mistake(
      input: [9, 4], spec: .embedding(Embedding(vocabulary: 5, dimension: 3)), words: ["word numbers", "9×4"]),
    Mistake(
      input: [9], spec: .embedding(Embedding(vocabulary: 5, dimension: 3, paddingWord: 5)),
      words: ["padding_word", "from 0 to 4"]),
    Mistake(
      input: [9, 9, 4], spec: .normalization(Normalization(mean: [1, 2], variance: [1])),
      words: ["mean", "2 values", "4 channels"]),
    Mistake(
      input: [9, 9, 4], spec: .normalization(Normalization(mean: [1], variance: [-1])),
      words: ["variance", "negative"]),
    Mistake(
      input: [9, 9, 4], spec: .leakyReLU(LeakyReLU(negativeSlope: -0.1)),
      words: ["negative_slope", "at least 0"]),
    Mistake(input: [9, 9, 4], spec: .relu(ReLU(maxValue: 0)), words: ["max_value", "above 0"]),
    Mistake(input: [9, 9, 4], spec: .elu(ELU(alpha: 0)), words: ["alpha", "above 0"]),
    Mistake(
      input: [9, 9, 4], spec: .groupNorm(GroupNorm()), words: ["groups", "32 must divide", "4 channels"]),
    Mistake(input: [9, 9, 4], spec: .groupNorm(GroupNorm(groups: 0)), words: ["groups", "from 1"]),
    Mistake(
      input: [9, 9, 4], spec: .localResponseNorm(LocalResponseNorm(beta: 0)), words: ["beta", "above 0"]),
    Mistake(input: [9, 9, 4], spec: .dropout(Dropout(rate: 1)), words: ["rate", "below 1"]),
  ]

  @Test("what does not fit is an error that names the layer and what it found", arguments: mistakes)
  func doesNotFit(_ mistake: Mistake) throws {
    let network = try Network(
      inputShape: mistake.input, layers: [Layer(name: "culprit", inputs: ["input"], spec: mistake.spec)])
    let error = #expect(throws: NetworkError.self) { try network.resolved() }
    let text = "\(try #require(error))".replacing(" × ", with: "×")
    #expect(error?.layer == "culprit")
    #expect(text.contains("'culprit'"))
    for word in mistake.words { #expect(text.contains(word), "\(text)") }
  }

  @Test(
    "inputs that do not go together are an error with both shapes",
    arguments: [LayerSpec.add, .multiply, .concat])
  func joins(_ spec: LayerSpec) throws {
    let layers = [
      Layer(name: "narrow", inputs: ["input"], spec: .maxPool2D(Pool2D(size: Size2D(2)))),
      Layer(name: "joined", inputs: ["input", "narrow"], spec: spec),
    ]
    let error = #expect(throws: NetworkError.self) {
      try Network(inputShape: [8, 6, 3], layers: layers).resolved()
    }
    let text = "\(try #require(error))"
    #expect(text.contains("'joined'"))
    #expect(text.contains("'narrow'"))
    #expect(text.contains("\(Shape([4, 3, 3]))"))
    #expect(text.contains("\(Shape([8, 6, 3]))"))
  }

  @Test("products take a factor for each channel, in either order")
  func products() throws {
    for inputs in [["input", "mean"], ["square", "input"], ["mean", "input", "square"]] {
      let layers = [
        Layer(name: "mean", inputs: ["input"], spec: .globalAveragePool2D),
        Layer(name: "square", inputs: ["mean"], spec: .reshape(Reshape([1, 1, 3]))),
        Layer(name: "product", inputs: inputs, spec: .multiply),
      ]
      #expect(try Network(inputShape: [8, 6, 3], layers: layers).resolved().outputShape == [8, 6, 3])
    }
  }

  @Test("names are unique, inputs come first, and layers get as many as they take")
  func graph() {
    let flatten = Layer(name: "a", inputs: ["input"], spec: .flatten)
    #expect(throws: NetworkError.noLayers) { try Network(inputShape: [3], layers: []) }
    #expect(throws: NetworkError.inputShape([3, 0])) { try Network(inputShape: [3, 0], layers: [flatten]) }
    #expect(throws: NetworkError.duplicateName("a")) {
      try Network(inputShape: [3], layers: [flatten, flatten])
    }
    #expect(throws: NetworkError.unknownInput(layer: "a", input: "b", known: ["input"])) {
      try Network(inputShape: [3], layers: [Layer(name: "a", inputs: ["b"], spec: .flatten)])
    }
    #expect(throws: NetworkError.inputCount(layer: "a", found: 1, allowed: 2...64)) {
      try Network(inputShape: [3], layers: [Layer(name: "a", inputs: ["input"], spec: .multiply)])
    }
  }
}
