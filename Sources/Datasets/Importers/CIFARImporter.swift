internal import Foundation
internal import Paths
internal import Tensors

/// CIFAR-10 and CIFAR-100: 32×32 colour images; the binary version or the Python version, unpacked or as `.tar.gz`.
///
/// - SeeAlso: Krizhevsky 2009, <https://www.cs.toronto.edu/~kriz/cifar.html>.
public struct CIFARImporter: DatasetImporter {
  /// CIFAR-10, or CIFAR-100 with one of its two sets of classes.
  public enum Variant: String, Sendable, CaseIterable {
    /// CIFAR-10 with its 10 classes.
    case cifar10
    /// CIFAR-100 with its 100 classes.
    case cifar100
    /// CIFAR-100 with the 20 groups of its classes.
    case cifar100Coarse
  }

  /// Which data set, and which of its classes.
  public let variant: Variant
  /// The folder with the files, or the one above it, or the archive.
  public let path: String

  /// An importer of a data set from a folder or archive.
  public init(_ variant: Variant, from path: String) {
    self.variant = variant
    self.path = path
  }

  static let sampleByteCount = 3 * 32 * 32

  /// Reads everything and writes the dataset.
  public func write(to output: DatasetOutput, progress: (Double) throws -> Void) throws -> ImportSummary {
    let files = try CIFARFiles(variant, path, check: output.check)
    let classNames = try files.classNames()
    let splits = try [("train", files.training), ("test", files.test)].map { name, parts in
      (name: name, batches: try parts.map { try files.batch($0, check: output.check) })
    }
    for batch in splits.flatMap(\.batches) {
      if let bad = batch.labels.firstIndex(where: { Int($0) >= classNames.count }) {
        throw DatasetError(
          .badData,
          "\(batch.file.path): image \(bad) has label \(batch.labels[bad]), but there are \(classNames.count) classes"
        )
      }
    }
    let writer = try DatasetWriter(output)
    let total = Double(splits.flatMap(\.batches).reduce(0) { $0 + $1.labels.count })
    var done = 0.0
    for split in splits {
      let count = split.batches.reduce(0) { $0 + $1.labels.count }
      try writer.writeSplit(
        split.name, sampleShape: [32, 32, 3], labels: split.batches.flatMap(\.labels),
        classNames: classNames, progress: { try progress((done + $0 * Double(count)) / total) },
        fill: { range, memory in try fill(range, memory, split.batches) })
      done += Double(count)
    }
    try writer.finish()
    return ImportSummary(
      path: output.path, counts: splits.map { ($0.name, $0.batches.reduce(0) { $0 + $1.labels.count }) },
      sampleShape: [32, 32, 3], classNames: classNames)
  }

  /// Reads consecutive images of the batches as if these were one, and puts their colours side by side.
  private func fill(
    _ range: Range<Int>, _ memory: UnsafeMutableRawBufferPointer, _ batches: [CIFARBatch]
  ) throws {
    let record = ScratchMemory()
    var first = 0
    for batch in batches {
      let part = range.clamped(to: first..<first + batch.labels.count)
      for sample in part {
        let planes = record.bytes(Self.sampleByteCount)
        try batch.file.read(into: planes, at: batch.offset + (sample - first) * batch.stride)
        let target = (sample - range.lowerBound) * Self.sampleByteCount
        for pixel in 0..<1024 {
          for channel in 0..<3 { memory[target &+ 3 &* pixel &+ channel] = planes[channel &* 1024 &+ pixel] }
        }
      }
      first += batch.labels.count
    }
  }
}

/// One file of images: where the first one's bytes are, and how far it is to the next one's.
struct CIFARBatch {
  let file: RawFile
  let labels: [Int32]
  let offset: Int
  let stride: Int
}

/// The files of one version of a data set.
struct CIFARFiles {
  let variant: CIFARImporter.Variant
  let training: [String]
  let test: [String]
  private let isBinary: Bool
  private let files: [String: RawFile]
  private let place: String

  private static func names(_ variant: CIFARImporter.Variant, binary: Bool) -> (
    training: [String], test: [String], meta: String
  ) {
    let end = binary ? ".bin" : ""
    switch (variant, binary) {
    case (.cifar10, _):
      return (
        (1...5).map { "data_batch_\($0)\(end)" }, ["test_batch\(end)"],
        binary ? "batches.meta.txt" : "batches.meta"
      )
    case (.cifar100, true): return (["train.bin"], ["test.bin"], "fine_label_names.txt")
    case (.cifar100Coarse, true): return (["train.bin"], ["test.bin"], "coarse_label_names.txt")
    case (_, false): return (["train"], ["test"], "meta")
    }
  }

