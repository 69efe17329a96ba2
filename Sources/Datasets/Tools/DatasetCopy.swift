internal import Tensors

/// Writing samples of dataset files into new ones: repacking and splitting.
extension DatasetFile {
  /// Writes all splits with their names into a file with other chunks, compression or filters; samples,
  /// labels or targets, weights and names stay the same.
  ///
  /// - Parameter progress: called with the finished share, 0 to 1.
  public func repack(to output: DatasetOutput, progress: (Double) throws -> Void = { _ in }) throws {
    let parts = try splits.map { split in
      let dataset = try open(split)
      return DatasetPart(name: split, dataset: dataset, rows: (0..<Int32(dataset.count)).map { $0 })
    }
    try DatasetPart.write(parts, to: output, progress: progress)
  }

  /// Cuts one split into several; other splits are copied as they are.
  ///
  /// The parts are stratified: of each class, or of each combination of targets where all of these are 0 or
  /// 1, every part gets its share to within one sample. A part's size is its share of the whole to within one
  /// sample for each class. Which samples go where follows from the labels or targets and the seed; inside a
  /// part they stay in the order of the file.
  ///
  /// - Parameters:
  ///   - parts: names and shares, which add up to 1 or less; what is left is left out.
  public func split(
    _ source: Split, into parts: [(name: String, share: Double)], seed: UInt64, to output: DatasetOutput,
    progress: (Double) throws -> Void = { _ in }
  ) throws {
    let dataset = try open(source)
    let rows = SplitAssignment.rows(
      labels: dataset.strata, shares: parts.map(\.share), seed: seed)
    var written: [DatasetPart] = []
    for (part, rows) in zip(parts, rows) {
      guard !rows.isEmpty else {
        throw DatasetError(
          .badData, "the part \"\(part.name)\" would have no samples; give it a larger share")
      }
      written.append(
        DatasetPart(
          name: Split(
            name: part.name, images: "\(part.name)/images",
            target: dataset.targets == nil
              ? .labels("\(part.name)/labels") : .values("\(part.name)/targets"),
            weights: dataset.weights == nil ? nil : "\(part.name)/weights"),
          dataset: dataset, rows: rows))
    }
    for other in splits where other != source {
      guard !parts.contains(where: { $0.name == other.name }) else {
        throw DatasetError(
          .badData, "\(path) has a split \"\(other.name)\" already; give the new part another name")
      }
      let dataset = try open(other)
      written.append(DatasetPart(name: other, dataset: dataset, rows: (0..<Int32(dataset.count)).map { $0 }))
    }
    try DatasetPart.write(written, to: output, progress: progress)
  }
}

extension ImageDataset {
  /// Writes the first samples into a file of their own, and opens that; weights are left out.
  public func copy(first count: Int, to output: DatasetOutput) throws -> ImageDataset {
    let target: TargetName = targets == nil ? .labels("train/labels") : .values("train/targets")
    let name = DatasetFile.Split(name: "train", images: "train/images", target: target)
    let rows = (0..<Int32(min(count, self.count))).map { $0 }
    try DatasetPart.write([DatasetPart(name: name, dataset: self, rows: rows)], to: output) { _ in }
    return try ImageDataset(path: output.path, images: name.images, target: target)
  }
}

/// Some samples of a dataset on their way into a file.
private struct DatasetPart {
  let name: DatasetFile.Split
  let dataset: ImageDataset
  let rows: [Int32]

  var targets: DatasetWriter.Targets {
    guard let table = dataset.targets else {
      return .labels(rows.map { dataset.labels[Int($0)] }, classNames: dataset.classNames)
    }
    return .values(rows.flatMap { Array(table[Int($0)]) }, width: table.width, names: dataset.classNames)
  }

