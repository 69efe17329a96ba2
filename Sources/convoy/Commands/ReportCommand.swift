internal import ArgumentParser
internal import Foundation
internal import Reporting
internal import Training

/// Makes a page that shows how a training went.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write a run's report in one HTML file: curves, classes, mistakes, filters, config.",
    discussion: """
      The page works offline and without scripts, and can be sent as it is. It evaluates the run's best checkpoint on its test \
      data; if the data no longer exists, those parts are left out, with a warning. gnuplot draws the curves. A report of the run that has \
      more parts than can be made now is replaced only with --overwrite.

        convoy report Results/fashion-mnist/RUN --open
      """)

  @Argument(help: ArgumentHelp("A run directory.", valueName: "run"), completion: .directory)
  var directory: String

  @Option(help: ArgumentHelp("The file to write; RUN/report.html by default.", valueName: "file.html"))
  var output: String?

  @OptionGroup var overwrite: OverwriteOption

  @Flag(help: "Open the report in the browser.")
  var open = false

  @OptionGroup var plugIns: PlugInsOption
  @OptionGroup var workers: WorkersOption

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let stop = StopSignals.install()
    let builder = try RunReportBuilder(directory: directory, workers: workers.count)
    let other = output.flatMap { builder.isOwn($0) ? nil : $0 }
    if let other { try overwrite.check("--output", other, inputs: builder.inputs) }
    let written = try builder.write(
      to: output, replacesFuller: overwrite.isGiven || other != nil, stop: stop)
    for warning in written.warnings { TerminalOutput.warn(warning) }
    if json {
      print(try ResultJSON.text(ReportResult(written.path, of: builder.directory, written.report)))
    } else {
      TerminalOutput.printPath(written.path)
    }
    if open { try Browser.open(written.path) }
  }
}

/// The user's web browser.
enum Browser {
  static func open(_ path: String) throws {
    do { _ = try Subprocess.output(of: "/usr/bin/env", ["xdg-open", path]) } catch {
      throw CommandError.missing("no browser could be opened (xdg-open: \(error)); open \(path) by hand")
    }
  }
}
