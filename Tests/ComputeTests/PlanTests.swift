import Networks
import Tensors
import TestSupport
import Testing

@testable import Compute

@Suite("Plans")
struct PlanTests {
  @Test("no step of a benchmark network is a reference loop", arguments: StandardNetwork.allCases)
  func noReferenceKernels(_ name: StandardNetwork) throws {
    for precision in ComputePrecision.allCases where precision == .fp32 || Processor.hasBF16 {
      let options = CompileOptions(batch: name.batch, precision: precision)
      let compiled = try CompiledNetwork(try name.network().resolved(), options: options)
      let plans = [
        try compiled.trainingPlan(samples: compiled.shardSize),
        try compiled.inferencePlan(samples: compiled.shardSize),
      ]
      for plan in plans {
        #expect(plan.stepNames.contains { $0.kernel.hasPrefix("jit") || $0.kernel.hasPrefix("brg") })
        let slow = plan.stepNames.filter { $0.kernel.hasPrefix("ref") }
        #expect(slow.isEmpty, "\(name) \(precision): \(slow)")
      }
    }
  }

  @Test(
    "the same shard gives the same bytes in any workspace, however dirty",
    arguments: [KernelSelection.direct, .winograd, .own])
  func repeatable(_ kernels: KernelSelection) throws {
    let network = try StandardNetwork.lecture.network().resolved()
    let harness = try PlanHarness(network, CompileOptions(batch: 64, shard: 8, kernels: kernels), samples: 8)
    let first = source(network, 8, seed: 1)
    let other = source(network, 8, seed: 2)
    let used = try harness.loaded.makeWorkspace()
    func gradient(_ source: ArraySource, _ workspace: Workspace) throws -> [UInt32] {
      let gradient = AlignedBuffer<Float>(count: harness.compiled.storageCount)
      let statistics = AlignedBuffer<Float>(count: 1)
      gradient.fill(with: .infinity)
      _ = try harness.loaded.train(
        source, in: workspace, options: ShardOptions(scale: 1), gradient: gradient.baseAddress,
        statistics: statistics.baseAddress)
      return gradient.array().map(\.bitPattern)
    }
    let expected = try gradient(first, try harness.loaded.makeWorkspace())
    for _ in 0..<3 {
      #expect(try gradient(other, used) != expected)
      #expect(try gradient(first, used) == expected)
    }
  }

