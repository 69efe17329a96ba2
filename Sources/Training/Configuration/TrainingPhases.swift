public import Networks

/// The stretches of a training in which the same parameters are frozen; each has a compiled network of its own.
public struct TrainingPhases: Hashable, Sendable {
  /// A stretch of epochs.
  public struct Phase: Hashable, Sendable {
    /// The epoch with which it begins, counted from 0.
    public let firstEpoch: Int
    /// The paths of the parameters that stay as they are, running statistics included.
    public let frozen: Set<String>
  }

  /// The stretches, one after another; the first begins with the training.
  public let phases: [Phase]

  /// Finds the epochs with which something else is frozen than before.
  public init(_ configuration: TrainingConfiguration, _ layout: ParameterLayout) {
    let freezing = layout.parameters.compactMap { parameter in
      configuration.layerSetting(\.freezing, of: parameter).map { (path: parameter.path, rule: $0) }
    }
    let ends = freezing.compactMap { entry in
      if case .until(let epochs) = entry.rule { epochs } else { nil as Int? }
    }
    phases = ([0] + Set(ends).sorted()).map { epoch in
      Phase(
        firstEpoch: epoch, frozen: Set(freezing.filter { $0.rule.holds(inEpoch: epoch) }.map(\.path)))
    }
  }

  /// How many numbers a phase trains.
  public func trainedCount(ofPhase phase: Int, _ layout: ParameterLayout) -> Int {
    layout.parameters.reduce(0) { sum, parameter in
      let isTrained =
        parameter.spec.isTrainable && !parameter.spec.isFrozen
        && !phases[phase].frozen.contains(parameter.path)
      return sum + (isTrained ? parameter.range.count : 0)
    }
  }

  /// Which share of the parameters is trained when, in words; nil where nothing is frozen.
  public func summary(_ layout: ParameterLayout) -> String? {
    guard phases.contains(where: { !$0.frozen.isEmpty }) else { return nil }
    let all = layout.parameters.reduce(0) { $0 + $1.range.count }
    let parts = phases.indices.map { index in
      let count = "\(trainedCount(ofPhase: index, layout)) of \(all) parameters are trained"
      return phases.count == 1 ? count : "from epoch \(phases[index].firstEpoch + 1) \(count)"
    }
    return parts.joined(separator: ", ")
  }

  /// The number of the last phase, in which the fewest parameters are frozen.
  public var last: Int { phases.count - 1 }

  /// The number of the phase of an epoch, counted from 0.
  public func index(ofEpoch epoch: Int) -> Int { phases.lastIndex { $0.firstEpoch <= epoch } ?? 0 }
}
