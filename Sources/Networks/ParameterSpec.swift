public import Tensors

/// One tensor of values that belongs to a layer.
public struct ParameterSpec: Hashable, Sendable {
  /// Keras's word: `kernel`, `bias`, `gamma`, `beta`, `moving_mean`, `moving_variance`, `embeddings`, `alpha`.
  public let name: String
  /// Keras's layout, for instance `[KH, KW, IC / groups, OC]`.
  public let shape: Shape
  /// What it is to its layer.
  public let role: ParameterRole
  /// How it starts.
  public let initializer: Initializer
  /// The fans that initialisers go by.
  public let fans: Fans
  /// Whether the values stay as they are, although they lie among those that are trained: the gradient is zero and nothing
  /// decays.
  public let isFrozen: Bool
  /// A row of the first dimension that starts at zero and stays there; nil where there is none.
  public let zeroRow: Int?

  /// A parameter; without further word it is trained, and its initial values do not depend on fans.
  public init(
    name: String, shape: Shape, role: ParameterRole, initializer: Initializer, fans: Fans = .none,
    isFrozen: Bool = false, zeroRow: Int? = nil
  ) {
    self.name = name
    self.shape = shape
    self.role = role
    self.initializer = initializer
    self.fans = fans
    self.isFrozen = isFrozen
    self.zeroRow = zeroRow
  }

  /// False for running statistics, which the optimizer leaves alone.
  public var isTrainable: Bool {
    switch role {
    case .kernel, .table, .vector: true
    case .statistic: false
    }
  }
}

/// What a parameter is to its layer, which decides how it is trained.
public enum ParameterRole: Hashable, Sendable {
  /// Weights of sums over a layer's inputs; `outputs` are the dimensions that number the sums.
  case kernel(outputs: Range<Int>)
  /// Vectors that are looked up.
  case table
  /// What is added to values or multiplied by them: biases, scales, slopes.
  case vector
  /// A running statistic of the values, of which each step keeps this share.
  case statistic(keptShare: Float)
}

extension ParameterSpec {
  /// Weights of sums.
  ///
  /// - Parameter outputs: the dimensions that number the sums; the last one when nil.
  static func kernel(
    _ shape: Shape, _ initializer: Initializer, _ fans: Fans, name: String = "kernel",
    outputs: Range<Int>? = nil
  ) -> ParameterSpec {
    ParameterSpec(
      name: name, shape: shape, role: .kernel(outputs: outputs ?? shape.rank - 1..<shape.rank),
      initializer: initializer, fans: fans)
  }

  static func bias(_ shape: Shape, _ initializer: Initializer = .zeros) -> ParameterSpec {
    ParameterSpec(name: "bias", shape: shape, role: .vector, initializer: initializer)
  }

  /// How many outputs a kernel leads to: filters of a convolution, units of a dense layer; nil for what is not a kernel.
  public var outputCount: Int? {
    guard case .kernel(let outputs) = role else { return nil }
    return shape.dimensions[outputs].reduce(1, *)
  }

  /// The output that an element of a kernel in Keras's layout leads to; nil for what is not a kernel.
  public func output(ofElement index: Int) -> Int? {
    guard case .kernel(let outputs) = role, let outputCount else { return nil }
    return index / shape.dimensions[outputs.upperBound...].reduce(1, *) % outputCount
  }
}
