internal import Audio
internal import Paths

/// Where an importer of sounds finds them, and what is known of each.
public struct AudioSource: Sendable, Hashable {
  /// How files are found.
  public enum Form: Sendable, Hashable {
    /// Sound files in a folder and in the folders below.
    case folder
    /// Sound files in a tar archive, plain or gzip.
    case archive
    /// A table with the path of a sound file in each row, relative to the table's folder.
    case list(path: String, CSVFormat)
  }

  /// Where the label of a sound is.
  public enum Label: Sendable, Hashable {
    /// The name of the folder that it lies in.
    case folder
    /// A field of the pattern of names, or a column of the list.
    case field(String)
  }

  /// The folder, archive or list.
  public var path: String
  /// How files are found.
  public var form: Form
  /// What the parts of names mean; nil where names mean nothing.
  public var pattern: NamePattern?
  /// Where labels are.
  public var label: Label

  /// Sounds of a folder, an archive or a list.
  public init(_ path: String, _ form: Form, pattern: NamePattern? = nil, label: Label) {
    (self.path, self.form, self.pattern, self.label) = (path, form, pattern, label)
  }
}

/// A sound file before it is read.
struct AudioEntry: Sendable {
  /// The path below the source, by which it is named in lists.
  let name: String
  /// The path of the file; in an archive, the name there.
  let path: String
  let label: String
  /// What the name's parts or the list's columns say.
  let fields: [String: String]
}

/// Finds the sounds of a source, in the order of their names' bytes, or of the list's rows.
struct AudioListing {
  let source: AudioSource

  /// Sounds that do not fit the pattern, or have no label.
  private(set) var strays: [String] = []
  /// Files that are no sounds by their names.
  private(set) var others: [String] = []
  /// How many links an archive has, which stand for other files.
  private(set) var linkCount = 0
  /// Folders that lead back to one that they are in.
  private(set) var circles: [String] = []

  init(_ source: AudioSource) { self.source = source }

  /// The entry of a file; nil for one that is passed over.
  ///
  /// - Throws: ``DatasetError`` for a file without a label.
  mutating func entry(name: String, path: String, fields known: [String: String] = [:]) throws -> AudioEntry?
  {
    var fields = known
    if let pattern = source.pattern {
      guard let found = pattern.fields(of: name) else {
        strays.append(name)
        return nil
      }
      fields.merge(found) { first, _ in first }
    }
    switch source.label {
    case .field(let field):
      guard let label = fields[field], !label.isEmpty else {
        throw DatasetError(
          .badData,
          "\(source.path): \(name) has no \"\(field)\"; known are \(fields.keys.sorted().joined(separator: ", "))"
        )
      }
      return AudioEntry(name: name, path: path, label: label, fields: fields)
    case .folder:
      let parts = name.split(separator: "/")
      guard parts.count >= 2 else {
        strays.append(name)
        return nil
      }
      return AudioEntry(
        name: name, path: path, label: PathText.readable(String(parts[parts.count - 2])), fields: fields)
    }
  }

  // MARK: - Folders and lists

  /// The entries of a folder or a list.
  mutating func entries(check: () throws -> Void) throws -> [AudioEntry] {
    switch source.form {
    case .archive: return []
    case .folder:
      guard FileStatus.isFolder(source.path) else {
        throw DatasetError(.missingInput, "there is no folder \(source.path)")
      }
      try refuseSplits()
      var entries: [AudioEntry] = []
      for name in try files(in: source.path, prefix: "", [], check: check) {
        if let entry = try entry(name: name, path: "\(source.path)/\(name)") { entries.append(entry) }
      }
      return entries
    case .list(let column, let format): return try listed(column, format, check: check)
    }
  }

  /// The sounds of `Training` and `Testing` must not come into one split, with the folders in them as classes.
  private func refuseSplits() throws(DatasetError) {
    let folders = (Folder.names(in: source.path) ?? []).filter {
      !Self.isPassedOver($0) && FileStatus.isFolder("\(source.path)/\($0)")
    }
    try refuseSplits(among: Set(folders))
  }

  /// - Parameter folders: the names of folders in which folders of classes may be.
  private func refuseSplits(among folders: Set<String>) throws(DatasetError) {
    guard source.label == .folder, source.pattern == nil,
      let (training, other) = SplitRole.pair(in: folders.sorted())
    else { return }
    throw DatasetError(
      .badData,
      "\(source.path)/\(training) and \(source.path)/\(other) seem to be splits; --pattern \"{part}/{label}/*\" --test-where "
        + "part=\(other) keeps them apart, or --from names one of them")
  }

