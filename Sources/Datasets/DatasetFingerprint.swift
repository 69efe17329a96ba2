internal import HDF5
internal import Tensors

/// What tells one dataset from another, as bytes for a hash.
extension ImageDataset {
  /// Feeds `update` with a part of what a training sees, reading little: shape, type, class names, all
  /// labels, targets and weights, and the pixels of at most 64 samples spread over the dataset.
  ///
  /// How the file stores them does not matter: a repacked file feeds the same bytes. A changed pixel
  /// elsewhere goes unnoticed; ``feedContents(threads:check:to:)`` feeds all pixels.
  public func feedSample(to update: (UnsafeRawBufferPointer) throws -> Void) throws {
    try feedHeader(to: update)
    let minibatch = try samples(spreadRows)
    for index in 0..<minibatch.count { try minibatch.withSample(index, update) }
  }

  /// Feeds `update` with what checkpoints of earlier versions know their data by: besides what
  /// ``feedSample(to:)`` feeds, the type and the storage in the file and the stored sizes of chunks.
  public func feedStoredSample(to update: (UnsafeRawBufferPointer) throws -> Void) throws {
    try feedHeader(to: update)
    try feed("\(storedType); \(storage); \(images.images.storedByteCount)\n", to: update)
    if case .chunked(let grid) = images.access, let table = grid.table {
      for (index, chunk) in table.sorted(by: { $0.key < $1.key }) {
        try feed("\(index) \(chunk.byteCount) \(chunk.filterMask)\n", to: update)
      }
    }
    let minibatch = try samples(spreadRows)
    for index in 0..<minibatch.count { try minibatch.withSample(index, update) }
  }

  /// Feeds `update` with everything that a training sees: shape, type, class names, labels, targets, weights
  /// and all pixels.
  ///
  /// How the file stores them does not matter: a repacked file feeds the same bytes.
  public func feedContents(
    threads: Int = 2, check: () throws -> Void = {}, to update: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    try feedHeader(to: update)
    let piece = images.samplesPerPass
    for start in stride(from: 0, to: count, by: piece) {
      try check()
      let rows = (start..<min(start + piece, count)).map { Int32($0) }
      let buffer = try images.gather([rows], threads: threads)[0]
      try withExtendedLifetime(buffer) { try update(UnsafeRawBufferPointer(buffer.elements)) }
    }
  }

  fileprivate func feedHeader(to update: (UnsafeRawBufferPointer) throws -> Void) throws {
    try feed("\(count)×\(sampleShape) \(pixelType)\(packing == nil ? "" : " as bits")\n", to: update)
    for name in channelNames ?? [] { try feed("channel \(name)\n", to: update) }
    for name in classNames ?? [] { try feed("\(name.utf8.count) \(name)\n", to: update) }
    // The labels are little-endian in memory on every machine that this builds for.
    try labels.withUnsafeBytes(update)
    if let targets {
      try feed("targets of \(targets.width)\n", to: update)
      try update(UnsafeRawBufferPointer(targets.values.elements))
    }
    if let weights {
      try feed("weights\n", to: update)
      try weights.withUnsafeBytes(update)
    }
  }

  private func feed(_ text: String, to update: (UnsafeRawBufferPointer) throws -> Void) throws {
    try Array(text.utf8).withUnsafeBytes(update)
  }
}

extension SampleStore {
  /// Feeds what ``ImageDataset/feedContents(threads:check:to:)`` does, from memory if the samples are there
  /// already.
  public func feedContents(
    check: () throws -> Void = {}, to update: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    guard let resident else { return try dataset.feedContents(threads: threads, check: check, to: update) }
    try dataset.feedHeader(to: update)
    try withExtendedLifetime(resident) { try update(UnsafeRawBufferPointer(resident.elements)) }
  }
}
