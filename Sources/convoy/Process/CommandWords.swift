internal import ArgumentParser
internal import Experiments

/// The words after the program's name that choose a command.
enum CommandWords {
  /// Refuses a word in the place of a command that is no command.
  ///
  /// - Throws: ``CommandError`` with the nearest command; the argument parser would only list it among unexpected arguments.
  static func check(_ arguments: [String]) throws {
    var choices = Convoy.configuration.subcommands
    var way = "convoy"
    for word in arguments {
      guard !choices.isEmpty, !word.hasPrefix("-"), word != "help" else { return }
      guard let next = find(word, among: choices) else {
        let hint = NearestName.hint(word, among: names(choices))
        throw CommandError.usage(
          "there is no command '\(way) \(word)'\(hint.isEmpty ? ";" : hint) `\(way) --help` lists all")
      }
      // The next word may be an argument of the default command.
      guard next.configuration.defaultSubcommand == nil else { return }
      choices = next.configuration.subcommands
      way += " \(word)"
    }
  }

  private static func find(
    _ word: String, among commands: [any ParsableCommand.Type]
  ) -> (any ParsableCommand.Type)? {
    for command in commands {
      if command._commandName == word || command.configuration.aliases.contains(word) { return command }
    }
    return nil
  }

  private static func names(_ commands: [any ParsableCommand.Type]) -> [String] {
    var names: [String] = []
    for command in commands where command.configuration.shouldDisplay { names.append(command._commandName) }
    return names
  }
}
