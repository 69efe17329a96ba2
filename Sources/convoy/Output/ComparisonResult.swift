internal import Networks
internal import Reporting
internal import Training

/// What runs have in common and where they diverge, for machines.
struct ComparisonResult: Encodable {
  struct Run: Encodable {
    /// The letter by which other members refer to the run.
    let letter: String
    let run: String
    let state: String
    @NullIfMissing var epoch: Int?
    @NullIfMissing var best: Double?
    @NullIfMissing var bestEpoch: Int?
    @NullIfMissing var seconds: Double?
    /// The digest after the last epoch.
    @NullIfMissing var digest: String?
  }

  struct Difference: Encodable {
    let key: String
    /// The values in the order of the runs.
    let values: [String]
  }

  let runs: [Run]
  let differences: [Difference]
  /// A sentence for every run after the first.
  let partings: [String]

  init(_ comparison: RunComparison) {
    runs = comparison.members.enumerated().map { index, member in
      let state = member.folder.state
      return Run(
        letter: RunComparison.letter(index), run: member.folder.path, state: member.folder.phase,
        epoch: state?.epoch, best: state?.best, bestEpoch: state?.bestEpoch, seconds: state?.seconds,
        digest: member.epochs?.cells("digest")?.last)
    }
    differences = comparison.differences.rows.map { Difference(key: $0[0], values: Array($0.dropFirst())) }
    partings = comparison.partings
  }
}
