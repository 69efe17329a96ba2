internal import Networks

/// Which parameters a rule is for: a layer's name, or `layer/parameter`, with `*` for any characters and `?` for one.
///
/// `conv2d*` means all parameters of the layers `conv2d`, `conv2d.2` and so on, `*/bias` all biases,
/// `stage.3.*` what stands in the third repetition of `stage`.
public struct ParameterPattern: Hashable, Sendable {
  public let text: String

  public init(_ text: String) { self.text = text }

  /// Whether the pattern is for a parameter of this name in this layer.
  public func matches(layer: String, parameter: String) -> Bool {
    Self.matches(Array(text.utf8), Array((text.contains("/") ? "\(layer)/\(parameter)" : layer).utf8))
  }

  /// Of a star only the last one ever needs to be tried again, so the time is at most the product of both lengths.
  private static func matches(_ pattern: [UInt8], _ name: [UInt8]) -> Bool {
    let (star, any) = (UInt8(ascii: "*"), UInt8(ascii: "?"))
    var (p, n) = (0, 0)
    var retry: (pattern: Int, name: Int)?
    while n < name.count {
      if p < pattern.count, pattern[p] == star {
        retry = (p + 1, n)
        p += 1
      } else if p < pattern.count, pattern[p] == any || pattern[p] == name[n] {
        p += 1
        n += 1
      } else if let place = retry {
        retry = (place.pattern, place.name + 1)
        (p, n) = (place.pattern, place.name + 1)
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == star }
  }
}

/// How much of the optimizer's weight decay acts on some parameters.
public struct WeightDecayRule: Hashable, Sendable {
  public let pattern: ParameterPattern
  /// What the weight decay is multiplied by; 0 switches it off.
  public let scale: Double

  public init(_ pattern: ParameterPattern, scale: Double) {
    precondition(scale >= 0, "a weight decay cannot be scaled by \(scale)")
    self.pattern = pattern
    self.scale = scale
  }
}

/// A bound on the norm of each filter or unit: its incoming weights, all of a kernel that lead to one output.
///
///     w ← w · limit / ‖w‖₂               where ‖w‖₂ is above the limit
///
/// Applied after each update of the optimizer, as Keras's `MaxNorm` with the axes of all but the outputs: 0 for dense
/// layers, `[0, 1, 2]` for convolutions. Biases, normalisations and embeddings are left alone.
///
/// - SeeAlso: Srivastava et al. 2014, section 5.1, <https://jmlr.org/papers/v15/srivastava14a.html>.
public struct MaxNorm: Hashable, Sendable {
  public let limit: Double
  /// Of layers or their parameters; nil is every kernel.
  public let patterns: [ParameterPattern]?

  /// - Parameter limit: above 0.
  public init(limit: Double, patterns: [ParameterPattern]? = nil) {
    precondition(limit > 0, "a norm cannot be at most \(limit)")
    self.limit = limit
    self.patterns = patterns
  }

  func bounds(_ parameter: Parameter) -> Bool {
    guard parameter.spec.outputCount != nil else { return false }
    return patterns?.contains { $0.matches(layer: parameter.layer, parameter: parameter.spec.name) } ?? true
  }
}
