internal import Networks
internal import Training

/// What `prove` found, for machines.
struct ProofResult: Encodable {
  struct Trial: Encodable {
    let trial: String
    /// The step after which it differs from the first trial; `null` when it never does.
    @NullIfMissing var firstDifference: Int?
    /// Of parameters, statistics and optimizer state after the last step.
    let sha256: String
  }

  let steps: Int
  let same: Bool
  let trials: [Trial]

  init(_ table: ProofTable) {
    steps = table.steps
    same = table.difference == nil
    trials = table.trials.map { Trial(trial: $0.name, firstDifference: $0.firstDifference, sha256: $0.last) }
  }
}
