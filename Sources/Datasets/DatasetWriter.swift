internal import CZlib
internal import Dispatch
internal import HDF5
internal import Synchronization
public import Tensors

/// Writes a dataset file: a group per split, such as `train` and `test`, each with `images` and `labels`.
///
/// Images are uint8 or float32 `[N, H, W, C]` in chunks of about 128 KiB along N, deflated if asked for by several
/// threads; labels are integers `[N]` with an attribute `class_names`. The same samples give the same bytes. The file
/// appears under its name when ``finish()`` returns, complete and on the disk; before that, and after an error, nothing
/// stands under the name but what stood there before.
public final class DatasetWriter {
  private let output: AtomicOutput
  private var file: File?
  private let threads: Int

  /// - Throws: ``DatasetError`` of kind `cannotCreate` when the file exists and `overwrite` is false.
  public init(path: String, overwrite: Bool = false, threads: Int = 2) throws {
    precondition(threads > 0, "writing needs a thread, got \(threads)")
    output = try AtomicOutput(path, overwrite: overwrite)
    self.threads = threads
    file = try translatingErrors(otherwise: .cannotCreate) { try File.create(output.temporaryPath) }
  }

  /// Writes one split.
  ///
  /// - Parameters:
  ///   - sampleShape: `[H, W, C]`.
  ///   - labels: one per sample, each in `0..<classNames.count`.
  ///   - compressionLevel: deflate's, 1 (fast) to 9 (small); nil for none.
  ///   - progress: called with the finished share, 0 to 1, after every few megabytes; what it throws ends the writing.
  ///   - fill: gives the pixels of consecutive samples, in order; the memory is exactly for the given range.
  public func writeSplit(
    _ name: String, sampleShape: Shape, pixelType: PixelType = .uint8, labels: [Int32], classNames: [String],
    compressionLevel: Int? = nil, progress: (Double) throws -> Void = { _ in },
    fill: (Range<Int>, UnsafeMutableRawBufferPointer) throws -> Void
  ) throws {
    precondition(sampleShape.rank == 3, "samples are height × width × channels, got \(sampleShape)")
    guard !labels.isEmpty else {
      throw DatasetError(.badData, "there are no samples for \"\(name)\" of \(output.path)")
    }
    if let bad = labels.firstIndex(where: { $0 < 0 || $0 >= classNames.count }) {
      throw DatasetError(
        .badData,
        "sample \(bad) of \"\(name)\" has label \(labels[bad]), but there are \(classNames.count) classes")
    }
    try translatingErrors(otherwise: .inputOutput) {
      guard let root = try file?.root else { preconditionFailure("the file is finished already") }
      try writeImages(
        "\(name)/images", in: root, sampleShape, pixelType, count: labels.count, compressionLevel, progress,
        fill)
      let type: NumberType = classNames.count <= 256 ? .uint8 : .int32
      let dataset = try root.makeDataset("\(name)/labels", type: type, shape: [labels.count])
      try dataset.write(labels)
      try dataset.attributes.write("class_names", classNames)
    }
  }

  /// Closes the file, flushes it to the disk and gives it its name.
  public func finish() throws {
    guard let file else { preconditionFailure("the file is finished already") }
    self.file = nil
    try translatingErrors(otherwise: .inputOutput) { try file.close() }
    try output.commit()
  }

  private func writeImages(
    _ name: String, in root: Group, _ sampleShape: Shape, _ pixelType: PixelType, count: Int,
    _ compressionLevel: Int?, _ progress: (Double) throws -> Void,
    _ fill: (Range<Int>, UnsafeMutableRawBufferPointer) throws -> Void
  ) throws {
    let sampleByteCount = sampleShape.elementCount * pixelType.byteCount
    let samplesPerChunk = min(count, max(1, (128 << 10) / sampleByteCount))
    let chunkByteCount = samplesPerChunk * sampleByteCount
    let dataset = try root.makeDataset(
      name, type: pixelType.number, shape: [count] + sampleShape.dimensions,
      chunks: [samplesPerChunk] + sampleShape.dimensions, deflateLevel: compressionLevel)
    // A group of chunks is filled in order, compressed at once, and written in order.
    let chunksPerGroup = max(1, (8 << 20) / chunkByteCount)
    let group = AlignedBuffer<UInt8>(count: chunksPerGroup * chunkByteCount)
    let samplesPerGroup = chunksPerGroup * samplesPerChunk
    for start in stride(from: 0, to: count, by: samplesPerGroup) {
      let end = min(start + samplesPerGroup, count)
      let memory = UnsafeMutableRawBufferPointer(group.elements)
      try fill(
        start..<end, UnsafeMutableRawBufferPointer(rebasing: memory[..<((end - start) * sampleByteCount)]))
      // The last chunk is stored whole; zeros follow the last sample.
      for index in ((end - start) * sampleByteCount)..<memory.count { memory[index] = 0 }
      let chunks = (end - start + samplesPerChunk - 1) / samplesPerChunk
      let packed = compressionLevel.map { PackedChunks(group, chunks, chunkByteCount, level: $0, threads) }
      for chunk in 0..<chunks {
        let plain = memory[(chunk * chunkByteCount)..<((chunk + 1) * chunkByteCount)]
        let bytes = packed?.bytes(chunk) ?? UnsafeRawBufferPointer(rebasing: plain)
        try withExtendedLifetime(packed) {
          try dataset.writeChunk(bytes, at: [start + chunk * samplesPerChunk, 0, 0, 0])
        }
      }
      try progress(Double(end) / Double(count))
    }
    withExtendedLifetime(group) {}
  }
}

/// Chunks that lay one after another, each deflated on its own, as HDF5's filter would.
private final class PackedChunks {
  private let memory: AlignedBuffer<UInt8>
  private let byteCounts: AlignedBuffer<Int>
  /// The most that a chunk can become.
  private let bound: Int

  init(_ group: AlignedBuffer<UInt8>, _ chunks: Int, _ chunkByteCount: Int, level: Int, _ threads: Int) {
    let bound = Int(compressBound(UInt(chunkByteCount)))
    let memory = AlignedBuffer<UInt8>(count: chunks * bound)
    let byteCounts = AlignedBuffer<Int>(count: chunks)
    let next = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: min(threads, chunks)) { _ in
      while true {
        let chunk = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard chunk < chunks else { return }
        var length = UInt(bound)
        let status = compress2(
          memory.baseAddress + chunk * bound, &length, group.baseAddress + chunk * chunkByteCount,
          UInt(chunkByteCount), Int32(level))
        // With room for the bound nothing but a lack of memory can fail.
        precondition(status == Z_OK, "zlib failed with status \(status)")
        byteCounts.baseAddress[chunk] = Int(length)
      }
    }
    self.memory = memory
    self.byteCounts = byteCounts
    self.bound = bound
  }

  /// A deflated chunk; valid while this object lives.
  func bytes(_ chunk: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: memory.baseAddress + chunk * bound, count: byteCounts[chunk])
  }
}
