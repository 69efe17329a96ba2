public import Foundation

/// A new, empty directory that is removed with its contents when the object goes.
public final class TemporaryDirectory: Sendable {
  /// The folder.
  public let url: URL
  /// The folder's path.
  public var path: String { url.path }

  /// Makes an empty folder, which is removed with this value.
  public init() throws {
    url = FileManager.default.temporaryDirectory
      .appendingPathComponent("convoy-test-\(UUID().uuidString)", isDirectory: true)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit {
    // A test that took away write permission must still be cleaned up after.
    try? FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: url.path)
    try? FileManager.default.removeItem(at: url)
  }

  /// The path of a name in the directory; nothing is created.
  public func file(_ name: String) -> String { url.appendingPathComponent(name).path }

  /// Writes bytes under a name and returns the path.
  @discardableResult
  public func write(_ bytes: some Collection<UInt8>, to name: String) throws -> String {
    let path = file(name)
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  /// Writes text into a file of the folder.
  @discardableResult
  public func write(_ text: String, to name: String) throws -> String {
    try write(Array(text.utf8), to: name)
  }

  /// Names of what is in the directory, sorted.
  public func contents() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }
}
