internal import Tensors

/// Turns pairs of IDX files, images and labels, into a dataset file.
public struct IDXImporter: DatasetImporter {
  /// One group of the dataset file and where it comes from.
  public struct Split: Sendable {
    /// The name of the group: `train`.
    public let name: String
    /// The file of images, `[N, H, W]` or `[N, H, W, C]`.
    public let imagesPath: String
    /// The file of labels, `[N]`.
    public let labelsPath: String

    /// A group and its files.
    public init(name: String, imagesPath: String, labelsPath: String) {
      self.name = name
      self.imagesPath = imagesPath
      self.labelsPath = labelsPath
    }
  }

  /// The groups in the order of the file; at least one.
  public let splits: [Split]
  /// The names of the classes, by label; nil to call them by their numbers, from 0 to the largest label.
  public let classNames: [String]?

  /// An importer of these groups.
  public init(splits: [Split], classNames: [String]? = nil) {
    self.splits = splits
    self.classNames = classNames
  }

  /// Reads and checks all input, then writes the dataset file.
  public func write(to output: DatasetOutput, progress: (Double) throws -> Void) throws -> ImportSummary {
    precondition(!splits.isEmpty, "an import needs at least one split")
    let inputs = try splits.map { try Input($0) }
    let shape = inputs[0].sampleShape
    for input in inputs where input.sampleShape != shape {
      throw DatasetError(
        .badData,
        "\(input.images.path) has images of \(input.sampleShape), but \(inputs[0].images.path) has \(shape)")
    }
    let names = try classNames ?? numberedClasses(inputs)
    for input in inputs {
      if let bad = input.labels.firstIndex(where: { Int($0) >= names.count }) {
        throw DatasetError(
          .badData,
          "\(input.labelsPath): sample \(bad) has label \(input.labels[bad]), but there are \(names.count) classes"
        )
      }
    }
    let writer = try DatasetWriter(output)
    let total = Double(inputs.reduce(0) { $0 + $1.labels.count })
    var done = 0.0
    for (split, input) in zip(splits, inputs) {
      let share = Double(input.labels.count)
      try writer.writeSplit(
        split.name, sampleShape: shape, labels: input.labels, classNames: names,
        progress: { try progress((done + $0 * share) / total) },
        fill: { _, memory in try input.images.read(into: memory) })
      done += share
    }
    try writer.finish()
    return ImportSummary(
      path: output.path, counts: zip(splits, inputs).map { ($0.name, $1.labels.count) }, sampleShape: shape,
      classNames: names,
      notes: notes(inputs) + EmptyClasses.note(inputs.map { .labels($0.labels, classNames: names) }, names))
  }

  private func notes(_ inputs: [Input]) -> [String] {
    let samples = inputs[0].sampleShape
    guard AxisOrder.looksChannelsFirst([inputs[0].labels.count] + samples.dimensions) else { return [] }
    return [
      "\(inputs[0].images.path) has samples of \(samples), which look as if channels came first; they were taken as last"
    ]
  }

  private func numberedClasses(_ inputs: [Input]) throws -> [String] {
    let largest = inputs.flatMap(\.labels).max() ?? 0
    return (0...largest).map { "\($0)" }
  }

  /// A pair of files whose headers fit each other.
  private struct Input {
    let images: IDXFile
    let labelsPath: String
    let labels: [Int32]
    let sampleShape: Shape

    init(_ split: Split) throws {
      images = try IDXFile(split.imagesPath)
      labelsPath = split.labelsPath
      let labelsFile = try IDXFile(split.labelsPath)
      guard images.shape.rank == 3 || images.shape.rank == 4 else {
        throw DatasetError(
          .badData,
          "\(split.imagesPath) has shape \(images.shape), but images need samples × height × width, or these × channels"
        )
      }
      guard labelsFile.shape.rank == 1 else {
        throw DatasetError(
          .badData, "\(split.labelsPath) has shape \(labelsFile.shape), but labels need one number per sample"
        )
      }
      guard images.shape[0] > 0, images.shape.elementCount > 0 else {
        throw DatasetError(.badData, "\(split.imagesPath) has no samples: its shape is \(images.shape)")
      }
      guard images.shape[0] == labelsFile.shape[0] else {
        throw DatasetError(
          .badData,
          "\(split.imagesPath) has \(images.shape[0]) images, but \(split.labelsPath) has \(labelsFile.shape[0]) labels"
        )
      }
      var bytes = [UInt8](repeating: 0, count: labelsFile.shape[0])
      try bytes.withUnsafeMutableBytes { try labelsFile.read(into: $0) }
      labels = bytes.map { Int32($0) }
      let dimensions = images.shape.dimensions
      sampleShape = Shape(
        dimensions.count == 3 ? dimensions.dropFirst() + [1] : Array(dimensions.dropFirst()))
    }
  }
}
