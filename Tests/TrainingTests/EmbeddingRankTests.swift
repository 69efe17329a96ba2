import Foundation
import HDF5
import Networks
import Parallel
import Tensors
import TestSupport
import Testing

@testable import Compute
@testable import Training

@Suite("Trainings of embeddings over ranks")
struct EmbeddingRankTests {
  private static let length = 7

  /// Fewer words where vectors are long.
  private static func vocabulary(_ dimensions: [Int]) -> Int { dimensions.contains(2100) ? 90 : 1500 }

  /// Rows of word numbers, few of them frequent and most of them rare, as in texts; half of the rows end with padding.
  private static func writeDataset(_ path: String, count: Int, vocabulary: Int) throws {
    let file = try HDF5.File.create(path, overwrite: true)
    var stream = RandomStream(seed: 5, purpose: .synthetic)
    let words = (0..<count * length).map { place -> Float in
      if place / length % 2 == 1, place % length > 4 { return 0 }
      let share = stream.nextUniform()
      return Float(1 + Int(Float(vocabulary - 2) * share * share * share))
    }
    try file.root.makeDataset("images", type: .float32, shape: [count, length]).write(words)
    try file.root.makeDataset("labels", type: .uint8, shape: [count]).write(
      (0..<count).map { UInt8(words[$0 * length].truncatingRemainder(dividingBy: 5)) })
    try file.close()
  }

  /// One or two embeddings of the same words.
  ///
  /// - Parameter dimensions: those of their vectors; one that is long makes blocks of several slices.
  private static func network(dimensions: [Int]) throws -> Network {
    let embeddings = dimensions.enumerated().map { index, dimension in
      Layer(
        name: "words_\(index)", inputs: ["input"],
        spec: .embedding(
          Embedding(
            vocabulary: vocabulary(dimensions), dimension: dimension, paddingWord: index == 0 ? 0 : nil)))
    }
    var layers = embeddings
    if layers.count > 1 { layers.append(Layer(name: "both", inputs: embeddings.map(\.name), spec: .concat)) }
    let last = layers[layers.count - 1].name
    layers += [
      Layer(name: "conv", inputs: [last], spec: .conv1D(Conv1D(filters: 6, kernel: 3, activation: .relu))),
      Layer(name: "pool", inputs: ["conv"], spec: .globalMaxPool1D),
      Layer(name: "drop", inputs: ["pool"], spec: .dropout(Dropout(rate: 0.25))),
      Layer(name: "head", inputs: ["drop"], spec: .dense(Dense(units: 5))),
    ]
    return try Network(inputShape: [length], layers: layers)
  }

  private static let optimizers: [OptimizerConfiguration] = [
    .adadelta(Adadelta(learningRate: 1, epsilon: 1e-6)), .sgd(SGD(learningRate: 0.2)),
    .adagrad(Adagrad(learningRate: 0.05)), .rmsprop(RMSprop(learningRate: 0.01)), SmallRun.sgd, SmallRun.adam,
    .lamb(LAMB(learningRate: 0.01, weightDecay: 0.01)),
    .adadelta(Adadelta(learningRate: 1, epsilon: 1e-6, weightDecay: 1e-3)),
  ]

  /// A training in which everything takes part that an embedding's gradient must agree with, drawn from a seed.
  private static func configuration(_ folder: TemporaryFolder, seed: Int) throws -> RunConfiguration {
    var draw = RandomStream(seed: UInt64(seed), purpose: .synthetic, a: 2)
    func chance(_ share: Float) -> Bool { draw.nextUniform() < share }
    let dimensions = [[12], [12, 20], [2100], [5, 3]][draw.nextInteger(below: 4)]
    try writeDataset(folder("data.h5"), count: 83, vocabulary: vocabulary(dimensions))
    var configuration = try SmallRun.configuration(
      data: folder("data.h5"), epochs: 3, optimizer: optimizers[seed % optimizers.count])
    configuration.seed = UInt64(seed)
    configuration.network = try network(dimensions: dimensions)
    var choices = "words_0/gradient minibatch\n"
    if dimensions.count > 1, chance(0.7) { choices += "words_1/gradient minibatch\n" }
    if chance(0.3) { choices += "head/gradient minibatch\n" }
    try choices.write(toFile: folder("kernels.txt"), atomically: true, encoding: .utf8)
    configuration.training.tuning = .file(folder("kernels.txt"))
    if chance(0.4) {
      configuration.training.layerRules.append(
        LayerRule(ParameterPattern("words_0"), freezing: .until(epochs: 1)))
    }
    if chance(0.4) {
      configuration.training.layerRules.append(
        LayerRule(
          ParameterPattern("words_\(draw.nextInteger(below: dimensions.count))"), learningRateScale: 0.5,
          weightDecay: chance(0.5) ? 0 : 0.01))
    }
    if chance(0.2) { configuration.training.clipping = .value(0.01) }
    if chance(0.2) { configuration.training.average = MovingAverage(decay: 0.9) }
    if chance(0.2) { configuration.training.maxNorm = MaxNorm(limit: 0.7) }
    return configuration
  }

