internal import Datasets
internal import Digests
internal import Foundation

/// The datasets of a run, opened and checked.
struct RunData {
  let training: SampleStore
  let test: SampleStore?
  /// Hexadecimal SHA-256 by role: `train` and `test` of a fingerprint that is quickly taken, `train contents` and
  /// `test contents` of every byte that a training sees, where that was asked for.
  let digests: [String: String]

  /// - Parameter verifiesContents: reads all data once for the digests of contents.
  init(
    _ configuration: RunConfiguration, workers: Int, verifiesContents: Bool = false, stop: StopRequest
  ) throws {
    let data = configuration.data
    let check: @Sendable () throws -> Void = {
      if stop.isRequested { throw StoppedEarly() }
    }
    func open(_ source: SampleSource) throws -> SampleStore {
      try SampleStore(
        try source.open(), memoryLimitByteCount: data.memoryLimitBytes, threads: max(1, min(workers, 8)),
        check: check)
    }
    training = try open(data.train)
    test = try data.test.map(open)
    var digests: [String: String] = [:]
    for (role, dataset) in [("train", training.dataset), ("test", test?.dataset)] {
      guard let dataset else { continue }
      digests[role] = try Self.digest { try dataset.feedFingerprint(to: $0) }
      guard verifiesContents else { continue }
      digests["\(role) contents"] = try Self.digest {
        try dataset.feedContents(threads: max(1, min(workers, 8)), check: check, to: $0)
      }
    }
    self.digests = digests
  }

  private static func digest(
    _ feed: (_ update: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) throws -> String {
    var hash = SHA256()
    try feed { hash.update($0) }
    return hash.finalize().hexadecimal
  }

  /// Sizes of the minibatches that so many samples are cut into.
  static func minibatchSizes(samples: Int, batch: Int) -> Set<Int> {
    var sizes: Set<Int> = []
    if samples >= batch { sizes.insert(batch) }
    if samples % batch > 0 { sizes.insert(samples % batch) }
    return sizes
  }
}

/// Thrown where a signal ends work before there was anything to save.
public struct StoppedEarly: Error, CustomStringConvertible, Sendable {
  /// What was stopped and what to do, in one line.
  public let description: String

  /// Takes the line that a person will read.
  public init(
    _ description: String = "stopped by a signal before training began; the same command begins again"
  ) {
    self.description = description
  }
}
