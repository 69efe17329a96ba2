internal import Compute
internal import Networks
internal import Parallel

/// A piece of one parameter that is summed and updated at once.
struct UpdateSlice: Sendable {
  /// In the flat buffers.
  let range: Range<Int>
  /// Index of the parameter among the compiled network's segments.
  let segment: Int
  let decays: Bool

  /// Cuts all parameters into slices; a slice never spans two parameters.
  static func cut(_ segments: [Segment], scope: WeightDecayScope) -> [UpdateSlice] {
    segments.enumerated().flatMap { index, segment in
      let decays =
        switch scope {
        case .all: true
        case .kernels: ["kernel", "embeddings"].contains(segment.parameter.spec.name)
        }
      // What is frozen has no gradient, so that nothing else would move it.
      let mayDecay = decays && !segment.parameter.spec.isFrozen
      return stride(
        from: segment.range.lowerBound, to: segment.range.upperBound, by: ShardReduction.sliceLength
      ).map { start in
        UpdateSlice(
          range: start..<min(start + ShardReduction.sliceLength, segment.range.upperBound), segment: index,
          decays: mayDecay)
      }
    }
  }
}

extension TrainingConfiguration {
  /// Whether the whole gradient must be known before the first parameter moves.
  var needsWholeGradient: Bool {
    if case .norm = clipping { return true }
    if case .skip = nonFinite { return true }
    return optimizer.isLayerwise
  }
}
