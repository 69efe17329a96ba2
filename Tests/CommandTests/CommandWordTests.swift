import Foundation
import ImageFiles
import TestSupport
import Testing

@Suite("Words and help")
struct CommandWordTests {
  @Test(
    "a mistyped command is told the one that is near",
    arguments: [
      (["trian", "a.yaml"], "'convoy trian'; did you mean 'train'?"),
      (["dataset", "chek"], "'convoy dataset chek'; did you mean 'check'?"),
      (["import", "cvs", "--from", "a"], "'convoy import cvs'; did you mean 'csv'?"),
      (["look", "galery", "RUN"], "'convoy look galery'; did you mean 'gallery'?"),
      (["eval", "RUN"], "'convoy eval'; did you mean 'evaluate'?"),
      (["xyzzy"], "there is no command 'convoy xyzzy'; `convoy --help` lists all"),
    ])
  func mistyped(_ arguments: [String], _ text: String) throws {
    let result = try Program.run(arguments)
    #expect(result.code == 64 && result.output.isEmpty)
    #expect(result.errors.hasPrefix("error: ") && result.errors.contains(text), "\(result.errors)")
    #expect(result.errors.split(separator: "\n").count == 1)
  }

  /// The ways to all commands, from the manual.
  private func commands() throws -> [[String]] {
    let manual = try Program.run(["manual"])
    #expect(manual.code == 0)
    return manual.output.split(separator: "\n").filter { $0.hasPrefix(".SS convoy ") }.map { line in
      line.dropFirst(11).split(separator: " ").map { String($0).replacing("\\-", with: "-") }.prefix {
        $0.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" } && !$0.hasPrefix("-")
      } + []
    }
  }

  @Test("examples in help stay whole on a narrow terminal, and all else fits into it")
  func narrow() throws {
    let commands = try commands()
    #expect(commands.count > 30 && commands.contains(["import", "csv"]))
    // One process each: some of them.
    for command in [[]] + commands.enumerated().filter({ $0.offset % 6 == 0 }).map(\.element) {
      func help(_ columns: Int) throws -> [String] {
        let result = try Program.run(command + ["--help"], shell: "export COLUMNS=\(columns)")
        #expect(result.code == 0 && result.errors.isEmpty)
        return result.output.split(separator: "\n").map(String.init)
      }
      let (wide, narrow) = (try help(900), try help(60))
      let usage = wide.firstIndex { $0.hasPrefix("USAGE:") } ?? 0
      let examples = wide[..<usage].filter { $0.hasPrefix(" ") }
      #expect(examples.allSatisfy(narrow.contains), "\(command)")
      #expect(narrow.filter { $0.count > 60 }.allSatisfy(examples.contains), "\(command): \(narrow)")
      // Nothing is lost.
      func words(_ lines: [String]) -> [Substring] { lines.joined(separator: " ").split(separator: " ") }
      #expect(words(wide) == words(narrow), "\(command)")
    }
  }

  @Test("the manual page is one that man can show")
  func manual() throws {
    let result = try Program.run(["manual"])
    let known = ["TH", "SH", "SS", "PP", "TP", "B", "RS", "RE", "nf", "fi"]
    for line in result.output.split(separator: "\n") where line.hasPrefix(".") {
      #expect(known.contains(line.dropFirst().prefix { $0 != " " }.description), "\(line)")
    }
    #expect(result.output.contains(".SS convoy train"))
    guard FileManager.default.isExecutableFile(atPath: "/usr/bin/man") else { return }
    let folder = try TemporaryDirectory()
    let page = try folder.write(result.output, to: "convoy.1")
    let shown = try Program.run(
      ["-l", "--warnings", page], shell: "export MANWIDTH=80 LC_ALL=C.UTF-8 PAGER=cat",
      program: "/usr/bin/man")
    #expect(shown.code == 0 && !shown.errors.contains("warning"), "\(shown.errors)")
    #expect(shown.output.contains("convoy train"))
  }

  @Test("an empty word, as a variable of the shell that is not set leaves it, is refused wherever it stands")
  func emptyWords() throws {
    for arguments in [
      ["train", "c.yaml", "--run-dir", ""], ["train", "c.yaml", "--run-dir="], ["train", ""],
      ["import", "keras", ""],
      ["explain", "run", "x.png", "--to", ""], ["import", "keras", "m.h5", "--to", ""],
      ["predict", "run", "", "--csv", "t"],
      ["report", "run", "--output", ""], ["look", "run", "l.yaml", "--run-dir", ""],
      ["runs", "rm", "--yes", ""],
    ] {
      let result = try Program.run(arguments)
      #expect(result.code == 64, "\(arguments): \(result.errors)")
      #expect(result.errors.contains("empty") && result.errors.split(separator: "\n").count == 1)
    }
    // A key of a configuration that names a file.
    let training = try SmallTraining()
    for setting in ["data.train.file=", "data.train.file=\"\"", "extends=\"\""] {
      #expect(try Program.run(["train", training.config, "--set", setting]).code == 78, "\(setting)")
    }
    try expectFailure(["runs", "rm", "--yes", "/"], code: 66, says: "/ is not a run directory")
    try expectFailure(
      ["train", training.config, "--run-dir", "/"], code: 73, says: "/ already holds other files")
  }

  @Test("a line break or an escape sequence in a word or a name takes an error to no second line")
  func controlCharacters() throws {
    let word = "x\n\u{1B}[31m"
    let training = try SmallTraining()
    let run = training.folder.file("run")
    #expect(try Program.run(["train", training.config, "--run-dir", run, "--quiet"]).code == 0)
    let picture = training.folder.file("a.png")
    try LookSample.picture(picture, height: 8, width: 8, channels: .grey)
    for arguments in [
      ["train", word], ["report", word], [word], ["import", "keras", word, "--to", "n.h5"],
      ["look", "filters", run, "--layer", word], ["look", "maps", run, picture, "--layer", word],
      ["look", "examples", run, "--data", training.folder.file("data.h5"), "--layer", word],
      ["dream", run, picture, "--layers", word, "--to", training.folder.file("dream")],
      ["explain", run, picture, "--class", word],
    ] {
      let result = try Program.run(arguments)
      #expect(result.code != 0 && result.errors.hasPrefix("error: "), "\(arguments)")
      #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
      #expect(!result.errors.contains("\u{1B}") && result.errors.contains("x\u{FFFD}\u{FFFD}[31m"))
    }
    // The parser adds its own lines of usage.
    let unknown = try Program.run(["train", training.config, word])
    #expect(
      unknown.code == 64
        && unknown.errors.hasPrefix("error: Unexpected argument 'x\u{FFFD}\u{FFFD}[31m'\nUsage"))
    // A folder's name in the results of a look.
    let folder = training.folder.file("y\n\u{1B}[31m")
    let look = try Program.run(["look", "filters", run, "--to", folder])
    #expect(
      look.code == 0 && look.output.split(separator: "\n").count == 2 && !look.output.contains("\u{1B}"))
  }

  @Test("results that standard output cannot take are an error, and a reader that has gone is none")
  func lostOutput() throws {
    let full = try Program.run(["manual"], shell: "exec >/dev/full")
    #expect(full.code == 74 && full.errors.contains("No space left on device"), "\(full.errors)")
    let help = try Program.run(["--help"], shell: "exec >/dev/full")
    #expect(help.code == 74, "\(help.errors)")
  }
}
