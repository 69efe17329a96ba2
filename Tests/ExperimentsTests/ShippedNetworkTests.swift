import Compute
import Networks
import Settings
import Tensors
import Testing
import Training

@testable import Experiments

@Suite("The networks of the shipped configurations")
struct ShippedNetworkTests {
  @Test("there are several") func count() { #expect(Shipped.names.count >= 7) }

  @Test(
    "all run kernels, none of which is the library's reference loop or scalar batch norm, and have finite gradients",
    arguments: Shipped.names)
  func kernels(_ name: String) throws {
    let loaded = try ConfigurationFile.load(path: Shipped.path(name))
    let training = loaded.run.training
    let compiled = try CompiledNetwork(
      loaded.network, options: CompileOptions(batch: training.batch, shard: training.shard))
    // The full shard's plans are those that train; two samples are enough to see them at work.
    for samples in [compiled.shardSize, 2] {
      for plan in [try compiled.trainingPlan(samples: samples), try compiled.inferencePlan(samples: samples)]
      {
        #expect(plan.stepNames.contains { $0.kernel.hasPrefix("jit") || $0.kernel.hasPrefix("brg") })
        let slow = plan.stepNames.filter { $0.kernel.contains("ref") || $0.kernel.contains("nspc_bnorm") }
        #expect(slow.isEmpty, "\(slow)")
      }
    }
    let values = compiled.parameters.initialValues(seed: 1)
    let stored = AlignedBuffer<Float>(count: compiled.storageCount)
    try compiled.load(values.trainable.baseAddress, into: stored.baseAddress)
    let ready = try LoadedNetwork(
      compiled, parameters: stored, statistics: values.statistics, trainingShards: [2])
    let gradient = AlignedBuffer<Float>(count: compiled.storageCount)
    let gathered = try GatheredGradients(compiled, minibatches: [2], workers: 1)
    let result = try ready.train(
      Noise(pixelCount: loaded.network.inputShape.elementCount), in: ready.makeWorkspace(),
      options: ShardOptions(scale: 0.5, gathered: gathered?.rows(from: 0)), gradient: gradient.baseAddress,
      statistics: values.statistics.baseAddress)
    #expect(result.lossSum.isFinite && result.lossSum > 0)
    #expect(gradient.elements.allSatisfy { $0.isFinite })
    #expect(gradient.elements.contains { $0 != 0 })
  }
}

/// Two samples of bytes without a pattern.
private struct Noise: ShardSource {
  private let bytes: AlignedBuffer<UInt8>
  private let pixelCount: Int

  init(pixelCount: Int) {
    self.pixelCount = pixelCount
    bytes = AlignedBuffer((0..<2 * pixelCount).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) })
  }

  var sampleCount: Int { 2 }
  var element: InputElement { .uint8 }
  func pixels(at index: Int) -> UnsafeRawPointer { UnsafeRawPointer(bytes.baseAddress + index * pixelCount) }
  func target(at index: Int) -> SampleTarget { .label(Int32(index)) }
}
