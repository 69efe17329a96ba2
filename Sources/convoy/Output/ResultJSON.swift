internal import Networks

/// The JSON of results: what `--json` prints, and the files of looks.
///
/// Keys are the properties' names in snake case; a number that is not finite becomes `null`.
enum ResultJSON {
  /// A document on many lines.
  ///
  /// - Parameter folder: the folder from which paths in it count; nil writes all paths as they are.
  static func text(_ result: some Encodable, pathsFrom folder: String? = nil) throws -> String {
    var writer = JSONWriter(isPretty: true, hasSnakeCaseKeys: true, nonFinite: .null)
    if let folder { writer.userInfo[ResultPath.folder] = folder }
    return try writer.text(result)
  }

  /// A document on one line.
  static func line(_ result: some Encodable) throws -> String {
    try JSONWriter(hasSnakeCaseKeys: true, nonFinite: .null).text(result)
  }
}

/// A file's path in a result.
///
/// In a file of results the path counts from that file's folder, so that the same work gives the same bytes wherever it is done.
struct ResultPath: Encodable, Sendable {
  let path: String

  init(_ path: String) { self.path = path }

  /// The key under which a writer names the folder from which paths count.
  static let folder: CodingUserInfoKey = {
    guard let key = CodingUserInfoKey(rawValue: "folder") else {
      preconditionFailure("every text makes a key, but 'folder' makes none")
    }
    return key
  }()

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    let start = (encoder.userInfo[Self.folder] as? String).map { "\($0)/" } ?? ""
    try container.encode(path.hasPrefix(start) ? String(path.dropFirst(start.count)) : path)
  }
}
