internal import Glibc

/// The place that the name of an output leads to.
public enum OutputPlace: Hashable, Sendable {
  /// The path of a file, whether it is there yet or not. Links were followed to it, so that it is written and they stay.
  case file(String)
  /// An open descriptor of this process, as `/dev/stdout` and a shell's `>(…)` name it.
  case descriptor(Int32)
  /// The path of a device, a pipe or a socket, which takes bytes as they come.
  case stream(String)

  /// The most links that the system itself follows.
  private static let linkLimit = 40

  /// Looks where a path leads.
  public init(_ path: String) {
    var path = path
    for _ in 0..<Self.linkLimit {
      // A descriptor looks like a link to its file, but opening that anew would write over what is there.
      if let descriptor = Self.descriptor(path) {
        self = .descriptor(descriptor)
        return
      }
      guard let target = Self.target(of: path) else { break }
      path = target.utf8.first == UInt8(ascii: "/") ? target : "\(Folder.parent(of: path))/\(target)"
    }
    self = FileStatus(path)?.kind == .other ? .stream(path) : .file(path)
  }

  /// Whether bytes written there come out of this process's standard output.
  public var isStandardOutput: Bool {
    switch self {
    case .descriptor(let number): return number == STDOUT_FILENO
    case .file(let path), .stream(let path):
      guard let identity = FileStatus(path)?.identity else { return false }
      return identity == FileStatus("/dev/stdout")?.identity
    }
  }

  private static func descriptor(_ path: String) -> Int32? {
    for folder in ["/dev/fd/", "/proc/self/fd/", "/proc/\(getpid())/fd/"] where path.hasPrefix(folder) {
      return Int32(String(path.dropFirst(folder.count)))
    }
    return nil
  }

  /// The text of a link; nil for anything else.
  private static func target(of path: String) -> String? {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(path.systemPath, &bytes, bytes.count)
    return count > 0 ? PathText.text(of: bytes.prefix(count).map { UInt8(bitPattern: $0) }) : nil
  }
}
