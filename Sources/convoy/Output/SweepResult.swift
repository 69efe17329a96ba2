internal import Networks

/// A sweep's members as they stand, for machines.
struct SweepResult: Encodable {
  struct Member: Encodable {
    /// Its number, from 0.
    let member: Int
    /// What it has in place of the configuration's values, by key; `null` where it has none.
    let values: [String: String?]
    /// The run's directory.
    let run: String
    /// As `runs` tells it; `not begun` where there is no directory.
    let state: String
    let complete: Bool
    /// The figure by which its epochs are compared.
    let monitor: String
    @NullIfMissing var epoch: Int?
    let epochs: Int
    /// The monitored figure of the best epoch.
    @NullIfMissing var best: Double?
    @NullIfMissing var bestEpoch: Int?
    /// After the last epoch.
    @NullIfMissing var digest: String?
  }

  let name: String
  /// The figure by which all members are compared; `null` where there are several.
  @NullIfMissing var monitor: String?
  let keys: [String]
  let members: [Member]
  /// The table that was written; `null` where none was.
  @NullIfMissing var table: String?
  let charts: [String]
}

/// A Slurm job array that was written, for machines.
struct SweepScript: Encodable {
  let path: String
  let tasks: Int
}
