internal import ArgumentParser
internal import Compute
internal import Datasets
internal import Foundation
internal import Interchange
internal import Networks
internal import Paths
internal import Tensors
internal import Training

/// The checkpoint that a model of another program becomes, and what the model does not say of itself.
struct ModelOptions: ParsableArguments {
  @Option(name: .customLong("to"), help: ArgumentHelp("The checkpoint to write.", valueName: "file.h5"))
  var path: String

  @OptionGroup var overwrite: OverwriteOption

  @Option(
    help: ArgumentHelp(
      "Class names: a,b,… or a file with one on each line, or Keras's imagenet_class_index.json.",
      valueName: "names|file"))
  var classes: String?

  @Option(
    name: .customLong("loss"),
    help: ArgumentHelp(
      "The loss that says what the outputs are, where the file does not: \(Self.losses).", valueName: "loss"))
  var lossWord: String?

  @Flag(help: "Print one JSON object.")
  var json = false

  /// The losses that say what outputs mean, for help.
  private static let losses = Loss.Kind.allCases.map(\.rawValue).joined(separator: ", ")

  /// Checks the files to be written before any work is done for them.
  ///
  /// - Parameter inputs: the files that the command reads, besides that of class names.
  func check(_ config: NetworkConfigOption? = nil, reading inputs: [String?]) throws(CommandError) {
    let inputs = InputFiles(inputs + [classes])
    try overwrite.check("--to", path, inputs: inputs)
    try config?.check(overwrite, inputs: inputs)
  }

  /// Reads a model, writes it as a checkpoint and says what it is.
  ///
  /// - Parameter config: where the network is written as a configuration, too; nil for a network that came from one.
  /// - Throws: ``CommandError`` where a signal came first; nothing is written then.
  func write(_ config: NetworkConfigOption? = nil, read: () throws -> ImportedModel) throws {
    let stop = StopSignals.install()
    let result = try read()
    // Reading is not interrupted, but a file that nobody waits for is not written.
    try OutputOptions.check(stop)
    let folder = Folder.parent(of: path)
    try OutputFile.makeFolder(folder)
    for removed in UnfinishedFiles.remove(in: folder) {
      TerminalOutput.warn("removed \(removed), an unfinished file of a command that was killed")
    }
    try CheckpointFile.write(result.checkpoint, to: path, model: KerasModelWriter())
    let renaming = try config?.write(result.checkpoint, path)
    if json { return print(try ResultJSON.text(ModelResult(path, result))) }
    for note in result.notes + (renaming.map { [$0] } ?? []) { print(note) }
    let network = result.checkpoint.network
    print(
      "\(path): '\(result.checkpoint.name)', \(counted(network.layers.count, "layer")), \(counted(network.parameterCount, "parameter")), "
        + "\(network.inputShape) to \(network.outputShape)")
  }

  /// The loss of ``lossWord``; nil where it is not given.
  func loss() throws(CommandError) -> Loss.Kind? {
    guard let lossWord else { return nil }
    guard let kind = Loss.Kind(rawValue: lossWord.lowercased()) else {
      throw CommandError.usage("--loss takes \(Self.losses), not '\(lossWord)'")
    }
    return kind
  }

  /// The names of ``classes``: in the command, in a file with one on each line, or in Keras's index of ImageNet's classes.
  func classNames() throws -> [String] {
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

  // MARK: - Words of other options

  /// The shape of a sample as `224x224x3`; nil for an option that is not given.
  static func shape(_ text: String?) throws(CommandError) -> Shape? {
    guard let text else { return nil }
    let sides = text.split(whereSeparator: { "x×,".contains($0) }).map { Int($0) }
    let dimensions = sides.compactMap(\.self)
    guard dimensions.count == sides.count, (1...3).contains(sides.count), dimensions.allSatisfy({ $0 > 0 })
    else { throw CommandError.usage("--input takes a shape such as 224x224x3, not '\(text)'") }
    return Shape(dimensions)
  }

  /// Numbers separated by commas.
  static func numbers(_ option: String, _ text: String) throws(CommandError) -> [Double] {
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map {
      Double($0.trimmingCharacters(in: .whitespaces))
    }
    let known = numbers.compactMap(\.self).filter(\.isFinite)
    guard known.count == numbers.count else {
      throw CommandError.usage("\(option) takes numbers separated by commas, not '\(text)'")
    }
    return known
  }
}
