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

  /// The option as this process was given it; empty where it was not.
  static var given: [String] {
    let (name, arguments) = ("--hdf5-plugins", ProgramArguments.all)
    for (place, argument) in arguments.enumerated() {
      if argument.hasPrefix("\(name)=") { return [argument] }
      if argument == name, arguments.indices.contains(place + 1) { return [name, arguments[place + 1]] }
    }
    return []
  }

  /// Sets the folder at once, because libhdf5 reads its variable before its first call.
  func validate() throws {
    guard let folder else { return }
    guard FileStatus.isFolder(folder) else {
      throw ValidationError("--hdf5-plugins: there is no folder \(folder)")
    }
    setenv(HDF5.Library.plugInVariable, folder.systemPath, 1)
  }
}
