internal import Compute
internal import Datasets
internal import Foundation
internal import Interchange
internal import Networks
internal import Paths
internal import Tensors
internal import Training

/// What the commands that import models of other programs have in common.
enum ModelImport {
  /// The losses that say what outputs mean, for help.
  static let losses = Loss.Kind.allCases.map(\.rawValue).joined(separator: ", ")

  /// Reads a model, writes it as a checkpoint and says what it is.
  ///
  /// - Parameter config: where the network is written as a configuration, too; nil for a network that came from one.
  /// - Throws: ``CommandError`` where a signal came first; nothing is written then.
  static func write(
    to path: String, config: NetworkConfigOption?, json: Bool, read: () throws -> ImportedModel
  ) throws {
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

  // MARK: - Options

  /// The shape of a sample as `224x224x3`; nil for an option that is not given.
  static func shape(_ text: String?) throws(CommandError) -> Shape? {
    guard let text else { return nil }
    let sides = text.split(whereSeparator: { "x×,".contains($0) }).map { Int($0) }
    let dimensions = sides.compactMap(\.self)
    guard dimensions.count == sides.count, (1...3).contains(sides.count), dimensions.allSatisfy({ $0 > 0 })
    else { throw CommandError.usage("--input takes a shape such as 224x224x3, not '\(text)'") }
    return Shape(dimensions)
  }

  /// The loss of a word; nil for an option that is not given.
  static func loss(_ word: String?) throws(CommandError) -> Loss.Kind? {
    guard let word else { return nil }
    guard let kind = Loss.Kind(rawValue: word.lowercased()) else {
      throw CommandError.usage("--loss takes \(losses), not '\(word)'")
    }
    return kind
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

  /// Class names in a command, in a file with one on each line, or in Keras's index of ImageNet's classes.
  static func classNames(_ classes: String?) throws -> [String] {
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
