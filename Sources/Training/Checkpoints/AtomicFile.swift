internal import Paths

#if canImport(Glibc)
  internal import Glibc
#endif

/// Files that appear under their name complete and durable, or not at all.
///
/// A file is written under a temporary name in the same folder, flushed, closed and renamed, and the folder is flushed: each of
/// these steps is needed, and each is checked. Foundation's atomic writing leaves out the last and falls back to a plain write.
enum AtomicFile {
  /// The end of temporary names, by which the files of killed processes are recognised.
  static let temporarySuffix = ".part"

  /// Writes `parts` one after another as the file `name` in `folder`, in place of an older one.
  ///
  /// - Throws: ``TrainingError``; the older file is then still there, and no temporary file is left.
  static func write(_ parts: [UnsafeRawBufferPointer], as name: String, in folder: String)
    throws(TrainingError)
  {
    let temporary = "\(folder)/.\(name).\(getpid())\(temporarySuffix)"
    let path = "\(folder)/\(name)"
    // What an earlier process of the same number left when it was killed.
    try removeFile(temporary)
    let file = try FileDescriptor(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, or: .cannotCreate)
    UnfinishedFiles.hold(file.value)
    do throws(TrainingError) {
      for part in parts { try file.write(part) }
      try file.synchronize()
      try file.close()
      guard retrying({ rename(temporary.systemPath, path.systemPath) }) == 0 else {
        throw .system(.inputOutput, "cannot rename \(temporary)")
      }
    } catch {
      // The error that led here is the one to report.
      _ = unlink(temporary.systemPath)
      throw error
    }
    try synchronizeFolder(folder)
  }

  static func write(_ text: String, as name: String, in folder: String) throws(TrainingError) {
    let bytes = Array(text.utf8)
    let result = bytes.withUnsafeBytes { part in
      Result { () throws(TrainingError) in try write([part], as: name, in: folder) }
    }
    try result.get()
  }

  /// Removes temporary files that killed processes left in a folder; for the one who holds it alone.
  static func removeLeftovers(in folder: String) throws(TrainingError) {
    for name in try namesInFolder(folder) where name.hasPrefix(".") && name.hasSuffix(temporarySuffix) {
      try removeFile("\(folder)/\(name)")
    }
  }
}
