internal import Compute
internal import Networks
internal import Parallel

/// A piece of one parameter that is summed and updated at once.
struct UpdateSlice: Sendable {
  /// The slice's place in the flat buffers.
  let range: Range<Int>
  /// Its place in the gradient of a shard; nil where the gradient is taken over the whole minibatch.
  let gradientRange: Range<Int>?
  /// Index of the parameter among the compiled network's segments.
  let segment: Int
  /// What weight decay is multiplied by; 0 where none acts.
  let decayScale: Double

  /// Cuts all parameters into slices; a slice never spans two parameters, nor two pieces that are computed by themselves.
  ///
  /// - Parameter gathered: the gradients that are taken over the whole minibatch, piece by piece.
  static func cut(
    _ segments: [Segment], _ configuration: TrainingConfiguration, gathered: GatheredGradients? = nil
  ) -> [UpdateSlice] {
    segments.enumerated().flatMap { index, segment in
      let scale = configuration.decayScale(of: segment.parameter)
      let pieces =
        (gathered?.tasks ?? []).filter { $0.segment == index }.map(\.range)
        + (gathered?.blocks ?? []).filter { $0.segment == index }.map(\.range)
      return (pieces.isEmpty ? [segment.range] : pieces).flatMap { piece in
        stride(from: piece.lowerBound, to: piece.upperBound, by: ShardReduction.sliceLength).map { start in
          let range = start..<min(start + ShardReduction.sliceLength, piece.upperBound)
          let inGradient = segment.gradientRange.map { place in
            let offset = place.lowerBound - segment.range.lowerBound
            return range.lowerBound + offset..<range.upperBound + offset
          }
          return UpdateSlice(range: range, gradientRange: inGradient, segment: index, decayScale: scale)
        }
      }
    }
  }
}

extension TrainingConfiguration {
  /// Whether the whole gradient must be known before the first parameter moves.
  var needsWholeGradient: Bool {
    if case .norm = clipping { return true }
    if case .skip = nonFinite { return true }
    return optimizer.rule is any LayerwiseOptimizer
  }

  /// What weight decay is multiplied by for a parameter: by the first rule for it, otherwise by the scope.
  func decayScale(of parameter: Parameter) -> Double {
    // What is frozen has no gradient, so that nothing else would move it.
    guard !parameter.spec.isFrozen else { return 0 }
    let rule = weightDecayRules.first {
      $0.pattern.matches(layer: parameter.layer, parameter: parameter.spec.name)
    }
    if let rule { return rule.scale }
    switch (weightDecayScope, parameter.spec.role) {
    case (.all, _), (.kernels, .kernel), (.kernels, .table): return 1
    case (.kernels, .vector), (.kernels, .statistic): return 0
    }
  }
}
