internal import ArgumentParser
internal import Foundation
internal import Reporting
internal import Training

/// Makes a page that shows how a training went.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write a run's report: curves, classes, mistakes, filters, config, in one HTML file.",
    discussion: """
      The page needs no network and no scripts, and can be sent as it is. It evaluates the run's best checkpoint on its test \
      data; where the data is not there any more, those parts are left out. The curves are drawn by gnuplot.

        convoy report Results/fashion-mnist/RUN --open
      """)

  @Argument(help: ArgumentHelp("A run directory.", valueName: "run"), completion: .directory)
  var directory: String

  @Option(help: ArgumentHelp("Where to write it; RUN/report.html by default.", valueName: "file.html"))
  var output: String?

  @Flag(help: "Open it in the browser.")
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

/// The person's web browser.
enum Browser {
  static func open(_ path: String) throws {
    do { _ = try Subprocess.output(of: "/usr/bin/env", ["xdg-open", path]) } catch {
      throw CommandError.missing("no browser could be opened (xdg-open: \(error)); open \(path) by hand")
    }
  }
}
