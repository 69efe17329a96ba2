import Foundation
import Glibc
import HDF5
import Networks
import Tensors
import TestSupport
import Testing

@testable import Training

@Suite("Runs")
struct RunTests {
  static func error(_ body: () throws -> Void) -> TrainingError? {
    do {
      try body()
      return nil
    } catch { return error as? TrainingError }
  }

  // MARK: - The run directory

  @Test("a state whose best figure is not finite is read back")
  func infiniteState() throws {
    let folder = try TemporaryFolder()
    let state = RunState(
      phase: .stopped, name: "a", runID: "b", step: 3, epoch: 1, epochs: 2, monitor: "loss", bestEpoch: 1,
      best: .infinity, testAccuracy: nil, seconds: 1, message: nil, updated: "now")
    try state.write(to: folder(""))
    #expect(RunState.read(directory: folder("")) == state)
  }

  @Test("a run directory holds configuration, metrics, log, environment and checkpoints")
  func contents() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 45)
    let configuration = try SmallRun.configuration(
      data: folder("data.h5"),
      checkpoints: CheckpointConfiguration(every: .epochs(1), keep: .init(last: 2, best: 1)))
    let directory = folder("Results/small/1")
    let (complete, record) = try SmallRun.train(configuration, in: directory)
    #expect(complete && record.isFinished)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
        == [
          "checkpoints", "config.yaml", "environment.json", "lock", "log.txt", "metrics.csv", "state.json",
          "steps.csv",
        ])
    let rows = try String(contentsOfFile: "\(directory)/metrics.csv", encoding: .utf8).split(separator: "\n")
    #expect(rows.first.map(String.init) == EpochMetrics.columns(["loss", "accuracy"]).joined(separator: ","))
    #expect(rows.dropFirst().map { $0.prefix(3) } == ["3,1", "6,2", "9,3"])
    let environment = try JSONSerialization.jsonObject(
      with: Data(contentsOf: URL(fileURLWithPath: "\(directory)/environment.json")))
    #expect((environment as? [String: Any])?["workers"] as? Int == 1)
    #expect(try CheckpointStore(folder: "\(directory)/checkpoints").entries().first?.step == 9)
    // Running a finished training again does nothing and harms nothing.
    let again = try SmallRun.train(configuration, in: directory)
    #expect(again.complete && again.record.steps.isEmpty)
  }

  @Test("a second process in the same run directory is refused and told who holds it")
  func lock() throws {
    let folder = try TemporaryFolder()
    let first = try RunDirectory(path: folder("run"))
    let error = Self.error { _ = try RunDirectory(path: folder("run")) }
    #expect(error?.kind == .inUse)
    #expect(error?.description.contains("process \(ProcessInfo.processInfo.processIdentifier)") == true)
    withExtendedLifetime(first) {}
  }

  @Test("a lock file that a killed process left behind does not block")
  func staleLock() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: folder("run"), withIntermediateDirectories: true)
    try Data(#"{"host":"elsewhere","pid":1,"since":"2020-01-01T00:00:00Z"}"#.utf8)
      .write(to: URL(fileURLWithPath: folder("run/lock")))
    _ = try RunDirectory(path: folder("run"))
    _ = try RunDirectory(path: folder("run"))
  }

  @Test("a child process that inherited the lock holds nothing once its parent is done")
  func inheritedLock() throws {
    let folder = try TemporaryFolder()
    var child: pid_t = 0
    do {
      let directory = try RunDirectory(path: folder("run"))
      // What a fork does for a moment, made to last.
      let files = FileManager.default
      let lock = try files.contentsOfDirectory(atPath: "/proc/self/fd").first {
        (try? files.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == folder("run/lock")
      }
      #expect(fcntl(try #require(lock.flatMap { Int32($0) }), F_SETFD, 0) == 0)
      var arguments = [strdup("sleep"), strdup("60"), nil]
      #expect(posix_spawn(&child, "/bin/sleep", nil, nil, &arguments, environ) == 0)
      arguments.forEach { free($0) }
      withExtendedLifetime(directory) {}
    }
    _ = try RunDirectory(path: folder("run"))
    #expect(kill(child, SIGKILL) == 0 && waitpid(child, nil, 0) == child)
  }

  @Test("what a killed process left half-written is removed")
  func leftovers() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder("run/checkpoints"), withIntermediateDirectories: true)
    let part = folder("run/checkpoints/.checkpoint-s0000000001.h5.123.part")
    try Data([1, 2, 3]).write(to: URL(fileURLWithPath: part))
    _ = try RunDirectory(path: folder("run"))
    #expect(!FileManager.default.fileExists(atPath: part))
  }

  @Test("a folder that cannot be made is found out before training")
  func cannotCreate() throws {
    let folder = try TemporaryFolder()
    try Data().write(to: URL(fileURLWithPath: folder("file")))
    #expect(Self.error { _ = try RunDirectory(path: folder("file/run")) }?.kind == .cannotCreate)
    #expect(Self.error { _ = try RunDirectory(path: folder("file")) }?.kind == .cannotCreate)
    #expect(Self.error { _ = try RunDirectory(path: "/proc/run") }?.kind == .cannotCreate)
  }

  @Test("metrics of epochs that the checkpoint does not know are cut off, and so is half a row")
  func metricsCut() throws {
    let folder = try TemporaryFolder()
    let path = folder("metrics.csv")
    let columns = EpochMetrics.columns(["loss", "accuracy"])
    let header = columns.joined(separator: ",")
    try Data("\(header)\n5,1,a\n10,2,b\n15,3,c\n2".utf8).write(to: URL(fileURLWithPath: path))
    func progress(step: Int, epoch: Int) -> TrainingProgress {
      var progress = TrainingProgress()
      (progress.step, progress.epoch) = (step, epoch)
      return progress
    }
    _ = try MetricsLog(path: path, columns: columns, goingOnFrom: progress(step: 15, epoch: 2))
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "\(header)\n5,1,a\n10,2,b\n")
    _ = try MetricsLog(path: path, columns: columns, goingOnFrom: progress(step: 7, epoch: 2))
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "\(header)\n5,1,a\n")
    _ = try MetricsLog(path: path, columns: columns, goingOnFrom: progress(step: 5, epoch: 0))
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "\(header)\n")
    try Data("\(header)\n5,1,a\n".utf8).write(to: URL(fileURLWithPath: path))
    _ = try MetricsLog(path: path, columns: columns, goingOnFrom: nil)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "\(header)\n")
  }

  @Test("killed between an epoch's row and the next checkpoint, the row is there once afterwards")
  func rowOnce() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 45)
    let configuration = try SmallRun.configuration(data: folder("data.h5"))
    try SmallRun.train(configuration, in: folder("whole"))
    // Step 3 is the last of the first epoch; its checkpoint was written before the epoch was evaluated.
    let store = CheckpointStore(folder: folder("whole/checkpoints"))
    for entry in try store.entries() where entry.step > 3 {
      try FileManager.default.removeItem(atPath: entry.path)
    }
    #expect(try store.newest()?.checkpoint.progress.epoch == 0)
    try SmallRun.train(configuration, in: folder("whole"))
    let rows = try String(contentsOfFile: folder("whole/metrics.csv"), encoding: .utf8).split(separator: "\n")
    #expect(rows.dropFirst().map { $0.prefix(3) } == ["3,1", "6,2", "9,3"])
    // This process only evaluated the first epoch: it has no speed of training to tell.
    let speeds = RunTable.epochs(ofRun: folder("whole"))?.numbers("samples_per_second") ?? []
    #expect(speeds.count == 3 && speeds[0] == nil && speeds[1] ?? 0 > 0)
  }

  @Test("steps.csv has every step once over restarts, and the rows of a run that was never stopped")
  func stepsTable() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 45)
    let configuration = try SmallRun.configuration(
      data: folder("data.h5"),
      checkpoints: CheckpointConfiguration(every: .steps(2), keep: .init(last: 2, best: 0)))
    func train(_ directory: String, steps: Int?) throws -> Bool {
      let run = try Run(
        RunRequest(
          configuration: configuration, resolvedConfiguration: "", directory: directory, workers: 1,
          stepLimit: steps),
        stop: StopRequest(), observer: Recorder())
      return try run.train()
    }
    #expect(try train(folder("whole"), steps: nil))
    var calls = 1
    while try !train(folder("parts"), steps: 3) { calls += 1 }
    #expect(calls > 2)
    let whole = try #require(RunTable.steps(ofRun: folder("whole")))
    #expect(whole.rows == RunTable.steps(ofRun: folder("parts"))?.rows)
    #expect(whole.numbers("step") == (1...whole.rows.count).map { Double($0) })
    let epochs = try #require(RunTable.epochs(ofRun: folder("whole")))
    #expect(epochs.cells("digest") == RunTable.epochs(ofRun: folder("parts"))?.cells("digest"))
    #expect(Set(epochs.cells("digest") ?? []).count == epochs.rows.count)
  }

  @Test("state.json tells a run that is held from one that was killed")
  func state() throws {
    let folder = try TemporaryFolder()
    let path = folder("run")
    let state = RunState(
      phase: .running, name: "n", runID: "r", step: 1, epoch: 0, epochs: 2, monitor: "loss", seconds: 1,
      updated: "")
    do {
      let directory = try RunDirectory(path: path)
      try state.write(to: path)
      #expect(RunState.read(directory: path)?.phase == .running)
      _ = directory.path
    }
    #expect(RunState.read(directory: path)?.phase == .interrupted)
    #expect(RunState.read(directory: folder("nothing")) == nil)
  }

  // MARK: - Resuming

  @Test("--resume never refuses a directory with checkpoints, and a path is taken as given")
  func resumeChoices() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 45)
    let configuration = try SmallRun.configuration(data: folder("data.h5"))
    try SmallRun.train(configuration, in: folder("a"), stopAfter: 4)
    #expect(
      Self.error { try SmallRun.train(configuration, in: folder("a"), resume: .never) }?.kind == .cannotCreate
    )
    let path = "\(folder("a"))/checkpoints/\(CheckpointStore.fileName(step: 2))"
    let (complete, record) = try SmallRun.train(configuration, in: folder("b"), resume: .path(path))
    #expect(complete && record.steps.first?.step == 3)
    #expect(try SmallRun.train(configuration, in: folder("a")).complete)
    let digests = try SmallRun.digests(in: folder("a"))
    #expect(try SmallRun.digests(in: folder("b")).allSatisfy { digests[$0.key] == $0.value })
  }

  @Test("a changed configuration, network or dataset is refused and named; --allow-changes goes on")
  func changes() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 45)
    var configuration = try SmallRun.configuration(data: folder("data.h5"))
    try SmallRun.train(configuration, in: folder("run"), stopAfter: 2)

    func resume(_ changes: [ConfigurationChange], allow: Bool = false) throws -> [String] {
      let record = Recorder(stopAfter: 1)
      let request = RunRequest(
        configuration: configuration, resolvedConfiguration: "", directory: folder("run"), workers: 1,
        allowChanges: allow, compareConfiguration: { _ in changes })
      _ = try Run(request, stop: record.stop, observer: record).train()
      return record.warnings
    }
    let rate = ConfigurationChange(key: "training.batch", before: "20", after: "30", keepsMeaning: false)
    let file = ConfigurationChange(key: "data.train.file", before: "a", after: "b", keepsMeaning: true)
    let refused = Self.error { _ = try resume([rate, file]) }
    #expect(refused?.kind == .configuration)
    #expect(refused?.description.contains("training.batch was 20 and is 30") == true)
    #expect(refused?.description.contains("data.train.file") == false)
    #expect(try resume([file]) == ["data.train.file was a and is b; going on"])
    #expect(try resume([rate], allow: true).count == 1)

    configuration.network = try SmallRun.network(batchNorm: true)
    #expect(Self.error { _ = try resume([], allow: true) }?.description.contains("another network") == true)
    configuration.network = try SmallRun.network(batchNorm: false)
    try SmallRun.writeDataset(folder("data.h5"), count: 45, seed: 2)
    #expect(Self.error { _ = try resume([]) }?.description.contains("data is not the same") == true)
  }

  @Test("a pixel that no sample of the data touches is found by digests of the contents")
  func dataContents() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 300)
    let configuration = try SmallRun.configuration(
      data: folder("data.h5"), epochs: 1, checkpoints: CheckpointConfiguration(every: .steps(5)))
    func run(verifies: Bool) throws {
      let record = Recorder(stopAfter: 1)
      let request = RunRequest(
        configuration: configuration, resolvedConfiguration: "", directory: folder("run"), workers: 1,
        verifiesData: verifies)
      _ = try Run(request, stop: record.stop, observer: record).train()
    }
    try run(verifies: true)
    try run(verifies: false)
    // Sample 1 is not among the 64 that the quick digest looks at.
    let file = try HDF5.File.open(folder("data.h5"))
    guard case .contiguous(let place?) = try file.root.dataset("images").layout() else {
      Issue.record("the images are not stored in one piece")
      return
    }
    var bytes = try Data(contentsOf: URL(fileURLWithPath: folder("data.h5")))
    bytes[place + 72 + 5] ^= 1
    try bytes.write(to: URL(fileURLWithPath: folder("data.h5")))
    let error = Self.error { try run(verifies: true) }
    #expect(error?.kind == .configuration)
    #expect(
      error?.description.contains("the test data is not the same") == true, "\(error?.description ?? "")")
    #expect(error?.description.contains("the train data is not the same") == true)
  }

  @Test(
    "a disk that is full for a while costs checkpoints and delays rows, and changes nothing else",
    .enabled(if: SmallFileSystem.isAvailable, Comment(rawValue: SmallFileSystem.reason)))
  func fullForAWhile() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 83)
    let configuration = try SmallRun.configuration(
      data: folder("data.h5"), epochs: 6,
      checkpoints: CheckpointConfiguration(every: .steps(1), keep: .init(last: 3, best: 1)))
    try SmallRun.train(configuration, in: folder("whole"), workers: 2)
    let disk = try SmallFileSystem(kibibytes: 2048)
    let recorder = Recorder()
    let observer = DiskFiller(disk, recorder, full: 7..<18)
    let request = RunRequest(
      configuration: configuration, resolvedConfiguration: "\(configuration.seed)\n",
      directory: disk.file("run"),
      workers: 2)
    #expect(try Run(request, stop: recorder.stop, observer: observer).train())
    #expect(recorder.warnings.contains { $0.contains("No space left") })
    let whole = try SmallRun.digests(in: folder("whole"))
    let digests = try SmallRun.digests(in: disk.file("run"))
    #expect(digests[30] == whole[30] && digests[30] != nil)
    func epochs(_ run: String) throws -> [String] {
      try String(contentsOfFile: "\(run)/metrics.csv", encoding: .utf8).split(separator: "\n")
        .map { $0.split(separator: ",").prefix(4).joined(separator: ",") }
    }
    #expect(try epochs(disk.file("run")) == epochs(folder("whole")))
  }

  @Test("data whose shape or classes do not fit the network is refused before training")
  func dataCheck() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 45)
    var configuration = try SmallRun.configuration(data: folder("data.h5"))
    configuration.network = try Network(inputShape: [8, 9, 1], chain: [.flatten, .dense(Dense(units: 5))])
    #expect(
      Self.error { try SmallRun.train(configuration, in: folder("a")) }?.description.contains("8×9×1") == true
    )
    configuration.network = try Network(inputShape: [9, 8, 1], chain: [.flatten, .dense(Dense(units: 4))])
    #expect(
      Self.error { try SmallRun.train(configuration, in: folder("b")) }?.description.contains("5 classes")
        == true)
  }

  @Test("batch normalisation's statistics are in the checkpoint: any workers, any interruption, same bytes")
  func batchNormalisation() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 45)
    let configuration = try SmallRun.configuration(data: folder("data.h5"), batchNorm: true)
    try SmallRun.train(configuration, in: folder("whole"), workers: 3)
    for step in [1, 2, 3] {
      try SmallRun.train(configuration, in: folder("pieces"), workers: step, stopAfter: step)
    }
    try SmallRun.train(configuration, in: folder("pieces"))
    let digests = try SmallRun.digests(in: folder("whole"))
    #expect(digests.count == 9)
    #expect(try SmallRun.digests(in: folder("pieces")) == digests)
  }

  @Test("early stopping counts over restarts")
  func patience() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 45)
    var configuration = try SmallRun.configuration(
      data: folder("data.h5"), epochs: 9,
      optimizer: .sgd(SGD(learningRate: 0)))
    configuration.training.patience = 2
    try SmallRun.train(configuration, in: folder("run"), stopAfter: 4)
    let (complete, record) = try SmallRun.train(configuration, in: folder("run"))
    // Nothing changes at rate 0: the first epoch is the best, two more do not improve on it.
    #expect(complete && record.epochs.last?.epoch == 3)
    #expect(try SmallRun.train(configuration, in: folder("run")).record.steps.isEmpty)
  }
}

/// Fills a disk after one step and gives it back after a later one.
private final class DiskFiller: TrainerObserver {
  private let disk: SmallFileSystem
  private let next: Recorder
  private let full: Range<Int>

  init(_ disk: SmallFileSystem, _ next: Recorder, full: Range<Int>) {
    self.disk = disk
    self.next = next
    self.full = full
  }

  func receive(_ event: TrainerEvent) {
    if case .step(let report) = event {
      if report.step == full.lowerBound { try? disk.fill() }
      if report.step == full.upperBound { try? disk.free() }
    }
    next.receive(event)
  }
}
