internal import Digests
internal import Parallel
public import Tensors

/// What a look at every sample of a dataset file found.
public struct DatasetReport: Sendable {
  /// How bad a finding is.
  public enum Severity: String, Sendable, Hashable {
    /// A training on this data would be wrong, or would break.
    case error
    /// Worth a look.
    case warning
  }

  /// Something wrong or odd about a dataset.
  public struct Finding: Sendable, Hashable {
    /// How bad it is.
    public let severity: Severity
    /// The finding, one line that begins with the split's name.
    public let text: String
  }

  /// What a split holds, in numbers.
  public struct SplitFigures: Sendable {
    /// The split's name.
    public let name: String
    /// How many samples there are.
    public let count: Int
    /// `[H, W, C]`, or `[F]`.
    public let sampleShape: Shape
    /// The span of the finite numbers of all samples; 0 to 0 where there are none.
    public let pixels: PixelSpan
    /// How the images are stored, in words.
    public let storage: String
    /// The names of the classes, or of the target columns.
    public let classNames: [String]
    /// How many samples each class has; for targets, how many have a value above ½ in each column.
    public let classCounts: [Int]
    /// Whether samples have vectors of numbers rather than classes.
    public let hasTargets: Bool
    /// How many samples have the same number everywhere.
    public let constantSamples: Int
    /// How many samples have a NaN or an infinite number.
    public let nonFiniteSamples: Int
    /// How many samples are equal to an earlier one of the split.
    public let duplicates: Int
    /// How many samples are equal to one of an earlier split.
    public let leaks: Int
  }

  /// The file that was read.
  public let path: String
  /// What each split holds, in the order of the file.
  public let splits: [SplitFigures]
  /// What is wrong or odd, split by split.
  public let findings: [Finding]

  /// Whether a finding is an error.
  public var hasErrors: Bool { findings.contains { $0.severity == .error } }
}

extension DatasetFile {
  /// Reads all samples and reports what is wrong with them, or may be.
  ///
  /// Memory: 16 MiB of pixels, up to 64 where chunks are larger, as much again where only libhdf5 can read them, and 50 to 110 bytes
  /// for each different sample.
  /// - Parameters:
  ///   - check: called now and then; an error from it ends the reading.
  ///   - progress: called with the finished share, 0 to 1.
  /// - Throws: ``DatasetError`` where samples cannot be read at all.
  public func report(
    threads: Int = 2, check: @Sendable () throws -> Void = {}, progress: (Double) throws -> Void = { _ in }
  ) throws -> DatasetReport {
    let datasets = try splits.map { (split: $0, dataset: try open($0)) }
    let total = Double(datasets.reduce(0) { $0 + $1.dataset.count })
    var findings: [DatasetReport.Finding] = []
    var figures: [DatasetReport.SplitFigures] = []
    var seen = SeenSamples()
    var done = 0
    for (index, (split, dataset)) in datasets.enumerated() {
      let name = split.shownName
      if let first = datasets.first, first.dataset.sampleShape != dataset.sampleShape {
        findings.append(
          .init(
            severity: .error,
            text:
              "\(name) has samples of \(dataset.sampleShape), but \(first.split.shownName) has \(first.dataset.sampleShape)"
          ))
      }
      if let problem = dataset.classNames.flatMap(ClassNaming.problem) {
        findings.append(.init(severity: .error, text: "\(name): \(problem)"))
      }
      if let first = datasets.first {
        findings += dataset.nameFindings(name, first.dataset, first.split.shownName)
      }
      if let first = datasets.first?.dataset, first.targets?.width != dataset.targets?.width {
        findings.append(
          .init(
            severity: .error,
            text:
              "\(name) has \(dataset.targetDescription), but \(datasets[0].split.shownName) has \(first.targetDescription)"
          ))
      }
      var scan = SplitScan(index)
      let marks = dataset.targetMarks
      let piece = dataset.images.samplesPerPass
      for start in stride(from: 0, to: dataset.count, by: piece) {
        let rows = (start..<min(start + piece, dataset.count)).map { Int32($0) }
        let buffer = try dataset.images.gather(
          [rows], threads: threads, checksFinite: false, check: check)[0]
        let looks = SampleLook.at(
          buffer, count: rows.count, byteCount: dataset.sampleByteCount, dataset.pixelType, dataset.packing,
          threads: threads)
        for (offset, look) in looks.enumerated() {
          scan.add(look, row: start + offset, label: marks[start + offset], &seen)
        }
        done += rows.count
        try progress(Double(done) / total)
      }
      let pixels = scan.pixels(dataset.pixelType)
      if let first = figures.first, first.pixels.isUnlike(pixels) {
        findings.append(
          .init(
            severity: .warning,
            text: "\(name) has samples of \(pixels), but \(first.name) has \(first.pixels)"
          ))
      }
      findings += scan.findings(name, splits: datasets.map(\.split.shownName), dataset)
      findings += dataset.storageAdvice.map { .init(severity: .warning, text: "\(name): \($0)") }
      let counts = dataset.classCounts()
      figures.append(
        DatasetReport.SplitFigures(
          name: name, count: dataset.count, sampleShape: dataset.sampleShape, pixels: pixels,
          storage: dataset.storage,
          classNames: dataset.classNames ?? counts.indices.map { "\($0)" }, classCounts: counts,
          hasTargets: dataset.targets != nil, constantSamples: scan.constant.count,
          nonFiniteSamples: scan.nonFinite.count,
          duplicates: scan.duplicates.count, leaks: scan.leaks.count))
    }
    return DatasetReport(path: path, splits: figures, findings: findings)
  }
}

