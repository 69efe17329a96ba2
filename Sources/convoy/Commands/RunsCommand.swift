internal import ArgumentParser
internal import Foundation
internal import Networks
internal import Paths
internal import Reporting
internal import Tensors
internal import Training

/// Lists and removes runs.
struct RunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs",
    abstract: "List runs with their state, best figure and time, or remove some.",
    discussion: """
      States: running, finished, stopped (by a signal or --steps, with a checkpoint), interrupted (killed), failed.

        convoy runs
        convoy runs --sort best --where optimizer=adam --where 'training.batch<=64'
        convoy runs --show learning_rate,train_loss
        convoy runs rm Results/fashion-mnist/0e61bad8f5

      --sort, --where and --show take keys of the configs (as --set does), columns of metrics.csv (for the last epoch), and \
      \(RunFacts.stateNames.joined(separator: ", ")).
      """,
    subcommands: [List.self, Remove.self], defaultSubcommand: List.self)

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the runs in a folder.")

    @Argument(help: "The folder of the runs.", completion: .directory)
    var folder = "Results"

    @Option(
      help: ArgumentHelp(
        "Order by this figure: for best the best run first, each kind of figure by itself; other numbers rising.",
        valueName: "name")
    )
    var sort: String?

    @Flag(help: "Reverse the order.")
    var reverse = false

    @Option(
      name: .customLong("where"),
      help: ArgumentHelp(
        "Show only runs for which this holds, with = != < <= > or >=; repeat it for several conditions.",
        valueName: "name=value"))
    var conditions: [String] = []

    @Option(help: ArgumentHelp("More columns, separated by commas.", valueName: "names"))
    var show: String?

    @Flag(help: "Print one JSON list.")
    var json = false

    func validate() throws {
      for text in conditions where RunCondition(text) == nil {
        throw ValidationError("--where takes a condition such as optimizer=adam or 'best>0.9', not '\(text)'")
      }
    }

    private var shown: [String] {
      (show ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter {
        !$0.isEmpty
      }
    }

    /// The requested runs, in the requested order.
    private func chosen(_ folders: [RunFolder]) throws -> [RunFacts] {
      let runs = folders.map(RunFacts.init)
      let wanted = conditions.compactMap { RunCondition($0) }
      for name in wanted.map(\.name) + shown + [sort].compactMap(\.self) {
        guard !runs.isEmpty, !RunFacts.stateNames.contains(name), runs.allSatisfy({ $0[name] == nil }) else {
          continue
        }
        throw CommandError.usage(
          "no run in \(folder) has '\(name)': it is not a key of their configs, not a column of metrics.csv, and not one of "
            + RunFacts.stateNames.joined(separator: ", "))
      }
      let kept = runs.filter { run in wanted.allSatisfy { $0.holds(for: run) } }
      guard let sort else { return reverse ? kept.reversed() : kept }
      warnOfKinds(kept, sort)
      return RunFacts.sorted(kept, by: sort, isReversed: reverse)
    }

    private func warnOfKinds(_ runs: [RunFacts], _ sort: String) {
      let kinds = sort == "best" ? RunFacts.bestKinds(of: runs) : []
      guard kinds.count > 1, let first = kinds.first else { return }
      let list = kinds.map { "\(TextWidth.printable($0.name)) of \(counted($0.runs, "run"))" }.joined(
        separator: ", ")
      TerminalOutput.warn(
        "the best figures are of different kinds, which cannot be compared, and are listed one after the other: \(list); "
          + "--where monitor=\(TextWidth.printable(first.name)) lists one kind alone")
    }

    func run() throws {
      guard FileStatus.exists(folder) else {
        throw CommandError.missing("there is no folder \(folder)")
      }
      let all = RunFolder.all(in: folder)
      let runs = try chosen(all)
      if json { return print(try ResultJSON.text(runs.map { RunListing($0, showing: shown) })) }
      guard !all.isEmpty else { return print("no runs in \(folder)") }
      guard !runs.isEmpty else {
        return print("none of the \(all.count) runs in \(folder) meets the conditions")
      }
      var columns = [
        Table.Column("run"), Table.Column("state"), Table.Column("epochs", .trailing), Table.Column("best"),
      ]
      columns += shown.map { Table.Column($0, .trailing) }
      columns += [
        Table.Column("time", .trailing), Table.Column("size", .trailing, isOptional: true),
        Table.Column("last change", isOptional: true),
      ]
      var table = Table(columns)
      for facts in runs {
        let run = facts.folder
        var cells = [TextWidth.printable(run.path), run.phase, run.epochs, run.best]
        cells += shown.map { TextWidth.printable(facts[$0] ?? "–") }
        cells.append(run.state.map { NumberText.duration($0.seconds) } ?? "–")
        cells += [NumberText.bytes(run.byteCount), run.state?.updated ?? "–"]
        table.add(cells)
      }
      let terminal = TerminalOutput.standardOutput
      // In a file or a pipe lines may have any length.
      print(
        table.text(width: terminal.tableWidth, unicode: terminal.hasUnicode),
        terminator: "")
    }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "rm", abstract: "Remove run directories with all their checkpoints.",
      discussion: "Files that the program has not made stay, and so does the folder that they lie in.")

    @Argument(help: "Run directories.", completion: .directory)
    var runs: [String]

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false

    func run() throws {
      // All are checked before the first one goes.
      let folders = try runs.map { try RunFolder($0) }
      for folder in folders where RunDirectory.isHeld(folder.path) {
        throw CommandError(
          .inUse, "\(folder.path) is in use by a training; stop it first. Nothing was removed")
      }
      for folder in folders where !RunDirectory.isOurs(folder.path) {
        throw CommandError.badData(
          "\(folder.path) looks like a run directory, but no training of this program has left its lock or state there; remove it by "
            + "hand if it is one. Nothing was removed")
      }
      for folder in folders {
        if !yes {
          guard isatty(0) == 1 else {
            throw CommandError.usage(
              "there is no terminal to ask whether to remove \(folder.path); pass --yes")
          }
          print(
            "remove \(TextWidth.printable(folder.path)) (\(folder.phase), \(folder.epochs) epochs, "
              + "\(NumberText.bytes(folder.byteCount)))? [y/N] ", terminator: "")
          fflush(nil)
          guard ["y", "yes"].contains(readLine()?.lowercased()) else { continue }
        }
        let left = try RunDirectory.remove(folder.path)
        let path = TextWidth.printable(folder.path)
        guard !left.isEmpty else {
          print("removed \(path)")
          continue
        }
        let names = TextWidth.printable(left.joined(separator: ", "))
        print("removed the run in \(path); the folder stays, with files that are not the run's: \(names)")
      }
    }
  }
}

