internal import Paths
internal import Settings

/// The command that makes a dataset of what somebody named in place of one.
enum ImportAdvice {
  /// What to do with a folder; nil for what is none.
  static func folder(_ path: String) -> String? {
    guard FileStatus.isFolder(path) else { return nil }
    return command("images", "--from", path, "--size 32", "pictures in a folder for each class")
  }

  /// What to do with a file that is not an HDF5 file, by the end of its name; empty where that says nothing.
  static func file(_ path: String) -> String {
    var name = Folder.name(of: path).lowercased()
    if name.hasSuffix(".gz") { name.removeLast(3) }
    func ends(_ ends: String...) -> Bool { ends.contains { name.hasSuffix($0) } }
    if ends(".csv", ".tsv") { return command("csv", "--from", path, "--label NAME", "a table") }
    if ends(".npz") { return command("numpy", "--from", path, "--images NAME --labels NAME", "arrays") }
    if ends(".npy") { return command("numpy", "--images", path, "--labels FILE", "arrays") }
    if ends("-ubyte", ".idx", ".ubyte") {
      return command("idx", "--images", path, "--labels FILE", "IDX files")
    }
    if ends(".png", ".jpg", ".jpeg") {
      return command(
        "images", "--from", Folder.parent(of: path), "--size 32", "pictures in a folder for each class")
    }
    if ends(".jsonl", ".ndjson", ".txt") {
      return command("text", "--from", path, "--text NAME --label NAME", "texts")
    }
    if ends(".mat") { return "; MATLAB writes HDF5 with save(..., \"-v7.3\")" }
    return ""
  }

  /// Whether a file begins as HDF5 files do, which may have a block of the user's own, of 512 bytes or a multiple by two, before that.
  static func isHDF5(_ file: RawFile) -> Bool {
    let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
    var offset = 0
    while offset + signature.count <= file.byteCount {
      var bytes = [UInt8](repeating: 0, count: signature.count)
      guard (try? bytes.withUnsafeMutableBytes { try file.read(into: $0, at: offset) }) != nil else {
        return false
      }
      if bytes == signature { return true }
      offset = offset == 0 ? 512 : offset * 2
    }
    return false
  }

  private static func command(
    _ word: String, _ option: String, _ path: String, _ others: String, _ noun: String
  ) -> String {
    "; `convoy import \(word) \(option) \(path.shellWord) \(others) --to NEW.h5` makes a dataset of \(noun)"
  }
}
