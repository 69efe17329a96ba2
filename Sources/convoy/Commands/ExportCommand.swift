public import ArgumentParser
internal import Foundation
public import Interchange
internal import Networks
internal import Paths
internal import Reporting
internal import Training

/// Writes trained networks for other programs.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a trained network in a format of other programs.",
    subcommands: [ExportONNX.self, ExportKeras.self, ExportSafetensors.self])
}

/// The checkpoint that is exported, and the file that is written.
struct ExportOptions: ParsableArguments {
  @Argument(help: "A checkpoint or a run directory.", completion: .file())
  var checkpoint: String

  @Option(name: .customLong("to"), help: ArgumentHelp("The file to write.", valueName: "file"))
  var path: String

  @OptionGroup var overwrite: OverwriteOption

  @Flag(help: "Print one JSON object.")
  var json = false

  /// Reads the checkpoint.
  ///
  /// - Throws: ``CommandError`` where the file must not be written.
  func open() throws -> (path: String, checkpoint: Checkpoint) {
    let found = try CheckpointStore.choose(checkpoint) { TerminalOutput.warn("\($0)") }
    try overwrite.check("--to", path, inputs: InputFiles([checkpoint, found.path]))
    return found
  }

  /// Writes the file with the folder that it lies in.
  func write(_ bytes: [UInt8]) throws {
    try OutputFile.makeFolder(Folder.parent(of: path))
    try OutputFile.write(Data(bytes), to: path)
  }

  /// Says what was written.
  func report(_ result: ExportResult) throws {
    if json { return print(try ResultJSON.text(result)) }
    for note in result.notes { print(note) }
    print(
      "\(PathText.readable(path)): '\(result.name)', \(result.input) to \(result.output), "
        + "\(NumberText.grouped(result.bytes)) bytes")
  }
}

/// Writes a network as a model of ONNX.
struct ExportONNX: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "onnx",
    abstract: "A model that onnxruntime, OpenCV, TensorRT and others read.",
    discussion: """
      The model contains everything that the network does, the preparation of pixels included, and takes any number of samples \
      at once. Its metadata has the names of the classes, and what inputs and outputs mean.

      A network whose loss takes logits gives logits; --probabilities adds softmax or sigmoid.

        convoy export onnx Results/fashion-mnist/RUN --to model.onnx
        convoy export onnx model.h5 --to model.onnx --layout nhwc --input uint8 --probabilities
      """)

  @OptionGroup var options: ExportOptions

  @Option(
    ONNXExport.opsets,
    help: ArgumentHelp("The version of ONNX's operators.", valueName: "version"))
  var opset = 17

  @Option(help: "Where images have their channels: nchw (first, as in PyTorch and OpenCV) or nhwc (last).")
  var layout = ONNXExport.Layout.channelsFirst

  @Option(help: "The numbers that the model takes: float or uint8, the bytes of pictures.")
  var input = ONNXExport.Input.float

  @Flag(help: "Add the softmax or sigmoid that the network leaves to its loss.")
  var probabilities = false

  func run() throws {
    let (_, checkpoint) = try options.open()
    let export = ONNXExport(
      opset: opset, layout: layout, input: input, addsProbabilities: probabilities)
    let result = try export.write(checkpoint, program: ("convoy", Version.number))
    try options.write(result.bytes)
    try options.report(
      ExportResult(
        path: options.path, format: "onnx", name: checkpoint.name, input: result.input, output: result.output,
        bytes: result.bytes.count, notes: result.notes))
  }
}

extension ONNXExport.Layout: ExpressibleByArgument {}
extension ONNXExport.Input: ExpressibleByArgument {}

/// Writes a network in the formats of Keras 3.
struct ExportKeras: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keras",
    abstract: "A model of Keras 3 (.keras), or its weights (.weights.h5).",
    discussion: """
      keras.models.load_model opens checkpoints as they are; this is for programs that want the newer formats. The ending of the \
      file's name chooses: .keras holds the architecture, the weights and how the model was compiled, .weights.h5 the weights \
      alone, for load_weights of a model with the same layers.

        convoy export keras Results/fashion-mnist/RUN --to model.keras
        convoy export keras Results/fashion-mnist/RUN --to model.weights.h5
      """)

  @OptionGroup var options: ExportOptions

  func run() throws {
    guard let format = KerasExport.Format(path: options.path) else {
      throw CommandError.usage(
        "--to \(options.path): the name must end in \(KerasExport.Format.allCases.map(\.rawValue).joined(separator: " or ")); "
          + "a checkpoint itself is Keras's .h5")
    }
    let (_, checkpoint) = try options.open()
    let bytes = try KerasExport(format).bytes(of: checkpoint)
    try options.write(bytes)
    let (input, output) = (checkpoint.network.inputShape, checkpoint.network.outputShape)
    try options.report(
      ExportResult(
        path: options.path, format: "keras", name: checkpoint.name, input: "\(input)", output: "\(output)",
        bytes: bytes.count, notes: []))
  }
}

/// Writes the weights of a network in PyTorch's form.
struct ExportSafetensors: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "safetensors",
    abstract: "The weights in PyTorch's names and order (.safetensors).",
    discussion: """
      Each layer's tensors have the names of a module of its name: `conv1.weight`, `conv1.bias`, `norm.running_mean`. --names gives \
      other names, as for `convoy import safetensors`. Kernels are in PyTorch's order, those of dense layers behind a \
      flattened image with its channels first.

        convoy export safetensors Results/fashion-mnist/RUN --to model.safetensors
      """)

  @OptionGroup var options: ExportOptions

  @OptionGroup var names: TorchNamesOption

  func run() throws {
    let names = try names.names()
    let (_, checkpoint) = try options.open()
    let bytes = try SafetensorsExchange(names: names).bytes(of: checkpoint)
    try options.write(bytes)
    let network = checkpoint.network
    try options.report(
      ExportResult(
        path: options.path, format: "safetensors", name: checkpoint.name, input: "\(network.inputShape)",
        output: "\(network.outputShape)", bytes: bytes.count, notes: []))
  }
}
