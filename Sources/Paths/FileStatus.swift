internal import Glibc

/// What is at a path; links are followed.
public struct FileStatus: Sendable {
  /// What kind of thing is at a path.
  public enum Kind: Sendable {
    /// A regular file.
    case file
    /// A directory.
    case folder
    /// A pipe, a device, a socket.
    case other
  }

  /// Tells files and folders apart whatever they are called: by device and inode.
  public struct Identity: Hashable, Sendable {
    let device: UInt64
    let number: UInt64
  }

  /// What it is.
  public let kind: Kind
  /// Equal for two paths that lead to the same file or folder.
  public let identity: Identity
  /// The size of a regular file in bytes; of little meaning for anything else.
  public let byteCount: Int
  /// When the contents were last written, in seconds since 1970.
  public let changed: Double

  /// Looks at a path.
  ///
  /// - Returns: nil where nothing is there or may be seen; `errno` says why.
  public init?(_ path: String) {
    var status = stat()
    guard stat(path.systemPath, &status) == 0 else { return nil }
    kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .folder
      default: .other
      }
    identity = Identity(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
    byteCount = Int(status.st_size)
    changed = Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9
  }

  /// Whether anything stands at the path.
  public static func exists(_ path: String) -> Bool { FileStatus(path) != nil }

  /// Whether a regular file stands at the path.
  public static func isFile(_ path: String) -> Bool { FileStatus(path)?.kind == .file }

  /// Whether a folder stands at the path.
  public static func isFolder(_ path: String) -> Bool { FileStatus(path)?.kind == .folder }
}

/// The folders of the file system.
public enum Folder {
  /// The names in a folder, hidden ones too, in the order of their bytes.
  ///
  /// - Returns: nil where the folder cannot be read; `errno` says why.
  public static func names(in path: String) -> [String]? {
    guard let folder = opendir(path.systemPath) else { return nil }
    defer { closedir(folder) }
    var names: [[UInt8]] = []
    while true {
      errno = 0
      guard let entry = readdir(folder) else {
        if errno != 0 { return nil }
        break
      }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      if name != [46], name != [46, 46] { names.append(name) }
    }
    return names.sorted { $0.lexicographicallyPrecedes($1) }.map(PathText.text(of:))
  }

  /// Makes a folder, and the folders that it lies in, where they are not there yet.
  ///
  /// - Returns: false where it cannot be made; `errno` says why.
  public static func make(_ path: String) -> Bool {
    if path.isEmpty || FileStatus.isFolder(path) { return true }
    let around = parent(of: path)
    if around != path, !FileStatus.isFolder(around), !make(around) { return false }
    // Somebody else may have made it meanwhile.
    return mkdir(path.systemPath, 0o777) == 0 || (errno == EEXIST && FileStatus.isFolder(path))
  }

  /// Removes a file, or a folder with all that is in it; what links lead to stays.
  ///
  /// - Returns: false where something cannot be removed; `errno` says why. Nothing at the path is no failure.
  @discardableResult
  public static func remove(_ path: String) -> Bool {
    if unlink(path.systemPath) == 0 || errno == ENOENT { return true }
    guard errno == EISDIR || errno == EPERM else { return false }
    guard let names = names(in: path) else { return false }
    for name in names where !remove("\(path)/\(name)") { return false }
    return rmdir(path.systemPath) == 0
  }

  /// Bytes of all files in a folder and below it; links are not followed.
  public static func byteCount(of path: String) -> Int {
    var sum = 0
    for name in names(in: path) ?? [] {
      var status = stat()
      let inner = "\(path)/\(name)"
      guard lstat(inner.systemPath, &status) == 0 else { continue }
      switch status.st_mode & S_IFMT {
      case S_IFREG: sum += Int(status.st_size)
      case S_IFDIR: sum += byteCount(of: inner)
      default: break
      }
    }
    return sum
  }

  /// The folder for temporary files: `TMPDIR`, or `/tmp`.
  public static var temporary: String {
    EnvironmentPath.value(of: "TMPDIR").map { String(withoutEnd($0)) } ?? "/tmp"
  }

  /// The folder in which relative paths begin; `.` where the system does not say.
  public static var current: String {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
    guard getcwd(&bytes, bytes.count) != nil else { return "." }
    return PathText.text(of: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) })
  }

  /// The path from the root; its parts stay as they are.
  public static func absolute(_ path: String) -> String {
    if path.utf8.first == slash { return path }
    return path == "." ? current : "\(current)/\(path)"
  }

  /// The folder that a path's last part is in: `.` for a name alone.
  public static func parent(of path: String) -> String {
    let text = withoutEnd(path)
    guard let slash = text.utf8.lastIndex(of: slash) else { return "." }
    return slash == text.startIndex ? "/" : String(withoutEnd(text[..<slash]))
  }

  /// The last part of a path.
  public static func name(of path: String) -> String {
    let text = withoutEnd(path)
    guard text != "/", let slash = text.utf8.lastIndex(of: slash) else { return String(text) }
    return String(text[text.utf8.index(after: slash)...])
  }

  // By bytes: in text, a slash and an accent after it would be one character.
  private static let slash = UInt8(ascii: "/")

  private static func withoutEnd(_ path: some StringProtocol) -> Substring {
    var text = Substring(path)
    while text.utf8.count > 1, text.utf8.last == slash {
      text = text[..<text.utf8.index(before: text.endIndex)]
    }
    return text
  }
}
