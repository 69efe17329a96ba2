public import Networks

extension LayerSpec {
  /// The kind with its hyper-parameters, those left out that have their usual values: `conv2d 3×3, 25 filters, relu`.
  public var summary: String {
    switch self {
    case .conv1D(let conv): conv.summary
    case .conv2D(let conv): conv.summary
    case .depthwiseConv2D(let conv): conv.summary
    case .conv2DTranspose(let conv): conv.summary
    case .maxPool1D(let pool): "max pool \(pool.summary)"
    case .averagePool1D(let pool): "average pool \(pool.summary)"
    case .maxPool2D(let pool): "max pool \(pool.summary)"
    case .averagePool2D(let pool): "average pool \(pool.summary)"
    case .globalAveragePool1D, .globalAveragePool2D: "global average pool"
    case .globalMaxPool1D, .globalMaxPool2D: "global max pool"
    case .zeroPadding1D(let margins): "zeros \(margins.before), \(margins.after)"
    case .zeroPadding2D(let margins): "zeros \(margins.summary)"
    case .cropping1D(let margins): "crop \(margins.before), \(margins.after)"
    case .cropping2D(let margins): "crop \(margins.summary)"
    case .upSampling1D(let sampling): "repeat \(sampling.size)×"
    case .upSampling2D(let sampling): "enlarge \(sampling.size.text), \(sampling.interpolation.rawValue)"
    case .reshape(let reshape): "reshape " + reshape.shape.map(String.init).joined(separator: "×")
    case .embedding(let embedding):
      "embedding of \(embedding.vocabulary) words" + (embedding.isFrozen ? ", frozen" : "")
    case .leakyReLU(let function): "leaky relu \(function.negativeSlope)"
    case .elu(let function): "elu" + (function.alpha == 1 ? "" : " \(function.alpha)")
    case .prelu(let function): "prelu" + (function.sharesPositions ? ", one per channel" : "")
    case .layerNorm: "layer norm"
    case .localResponseNorm(let norm): "local response norm, radius \(norm.radius)"
    case .normalization: "normalization"
    case .multiply: "multiply"
    case .flatten: "flatten"
    case .dense(let dense):
      "dense \(dense.units)" + (dense.useBias ? "" : ", no bias") + dense.activation.suffix
    case .activation(let activation): activation.rawValue
    case .dropout(let dropout): "dropout \(dropout.rate)"
    case .batchNorm: "batch norm"
    case .add: "add"
    case .concat: "concat"
    case .rescale(let rescale):
      "× \(NumberText.short(rescale.scale))"
        + (rescale.offset == 0 ? "" : " + \(NumberText.short(rescale.offset))")
    case .positionBias: "position bias"
    }
  }
}

extension Conv2D {
  fileprivate var summary: String {
    var text = "conv \(kernel.text), \(filters) filters"
    if stride != .one { text += ", stride \(stride.text)" }
    if dilation != .one { text += ", dilation \(dilation.text)" }
    if padding != .valid { text += ", \(padding.rawValue)" }
    if groups != 1 { text += ", \(groups) groups" }
    if !useBias { text += ", no bias" }
    return text + activation.suffix
  }
}

extension Conv1D {
  fileprivate var summary: String {
    var text = "conv \(kernel), \(filters) filters"
    if stride != 1 { text += ", stride \(stride)" }
    if dilation != 1 { text += ", dilation \(dilation)" }
    if padding != .valid { text += ", \(padding.rawValue)" }
    if groups != 1 { text += ", \(groups) groups" }
    if !useBias { text += ", no bias" }
    return text + activation.suffix
  }
}

extension DepthwiseConv2D {
  fileprivate var summary: String {
    var text = "depthwise conv \(kernel.text)"
    if multiplier != 1 { text += ", \(multiplier) per channel" }
    if stride != .one { text += ", stride \(stride.text)" }
    if dilation != .one { text += ", dilation \(dilation.text)" }
    if padding != .valid { text += ", \(padding.rawValue)" }
    if !useBias { text += ", no bias" }
    return text + activation.suffix
  }
}

extension Conv2DTranspose {
  fileprivate var summary: String {
    var text = "transposed conv \(kernel.text), \(filters) filters"
    if stride != .one { text += ", stride \(stride.text)" }
    if padding != .valid { text += ", \(padding.rawValue)" }
    if !useBias { text += ", no bias" }
    return text + activation.suffix
  }
}

extension Pool1D {
  fileprivate var summary: String {
    "\(size)" + (stride == size ? "" : ", stride \(stride)")
      + (padding == .valid ? "" : ", \(padding.rawValue)")
  }
}

extension Margins2D {
  fileprivate var summary: String {
    top == bottom && top == left && top == right ? "\(top)" : "\(top), \(bottom), \(left), \(right)"
  }
}

extension Pool2D {
  fileprivate var summary: String {
    size.text + (stride == size ? "" : ", stride \(stride.text)")
      + (padding == .valid ? "" : ", \(padding.rawValue)")
  }
}

extension Size2D {
  fileprivate var text: String { "\(height)×\(width)" }
}

extension Activation {
  fileprivate var suffix: String { self == .linear ? "" : ", \(rawValue)" }
}
