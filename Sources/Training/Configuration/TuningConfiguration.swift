public import Settings

/// Where the choice of kernels comes from.
public enum TuningConfiguration: Hashable, Sendable {
  /// A cost model over shapes: two fresh runs agree.
  case model
  /// Direct convolutions only; Winograd's rounding is avoided.
  case direct
  /// Kernels are timed before the first step, once for each network and machine.
  case measured
  /// Choices written down by `convoy tune --save`.
  case file(String)
}

extension TuningConfiguration: SettingsVariant {
  /// The words of configurations.
  public enum Kind: String, Sendable, CaseIterable {
    /// A cost model chooses.
    case model
    /// Direct kernels everywhere.
    case direct
    /// The fastest that was measured.
    case measured
    /// What a file says.
    case file
  }

  /// What messages call one of these.
  public static let noun = "tuning"

  /// Which of the kinds this is, without its settings.
  public var kind: Kind {
    switch self {
    case .model: .model
    case .direct: .direct
    case .measured: .measured
    case .file: .file
    }
  }

  /// The word and the settings of a kind.
  public static func description(of kind: Kind) -> SettingsKind<Self> {
    switch kind {
    case .model:
      SettingsKind(
        kind.rawValue, "A cost model over shapes: two fresh runs give the same bytes.", .model)
    case .direct:
      SettingsKind(
        kind.rawValue,
        "Direct convolutions only, without Winograd's coarser rounding (at most 2e-4 of a tensor's largest element).",
        .direct)
    case .measured:
      SettingsKind(
        kind.rawValue, "Kernels are timed before the first step, once for each network and machine.",
        .measured)
    case .file:
      SettingsKind(
        kind.rawValue, "Choices that `convoy tune --save` wrote.", .path, wrap: Self.file,
        unwrap: { if case .file(let path) = $0 { path } else { nil } })
    }
  }
}
