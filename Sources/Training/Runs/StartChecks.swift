internal import Compute
public import Networks
internal import Paths

extension StartConfiguration {
  /// What is said where the file is no longer what a run began with; nil where it is, or is not there.
  func difference(from origin: StartOrigin?) -> String? {
    guard let origin, let digest = StartOrigin.digest(of: self), digest != origin.digest else { return nil }
    return
      "training.start.checkpoint is another than at the beginning (\(origin.path), step \(origin.step), with other contents)"
  }
}

extension RunRequest {
  /// What the run begins with; nil where it goes on from a checkpoint, or begins with the initialisers' values.
  ///
  /// - Throws: ``TrainingError`` where the start is missing or does not fit.
  func startValues() throws -> StartValues? {
    guard let start = configuration.training.start else { return nil }
    if case .path = resume { return nil }
    let entries = (try? CheckpointStore(folder: "\(directory)/checkpoints").entries()) ?? []
    guard entries.isEmpty else { return nil }
    let network = try configuration.network.resolved()
    let values = try StartValues(start, for: network)
    try values.checkWords(of: configuration.data.train, network)
    return values
  }
}

extension PreparedTraining {
  /// Warnings of layers that are frozen with random values.
  var frozenWarnings: [String] {
    request.configuration.training.warning(
      ofFrozenIn: ParameterLayout(network), starting: start?.layers ?? []
    ).map { [$0] } ?? []
  }
}

extension TrainingConfiguration {
  /// What is said where kernels are frozen that nothing gives trained values.
  ///
  /// - Parameter layers: those that begin with trained values.
  func warning(ofFrozenIn layout: ParameterLayout, starting layers: Set<String>) -> String? {
    let frozen = TrainingPhases(self, layout).phases[0].frozen
    let random = layout.parameters.filter {
      $0.spec.outputCount != nil && frozen.contains($0.path) && !layers.contains($0.layer)
    }
    guard !random.isEmpty else { return nil }
    var names: [String] = []
    for parameter in random where names.last != parameter.layer { names.append(parameter.layer) }
    return
      "frozen with random values, since training.start gives them none: \(StartAccount.short(names))"
  }
}

/// What can be said of a run's start without training.
public struct StartOutlook: Sendable {
  /// What came and what did not; nil where the file is not there.
  public let summary: String?
  /// The file or run that is not there; nil where it is.
  public let missing: String?
  /// What a person should know; nil for nothing.
  public let warning: String?
}

extension RunConfiguration {
  /// Holds the start that is there already against the network, as a training does before its first step.
  ///
  /// - Throws: ``TrainingError`` where it does not fit; not for a file that is not there.
  public func startOutlook(for network: ResolvedNetwork) throws -> StartOutlook {
    let layout = ParameterLayout(network)
    guard let start = training.start else {
      return StartOutlook(
        summary: nil, missing: nil, warning: training.warning(ofFrozenIn: layout, starting: []))
    }
    guard FileStatus.exists(RunPath.resolve(StartOrigin.place(of: start.checkpoint))) else {
      return StartOutlook(summary: nil, missing: start.checkpoint, warning: nil)
    }
    let values = try StartValues(start, for: network)
    try values.checkWords(of: data.train, network)
    return StartOutlook(
      summary: "begins with " + values.account.summary(from: values.origin.path), missing: nil,
      warning: training.warning(ofFrozenIn: layout, starting: values.layers))
  }
}
