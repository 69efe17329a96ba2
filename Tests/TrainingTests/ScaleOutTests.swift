import Compute
import Foundation
import Networks
import Parallel
import Synchronization
import Tensors
import TestSupport
import Testing

@testable import Training

@Suite("What ranks send, and predictions of steps on many nodes")
struct ScaleOutTests {
  /// A rank that counts the bytes that it gives to others.
  final class Counting: Communicator {
    let inner: any Communicator
    let exchanged = Atomic<Int>(0)
    let gathered = Atomic<Int>(0)

    init(_ inner: any Communicator) { self.inner = inner }

    var rank: Int { inner.rank }
    var size: Int { inner.size }
    var nodes: [String] { inner.nodes }

    func startExchange(
      _ outgoing: [UnsafeRawBufferPointer], _ incoming: [UnsafeMutableRawBufferPointer]
    ) throws(CommunicationError) -> Exchange {
      let bytes = outgoing.enumerated().reduce(0) { $0 + ($1.offset == rank ? 0 : $1.element.count) }
      exchanged.add(bytes, ordering: .relaxed)
      return try inner.startExchange(outgoing, incoming)
    }

    func finish(_ exchange: Exchange) throws(CommunicationError) { try inner.finish(exchange) }

    func gather(_ base: UnsafeMutableRawPointer, parts: [Range<Int>]) throws(CommunicationError) {
      gathered.add(parts[rank].count * (size - 1), ordering: .relaxed)
      try inner.gather(base, parts: parts)
    }

    func abort(code: Int32) { inner.abort(code: code) }
  }

  /// The bytes that each rank sends in the second step: partial sums, whatever else is gathered, and what its engine says; and the bytes
  /// of a gradient and of the parameters.
  struct Traffic: Sendable {
    let exchanged: Int
    let gathered: Int
    let predicted: Double
    let gradient: Double
    let parameters: Double
  }

  static func traffic(
    _ configuration: RunConfiguration, ranks: Int, partition: (@Sendable (Int) -> [Range<Int>])? = nil
  ) throws -> [Traffic] {
    let request = RunRequest(
      configuration: configuration, resolvedConfiguration: "", directory: "none", workers: 1)
    return try RankThreads.run(ranks) { communicator in
      let counting = Counting(communicator)
      let stop = StopRequest()
      let prepared = try PreparedTraining(request, stop: stop)
      let engine = try prepared.makeEngine(
        workers: 1, ranks: Ranks(counting, partition: partition))
      let driver = StepDriver(
        configuration, engine, prepared.samples.training, from: TrainingProgress(), stop: stop)
      _ = try driver.step()
      let before = (counting.exchanged.load(ordering: .relaxed), counting.gathered.load(ordering: .relaxed))
      guard case .done = try driver.step() else { throw CommunicationError("no second step") }
      return Traffic(
        exchanged: counting.exchanged.load(ordering: .relaxed) - before.0,
        gathered: counting.gathered.load(ordering: .relaxed) - before.1,
        predicted: engine.bytesSent(samples: configuration.training.samplesPerStep),
        gradient: 4 * Double(prepared.compiled.gradientCount),
        parameters: 4 * Double(prepared.compiled.storageCount))
    }
  }

  /// A training of 16 shards on a network large enough that its parameters outweigh all agreements.
  static func configuration(_ folder: TemporaryFolder) throws -> RunConfiguration {
    var configuration = try SmallRun.configuration(data: folder("data.h5"), epochs: 1)
    configuration.training.batch = 32
    configuration.training.shard = 2
    var layers = try SmallRun.network().layers.map(\.spec)
    layers.insert(.dense(Dense(units: 900, activation: .relu)), at: layers.count - 1)
    configuration.network = try Network(inputShape: [9, 8, 1], chain: layers)
    return configuration
  }

