internal import CZlib
internal import HDF5
internal import Parallel
internal import Synchronization
public import Tensors
internal import Texts

/// Writes a dataset file: a group per split, such as `train` and `test`, each with `images`, with `labels` or
/// `targets`, and with `weights` where samples have them.
///
/// Images are uint8 or float32 `[N, H, W, C]`, or `[N, F]` for features, in chunks along N, which several
/// threads deflate where that is asked for; labels are integers `[N]` with an attribute `class_names`,
/// targets float32 `[N, K]` with `target_names`, where names are known. The same samples give the same bytes.
/// When ``finish()`` returns, the file is under its name, complete and on the disk; before that, and after an
/// error, nothing is under the name but what was there before.
public final class DatasetWriter {
  private let output: AtomicOutput
  private var file: File?
  private let storage: DatasetStorage
  private let threads: Int
  private let check: @Sendable () throws -> Void
  /// The words that were written.
  private var vocabulary: [String]?

  /// Makes an unfinished file beside the output.
  ///
  /// - Throws: ``DatasetError`` of kind `cannotCreate` when the file exists and may not be replaced, or
  ///   cannot be made.
  public init(_ output: DatasetOutput) throws {
    precondition(output.threads > 0, "writing needs a thread, got \(output.threads)")
    self.output = try AtomicOutput(output.path, overwrite: output.overwrite, note: output.note)
    storage = output.storage
    threads = output.threads
    check = output.check
    let temporary = self.output.temporaryPath
    file = try translatingErrors(otherwise: .cannotCreate) { try File.create(temporary, overwrite: true) }
  }

  /// Writes to a path, in the usual storage.
  ///
  /// - Throws: as ``init(_:)``.
  public convenience init(path: String, overwrite: Bool = false, threads: Int = 2) throws {
    try self.init(DatasetOutput(path, overwrite: overwrite, threads: threads))
  }

  /// Writes one split.
  ///
  /// - Parameters:
  ///   - sampleShape: `[H, W, C]`, or `[F]` for features.
  ///   - labels: one per sample, each in `0..<classNames.count`.
  ///   - compressionLevel: takes the place of the output's level; nil keeps the output's.
  ///   - progress: called with the finished share, 0 to 1, after every few megabytes; an error from it ends
  ///     the writing.
  ///   - fill: gives the pixels of consecutive samples, in order; the memory has exactly the size of the
  ///     given range.
  public func writeSplit(
    _ name: String, sampleShape: Shape, pixelType: PixelType = .uint8, labels: [Int32], classNames: [String],
    compressionLevel: Int? = nil, progress: (Double) throws -> Void = { _ in },
    fill: (Range<Int>, UnsafeMutableRawBufferPointer) throws -> Void
  ) throws {
    try writeSplit(
      name, sampleShape: sampleShape, pixelType: pixelType, targets: .labels(labels, classNames: classNames),
      compressionLevel: compressionLevel, progress: progress, fill: fill)
  }

  /// The right answer for each sample.
  public enum Targets: Sendable {
    /// Classes, each in `0..<classNames.count` where these are known.
    case labels([Int32], classNames: [String]?)
    /// Vectors one after another, each of `width` finite numbers, with the columns' names where these are
    /// known.
    case values([Float], width: Int, names: [String]?)

    /// How many samples there are.
    public var count: Int {
      switch self {
      case .labels(let labels, _): labels.count
      case .values(let values, let width, _): values.count / width
      }
    }

    /// How many numbers each vector has; nil for labels.
    var width: Int? {
      if case .values(_, let width, _) = self { width } else { nil }
    }

    /// The largest label; 0 where there are none.
    var largestLabel: Int {
      if case .labels(let labels, _) = self { Int(labels.max() ?? 0) } else { 0 }
    }

    /// `labels`, `targets of 3 numbers`.
    var noun: String { width.map { "targets of \(counted($0, "number"))" } ?? "labels" }

    /// The same with names of the classes or columns.
    func named(_ names: [String]?) -> Targets {
      switch self {
      case .labels(let labels, _): .labels(labels, classNames: names)
      case .values(let values, let width, _): .values(values, width: width, names: names)
      }
    }
  }