  @Test("drawn trainings come to the same bytes on any ranks, workers and partitions", arguments: 0..<16)
  func drawn(seed: Int) throws {
    let folder = try TemporaryFolder()
    let configuration = try Self.configuration(folder, seed: seed)
    let proof = try RankTrainingTests.proof(configuration, folder)
    let steps = 9
    let expected = try proof.digests(.init(workers: 1), steps: steps)
    #expect(expected.count == steps + 1 && Set(expected).count == steps + 1)
    var draw = RandomStream(seed: UInt64(seed), purpose: .synthetic, a: 3)
    for ranks in [1, 2, 3, 7] {
      let crew = ExactnessProof.Crew(ranks: ranks, workers: 1 + draw.nextInteger(below: 3))
      let restart = ExactnessProof.Restart(
        after: 1 + draw.nextInteger(below: 8), .init(ranks: 1 + draw.nextInteger(below: 4), workers: 1))
      #expect(try proof.digests(crew, steps: steps, restart: restart) == expected, "\(crew), then \(restart)")
      // Nobody looks before the end, so that blocks have several steps to make up for.
      #expect(try Self.end(configuration, crew, steps: steps) == expected[steps], "\(crew)")
    }
    guard case .none = configuration.training.clipping else { return }
    // A bound that nothing reaches wants the whole gradient first, and moves every row in every step.
    var whole = configuration
    whole.training.clipping = .norm(1e30)
    for ranks in [1, 3] {
      #expect(try Self.end(whole, .init(ranks: ranks, workers: 2), steps: steps) == expected[steps])
    }
  }

  /// The digest of what training changes after some steps, taken once.
  private static func end(
    _ configuration: RunConfiguration, _ crew: ExactnessProof.Crew, steps: Int
  ) throws -> String {
    let request = RunRequest(
      configuration: configuration, resolvedConfiguration: "", directory: "none", workers: 1)
    return try RankThreads.run(crew.ranks) { communicator in
      let ranks = Ranks(communicator)
      let prepared = try PreparedTraining(request, stop: StopRequest())
      let driver = StepDriver(
        configuration, try prepared.makeEngine(workers: crew.workers, ranks: ranks),
        prepared.samples.training, from: TrainingProgress(),
        phases: EnginePhases(prepared, workers: crew.workers, ranks: ranks), stop: StopRequest())
      while driver.progress.step < steps, case .done = try driver.step() {}
      #expect(driver.progress.step == steps)
      return try driver.engine.digest()
    }[0]
  }

  /// Two embeddings and a dense layer whose gradients are taken over the whole minibatch.
  private static func gathering(_ folder: TemporaryFolder, samples: Int) throws -> RunConfiguration {
    try writeDataset(folder("data.h5"), count: 3 * samples, vocabulary: vocabulary([12]))
    var configuration = try SmallRun.configuration(data: folder("data.h5"), epochs: 1)
    configuration.network = try network(dimensions: [12, 20])
    configuration.training.batch = samples
    try "words_0/gradient minibatch\nwords_1/gradient minibatch\nhead/gradient minibatch\n".write(
      toFile: folder("kernels.txt"), atomically: true, encoding: .utf8)
    configuration.training.tuning = .file(folder("kernels.txt"))
    return configuration
  }

  @Test("ranks send as much as is predicted, words and rows among it", arguments: [2, 3, 5])
  func traffic(ranks: Int) throws {
    let folder = try TemporaryFolder()
    let samples = 240
    let all = try ScaleOutTests.traffic(try Self.gathering(folder, samples: samples), ranks: ranks)
    for traffic in all {
      let sent = Double(traffic.exchanged + traffic.gathered)
      #expect(sent > traffic.predicted && sent - traffic.predicted < 4096, "\(sent), \(traffic.predicted)")
    }
    // A word and its vectors' gradients, and what the last layer reads and gets back.
    let perSample = Self.length * (4 + 12 * 4) + Self.length * (4 + 20 * 4) + (6 + 5) * 4
    let kept = Double(perSample * samples * (ranks - 1))
    #expect(all.reduce(0) { $0 + $1.predicted } > kept)
    #expect(kept > 4096 * Double(ranks) * 4)
  }