  @Test(
    "a step sends (k + 1)(R − 1)/R times the gradient, for k partial sums of each rank", arguments: [2, 4, 8])
  func volume(ranks: Int) throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 96)
    let configuration = try Self.configuration(folder)
    // Aligned shares have one sum. Moved by one shard, all but the ends have more.
    let uneven: @Sendable (Int) -> [Range<Int>] = { count in
      let share = count / ranks
      let bounds = [0] + (1..<ranks).map { $0 * share - 1 } + [count]
      return zip(bounds, bounds.dropFirst()).map { $0..<$1 }
    }
    for partition in [nil, uneven] {
      let all = try Self.traffic(configuration, ranks: ranks, partition: partition)
      let ranges = partition?(16) ?? (0..<ranks).map { $0 * 16 / ranks..<($0 + 1) * 16 / ranks }
      let tree = SumTree(count: 16)
      for (rank, traffic) in all.enumerated() {
        let nodes = Double(tree.maximalNodes(in: ranges[rank]).count)
        let share = Double(ranks - 1) / Double(ranks)
        // Slices of 2,048 floats are not divided, and agreements are some hundred bytes.
        let slack = 2.0 * 2048 * 4 * (nodes + 1) * Double(ranks)
        let formula = nodes * share * traffic.gradient + share * traffic.parameters
        let sent = Double(traffic.exchanged + traffic.gathered)
        #expect(abs(sent - formula) < slack, "rank \(rank) of \(ranks): \(sent), by the formula \(formula)")
        #expect(sent > traffic.predicted && sent - traffic.predicted < 4096, "\(sent), \(traffic.predicted)")
      }
      let sum = all.reduce(0.0) { $0 + $1.predicted }
      let nodes = ranges.reduce(0) { $0 + tree.maximalNodes(in: $1).count }
      // Over all ranks nothing depends on how slices are divided.
      let gradient = all[0].gradient
      let most = Double(nodes) * gradient + Double(ranks - 1) * all[0].parameters
      #expect(sum < most && sum > most * Double(ranks - 1) / Double(ranks) * 0.9)
    }
  }

  // MARK: - Predictions

  static func figures(_ configuration: RunConfiguration, workers: Int) throws -> TrainingFigures {
    let benchmark = try Benchmark(
      RunRequest(configuration: configuration, resolvedConfiguration: "", directory: "", workers: workers),
      stop: StopRequest())
    return try benchmark.figures(try benchmark.training(seconds: 0.05), workers: workers, key: "k")
  }

  static let network = Interconnect(latency: 1e-5, perMessage: 5e-6, bytesPerSecond: 1e9)

  @Test("one node like the measured one takes the measured time", arguments: [1, 2, 3])
  func measuredStep(workers: Int) throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 96)
    let figures = try Self.figures(try Self.configuration(folder), workers: workers)
    #expect(figures.shardSize == 2 && figures.minibatch == 32 && figures.workers == workers)
    #expect(figures.steps >= 5 && figures.fault == nil)
    let plan = try ScaleOutPlan(figures, on: Self.network)
    for exchange in StepCostModel.Exchange.allCases {
      let row = plan.rows(.strong(minibatch: 32), nodes: [1], exchange: exchange)[0]
      #expect(row.shards == 16 && row.efficiency == 1 && row.limit == .nothing)
      // Medians of parts can exceed the median of the whole.
      #expect(row.step.seconds > figures.stepSeconds * 0.999 && row.step.seconds < figures.stepSeconds * 1.3)
    }
  }

  @Test("more nodes with a minibatch each are as fast by the network as the model of a step says")
  func rows() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 96)
    let figures = try Self.figures(try Self.configuration(folder), workers: 1)
    let nodes = [1, 2, 3, 16, 100, 1024]
    let slow = try ScaleOutPlan(figures, on: Self.network, nodeWorkers: 4)
    let quick = try ScaleOutPlan(
      figures, on: Interconnect(latency: 1e-7, perMessage: 1e-8, bytesPerSecond: 1e11), nodeWorkers: 4)
    for scaling in [ScaleOutPlan.Scaling.strong(minibatch: 512), .weak(perNode: 64)] {
      let (a, b) = (slow.rows(scaling, nodes: nodes), quick.rows(scaling, nodes: nodes))
      for (slow, quick) in zip(a, b).dropFirst() {
        #expect(slow.step.seconds > quick.step.seconds)
        #expect(slow.imagesPerSecond == Double(slow.minibatch) / slow.step.seconds)
      }
      #expect(a.map(\.nodes) == nodes && a[0].step.bytesSent == 0)
    }
    let strong = slow.rows(.strong(minibatch: 512), nodes: nodes)
    #expect(strong.allSatisfy { $0.minibatch == 512 && $0.shards == 256 })
    #expect(zip(strong, strong.dropFirst()).allSatisfy { $0.efficiency > $1.efficiency })
    #expect(strong[5].limit != .nothing)
    let weak = slow.rows(.weak(perNode: 64), nodes: nodes)
    #expect(weak.map(\.shards) == nodes.map { 32 * $0 })
    // Optimizer's state is divided; what is left of it on a node is a part.
    let slots = Double(figures.work.slots) * figures.work.parameterBytes
    let (two, sixteen) = (strong[1], strong[3])
    let buffers = { (row: ScaleOutPlan.Row) in row.memoryBytes - row.step.bufferBytes }
    #expect(abs(buffers(two) - buffers(sixteen) - slots * (1.0 / 2 - 1.0 / 16)) < 1)
  }

  @Test("where workers share shards, a node has as many as were measured")
  func intra() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 96)
    var configuration = try Self.configuration(folder)
    configuration.training.parallelism = .intra
    configuration.training.shard = nil
    let figures = try Self.figures(configuration, workers: 2)
    #expect(figures.sharesShards && figures.shardSize == 1)
    let plan = try ScaleOutPlan(figures, on: Self.network)
    let row = plan.rows(.strong(minibatch: 32), nodes: [1])[0]
    #expect(row.step.seconds < figures.stepSeconds * 1.3)
    #expect(throws: TrainingError.self) { try ScaleOutPlan(figures, on: Self.network, nodeWorkers: 3) }
  }

  @Test("a file of figures comes back as it was, and one that cannot be right is refused")
  func files() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 96)
    let training = try Self.figures(try Self.configuration(folder), workers: 1)
    var figures = MachineFigures()
    figures.add(training)
    figures.add(training)
    #expect(figures.trainings.count == 1)
    let path = folder("machine.json")
    #expect(try MachineFigures.read(path) == nil)
    try figures.text().write(toFile: path, atomically: true, encoding: .utf8)
    #expect(try MachineFigures.read(path) == figures)
    #expect(figures.training("k") == training && figures.training("other") == nil)
    let text = try figures.text()
    let damaged = [
      "", "[]", "{}", String(text.dropLast(30)),
      text.replacing("\"workers\" : 1", with: "\"workers\" : 0"),
      text.replacing("\"shardSize\" : 2", with: "\"shardSize\" : -2"),
      text.replacing("\"slots\" : ", with: "\"slots\" : 99"),
      text.replacing("\"gradientBytes\" : ", with: "\"gradientBytes\" : -"),
      text.replacing("\"secondsPerShard\" : ", with: "\"secondsPerShard\" : -"),
    ]
    for text in damaged {
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      #expect(throws: TrainingError.self, "\(text)") { try MachineFigures.read(path) }
    }
  }
}
