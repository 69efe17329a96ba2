internal import ImageFiles
internal import Paths
internal import Tensors

/// The pictures or sounds that a command is given, as files or as folders of files.
enum PictureFiles {
  /// The files that are named, and those in named folders and below, each folder's in the order of their names.
  ///
  /// - Parameters:
  ///   - noun: what the files are, for messages.
  ///   - isWanted: whether a file of a folder is one of them, by its name.
  /// - Throws: ``CommandError`` for a folder that cannot be read, or has no such file in it.
  static func all(
    _ paths: [String], noun: String = "PNG or JPEG",
    where isWanted: (String) -> Bool = { ImageFile.Format(path: $0) != nil }
  ) throws(CommandError) -> [String] {
    var (found, others): ([String], [String]) = ([], [])
    for path in paths {
      guard let status = FileStatus(path), status.kind == .folder else {
        found.append(path)
        continue
      }
      let pictures = try below(path, within: [status.identity], isWanted, &others)
      guard !pictures.isEmpty else { throw .badData("\(path) has no \(noun) files") }
      found += pictures
    }
    if let first = others.first {
      TerminalOutput.warn(
        "passed over \(counted(others.count, "file")) other than \(noun) files\(others.count > 1 ? ", such as" : ":") \(first)"
      )
    }
    return found
  }

  /// - Parameter around: the folders that this one lies in, to which a link must not lead back.
  private static func below(
    _ folder: String, within around: Set<FileStatus.Identity>, _ isWanted: (String) -> Bool,
    _ others: inout [String]
  ) throws(CommandError) -> [String] {
    guard let names = Folder.names(in: folder) else { throw .badData("the folder \(folder) cannot be read") }
    var found: [String] = []
    // Hidden files and what archives leave behind are no pictures that anybody means.
    for name in names where !name.hasPrefix(".") && name != "__MACOSX" {
      let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
      guard let status = FileStatus(path) else { continue }
      switch status.kind {
      case .file: if isWanted(name) { found.append(path) } else { others.append(path) }
      case .folder:
        if !around.contains(status.identity) {
          found += try below(path, within: around.union([status.identity]), isWanted, &others)
        }
      case .other: continue
      }
    }
    return found
  }
}
