import Foundation
import Networks
import Testing

@testable import Training

@Suite("What checkpoints cost")
struct CheckpointCostTests {
  private func benchmark(_ folder: TemporaryFolder, _ checkpoints: CheckpointConfiguration) throws
    -> Benchmark
  {
    try SmallRun.writeDataset(folder("data.h5"), count: 83)
    let configuration = try SmallRun.configuration(data: folder("data.h5"), checkpoints: checkpoints)
    return try Benchmark(
      RunRequest(configuration: configuration, resolvedConfiguration: "", directory: "", workers: 2),
      stop: StopRequest())
  }

  @Test("checkpoints are really written, and nothing of them stays")
  func measured() throws {
    let folder = try TemporaryFolder()
    let benchmark = try benchmark(folder, CheckpointConfiguration(every: .steps(10), keep: .init(best: 0)))
    let cost = try benchmark.checkpointCost(seconds: 0, in: folder.path)
    #expect(cost.rounds == 3)
    #expect(cost.byteCount > 10_000)
    #expect(cost.copySeconds > 0 && cost.lowerQuartile <= cost.seconds && cost.seconds <= cost.upperQuartile)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["data.h5"])
  }

  @Test("the share is the cost over the time between checkpoints, of which the best epochs make more")
  func interval() throws {
    let folder = try TemporaryFolder()
    // An epoch has 5 steps.
    func interval(_ every: CheckpointInterval, best: Int) throws -> Double {
      let benchmark = try benchmark(folder, CheckpointConfiguration(every: every, keep: .init(best: best)))
      return benchmark.checkpointInterval(secondsPerStep: 0.5)
    }
    #expect(try interval(.steps(10), best: 0) == 5)
    #expect(try interval(.epochs(4), best: 0) == 10)
    #expect(try interval(.epochs(4), best: 1) == 2.5)
    #expect(try interval(.minutes(2), best: 0) == 120)
    // One every 5 s, and one every 2.5 s.
    #expect(abs(try interval(.steps(10), best: 2) - 1 / (1 / 5 + 1 / 2.5)) < 1e-9)
    let cost = CheckpointCost(
      seconds: 0.01, lowerQuartile: 0, upperQuartile: 0, copySeconds: 0, byteCount: 0, rounds: 3,
      intervalSeconds: 2)
    #expect(cost.share == 0.005)
  }

  @Test("a folder that does not take checkpoints is an error")
  func failures() throws {
    let folder = try TemporaryFolder()
    let benchmark = try benchmark(folder, CheckpointConfiguration())
    let error = RunTests.error { _ = try benchmark.checkpointCost(seconds: 0, in: folder("data.h5")) }
    #expect(error?.kind == .cannotCreate)
  }

  @Test("timing kernels ends when asked to")
  func tuning() throws {
    let folder = try TemporaryFolder()
    let configuration = try SmallRun.configuration(data: folder("data.h5"))
    let stop = StopRequest()
    let tuning = Tuning(try configuration.network.resolved(), configuration.training, stop: stop)
    #expect(try !tuning.measure().1.isEmpty)
    stop.request()
    #expect(throws: StoppedEarly.self) { _ = try tuning.measure() }
  }
}
