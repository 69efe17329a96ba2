public import Networks

extension LayerSpec {
  /// The kind with its hyper-parameters, those left out that have their usual values: `conv2d 3×3, 25 filters, relu`.
  public var summary: String {
    switch self {
    case .conv2D(let conv): conv.summary
    case .maxPool2D(let pool): "max pool \(pool.summary)"
    case .averagePool2D(let pool): "average pool \(pool.summary)"
    case .globalAveragePool2D: "global average pool"
    case .globalMaxPool2D: "global max pool"
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
