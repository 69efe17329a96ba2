internal import ArgumentParser
internal import ImageFiles
internal import Paths
internal import Training

/// The files that a command reads, which its output must not replace.
struct InputFiles {
  private var files: Set<FileStatus.Identity> = []
  /// Folders of pictures; other files may be written there.
  private var folders: Set<FileStatus.Identity> = []

  /// - Parameters:
  ///   - paths: files, and run directories with all that a training keeps there; those that are not there do not count.
  ///   - pictures: pictures, and folders of pictures.
  init(_ paths: [String?], pictures: [String] = []) {
    for path in paths.compactMap(\.self).map({ RunPath.resolve($0) }) {
      let found = RunPath.isRun(path) ? RunDirectory.files(in: path) : [path]
      files.formUnion(found.compactMap { FileStatus($0)?.identity })
    }
    for status in pictures.compactMap({ FileStatus($0) }) {
      if status.kind == .folder { folders.insert(status.identity) } else { files.insert(status.identity) }
    }
  }

  /// Whether a path leads to one of them.
  func contain(_ path: String) -> Bool {
    guard let status = FileStatus(path), status.kind == .file else { return false }
    return files.contains(status.identity)
      || (ImageFile.Format(path: path) != nil && isBelowFolder(Folder.absolute(path)))
  }

  private func isBelowFolder(_ path: String) -> Bool {
    var folder = Folder.parent(of: path)
    while !folders.isEmpty, folder != "/" {
      if let identity = FileStatus(folder)?.identity, folders.contains(identity) { return true }
      folder = Folder.parent(of: folder)
    }
    return false
  }
}

/// The rule for each file that a user names for a command to write.
///
/// A file that is there stays unless `--overwrite` is given, and one that the command reads stays in any case. Devices and pipes lose
/// nothing and take what comes. Files that bear names of the program's own, such as a run's `report.html`, are made anew each time.
struct OverwriteOption: ParsableArguments {
  @Flag(
    name: .customLong("overwrite"),
    help: ArgumentHelp(
      "Replace the file if it exists. No file that you name is replaced without it, also one that this command made; a run's own "
        + "files, such as its report.html, always are."))
  var isGiven = false

  /// Checks a file before any work is done for it.
  ///
  /// - Parameters:
  ///   - option: the option that names it.
  ///   - inputs: what the command reads.
  /// - Throws: ``CommandError`` where it must not be written.
  func check(_ option: String, _ path: String, inputs: InputFiles) throws(CommandError) {
    guard case .file(let target) = OutputPlace(path), let status = FileStatus(target) else { return }
    guard status.kind == .file else {
      throw CommandError(.cannotCreate, "\(option): \(path) is a folder; name a file in it")
    }
    try Self.refuse(path, among: inputs, "\(option) with another name")
    guard isGiven else {
      throw CommandError(
        .cannotCreate, "\(path) exists already; name another file or pass --overwrite")
    }
  }

  /// Refuses to write over an input.
  ///
  /// - Parameter remedy: what to pass instead.
  static func refuse(_ path: String, among inputs: InputFiles, _ remedy: String) throws(CommandError) {
    guard inputs.contain(path) else { return }
    throw .usage("\(path) is among the files that this command reads and would be replaced; pass \(remedy)")
  }
}
