public import Settings

/// How several workers share the work of a step.
///
/// Each way gives the same bytes on any number of workers; those of the other may differ in their last bits.
public enum Parallelism: String, Hashable, Sendable, CaseIterable, SettingWord {
  /// Each worker takes shards of its own.
  case shards
  /// All workers share each sample, each computing some channels of a layer: for minibatches of large samples that are fewer than
  /// the workers. With 32-bit floating point only.
  case intra

  /// What references say of it, in a few words.
  public var summary: String {
    switch self {
    case .shards: "each worker takes shards of its own"
    case .intra:
      "all workers share each sample, each computing some channels; for large samples that are fewer than the workers"
    }
  }
}

/// Number format of activations and weights in kernels; parameters, gradient sums and optimizer stay fp32.
public enum Precision: String, Hashable, Sendable, CaseIterable, SettingWord {
  /// 32-bit floating point.
  case fp32
  /// 16-bit floating point with the exponent of 32 bits.
  case bf16

  /// What references say of it, in a few words.
  public var summary: String {
    switch self {
    case .fp32: "32-bit floating point"
    case .bf16: "bfloat16 in kernels; parameters and sums stay fp32"
    }
  }
}

/// Which parameters weight decay acts on.
public enum WeightDecayScope: String, Hashable, Sendable, CaseIterable, SettingWord {
  /// Every trainable parameter, Keras's default.
  case all
  /// Kernels of convolutions and dense layers; biases and the scales of normalisation are left alone.
  case kernels

  /// What references say of it, in a few words.
  public var summary: String {
    switch self {
    case .all: "every trainable parameter"
    case .kernels: "kernels only, not biases and normalisations"
    }
  }
}

/// Bounds on the minibatches of an epoch.
public struct EpochLimits: Hashable, Sendable {
  /// Minibatches of a training epoch; nil for all.
  public var training: Int?
  /// Minibatches, of ``TrainingConfiguration/batch`` samples, of an evaluation; nil for all.
  public var evaluation: Int?

  /// Takes the bounds; nil for all minibatches.
  public init(training: Int? = nil, evaluation: Int? = nil) {
    self.training = training
    self.evaluation = evaluation
  }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<EpochLimits>(
    "Bounds on the minibatches of an epoch, for quick trials and for very large data.",
    EpochLimits(),
    [
      SettingKey(
        "training", \.training, .optional("none", .integer(1...1 << 40)),
        "How many minibatches a training epoch has; each epoch has others where each has its own order."),
      SettingKey(
        "evaluation", \.evaluation, .optional("none", .integer(1...1 << 40)),
        "How many minibatches an evaluation has, which are the first ones."),
    ])
}

/// A bound on gradients, applied to the minibatch's mean gradient before the optimizer.
public enum GradientClipping: Hashable, Sendable {
  /// Gradients stay as they are.
  case none
  /// Scales all gradients so that their global L2 norm is at most this.
  case norm(Double)
  /// Clamps each element to ± this.
  case value(Double)
}

extension GradientClipping: SettingsVariant {
  /// The words of configurations.
  public enum Kind: String, Sendable, CaseIterable {
    /// Gradients stay as they are.
    case none
    /// A bound on the norm of all gradients together.
    case norm
    /// A bound on each element.
    case value
  }

  /// What messages call one of these.
  public static let noun = "clipping"

  /// Which of the kinds this is, without its settings.
  public var kind: Kind {
    switch self {
    case .none: .none
    case .norm: .norm
    case .value: .value
    }
  }

  /// The word and the settings of a kind.
  public static func description(of kind: Kind) -> SettingsKind<Self> {
    switch kind {
    case .none: SettingsKind(kind.rawValue, "Gradients are left as they are.", .none)
    case .norm:
      SettingsKind(
        kind.rawValue,
        "All gradients are scaled so that their common L2 norm is at most this (Keras's `global_clipnorm`).",
        .number(.positive),
        wrap: Self.norm, unwrap: { if case .norm(let bound) = $0 { bound } else { nil } })
    case .value:
      SettingsKind(
        kind.rawValue, "Each element of the gradients is held within ± this.", .number(.positive),
        wrap: Self.value,
        unwrap: { if case .value(let bound) = $0 { bound } else { nil } })
    }
  }
}

/// What happens when the loss or a gradient is NaN or infinite.
public enum NonFinitePolicy: Hashable, Sendable {
  /// Ends the run with its last good checkpoint.
  case stop
  /// Leaves the step out, at most this many times in a run; then stops.
  case skip(atMost: Int)
}

extension NonFinitePolicy: SettingsVariant {
  /// The words of configurations.
  public enum Kind: String, Sendable, CaseIterable {
    /// Ends the run with its last good checkpoint.
    case stop
    /// Leaves the step out.
    case skip
  }

  /// What messages call one of these.
  public static let noun = "policy"

  /// Which of the kinds this is, without its settings.
  public var kind: Kind {
    switch self {
    case .stop: .stop
    case .skip: .skip
    }
  }

  /// The word and the settings of a kind.
  public static func description(of kind: Kind) -> SettingsKind<Self> {
    switch kind {
    case .stop: SettingsKind(kind.rawValue, "The run ends with the last good checkpoint.", .stop)
    case .skip:
      SettingsKind(
        kind.rawValue, "The step is left out, at most this many times in a run.", .integer(1...1 << 40),
        wrap: Self.skip, unwrap: { if case .skip(let count) = $0 { count } else { nil } })
    }
  }
}
