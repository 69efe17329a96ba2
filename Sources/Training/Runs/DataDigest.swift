internal import Datasets
internal import Digests

/// The digests by which a run that goes on recognises its data.
enum DataDigest: String, CaseIterable {
  /// A digest of every byte that a training sees.
  case contents
  /// A digest of all labels and of samples spread over the data, which takes little time.
  case sample
  /// A digest of what ``sample`` takes and of how the file stores the data: the only one in checkpoints of earlier versions.
  case stored

  /// The name of a digest in a checkpoint: `train contents`, `test sample`; for ``stored`` the name of the data set alone.
  static func key(_ digest: DataDigest, of role: String) -> String {
    digest == .stored ? role : "\(role) \(digest.rawValue)"
  }

  /// Data of at most this many bytes is read whole at each start, which takes a fraction of a second.
  static let cheapByteCount = 256 << 20

  /// The digest of a data set, in hexadecimal digits.
  func text(
    of store: SampleStore, check: @Sendable () throws -> Void = {}
  ) throws -> String {
    var hash = SHA256()
    switch self {
    case .contents: try store.feedContents(check: check) { hash.update($0) }
    case .sample: try store.dataset.feedSample { hash.update($0) }
    case .stored: try store.dataset.feedStoredSample { hash.update($0) }
    }
    return hash.finalize().hexadecimal
  }
}

/// What is known of a run's data when it starts: digests by ``DataDigest/key(_:of:)``.
struct DataDigests {
  /// What the data sets of a run are to it.
  static let roles = ["train", "test"]

  /// The digests ``DataDigest/sample``, and ``DataDigest/contents`` where these are cheap or asked for.
  let values: [String: String]

  init(values: [String: String]) { self.values = values }

  /// - Parameter readsAll: takes digests of all bytes of data of any size.
  init(_ data: RunData, readsAll: Bool, check: @Sendable () throws -> Void) throws {
    var values: [String: String] = [:]
    for role in Self.roles {
      guard let store = data.store(of: role) else { continue }
      values[DataDigest.key(.sample, of: role)] = try DataDigest.sample.text(of: store)
      guard readsAll || store.dataset.byteCount <= DataDigest.cheapByteCount else { continue }
      values[DataDigest.key(.contents, of: role)] = try DataDigest.contents.text(of: store, check: check)
    }
    self.values = values
  }

  /// The digests that a checkpoint gets: these, and digests of contents that an earlier start took and this one did not, as
  /// long as the samples are the same.
  func merged(with earlier: [String: String]) -> [String: String] {
    var merged = values
    for role in Self.roles {
      let (sample, contents) = (DataDigest.key(.sample, of: role), DataDigest.key(.contents, of: role))
      guard merged[contents] == nil, earlier[sample] == nil || earlier[sample] == values[sample] else {
        continue
      }
      merged[contents] = earlier[contents]
    }
    return merged
  }

  /// The message where all bytes are to be compared and the checkpoint has nothing to compare them with; nil where it has.
  static func nothingToCompare(_ data: RunData, with earlier: [String: String]) -> String? {
    let unknown = roles.filter { role in
      data.store(of: role) != nil && earlier[DataDigest.key(.contents, of: role)] == nil
    }
    guard !unknown.isEmpty else { return nil }
    return
      "--verify-data has nothing to compare the \(unknown.joined(separator: " and ")) data with: the run began without it"
  }

  /// Which data is not what the run began with, a phrase for each.
  ///
  /// Of the digests that both have, the one that says most decides.
  func differences(_ data: RunData, from earlier: [String: String]) throws -> [String] {
    try Self.roles.compactMap { role -> String? in
      guard let store = data.store(of: role) else { return nil }
      for digest in DataDigest.allCases {
        guard let before = earlier[DataDigest.key(digest, of: role)] else { continue }
        switch digest {
        case .contents, .sample:
          guard let now = values[DataDigest.key(digest, of: role)] else { continue }
          return now == before ? nil : "the \(role) data is not the same as when the run began"
        case .stored:
          guard try DataDigest.stored.text(of: store) != before else { return nil }
          return
            "the \(role) data is not the same, or is stored in another way, as when an earlier version began the run"
        }
      }
      return nil
    }
  }
}
