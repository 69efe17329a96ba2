internal import Paths

/// Where an importer of texts finds them.
public struct TextSource: Sendable, Hashable {
  /// What the file or folder holds.
  public enum Form: Sendable, Hashable {
    /// A text in each line, all of one class.
    case lines(className: String)
    /// A table with a column of labels and one or more of text, which are joined by a blank.
    case table(texts: [String], label: String, CSVFormat)
    /// A JSON object in each line, with a label and one or more texts by these keys.
    case jsonLines(texts: [String], label: String)
    /// A folder with a folder for each class, and in these a file for each text.
    case folders
  }

  /// The file or folder.
  public var path: String
  /// What it holds.
  public var form: Form
  /// Whether its texts are for testing.
  public var isTest: Bool

  /// A file or folder of texts.
  public init(_ path: String, _ form: Form, isTest: Bool = false) {
    (self.path, self.form, self.isTest) = (path, form, isTest)
  }
}

/// Reads texts with their labels, one after another.
struct TextSourceReader {
  let source: TextSource
  /// The encoding of lines and of files in folders; nil for UTF-8, or what a file's byte order mark says.
  let encoding: TextEncoding?
  /// Called now and then with the share of the source that has been read.
  let progress: (Double) throws -> Void

  /// - Parameters:
  ///   - take: gets each text with its label as bytes, and where it stands, for messages.
  ///   - passOver: gets the path of each file or folder that lies where no text is expected.
  func read(
    _ take: (_ text: String, _ label: [UInt8], _ place: String) throws -> Void, passOver: (String) -> Void
  ) throws {
    switch source.form {
    case .lines(let className): try readLines { text, place in try take(text, Array(className.utf8), place) }
    case .table(let texts, let label, let format): try readTable(texts, label, format, take)
    case .jsonLines(let texts, let label):
      try readLines { line, place in
        if line.allSatisfy(\.isWhitespace) { return }
        let (text, label) = try TextRecord.of(line, texts: texts, label: label, place: place)
        try take(text, Array(label.utf8), place)
      }
    case .folders: try readFolders(take, passOver)
    }
  }

  // MARK: - Lines

  private func readLines(_ take: (_ text: String, _ place: String) throws -> Void) throws {
    let reader = try LineReader(source.path, encoding: encoding)
    while let line = try reader.next() {
      try take(line, "\(source.path), line \(reader.line)")
      if reader.line % 1024 == 0 { try progress(reader.progress) }
    }
  }

  // MARK: - Tables

  private func readTable(
    _ texts: [String], _ label: String, _ format: CSVFormat,
    _ take: (_ text: String, _ label: [UInt8], _ place: String) throws -> Void
  ) throws {
    let reader = try CSVReader(source.path, format)
    guard try reader.next() else { throw DatasetError(.badData, "\(source.path) is empty") }
    let first = try reader.fields.indices.map { try reader.text($0) }
    let wanted = texts + [label]
    // Without names, columns are given by their places.
    let hasNames = format.hasHeader ?? wanted.contains { CSVColumnFinder.place($0, of: first.count) == nil }
    let finder = CSVColumnFinder(path: source.path, first: first, hasHeader: hasNames)
    let columns = try wanted.map(finder.column)
    guard Set(columns).count == columns.count else {
      throw DatasetError(.badData, "\(source.path): a column is given two roles, or is named twice")
    }
    var isRow = hasNames ? try reader.next() : true
    var count = 0
    while isRow {
      let place = "\(source.path), line \(reader.line)"
      guard reader.fields.count == first.count else {
        throw DatasetError(
          .badData, "\(place): it has \(reader.fields.count) columns, but the first line has \(first.count)")
      }
      let text = try columns.dropLast().map { try reader.text($0) }.joined(separator: " ")
      let name = try reader.text(columns[columns.count - 1])
      guard !name.isEmpty else { throw DatasetError(.badData, "\(place): the label is empty") }
      try take(text, Array(name.utf8), place)
      count += 1
      if count % 1024 == 0 { try progress(reader.progress) }
      isRow = try reader.next()
    }
  }

  // MARK: - Folders

  private func readFolders(
    _ take: (_ text: String, _ label: [UInt8], _ place: String) throws -> Void, _ passOver: (String) -> Void
  ) throws {
    let classes = try TextFolder.folders(in: source.path)
    for name in try TextFolder.files(in: source.path) { passOver("\(source.path)/\(name)") }
    guard !classes.isEmpty else {
      throw DatasetError(
        .badData,
        "\(source.path) has no folders; expected one for each class, with a file for each text in it")
    }
    for (index, name) in classes.enumerated() {
      let folder = "\(source.path)/\(name)"
      let files = try TextFolder.files(in: folder)
      guard !files.isEmpty else { throw try noFiles(in: folder, of: classes) }
      for name in try TextFolder.folders(in: folder) { passOver("\(folder)/\(name)") }
      for (place, file) in files.enumerated() {
        let path = "\(folder)/\(file)"
        let reader = try LineReader(path, encoding: encoding)
        var lines: [String] = []
        while let line = try reader.next() { lines.append(line) }
        try take(lines.joined(separator: "\n"), Array(PathText.readable(name).utf8), path)
        if place % 64 == 0 {
          try progress((Double(index) + Double(place) / Double(files.count)) / Double(classes.count))
        }
      }
    }
  }
}

extension TextSourceReader {
  /// Says what to do where a class's folder has no files: it may be a split, with the classes in it.
  private func noFiles(in folder: String, of classes: [String]) throws -> DatasetError {
    let problem = "\(folder) has no files"
    guard try !TextFolder.folders(in: folder).isEmpty else {
      return DatasetError(.badData, "\(problem); it would be a class without texts: move it away")
    }
    guard let (training, other) = SplitRole.pair(in: classes) else {
      return DatasetError(
        .badData, "\(problem), but folders; if these are the classes, the command names \(folder) itself")
    }
    return DatasetError(
      .badData,
      "\(problem), but folders; --from \(source.path)/\(training) --test \(source.path)/\(other) reads both parts"
    )
  }
}

/// Folders of classes, and files in them, in the order of their names' bytes; hidden ones are passed over.
private enum TextFolder {
  static func folders(in path: String) throws -> [String] { try names(in: path, areFolders: true) }

  static func files(in path: String) throws -> [String] { try names(in: path, areFolders: false) }

  private static func names(in path: String, areFolders: Bool) throws -> [String] {
    guard FileStatus.isFolder(path) else { throw DatasetError(.missingInput, "there is no folder \(path)") }
    guard let names = Folder.names(in: path) else {
      throw DatasetError(.missingInput, system: "cannot list the folder \(path)")
    }
    return names.filter {
      $0.utf8.first != UInt8(ascii: ".") && $0 != "__MACOSX"
        && FileStatus.isFolder("\(path)/\($0)") == areFolders
    }.sorted { PathText.bytes(of: $0).lexicographicallyPrecedes(PathText.bytes(of: $1)) }
  }
}
