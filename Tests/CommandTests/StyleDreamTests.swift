import Foundation
import TestSupport
import Testing

/// Keras import, Deep Dream and style transfer as a user meets them.
@Suite("Importing, dreaming and styling by command")
struct StyleDreamTests {
  private static let model: String = {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    return tests.appendingPathComponent("InterchangeTests/Fixtures/functional-keras3.h5").path
  }()

  /// A 1×1 grey picture, and one that is cut off.
  private static let dot =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="

  private func checkpoint(_ folder: TemporaryDirectory) throws -> String {
    let path = folder.file("model.h5")
    let result = try Program.run(["import", "keras", Self.model, "--to", path])
    #expect(result.code == 0, "\(result.errors)")
    #expect(result.output.contains("9×8×3 to 4"))
    return path
  }

  private func picture(_ folder: TemporaryDirectory, cut: Bool = false) throws -> String {
    let bytes = try #require(Data(base64Encoded: Self.dot))
    let path = folder.file(cut ? "cut.png" : "dot.png")
    try (cut ? bytes.prefix(50) : bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  @Test("a Keras model is imported, shown, and not written over")
  func importing() throws {
    let folder = try TemporaryDirectory()
    let path = try checkpoint(folder)
    try expectFailure(["import", "keras", Self.model, "--to", path], code: 73, says: "exists")
    try expectFailure(["import", "keras", path, "--to", folder.file("b.h5")], code: 64, says: "already")
    try expectFailure(
      ["import", "keras", folder.file("none.h5"), "--to", folder.file("b.h5")], code: 66, says: "none.h5")
    let shown = try Program.run(["inspect", Self.model])
    #expect(shown.output.contains("convoy import keras"))
  }

  @Test("mistakes in a dream are named")
  func dreaming() throws {
    let folder = try TemporaryDirectory()
    let path = try checkpoint(folder)
    let dot = try picture(folder)
    let to = ["--to", folder.file("out"), "--workers", "1"]
    try expectFailure(
      ["dream", path, dot, "--layers", "block9"] + to, code: 64, says: "conv2d")
    try expectFailure(["dream", path, try picture(folder, cut: true)] + to, code: 65, says: "truncated")
    try expectFailure(["dream", path, folder.file("none.png")] + to, code: 66, says: "none.png")
  }

  @Test("a style transfer writes its picture and losses, says that grey became colour, and goes on")
  func styling() throws {
    let folder = try TemporaryDirectory()
    let path = try checkpoint(folder)
    let dot = try picture(folder)
    let command = [
      "style", path, "--content", dot, "--style", dot, "--content-layers", "conv2d", "--style-layers",
      "conv2d",
      "--start", "noise", "--to", folder.file("out"), "--workers", "2", "--steps",
    ]
    let first = try Program.run(command + ["3"])
    #expect(first.code == 0, "\(first.errors)")
    #expect(first.errors.contains("is grey"))
    #expect(FileManager.default.fileExists(atPath: folder.file("out/style.png")))
    let second = try Program.run(command + ["5"])
    #expect(second.code == 0 && second.errors.contains("going on at step 3"), "\(second.errors)")
    // What is done makes way for other work.
    let other = try Program.run(command + ["5", "--tv", "1"])
    #expect(other.code == 0 && !other.errors.contains("going on"), "\(other.errors)")
  }
}
