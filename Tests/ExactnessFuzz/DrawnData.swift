import HDF5

/// The samples of a draw: how many, of what shape, with which targets, and how they lie in the file.
struct DrawnData: Hashable, Sendable {
  /// What is right for a sample.
  enum Target: String, Hashable, Sendable {
    /// A class each.
    case classes
    /// 0 or 1, for a network of one output.
    case yesNo
    /// A share of each class.
    case shares
    /// 0 or 1 for each output.
    case severalLabels
    /// A number for each output.
    case numbers

    var isLabels: Bool { self == .classes || self == .yesNo }
  }

  /// How the images lie in the file.
  enum Storage: Hashable, Sendable {
    case contiguous
    /// In chunks of so many samples.
    case chunked(Int)
    /// The same, compressed.
    case deflated(Int, shuffled: Bool)
  }

  var samples: Int
  /// 0 where there is no test set.
  var testSamples: Int
  /// Of one sample, [height, width, channels], [length, channels] or [length].
  var shape: [Int]
  var outputs: Int
  var target: Target
  var type: NumberType
  /// Where samples are rows of word numbers: how many words there are.
  var vocabulary: Int?
  var storage: Storage
  var hasWeights: Bool
  /// Samples so large that a step with one of them is not finite.
  var spikes: Int
  var seed: UInt64

  /// Bytes of the training images as the program holds them: bytes stay bytes, all else becomes Float.
  var byteCount: Int { samples * shape.reduce(1, *) * (type == .uint8 ? 1 : 4) }

  // MARK: - In the configuration

  static let fileName = "data.h5"

  /// `data.train` or `data.test`.
  func source(_ role: String) -> Node {
    var source: Node = ["file": .scalar(Self.fileName), "images": .scalar("\(role)/images")]
    source[target.isLabels ? "labels" : "targets"] = .scalar("\(role)/targets")
    if hasWeights {
      source["weights"] = .scalar("\(role)/weights")
    } else if seed % 8 == 0 {
      source["weights"] = "none"
    }
    return source
  }

  // MARK: - In the file

  func write(to path: String) throws {
    let file = try HDF5.File.create(path, overwrite: true)
    var dice = Dice(seed, 1)
    try write(samples, as: "train", to: file.root, &dice)
    if testSamples > 0 { try write(testSamples, as: "test", to: file.root, &dice) }
    try file.close()
  }

  private func write(_ count: Int, as role: String, to root: Group, _ dice: inout Dice) throws {
    let classes = (0..<count).map { _ in dice.integer(0...max(2, outputs) - 1) }
    let width = shape.reduce(1, *)
    var values = classes.enumerated().flatMap { index, label in
      (0..<width).map { place in value(place, label, &dice) }
    }
    if role == "train" {
      for row in 0..<min(spikes, count) { values[(row * 7 % count) * width] = 3e38 }
    }
    try writeImages(values, count, to: root, "\(role)/images")
    try writeTargets(classes, to: root, "\(role)/targets", &dice)
    if hasWeights {
      let weights = (0..<count).map { _ in Float(dice.integer(0...6)) / 4 }
      try root.write("\(role)/weights", weights, shape: [count])
    }
  }

  /// Noise, and a stripe that tells the class.
  private func value(_ place: Int, _ label: Int, _ dice: inout Dice) -> Double {
    if let vocabulary { return Double((dice.integer(0...vocabulary - 1) + label) % vocabulary) }
    let signal = place % max(2, outputs) == label ? 0.6 : 0
    let value = signal + dice.share() * 0.8 - 0.4
    return type == .uint8 ? ((value + 0.4) * 180).rounded() : isWhole ? (value * 100).rounded() : value
  }

  private var isWhole: Bool { type != .float32 && type != .float64 }

  private func writeImages(_ values: [Double], _ count: Int, to root: Group, _ name: String) throws {
    let whole = [count] + shape
    func chunks(_ rows: Int) -> [Int] { [min(rows, count)] + shape }
    let dataset =
      switch storage {
      case .contiguous: try root.makeDataset(name, type: type, shape: whole)
      case .chunked(let rows): try root.makeDataset(name, type: type, shape: whole, chunks: chunks(rows))
      case .deflated(let rows, let shuffled):
        try root.makeDataset(
          name, type: type, shape: whole, chunks: chunks(rows), deflateLevel: 3, shuffle: shuffled)
      }
    // The library converts to the type of the file.
    try dataset.write(values.map { Float($0) })
  }

  private func writeTargets(_ classes: [Int], to root: Group, _ name: String, _ dice: inout Dice) throws {
    let count = classes.count
    switch target {
    case .classes: try root.write(name, classes.map { Int32($0) }, shape: [count])
    case .yesNo: try root.write(name, classes.map { UInt8($0 % 2) }, shape: [count])
    case .shares:
      let rows = classes.flatMap { label in
        (0..<outputs).map { Float($0 == label ? 0.75 : 0) + 0.25 / Float(outputs) }
      }
      try root.write(name, rows, shape: [count, outputs])
    case .severalLabels:
      let rows = classes.flatMap { label in
        (0..<outputs).map { UInt8($0 == label || dice.chance(0.2) ? 1 : 0) }
      }
      try root.write(name, rows, shape: [count, outputs])
    case .numbers:
      let rows = classes.flatMap { label in
        (0..<outputs).map { Float($0 == label ? 1 : -0.5) + Float(dice.share()) }
      }
      try root.write(name, rows, shape: outputs == 1 ? [count] : [count, outputs])
    }
  }
}
