internal import Datasets
internal import Tensors

/// A dataset file that was written, for machines.
struct DatasetResult: Encodable {
  struct Split: Encodable {
    let name: String
    let samples: Int
  }

  let path: String
  let splits: [Split]
  let sampleShape: [Int]
  /// Names of the classes, or of the target columns.
  let classNames: [String]
  let hasTargets: Bool
  /// What else a person should know.
  let notes: [String]

  init(_ summary: ImportSummary) {
    path = summary.path
    splits = summary.counts.map { Split(name: $0.name, samples: $0.count) }
    sampleShape = summary.sampleShape.dimensions
    (classNames, hasTargets) = (summary.classNames, summary.hasTargets)
    notes = summary.notes + summary.details
  }

  /// Describes an existing file.
  ///
  /// - Parameter known: its splits, where they have names of their own.
  init(path: String, splits known: [DatasetFile.Split]? = nil) throws {
    let file = try known.map { try DatasetFile(path, splits: $0) } ?? DatasetFile(path)
    let datasets = try file.splits.map { ($0.name.isEmpty ? "images" : $0.name, try file.open($0)) }
    self.path = path
    splits = datasets.map { Split(name: $0.0, samples: $0.1.count) }
    sampleShape = datasets.first?.1.sampleShape.dimensions ?? []
    classNames = datasets.first?.1.classNames ?? []
    hasTargets = datasets.first?.1.targets != nil
    notes = []
  }
}
