public import Compute
internal import Networks
internal import Tensors

/// A number to maximise, made of a layer's values, with its gradient with respect to them.
///
/// Values and gradients are sums, not means, in `Double` and in memory order.
public struct Objective: Hashable, Sendable {
  /// What the number is made of.
  public enum Kind: Hashable, Sendable {
    /// A filter's degree of activation: the sum over its map, `aᵏ = Σᵢⱼ aᵏᵢⱼ`.
    case channelSum(Int)
    /// One unit of a vector.
    case unit(Int)
  }

  /// Where the values are taken.
  public let tap: LayerTap
  /// What the number is made of.
  public let kind: Kind

  /// An objective over the values at `tap`.
  public init(tap: LayerTap, kind: Kind) {
    self.tap = tap
    self.kind = kind
  }

  /// The number for one image.
  ///
  /// - Parameters:
  ///   - values: the layer's values for the image, `[H, W, C]` or `[C]`.
  ///   - channels: C.
  public func value(_ values: UnsafeBufferPointer<Float>, channels: Int) -> Double {
    switch kind {
    case .unit(let unit): return Double(values[unit])
    case .channelSum(let channel):
      var sum = 0.0
      for index in stride(from: channel, to: values.count, by: channels) { sum += Double(values[index]) }
      return sum
    }
  }

  /// Writes the gradient of ``value(_:channels:)`` with respect to the values, in their layout.
  public func writeGradient(
    to seed: UnsafeMutableBufferPointer<Float>, values: UnsafeBufferPointer<Float>, channels: Int
  ) {
    seed.update(repeating: 0)
    switch kind {
    case .unit(let unit): seed[unit] = 1
    case .channelSum(let channel):
      for index in stride(from: channel, to: seed.count, by: channels) { seed[index] = 1 }
    }
  }
}

/// A single target of a maximisation.
public enum Target: Hashable, Sendable, Codable {
  /// A filter of a layer with maps: the sum of its map, after the activation.
  case filter(layer: String, index: Int)
  /// A unit of a layer that gives a vector, after the activation.
  case neuron(layer: String, index: Int)
  /// An output of the network, before softmax or sigmoid.
  case output(Int)

  /// The number that an ascent raises for this target.
  ///
  /// - Throws: ``InsightError`` of kind `usage` where the network lacks the layer, filter, unit or output.
  public func objective(for subject: Subject) throws(InsightError) -> Objective {
    switch self {
    case .filter(let name, let index):
      let layer = try subject.layerWithMaps(name)
      try subject.check(filter: index, of: layer)
      return Objective(tap: LayerTap(name), kind: .channelSum(index))
    case .neuron(let name, let index):
      let layer = try subject.layer(name)
      guard layer.outputShape.rank == 1 else {
        throw .usage(
          "layer '\(name)' gives maps \(layer.outputShape) and no single units; ask for one of its filters")
      }
      try subject.check(filter: index, of: layer)
      return Objective(tap: LayerTap(name), kind: .unit(index))
    case .output(let index):
      guard subject.classNames.indices.contains(index) else {
        throw .usage(
          "the network has no \(subject.outputNoun) \(index); it has \(subject.classNames.count), from 0")
      }
      return Objective(tap: subject.logits, kind: .unit(index))
    }
  }

  /// A short name for labels and files: `conv2d_1-07`, `class-3`.
  public func name(in subject: Subject) -> String {
    switch self {
    case .filter(let layer, let index), .neuron(let layer, let index):
      let text = String(index)
      return "\(layer)-" + String(repeating: "0", count: max(0, 3 - text.count)) + text
    case .output(let index): return "class-\(index)"
    }
  }

  /// The target's name under a picture on a page.
  public func label(in subject: Subject) -> String {
    switch self {
    case .filter(let layer, let index), .neuron(let layer, let index): "\(layer) \(index)"
    case .output(let index): subject.classNames[index]
    }
  }

  /// The target's name drawn into a picture: ``label(in:)``, or a number where the name has letters that cannot be drawn.
  public func drawnLabel(in subject: Subject) -> String {
    let label = label(in: subject)
    if case .output(let index) = self, !BitmapFont.canDraw(label) {
      return "\(subject.outputNoun) \(index)"
    }
    return label
  }
}
