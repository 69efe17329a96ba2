internal import Paths

/// Folders that hold something else than this program's files.
enum ForeignFolder {
  /// The names in a folder that somebody may miss: hidden ones and that of a file system's own folder do not count.
  static func names(in folder: String) -> Set<String> {
    Set((Folder.names(in: folder) ?? []).filter { !$0.hasPrefix(".") && $0 != "lost+found" })
  }

  /// Refuses a folder that does not belong to this program, before anything in it is touched.
  ///
  /// - Parameter isOurs: is asked about a folder that exists.
  /// - Throws: ``TrainingError`` of kind `cannotCreate`.
  static func refuse(_ folder: String, unless isOurs: (String) -> Bool) throws(TrainingError) {
    guard FileStatus.isFolder(folder), !isOurs(folder) else { return }
    let names = names(in: folder).sorted()
    let some = names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", …" : "")
    throw TrainingError(
      .cannotCreate,
      "\(folder) already holds other files (\(some)), some of which could be overwritten; name a new or an empty folder"
    )
  }
}
