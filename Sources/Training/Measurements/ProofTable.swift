/// The results of the trials of an ``ExactnessProof``, each compared with the first.
public struct ProofTable: Hashable, Sendable {
  /// One training of the same steps.
  public struct Trial: Hashable, Sendable {
    /// `3 workers`, `resumed after 10`.
    public let name: String
    /// The digests of the state: before the first step, then after each.
    public let digests: [String]
    /// The first step after which it differs from the first trial, 0 for the state before any; nil when it never does.
    public let firstDifference: Int?

    /// Digest after the last step.
    public var last: String { digests.last ?? "" }
  }

  /// The trials in the order in which they were added.
  public private(set) var trials: [Trial] = []

  /// Makes a table without trials.
  public init() {}

  /// Adds a trial; all others are compared with the first one.
  ///
  /// - Parameter digests: as ``ExactnessProof/digests(_:steps:restart:progress:)`` gives them, at least one.
  @discardableResult
  public mutating func add(_ name: String, _ digests: [String]) -> Trial {
    let expected = trials.first?.digests ?? digests
    let step = zip(expected, digests).enumerated().first { $0.element.0 != $0.element.1 }?.offset
    // A trial that ends earlier differs from there on.
    let end = expected.count == digests.count ? nil : min(expected.count, digests.count)
    let trial = Trial(name: name, digests: digests, firstDifference: step ?? end)
    trials.append(trial)
    return trial
  }

  /// Steps that the first trial did.
  public var steps: Int { max(0, (trials.first?.digests.count ?? 0) - 1) }

  /// Which trials differ and from which step on, in one line; nil when all have the same bytes after every step.
  public var difference: String? {
    let differing = trials.compactMap { trial in
      trial.firstDifference.map { "\(trial.name) from \($0 == 0 ? "the start" : "step \($0)") on" }
    }
    guard let first = trials.first, !differing.isEmpty else { return nil }
    return "not the same bytes as with \(first.name): \(differing.joined(separator: ", "))"
  }
}