  init(_ variant: CIFARImporter.Variant, _ path: String, check: () throws -> Void) throws {
    let versions = [true, false].map { (binary: $0, names: Self.names(variant, binary: $0)) }
    let wanted = Set(versions.flatMap { $0.names.training + $0.names.test + [$0.names.meta] })
    guard let status = FileStatus(path) else {
      throw DatasetError(.missingInput, "there is no file or folder \(path)")
    }
    var files: [String: RawFile] = [:]
    if status.kind == .folder {
      let usual = [
        "cifar-10-batches-bin", "cifar-10-batches-py", "cifar-100-binary", "cifar-100-python",
      ].filter { $0.hasPrefix(variant == .cifar10 ? "cifar-10-" : "cifar-100-") }
      for folder in [path] + usual.map({ "\(path)/\($0)" }) {
        for name in wanted.sorted() where files[name] == nil && RawFile.isFile("\(folder)/\(name)") {
          files[name] = try RawFile("\(folder)/\(name)")
        }
      }
    } else {
      files = try TarArchive.extract(path, wants: wanted.contains, check: check)
    }
    // The version with more files is the one that is meant.
    func present(_ names: [String]) -> Int { names.count { files[$0] != nil } }
    let counts = versions.map { present($0.names.training + $0.names.test) }
    let version = versions[counts[1] > counts[0] ? 1 : 0]
    if let missing = (version.names.training + version.names.test).first(where: { files[$0] == nil }) {
      let known = variant == .cifar10 ? "CIFAR-10" : "CIFAR-100"
      throw DatasetError(
        .missingInput,
        "there is no \(missing) in \(path); \(known)'s binary or Python version is expected, as a folder or .tar.gz"
      )
    }
    self.variant = variant
    self.files = files
    training = version.names.training
    test = version.names.test
    isBinary = version.binary
    place = path
  }

  /// The names of the classes, by label; their numbers where no file has names.
  func classNames() throws -> [String] {
    let count = variant == .cifar10 ? 10 : variant == .cifar100 ? 100 : 20
    let meta = Self.names(variant, binary: isBinary).meta
    var names: [String]?
    if let file = files[meta] {
      let bytes = try file.contents(limit: 1 << 20)
      if isBinary {
        names = try TextEncoding.text(of: bytes, path: file.path).split(whereSeparator: \.isNewline).map(
          String.init
        )
        .filter { !$0.trimmingCharacters(in: .whitespaces).isEmpty }
      } else {
        let key = ["label_names", "fine_label_names", "coarse_label_names"][
          variant == .cifar10 ? 0 : variant == .cifar100 ? 1 : 2]
        names = try PickleReader.read(bytes, name: file.path) { $0.value(key, in: bytes)?.texts(in: bytes) }
      }
      guard names?.count == count else {
        throw DatasetError(
          .badData, "\(file.path) names \(names?.count ?? 0) classes, but there are \(count); fetch it again")
      }
    }
    return names ?? (0..<count).map { "\($0)" }
  }

  func batch(_ name: String, check: () throws -> Void) throws -> CIFARBatch {
    try check()
    guard let file = files[name] else { preconditionFailure("\(name) was not looked for") }
    return isBinary ? try binary(file) : try pickled(file)
  }

  private func binary(_ file: RawFile) throws -> CIFARBatch {
    let labelCount = variant == .cifar10 ? 1 : 2
    let stride = labelCount + CIFARImporter.sampleByteCount
    guard file.byteCount > 0, file.byteCount % stride == 0 else {
      throw DatasetError(
        .badData,
        "\(file.path) has \(file.byteCount) bytes, but images of this set take \(stride) each; it is truncated or of another set"
      )
    }
    var labels: [Int32] = []
    let memory = ScratchMemory()
    let perBlock = 256
    for start in Swift.stride(from: 0, to: file.byteCount / stride, by: perBlock) {
      let count = min(perBlock, file.byteCount / stride - start)
      let block = memory.bytes(count * stride)
      try file.read(into: block, at: start * stride)
      for record in 0..<count {
        labels.append(Int32(block[record * stride + (variant == .cifar100 ? 1 : 0)]))
      }
    }
    return CIFARBatch(file: file, labels: labels, offset: labelCount, stride: stride)
  }

  private func pickled(_ file: RawFile) throws -> CIFARBatch {
    // The largest of the sets' files have 31 and 155 MB.
    let bytes = try file.contents(limit: variant == .cifar10 ? 1 << 26 : 1 << 28)
    return try PickleReader.read(bytes, name: file.path) { try batch(of: $0, in: bytes, file) }
  }

  private func batch(of value: PickleValue, in bytes: [UInt8], _ file: RawFile) throws -> CIFARBatch {
    let key = variant == .cifar10 ? "labels" : variant == .cifar100 ? "fine_labels" : "coarse_labels"
    guard let labels = value.value(key, in: bytes)?.integers,
      case .array(let shape, let type, let data?)? = value.value("data", in: bytes)?.content
    else {
      throw DatasetError(
        .badData, "\(file.path) lacks \"data\" or \"\(key)\"; it is a pickle of something else")
    }
    let size = CIFARImporter.sampleByteCount
    guard ["u1", "|u1", "uint8"].contains(type), shape == [labels.count, size], !labels.isEmpty,
      data.count == labels.count * size
    else {
      throw DatasetError(
        .badData,
        "\(file.path): its data is \(shape) of \(type), but \(labels.count) labels need [\(labels.count), \(size)] of u1"
      )
    }
    if let bad = labels.firstIndex(where: { !(0..<1000).contains($0) }) {
      throw DatasetError(.badData, "\(file.path): image \(bad) has label \(labels[bad])")
    }
    return CIFARBatch(
      file: file, labels: labels.map { Int32($0) }, offset: data.lowerBound, stride: size)
  }
}
