internal import Digests

/// The state of a long piece of work in a file: an HDF5 part behind the header that guards checkpoints, too.
///
/// Written whole and durable or not at all, read back at once, and verified byte by byte before anything looks into it.
public struct SealedFile: Sendable {
  /// How far the work had come.
  public let step: Int
  /// Whether the work was done.
  public let isFinished: Bool
  /// The HDF5 part.
  public let payload: [UInt8]
  private let owner: SHA256.Digest

  /// Whether the state belongs to work that this text describes.
  public func belongs(to description: String) -> Bool { owner == SHA256.digest(of: description) }

  /// Writes a file with its digest, all of it or none.
  ///
  /// - Parameters:
  ///   - description: everything that decides the work's result, for ``belongs(to:)``.
  ///   - folder: must be there.
  public static func write(
    _ payload: [UInt8], step: Int, isFinished: Bool, of description: String, as name: String,
    in folder: String
  ) throws(TrainingError) {
    let header = CheckpointHeader(
      payloadByteCount: payload.count, step: step, epoch: isFinished ? 1 : 0, score: nil,
      payloadDigest: SHA256.digest(of: payload), contentDigest: SHA256.digest(of: description))
    try CheckpointFile.write(
      CheckpointFile.Encoded(header: header, payload: payload), as: name, in: folder)
  }

  /// Reads a file and checks it against its digest.
  ///
  /// - Throws: ``TrainingError`` of kind `missingInput`, or `badData` where a byte is missing or changed.
  public static func read(_ path: String) throws(TrainingError) -> SealedFile {
    let contents = try CheckpointFile.contents(of: path)
    return SealedFile(
      step: contents.header.step, isFinished: contents.header.epoch > 0,
      payload: Array(contents.bytes[CheckpointHeader.byteCount...]), owner: contents.header.contentDigest)
  }
}
