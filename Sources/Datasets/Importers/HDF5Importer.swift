internal import HDF5
internal import Tensors

/// HDF5 files of any layout, as h5py, PyTables and MATLAB write them.
///
/// Images may have their dimensions in any order; bytes and truth values stay bytes, other numbers become
/// float32. Labels are whole numbers of any type, counted from any first number, or truth values, words, or
/// rows with a single 1. Targets and weights are numbers. Each array may go on in further files, and may be
/// in a file of its own.
public struct HDF5Importer: DatasetImporter {
  /// One group of the dataset file and where it comes from.
  public struct Split: Sendable {
    /// The name of the group: `train`.
    public let name: String
    /// The files in which names without a file are looked up; their arrays follow one another.
    public let files: [String]
    /// A dataset's name, or `FILE:NAME`.
    public let images: String
    /// The labels or targets; each name is a dataset's, or `FILE:NAME`.
    public let target: TargetName
    /// The samples' weights; nil for none.
    public let weights: String?
    /// The samples that are taken; nil for all.
    public let rows: RowChoice?

    /// A group and its datasets.
    public init(
      name: String, files: [String], images: String, target: TargetName, weights: String? = nil,
      rows: RowChoice? = nil
    ) {
      self.name = name
      self.files = files
      self.images = images
      self.target = target
      self.weights = weights
      self.rows = rows
    }
  }

  /// The groups in the order of the file; at least one.
  public let splits: [Split]
  /// What the images' dimensions are; nil for samples first and channels last.
  public let axes: AxisOrder?
  /// How labels become classes from 0.
  public let labelReading: LabelReading
  /// The names of the classes or of the target columns; nil for those of the files.
  public let classNames: ClassNames?

  /// Where the names of the classes come from.
  public enum ClassNames: Sendable, Hashable {
    /// These names.
    case list([String])
    /// The texts in this dataset, a name or `FILE:NAME`.
    case dataset(String)
  }

  /// An importer of these groups.
  public init(
    splits: [Split], axes: AxisOrder? = nil, labelReading: LabelReading = LabelReading(),
    classNames: ClassNames? = nil
  ) {
    precondition(!splits.isEmpty, "an import needs a split")
    self.splits = splits
    self.axes = axes
    self.labelReading = labelReading
    self.classNames = classNames
  }

  /// Reads everything and writes the dataset.
  public func write(to output: DatasetOutput, progress: (Double) throws -> Void) throws -> ImportSummary {
    let inputs = try splits.map { split in try translating { try HDF5ImportInput(split, axes: axes) } }
    try checkAlike(inputs)
    let given = try translating { try givenNames() }
    let targets = try targets(inputs, given)
    let writer = try DatasetWriter(output)
    let total = Double(inputs.reduce(0) { $0 + $1.rows.count })
    var done = 0.0
    for (input, targets) in zip(inputs, targets) {
      let share = Double(input.rows.count)
      try writer.writeSplit(
        input.name, sampleShape: Shape(input.sampleShape), pixelType: input.pixelType, targets: targets,
        weights: input.weights, progress: { try progress((done + $0 * share) / total) },
        fill: { range, memory in try translating { try input.fill(memory, range) } })
      done += share
    }
    try writer.finish()
    let (names, hasTargets) = Self.names(targets[0])
    return ImportSummary(
      path: output.path, counts: inputs.map { ($0.name, $0.rows.count) },
      sampleShape: Shape(inputs[0].sampleShape), classNames: names, hasTargets: hasTargets,
      notes: Self.notes(inputs, targets))
  }

  private static func names(_ targets: DatasetWriter.Targets) -> (names: [String], hasTargets: Bool) {
    switch targets {
    case .labels(_, let names): (names ?? [], false)
    case .values(_, let width, let names): (names ?? (0..<width).map { "\($0)" }, true)
    }
  }

  /// What a person should know about classes: those without samples, or with names that are odd, and those of a split of which the
  /// first one has no sample.
  private static func notes(_ inputs: [HDF5ImportInput], _ targets: [DatasetWriter.Targets]) -> [String] {
    guard case .labels(let first, let names?) = targets[0] else { return [] }
    let known = Set(first)
    let doubts = EmptyClasses.note(targets, names) + ClassNaming.doubts(names)
    return doubts
      + zip(inputs, targets).dropFirst().compactMap { input, targets in
        guard case .labels(let labels, _) = targets else { return nil }
        let new = Set(labels).subtracting(known).sorted().map { names[Int($0)] }
        return new.isEmpty
          ? nil
          : "\(input.name) has classes that \(inputs[0].name) has no sample of: \(new.prefix(8).joined(separator: ", "))"
            + (new.count > 8 ? ", …" : "")
      }
  }

  private func checkAlike(_ inputs: [HDF5ImportInput]) throws {
    for input in inputs
    where input.sampleShape != inputs[0].sampleShape || input.pixelType != inputs[0].pixelType {
      throw DatasetError(
        .badData,
        "\(input.imagesName) has samples of \(Shape(input.sampleShape)) \(input.pixelType), but \(inputs[0].imagesName) has "
          + "\(Shape(inputs[0].sampleShape)) \(inputs[0].pixelType)")
    }
    for (index, input) in inputs.enumerated() {
      for other in inputs[..<index] where other.places == input.places {
        guard let row = Set(other.rows).intersection(input.rows).min() else { continue }
        throw DatasetError(
          .badData, "row \(row) of \(input.imagesName) is chosen for both \(other.name) and \(input.name)")
      }
    }
  }

  /// Names that the user gives.
  private func givenNames() throws -> [String]? {
    switch classNames {
    case nil: return nil
    case .list(let names): return names
    case .dataset(let name):
      return try HDF5ImportInput.datasets(name, in: splits[0].files).flatMap { try HDF5ImportInput.words($0) }
    }
  }

  /// The labels or targets of each split.
  private func targets(_ inputs: [HDF5ImportInput], _ given: [String]?) throws -> [DatasetWriter.Targets] {
    let found = inputs.compactMap(\.labels)
    if found.count == inputs.count {
      let classes = try labelReading.classes(found, given: given)
      return classes.labels.map { .labels($0, classNames: classes.names) }
    }
    return try inputs.map { input in
      guard let table = input.targets, let first = inputs[0].targets else {
        throw DatasetError(.badData, "\(input.name) has labels, and another split has targets")
      }
      guard table.width == first.width else {
        throw DatasetError(
          .badData,
          "\(input.name) has targets of \(table.width) numbers, but \(inputs[0].name) has \(first.width)")
      }
      let names = given ?? table.names
      if let names, names.count != table.width {
        throw DatasetError(
          .badData, "there are \(names.count) names, but targets of \(table.width) numbers for each sample")
      }
      return .values(table.values, width: table.width, names: names)
    }
  }

  private func translating<Result>(_ body: () throws -> Result) throws -> Result {
    try translatingErrors(body)
  }
}
