internal import Foundation
internal import Tensors

/// NumPy's arrays: pairs of `.npy` files, or arrays of a `.npz` archive.
///
/// Images are `[N, H, W, C]`, or `[N, H, W]` for one channel, or `[N, F]` for features; bytes and truth
/// values stay bytes, other numbers become float32. Labels are `[N]` or `[N, 1]`, of any integer type or
/// truth values. Floats, and arrays of any type with more numbers for each sample, `[N, K]`, `[N, H, W]` or
/// `[N, H, W, K]`, are targets.
public struct NumPyImporter: DatasetImporter {
  /// One group of the dataset file and where it comes from.
  public struct Split: Sendable {
    /// The name of the group: `train`.
    public let name: String
    /// A `.npy` file, or the name of an array in the archive.
    public let images: String
    /// A `.npy` file, or the name of an array in the archive.
    public let labels: String
    /// The file or array of the samples' weights, `[N]` or `[N, 1]`; nil for none.
    public let weights: String?

    /// A group and its arrays.
    public init(name: String, images: String, labels: String, weights: String? = nil) {
      self.name = name
      self.images = images
      self.labels = labels
      self.weights = weights
    }
  }

  /// A `.npz` file; nil where splits name files.
  public let archive: String?
  /// The groups in the order of the file; at least one.
  public let splits: [Split]
  /// The names of the classes or of the target columns; nil to number them.
  public let classNames: [String]?
  /// Whether images are `[N, C, H, W]`, as PyTorch has them; nil for `[N, H, W, C]`, unless that is unlikely.
  public let channelsFirst: Bool?

  /// An importer of these groups.
  public init(
    archive: String? = nil, splits: [Split], classNames: [String]? = nil, channelsFirst: Bool? = nil
  ) {
    self.archive = archive
    self.splits = splits
    self.classNames = classNames
    self.channelsFirst = channelsFirst
  }

  /// Reads everything and writes the dataset.
  public func write(to output: DatasetOutput, progress: (Double) throws -> Void) throws -> ImportSummary {
    let files = try archive.map { try ZipArchive(RawFile($0)) }
    func open(_ name: String) throws -> NumPyArray {
      guard let files else { return try NumPyArray(ByteStream(name)) }
      guard let member = files.members.first(where: { $0.name == name || $0.name == name + ".npy" }) else {
        let names = files.members.map { $0.name.hasSuffix(".npy") ? String($0.name.dropLast(4)) : $0.name }
        throw DatasetError(
          .badData,
          "\(files.file.path) has no array \"\(name)\": there are \(names.sorted().prefix(20).joined(separator: ", "))"
        )
      }
      return try NumPyArray(files.open(member))
    }
    let inputs = try splits.map { try Input($0, open(_:), channelsFirst: channelsFirst) }
    let shape = inputs[0].sampleShape
    for input in inputs where input.sampleShape != shape || input.pixelType != inputs[0].pixelType {
      throw DatasetError(
        .badData,
        "\(input.images.path) has samples of \(input.sampleShape) \(input.pixelType), but \(inputs[0].images.path) has \(shape) \(inputs[0].pixelType)"
      )
    }
    let names = try names(inputs)
    let writer = try DatasetWriter(output)
    let total = Double(inputs.reduce(0) { $0 + $1.targets.count })
    var done = 0.0
    for (split, input) in zip(splits, inputs) {
      let share = Double(input.targets.count)
      try writer.writeSplit(
        split.name, sampleShape: shape, pixelType: input.pixelType, targets: input.targets.named(names),
        weights: input.weights,
        progress: { try progress((done + $0 * share) / total) },
        fill: { try input.fill($1, first: $0.lowerBound) })
      done += share
    }
    try writer.finish()
    return ImportSummary(
      path: output.path, counts: zip(splits, inputs).map { ($0.name, $1.targets.count) }, sampleShape: shape,
      classNames: names ?? (0..<(inputs[0].targets.width ?? 0)).map { "\($0)" },
      hasTargets: inputs[0].targets.width != nil,
      notes: EmptyClasses.note(inputs.map(\.targets), names))
  }

  /// The names of classes, their numbers where none are given; for targets the given names, or nil.
  private func names(_ inputs: [Input]) throws -> [String]? {
    let width = inputs[0].targets.width
    if let other = inputs.first(where: { $0.targets.width != width }) {
      throw DatasetError(
        .badData,
        "\(other.images.path) comes with \(other.targets.noun), but \(inputs[0].images.path) comes with \(inputs[0].targets.noun)"
      )
    }
    guard let width else {
      let largest = inputs.map(\.targets.largestLabel).max() ?? 0
      return classNames ?? (0...largest).map { "\($0)" }
    }
    if let classNames, classNames.count != width {
      throw DatasetError(
        .badData, "there are \(classNames.count) names, but targets of \(width) numbers for each sample")
    }
    return classNames
  }

  /// A pair of arrays whose headers fit each other.
  private struct Input {
    let images: NumPyArray
    let targets: DatasetWriter.Targets
    let weights: [Float]?
    let sampleShape: Shape
    let pixelType: PixelType
    /// `[C, H, W]` in the file where channels come first.
    private let planes: (channels: Int, pixels: Int)?
    private let scratch = ScratchMemory()