/// What one sample looks like.
private struct SampleLook: Sendable {
  /// The first half of its SHA-256: equal ones are taken for equal samples.
  var digest = SIMD2<UInt64>()
  var isConstant = false
  var isFinite = true
  /// The least and the largest finite number; the other way round where there is none.
  var low = Float.infinity
  var high = -Float.infinity

  /// Looks at samples side by side.
  static func at(
    _ buffer: AlignedBuffer<UInt8>, count: Int, byteCount: Int, _ type: PixelType, _ packing: BitPacking?,
    threads: Int
  ) -> [SampleLook] {
    let looks = AlignedBuffer<SampleLook>(count: count)
    let perPiece = max(1, (count + 4 * threads - 1) / (4 * threads))
    WorkerThreads.perform((count + perPiece - 1) / perPiece, workers: threads) { piece in
      for index in piece * perPiece..<min((piece + 1) * perPiece, count) {
        looks.baseAddress[index] = SampleLook(
          UnsafeRawBufferPointer(start: buffer.baseAddress + index * byteCount, count: byteCount), type,
          packing)
      }
    }
    return looks.array()
  }

  private init(_ bytes: UnsafeRawBufferPointer, _ type: PixelType, _ packing: BitPacking?) {
    var hash = SHA256()
    hash.update(bytes)
    hash.finalize().bytes.withUnsafeBytes {
      digest = SIMD2(
        $0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }
    if let packing {
      let span = packing.span(bytes)
      (low, high) = (Float(span.low), Float(span.high))
      isConstant = low == high
      return
    }
    switch type {
    case .uint8:
      (low, high) = (Float(bytes.min() ?? 0), Float(bytes.max() ?? 0))
      isConstant = low == high
    case .float32:
      let values = bytes.assumingMemoryBound(to: Float.self)
      for value in values {
        if value.isFinite {
          (low, high) = (min(low, value), max(high, value))
        } else {
          isFinite = false
        }
      }
      isConstant = isFinite && low == high
    }
  }
}

/// Where each different sample was seen first.
private struct SeenSamples {
  struct Place {
    let split: Int
    let row: Int
    let label: Int32
  }
  var places: [SIMD2<UInt64>: Place] = [:]
}

/// What was found in one split.
private struct SplitScan {
  typealias Pair = (row: Int, first: SeenSamples.Place, isContradiction: Bool)
  let index: Int
  private var low = Float.infinity
  private var high = -Float.infinity
  var constant: [Int] = []
  var nonFinite: [Int] = []
  var duplicates: [Pair] = []
  var leaks: [Pair] = []

  init(_ index: Int) { self.index = index }

  mutating func add(_ look: SampleLook, row: Int, label: Int32, _ seen: inout SeenSamples) {
    (low, high) = (min(low, look.low), max(high, look.high))
    if look.isConstant { constant.append(row) }
    if !look.isFinite { nonFinite.append(row) }
    guard let first = seen.places[look.digest] else {
      seen.places[look.digest] = SeenSamples.Place(split: index, row: row, label: label)
      return
    }
    let pair = (row: row, first: first, isContradiction: first.label != label)
    if first.split == index { duplicates.append(pair) } else { leaks.append(pair) }
  }

  func pixels(_ type: PixelType) -> PixelSpan {
    low <= high ? PixelSpan(type, low: low, high: high) : PixelSpan(type, low: 0, high: 0)
  }