  /// What is hidden, and what file managers of one maker leave.
  private static func isPassedOver(_ name: String) -> Bool {
    name.utf8.first == UInt8(ascii: ".") || name == "__MACOSX"
  }

  /// - Parameter around: the folders that this one is in.
  private mutating func files(
    in path: String, prefix: String, _ around: [FileStatus.Identity], check: () throws -> Void
  ) throws -> [String] {
    try check()
    guard let status = FileStatus(path) else {
      throw DatasetError(.missingInput, system: "cannot list the folder \(path)")
    }
    guard !around.contains(status.identity) else {
      circles.append(path)
      return []
    }
    guard around.count < 64 else { throw DatasetError(.badData, "\(path) is more than 64 folders deep") }
    guard let names = Folder.names(in: path) else {
      throw DatasetError(.missingInput, system: "cannot list the folder \(path)")
    }
    var found: [String] = []
    for name in names.sorted(by: { PathText.bytes(of: $0).lexicographicallyPrecedes(PathText.bytes(of: $1)) })
    where !Self.isPassedOver(name) {
      let whole = "\(path)/\(name)"
      if FileStatus.isFolder(whole) {
        found += try files(in: whole, prefix: "\(prefix)\(name)/", around + [status.identity], check: check)
      } else if Sound.isSound(path: name) {
        found.append(prefix + name)
      } else {
        others.append(whole)
      }
    }
    return found
  }

  /// Hands out the sounds of an archive with their bytes, in its order.
  ///
  /// - Parameter take: also gets how much of the archive has been read, from 0 to 1.
  mutating func readArchive(
    check: () throws -> Void, take: (_ entry: AudioEntry, _ bytes: [UInt8], _ share: Double) throws -> Void
  ) throws {
    let packed = try PackedFiles(source.path, fileLimit: Sound.largestFile)
    var folders: Set<String> = []
    while let name = try packed.next() {
      try check()
      guard !packed.isNameless else {
        throw DatasetError(
          .badData, "\(source.path) is no folder, table (.csv, .tsv) or archive (tar, zip, 7z)")
      }
      // Archives of a folder's contents begin each name with `./`.
      let parts = name.split(separator: "/").filter { $0 != "." }.map(String.init)
      let path = parts.joined(separator: "/")
      if parts.contains(where: Self.isPassedOver) { continue }
      guard Sound.isSound(path: path) else {
        others.append("\(path) of \(source.path)")
        continue
      }
      if parts.count > 2 { folders.insert(parts[parts.count - 3]) }
      guard let entry = try entry(name: path, path: path) else { continue }
      try take(entry, try packed.contents(), packed.share)
    }
    linkCount = packed.linkCount
    try refuseSplits(among: folders)
  }

  private mutating func listed(_ column: String, _ format: CSVFormat, check: () throws -> Void) throws
    -> [AudioEntry]
  {
    let reader = try CSVReader(source.path, format)
    guard try reader.next() else { throw DatasetError(.badData, "\(source.path) is empty") }
    let names = try reader.fields.indices.map { try reader.text($0) }
    let finder = CSVColumnFinder(path: source.path, first: names, hasHeader: true)
    let place = try finder.column(column)
    if case .field(let field) = source.label, source.pattern?.fields.contains(field) != true {
      _ = try finder.column(field)
    }
    let folder = Folder.parent(of: source.path)
    var entries: [AudioEntry] = []
    while try reader.next() {
      try check()
      guard reader.fields.count == names.count else {
        throw DatasetError(
          .badData,
          "\(source.path), line \(reader.line): it has \(reader.fields.count) columns, but the first line has \(names.count)"
        )
      }
      var fields: [String: String] = [:]
      for (index, name) in names.enumerated() { fields[name] = try reader.text(index) }
      let name = try reader.text(place)
      guard !name.isEmpty else {
        throw DatasetError(.badData, "\(source.path), line \(reader.line): the path is empty")
      }
      let path = name.hasPrefix("/") ? name : "\(folder)/\(name)"
      if let entry = try entry(name: name, path: path, fields: fields) { entries.append(entry) }
    }
    return entries
  }
}
