internal import Datasets
internal import Glibc
internal import HDF5
internal import Networks
internal import Paths

/// A `.keras` file: a ZIP archive of the model's description, the version, and the weights.
///
/// Nothing is unpacked under names of the archive: the weights go to a file of our own, which is gone once it is open.
struct KerasArchive {
  /// The model with its classes and options.
  let document: JSONValue
  let version: String?
  /// The weights' file.
  let root: Group

  private static let configuration = "config.json"
  private static let metadata = "metadata.json"
  private static let weights = "model.weights.h5"

  /// - Throws: ``InterchangeError`` for an archive that holds no model; ``DatasetError`` for a damaged one.
  init(path: String) throws {
    let names = try Archive.names(path)
    if let name = names.first(where: { $0.hasPrefix("/") || $0.split(separator: "/").contains("..") }) {
      throw InterchangeError(
        .badData,
        "\(path) has a file '\(name)', which would be unpacked elsewhere; no version of Keras writes such archives"
      )
    }
    let files = try Archive.read(path, [Self.configuration, Self.metadata, Self.weights], limit: 1 << 36)
    guard let configuration = files[Self.configuration] else {
      throw InterchangeError(
        .badData, "\(path) is an archive without \(Self.configuration), and so no model of Keras 3")
    }
    guard let weights = files[Self.weights] else {
      throw InterchangeError(
        .badData,
        names.contains { $0.hasPrefix("model.weights") }
          ? "\(path) has its weights in several files or in another form; write it again: model.save(\"model.keras\")"
          : "\(path) has no weights (\(Self.weights))")
    }
    document = try Self.json(configuration, "\(Self.configuration) of \(path)")
    let facts = try files[Self.metadata].map { try Self.json($0, "\(Self.metadata) of \(path)") }
    version = facts?["keras_version"]?.string
    root = try Self.open(weights, "\(Self.weights) of \(path)")
  }

  private static func json(_ bytes: [UInt8], _ place: String) throws -> JSONValue {
    guard let text = String(validating: bytes, as: UTF8.self), let value = try? JSONValue(parsing: text)
    else {
      throw InterchangeError(.badData, "\(place) is not valid JSON; save the model again")
    }
    return value
  }

  /// Opens the weights as a file of their own, which HDF5's checks of files from elsewhere need.
  private static func open(_ bytes: [UInt8], _ place: String) throws -> Group {
    var template = "\(Folder.temporary)/convoy-keras-XXXXXX".systemPath
    let made = template.withUnsafeMutableBufferPointer { bytes in
      bytes.baseAddress.flatMap { mkdtemp($0) }.map { PathText.text(of: UnsafePointer($0)) }
    }
    guard let name = made else {
      throw InterchangeError(
        .badData,
        "cannot make a folder in \(Folder.temporary) for \(place): \(String(cString: strerror(errno)))")
    }
    let path = "\(name)/weights.h5"
    defer {
      unlink(path.systemPath)
      rmdir(name.systemPath)
    }
    try WholeFile.write(bytes, to: path)
    do { return try File.open(path).root } catch let error as HDF5Error {
      throw InterchangeError(.badData, "\(place): \("\(error)".replacing(path, with: "the file"))")
    }
  }

  // MARK: - Writing

  /// The bytes of an archive.
  ///
  /// - Throws: ``InterchangeError`` for a model that is too large for the format's usual form.
  static func bytes(configuration: String, metadata: String, weights: [UInt8]) throws -> [UInt8] {
    let archive = Archive.bytes(of: [
      (Self.metadata, Array(metadata.utf8)), (Self.configuration, Array(configuration.utf8)),
      (Self.weights, weights),
    ])
    guard let archive else {
      throw InterchangeError(
        .usage, "the model has 4 GiB and more, which a .keras file cannot hold; name a file .weights.h5")
    }
    return archive
  }
}