  @Test("memory for words and rows is asked for before it is taken, as much as is taken")
  func memory() throws {
    let folder = try TemporaryFolder()
    for samples in [20, 240] {
      let configuration = try Self.gathering(folder, samples: samples)
      let request = RunRequest(
        configuration: configuration, resolvedConfiguration: "", directory: "none", workers: 1)
      let prepared = try PreparedTraining(request, stop: StopRequest())
      let taken = try prepared.makeEngine(workers: 1).gatheredByteCounts
      func demand(_ samples: Int) throws -> Int {
        try #require(
          try MemoryDemand.training(prepared.compiled, slots: 1, workers: 1, samples: samples))
      }
      let asked = try demand(samples) - demand(0)
      // Besides, places are sorted by their blocks, and rows begin at whole cache lines.
      let blocks = prepared.compiled.gatheredPieces.count
      let sorting = 2 * 4 * Self.length * samples + 4 * (blocks + 2)
      #expect(asked <= taken.shared && taken.shared - asked - sorting <= 4 * 128, "\(asked), \(taken.shared)")
      #expect(taken.perWorker == 4 * prepared.compiled.longestGatheredPiece && taken.perWorker > 0)
      // More than the memory of any machine, by its samples alone.
      #expect(MemoryDemand.problem(try demand(1 << 40), of: "it", advice: "") != nil)
    }
  }

  @Test("ranks own whole blocks, and each rank's optimizer state is that of its own")
  func ownership() throws {
    let folder = try TemporaryFolder()
    var configuration = try SmallRun.configuration(data: folder("data.h5"), optimizer: SmallRun.adam)
    for dimensions in [[12], [2100], [5, 3]] {
      configuration.network = try Self.network(dimensions: dimensions)
      let resolved = try configuration.network.resolved()
      var options = CompileOptions(batch: 20, criterion: configuration.criterion(of: resolved))
      options.weightsToGather = 1
      let compiled = try CompiledNetwork(resolved, options: options)
      let gathered = compiled.gatheredPieces
      let tables = compiled.segments.indices.filter {
        compiled.segments[$0].parameter.spec.name == "embeddings"
      }
      #expect(tables.count == dimensions.count)
      for table in tables {
        // Blocks cover the table without gaps.
        let blocks = gathered.filter { $0.segment == table }.map(\.range)
        #expect(blocks.count > 1)
        #expect(blocks.flatMap(Array.init) == Array(compiled.segments[table].range))
      }
      let slices = UpdateSlice.cut(compiled.segments, configuration.training, gathered: gathered)
      for size in 1...9 {
        let owned = try RankThreads.run(size) { communicator in
          Ownership(
            slices, gathered: gathered, storageCount: compiled.storageCount,
            trainedCount: compiled.trainedCount, ranks: Ranks(communicator)
          ).ownParameters
        }
        #expect(owned.flatMap(Array.init) == Array(0..<compiled.storageCount))
        for piece in gathered {
          #expect(owned.filter { $0.overlaps(piece.range) }.count == 1)
        }
      }
    }
  }

  @Test("a frozen embedding has no gradient, and no place in what only trained parameters have")
  func frozen() throws {
    let network = try Self.network(dimensions: [12, 20]).resolved()
    let layout = ParameterLayout(network)
    var options = CompileOptions(batch: 20, criterion: .classification)
    options.weightsToGather = 1
    options.frozen = ["words_0/embeddings"]
    let compiled = try CompiledNetwork(network, options: options)
    let embeddings = compiled.segments.filter { $0.parameter.spec.name == "embeddings" }
    #expect(embeddings.map(\.isTrained) == [false, true])
    #expect(compiled.gatheredPieces.allSatisfy { compiled.segments[$0.segment].isTrained })
    let frozen = try #require(layout.parameters.first { $0.path == "words_0/embeddings" })
    #expect(compiled.storageCount - compiled.trainedCount == frozen.spec.shape.elementCount)
    #expect(try GatheredGradients(compiled, minibatches: [20], workers: 1)?.blocks.count ?? 0 > 1)
  }
}
