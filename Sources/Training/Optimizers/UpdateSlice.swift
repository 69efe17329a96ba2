internal import Compute
internal import Networks
internal import Parallel

/// A piece of one parameter that is summed and updated at once.
struct UpdateSlice: Sendable {
  /// The slice's place in the flat buffers of parameters.
  let range: Range<Int>
  /// Its place in the buffers of what only trained parameters have.
  let trainedRange: Range<Int>
  /// Its place in the gradient of a shard; nil where the gradient is taken over the whole minibatch.
  let gradientRange: Range<Int>?
  /// Index of the parameter among the compiled network's segments.
  let segment: Int
  /// What weight decay is multiplied by; 0 where none acts.
  let decayScale: Double
  /// The number of the rule by which it moves, ``UpdateRule``.
  let rule: Int

  /// Cuts all trained parameters into slices; a slice never spans two parameters, nor two pieces that are computed by themselves.
  ///
  /// - Parameter tasks: the pieces of the parameters whose gradients are taken over the whole minibatch.
  static func cut(
    _ segments: [Segment], _ configuration: TrainingConfiguration, tasks: [GatheredGradients.Task] = []
  ) -> [UpdateSlice] {
    let rules = UpdateRule.all(configuration, segments)
    return segments.enumerated().flatMap { index, segment -> [UpdateSlice] in
      guard let trained = segment.trainedRange else { return [] }
      let scale = configuration.decayScale(of: segment.parameter)
      let rule = rules.firstIndex(of: UpdateRule(configuration, segment.parameter)) ?? 0
      let pieces = tasks.filter { $0.segment == index }.map(\.range)
      return (pieces.isEmpty ? [segment.range] : pieces).flatMap { piece in
        stride(from: piece.lowerBound, to: piece.upperBound, by: ShardReduction.sliceLength).map { start in
          let range = start..<min(start + ShardReduction.sliceLength, piece.upperBound)
          let inGradient = segment.gradientRange.map { place in
            let offset = place.lowerBound - segment.range.lowerBound
            return range.lowerBound + offset..<range.upperBound + offset
          }
          let offset = trained.lowerBound - segment.range.lowerBound
          return UpdateSlice(
            range: range, trainedRange: range.lowerBound + offset..<range.upperBound + offset,
            gradientRange: inGradient, segment: index, decayScale: scale, rule: rule)
        }
      }
    }
  }
}

/// How some parameters are moved: by the optimizer with its weight decay or theirs, at a multiple of the learning rate.
struct UpdateRule: Equatable, Sendable {
  let optimizer: any Optimizer
  /// What the learning rate is multiplied by.
  let rateScale: Double

  /// The rule for a parameter.
  init(_ configuration: TrainingConfiguration, _ parameter: Parameter) {
    var optimizer = configuration.optimizer.rule
    if let decay = configuration.layerSetting(\.weightDecay, of: parameter), decay > 0 {
      optimizer.weightDecay = decay
    }
    self.optimizer = optimizer
    rateScale = configuration.layerSetting(\.learningRateScale, of: parameter) ?? 1
  }

  /// The rules of all trained parameters, each once.
  static func all(_ configuration: TrainingConfiguration, _ segments: [Segment]) -> [UpdateRule] {
    var rules: [UpdateRule] = []
    for segment in segments where segment.isTrained {
      let rule = UpdateRule(configuration, segment.parameter)
      if !rules.contains(rule) { rules.append(rule) }
    }
    return rules
  }

  /// The moment of an update with the rule's rate.
  func moment(_ moment: UpdateMoment) -> UpdateMoment {
    UpdateMoment(update: moment.update, learningRate: moment.learningRate * rateScale)
  }

  static func == (left: UpdateRule, right: UpdateRule) -> Bool {
    left.rateScale == right.rateScale && left.optimizer.weightDecay == right.optimizer.weightDecay
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
    if let own = layerSetting(\.weightDecay, of: parameter) { return own == 0 ? 0 : 1 }
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
