internal import Networks
internal import Training

/// The findings of `prove`, for machines.
struct ProofResult: Encodable {
  struct Trial: Encodable {
    let trial: String
    /// The step after which the trial differs from the first; `null` where it never does.
    @NullIfMissing var firstDifference: Int?
    /// The digest of parameters, statistics and optimizer state after the last step.
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