  static func write(
    _ parts: [DatasetPart], to output: DatasetOutput, progress: (Double) throws -> Void
  ) throws {
    let writer = try DatasetWriter(output)
    let total = Double(parts.reduce(0) { $0 + $1.rows.count })
    var done = 0
    for part in parts {
      let size = part.dataset.sampleByteCount
      var next = 0
      try writer.writeImages(
        part.name.images, sampleShape: part.dataset.storedShape, pixelType: part.dataset.pixelType,
        capacity: part.rows.count, facts: part.dataset.imageFacts,
        progress: { _ in try progress(Double(done + next) / total) }
      ) { memory in
        let count = min(memory.count / size, part.rows.count - next)
        guard count > 0 else { return 0 }
        let rows = Array(part.rows[next..<next + count])
        let buffer = try part.dataset.images.gather([rows], threads: output.threads, check: output.check)[0]
        memory.copyMemory(from: UnsafeRawBufferPointer(buffer.elements))
        next += count
        return count
      }
      try writer.writeTargets(part.name.target.name, part.targets)
      if let name = part.name.weights, let weights = part.dataset.weights {
        try writer.writeWeights(name, part.rows.map { weights[Int($0)] })
      }
      if let moves = part.dataset.moveNumbers, part.name.images.hasSuffix("images") {
        let group = part.name.images.dropLast("images".count)
        try writer.writeMoves(group + DatasetWriter.moves, part.rows.map { moves[Int($0)] })
      }
      done += part.rows.count
    }
    try writer.finish()
  }
}

extension ImageDataset {
  /// What a part gets its share of: the labels, or a number for each combination of targets where all are 0
  /// or 1, else the same number for all samples.
  fileprivate var strata: [Int32] {
    guard let targets else { return labels }
    guard targets.values.elements.allSatisfy({ $0 == 0 || $0 == 1 }) else {
      return [Int32](repeating: 0, count: count)
    }
    var numbers: [[Float]: Int32] = [:]
    return (0..<count).map { row in
      let values = Array(targets[row])
      if let known = numbers[values] { return known }
      numbers[values] = Int32(numbers.count)
      return numbers[values] ?? 0
    }
  }
}

/// Which samples go into which part.
enum SplitAssignment {
  /// - Parameter shares: above 0, together at most 1.
  /// - Returns: the rows of each part, in rising order.
  static func rows(labels: [Int32], shares: [Double], seed: UInt64) -> [[Int32]] {
    var classes: [Int32: [Int32]] = [:]
    for (row, label) in labels.enumerated() { classes[label, default: []].append(Int32(row)) }
    var parts = shares.map { _ in [Int32]() }
    // What earlier classes got too much or too little, so that roundings do not add up.
    var debts = shares.map { _ in 0.0 }
    for (label, rows) in classes.sorted(by: { $0.key < $1.key }) {
      let shuffled = permuted(rows, seed: seed, label: label)
      var start = 0
      for (part, count) in counts(of: rows.count, shares, &debts).enumerated() {
        parts[part] += shuffled[start..<start + count]
        start += count
      }
    }
    return parts.map { $0.sorted() }
  }

  /// How many of `total` samples each part gets: its share rounded down or up.
  private static func counts(of total: Int, _ shares: [Double], _ debts: inout [Double]) -> [Int] {
    let exact = shares.map { $0 * Double(total) }
    var counts = exact.map { Int(($0 + 1e-9).rounded(.down)) }
    let wanted = Int((exact.reduce(0, +) + debts.reduce(0, +)).rounded())
    let order = shares.indices.sorted { left, right in
      let (a, b) = (
        exact[left] - Double(counts[left]) + debts[left], exact[right] - Double(counts[right]) + debts[right]
      )
      return a == b ? left < right : a > b
    }
    var left = min(max(0, wanted - counts.reduce(0, +)), total - counts.reduce(0, +))
    for part in order where left > 0 {
      counts[part] += 1
      left -= 1
    }
    for part in shares.indices { debts[part] += exact[part] - Double(counts[part]) }
    return counts
  }

  private static func permuted(_ rows: [Int32], seed: UInt64, label: Int32) -> [Int32] {
    var rows = rows
    var random = RandomStream(seed: seed, purpose: .split, a: UInt64(label))
    for last in stride(from: rows.count - 1, to: 0, by: -1) {
      rows.swapAt(last, random.nextInteger(below: last + 1))
    }
    return rows
  }
}
