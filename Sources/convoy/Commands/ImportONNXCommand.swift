internal import ArgumentParser
internal import Interchange
internal import Paths
internal import Training

/// Imports a model of ONNX.
struct ImportONNX: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "onnx",
    abstract: "A model of ONNX, as PyTorch, TensorFlow and others export it, as a checkpoint.",
    discussion: """
      Takes convolutional networks with one input: convolutions, dense layers, pools, normalisations, functions, sums, products, \
      joins, and what only moves values. Images with their channels first, as in PyTorch, become images with their channels \
      last, with all weights turned accordingly. An operator that has no counterpart is named with its node. Weights in a second \
      file, such as model.onnx.data, are read from the model's folder or below it.

      --preprocessing puts the preparation of pixels in front, so that the checkpoint takes plain RGB images from 0 to 255: torch \
      (ImageNet's means and deviations), tf (-1 to 1), caffe (BGR minus means). --mean and --deviation give others, in \
      units of pixels from 0 to 255.

      A model with names for its outputs counts as one of classes. --loss says what outputs are instead.

        convoy import onnx resnet18.onnx --to resnet18.h5 --preprocessing torch --classes imagenet_class_index.json
        convoy import onnx model.onnx --to model.h5 --input 160x160x3 --mean 127 --deviation 128
      """)

  @Argument(help: "The model.", completion: .file(extensions: ["onnx"]))
  var model: String

  @OptionGroup var checkpoint: ModelOptions

  @Option(
    help: ArgumentHelp(
      "Shape of an image, channels last, for models that take any size.", valueName: "224x224x3"))
  var input: String?

  @Option(
    help: ArgumentHelp("The output, for models that have several, or a result inside.", valueName: "name"))
  var output: String?

  @Option(help: ArgumentHelp("How pixels are prepared: torch, tf, caffe or none.", valueName: "how"))
  var preprocessing: String?

  @Option(
    help: ArgumentHelp("Subtracted from pixels: one number, or one for each channel.", valueName: "numbers"))
  var mean: String?

  @Option(help: ArgumentHelp("What pixels are divided by after that: as --mean.", valueName: "numbers"))
  var deviation: String?

  @OptionGroup var config: NetworkConfigOption

  func run() throws {
    try checkpoint.check(config, reading: [model])
    guard let status = FileStatus(model) else { throw CommandError.missing("there is no file \(model)") }
    guard status.kind != .folder else {
      throw CommandError.missing("\(model) is a folder; name the .onnx file in it")
    }
    let importer = ONNXImport(
      inputShape: try ModelOptions.shape(input), output: output, preprocessing: try preparation(),
      classNames: try checkpoint.classNames(), loss: try checkpoint.loss())
    try checkpoint.write(config) { try importer.read(model) }
  }

  private func preparation() throws -> PixelPreparation {
    guard mean != nil || deviation != nil else {
      guard let preprocessing else { return .known(.none) }
      guard let known = Preprocessing(rawValue: preprocessing.lowercased()) else {
        let names = Preprocessing.allCases.map(\.rawValue).joined(separator: ", ")
        throw CommandError.usage("--preprocessing takes \(names), not '\(preprocessing)'")
      }
      return .known(known)
    }
    guard preprocessing == nil else {
      throw CommandError.usage(
        "--preprocessing already says what --mean and --deviation say; give one of them")
    }
    let means = try ModelOptions.numbers("--mean", mean ?? "0")
    let deviations = try ModelOptions.numbers("--deviation", deviation ?? "1")
    guard deviations.allSatisfy({ $0 > 0 }) else {
      throw CommandError.usage("--deviation takes numbers above 0, not '\(deviation ?? "")'")
    }
    return .normalization(mean: means, deviation: deviations)
  }
}