/// A run as `runs --json` lists it.
private struct RunListing: Encodable {
  /// The part of the listing that comes from the run's own state.
  private struct Standing: Encodable {
    let name: String
    let step: Int
    let epoch: Int
    let epochs: Int
    let seconds: Double
    let monitor: String
    @NullIfMissing var best: Double?
    @NullIfMissing var bestEpoch: Int?
    @NullIfMissing var testAccuracy: Double?
    @NullIfMissing var message: String?
    let updated: String

    init(_ state: RunState) {
      (name, step, epoch, epochs) = (state.name, state.step, state.epoch, state.epochs)
      (seconds, monitor, updated) = (state.seconds, state.monitor, state.updated)
      (best, bestEpoch, testAccuracy) = (state.best, state.bestEpoch, state.testAccuracy)
      message = state.message
    }
  }

  private let path: String
  private let phase: String
  private let byteCount: Int
  private let standing: Standing?
  /// The values of --show by name; nil without that option.
  private let values: [String: String?]?

  init(_ facts: RunFacts, showing names: [String]) {
    let run = facts.folder
    (path, phase, byteCount) = (run.path, run.phase, run.byteCount)
    standing = run.state.map(Standing.init)
    values =
      names.isEmpty ? nil : Dictionary(names.map { ($0, facts[$0]) }, uniquingKeysWith: { first, _ in first })
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: NamedKey.self)
    try container.encode(path, forKey: "path")
    try container.encode(phase, forKey: "state")
    try container.encode(byteCount, forKey: "bytes")
    try container.encodeIfPresent(values, forKey: "values")
    // A run without a readable state has no more keys.
    try standing?.encode(to: encoder)
  }
}
