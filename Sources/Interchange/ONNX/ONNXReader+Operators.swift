internal import Networks

extension ONNXReader {
  /// The operators that can be read, for messages.
  static let supported = Operator.allCases.map(\.rawValue).sorted()

  /// Operators by ONNX's names.
  private enum Operator: String, CaseIterable {
    case conv = "Conv"
    case convTranspose = "ConvTranspose"
    case gemm = "Gemm"
    case matMul = "MatMul"
    case batchNormalization = "BatchNormalization"
    case layerNormalization = "LayerNormalization"
    case groupNormalization = "GroupNormalization"
    case instanceNormalization = "InstanceNormalization"
    case lrn = "LRN"
    case maxPool = "MaxPool"
    case averagePool = "AveragePool"
    case globalAveragePool = "GlobalAveragePool"
    case globalMaxPool = "GlobalMaxPool"
    case reduceMean = "ReduceMean"
    case reduceSum = "ReduceSum"
    case reduceMax = "ReduceMax"
    case relu = "Relu"
    case leakyRelu = "LeakyRelu"
    case elu = "Elu"
    case selu = "Selu"
    case prelu = "PRelu"
    case clip = "Clip"
    case sigmoid = "Sigmoid"
    case hardSigmoid = "HardSigmoid"
    case hardSwish = "HardSwish"
    case swish = "Swish"
    case mish = "Mish"
    case tanh = "Tanh"
    case softplus = "Softplus"
    case gelu = "Gelu"
    case erf = "Erf"
    case softmax = "Softmax"
    case logSoftmax = "LogSoftmax"
    case neg = "Neg"
    case sqrt = "Sqrt"
    case floor = "Floor"
    case ceil = "Ceil"
    case mod = "Mod"
    case reciprocal = "Reciprocal"
    case pow = "Pow"
    case add = "Add"
    case sub = "Sub"
    case mul = "Mul"
    case div = "Div"
    case min = "Min"
    case max = "Max"
    case sum = "Sum"
    case concat = "Concat"
    case pad = "Pad"
    case resize = "Resize"
    case upsample = "Upsample"
    case flatten = "Flatten"
    case reshape = "Reshape"
    case squeeze = "Squeeze"
    case unsqueeze = "Unsqueeze"
    case transpose = "Transpose"
    case greater = "Greater"
    case select = "Where"
    case slice = "Slice"
    case split = "Split"
    case gather = "Gather"
    case shape = "Shape"
    case constant = "Constant"
    case constantOfShape = "ConstantOfShape"
    case cast = "Cast"
    case identity = "Identity"
    case dropout = "Dropout"
  }

  /// Reads a node and notes its results.
  mutating func translate(_ node: ONNXNode) throws {
    guard node.domain.isEmpty, let known = Operator(rawValue: node.operation) else {
      throw InterchangeError(
        .badData,
        "\(path): \(node.place): there is no such operator here; supported are \(Self.supported.joined(separator: ", "))"
      )
    }
    guard let output = node.outputs.first, !output.isEmpty else {
      throw InterchangeError(.badData, "\(path): \(node.place) has no result")
    }
    var options = ONNXAttributes(node, path: path)
    // What depends on no sample is computed at once.
    if known != .shape, try foldsConstants(node, known.rawValue, &options) { return }
    if try followsFormula(node, &options) { return }
    switch known {
    case .conv: try convolution(node, &options)
    case .convTranspose: try transposedConvolution(node, &options)
    case .gemm: try gemm(node, &options)
    case .matMul: try matMul(node)
    case .batchNormalization: try batchNormalization(node, &options)
    case .layerNormalization: try layerNormalization(node, &options)
    case .groupNormalization: try groupNormalization(node, &options)
    case .instanceNormalization: try instanceNormalization(node, &options)
    case .lrn: try responseNormalization(node, &options)
    case .maxPool: try maxPool(node, &options)
    case .averagePool: try averagePool(node, &options)
    case .globalAveragePool: try globalPool(node, .globalAveragePool2D, .globalAveragePool1D)
    case .globalMaxPool: try globalPool(node, .globalMaxPool2D, .globalMaxPool1D)
    case .reduceMean: try reduction(node, &options, .globalAveragePool2D, .globalAveragePool1D)
    case .reduceSum:
      let count = try result(node).elementCount
      try reduction(node, &options, .globalAveragePool2D, .globalAveragePool1D)
      let mean = try result(named: node.outputs[0], node)
      try affine(node, mean, scale: Double(count / mean.elementCount), offset: 0)
    case .reduceMax: try reduction(node, &options, .globalMaxPool2D, .globalMaxPool1D)
    case .relu: try function(node, .activation(.relu), isNonNegative: true)
    case .leakyRelu:
      try function(node, .leakyReLU(LeakyReLU(negativeSlope: options.float("alpha", default: 0.01))))
    case .elu: try elu(node, alpha: options.float("alpha", default: 1))
    case .selu: try selu(node, &options)
    case .prelu: try prelu(node)
    case .clip: try clip(node, &options)
    case .sigmoid: try function(node, .activation(.sigmoid), isNonNegative: true)
    case .hardSigmoid: try hardSigmoid(node, &options)
    case .hardSwish: try hardSwish(node)
    case .swish: try swish(node, &options)
    case .mish: try mish(node)
    case .tanh: try function(node, .activation(.tanh))
    case .softplus: try function(node, .activation(.softplus), isNonNegative: true)
    case .gelu: try gelu(node, &options)
    case .erf: set(output, .partial(.errorFunction(of: try result(node), plusOne: false, factor: 1)))
    case .softmax: try softmax(node, &options)
    case .logSoftmax:
      guard graph.outputs.contains(where: { $0.name == output }) else {
        throw options.refused("logarithms of a softmax are supported as the graph's output only")
      }
      notes.append("the model gives logarithms of probabilities, and the network here the probabilities")
      try softmax(node, &options)
    case .neg: try affine(node, try result(node), scale: -1, offset: 0)
    case .sqrt, .reciprocal:
      throw options.refused("roots and reciprocals are supported as a part of a layer normalisation only")
    case .floor, .ceil, .mod:
      throw options.refused("rounding and remainders are supported among constants only")
    case .pow: try power(node)
    case .add, .sub, .mul, .div: try arithmetic(node)
    case .min, .max: try extremum(node)
    case .sum: try sum(node)
    case .concat: try concat(node, &options)
    case .pad: try pad(node, &options)
    case .resize, .upsample: try resize(node, &options)
    case .flatten: try flatten(node, &options)
    case .reshape: try reshape(node, &options)
    case .squeeze: try squeeze(node, &options)
    case .unsqueeze: try unsqueeze(node, &options)
    case .transpose: try transpose(node, &options)
    case .greater: try comparison(node)
    case .select: throw options.refused("a choice between values is supported as a part of softplus only")
    case .slice: try slice(node, &options)
    case .split: try split(node, &options)
    case .gather: try gather(node, &options)
    case .shape: try shape(node, &options)
    case .constant, .constantOfShape: throw options.refused("its value is not supported")
    case .cast: try cast(node, &options)
    case .identity: if let value = value(node.inputs[0]) { set(output, value) }
    case .dropout:
      options.ignore("ratio", "seed", "is_test")
      set(node, try result(node))
    }
    try options.finish()
  }
}
