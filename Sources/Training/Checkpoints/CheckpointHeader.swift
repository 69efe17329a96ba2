public import Digests

/// The 512 bytes in front of a checkpoint's HDF5 part: its user block.
///
/// It is checked, and with its SHA-256 the rest of the file, before libhdf5 sees a byte. Numbers are little-endian:
///
/// | bytes | content |
/// | --- | --- |
/// | 0 ..< 8 | magic |
/// | 8 ..< 16 | version of this format |
/// | 16 ..< 24 | length of the HDF5 part |
/// | 24 ..< 32 | step |
/// | 32 ..< 40 | epoch, complete ones |
/// | 40 ..< 48 | score of the epoch that ended with this step, higher is better; NaN for none (a `Double`) |
/// | 64 ..< 96 | SHA-256 of the HDF5 part |
/// | 96 ..< 128 | SHA-256 of the contents that a repeated run has again (``Checkpoint/contentDigest``) |
/// | 480 ..< 512 | SHA-256 of bytes 0 ..< 480 |
///
/// All other bytes are zero.
public struct CheckpointHeader: Hashable, Sendable {
  /// The length of the header.
  public static let byteCount = 512
  /// The version of the format that is written, and the latest that is read.
  public static let formatVersion = 1
  /// Not text at either end, so that no tool takes the file for something else.
  private static let magic: [UInt8] = [0x89, 0x43, 0x4F, 0x4E, 0x56, 0x4F, 0x59, 0x0A]

  /// The length of the HDF5 part in bytes.
  public let payloadByteCount: Int
  /// Steps done.
  public let step: Int
  /// Epochs done.
  public let epoch: Int
  /// The score of the epoch that ended with this step, higher is better; nil in the middle of an epoch.
  public let score: Double?
  /// The SHA-256 of the HDF5 part.
  public let payloadDigest: SHA256.Digest
  /// The SHA-256 of what a repeated run has again.
  public let contentDigest: SHA256.Digest

  /// What to do with a file of another program, by the end of its name; nil where that says nothing.
  private static func advice(_ file: String) -> String? {
    let name = file.lowercased()
    func importing(_ word: String, _ options: String = "") -> String {
      "; `convoy import \(word) \(file)\(options) --to CHECKPOINT.h5` makes one of it"
    }
    if name.hasSuffix(".keras") { return importing("keras") }
    if name.hasSuffix(".onnx") { return importing("onnx") }
    if name.hasSuffix(".safetensors") { return importing("safetensors", " --architecture CONFIG.yaml") }
    if [".pt", ".pth"].contains(where: name.hasSuffix) {
      return
        "; export the model from PyTorch to ONNX, or its weights by safetensors.torch.save_file, and import that (`convoy import --help`)"
    }
    if [".yaml", ".yml"].contains(where: name.hasSuffix) {
      return
        " but a configuration; `convoy train \(file)` makes a run, and a run directory takes a checkpoint's place"
    }
    return nil
  }

  func bytes() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.byteCount)
    func put(_ value: UInt64, at offset: Int) {
      for index in 0..<8 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(index))) }
    }
    bytes.replaceSubrange(0..<8, with: Self.magic)
    put(UInt64(Self.formatVersion), at: 8)
    put(UInt64(payloadByteCount), at: 16)
    put(UInt64(step), at: 24)
    put(UInt64(epoch), at: 32)
    put((score ?? .nan).bitPattern, at: 40)
    bytes.replaceSubrange(64..<96, with: payloadDigest.bytes)
    bytes.replaceSubrange(96..<128, with: contentDigest.bytes)
    bytes.replaceSubrange(480..<512, with: SHA256.digest(of: bytes[..<480]).bytes)
    return bytes
  }

  /// Reads the header of a file whose bytes are given, at least the first 512.
  ///
  /// - Throws: ``TrainingError`` of kind `badData`, for a file that is not a checkpoint, is damaged, or is of a later version.
  init(_ bytes: ArraySlice<UInt8>, file: String) throws(TrainingError) {
    let bytes = Array(bytes.prefix(Self.byteCount))
    guard bytes.count == Self.byteCount, Array(bytes[0..<8]) == Self.magic else {
      let isHDF5 = bytes.starts(with: [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A])
      throw TrainingError(
        .badData,
        isHDF5
          ? "\(file) is an HDF5 file but not a checkpoint of Convoy: a dataset belongs after --data, and `convoy import keras` turns "
            + "a Keras model into a checkpoint; `convoy inspect \(file)` shows what it holds"
          : "\(file) is not a checkpoint of Convoy\(Self.advice(file) ?? ", or is cut off")")
    }
    func number(at offset: Int) -> UInt64 {
      (0..<8).reduce(0) { $0 | UInt64(bytes[offset + $1]) << (8 * UInt64($1)) }
    }
    guard SHA256.digest(of: bytes[..<480]).bytes == Array(bytes[480...]) else {
      throw TrainingError(.badData, "\(file) is damaged: its header does not match its checksum")
    }
    let version = number(at: 8)
    guard version == UInt64(Self.formatVersion) else {
      throw TrainingError(
        .badData, "\(file) has checkpoint format \(version); this version reads format \(Self.formatVersion)")
    }
    guard let payload = Int(exactly: number(at: 16)), let step = Int(exactly: number(at: 24)),
      let epoch = Int(exactly: number(at: 32))
    else { throw TrainingError(.badData, "\(file) is damaged: its header has impossible numbers") }
    payloadByteCount = payload
    self.step = step
    self.epoch = epoch
    let score = Double(bitPattern: number(at: 40))
    self.score = score.isNaN ? nil : score
    payloadDigest = SHA256.Digest(bytes[64..<96])
    contentDigest = SHA256.Digest(bytes[96..<128])
  }

  init(
    payloadByteCount: Int, step: Int, epoch: Int, score: Double?, payloadDigest: SHA256.Digest,
    contentDigest: SHA256.Digest
  ) {
    self.payloadByteCount = payloadByteCount
    self.step = step
    self.epoch = epoch
    self.score = score
    self.payloadDigest = payloadDigest
    self.contentDigest = contentDigest
  }

  /// Checks the whole file against this header.
  ///
  /// - Parameters:
  ///   - byteCount: the length of the file.
  ///   - digest: the SHA-256 of what follows the header.
  /// - Throws: ``TrainingError`` of kind `badData` when a byte is missing, left over or changed.
  func verify(byteCount: Int, digest: SHA256.Digest, file: String) throws(TrainingError) {
    guard byteCount == Self.byteCount + payloadByteCount else {
      throw TrainingError(
        .badData,
        "\(file) is damaged: \(byteCount) bytes long, expected \(Self.byteCount + payloadByteCount)")
    }
    guard digest == payloadDigest else {
      throw TrainingError(.badData, "\(file) is damaged: its contents do not match their checksum")
    }
  }
}
