internal import ArgumentParser
internal import Experiments
internal import Interchange
internal import Networks
internal import Paths
internal import Training

/// Imports a file of weights in PyTorch's form.
struct ImportSafetensors: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "safetensors",
    abstract: "Weights of PyTorch (.safetensors) for the network of a config, as a checkpoint.",
    discussion: """
      The file holds weights by names, so that --architecture must give the network. Each layer's tensors are those of the module of \
      its name: `conv1.weight`, `conv1.bias`, `norm.running_mean`. --names gives other names, of modules by layers or of tensors \
      by parameters, as JSON: {"conv1": "features.0", "head/kernel": "classifier.weight"}. Kernels are turned into the order of \
      Keras, those of dense layers behind a flattened image included.

        convoy import safetensors model.safetensors --architecture config.yaml --names names.json --to model.h5
      """)

  @Argument(help: "The file of weights.", completion: .file(extensions: ["safetensors"]))
  var weights: String

  @OptionGroup var checkpoint: ModelOptions

  @Option(help: ArgumentHelp("The network: a config.", valueName: "file.yaml"))
  var architecture: String

  @OptionGroup var names: TorchNamesOption

  func run() throws {
    try checkpoint.check(reading: [weights, architecture, names.file])
    guard FileStatus(weights) != nil else { throw CommandError.missing("there is no file \(weights)") }
    let configuration = try ConfigurationFile.load(path: architecture)
    let exchange = SafetensorsExchange(names: try names.names())
    let (classNames, loss) = (try checkpoint.classNames(), try checkpoint.loss())
    try checkpoint.write {
      try exchange.read(
        weights, into: configuration.network.network, name: configuration.run.name, classNames: classNames,
        loss: loss)
    }
  }
}

/// The names that a file of weights has.
struct TorchNamesOption: ParsableArguments {
  @Option(
    name: .customLong("names"),
    help: ArgumentHelp(
      "A JSON object of the file's names by layers or parameters, where they differ.", valueName: "file.json")
  )
  var file: String?

  /// - Throws: ``CommandError`` for a file that cannot be read; ``InterchangeError`` for another document.
  func names() throws -> TorchNames {
    guard let file else { return TorchNames() }
    return try TorchNames(json: try TextFile.read(file), path: file)
  }
}
