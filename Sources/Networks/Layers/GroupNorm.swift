internal import Settings

/// Normalises groups of neighbouring channels of each sample, over all its positions, to mean 0 and variance 1, then scales
/// each channel by its gamma and shifts it by its beta.
///
/// With one group all values of a sample share a mean and a variance; with as many groups as channels this is instance
/// normalisation. Samples know nothing of each other, so that the shard size does not matter, and training and evaluation compute
/// the same.
/// - SeeAlso: Wu & He 2018, <https://arxiv.org/abs/1803.08494>; Ulyanov et al. 2016, <https://arxiv.org/abs/1607.08022>.
public struct GroupNorm: NormSettings {
  /// How many groups the channels form, at least 1 and a divisor of their number; nil for a group for each channel.
  public var groups: Int?
  /// Added to the variance, inside the root.
  public var epsilon: Float
  /// Whether the result is multiplied by a trained gamma.
  public var scale: Bool
  /// Whether a trained beta is added.
  public var center: Bool

  /// A group normalisation; the defaults are Keras's.
  public init(groups: Int? = 32, epsilon: Float = 1e-3, scale: Bool = true, center: Bool = true) {
    self.groups = groups
    self.epsilon = epsilon
    self.scale = scale
    self.center = center
  }

  /// The number of groups among so many channels.
  public func groupCount(channels: Int) -> Int { groups ?? channels }
}

extension LayerDescription where Settings == GroupNorm {
  static let groupNorm = LayerDescription(
    .groupNorm, "Normalises groups of each sample's channels over all positions.", GroupNorm(),
    [
      SettingKey(
        "groups", \.groups, .optional("channels", .integer(1...65_536)),
        "How many groups the channels form, a divisor of their number; `channels` for one each (instance normalisation)."
      )
    ] + SettingKey.norm,
    keras: KerasLayer("GroupNormalization", options: [.groups, .channelAxis(isWritten: false)]),
    make: LayerSpec.groupNorm,
    label: { norm in
      guard let groups = norm.groups else { return "instance norm" }
      return "group norm, \(groups) group\(groups == 1 ? "" : "s")"
    },
    infer: { try $0.infer($1) })
}

extension KerasLayer.Option where Settings == GroupNorm {
  /// Keras writes −1 for a group for each channel.
  fileprivate static var groups: Self {
    .made(
      "groups", supported: "a whole number from 1, or -1 for a group for each channel",
      write: { norm, _ in .integer(norm.groups ?? -1) },
      read: { value, norm in
        guard let value else { return true }
        guard let count = value.integer, count == -1 || (1...65_536).contains(count) else { return false }
        norm.groups = count == -1 ? nil : count
        return true
      })
  }
}

extension GroupNorm {
  fileprivate func infer(_ inference: LayerInference) throws -> ResolvedLayer {
    let count = groupCount(channels: inference.channels)
    try inference.require(count, atLeast: 1, "groups")
    guard inference.channels % count == 0 else {
      throw inference.wrong(
        "groups",
        "\(count) must divide the \(inference.channels) channels of the \(inference.input) that "
          + "'\(inference.layer.inputs[0])' gives")
    }
    return inference.make(
      output: inference.input, view: .samePlace, parameters: try vectors(inference), flopsPerElement: 8)
  }
}
