import Foundation

/// A file system of its own in memory, of a given size: for disks that are full or cannot be written to.
///
/// Mounting needs root; tests ask ``isAvailable`` in their conditions. It is gone when the object goes.
public final class SmallFileSystem: Sendable {
  /// Where the file system is mounted.
  public let path: String
  private let folder: TemporaryDirectory

  /// Whether this process may mount; tried once.
  public static let isAvailable: Bool = (try? SmallFileSystem(kibibytes: 64)) != nil
  /// Why a test was skipped.
  public static let reason = "mounts a small tmpfs, which needs root"

  /// - Parameter kibibytes: room for files, folders included.
  public init(kibibytes: Int) throws {
    folder = try TemporaryDirectory()
    path = folder.file("mount")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try Self.run(["mount", "-t", "tmpfs", "-o", "size=\(kibibytes)k", "tmpfs", path])
  }

  deinit { try? Self.run(["umount", "-l", path]) }

  /// The path of a name in it; nothing is created.
  public func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Refuses all writing from now on.
  public func makeReadOnly() throws { try Self.run(["mount", "-o", "remount,ro", path]) }

  /// Takes all the room that is left.
  public func fill() throws {
    let filler = file("filler")
    try Data().write(to: URL(fileURLWithPath: filler))
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: filler))
    defer { try? handle.close() }
    // Down to the last byte: first in pages, then singly.
    for size in [4096, 1] {
      while (try? handle.write(contentsOf: Data(count: size))) != nil {}
    }
  }

  /// Gives back what ``fill()`` took.
  public func free() throws { try FileManager.default.removeItem(atPath: file("filler")) }

  private struct Failed: Error {}

  private static func run(_ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failed() }
  }
}
