internal import Foundation
internal import Glibc
internal import Paths

/// Builds the plug-in with the compiler of an MPI.
public enum PlugInBuilder {
  /// A plug-in that was built.
  public struct Result: Sendable {
    /// The file.
    public let path: String
    /// The name and version of the MPI library that it is for.
    public let library: String
  }

  /// The source of the plug-in, in C.
  public static var source: [UInt8] { PackageResources.mpi_plugin_c }

  /// Compiles the plug-in and opens it once.
  ///
  /// - Parameters:
  ///   - compiler: the command of the MPI's compiler, such as `mpicc` or `/opt/openmpi/bin/mpicc`.
  ///   - target: the file to write; nil puts it among ``PlugInFolder/built`` under the name of the MPI's family.
  /// - Throws: ``MPIError`` with the compiler's last words where it fails; `FileFailure` where a file cannot be written.
  public static func build(compiler: String, to target: String? = nil) throws -> Result {
    let folder = "\(Folder.temporary)/convoy-mpi-\(UUID().uuidString)"
    guard Folder.make(folder) else { throw MPIError(.missing, "the folder \(folder) cannot be made") }
    defer { Folder.remove(folder) }
    let (code, object) = ("\(folder)/mpi-plugin.c", "\(folder)/plugin.so")
    guard FileManager.default.createFile(atPath: code, contents: Data(source)) else {
      throw MPIError(.missing, "\(code) cannot be written")
    }
    try compile(compiler, [code, "-O2", "-shared", "-fPIC", "-o", object])
    let plugIn = try PlugIn(path: object)
    let path = target ?? PlugInFolder.file(of: plugIn.family)
    guard Folder.make(Folder.parent(of: path)) else {
      throw MPIError(.missing, "the folder \(Folder.parent(of: path)) cannot be made")
    }
    let bytes = try WholeFile.read(object, limit: 1 << 26)
    // A rank that has the former file open keeps it.
    let part = "\(path).part"
    guard FileManager.default.createFile(atPath: part, contents: Data(bytes)), rename(part, path) == 0 else {
      throw MPIError(.missing, "\(path) cannot be written: \(String(cString: strerror(errno)))")
    }
    return Result(path: path, library: plugIn.library)
  }

  private static func compile(_ compiler: String, _ arguments: [String]) throws(MPIError) {
    let process = Process()
    let errors = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [compiler] + arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errors
    do { try process.run() } catch {
      throw MPIError(.missing, "\(compiler) cannot be started: \(error.localizedDescription)")
    }
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 127 || process.terminationStatus == 0 else {
      let last = text.split(whereSeparator: \.isNewline).first { $0.contains("error") } ?? "no reason given"
      throw MPIError(.missing, "\(compiler) cannot build the plug-in: \(last)")
    }
    guard process.terminationStatus == 0 else {
      throw MPIError(
        .missing,
        "there is no \(compiler): load the MPI's module, install its development package (Debian: libopenmpi-dev or libmpich-dev), or "
          + "name its compiler with --mpicc")
    }
  }
}
