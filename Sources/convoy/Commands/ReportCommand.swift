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
      data; if the data no longer exists, those parts are left out. gnuplot draws the curves.

        convoy report Results/fashion-mnist/RUN --open
      """)

  @Argument(help: ArgumentHelp("A run directory.", valueName: "run"), completion: .directory)
  var directory: String

  @Option(help: ArgumentHelp("The file to write; RUN/report.html by default.", valueName: "file.html"))
  var output: String?

  @Flag(help: "Open the report in the browser.")
  var open = false

  @OptionGroup var workers: WorkersOption

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let stop = StopSignals.install()
    let builder = try RunReportBuilder(directory: directory, workers: workers.count)
    var report: RunReport?
    let path = try builder.write(to: output, stop: stop) { report = $0 }
    if json, let report {
      print(try ResultJSON.text(ReportResult(path, of: builder.directory, report)))
    } else {
      TerminalOutput.printPath(path)
    }
    if open { try Browser.open(path) }
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
