/// Why something with an HDF5 file failed, in one line.
public struct HDF5Error: Error, CustomStringConvertible, Sendable {
  /// What a caller may want to tell apart.
  public enum Kind: Sendable, Equatable {
    /// The file does not exist, or its path is not that of a file.
    case missingFile
    /// The file exists but its owner does not let us read or create it.
    case notPermitted
    /// The file is there, but it is not an HDF5 file, or its structure is damaged.
    case notHDF5
    /// No object or attribute of that name.
    case noSuchName
    /// A file that was to be created exists already.
    case exists
    /// The name leads through a link that the caller does not accept, or into another file.
    case refusedLink
    /// The stored type or shape is not the one asked for.
    case mismatch
    /// The data was packed by a filter that this process does not have.
    case missingFilter
    /// The library crashes or hangs on the file, or asks for too much memory.
    case harmful
    /// A size that no memory could hold; the file is damaged or hostile.
    case tooLarge
    /// A call of the library failed for another reason: an input/output error, damaged data.
    case library
  }

  /// One entry of the library's error stack.
  public struct Frame: Sendable, Equatable {
    /// The function of the library.
    public let function: String
    /// What it said, on one line.
    public let message: String
    /// Whether the library counts it among those for want of room: its words are many, such as "image null after H5MM_realloc()".
    let isAboutRoom: Bool
  }

  /// What a caller may want to tell apart.
  public let kind: Kind
  /// What was being done, with names: `reading "train/images" of data.h5`.
  public let context: String
  /// The C function that failed; empty when a check of our own did.
  public let function: String
  /// What is wrong.
  public let reason: String
  /// The library's error stack, outermost call first; empty for checks of our own.
  public let frames: [Frame]

  init(_ kind: Kind, _ context: String, _ reason: String) {
    self.kind = kind
    self.context = context
    self.function = ""
    self.reason = reason
    self.frames = []
  }

  init(function: String, context: String, frames: [Frame]) {
    self.kind = .library
    self.context = context
    self.function = function
    // The cause stands in the innermost frame; the outer ones only say which call noticed it.
    self.reason = frames.last?.message ?? "the call failed without saying why"
    self.frames = frames
  }

  /// The same error seen as another kind, when the caller knows better what it means.
  func seen(as kind: Kind, because reason: String? = nil) -> HDF5Error {
    HDF5Error(kind: kind, context: context, function: function, reason: reason ?? self.reason, frames: frames)
  }

  private init(kind: Kind, context: String, function: String, reason: String, frames: [Frame]) {
    self.kind = kind
    self.context = context
    self.function = function
    self.reason = reason
    self.frames = frames
  }

  /// The message, one line without `error:`.
  public var description: String {
    let call = function.isEmpty ? "" : " (\(function))"
    return "\(context): \(reason)\(call)"
  }

  /// What the operating system said where it refused to open a file; nil for every other cause.
  ///
  /// The library gives no codes, only the text of strerror behind "error message = ".
  public var systemRefusal: String? {
    for frame in frames where frame.message.starts(with: "unable to open file") {
      guard let quote = frame.message.split(separator: "error message = '").last,
        frame.message.contains("errno = ")
      else { continue }
      return String(quote.prefix { $0 != "'" })
    }
    return nil
  }

  /// Whether the library could not get the memory that it wanted.
  var isOutOfMemory: Bool { frames.contains(where: \.isAboutRoom) }

  /// Whether the cause was a full disk, a quota or a file size limit.
  public var isOutOfSpace: Bool { hasCode(28, 122, 27) }  // ENOSPC, EDQUOT, EFBIG

  /// Whether the cause was a limit on open files, of this process or of the system, and nothing about the file.
  public var isOutOfResources: Bool { hasCode(24, 23) }  // EMFILE, ENFILE

  private func hasCode(_ codes: Int...) -> Bool {
    // The library gives no codes, only the text of strerror with "errno = N" before it.
    frames.contains { frame in codes.contains { frame.message.contains("errno = \($0),") } }
  }
}

extension String {
  /// `contains` without Foundation, which this target does without.
  fileprivate func contains(_ other: String) -> Bool {
    let text = Array(utf8)
    let pattern = Array(other.utf8)
    guard text.count >= pattern.count else { return false }
    return (0...(text.count - pattern.count)).contains {
      text[$0..<($0 + pattern.count)].elementsEqual(pattern)
    }
  }
}
