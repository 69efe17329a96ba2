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
    abstract: "A Keras model (HDF5, Keras 2 or 3) as a checkpoint.",
    discussion: """
      Takes whole models (model.save("model.h5")), Sequential or Functional, and files of weights alone in the same layout. VGG16 \
      and VGG19 are recognised by their layers; other weights need --architecture with a config whose layers have the \
      file's names.

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

  @Option(name: .customLong("to"), help: ArgumentHelp("The checkpoint to write.", valueName: "file.h5"))
  var path: String

  @OptionGroup var overwrite: OverwriteOption

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

  @Option(
    help: ArgumentHelp(
      "Class names: a,b,… or a file with one on each line, or Keras's imagenet_class_index.json.",
      valueName: "names|file"))
  var classes: String?

  @Option(
    help: ArgumentHelp(
      "The loss that says what the outputs are, where the file does not: \(ImportKeras.losses).",
      valueName: "loss"))
  var loss: String?

  @OptionGroup var config: NetworkConfigOption

  @OptionGroup var plugIns: PlugInsOption

  @Flag(help: "Print one JSON object.")
  var json = false

  private static let losses = Loss.Kind.allCases.map(\.rawValue).joined(separator: ", ")

  func run() throws {
    let inputs = InputFiles([model, architecture, classes])
    try overwrite.check("--to", path, inputs: inputs)
    try config.check(overwrite, inputs: inputs)
    try checkFile()
    if isZip {
      throw CommandError.badData(
        "\(model) is in Keras's own .keras format; write HDF5 in Keras: "
          + "keras.models.load_model(\"\(model)\").save(\"model.h5\")")
    }
    let importer = KerasImport(
      inputShape: try shape(), architecture: try chosenArchitecture(),
      preprocessing: try chosenPreprocessing(),
      classNames: try classNames(), loss: try chosenLoss())
    let stop = StopSignals.install()
    let result = try importer.read(model)
    // Reading is not interrupted, but a file that nobody waits for is not written.
    try OutputOptions.check(stop)
    let folder = Folder.parent(of: path)
    try OutputFile.makeFolder(folder)
    for removed in UnfinishedFiles.remove(in: folder) {
      TerminalOutput.warn("removed \(removed), an unfinished file of a command that was killed")
    }
    try CheckpointFile.write(result.checkpoint, to: path, model: KerasModelWriter())
    let renaming = try config.write(result.checkpoint, path)
    if json { return print(try ResultJSON.text(ModelResult(path, result))) }
    for note in result.notes + (renaming.map { [$0] } ?? []) { print(note) }
    let network = result.checkpoint.network
    print(
      "\(path): '\(result.checkpoint.name)', \(counted(network.layers.count, "layer")), \(counted(network.parameterCount, "parameter")), "
        + "\(network.inputShape) to \(network.outputShape)")
  }

  private func checkFile() throws {
    guard let status = FileStatus(model) else { throw CommandError.missing("there is no file \(model)") }
    guard status.kind == .folder else { return }
    if RunPath.isRun(model) {
      throw CommandError.missing(
        "\(model) is a run directory, and every command takes its checkpoints as they are")
    }
    throw CommandError.missing(
      "\(model) is a folder; load it in Keras and write the model as one file: model.save(\"model.h5\")"
    )
  }

  private var isZip: Bool {
    (try? WholeFile.beginning(of: model, byteCount: 4)) == [0x50, 0x4B, 0x03, 0x04]
  }

  // MARK: - Options

  private func shape() throws -> Shape? {
    guard let input else { return nil }
    let sides = input.split(whereSeparator: { "x×,".contains($0) }).map { Int($0) }
    let dimensions = sides.compactMap(\.self)
    guard dimensions.count == sides.count, (1...3).contains(sides.count), dimensions.allSatisfy({ $0 > 0 })
    else { throw CommandError.usage("--input takes a shape such as 224x224x3, not '\(input)'") }
    return Shape(dimensions)
  }

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

  private func chosenLoss() throws -> Loss.Kind? {
    guard let loss else { return nil }
    guard let kind = Loss.Kind(rawValue: loss.lowercased()) else {
      throw CommandError.usage("--loss takes \(Self.losses), not '\(loss)'")
    }
    return kind
  }

  private func classNames() throws -> [String] {
    guard let classes else { return [] }
    guard FileStatus.exists(classes) else {
      guard classes.contains(",") else {
        throw CommandError.missing(
          "there is no file \(classes); class names in a command are separated by commas")
      }
      let names = ClassesOption.names(classes)
      if let problem = ClassNaming.problem(names) { throw CommandError.usage("--classes: \(problem)") }
      return names
    }
    let text = try TextFile.read(classes)
    guard text.first == "{" else {
      let names = TextFile.lines(of: text)
      if let empty = names.firstIndex(of: "") {
        throw CommandError.badData(
          "\(classes), line \(empty + 1): a class has no name; expected one on each line")
      }
      if let problem = ClassNaming.problem(names) { throw CommandError.badData("\(classes): \(problem)") }
      return names
    }
    // {"0": ["n01440764", "tench"], …}
    let index = try? JSONValue(parsing: text).members
    let names = (0..<(index?.count ?? 0)).map { index?["\($0)"]?.elements?.last?.string }
    guard !names.isEmpty, !names.contains(nil) else {
      throw CommandError.badData(
        "\(classes) is not an index of classes like {\"0\": [\"n01440764\", \"tench\"], …}")
    }
    let words = names.compactMap(\.self)
    if let problem = ClassNaming.problem(words) { throw CommandError.badData("\(classes): \(problem)") }
    return words
  }
}
