internal import Foundation
internal import Paths

/// The part of another file that has a tensor's elements, as PyTorch's exporter writes them to `model.onnx.data`.
///
/// A model can name any file. Only regular files in the model's own folder and below it are read, and of them only the bytes that the
/// tensor has.
struct ONNXExternalValues: Hashable {
  /// The folder that the model is in.
  let folder: String
  /// The file as the model names it.
  private let location: String?
  /// The first byte, as the model writes it; 0 where it says none.
  private let offset: String?
  /// The number of bytes, as the model writes it; that of the elements where it says none.
  private let length: String?

  /// - Parameter said: the entries of the tensor by their keys; others than `location`, `offset` and `length` mean nothing for the values.
  init(_ said: [String: String], folder: String) {
    self.folder = folder
    (location, offset, length) = (said["location"], said["offset"], said["length"])
  }

  /// The elements.
  ///
  /// - Parameters:
  ///   - count: how many bytes they take.
  ///   - place: names the tensor in messages.
  /// - Throws: ``InterchangeError`` for a file that is refused or too short.
  func bytes(_ count: Int, _ place: String) throws -> Data {
    let (file, first) = try part(count, place)
    // The file has as many bytes, so that no number in a message can ask for more memory than that.
    var bytes = Data(count: count)
    let read = try bytes.withUnsafeMutableBytes { buffer in
      do { return try file.read(buffer, at: first) } catch {
        throw InterchangeError(.badData, "\(whole(place)), which cannot be read: \(error)")
      }
    }
    guard read == count else { throw tooShort(first, count, first + read, place) }
    return bytes
  }

  /// Checks that the file is one that may be read, and that it has the elements.
  ///
  /// - Returns: the file, and the offset of the first byte.
  func part(_ count: Int, _ place: String) throws -> (file: OpenFile, offset: Int) {
    let first = try number(offset, "offset", place) ?? 0
    if let length = try number(length, "length", place), length != count {
      throw InterchangeError(
        .badData,
        "\(whole(place)), where it says that it takes \(length) bytes, and its shape and type take \(count); export the model again"
      )
    }
    let file = try file(place)
    guard first <= file.byteCount, count <= file.byteCount - first else {
      throw tooShort(first, count, file.byteCount, place)
    }
    return (file, first)
  }

  private func file(_ place: String) throws -> OpenFile {
    guard let location, !location.isEmpty else {
      throw InterchangeError(
        .badData, "\(place) has its values in another file, and does not say in which; export the model again"
      )
    }
    let parts = location.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard location.utf8.first != UInt8(ascii: "/"), !location.utf8.contains(0),
      !parts.contains(where: { $0.elementsEqual("..".utf8) })
    else {
      throw InterchangeError(
        .badData,
        "\(whole(place)); only files in the model's folder or below it are read: export the model again with a plain file name there"
      )
    }
    guard let root = Folder.withoutLinks(folder), let path = Folder.withoutLinks("\(folder)/\(location)")
    else {
      throw InterchangeError(
        .badData, "\(whole(place)), which is not in the model's folder, \(folder); copy it there")
    }
    guard path.utf8.starts(with: root == "/" ? "/".utf8 : "\(root)/".utf8) else {
      throw InterchangeError(
        .badData, "\(whole(place)), a link that leads out of the model's folder; copy the file itself there")
    }
    do { return try OpenFile(path, followsLink: false) } catch {
      throw InterchangeError(.badData, "\(whole(place)), which cannot be read: \(error)")
    }
  }

  private func number(_ text: String?, _ key: String, _ place: String) throws -> Int? {
    guard let text else { return nil }
    guard let number = Int(text), number >= 0 else {
      throw InterchangeError(
        .badData,
        "\(whole(place)) with '\(text.prefix(40))' as the \(key), which is no whole number from 0 on; export the model again"
      )
    }
    return number
  }

  private func tooShort(_ first: Int, _ count: Int, _ size: Int, _ place: String) -> InterchangeError {
    InterchangeError(
      .badData,
      "\(whole(place)), which has \(size) bytes, and \(count) are expected from byte \(first) on; copy or export the model again"
    )
  }

  private func whole(_ place: String) -> String {
    "\(place) has its values in the file '\((location ?? "").prefix(200))'"
  }
}

extension ONNXModel {
  /// Checks the values that are in other files before any of them are read.
  ///
  /// Tensors may share bytes, but not so much that few bytes on disk become very many in memory.
  ///
  /// - Parameter path: stands for the model in messages.
  func checkExternalValues(_ path: String) throws {
    var sizes: [FileStatus.Identity: Int] = [:]
    // Tensors that are the same bytes count once.
    var counts: [ONNXExternalValues: Int] = [:]
    for tensor in graph.externalTensors {
      let place = "\(path): the tensor '\(tensor.name.prefix(200))'"
      guard let (values, count) = try tensor.externalPart(place) else { continue }
      let file = try values.part(count, place).file
      sizes[file.identity] = file.byteCount
      counts[values] = max(counts[values] ?? 0, count)
    }
    let total = counts.values.reduce(0.0) { $0 + Double($1) }
    let size = sizes.values.reduce(0.0) { $0 + Double($1) }
    guard total <= 2 * size else {
      throw InterchangeError(
        .badData,
        "\(path): its tensors overlap in other files so often that they take more than twice the files' bytes; export the model again"
      )
    }
  }
}

extension ONNXGraph {
  /// The tensors whose elements are in other files.
  fileprivate var externalTensors: [ONNXTensor] {
    let ofNodes = nodes.flatMap(\.attributes).compactMap { attribute in
      if case .tensor(let tensor) = attribute.value { tensor } else { nil }
    }
    return (initializers + ofNodes).filter(\.isExternal)
  }
}
