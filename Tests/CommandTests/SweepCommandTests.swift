import Foundation
import TestSupport
import Testing

@testable import Reporting

@Suite("The sweep command")
struct SweepCommandTests {
  /// A process in a folder; `afterwards` may end it early.
  private func run(
    _ arguments: [String], in folder: TemporaryDirectory, afterwards: (Process) -> Void = { _ in }
  ) throws -> (code: Int32, output: String) {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: Program.path)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder.file(""))
    process.standardOutput = output
    process.standardError = output
    try process.runBounded()
    afterwards(process)
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }

  /// 40 images of 6×6 whose label is how bright they are, and a sweep of six members over them.
  private func prepare() throws -> TemporaryDirectory {
    let folder = try TemporaryDirectory()
    var images: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 40, 0, 0, 0, 6, 0, 0, 0, 6]
    var labels: [UInt8] = [0, 0, 8, 1, 0, 0, 0, 40]
    for sample in 0..<40 {
      images += (0..<36).map { UInt8(40 * (sample % 4) + ($0 * 7 + sample * 13) % 60) }
      labels.append(UInt8(sample % 4))
    }
    let imported = try run(
      [
        "import", "idx", "--images", try folder.write(images, to: "images"), "--labels",
        try folder.write(labels, to: "labels"), "--to", "data.h5",
      ], in: folder)
    #expect(imported.code == 0, "\(imported.output)")
    let source = "{file: data.h5, images: train/images, labels: train/labels}"
    try folder.write(
      """
      name: tiny
      data: {train: \(source), test: \(source)}
      network: {input: [6, 6, 1], layers: [rescale: {scale: 1/255}, flatten, dense: {units: 4}]}
      training: {epochs: 6, batch: 8, loss: softmax_cross_entropy, optimizer: {sgd: {learning_rate: 0.1}}}
      checkpoints: {every: {steps: 3}}
      sweep: {grid: {learning_rate: [0.01, 0.1, 1], training.optimizer.sgd.momentum: [0, 0.9]}}
      """, to: "sweep.yaml")
    return folder
  }

  private func table(_ folder: TemporaryDirectory) throws -> String {
    let results = folder.file("Results/tiny")
    let sweep = try #require(
      FileManager.default.contentsOfDirectory(atPath: results).first { $0.hasPrefix("sweep-") })
    return try String(contentsOfFile: "\(results)/\(sweep)/sweep.csv", encoding: .utf8)
  }

  @Test(
    "a sweep that was killed in the middle ends with the table of one that was not, and trains nothing twice")
  func killed() throws {
    let whole = try prepare()
    let done = try run(["sweep", "sweep.yaml", "--quiet", "--workers", "1"], in: whole)
    #expect(done.code == 0, "\(done.output)")
    let wanted = try table(whole)
    #expect(wanted.split(separator: "\n").count == 7)
    #expect(!wanted.contains(",0 of 6,"))

    let killed = try prepare()
    let second = killed.file("Results/tiny")
    _ = try run(["sweep", "sweep.yaml", "--quiet", "--workers", "2"], in: killed) { process in
      // Once a second member has begun.
      for _ in 0..<2000 where process.isRunning {
        let runs = (try? FileManager.default.contentsOfDirectory(atPath: second)) ?? []
        if runs.count >= 2 { break }
        usleep(2000)
      }
      kill(process.processIdentifier, SIGKILL)
    }
    let again = try run(["sweep", "sweep.yaml", "--workers", "1"], in: killed)
    #expect(again.code == 0, "\(again.output)")
    #expect(!again.output.contains("member 0 of 0 to 5"), "the finished first member was trained again")
    #expect(try table(killed) == wanted)
  }

  @Test("members that diverge are told by the exit code after the others were trained")
  func diverged() throws {
    let folder = try prepare()
    let sweep = ["sweep", "sweep.yaml", "--quiet", "--workers", "1"]
    let values = try folder.write(
      String(contentsOfFile: folder.file("sweep.yaml"), encoding: .utf8).replacing(
        "[0.01, 0.1, 1]", with: "[1.0e38, 0.1]"), to: "sweep.yaml")
    #expect(FileManager.default.fileExists(atPath: values))
    let one = try run(sweep + ["--member", "0"], in: folder)
    #expect(one.code == 76 && one.output.contains("error: member 0 of 0 to 3 diverged"), "\(one.output)")
    #expect(try run(sweep + ["--member", "2"], in: folder).code == 0)
    // Again, as a job array that is submitted twice does.
    let again = try run(sweep + ["--member", "2"], in: folder)
    #expect(again.code == 0 && again.output.contains("member 2 of 0 to 3 is complete: "), "\(again.output)")
    let all = try run(sweep, in: folder)
    #expect(all.code == 76 && all.output.contains("error: members 0, 1 of 0 to 3 diverged"), "\(all.output)")
    #expect(try table(folder).contains(",6 of 6,"))
  }

  @Test("members that are compared by different figures have them under their names")
  func monitors() throws {
    let folder = try prepare()
    try folder.write(
      String(contentsOfFile: folder.file("sweep.yaml"), encoding: .utf8).replacing(
        "sweep: {grid: {learning_rate: [0.01, 0.1, 1], training.optimizer.sgd.momentum: [0, 0.9]}}",
        with: "sweep: {grid: {training.monitor: [loss, accuracy], learning_rate: [0.01, 0.1]}}"),
      to: "sweep.yaml")
    let done = try run(["sweep", "sweep.yaml", "--quiet", "--workers", "1"], in: folder)
    #expect(done.code == 0, "\(done.output)")
    let rows = try table(folder).split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false)
    }
    try #require(rows.count == 5)
    #expect(rows[0][3...4] == ["compared by", "best"])
    // Those with the loss come first, because the first member has it, and the better loss before the other.
    #expect(rows[1...].map { $0[3] } == ["loss", "loss", "accuracy", "accuracy"])
    let best = rows[1...].compactMap { Double($0[4]) }
    #expect(best.count == 4 && best[0] <= best[1] && best[2] >= best[3])
  }

  @Test("a job array has a task for each member, and a member that is not there is refused")
  func array() throws {
    let folder = try prepare()
    let written = try run(["sweep", "sweep.yaml", "--set", "seed=3", "--slurm"], in: folder)
    #expect(written.code == 0)
    let path = written.output.trimmingCharacters(in: .whitespacesAndNewlines)
    let script = try String(contentsOfFile: folder.file(path), encoding: .utf8)
    #expect(script.contains("#SBATCH --array=0-5\n"))
    #expect(
      script.contains("command=(sweep sweep.yaml --set seed=3 --member \"$SLURM_ARRAY_TASK_ID\")\n"))
    // What takes signals and requeues is the template's, word for word.
    let template = try String(
      contentsOfFile: "\(Program.projectFolder)/Scripts/convoy.sbatch", encoding: .utf8)
    let start = try #require(template.range(of: "# A task of an array is requeued"))
    #expect(script.hasSuffix(template[start.lowerBound...]))
    // It runs where it was made, with as many workers as were asked for.
    #expect(
      script.contains("#SBATCH --chdir=/")
        && script.contains(URL(fileURLWithPath: folder.path).lastPathComponent))
    let workers = try run(["sweep", "sweep.yaml", "--workers", "3", "--slurm"], in: folder)
    let other = try String(
      contentsOfFile: folder.file(workers.output.trimmingCharacters(in: .whitespacesAndNewlines)),
      encoding: .utf8)
    #expect(other.contains("command=(sweep sweep.yaml --workers 3 --member"))
    let plugIns = try run(["sweep", "sweep.yaml", "--hdf5-plugins", ".", "--slurm"], in: folder)
    let third = try String(
      contentsOfFile: folder.file(plugIns.output.trimmingCharacters(in: .whitespacesAndNewlines)),
      encoding: .utf8)
    #expect(third.contains("command=(sweep sweep.yaml --hdf5-plugins . --member"))
    let refused = try run(["sweep", "sweep.yaml", "--member", "6"], in: folder)
    #expect(refused.code == 64)
    #expect(refused.output.contains("the sweep has 6"))
  }

  // MARK: - Members are runs

  /// The names of all files below a folder; of event files without the time and the host, of which there is one for each start.
  private func files(_ path: String) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: path).map { name in
      name.hasPrefix(EventLog.prefix) ? EventLog.prefix : name
    }.sorted()
  }

  /// Figures that TensorBoard shows of a run, without those of speed.
  private func events(_ run: String) throws -> [String] {
    let name = try #require(
      try FileManager.default.contentsOfDirectory(atPath: run).first { $0.hasPrefix(EventLog.prefix) })
    let bytes = Array(try #require(FileManager.default.contents(atPath: "\(run)/\(name)")))
    var lines: [String] = []
    var offset = 0
    while let record = EventRecord.read(bytes, at: offset) {
      let event = try #require(Event(record.message))
      if case .scalars(let scalars) = event.what {
        lines += scalars.filter { $0.tag != "images_per_second" }.map {
          "\(event.step) \($0.tag) \($0.value)"
        }
      }
      offset = record.end
    }
    #expect(offset == bytes.count)
    return lines
  }

  /// The members' run directories, in their order, as the list of the sweep names them.
  private func members(_ folder: TemporaryDirectory) throws -> [String] {
    let list = try run(["sweep", "sweep.yaml", "--list"], in: folder)
    return list.output.split(separator: "\n").filter { $0.first(where: { $0 != " " })?.isNumber == true }
      .compactMap { $0.split(separator: " ").last.map { folder.file("Results/tiny/\($0)") } }
  }

  @Test(
    "a member's run directory holds what that of a training of the same config does: files, events, report")
  func memberIsRun() throws {
    let folder = try prepare()
    let sweep = try run(["sweep", "sweep.yaml", "--member", "3", "--workers", "1"], in: folder)
    #expect(sweep.code == 0, "\(sweep.output)")
    let member = try #require(try members(folder).dropFirst(3).first)
    let training = folder.file("training")
    let trained = try run(
      [
        "train", "sweep.yaml", "--set", "learning_rate=0.1", "--set",
        "training.optimizer.sgd.momentum=0.9", "--run-dir", training, "--workers", "2",
      ], in: folder)
    #expect(trained.code == 0, "\(trained.output)")
    #expect(try files(member) == files(training))
    #expect(try files(member).contains("report.html"))
    let (events, wanted) = (try events(member), try events(training))
    #expect(events == wanted && events.count > 6)
    for name in ["config.yaml", "steps.csv"] {
      #expect(
        try String(contentsOfFile: "\(member)/\(name)", encoding: .utf8)
          == String(contentsOfFile: "\(training)/\(name)", encoding: .utf8))
    }
    let log = try String(contentsOfFile: "\(member)/log.txt", encoding: .utf8)
    #expect(log.contains("finished after 30 steps"))
  }

  @Test("the table is made of states and tables of epochs: it is the same when the checkpoints are gone")
  func withoutCheckpoints() throws {
    let folder = try prepare()
    let done = try run(["sweep", "sweep.yaml", "--quiet", "--workers", "1"], in: folder)
    #expect(done.code == 0, "\(done.output)")
    let wanted = try table(folder)
    let list = try run(["sweep", "sweep.yaml", "--list"], in: folder).output
    #expect(list.contains("6 of 6"))
    for member in try members(folder) {
      try FileManager.default.removeItem(atPath: "\(member)/checkpoints")
    }
    #expect(try run(["sweep", "sweep.yaml", "--list"], in: folder).output == list)
    let again = try run(["sweep", "sweep.yaml"], in: folder)
    #expect(again.code == 0 && !again.output.contains(" of 0 to 5: "), "\(again.output)")
    #expect(try table(folder) == wanted)
  }

  @Test("a member whose state or table is missing says so; the next call brings back a state and a report")
  func missingFiles() throws {
    let folder = try prepare()
    #expect(try run(["sweep", "sweep.yaml", "--quiet"], in: folder).code == 0)
    let paths = try members(folder)
    try FileManager.default.removeItem(atPath: "\(paths[0])/state.json")
    try FileManager.default.removeItem(atPath: "\(paths[1])/metrics.csv")
    try FileManager.default.removeItem(atPath: "\(paths[2])/report.html")
    let list = try run(["sweep", "sweep.yaml", "--list"], in: folder).output
    #expect(list.contains("unknown: no state.json"), "\(list)")
    #expect(list.contains("6 of 6, no metrics.csv"), "\(list)")
    let again = try run(["sweep", "sweep.yaml"], in: folder)
    #expect(again.output.contains("member 0 of 0 to 5") && again.output.contains("member 2 of 0 to 5"))
    #expect(FileManager.default.fileExists(atPath: "\(paths[0])/state.json"))
    #expect(FileManager.default.fileExists(atPath: "\(paths[2])/report.html"))
  }

  @Test(
    "members that differ in what names no run have folders of their own, and the table says what each has trained"
  )
  func ownFolders() throws {
    let folder = try prepare()
    let text = try String(contentsOfFile: folder.file("sweep.yaml"), encoding: .utf8)
    let start = try #require(text.range(of: "sweep: "))
    try folder.write(
      String(text[..<start.lowerBound]) + "sweep: {grid: {training.epochs: [1, 2, 3]}}\n", to: "sweep.yaml")
    let swept = try run(["sweep", "sweep.yaml", "--quiet", "--workers", "1"], in: folder)
    #expect(swept.code == 0, "\(swept.output)")
    let list = try run(["sweep", "sweep.yaml", "--list"], in: folder)
    for epochs in 1...3 { #expect(list.output.contains("\(epochs) of \(epochs)"), "\(list.output)") }
    let directories = try members(folder)
    #expect(Set(directories).count == 3)
    for (index, directory) in directories.enumerated() {
      let rows = try String(contentsOfFile: "\(directory)/metrics.csv", encoding: .utf8).split(
        separator: "\n")
      #expect(rows.count == index + 2)
    }
    // Nothing is trained twice, and a training of the same config has its own place.
    let again = try run(["sweep", "sweep.yaml"], in: folder)
    #expect(again.code == 0 && !again.output.contains(" of 0 to 2: "), "\(again.output)")
  }

  @Test("values that the environment puts over the file are told before members are trained with them")
  func environment() throws {
    let folder = try prepare()
    let result = try Program.run(
      ["sweep", "sweep.yaml", "--member", "0"], in: folder.path,
      shell: "export CONVOY_SET=training.epochs=1")
    #expect(
      result.code == 0
        && result.errors.contains("warning: CONVOY_SET overrides the file with training.epochs=1"))
  }
}
