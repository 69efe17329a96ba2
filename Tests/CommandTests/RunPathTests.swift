import Foundation
import TestSupport
import Testing

@Suite("Runs by their names")
struct RunPathTests {
  private func train(_ training: SmallTraining, _ settings: [String], more: [String] = []) throws
    -> Program.Result
  {
    try Program.run(
      ["train", training.config, "--quiet"] + more + settings.flatMap { ["--set", $0] },
      in: training.folder.path)
  }

  /// The folder that a training says its run is in.
  private func directory(_ result: Program.Result) throws -> String {
    let line = try #require(
      result.output.split(separator: "\n").first { $0.hasPrefix("run directory") },
      "\(result.output)\(result.errors)")
    return String(try #require(line.split(separator: " ").last))
  }

  @Test("a default that is written out, and fewer epochs than there are, find or begin the right run")
  func names() throws {
    let training = try SmallTraining()
    let plain = try directory(try train(training, []))
    #expect(plain.split(separator: "/").last?.count == 10)
    for written in [["monitor=accuracy"], ["training.metrics=[accuracy]"], ["data.train.weights=none"]] {
      let result = try train(training, written)
      #expect(result.code == 0 && result.output.contains("already complete"), "\(written): \(result.errors)")
      #expect(try directory(result) == plain)
    }
    // More epochs go on, fewer than are done are a run of their own, found again.
    let shorter = try train(training, ["training.epochs=2"])
    #expect(shorter.code == 0 && !shorter.output.contains("already"), "\(shorter.errors)")
    let short = try directory(shorter)
    #expect(short != plain)
    let again = try train(training, ["training.epochs=2"])
    #expect(again.output.contains("already complete after 2 epochs"))
    #expect(try directory(again) == short)
    let longer = try train(training, ["training.epochs=4"])
    #expect(try directory(longer) == plain)
    #expect(longer.output.contains("complete after 4 epochs") && !longer.output.contains("already"))
    // Where the place is given there is no other to go to.
    let refused = try train(training, ["training.epochs=2"], more: ["--run-dir", plain])
    #expect(
      refused.code == 78 && refused.errors.contains("the run is in epoch 4 already"), "\(refused.errors)")
  }

  @Test(
    "a run that was stopped goes on to fewer epochs than it was meant for, as long as it is not there yet")
  func fewer() throws {
    let training = try SmallTraining()
    let stopped = try train(training, ["training.epochs=9"], more: ["--steps", "10"])
    #expect(stopped.code == 0, "\(stopped.errors)")
    let ended = try train(training, ["training.epochs=2"])
    #expect(ended.code == 0 && ended.output.contains("complete after 2 epochs"), "\(ended.errors)")
    #expect(
      ended.errors.contains("training.epochs was 9 and is 2; going on"), "\(ended.errors)")
  }

  @Test("last and best, a folder of runs and a run are taken by commands")
  func words() throws {
    let training = try SmallTraining()
    let good = try directory(try train(training, ["learning_rate=0.1"]))
    let bad = try directory(try train(training, ["learning_rate=0.0001"]))
    func run(_ arguments: [String]) throws -> Program.Result {
      try Program.run(arguments, in: training.folder.path)
    }
    let data = ["--data", "data.h5", "--images", "train/images", "--labels", "train/labels"]
    #expect(try run(["evaluate", "Results/small/best"] + data).output.contains(good))
    #expect(try run(["evaluate", "Results/small/last"] + data).output.contains(bad))
    #expect(try run(["evaluate", "Results/small"] + data).output.contains(bad))
    #expect(try run(["inspect", "\(good)/last"]).output.contains("checkpoint-s0000000024.h5"))
    #expect(try run(["inspect", "Results/small/best/last"]).output.contains("\(good)/checkpoints/"))
    #expect(try run(["inspect", "Results/small/first"]).code == 66)
    #expect(try run(["predict", "Results/small/best", "--rows", "0"] + data).code == 0)
    #expect(try run(["report", "Results/small/best"]).output.contains("\(good)/report.html"))
    // A rate that moves no parameter: all epochs are equal, and the first of them is the best.
    let still = try directory(try train(training, ["learning_rate=1e-30"]))
    #expect(try run(["inspect", "\(still)/best"]).output.contains("checkpoint-s0000000008.h5"))
    #expect(try run(["inspect", "\(still)/last"]).output.contains("checkpoint-s0000000024.h5"))
    try FileManager.default.removeItem(atPath: training.folder.file(still))
    let compared = try run(["compare", "Results/small/last", "Results/small/best"])
    #expect(compared.output.contains(good) && compared.output.contains(bad), "\(compared.errors)")
    #expect(try run(["look", "filters", "Results/small/best", "--to", "look"]).code == 0)
    // A folder of runs is never taken for a run where something is removed.
    #expect(try run(["runs", "rm", "--yes", "Results/small"]).code == 66)
    #expect(try run(["runs", "rm", "--yes", "Results/small/last"]).output.contains(bad))
    #expect(FileManager.default.fileExists(atPath: training.folder.file(good)))
    #expect(!FileManager.default.fileExists(atPath: training.folder.file(bad)))
    #expect(try run(["evaluate", "Results/none/best"] + data).code == 66)
  }

  @Test("runs are sorted, filtered and shown by figures and by values of their configs")
  func listing() throws {
    let training = try SmallTraining()
    for (rate, epochs) in [("0.1", 1), ("0.0001", 2), ("0.01", 3)] {
      #expect(
        try train(training, ["learning_rate=\(rate)", "training.epochs=\(epochs)", "seed=\(epochs)"]).code
          == 0)
    }
    func rates(_ arguments: [String]) throws -> [String] {
      let result = try Program.run(
        ["runs", "--json", "--show", "learning_rate,train_loss"] + arguments, in: training.folder.path)
      #expect(result.code == 0, "\(result.errors)")
      let list = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]]
      return (list ?? []).compactMap { ($0["values"] as? [String: Any])?["learning_rate"] as? String }
    }
    #expect(try rates(["--sort", "learning_rate"]) == ["0.0001", "0.01", "0.1"])
    #expect(try rates(["--sort", "learning_rate", "--reverse"]) == ["0.1", "0.01", "0.0001"])
    #expect(try rates(["--sort", "training.epochs"]) == ["0.1", "0.0001", "0.01"])
    #expect(try rates(["--sort", "best"]).last == "0.0001")
    #expect(try rates(["--where", "training.epochs>=2", "--sort", "seed"]) == ["0.0001", "0.01"])
    #expect(try rates(["--where", "epochs>=2", "--where", "seed!=2"]) == ["0.01"])
    #expect(try rates(["--where", "training.epochs<=2", "--sort", "seed"]) == ["0.1", "0.0001"])
    #expect(try rates(["--where", "training.epochs<2"]) == ["0.1"])
    #expect(try rates(["--where", "training.epochs>2"]) == ["0.01"])
    #expect(try rates(["--where", "optimizer=sgd"]).count == 3)
    #expect(try rates(["--where", "optimizer=adam"]).isEmpty)
    #expect(try rates(["--where", "train_loss<100"]).count == 3)
    let table = try Program.run(
      ["runs", "--show", "learning_rate", "--where", "learning_rate=1e-4"], in: training.folder.path)
    #expect(
      table.output.contains("0.0001") && table.output.split(separator: "\n").count == 3, "\(table.output)")
    // Accuracies and losses do not mix, whatever their numbers.
    #expect(try train(training, ["learning_rate=0.02", "training.monitor=loss", "seed=9"]).code == 0)
    let accuracies = try rates(["--sort", "best", "--where", "monitor=accuracy"])
    #expect(accuracies.count == 3)
    #expect(try rates(["--sort", "best"]) == accuracies + ["0.02"])
    #expect(try rates(["--sort", "best", "--reverse"]) == accuracies.reversed() + ["0.02"])
    let mixed = try Program.run(["runs", "--sort", "best"], in: training.folder.path)
    #expect(mixed.code == 0 && mixed.errors.contains("accuracy of 3 runs, loss of 1 run"), "\(mixed.errors)")
    let alike = try Program.run(
      ["runs", "--sort", "best", "--where", "monitor=loss"], in: training.folder.path)
    #expect(alike.code == 0 && alike.errors.isEmpty, "\(alike.errors)")
    let unknown = try Program.run(["runs", "--sort", "learning_rat"], in: training.folder.path)
    #expect(unknown.code == 64 && unknown.errors.contains("no run in Results has 'learning_rat'"))
    try expectFailure(["runs", "--where", "optimizer"], code: 64, says: "--where takes a condition")
  }

  @Test(
    "a finished run that is started again gets no further event file, and steps before an error are in the table"
  )
  func files() throws {
    let training = try SmallTraining()
    let path = try directory(try train(training, []))
    func events() throws -> Int {
      try FileManager.default.contentsOfDirectory(atPath: training.folder.file(path)).count {
        $0.hasPrefix("events.")
      }
    }
    #expect(try events() == 1)
    #expect(try train(training, []).output.contains("already complete"))
    #expect(try events() == 1)
    let broken = try train(
      training, ["learning_rate=1e30", "checkpoints.every={epochs: 5}", "checkpoints.keep.best=0"],
      more: ["--run-dir", "broken"])
    #expect(broken.code == 76 && broken.errors.contains("There is no checkpoint yet"), "\(broken.errors)")
    let steps = try String(contentsOfFile: training.folder.file("broken/steps.csv"), encoding: .utf8)
    #expect(steps.split(separator: "\n").count > 1, "\(steps)")
  }
}
