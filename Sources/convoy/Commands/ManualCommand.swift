internal import ArgumentParser
internal import Foundation
internal import Reporting

/// Prints the manual page.
struct ManualCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manual",
    abstract: "Print the manual page of all commands, in the format of man.",
    discussion: """
      It is made from the help texts.

        convoy manual | man -l -
        convoy manual > ~/.local/share/man/man1/convoy.1
      """)

  func run() throws {
    guard let data = Convoy._dumpHelp().data(using: .utf8) else { return }
    let tool = try JSONDecoder().decode(ManualPage.Tool.self, from: data)
    print(ManualPage(tool.command, version: Version.number).text, terminator: "")
  }
}

/// A manual page in the macros of `man`, from the argument parser's description of all commands.
struct ManualPage {
  struct Tool: Decodable {
    let command: Command
  }

  struct Command: Decodable {
    let commandName: String
    let shouldDisplay: Bool?
    let abstract: String?
    let discussion: String?
    let subcommands: [Command]?
    let arguments: [Argument]?
  }

  struct Argument: Decodable {
    struct Name: Decodable {
      let kind: String
      let name: String

      var text: String { (kind == "long" ? "--" : "-") + name }
    }

    let kind: String
    let shouldDisplay: Bool
    let isOptional: Bool
    let isRepeating: Bool
    let names: [Name]?
    let valueName: String?
    let defaultValue: String?
    let abstract: String?
  }

  let command: Command
  let version: String

  init(_ command: Command, version: String) {
    self.command = command
    self.version = version
  }

  var text: String {
    var lines = [
      ".TH CONVOY 1 \"\" \"convoy \(version)\" \"Convoy\"", ".SH NAME",
      Self.roff("\(command.commandName) - \(Self.withoutStop(command.abstract ?? ""))"), ".SH SYNOPSIS",
      ".B \(command.commandName)", Self.roff("COMMAND [ARGUMENTS]"), ".SH DESCRIPTION",
    ]
    lines += Self.paragraphs(command.discussion)
    lines.append(".SH COMMANDS")
    for inner in Self.shown(command.subcommands) { lines += Self.section(inner, way: command.commandName) }
    return lines.joined(separator: "\n") + "\n"
  }

  // MARK: - Commands

  private static func shown(_ commands: [Command]?) -> [Command] {
    (commands ?? []).filter { $0.shouldDisplay != false && $0.commandName != "help" }
  }

  private static func section(_ command: Command, way: String) -> [String] {
    let name = "\(way) \(command.commandName)"
    let arguments = (command.arguments ?? []).filter {
      $0.shouldDisplay && !($0.names ?? []).contains { ["help", "version"].contains($0.name) }
    }
    let inner = shown(command.subcommands)
    let form = inner.isEmpty ? arguments.map(form).joined(separator: " ") : "COMMAND"
    var lines = [".SS \(roff(name + (form.isEmpty ? "" : " " + form)))"]
    if let abstract = command.abstract { lines.append(roff(abstract)) }
    lines += paragraphs(command.discussion)
    for argument in arguments { lines += entry(argument) }
    return lines + inner.flatMap { section($0, way: name) }
  }

  /// An argument in a command's synopsis; brackets mark an optional one.
  private static func form(_ argument: Argument) -> String {
    let value = "<\(argument.valueName ?? "value")>" + (argument.isRepeating ? "..." : "")
    let text =
      switch argument.kind {
      case "positional": value
      case "flag": longest(argument)
      default: "\(longest(argument)) \(value)"
      }
    return argument.isOptional ? "[\(text)]" : text
  }

  private static func longest(_ argument: Argument) -> String {
    (argument.names ?? []).map(\.text).max { $0.count < $1.count } ?? ""
  }

  private static func entry(_ argument: Argument) -> [String] {
    let names = (argument.names ?? []).map(\.text).joined(separator: ", ")
    let value = argument.kind == "flag" ? "" : "<\(argument.valueName ?? "value")>"
    let label = [names, value].filter { !$0.isEmpty }.joined(separator: " ")
    let fallback = argument.defaultValue.map { " (default: \($0))" } ?? ""
    return [".TP", ".B \(roff(label))", roff((argument.abstract ?? "") + fallback)]
  }

  // MARK: - Text

  /// Paragraphs as they are, and lines that begin with spaces as examples without formatting.
  private static func paragraphs(_ text: String?) -> [String] {
    guard let text else { return [] }
    var lines: [String] = []
    for paragraph in text.split(separator: "\n\n") {
      let parts = paragraph.split(separator: "\n").map(String.init)
      // An example may follow directly on the words that announce it.
      let words = parts.prefix { !$0.hasPrefix(" ") }
      let example = parts.dropFirst(words.count)
      lines += [".PP"] + words.map(roff)
      if !example.isEmpty { lines += [".RS 4", ".nf"] + example.map(roff) + [".fi", ".RE"] }
    }
    return lines
  }

  /// Text with everything escaped that the formatter would interpret.
  private static func roff(_ text: String) -> String {
    let escaped = text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
    // A dot or an apostrophe begins a command.
    return escaped.hasPrefix(".") || escaped.hasPrefix("'") ? "\\&\(escaped)" : escaped
  }

  private static func withoutStop(_ text: String) -> String {
    text.hasSuffix(".") ? String(text.dropLast()) : text
  }
}
