internal import Datasets
internal import Digests

/// By what a run that goes on knows its data again.
enum DataDigest: String, CaseIterable {
  /// Of every byte that a training sees.
  case contents
  /// Of all labels and of samples spread over the data: quickly taken.
  case sample
  /// As ``sample``, and of how the file stores the data: the only one in checkpoints of earlier versions.
  case stored

  /// The name of a digest in a checkpoint: `train contents`, `test sample`; of earlier versions' it is the data set's alone.
  static func key(_ digest: DataDigest, of role: String) -> String {
    digest == .stored ? role : "\(role) \(digest.rawValue)"
  }

  /// Data of no more bytes is read whole at each start: it takes a fraction of a second.
  static let cheapByteCount = 256 << 20

  /// Hexadecimal.
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

  /// Those of ``DataDigest/sample``, and of ``DataDigest/contents`` where they are cheap or asked for.
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

  /// What a checkpoint says of data that it may know nothing of any more but by these digests.
  ///
  /// Digests of contents that an earlier start took stay, though this one did not, as long as the samples are the same.
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

  /// What is said where all bytes shall be compared and the checkpoint has nothing to compare them with; nil where it has.
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
  /// The digest that says most of those that both know decides.
  func differences(_ data: RunData, from earlier: [String: String]) throws -> [String] {
    try Self.roles.compactMap { role -> String? in
      guard let store = data.store(of: role) else { return nil }
      for digest in DataDigest.allCases {
        guard let before = earlier[DataDigest.key(digest, of: role)] else { continue }
        switch digest {
        case .contents, .sample:
          guard let now = values[DataDigest.key(digest, of: role)] else { continue }
          return now == before ? nil : "the \(role) data has other contents than when the run began"
        case .stored:
          guard try DataDigest.stored.text(of: store) != before else { return nil }
          return
            "the \(role) data has other contents, or is stored in another way, than when an earlier version began the run"
        }
      }
      return nil
    }
  }
}