    init(_ split: Split, _ open: (String) throws -> NumPyArray, channelsFirst chosen: Bool?) throws {
      images = try open(split.images)
      guard chosen != nil || !AxisOrder.looksChannelsFirst(images.shape) else {
        throw DatasetError(
          .badData,
          "\(images.path) has shape \(Shape(images.shape)), which looks as if channels came first: pass --channels-first, or "
            + "--channels-last if they are last")
      }
      let channelsFirst = chosen == true
      let labelArray = try open(split.labels)
      let shape = images.shape
      guard [2, 3, 4].contains(shape.count), !channelsFirst || shape.count == 4 else {
        throw DatasetError(
          .badData,
          "\(images.path) has shape \(Shape(shape)), but "
            + (channelsFirst
              ? "samples × channels × height × width are expected"
              : "samples × height × width are expected, or these × channels, or samples × features"))
      }
      guard !shape.contains(0) else {
        throw DatasetError(.badData, "\(images.path) has no samples: its shape is \(Shape(shape))")
      }
      targets = try Self.targets(labelArray, count: shape[0], channelsFirst: channelsFirst)
      weights = try split.weights.map { try Self.weights(open($0), count: shape[0]) }
      planes = channelsFirst ? (shape[1], shape[2] * shape[3]) : nil
      sampleShape =
        switch shape.count {
        case 2: [shape[1]]
        case 3: [shape[1], shape[2], 1]
        default: channelsFirst ? [shape[2], shape[3], shape[1]] : Shape(Array(shape.dropFirst()))
        }
      pixelType = images.element == .uint8 || images.element == .bool ? .uint8 : .float32
    }

    /// Whole numbers, one for each sample, are labels; everything else is targets, and numbers for each point
    /// of an image come in the order of pixels.
    private static func targets(
      _ array: NumPyArray, count: Int, channelsFirst: Bool
    ) throws -> DatasetWriter.Targets {
      let shape = array.shape
      let isColumn = shape == [count] || shape == [count, 1]
      guard isColumn || ((2...4).contains(shape.count) && shape[0] == count && !shape.contains(0)) else {
        throw DatasetError(
          .badData,
          "\(array.path) has shape \(Shape(shape)), but \(count) samples need \(count) labels, or as many rows of targets, or images of them"
        )
      }
      let isFloat = [.float16, .float32, .float64].contains(array.element)
      guard !isFloat, isColumn else {
        let width = shape.dropFirst().reduce(1, *)
        var values = try floats(array, count * width, width: width)
        if channelsFirst, shape.count == 4, let order = AxisOrder("NCHW") {
          let inFile = values
          inFile.withUnsafeBufferPointer { source in
            values.withUnsafeMutableBufferPointer { order.arrange(source, shape: shape, into: $0) }
          }
        }
        return .values(values, width: width, names: nil)
      }
      let numbers = try array.readIntegers(count)
      if let bad = numbers.firstIndex(where: { $0 < 0 || $0 >= 1_000_000 }) {
        throw DatasetError(
          .badData,
          "\(array.path): sample \(bad) has label \(numbers[bad]), but labels count from 0 to 999999")
      }
      return .labels(numbers.map { Int32($0) }, classNames: nil)
    }

    private static func weights(_ array: NumPyArray, count: Int) throws -> [Float] {
      guard array.shape == [count] || array.shape == [count, 1] else {
        throw DatasetError(
          .badData,
          "\(array.path) has shape \(Shape(array.shape)), but \(count) samples need \(count) weights")
      }
      let values = try floats(array, count, width: 1)
      if let bad = values.firstIndex(where: { $0 < 0 }) {
        throw DatasetError(
          .badData, "\(array.path): sample \(bad) has weight \(values[bad]), which is below 0")
      }
      return values
    }

    private static func floats(_ array: NumPyArray, _ count: Int, width: Int) throws -> [Float] {
      var values = [Float](repeating: 0, count: count)
      try values.withUnsafeMutableBufferPointer { try array.read(floats: $0) }
      if let bad = values.firstIndex(where: { !$0.isFinite }) {
        throw DatasetError(
          .badData, "\(array.path): sample \(bad / width) has a value that is \(values[bad])")
      }
      return values
    }

    func fill(_ memory: UnsafeMutableRawBufferPointer, first: Int) throws {
      switch pixelType {
      case .uint8:
        try images.read(bytes: memory)
        interleave(memory.assumingMemoryBound(to: UInt8.self))
      case .float32:
        let floats = memory.assumingMemoryBound(to: Float.self)
        try images.read(floats: floats)
        if let bad = floats.firstIndex(where: { !$0.isFinite }) {
          throw DatasetError(
            .badData,
            "\(images.path): sample \(first + bad / sampleShape.elementCount) has a value that is \(floats[bad])"
          )
        }
        interleave(floats)
      }
    }

    /// Puts the channels of each pixel side by side.
    private func interleave<T: BitwiseCopyable>(_ values: UnsafeMutableBufferPointer<T>) {
      guard let planes, planes.channels > 1 else { return }
      let count = planes.channels * planes.pixels
      let copy = scratch.bytes(count * MemoryLayout<T>.stride).assumingMemoryBound(to: T.self)
      for start in stride(from: 0, to: values.count, by: count) {
        for index in 0..<count { copy[index] = values[start + index] }
        for pixel in 0..<planes.pixels {
          for channel in 0..<planes.channels {
            values[start + pixel * planes.channels + channel] = copy[channel * planes.pixels + pixel]
          }
        }
      }
    }
  }
}
