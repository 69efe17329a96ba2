internal import ArgumentParser
internal import Foundation
internal import Networks
internal import Reporting
internal import Training

/// Lists runs, and takes them away.
struct RunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs",
    abstract: "List runs with their state, best figure and time, or remove some.",
    discussion: """
      States: running, finished, stopped (by a signal or --steps, with a checkpoint), interrupted (killed), failed.

        convoy runs
        convoy runs rm Results/fashion-mnist/0e61bad8f5
      """,
    subcommands: [List.self, Remove.self], defaultSubcommand: List.self)

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the runs in a folder.")

    @Argument(help: "Where to look.", completion: .directory)
    var folder = "Results"

    @Flag(help: "Print one JSON list.")
    var json = false

    func run() throws {
      guard FileManager.default.fileExists(atPath: folder) else {
        throw CommandError.missing("there is no folder \(folder)")
      }
      let runs = RunFolder.all(in: folder)
      if json { return print(try ResultJSON.text(runs.map(RunListing.init))) }
      guard !runs.isEmpty else { return print("no runs in \(folder)") }
      var table = Table([
        Table.Column("run"), Table.Column("state"), Table.Column("epochs", .trailing), Table.Column("best"),
        Table.Column("time", .trailing), Table.Column("size", .trailing, isOptional: true),
        Table.Column("last change", isOptional: true),
      ])
      for run in runs {
        table.add([
          TextWidth.printable(run.path), run.phase, run.epochs, run.best,
          run.state.map { NumberText.duration($0.seconds) } ?? "–", NumberText.bytes(run.byteCount),
          run.state?.updated ?? "–",
        ])
      }
      let terminal = TerminalOutput.standardOutput
      // In a file or a pipe lines may be as long as they are.
      print(
        table.text(width: terminal.isInteractive ? terminal.columns : nil, unicode: terminal.hasUnicode),
        terminator: "")
    }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "rm", abstract: "Remove run directories with all checkpoints in them.")

    @Argument(help: "Run directories.", completion: .directory)
    var runs: [String]

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false

    func run() throws {
      // All are looked at before the first one goes.
      let folders = try runs.map { try RunFolder($0) }
      for folder in folders where RunDirectory.isHeld(folder.path) {
        throw CommandError(
          .inUse, "\(folder.path) is in use by a training; stop it first, nothing was removed")
      }
      for folder in folders {
        if !yes {
          guard isatty(0) == 1 else {
            throw CommandError.usage("nobody to ask whether \(folder.path) may go; pass --yes")
          }
          print(
            "remove \(TextWidth.printable(folder.path)) (\(folder.phase), \(folder.epochs) epochs, "
              + "\(NumberText.bytes(folder.byteCount)))? [y/N] ", terminator: "")
          fflush(nil)
          guard ["y", "yes"].contains(readLine()?.lowercased()) else { continue }
        }
        do { try FileManager.default.removeItem(atPath: folder.path) } catch {
          throw CommandError(
            .inputOutput, "cannot remove \(folder.path): \(error.localizedDescription)")
        }
        print("removed \(TextWidth.printable(folder.path))")
      }
    }
  }
}

/// A run as `runs --json` lists it.
private struct RunListing: Encodable {
  /// What the run's own state says.
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

  init(_ run: RunFolder) {
    (path, phase, byteCount) = (run.path, run.phase, run.byteCount)
    standing = run.state.map(Standing.init)
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: NamedKey.self)
    try container.encode(path, forKey: "path")
    try container.encode(phase, forKey: "state")
    try container.encode(byteCount, forKey: "bytes")
    // A run that says nothing of itself has no more keys.
    try standing?.encode(to: encoder)
  }
}
