import Compute
import Networks
import Tensors
import TestSupport
import Testing

@Suite("Dropout in a plan")
struct DropoutTests {
  private static let inputs = 512
  private static let options = ShardOptions(scale: 1, seed: 7, firstSample: 10)

  private static func harness() throws -> PlanHarness {
    let network = try Network(
      inputShape: [inputs],
      chain: [.dropout(Dropout(rate: 0.25)), .dense(Dense(units: 2, useBias: false))])
    return try PlanHarness(
      network.resolved(), CompileOptions(batch: 4, shard: 2, inputGradient: true), samples: 2)
  }

  /// What a sample keeps: by definition an element whose number of the sample's stream is not below a quarter of 2³².
  private static func kept(seed: UInt64, sample: UInt64) -> [Bool] {
    var stream = RandomStream(seed: seed, purpose: .dropout, a: 1, b: sample)
    return (0..<inputs).map { _ in stream.nextUInt32() >= 1 << 30 }
  }

  @Test("what is kept follows from seed, layer and sample, and is about its share")
  func mask() throws {
    let harness = try Self.harness()
    let source = ArraySource(ReferenceTensor([2, Self.inputs], repeating: 1), labels: [0, 1])
    func mask(_ options: ShardOptions) throws -> [[Bool]] {
      let kept = try harness.train(source, options).inputGradient.map { $0 != 0 }
      return [Array(kept.prefix(Self.inputs)), Array(kept.dropFirst(Self.inputs))]
    }
    let first = try mask(Self.options)
    // A resumed run makes the mask of the build that was stopped only as long as this stream stays what it is.
    #expect(first == [Self.kept(seed: 7, sample: 10), Self.kept(seed: 7, sample: 11)])
    #expect(try mask(Self.options) == first)
    for sample in first {
      let share = Double(sample.count { $0 }) / Double(Self.inputs)
      #expect(abs(share - 0.75) < 0.06, "\(share)")
    }
    #expect(first[0] != first[1])
    #expect(try mask(ShardOptions(scale: 1, seed: 7, firstSample: 12)) != first)
    #expect(try mask(ShardOptions(scale: 1, seed: 8, firstSample: 10)) != first)
    // The second sample of one shard is the first of a shard that starts there.
    #expect(try mask(ShardOptions(scale: 1, seed: 7, firstSample: 11))[0] == first[1])
  }

  @Test("forward and both ways back use one mask, and scale what is kept by 1 / (1 − rate)")
  func gradients() throws {
    let harness = try Self.harness()
    let input = ReferenceTensor.random([2, Self.inputs], seed: 3)
    let labels = [0, 1]
    let output = try harness.train(ArraySource(input, labels: labels), Self.options)
    let factors = ReferenceTensor(
      input.shape,
      (10..<12).flatMap { sample in
        Self.kept(seed: 7, sample: sample).map { $0 ? 1 / 0.75 : 0 }
      })
    let kernel = ReferenceTensor([Self.inputs, 2], floats: harness.canonical.trainable.array())
    let dropped = ReferenceKernels.multiply(input, factors)
    let (loss, diff) = ReferenceKernels.softmaxCrossEntropy(
      logits: ReferenceKernels.dense(dropped, kernel: kernel, bias: nil), labels: labels)
    expectClose([output.result.lossSum], [loss], relative: 1e-5, "loss")
    expectClose(
      output.gradient.trainable.array(), ReferenceKernels.denseGradientToKernel(diff, src: dropped),
      ofLargest: 2e-5, "gradient of the kernel")
    expectClose(
      output.inputGradient,
      ReferenceKernels.multiply(ReferenceKernels.denseGradientToSource(diff, kernel: kernel), factors),
      ofLargest: 2e-5, "gradient of the input")
  }

  @Test("inference leaves dropout out")
  func inference() throws {
    let harness = try Self.harness()
    let input = ReferenceTensor.random([2, Self.inputs], seed: 3)
    let kernel = ReferenceTensor([Self.inputs, 2], floats: harness.canonical.trainable.array())
    expectClose(
      try harness.infer(ArraySource(input, labels: [0, 1])),
      ReferenceKernels.dense(input, kernel: kernel, bias: nil), ofLargest: 2e-5)
  }
}
