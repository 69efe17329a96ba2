internal import Glibc
internal import Paths

/// An opened plug-in: `Scripts/mpi-plugin.c`, compiled for the MPI of this machine.
struct PlugIn: @unchecked Sendable {
  // @unchecked because the functions are code, and a communicator calls them from one thread.

  typealias StartExchange =
    @convention(c) (
      UnsafePointer<UnsafeRawPointer?>, UnsafePointer<Int>, UnsafePointer<UnsafeMutableRawPointer?>,
      UnsafePointer<Int>, UnsafeMutablePointer<Int32>
    ) -> Int32
  typealias Gather =
    @convention(c) (
      UnsafeMutableRawPointer, UnsafePointer<Int>, UnsafePointer<Int>, Double
    ) -> Int32

  /// The interface that this program calls; `INTERFACE` in the source.
  private static let interface: Int32 = 3

  /// The file.
  let path: String
  /// The name and version of the MPI library, on one line.
  let library: String
  let start: @convention(c) (UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>) -> Int32
  let startExchange: StartExchange
  let finishExchange: @convention(c) (Int32, Double) -> Int32
  let gather: Gather
  let progress: @convention(c) () -> Void
  let abort: @convention(c) (Int32) -> Void
  let finish: @convention(c) () -> Void
  private let describeError: @convention(c) (Int32, UnsafeMutablePointer<CChar>, Int32) -> Void

  /// Opens a plug-in and the MPI library that it was built for.
  ///
  /// - Throws: ``MPIError`` where there is none, its library is missing, or another version of the program built it.
  init(path: String) throws(MPIError) {
    guard let handle = dlopen(path.systemPath, RTLD_NOW | RTLD_LOCAL) else {
      let reason = dlerror().map { String(cString: $0) } ?? "no reason given"
      throw MPIError(.missing, "\(path) cannot be opened: \(reason). \(MPIError.advice)")
    }
    func function<Function>(_ name: String, _ type: Function.Type) throws(MPIError) -> Function {
      guard let symbol = dlsym(handle, "convoy_mpi_\(name)") else {
        throw MPIError(
          .missing, "\(path) is no plug-in for MPI: it has no convoy_mpi_\(name). \(MPIError.advice)")
      }
      return unsafeBitCast(symbol, to: type)
    }
    let version = try function("interface", (@convention(c) () -> Int32).self)
    guard version() == Self.interface else {
      throw MPIError(.missing, "\(path) was built by another version of convoy. \(MPIError.advice)")
    }
    let name = try function(
      "library", (@convention(c) (UnsafeMutablePointer<CChar>, Int32) -> Int32).self)
    library =
      Self.text { _ = name($0, $1) }.split(whereSeparator: \.isNewline).first
      .map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") } ?? "MPI"
    self.path = path
    start = try function(
      "start", (@convention(c) (UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>) -> Int32).self)
    startExchange = try function("exchange_start", StartExchange.self)
    finishExchange = try function("exchange_wait", (@convention(c) (Int32, Double) -> Int32).self)
    gather = try function("gather", Gather.self)
    progress = try function("progress", (@convention(c) () -> Void).self)
    abort = try function("abort", (@convention(c) (Int32) -> Void).self)
    finish = try function("finish", (@convention(c) () -> Void).self)
    describeError = try function(
      "error", (@convention(c) (Int32, UnsafeMutablePointer<CChar>, Int32) -> Void).self)
  }

  /// The family of the library.
  var family: PlugInFolder.Family { PlugInFolder.Family(library: library) }

  /// The library's words for an error code.
  func text(ofError code: Int32) -> String { Self.text { describeError(code, $0, $1) } }

  private static func text(_ write: (UnsafeMutablePointer<CChar>, Int32) -> Void) -> String {
    var bytes = [CChar](repeating: 0, count: 8192)
    bytes.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      write(base, Int32(buffer.count))
    }
    return String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
