internal import Digests
internal import Foundation
internal import HDF5
internal import Networks
internal import Paths
internal import Tensors

#if canImport(Glibc)
  internal import Glibc
#endif

/// Checkpoints as files: a model file of another program with a group `/convoy` of our own, behind a header that guards
/// every byte.
public enum CheckpointFile {
  /// A checkpoint as bytes of a file.
  struct Encoded: Sendable {
    let header: CheckpointHeader
    let payload: [UInt8]
  }

  /// Builds the file in memory.
  ///
  /// - Parameters:
  ///   - checkpoint: given away, so that its memory is free before the file's bytes are taken.
  ///   - model: writes all but the group `/convoy`.
  static func encode(
    _ checkpoint: consuming Checkpoint, model: any ModelWriter
  ) throws(TrainingError) -> Encoded {
    do {
      let file = try HDF5.File.createInMemory()
      try model.write(checkpoint, to: file.root)
      try CheckpointGroup.write(checkpoint, to: try file.root.makeGroup(CheckpointGroup.name))
      let progress = checkpoint.progress
      let contentDigest = try checkpoint.contentDigest()
      _ = consume checkpoint
      let payload = try file.image()
      let header = CheckpointHeader(
        payloadByteCount: payload.count, step: progress.step, epoch: progress.epoch, score: progress.score,
        payloadDigest: SHA256.digest(of: payload), contentDigest: contentDigest)
      return Encoded(header: header, payload: payload)
    } catch let error as TrainingError {
      throw error
    } catch {
      throw TrainingError(.inputOutput, "cannot build a checkpoint in memory: \(error)")
    }
  }

  /// Writes an encoded checkpoint and reads it back.
  static func write(_ encoded: Encoded, as name: String, in folder: String) throws(TrainingError) {
    let header = encoded.header.bytes()
    let result = header.withUnsafeBytes { head in
      encoded.payload.withUnsafeBytes { payload in
        Result { () throws(TrainingError) in try AtomicFile.write([head, payload], as: name, in: folder) }
      }
    }
    try result.get()
    let found = try verify("\(folder)/\(name)")
    guard found == encoded.header else {
      throw TrainingError(.inputOutput, "\(folder)/\(name) reads back differently from what was written")
    }
  }

  /// Writes a checkpoint to a path, atomically and durably; what a link leads to is written, and the link stays.
  ///
  /// - Parameter model: the form in which other programs find the model in the file.
  public static func write(
    _ checkpoint: Checkpoint, to path: String, model: any ModelWriter
  ) throws(TrainingError) {
    guard case .file(let path) = OutputPlace(path) else {
      throw TrainingError(
        .cannotCreate, "\(path) is no file; a checkpoint is read back, which only a file allows")
    }
    let name = Folder.name(of: path)
    try write(try encode(checkpoint, model: model), as: name, in: Folder.parent(of: path))
  }

  /// Checks every byte of a file without looking into its HDF5 part.
  ///
  /// - Throws: ``TrainingError`` of kind `badData` for a file that is damaged, or is not a checkpoint.
  @discardableResult
  public static func verify(_ path: String) throws(TrainingError) -> CheckpointHeader {
    let file = try descriptor(path)
    let size = try file.regularByteCount()
    var digest = SHA256()
    var header: CheckpointHeader?
    // A piece at a time: a checkpoint need not fit into memory twice.
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { piece.deallocate() }
    var done = 0
    while done < size {
      let wanted = done == 0 ? min(size, CheckpointHeader.byteCount) : min(size - done, piece.count)
      let bytes = UnsafeMutableRawBufferPointer(rebasing: piece[..<wanted])
      let count = try file.read(into: bytes)
      if done == 0 {
        header = try CheckpointHeader(Array(bytes[..<count])[...], file: path)
      } else {
        digest.update(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
      }
      done += count
      guard count == wanted else { break }
    }
    // An empty file has no header either.
    guard let header else { return try CheckpointHeader([], file: path) }
    try header.verify(byteCount: done, digest: digest.finalize(), file: path)
    return header
  }

  /// Reads the header alone; what follows it is not checked.
  public static func header(of path: String) throws(TrainingError) -> CheckpointHeader {
    let file = try descriptor(path)
    var bytes = [UInt8](repeating: 0, count: CheckpointHeader.byteCount)
    let count = bytes.withUnsafeMutableBytes { buffer in
      retrying { Glibc.read(file.value, buffer.baseAddress, buffer.count) }
    }
    guard count >= 0 else { throw .system(.inputOutput, "cannot read \(path)") }
    return try CheckpointHeader(bytes[..<count], file: path)
  }

  /// Reads and verifies a checkpoint.
  ///
  /// - Throws: ``TrainingError`` of kind `missingInput` or `badData`.
  public static func read(_ path: String) throws(TrainingError) -> Checkpoint {
    let contents = try contents(of: path)
    let result = contents.bytes.withUnsafeBytes { bytes in
      Result { () throws(TrainingError) in
        try decode(
          UnsafeRawBufferPointer(rebasing: bytes[CheckpointHeader.byteCount...]), name: path, contents.survey)
      }
    }
    return try result.get()
  }

  private static func decode(
    _ payload: UnsafeRawBufferPointer, name: String, _ survey: HDF5.File.Survey?
  ) throws(TrainingError) -> Checkpoint {
    do {
      let file = try HDF5.File.open(image: payload, name: name, survey: survey)
      return try CheckpointGroup.read(from: file.root, path: name)
    } catch let error as TrainingError {
      throw error
    } catch {
      throw unreadable(name, error)
    }
  }

  private static func unreadable(_ path: String, _ error: any Error) -> TrainingError {
    TrainingError(
      error is HDF5.Isolation.Stopped ? .stopped : .badData, "cannot read the checkpoint \(path): \(error)")
  }

  /// What a file holds, and what another process has read of its HDF5 part.
  struct Contents {
    let header: CheckpointHeader
    let bytes: [UInt8]
    let survey: HDF5.File.Survey?
  }

  static func contents(of path: String) throws(TrainingError) -> Contents {
    let file = try descriptor(path)
    let bytes = try file.readAll()
    let header = try CheckpointHeader(bytes[...], file: path)
    try header.verify(
      byteCount: bytes.count, digest: SHA256.digest(of: bytes[CheckpointHeader.byteCount...]),
      file: path)
    // A checksum says that no byte was lost, and not who wrote them.
    do {
      let survey = try HDF5.File.check(path)
      // Another file may have come to its place meanwhile.
      let isOfThese = survey?.isOf(file.value) ?? false
      return Contents(header: header, bytes: bytes, survey: isOfThese ? survey : nil)
    } catch {
      throw unreadable(path, error)
    }
  }

  private static func descriptor(_ path: String) throws(TrainingError) -> FileDescriptor {
    guard access(path.systemPath, F_OK) == 0 else {
      throw TrainingError(.missingInput, "there is no checkpoint \(path)")
    }
    // A named pipe must not make us wait for its other end.
    return try FileDescriptor(path, O_RDONLY | O_NONBLOCK)
  }
}