  @Test("padding in the parameters' layout has no gradient")
  func paddingStaysZero() throws {
    let network = try StandardNetwork.lecture.network().resolved()
    let harness = try PlanHarness(network, CompileOptions(batch: 64, shard: 4), samples: 4)
    let output = try harness.train(source(network, 4, seed: 1), ShardOptions(scale: 1))
    // What survives the way into canonical order and back is no padding; the rest must be zero already.
    let back = AlignedBuffer<Float>(count: harness.compiled.storageCount)
    try harness.compiled.load(output.gradient.trainable.baseAddress, into: back.baseAddress)
    for segment in harness.compiled.segments {
      let found = Array(output.storage.elements[segment.range])
      let wanted = Array(back.elements[segment.range])
      let differing = found.indices.filter { found[$0] != wanted[$0] }
      #expect(
        differing.isEmpty,
        "\(segment.parameter.path): \(differing.count) of \(found.count), first \(differing.prefix(3).map { (found[$0], wanted[$0]) })"
      )
    }
    #expect(harness.compiled.storageCount > harness.compiled.parameters.trainableCount)
  }

  @Test("parameters come back from the plan's layout bit by bit", arguments: StandardNetwork.allCases)
  func roundTrip(_ name: StandardNetwork) throws {
    let compiled = try CompiledNetwork(
      try name.network().resolved(), options: CompileOptions(batch: name.batch, shard: 2))
    let values = compiled.parameters.initialValues(seed: 3)
    let stored = AlignedBuffer<Float>(count: compiled.storageCount)
    let back = AlignedBuffer<Float>(count: compiled.parameters.trainableCount)
    try compiled.load(values.trainable.baseAddress, into: stored.baseAddress)
    try compiled.export(stored.baseAddress, into: back.baseAddress)
    #expect(back.array() == values.trainable.array())
  }

  @Test("two fresh compilations choose the same kernels and shards", arguments: StandardNetwork.allCases)
  func deterministicChoices(_ name: StandardNetwork) throws {
    let network = try name.network().resolved()
    let compiled = try (0..<2).map { _ in
      try CompiledNetwork(network, options: CompileOptions(batch: name.batch))
    }
    #expect(compiled[0].shardSize == compiled[1].shardSize)
    let plans = try compiled.map { try $0.trainingPlan(samples: $0.shardSize) }
    #expect(plans[0].stepNames == plans[1].stepNames)
    #expect(plans[0].choices == plans[1].choices)
  }

  @Test(
    "choices survive their text and give the same plan again", arguments: StandardNetwork.allCases,
    [KernelSelection.winograd, .own])
  func choices(_ name: StandardNetwork, _ kernels: KernelSelection) throws {
    let network = try name.network().resolved()
    let compiled = try CompiledNetwork(
      network, options: CompileOptions(batch: name.batch, kernels: kernels))
    let choices = compiled.choices
    let read = try #require(KernelChoices(text: "# a comment\n" + choices.text))
    #expect(read == choices)
    let again = try CompiledNetwork(
      network, options: CompileOptions(batch: name.batch, kernels: .chosen(read)))
    #expect(again.shardSize == compiled.shardSize)
    #expect(
      try again.trainingPlan(samples: again.shardSize).stepNames
        == compiled.trainingPlan(samples: compiled.shardSize).stepNames)
    #expect(KernelChoices(text: "conv2d/forward fastest") == nil)
    #expect(KernelChoices(text: "shard 0") == nil)
    // The library's kernels have the word that they had before there were others.
    let earlier = try #require(KernelChoices(text: "conv2d/forward winograd"))
    #expect(earlier.hasWinograd && !earlier.hasOwn)
  }

  @Test("the tuner asks before each run of a kernel whether to go on")
  func tunerStops() throws {
    let network = try StandardNetwork.lecture.network().resolved()
    var asked = 0
    let timings = try KernelTuner(samples: 2, repeats: 1000).timings(of: network) {
      asked += 1
      return asked < 3
    }
    // Once before the layer, once before its first kernel, and after the first run of it. Whatever comes later asks in vain.
    #expect(timings.count == 1)
    #expect(asked <= 6)
  }

  @Test("the tuner says what it times next, and counts convolutions of an equal shape once")
  func tunerReports() throws {
    func conv(_ name: String, after input: String) -> Layer {
      Layer(
        name: name, inputs: [input],
        spec: .conv2D(Conv2D(filters: 8, kernel: Size2D(3), padding: .same, activation: .relu)))
    }
    let network = try Network(
      inputShape: [6, 5, 8],
      layers: [
        conv("first", after: Network.inputName), conv("second", after: "first"),
        conv("third", after: "second"),
        Layer(name: "end", inputs: ["third"], spec: .flatten),
      ]
    ).resolved()
    var turns: [TuningTurn] = []
    let timings = try KernelTuner(samples: 2, repeats: 1).timings(of: network, report: { turns.append($0) })
    // The first one's image needs no gradient.
    #expect(turns.map(\.layer) == ["first", "second"])
    #expect(turns.map(\.done) == [0, 1] && turns.allSatisfy { $0.count == 2 })
    #expect(turns.allSatisfy { $0.shape == "8→8 channels, 6×5" })
    #expect(Set(timings.map(\.layer)) == ["first", "second", "third"])
  }

  @Test("the shard size is known without compiling", arguments: [4, 128])
  func shardSize(batch: Int) throws {
    let network = try StandardNetwork.lecture.network().resolved()
    let options = CompileOptions(batch: batch)
    let compiled = try CompiledNetwork(network, options: options)
    #expect(CompiledNetwork.shardSize(of: network, options: options) == compiled.shardSize)
  }

  @Test("sizes of shards to choose from keep two and four workers busy to the end of a minibatch of any size")
  func shardSizes() {
    for batch in 1...600 {
      let sizes = CostModel.shardSizes(batch: batch)
      #expect(!sizes.isEmpty && sizes == sizes.sorted() && sizes.allSatisfy { (1...64).contains($0) })
      for size in sizes where batch >= 32 {
        let shards = (batch + size - 1) / size
        #expect(shards >= 2 && shards % 2 == 0 || shards > 6, "\(batch): \(shards) shards of \(size)")
        for workers in [2, 4] where shards > workers {
          let share = Double((shards + workers - 1) / workers * size * workers) / Double(batch)
          #expect(share < 1.5, "\(batch): \(shards) shards of \(size) on \(workers)")
        }
      }
    }
    #expect(CostModel.shardSizes(batch: 96) == [1, 2, 3, 6, 12, 24, 48])
    #expect(CostModel.shardSizes(batch: 128) == [1, 2, 4, 8, 16, 32, 64])
  }

  @Test("the tuner times every kernel there is and takes the fastest")
  func tuner() throws {
    let network = try StandardNetwork.lecture.network().resolved()
    let timings = try KernelTuner(samples: 2, repeats: 1).timings(of: network)
    #expect(Set(timings.map(\.layer)) == ["conv2d", "conv2d_1"])
    let winograd = try CompiledNetwork(
      network, options: CompileOptions(batch: 4, shard: 2, kernels: .winograd))
    // Direct and, where there are such for this CPU, the library's Winograd and our own; the gradient of the image is left out. The first
    // layer's weights read one channel, for which we have a kernel of its own.
    let own = Processor.hasOwn ? 1 : 0
    let kinds = 1 + (winograd.choices.hasWinograd ? 1 : 0) + own
    #expect(timings.count == kinds * (2 + 3) + own)
    #expect(timings.allSatisfy { $0.seconds > 0 && $0.flops > 0 })
    let choices = KernelTuner.fastest(timings, precision: .fp32)
    for layer in ["conv2d", "conv2d_1"] {
      for pass in Pass.allCases {
        let own = timings.filter { $0.layer == layer && $0.pass == pass }
        #expect(choices[layer, pass] == own.min { $0.seconds < $1.seconds }?.algorithm)
      }
    }
  }

  @Test(
    "maxima and the gradient of weights that read one channel are our kernels', the latter not where a training began without",
    .enabled(if: Processor.hasOwn, Processor.noOwn))
  func ownKernels() throws {
    let network = try StandardNetwork.lecture.network().resolved()
    let compiled = try CompiledNetwork(network, options: CompileOptions(batch: 128))
    func kernels(_ network: CompiledNetwork, _ beginning: String) throws -> [StepName] {
      try network.trainingPlan(samples: network.shardSize).stepNames.filter {
        $0.kernel.hasPrefix(beginning)
      }
    }
    let maxima = try kernels(compiled, "own_max")
    #expect(maxima.map(\.layer) == ["max_pool2d", "max_pool2d_1", "max_pool2d_1", "max_pool2d"])
    #expect(try kernels(compiled, "own_narrow").map(\.layer) == ["conv2d"])
    #expect(compiled.choices["conv2d", .backwardWeights] == .narrow)
    var earlier = compiled.choices
    earlier["conv2d", .backwardWeights] = .direct
    let before = try CompiledNetwork(
      network, options: CompileOptions(batch: 128, kernels: .chosen(earlier)))
    #expect(try kernels(before, "own_narrow").isEmpty && kernels(before, "own_max").count == 4)
  }

  @Test(
    "gradients of maxima that overlap are added up by the kernel that the training began with",
    .enabled(if: Processor.hasOwn, Processor.noOwn))
  func overlappingMaxima() throws {
    let network = try Network(
      inputShape: [9, 9, 16],
      chain: [
        .conv2D(Conv2D(filters: 16, kernel: Size2D(3))),
        .maxPool2D(Pool2D(size: Size2D(3), stride: Size2D(2))), .flatten, .dense(Dense(units: 2)),
      ]
    ).resolved()
    func maxima(_ options: CompileOptions) throws -> (choices: KernelChoices, own: Int) {
      let compiled = try CompiledNetwork(network, options: options)
      let plan = try compiled.trainingPlan(samples: compiled.shardSize)
      return (compiled.choices, plan.stepNames.count { $0.kernel.hasPrefix("own_max") })
    }
    let fresh = try maxima(CompileOptions(batch: 4))
    #expect(fresh.own == 2 && fresh.choices.text.contains("max_pool2d/maxima own"))
    var options = CompileOptions(batch: 4, kernels: .chosen(fresh.choices))
    options.hasAllChoices = true
    #expect(try maxima(options).own == 2)
    // A checkpoint that was written before there was a choice.
    let lines = fresh.choices.text.split(separator: "\n").filter { !$0.contains("maxima") }
    let earlier = try #require(KernelChoices(text: lines.joined(separator: "\n")))
    options.kernels = .chosen(earlier)
    let resumed = try maxima(options)
    #expect(resumed.own == 0 && resumed.choices.text.contains("max_pool2d/maxima library"))
    // What only infers has the same bits by both.
    options.training = false
    #expect(
      try CompiledNetwork(network, options: options).inferencePlan(samples: 4).stepNames.contains {
        $0.kernel.hasPrefix("own_max")
      })
  }

  @Test("a NaN is found in the layer where it appears")
  func nonFinite() throws {
    let network = try StandardNetwork.lecture.network().resolved()
    let harness = try PlanHarness(network, CompileOptions(batch: 64, shard: 4), samples: 4)
    let bias = try #require(harness.compiled.parameters.parameters.first { $0.path == "conv2d_1/bias" })
    harness.canonical.values(of: bias)[3] = .nan
    try harness.compiled.load(
      harness.canonical.trainable.baseAddress, into: harness.loaded.parameters.baseAddress)
    let gradient = AlignedBuffer<Float>(count: harness.compiled.storageCount)
    let found = try harness.loaded.locateNonFinite(
      source(network, 4, seed: 1), in: try harness.loaded.makeWorkspace(), options: ShardOptions(scale: 1),
      gradient: gradient.baseAddress, statistics: gradient.baseAddress)
    #expect(found?.layer == "conv2d_1")
    #expect(found?.pass == .forward)
  }

  @Test("a label outside the classes is an error that says so")
  func badLabel() throws {
    let network = try StandardNetwork.lecture.network().resolved()
    let harness = try PlanHarness(network, CompileOptions(batch: 64, shard: 2), samples: 2)
    let bad = ArraySource(ReferenceTensor([2, 28, 28, 1]), labels: [3, 10])
    let error = #expect(throws: ComputeError.self) { try harness.train(bad, ShardOptions(scale: 1)) }
    #expect(error?.description == "label 10 is outside the network's 10 classes")
  }

  @Test("a network whose output is an image cannot feed the loss")
  func imageOutput() throws {
    let network = try Network(
      inputShape: [8, 8, 1], chain: [.conv2D(Conv2D(filters: 4, kernel: Size2D(3)))])
    let error = #expect(throws: ComputeError.self) {
      try CompiledNetwork(try network.resolved(), options: CompileOptions(batch: 4))
    }
    #expect(error?.description.contains("output is \(Shape([6, 6, 4])) and the loss needs a vector") == true)
  }

  @Test(
    "bf16 follows fp32 where windows are dilated", .enabled(if: Processor.hasBF16, Processor.noBF16),
    arguments: [(40, 40, 10, 10), (56, 24, 8, 13), (53, 27, 6, 8), (50, 40, 7, 9), (56, 56, 7, 10)])
  func dilatedBF16(channels: Int, filters: Int, height: Int, width: Int) throws {
    let network = try Network(
      inputShape: [height, width, channels],
      chain: [
        .conv2D(Conv2D(filters: channels, kernel: Size2D(1), useBias: false)),
        .conv2D(
          Conv2D(filters: filters, kernel: Size2D(3), dilation: Size2D(2), padding: .same, useBias: false)),
        .flatten, .dense(Dense(units: 3)),
      ])
    for samples in [5, 2] {
      try expectMatchesReference(network, samples: samples, tolerance: 0.1, precision: .bf16)
    }
  }

  @Test(
    "bf16 follows fp32 within its eight bits", .enabled(if: Processor.hasBF16, Processor.noBF16))
  func bf16() throws {
    // Smooth functions only: where ReLU or a maximum sits at a kink, a rounding decides which way the gradient goes.
    let conv = Conv2D(filters: 24, kernel: Size2D(3), padding: .same, activation: .tanh)
    let network = try Network(
      inputShape: [13, 11, 3],
      chain: [
        .conv2D(conv), .conv2D(conv), .batchNorm(BatchNorm()), .averagePool2D(Pool2D(size: Size2D(2))),
        .conv2D(conv), .flatten, .dense(Dense(units: 32, activation: .sigmoid)), .dense(Dense(units: 5)),
      ])
    // Each rounding to bf16 is off by up to 2⁻⁹; a few layers of them add up to percents of the largest element.
    try expectMatchesReference(network, samples: 6, tolerance: 0.1, precision: .bf16)
  }

  private func source(_ network: ResolvedNetwork, _ samples: Int, seed: UInt64) -> ArraySource {
    let input = ReferenceTensor.random(Shape([samples] + network.inputShape.dimensions), seed: seed)
    return ArraySource(input, labels: (0..<samples).map { $0 % 10 })
  }
}