  /// Writes as ``writeSplit(_:sampleShape:pixelType:labels:classNames:compressionLevel:progress:fill:)`` does, with labels or vectors.
  ///
  /// - Parameter weights: one per sample, or none.
  public func writeSplit(
    _ name: String, sampleShape: Shape, pixelType: PixelType = .uint8, targets: Targets,
    weights: [Float]? = nil, compressionLevel: Int? = nil, progress: (Double) throws -> Void = { _ in },
    fill: (Range<Int>, UnsafeMutableRawBufferPointer) throws -> Void
  ) throws {
    let count = targets.count
    guard count > 0 else {
      throw DatasetError(.badData, "there are no samples for \"\(name)\" of \(output.path)")
    }
    if case .labels(let labels, let names?) = targets { try checkLabels(labels, name, names) }
    var storage = storage
    if let compressionLevel { storage.compressionLevel = compressionLevel }
    let size = sampleShape.elementCount * pixelType.byteCount
    var done = 0
    try writeImages(
      "\(name)/images", sampleShape: sampleShape, pixelType: pixelType, capacity: count,
      storage: storage, progress: progress
    ) { memory in
      let count = min(memory.count / size, count - done)
      try fill(done..<done + count, UnsafeMutableRawBufferPointer(rebasing: memory[..<(count * size)]))
      done += count
      return count
    }
    switch targets {
    case .labels: try writeTargets("\(name)/labels", targets)
    case .values: try writeTargets("\(name)/targets", targets)
    }
    if let weights { try writeWeights("\(name)/weights", weights) }
  }

  /// Writes the images of a split whose number is known only at the end.
  ///
  /// - Parameters:
  ///   - name: the dataset's path in the file.
  ///   - sampleShape: of samples as they are stored; packed ones have a byte for eight channels.
  ///   - capacity: the most samples that there can be.
  ///   - facts: what else is known of them.
  ///   - next: puts the next samples at the beginning of the memory, as many as there is room for or fewer, and says how many
  ///     these were; 0 at the end.
  /// - Returns: how many samples there were.
  @discardableResult
  func writeImages(
    _ name: String, sampleShape: Shape, pixelType: PixelType, capacity: Int, storage: DatasetStorage? = nil,
    facts: ImageFacts = ImageFacts(), progress: (Double) throws -> Void = { _ in },
    next: (UnsafeMutableRawBufferPointer) throws -> Int
  ) throws -> Int {
    precondition((1...3).contains(sampleShape.rank), "samples cannot be \(sampleShape)")
    precondition(
      facts.packing.map { sampleShape.rank == 3 && sampleShape[2] == $0.bytesPerPoint } ?? true,
      "samples of \(sampleShape) are not packed")
    let storage = storage ?? self.storage
    let sampleByteCount = sampleShape.elementCount * pixelType.byteCount
    // More chunks than about two thousand are slow to list.
    let bytesPerChunk = min(1 << 20, max(128 << 10, capacity * sampleByteCount / 2000))
    let perChunk = max(1, min(capacity, storage.samplesPerChunk ?? bytesPerChunk / max(1, sampleByteCount)))
    guard perChunk * sampleByteCount < 1 << 32 else {
      throw DatasetError(
        .badData,
        "a chunk of \(perChunk) samples has \(perChunk * sampleByteCount) bytes; HDF5 takes less than 4 GiB")
    }
    let shuffles = storage.shuffle && pixelType.byteCount > 1
    let dataset = try translatingErrors(otherwise: .inputOutput) {
      try root.makeDataset(
        name, type: pixelType.number, shape: [capacity] + sampleShape.dimensions,
        chunks: [perChunk] + sampleShape.dimensions, deflateLevel: storage.compressionLevel,
        shuffle: shuffles)
    }
    try translatingErrors(otherwise: .inputOutput) { try facts.write(to: dataset.attributes) }
    if let words = facts.origin?.vocabulary { try writeVocabulary(words) }
    // A group of chunks is filled in order, compressed together, and written in order.
    let chunkByteCount = perChunk * sampleByteCount
    let chunksPerGroup = max(1, (8 << 20) / chunkByteCount)
    let group = AlignedBuffer<UInt8>(count: chunksPerGroup * chunkByteCount)
    let memory = UnsafeMutableRawBufferPointer(group.elements)
    let packer = ChunkPacker(
      chunkByteCount, level: storage.compressionLevel, elementByteCount: shuffles ? pixelType.byteCount : 1,
      threads: threads)
    var total = 0
    while total < capacity {
      var filled = 0
      while filled < chunksPerGroup * perChunk, total + filled < capacity {
        try check()
        let given = try next(UnsafeMutableRawBufferPointer(rebasing: memory[(filled * sampleByteCount)...]))
        if given == 0 { break }
        filled += given
      }
      guard filled > 0 else { break }
      // The last chunk is stored whole; zeros follow the last sample.
      let rest = UnsafeMutableRawBufferPointer(rebasing: memory[(filled * sampleByteCount)...])
      if let start = rest.baseAddress {
        start.initializeMemory(as: UInt8.self, repeating: 0, count: rest.count)
      }
      let chunks = (filled + perChunk - 1) / perChunk
      let packed = packer.pack(group, chunks)
      for chunk in 0..<chunks {
        let plain = memory[(chunk * chunkByteCount)..<((chunk + 1) * chunkByteCount)]
        let bytes = packed?.bytes(chunk) ?? UnsafeRawBufferPointer(rebasing: plain)
        try withExtendedLifetime(packed) {
          try translatingErrors(otherwise: .inputOutput) {
            try dataset.writeChunk(
              bytes, at: [total + chunk * perChunk] + sampleShape.dimensions.map { _ in 0 })
          }
        }
      }
      total += filled
      try progress(Double(total) / Double(capacity))
    }
    withExtendedLifetime(group) {}
    guard total > 0 else {
      throw DatasetError(.badData, "there are no samples for \"\(name)\" of \(output.path)")
    }
    if total < capacity {
      try translatingErrors(otherwise: .inputOutput) {
        try dataset.shrink(to: [total] + sampleShape.dimensions)
      }
    }
    return total
  }

