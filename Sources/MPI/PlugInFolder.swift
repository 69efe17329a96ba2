internal import Foundation
internal import Glibc
internal import Paths

/// The plug-ins that were built on this machine, one for each family of MPI.
public enum PlugInFolder {
  /// MPI libraries whose programs can be exchanged for each other.
  public enum Family: String, CaseIterable, Sendable {
    /// Open MPI and what derives from it.
    case openMPI = "openmpi"
    /// MPICH and what has its binary interface, such as Intel MPI.
    case mpich
    /// Any other.
    case other

    init(library: String) {
      let text = library.lowercased()
      if text.contains("open mpi") || text.contains("spectrum mpi") {
        self = .openMPI
      } else if text.contains("mpich") || text.contains("intel") || text.contains("mvapich") {
        self = .mpich
      } else {
        self = .other
      }
    }
  }

  /// The variable that names a plug-in, in place of those in ``path``.
  public static let variable = "CONVOY_MPI"
  /// The value of ``variable`` by which a process is alone whoever started it.
  public static let noPlugIn = "none"

  /// `$XDG_DATA_HOME/convoy/mpi`, by default below `~/.local/share`.
  public static var path: String {
    let base =
      EnvironmentPath.value(of: "XDG_DATA_HOME")
      ?? "\(EnvironmentPath.value(of: "HOME") ?? Folder.temporary)/.local/share"
    return "\(base)/convoy/mpi"
  }

  /// Where the plug-in of a family lies.
  public static func file(of family: Family) -> String { "\(path)/\(family.rawValue).so" }

  /// The plug-ins that are there, by family.
  public static var built: [(family: Family, path: String)] {
    Family.allCases.map { ($0, file(of: $0)) }.filter { FileStatus($0.1) != nil }
  }

  /// The name and version of the MPI library that a plug-in is for.
  ///
  /// - Throws: ``MPIError`` where it cannot be opened.
  public static func library(of path: String) throws(MPIError) -> String { try PlugIn(path: path).library }

  /// The plug-in for a launcher; nil where none is there that could be.
  static func plugIn(for launcher: Launcher) -> String? {
    if let named = EnvironmentPath.value(of: variable) { return named }
    return launcher.families.map { file(of: $0) }.first { FileStatus($0) != nil }
  }
}
