internal import Compute
internal import Networks
internal import Parallel

/// Where a number went bad.
struct NonFinite: Hashable, Sendable {
  /// `the loss` or `the gradient of 'dense/kernel'`.
  let what: String
  /// Positions within the minibatch of the samples to look at.
  let samples: Range<Int>
  /// The first layer in which it appears, with its pass; nil where it could not be found again.
  let layer: String?
}

extension ShardGradients {
  /// Has the rank that computed a shard whose loss is not finite run it again, and look after every layer.
  func locateBadLoss(_ shard: Int, _ minibatch: ShardedMinibatch, _ ranks: Ranks) throws -> NonFinite {
    let samples = minibatch.sharding[shard]
    let place: NonFinite? =
      ownShards(minibatch).contains(shard)
      ? NonFinite(
        what: "the loss", samples: samples, layer: try firstNonFinite(minibatch, samples).map(Self.text))
      : nil
    return try ranks.firstFound(place) ?? NonFinite(what: "the loss", samples: samples, layer: nil)
  }

  private static func text(_ step: StepName) -> String { "layer '\(step.layer)' (\(step.pass.rawValue))" }

  /// Finds the shards and the parameter in whose gradient the bad number came up, and the layer in which it did.
  ///
  /// Backward goes from the last layer to the first, so of the parameters with bad gradients the last one was hit first. The
  /// layer may lie behind it, one without parameters: the shards are run again to find it.
  /// - Parameters:
  ///   - segment: a parameter whose summed gradient is not finite.
  ///   - segments: all parameters, in their order.
  func locateBadGradient(
    _ segment: Segment, _ minibatch: ShardedMinibatch, _ segments: [Segment], _ ranks: Ranks
  ) throws -> NonFinite {
    let found = try badGradientOfOwnShards(segment, minibatch, segments)
    if let found = try ranks.firstFound(found) { return found }
    // Each shard was finite and the sum is not: it overflowed.
    return NonFinite(
      what: "the summed gradient of '\(segment.parameter.path)'",
      samples: 0..<minibatch.sharding.sampleCount,
      layer: "layer '\(segment.parameter.layer)' (backward)")
  }

  /// The place among the shards that were computed here; nil where all of them are finite.
  private func badGradientOfOwnShards(
    _ segment: Segment, _ minibatch: ShardedMinibatch, _ segments: [Segment]
  ) throws -> NonFinite? {
    let sharding = minibatch.sharding
    for (shards, gradient) in reduction.partials {
      let bad = segments.last { segment in
        segment.gradientRange?.contains { !gradient[$0].isFinite } ?? false
      }
      guard let bad else { continue }
      let samples = sharding[shards.lowerBound].lowerBound..<sharding[shards.upperBound - 1].upperBound
      // Slices with finite gradients may have moved meanwhile: if that makes the forward pass overflow, it says nothing.
      let step = try shards.lazy.compactMap { [self] in try firstNonFinite(minibatch, sharding[$0]) }.first
      let found = step.flatMap { $0.pass == .forward ? nil : Self.text($0) }
      return NonFinite(
        what: "the gradient of '\(bad.parameter.path)'", samples: samples,
        layer: found ?? "layer '\(bad.parameter.layer)' (backward)")
    }
    let parameter = segment.parameter
    if segment.gradientRange == nil {
      for samples in ownShards(minibatch).map({ sharding[$0] }) {
        guard let step = try firstNonFinite(minibatch, samples), step.pass != .forward else { continue }
        return NonFinite(
          what: "the gradient of '\(parameter.path)'", samples: samples, layer: Self.text(step))
      }
    }
    return nil
  }
}