  func findings(_ name: String, splits: [String], _ dataset: ImageDataset) -> [DatasetReport.Finding] {
    var findings: [DatasetReport.Finding] = []
    func add(_ severity: DatasetReport.Severity, _ text: String) {
      findings.append(.init(severity: severity, text: text))
    }
    func rows(_ rows: [Int]) -> String {
      "row\(rows.count == 1 ? "" : "s") \(rows.prefix(4).map(String.init).joined(separator: ", "))"
        + (rows.count > 4 ? ", …" : "")
    }
    if !nonFinite.isEmpty {
      add(
        .error,
        "\(name): \(counted(nonFinite.count, "sample")) with NaN or infinite values: \(rows(nonFinite))")
    }
    if !leaks.isEmpty {
      let pairs = leaks.prefix(3).map { "\(splits[$0.first.split]) \($0.first.row) = \(name) \($0.row)" }
      // Games begin alike, and nobody leaves out what they have in common.
      let isNatural = dataset.planes != nil
      add(
        isNatural ? .warning : .error,
        "\(name): \(counted(leaks.count, "sample")) in another split, too\(isNatural ? ", as games begin alike" : ""): "
          + "\(pairs.joined(separator: ", "))\(leaks.count > 3 ? ", …" : "")"
      )
    }
    if !duplicates.isEmpty {
      let pairs = duplicates.prefix(3).map { "\($0.first.row) = \($0.row)" }
      add(
        .warning,
        "\(name): \(counted(duplicates.count, "sample")) equal to an earlier one: \(pairs.joined(separator: ", "))\(duplicates.count > 3 ? ", …" : "")"
      )
    }
    let contradictions = (duplicates + leaks).filter(\.isContradiction)
    if !contradictions.isEmpty {
      add(
        .warning,
        "\(name): \(counted(contradictions.count, "sample")) equal to others with another \(dataset.targets == nil ? "label" : "target"): \(rows(contradictions.map(\.row)))"
      )
    }
    if !constant.isEmpty {
      add(.warning, "\(name): \(counted(constant.count, "sample")) of one single value: \(rows(constant))")
    }
    findings += dataset.targetFindings(name)
    guard dataset.targets == nil else { return findings }
    let counts = dataset.classCounts()
    let empty = counts.indices.filter { counts[$0] == 0 }
    if !empty.isEmpty {
      let names = empty.prefix(5).map { dataset.classNames?[$0] ?? "\($0)" }
      add(
        .warning,
        "\(name): \(counted(empty.count, "class")) without samples: \(names.joined(separator: ", "))\(empty.count > 5 ? ", …" : "")"
      )
    }
    let present = counts.filter { $0 > 0 }
    if let least = present.min(), let most = present.max(), most >= 10 * least {
      add(.warning, "\(name): the largest class has \(most) samples, the smallest \(least)")
    }
    return findings
  }
}

extension ImageDataset {
  /// What is odd about the names of classes or targets beside those of the first split, by which a network would know them.
  fileprivate func nameFindings(
    _ name: String, _ first: ImageDataset, _ firstName: String
  ) -> [DatasetReport.Finding] {
    guard first.classNames != classNames else { return [] }
    guard let known = first.classNames, classNames != nil else {
      return [.init(severity: .error, text: "\(name) names other classes than \(firstName)")]
    }
    do {
      let note = try matched(to: known, role: name, owner: firstName).note
      let text = note ?? "\(name) names other classes than \(firstName), but has no samples of them"
      return [.init(severity: .warning, text: text)]
    } catch {
      return [.init(severity: .error, text: "\(error)")]
    }
  }

  /// What makes reading slower than it needs to be, one line each.
  var storageAdvice: [String] {
    switch images.access {
    case .contiguous: return []
    case .library:
      return [
        "stored as \(storedType), \(storage): only libhdf5 can read this, one call at a time; `convoy dataset repack` helps"
      ]
    case .chunked(let grid):
      var advice: [String] = []
      let text = "\(grid.chunkByteCount / 1024) KiB"
      if !grid.coversSamples {
        advice.append("chunks hold parts of samples (\(storage)); `convoy dataset repack` makes them whole")
      } else if grid.chunkByteCount > 4 << 20 {
        advice.append("chunks of \(text) are large; 128 KiB to 1 MiB are read best in random order")
      } else if grid.chunkByteCount < 16 << 10, count * sampleByteCount > 1 << 20 {
        advice.append("chunks of \(text) are small; 128 KiB to 1 MiB take fewer reads")
      }
      if grid.table == nil {
        advice.append(
          "it has too many chunks to look up without libhdf5's lock; larger ones could be read by several threads"
        )
      }
      return advice
    }
  }
}
