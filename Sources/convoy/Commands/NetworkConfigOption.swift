internal import ArgumentParser
internal import Compute
internal import Experiments
internal import Foundation
internal import Networks
internal import Paths
internal import Tensors
internal import Training

/// The option of importers of models that writes the network as a configuration.
struct NetworkConfigOption: ParsableArguments {
  @Option(
    name: .customLong("config"),
    help: ArgumentHelp(
      "Also write the network as a config to train it further, with blocks where layers repeat.",
      valueName: "file.yaml"))
  var path: String?

  /// Checks the file before any work is done for it.
  func check(_ overwrite: OverwriteOption, inputs: InputFiles) throws(CommandError) {
    if let path { try overwrite.check("--config", path, inputs: inputs) }
  }

  /// Writes a configuration that begins with a checkpoint's network and values.
  ///
  /// - Parameter file: the checkpoint's path.
  /// - Returns: a line about names that could not stay; nil where all did, or nothing was to be written.
  /// - Throws: ``CommandError`` for a network that no configuration can give, or a file that cannot be written.
  func write(_ checkpoint: Checkpoint, _ file: String) throws -> String? {
    guard let path else { return nil }
    let text: NetworkText
    do { text = try NetworkText(checkpoint.network.network) } catch let problem as NetworkText.Problem {
      throw CommandError.badData("--config: \(problem)")
    }
    try OutputFile.makeFolder(Folder.parent(of: path))
    try OutputFile.write(Self.configuration(checkpoint, file, text), to: path)
    guard let first = text.renamed.min(by: { $0.key < $1.key }) else { return nil }
    return
      "\(path): \(counted(text.renamed.count, "layer")) got other names, such as \(first.value) for \(first.key); training.start.rename brings "
      + "them together"
  }

  /// A whole configuration, in which only the data is left to be named.
  private static func configuration(_ checkpoint: Checkpoint, _ file: String, _ text: NetworkText) -> String {
    let absolute = file.hasPrefix("/") ? file : "\(Folder.current)/\(file)"
    let network = checkpoint.network
    let criterion = checkpoint.identity.criterion ?? .classification
    let answers = criterion.targets == .classes ? "labels" : "targets"
    var start = ["      checkpoint: \(quoted(absolute))"]
    if !text.renaming.isEmpty {
      start.append("      rename:")
      for rule in text.renaming { start.append("        \(quoted(rule.old)): \(quoted(rule.new))") }
    }
    let letters = checkpoint.name.map {
      $0.isASCII && ($0.isLetter || $0.isNumber || "_-".contains($0)) ? $0 : "-"
    }
    let name = "tuned-\(String(letters.prefix(100)))"
    return """
      # '\(PathText.readable(checkpoint.name))' with its trained values, from \(network.inputShape) to \(network.outputShape). Name your data below;
      # for other classes, give the last layer another size and another name, which begins anew (Configs/README.md).
      name: \(name)

      data:
        train: {file: data.h5, images: train/images, \(answers): train/\(answers)}
        test: {file: data.h5, images: test/images, \(answers): test/\(answers)}

      \(text.yaml)
      training:
        epochs: 5
        batch: 32
        loss: \(criterion.loss.name)
        optimizer:
          sgd: {learning_rate: 0.01, momentum: 0.9}
        start:
      \(start.map { String($0.dropFirst(2)) }.joined(separator: "\n"))

      """
  }

  private static func quoted(_ text: String) -> String {
    (try? JSONWriter().text(text)) ?? "\"\""
  }
}
