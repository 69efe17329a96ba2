internal import ArgumentParser
internal import Compute
internal import Datasets
internal import Experiments
internal import Foundation
internal import Interchange
internal import Networks
internal import Paths
internal import Tensors
internal import Training

/// Imports a Keras model.
struct ImportKeras: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keras",
    abstract: "A Keras model (.keras, HDF5) of Keras 2 or 3 as a checkpoint.",
    discussion: """
      Takes whole models (model.save("model.keras") or "model.h5"), Sequential or Functional, and files of weights alone (Keras 3's \
      .weights.h5, and the older layout). VGG16 and VGG19 are recognised by their layers; other weights need --architecture \
      with a config whose layers have the file's names.

      The preparation of pixels becomes the network's first layer, so that the checkpoint takes plain RGB images from 0 to \
      255: caffe (BGR minus means: VGG, ResNet), tf (-1 to 1: MobileNet, Inception), torch (DenseNet), none. The result is \
      a Keras model file again.

      The loss that the model was compiled with says what its outputs are: classes, labels or numbers. If the file does not name \
      it, the last layer decides: softmax gives classes, sigmoid labels, anything else numbers. --loss overrides both.

        convoy import keras vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5 --to vgg19.h5
        convoy import keras model.h5 --to model-convoy.h5 --classes cat,dog
        convoy import keras model.h5 --to model-convoy.h5 --config tuned.yaml
      """)

  @Argument(help: "The model or weights file.", completion: .file(extensions: ["h5", "hdf5", "keras"]))
  var model: String

  @OptionGroup var checkpoint: ModelOptions

  @Option(
    help: ArgumentHelp(
      "The network of a file of weights alone: vgg16, vgg19 or a config.", valueName: "name|file.yaml"))
  var architecture: String?

  @Option(
    help: ArgumentHelp("Shape of an image, for models that take any size.", valueName: "224x224x3"))
  var input: String?

  @Option(
    help: ArgumentHelp(
      "How pixels are prepared: auto (by the model's name), caffe, tf, torch or none.", valueName: "how"))
  var preprocessing = "auto"

  @OptionGroup var config: NetworkConfigOption

  @OptionGroup var plugIns: PlugInsOption

  func run() throws {
    try checkpoint.check(config, reading: [model, architecture])
    try checkFile()
    let importer = KerasImport(
      inputShape: try ModelOptions.shape(input), architecture: try chosenArchitecture(),
      preprocessing: try chosenPreprocessing(),
      classNames: try checkpoint.classNames(), loss: try checkpoint.loss())
    try checkpoint.write(config) { try importer.read(model) }
  }

  private func checkFile() throws {
    guard let status = FileStatus(model) else { throw CommandError.missing("there is no file \(model)") }
    guard status.kind == .folder else { return try ForeignModel.refuse(model) }
    if RunPath.isRun(model) {
      throw CommandError.missing(
        "\(model) is a run directory, and every command takes its checkpoints as they are")
    }
    throw CommandError.missing(
      "\(model) is a folder; load it in Keras and write the model as one file: model.save(\"model.keras\")"
    )
  }

  // MARK: - Options

  private func chosenArchitecture() throws -> KerasImport.Architecture? {
    guard let architecture else { return nil }
    if let known = KnownArchitecture(rawValue: architecture.lowercased()) { return .known(known) }
    guard architecture.hasSuffix(".yaml") || architecture.hasSuffix(".yml") else {
      let names = KnownArchitecture.allCases.map(\.rawValue).joined(separator: ", ")
      throw CommandError.usage("--architecture takes \(names) or a config, not '\(architecture)'")
    }
    return .network(try ConfigurationFile.load(path: architecture).network.network)
  }

  private func chosenPreprocessing() throws -> Preprocessing? {
    if preprocessing == "auto" { return nil }
    guard let known = Preprocessing(rawValue: preprocessing.lowercased()) else {
      let names = Preprocessing.allCases.map(\.rawValue).joined(separator: ", ")
      throw CommandError.usage("--preprocessing takes auto, \(names), not '\(preprocessing)'")
    }
    return known
  }
}