  /// Writes the words by number; all splits share one list.
  private func writeVocabulary(_ words: [String]) throws {
    if let vocabulary {
      guard vocabulary == words else {
        throw DatasetError(
          .badData,
          "the texts of \(output.path) are numbered by different vocabularies; write them to files of their own"
        )
      }
      return
    }
    try translatingErrors(otherwise: .inputOutput) { _ = try root.write(TextHandling.vocabularyName, words) }
    vocabulary = words
  }

  /// Writes labels or vectors; `name` is the dataset's path in the file.
  func writeTargets(_ name: String, _ targets: Targets) throws {
    switch targets {
    case .labels(let labels, let classNames): try writeLabels(name, labels, classNames: classNames)
    case .values(let values, let width, let names):
      try translatingErrors(otherwise: .inputOutput) {
        let dataset = try root.makeDataset(name, type: .float32, shape: [values.count / width, width])
        try dataset.write(values)
        if let names { try dataset.attributes.write("target_names", names) }
      }
    }
  }

  func writeWeights(_ name: String, _ weights: [Float]) throws {
    try translatingErrors(otherwise: .inputOutput) {
      try root.makeDataset(name, type: .float32, shape: [weights.count]).write(weights)
    }
  }

  /// The name of the dataset, beside the images, of how many moves were made before each position.
  static let moves = "moves"

  /// Writes how many moves were made before each position; `name` is the dataset's path in the file.
  func writeMoves(_ name: String, _ numbers: [Int32]) throws {
    try translatingErrors(otherwise: .inputOutput) {
      try root.makeDataset(name, type: .uint16, shape: [numbers.count]).write(numbers)
    }
  }

  /// Writes the labels of a split; `name` is the dataset's path in the file.
  func writeLabels(_ name: String, _ labels: [Int32], classNames: [String]?) throws {
    if let classNames { try checkLabels(labels, name, classNames) }
    try translatingErrors(otherwise: .inputOutput) {
      let type: NumberType = (classNames?.count ?? Int(labels.max() ?? 0) + 1) <= 256 ? .uint8 : .int32
      let dataset = try root.makeDataset(name, type: type, shape: [labels.count])
      try dataset.write(labels)
      if let classNames { try dataset.attributes.write("class_names", classNames) }
    }
  }

  /// Writes the vectors of the vocabulary's words, `[words, width]`.
  func writeVectors(_ vectors: [Float], width: Int) throws {
    try translatingErrors(otherwise: .inputOutput) {
      try root.makeDataset(WordVectorFile.name, type: .float32, shape: [vectors.count / width, width]).write(
        vectors)
    }
  }

  /// The name of the attribute with the names of the channels in HDF5 files.
  static let channelNames = "channel_names"

  /// What attributes of the images say of them.
  struct ImageFacts: Sendable {
    /// What they were before; nil where it is not known.
    var origin: SampleOrigin?
    /// How they are held as bits; nil where they are not.
    var packing: BitPacking?
    /// What each channel is; nil where it has no name.
    var channelNames: [String]?

