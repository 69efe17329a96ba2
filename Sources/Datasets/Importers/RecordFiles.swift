internal import Paths

/// The game records that files, folders and archives hold, in the order in which they are named; in folders by the bytes of names.
struct RecordFiles {
  /// Where records are read from.
  enum Source {
    case file(String)
    case archive(String)
  }

  private let sources: [Source]
  /// Bytes of all files, as they are on the disk.
  let byteCount: Int
  /// What folders hold that is neither record nor archive.
  let passedOver: [String]
  /// Folders that lead back to one that they are in.
  let circles: [String]

  /// Bytes that are read before somebody uses them, about.
  private static let batchByteCount = 16 << 20

  /// - Throws: ``DatasetError`` for what is not there, and for folders without records.
  init(_ paths: [String], check: () throws -> Void) throws {
    var (sources, passedOver, circles): ([Source], [String], [String]) = ([], [], [])
    var bytes = 0
    for path in paths {
      guard let status = FileStatus(path) else {
        throw DatasetError(.missingInput, "there is no file or folder \(path)")
      }
      let isFolder = status.kind == .folder
      let before = sources.count
      for file in isFolder ? try Self.files(in: path, &circles, check) : [path] {
        guard !isFolder || FileStatus.isFile(file) else {
          passedOver.append(file)
          continue
        }
        let raw = try RawFile(file)
        if try Self.isArchive(raw) {
          sources.append(.archive(file))
        } else if !isFolder || Self.isRecord(file) {
          sources.append(.file(file))
        } else {
          passedOver.append(file)
          continue
        }
        bytes += raw.byteCount
      }
      guard sources.count > before else {
        throw DatasetError(.badData, "\(path) has no game records (.sgf) and no archives")
      }
    }
    self.sources = sources
    self.passedOver = passedOver
    self.circles = circles
    byteCount = bytes
  }

  /// Whether a file's first bytes are those of an archive; names do not say it: the first part of several is called `games.7z.001`.
  private static func isArchive(_ file: RawFile) throws -> Bool {
    var beginning = [UInt8](repeating: 0, count: min(512, file.byteCount))
    try beginning.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
    return PackedFiles.areMarks(beginning)
  }

  static func isRecord(_ name: String) -> Bool { name.lowercased().hasSuffix(".sgf") }

  /// What is in a folder and below it, but for folders.
  private static func files(
    in folder: String, _ circles: inout [String], _ check: () throws -> Void
  ) throws -> [String] {
    var found: [String] = []
    // A stack in place of recursion; the last folder is looked into first.
    var folders: [(path: String, around: Set<FileStatus.Identity>)] = [(folder, [])]
    while let (path, around) = folders.popLast() {
      try check()
      guard let status = FileStatus(path), !around.contains(status.identity) else {
        circles.append(path)
        continue
      }
      guard let names = Folder.names(in: path) else {
        throw DatasetError(.missingInput, system: "reading the folder \(path)")
      }
      var inner: [(String, Set<FileStatus.Identity>)] = []
      for name in names {
        let file = "\(path)/\(name)"
        if FileStatus.isFolder(file) {
          inner.append((file, around.union([status.identity])))
        } else {
          found.append(file)
        }
      }
      folders += inner.reversed()
    }
    return found
  }

  /// Calls `body` with the bytes of some records at a time, in order.
  ///
  /// - Parameter body: gets records with names for messages, and how many of ``byteCount`` bytes are done.
  /// - Returns: the files in archives that were passed over because they are no records.
  func forEachBatch(
    check: () throws -> Void, _ body: ([(name: String, bytes: [UInt8])], Int) throws -> Void
  ) throws -> [String] {
    var batch: [(name: String, bytes: [UInt8])] = []
    var (held, done) = (0, 0)
    var others: [String] = []
    func flush(_ isLast: Bool) throws {
      try check()
      guard held >= Self.batchByteCount || batch.count >= 8192 || isLast, !batch.isEmpty else { return }
      try body(batch, done)
      batch = []
      held = 0
    }
    for source in sources {
      switch source {
      case .file(let path):
        let file = try RawFile(path)
        let bytes = try file.contents(limit: PackedFiles.fileLimit)
        batch.append((path, bytes))
        held += bytes.count
        done += bytes.count
        try flush(false)
      case .archive(let path):
        let packed = try PackedFiles(path)
        while let name = try packed.next() {
          guard Self.isRecord(name) || packed.isNameless || name.isEmpty else {
            others.append("\(name) of \(path)")
            try packed.skip()
            try check()
            continue
          }
          let bytes = try packed.contents()
          batch.append((packed.isNameless ? path : "\(name) of \(path)", bytes))
          held += bytes.count
          try flush(false)
        }
        done += try RawFile(path).byteCount
      }
    }
    try flush(true)
    return others
  }
}
