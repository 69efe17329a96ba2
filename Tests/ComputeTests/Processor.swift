import Compute
import Networks
import Tensors
import Testing

/// What this CPU can do, for tests that need more than every CPU has.
enum Processor {
  static let noBF16: Comment = "this CPU does not multiply bf16"
  static let noWinograd: Comment = "this CPU has no compiled Winograd kernel"

  /// Whether it multiplies bf16: then a network compiles in that precision.
  static let hasBF16: Bool = {
    guard let network = try? Network(inputShape: [4], chain: [.dense(Dense(units: 2))]).resolved() else {
      return false
    }
    return (try? CompiledNetwork(network, options: CompileOptions(batch: 1, precision: .bf16))) != nil
  }()

  /// Whether there are kernels for F(4×4, 3×3), which a plan takes where it is asked to.
  static let hasWinograd: Bool = {
    let chain: [LayerSpec] = [
      .conv2D(Conv2D(filters: 32, kernel: Size2D(3), padding: .same)), .flatten, .dense(Dense(units: 2)),
    ]
    guard let network = try? Network(inputShape: [12, 12, 32], chain: chain).resolved(),
      let compiled = try? CompiledNetwork(
        network, options: CompileOptions(batch: 2, shard: 2, kernels: .winograd)),
      let plan = try? compiled.trainingPlan(samples: 2)
    else { return false }
    return plan.stepNames.contains { $0.kernel.contains("wino") }
  }()
}