    func write(to attributes: Attributes) throws {
      if let origin { try attributes.write(origin.attribute, origin.pairs) }
      if let packing { try attributes.write(BitPacking.attribute, packing.channels) }
      if let channelNames { try attributes.write(DatasetWriter.channelNames, channelNames) }
    }
  }

  /// Closes the file, flushes it to the disk and gives it its name.
  public func finish() throws {
    guard let file else { preconditionFailure("the file is finished already") }
    self.file = nil
    try translatingErrors(otherwise: .inputOutput) { try file.close() }
    try output.commit()
  }

  private var root: Group {
    get throws {
      guard let file else { preconditionFailure("the file is finished already") }
      return try file.root
    }
  }

  private func checkLabels(_ labels: [Int32], _ name: String, _ classNames: [String]) throws {
    if let bad = labels.firstIndex(where: { $0 < 0 || $0 >= classNames.count }) {
      throw DatasetError(
        .badData,
        "sample \(bad) of \"\(name)\" has label \(labels[bad]), but there are \(classNames.count) classes")
    }
  }
}

/// Does to chunks what HDF5's filters would: shuffles bytes, then deflates, each chunk on its own.
private struct ChunkPacker {
  private let chunkByteCount: Int
  private let level: Int?
  /// Above 1 where bytes are shuffled.
  private let elementByteCount: Int
  private let threads: Int

  init(_ chunkByteCount: Int, level: Int?, elementByteCount: Int, threads: Int) {
    self.chunkByteCount = chunkByteCount
    self.level = level
    self.elementByteCount = elementByteCount
    self.threads = threads
  }

  /// - Returns: nil where chunks stay as they are.
  func pack(_ group: AlignedBuffer<UInt8>, _ chunks: Int) -> PackedChunks? {
    guard level != nil || elementByteCount > 1 else { return nil }
    let bound = level == nil ? chunkByteCount : Int(compressBound(UInt(chunkByteCount)))
    let packed = PackedChunks(chunks: chunks, bound: bound)
    let next = Atomic<Int>(0)
    WorkerThreads.share(among: min(threads, chunks)) { _ in
      let scratch = ScratchMemory()
      while true {
        let chunk = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard chunk < chunks else { return }
        pack(
          UnsafeRawBufferPointer(start: group.baseAddress + chunk * chunkByteCount, count: chunkByteCount),
          chunk, packed, scratch)
      }
    }
    return packed
  }

  private func pack(
    _ plain: UnsafeRawBufferPointer, _ chunk: Int, _ packed: PackedChunks, _ scratch: ScratchMemory
  ) {
    let target = packed.memory.baseAddress + chunk * packed.bound
    guard let level else {
      shuffle(plain, into: UnsafeMutableRawBufferPointer(start: target, count: plain.count))
      packed.byteCounts.baseAddress[chunk] = plain.count
      return
    }
    var source = plain
    if elementByteCount > 1 {
      let bytes = scratch.bytes(plain.count)
      shuffle(plain, into: bytes)
      source = UnsafeRawBufferPointer(bytes)
    }
    var length = UInt(packed.bound)
    let status = compress2(
      target, &length, source.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt(source.count),
      Int32(level))
    // The target has room for the bound, so that only a lack of memory can make this fail.
    precondition(status == Z_OK, "zlib failed with status \(status)")
    packed.byteCounts.baseAddress[chunk] = Int(length)
  }

  /// The first bytes of all elements, then all second bytes, and so on.
  private func shuffle(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) {
    let count = source.count / elementByteCount
    for byte in 0..<elementByteCount {
      for element in 0..<count {
        target[byte &* count &+ element] = source[element &* elementByteCount &+ byte]
      }
    }
  }
}

/// Filtered chunks, each in its own part of one buffer.
private final class PackedChunks: Sendable {
  let memory: AlignedBuffer<UInt8>
  let byteCounts: AlignedBuffer<Int>
  /// The most that a chunk can become.
  let bound: Int

  init(chunks: Int, bound: Int) {
    memory = AlignedBuffer(count: chunks * bound)
    byteCounts = AlignedBuffer(count: chunks)
    self.bound = bound
  }

  /// A filtered chunk; valid while this object lives.
  func bytes(_ chunk: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: memory.baseAddress + chunk * bound, count: byteCounts[chunk])
  }
}
