import Networks
import Tensors
import TestSupport
import Testing

@testable import Compute

@Suite("Gradients of embeddings over a whole minibatch")
struct GatheredTableTests {
  @Test(
    "the words of several shards come to the gradients of their minibatch, for drawn sizes", arguments: 0..<16
  )
  func shards(_ seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    func draw(_ range: ClosedRange<Int>) -> Int { range.lowerBound + random.next(below: range.count) }
    let (length, dimension, vocabulary, samples) = (draw(1...12), draw(1...40), draw(2...900), draw(1...30))
    let shard = draw(1...samples)
    let padding = draw(0...2) == 0 ? nil : draw(0...vocabulary - 1)
    let network = try Network(
      inputShape: [length],
      chain: [
        .embedding(Embedding(vocabulary: vocabulary, dimension: dimension, paddingWord: padding)),
        .conv1D(Conv1D(filters: 4, kernel: 1, activation: .tanh)), .flatten, .dense(Dense(units: 3)),
      ]
    ).resolved()
    var options = CompileOptions(batch: samples, shard: shard)
    options.weightsToGather = 1
    let compiled = try CompiledNetwork(network, options: options)
    #expect(compiled.gatheredTables.count == 1)
    let canonical = compiled.parameters.initialValues(seed: seed)
    let parameters = AlignedBuffer<Float>(count: compiled.storageCount)
    try compiled.load(canonical.trainable.baseAddress, into: parameters.baseAddress)
    let ranges = stride(from: 0, to: samples, by: shard).map { $0..<min($0 + shard, samples) }
    let loaded = try LoadedNetwork(
      compiled, parameters: parameters, statistics: canonical.statistics,
      trainingShards: Set(ranges.map(\.count)))
    let gathered = try #require(
      try GatheredGradients(compiled, minibatches: [samples], workers: 1), "nothing is gathered")
    // Few words often, so that rows get several vectors; and the padding's.
    let words = (0..<samples * length).map { _ in
      draw(0...3) == 0 ? draw(0...vocabulary - 1) : draw(0...min(4, vocabulary - 1))
    }
    let input = ReferenceTensor(Shape([samples, length]), words.map { Double($0) })
    let labels = (0..<samples).map { $0 * 3 % 3 }
    let workspace = try loaded.makeWorkspace()
    let shardGradient = AlignedBuffer<Float>(count: max(16, compiled.gradientCount))
    let none = AlignedBuffer<Float>(count: 16)
    // In another order than that of the rows, as workers may take them; and again, as in a next step.
    for _ in 0..<2 {
      for range in ranges.reversed() {
        let part = ReferenceTensor(
          Shape([range.count, length]),
          Array(input.values[range.lowerBound * length..<range.upperBound * length]))
        _ = try loaded.train(
          ArraySource(part, labels: Array(labels[range])), in: workspace,
          options: ShardOptions(scale: 1 / Float(samples), gathered: gathered.rows(from: range.lowerBound)),
          gradient: shardGradient.baseAddress, statistics: none.baseAddress)
      }
      let whole = AlignedBuffer<Float>(count: compiled.storageCount)
      let touched = gathered.sortWords(rows: samples)
      let rows = compiled.gatheredTables[0].rowsPerBlock
      #expect(touched == Set(words.filter { $0 != padding }.map { $0 / rows }).sorted())
      for index in touched {
        let range = gathered.blocks[index].range
        let piece = AlignedBuffer<Float>(count: range.count)
        gathered.compute(block: index, into: piece.baseAddress)
        (whole.baseAddress + range.lowerBound).update(from: piece.baseAddress, count: piece.count)
      }
      let found = CanonicalParameters(layout: compiled.parameters)
      try compiled.export(whole.baseAddress, into: found.trainable.baseAddress)
      let expected = ReferenceNetwork(network, canonical).run(
        input, labels: labels, scale: 1 / Double(samples))
      let table = try #require(compiled.parameters.parameters.first { $0.spec.name == "embeddings" })
      expectClose(
        Array(found.values(of: table)), try #require(expected.gradients[table.path]), absolute: 1e-7,
        ofLargest: 5e-5, "\(vocabulary) × \(dimension), \(samples) of \(length) words in shards of \(shard)")
    }
  }

  @Test("blocks are whole lanes and rows, and together the table")
  func blocks() throws {
    for (vocabulary, dimension) in [(7, 3), (1000, 300), (20000, 16), (5, 2048), (33, 1), (4096, 100)] {
      let network = try Network(
        inputShape: [4],
        chain: [
          .embedding(Embedding(vocabulary: vocabulary, dimension: dimension)), .globalMaxPool1D,
          .dense(Dense(units: 2)),
        ]
      ).resolved()
      var options = CompileOptions(batch: 4, shard: 4)
      options.weightsToGather = 1
      let compiled = try CompiledNetwork(network, options: options)
      let table = try #require(compiled.gatheredTables.first)
      let blocks = table.blocks
      #expect(blocks.first?.lowerBound == table.segment.range.lowerBound)
      #expect(blocks.last?.upperBound == table.segment.range.upperBound)
      for (block, next) in zip(blocks, blocks.dropFirst()) { #expect(block.upperBound == next.lowerBound) }
      for block in blocks.dropLast() {
        #expect(block.count % Lanes.scalarCount == 0 && block.count % dimension == 0)
      }
    }
  }

  @Test("a table is gathered for its size, by what was chosen before, and never where that is silent")
  func choices() throws {
    let network = try Network(
      inputShape: [4],
      chain: [
        .embedding(Embedding(vocabulary: 700, dimension: 100)), .globalMaxPool1D, .dense(Dense(units: 2)),
      ]
    ).resolved()
    func isGathered(_ change: (inout CompileOptions) -> Void) throws -> Bool {
      var options = CompileOptions(batch: 4, shard: 4)
      change(&options)
      return try !CompiledNetwork(network, options: options).gatheredTables.isEmpty
    }
    #expect(try isGathered { _ in })
    #expect(try !isGathered { $0.training = false })
    #expect(try !isGathered { $0.mayTakeOwnKernels = false })
    let named = try CompiledNetwork(network, options: CompileOptions(batch: 4, shard: 4)).choices
    #expect(named.text.contains("embedding/gradient minibatch"))
    #expect(try isGathered { ($0.kernels, $0.hasAllChoices) = (.chosen(named), true) })
    #expect(try !isGathered { ($0.kernels, $0.hasAllChoices) = (.chosen(KernelChoices()), true) })
  }
}
