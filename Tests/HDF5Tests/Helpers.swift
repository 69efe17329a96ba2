import Foundation
import HDF5
import Testing

/// A path in the folder of fixtures beside this file.
func fixture(_ name: String, file: String = #filePath) -> String {
  URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent("Fixtures/\(name)").path
}

/// Gives `body` a fresh folder and removes it afterwards.
func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("hdf5-tests-\(UUID().uuidString)").path
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}

/// The error of `body`, which must be an `HDF5Error` of one line.
func hdf5Error(
  _ kind: HDF5Error.Kind, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) -> String {
  do {
    try body()
    Issue.record("nothing was thrown", sourceLocation: sourceLocation)
  } catch let error as HDF5Error {
    #expect(error.kind == kind, "\(error)", sourceLocation: sourceLocation)
    #expect(!error.description.contains("\n"), sourceLocation: sourceLocation)
    return error.description
  } catch {
    Issue.record("expected an HDF5Error, got \(error)", sourceLocation: sourceLocation)
  }
  return ""
}
