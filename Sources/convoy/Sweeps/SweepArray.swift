internal import Experiments
internal import Foundation
internal import Paths
internal import Settings
internal import Training

/// A Slurm job array that trains a sweep with one task for each member; each task can be requeued and goes on by itself.
struct SweepArray {
  let sweep: Sweep
  let config: ConfigurationArguments
  /// The number of cores for each task; nil for as many as Slurm gives it.
  let workers: Int?
  let folder: String

  init(_ sweep: Sweep, config: ConfigurationArguments, workers: Int?, folder: String) {
    self.sweep = sweep
    self.config = config
    self.workers = workers
    self.folder = folder
  }

  /// Writes the job script.
  ///
  /// - Returns: the path of the script.
  func write() throws -> String {
    let path = "\(folder)/array.sbatch"
    try OutputFile.makeFolder(folder)
    // The shell and Slurm take names as the bytes that they are.
    try OutputFile.write(Data(PathText.bytes(of: script)), to: path)
    return path
  }

  /// `Scripts/convoy.sbatch` with the changes for a sweep: stopping, requeueing and going on work the same way.
  private var script: String {
    // The link is used because a program that a shell found by its name has no folder in its arguments.
    let program = ProgramArguments.program ?? "convoy"
    let here = Folder.current
    let cores = workers.map { " --workers \($0)" } ?? ""
    let overrides = (config.settings.flatMap { ["--set", $0.text] } + config.plugIns.words)
      .map { " \($0.shellWord)" }.joined()
    var lines = String(decoding: PackageResources.convoy_sbatch, as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    func replace(_ beginning: String, by line: String) {
      guard let index = lines.firstIndex(where: { $0.hasPrefix(beginning) }) else {
        preconditionFailure("the job template has no line '\(beginning)…'")
      }
      lines[index] = line
    }
    // The comment at the template's top describes another command.
    lines.removeSubrange(1..<(lines.firstIndex { $0.hasPrefix("# What to adapt") } ?? 1))
    lines.insert(
      contentsOf: [
        "# The sweep of \(config.config): one task for each member. It runs in the folder in which it was made (--chdir),",
        "# wherever it is submitted.",
        "# A task that is stopped near its time limit is requeued and resumes; `convoy sweep \(config.config)` then",
        "# shows the table. Tasks that failed or were cancelled resume when they are submitted again:",
        "# sbatch --array=2,5 …",
        "#",
      ], at: 1)
    replace("#SBATCH --job-name=", by: "#SBATCH --job-name=\(sweep.base.run.name)")
    replace(
      "#SBATCH --nodes=",
      by:
        "#SBATCH --array=0-\(sweep.members.count - 1)\n#SBATCH --nodes=1\n#SBATCH --chdir=\(Self.quoted(here))"
    )
    replace("#SBATCH --output=", by: "#SBATCH --output=\(Self.quoted("\(folder)/task-%a.log"))")
    replace("# Where the program is", by: "# Where the program is.")
    replace("convoy=", by: "convoy=${CONVOY:-\(program.shellWord)}")
    if let start = lines.firstIndex(where: { $0.hasPrefix("# What it does.") }),
      let end = lines[start...].firstIndex(where: { $0.hasPrefix("command=(") })
    {
      lines.replaceSubrange(start..<end, with: ["# What it does."])
    }
    replace(
      "command=(",
      by: "command=(sweep \(config.config.shellWord)\(overrides)\(cores) --member \"$SLURM_ARRAY_TASK_ID\")")
    return lines.joined(separator: "\n")
  }

  /// A value as sbatch reads it in a script's comments: in quotes where it contains blanks.
  private static func quoted(_ text: String) -> String {
    text.contains(where: \.isWhitespace) ? "\"\(text)\"" : text
  }
}
