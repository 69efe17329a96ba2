internal import Networks
public import Settings

/// A bound on the norm of each filter or unit, taken over all weights of a kernel that lead to one output.
///
///     w ← w · limit / ‖w‖₂               where ‖w‖₂ is above the limit
///
/// It is applied after each update of the optimizer, as Keras's `MaxNorm` with the axes of all but the outputs: 0 for dense
/// layers, `[0, 1, 2]` for convolutions. Biases, normalisations and embeddings are left alone.
///
/// - SeeAlso: Srivastava et al. 2014, section 5.1, <https://jmlr.org/papers/v15/srivastava14a.html>.
public struct MaxNorm: Hashable, Sendable {
  /// The largest L2 norm of a filter or unit, above 0.
  public var limit: Double
  /// The layers or parameters that it is for; nil is every kernel.
  public var patterns: [ParameterPattern]?

  /// Takes a bound and the layers whose parameters it is for; nil for all.
  ///
  /// - Parameter limit: above 0.
  public init(limit: Double, patterns: [ParameterPattern]? = nil) {
    precondition(limit > 0, "a norm cannot be at most \(limit)")
    self.limit = limit
    self.patterns = patterns
  }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<MaxNorm>(
    "A bound on the L2 norm of each filter or unit, after each step.", MaxNorm(limit: 1),
    [
      SettingKey("limit", \.limit, .number(.positive), default: .required, "The largest norm."),
      SettingKey(
        "layers", \.patterns, given: .list(.pattern, count: 1...1000),
        otherwise: "every layer with a kernel",
        "The names of the layers; `*` stands for any characters: `[\"dense*\"]`."),
    ])

  func bounds(_ parameter: Parameter) -> Bool {
    guard parameter.spec.outputCount != nil else { return false }
    return patterns?.contains { $0.matches(layer: parameter.layer, parameter: parameter.spec.name) } ?? true
  }
}
