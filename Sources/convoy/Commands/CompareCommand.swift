internal import ArgumentParser
internal import Reporting

/// Compares runs.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare runs: their configs, figures and curves, and where they diverge.",
    discussion: """
      Every step's loss is kept so that it reads back bit for bit: the first step in which two runs' losses differ is the \
      first in which the runs do. --output writes a page with the runs' curves in common charts.

        convoy compare Results/fashion-mnist/0e61bad8f5 Results/fashion-mnist/90ab12cd34 --output compare.html
      """)

  @Argument(help: "Two or more run directories.", completion: .directory)
  var runs: [String]

  @Option(help: ArgumentHelp("Write a page with curves to this file.", valueName: "file.html"))
  var output: String?

  @OptionGroup var overwrite: OverwriteOption

  @Flag(help: "Print a JSON object.")
  var json = false

  func validate() throws {
    guard runs.count >= 2 else { throw ValidationError("name two or more runs") }
  }

  func run() throws {
    if let output { try overwrite.check("--output", output, inputs: InputFiles(runs)) }
    let comparison = try RunComparison(runs)
    if json { print(try ResultJSON.text(ComparisonResult(comparison))) } else { show(comparison) }
    guard let output else { return }
    try write(comparison, to: output)
    if !json { print(output) }
  }

  private func show(_ comparison: RunComparison) {
    let terminal = TerminalOutput.standardOutput
    let width = terminal.tableWidth
    print(comparison.overview.text(width: width, unicode: terminal.hasUnicode))
    let differences = comparison.differences
    print(
      differences.rows.isEmpty
        ? "the configs are the same" : differences.text(width: width, unicode: terminal.hasUnicode),
      terminator: differences.rows.isEmpty ? "\n" : "")
    print()
    for line in comparison.partings { print(line) }
  }

  private func write(_ comparison: RunComparison, to output: String) throws {
    let differences = comparison.differences
    let page = TablePage(
      kind: "Comparison of runs", title: "\(runs.count) runs",
      parts: [
        TablePage.Part("Runs", table: comparison.overview, text: comparison.partings),
        TablePage.Part(
          "Differences of the configs", table: differences.rows.isEmpty ? nil : differences,
          text: differences.rows.isEmpty ? ["None."] : []),
        TablePage.Part("Curves", charts: comparison.charts),
      ])
    try OutputFile.write(try page.html(), to: output)
  }
}
