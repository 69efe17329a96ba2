internal import ArgumentParser
internal import Glibc
internal import HDF5
internal import Paths

/// The folder of filters that libhdf5 does not have itself: Blosc, bitshuffle, Zstandard and others.
struct PlugInsOption: ParsableArguments {
  @Option(
    name: .customLong("hdf5-plugins"),
    help: ArgumentHelp(
      "Folder of HDF5 filters to load where a file needs them, for data packed by Blosc, Zstandard and others; "
        + "HDF5_PLUGIN_PATH by default.", valueName: "dir"))
  var folder: String?

  /// The option as it was given, for a command that this one proposes or writes; empty where it was not given.
  var words: [String] { folder.map { ["--hdf5-plugins", $0] } ?? [] }

  /// Sets the folder at once, because libhdf5 reads its variable before its first call.
  func validate() throws {
    guard let folder else { return }
    guard FileStatus.isFolder(folder) else {
      throw ValidationError("--hdf5-plugins: there is no folder \(folder)")
    }
    setenv(HDF5.Library.plugInVariable, folder.systemPath, 1)
  }
}
