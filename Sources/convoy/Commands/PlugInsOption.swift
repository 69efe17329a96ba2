internal import ArgumentParser
internal import Foundation
internal import HDF5

/// The folder of filters that libhdf5 does not have itself: Blosc, bitshuffle, Zstandard and others.
struct PlugInsOption: ParsableArguments {
  @Option(
    name: .customLong("hdf5-plugins"),
    help: ArgumentHelp(
      "Folder of HDF5 filters to load where a file needs them, for data packed by Blosc, Zstandard and others; "
        + "HDF5_PLUGIN_PATH by default.", valueName: "dir"))
  var folder: String?

  /// Sets the folder at once, because libhdf5 reads its variable before its first call.
  func validate() throws {
    guard let folder else { return }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
      throw ValidationError("--hdf5-plugins: there is no folder \(folder)")
    }
    setenv(HDF5.Library.plugInVariable, folder, 1)
  }
}
