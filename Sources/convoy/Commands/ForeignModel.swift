internal import Paths
internal import Settings

/// Files of other programs that people give to `convoy import keras`.
enum ForeignModel {
  /// Refuses a file that is no model of Keras and whose name says what it is in its place.
  ///
  /// - Throws: ``CommandError`` that says what to do with it; a file that may be a model, or says nothing, is let through.
  static func refuse(_ path: String) throws(CommandError) {
    let name = Folder.name(of: path).lowercased()
    guard let end = name.lastIndex(of: "."), let advice = advice(name[end...], path.shellWord) else { return }
    let beginning = (try? WholeFile.beginning(of: path, byteCount: 4)) ?? []
    let (hdf5, zip): ([UInt8], [UInt8]) = ([0x89, 0x48, 0x44, 0x46], [0x50, 0x4B, 3, 4])
    // Keras's archives are ZIP files as PyTorch's are.
    let mayBeModel = beginning == hdf5 || beginning == zip && ![".pt", ".pth"].contains(name[end...])
    guard !mayBeModel else { return }
    throw CommandError.badData("\(path) is \(advice)")
  }

  private static func advice(_ end: Substring, _ path: String) -> String? {
    switch end {
    case ".yaml", ".yml": "a config, which has no weights; `convoy train \(path)` trains it"
    case ".json":
      "JSON, which has no weights; write the model with them as one file: model.save(\"model.keras\")"
    case ".onnx": "ONNX; `convoy import onnx \(path) --to NEW.h5` reads it"
    case ".safetensors":
      "a file of safetensors; `convoy import safetensors \(path) --architecture CONFIG --to NEW.h5` reads it"
    case ".pt", ".pth": "PyTorch's; torch.onnx.export writes the model for `convoy import onnx`"
    case ".pb", ".tflite":
      "TensorFlow's; write the Keras model, model.save(\"model.keras\"), or ONNX by tf2onnx for `convoy import onnx`"
    default: nil
    }
  }
}
