import Foundation
import TestSupport
import Testing

@Suite("Imports of Keras models, by the command")
struct ImportKerasCommandTests {
  private static func fixture(_ name: String) -> String {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    return tests.appendingPathComponent("InterchangeTests/Fixtures/\(name).h5").path
  }

  @Test("a folder as the model is answered with what to do, and so is what cannot be read or made")
  func folders() throws {
    let folder = try TemporaryDirectory()
    let target = folder.file("new.h5")
    try FileManager.default.createDirectory(
      atPath: folder.file("saved_model"), withIntermediateDirectories: true)
    try expectFailure(
      ["import", "keras", folder.file("saved_model"), "--to", target], code: 66,
      says: "is a folder; load it in Keras and write the model as one file: model.save(")
    try FileManager.default.createDirectory(
      atPath: folder.file("run/checkpoints"), withIntermediateDirectories: true)
    try folder.write("", to: "run/config.yaml")
    try expectFailure(
      ["import", "keras", folder.file("run"), "--to", target], code: 66, says: "is a run directory")
    for (name, advice) in [
      ("net.yaml", "is a config, which has no weights; `convoy train "), ("net.json", "model.save("),
      ("net.onnx", "is ONNX; `convoy import onnx"), ("net.pt", "torch.onnx.export"),
      ("net.safetensors", "`convoy import safetensors"), ("net.tflite", "tf2onnx"),
      ("net.h5", "not an HDF5 file"),
    ] {
      try folder.write("text: 1\n", to: name)
      try expectFailure(["import", "keras", folder.file(name), "--to", target], code: 65, says: advice)
    }
    let model = Self.fixture("regression-keras3")
    try expectFailure(
      ["import", "keras", model, "--to", target, "--classes", folder.file("saved_model")], code: 65,
      says: "it is not a file but a folder")
    try folder.write("", to: "file")
    try expectFailure(
      ["import", "keras", model, "--to", folder.file("file/new.h5")], code: 73, says: "cannot make the folder"
    )
    #expect(!FileManager.default.fileExists(atPath: target))
  }

  @Test("a regression model stays one, and --loss is checked")
  func losses() throws {
    let folder = try TemporaryDirectory()
    let (model, target) = (Self.fixture("regression-keras2"), folder.file("new.h5"))
    let done = try Program.run(["import", "keras", model, "--to", target])
    #expect(done.code == 0, "\(done.errors)")
    let shown = try Program.run(["inspect", target]).output
    #expect(
      shown.contains("imported; its outputs are numbers: mean_squared_error")
        && !shown.contains("shards of 0"))
    try expectFailure(
      ["import", "keras", model, "--to", target, "--overwrite", "--loss", "mse"], code: 64,
      says: "--loss takes softmax_cross_entropy, sigmoid_cross_entropy")
    try expectFailure(
      [
        "import", "keras", Self.fixture("mobile-keras2"), "--to", target, "--overwrite", "--loss",
        "sigmoid_cross_entropy",
      ], code: 64, says: "the model ends in softmax")
  }
}
