import Compute
import Networks
import Tensors
import Testing

/// What this CPU can do, for tests that need more than every CPU has.
enum Processor {
  static let noBF16: Comment = "this CPU does not multiply bf16"
  static let noWinograd: Comment = "this CPU has no compiled Winograd kernel"
  static let noOwn: Comment = "plans take no kernels of our own on this CPU"

  /// Whether it multiplies bf16: then a network compiles in that precision.
  static let hasBF16: Bool = {
    guard let network = try? Network(inputShape: [4], chain: [.dense(Dense(units: 2))]).resolved() else {
      return false
    }
    return (try? CompiledNetwork(network, options: CompileOptions(batch: 1, precision: .bf16))) != nil
  }()

  /// Whether the library has kernels for F(4×4, 3×3), which a plan takes where it is asked to.
  static let hasWinograd = has("jit_wino", .winograd)

  /// Whether plans take our own.
  static let hasOwn = has("own_wino", .own)

  private static func has(_ kernel: String, _ kernels: KernelSelection) -> Bool {
    let chain: [LayerSpec] = [
      .conv2D(Conv2D(filters: 32, kernel: Size2D(3), padding: .same)), .flatten, .dense(Dense(units: 2)),
    ]
    guard let network = try? Network(inputShape: [12, 12, 32], chain: chain).resolved(),
      let compiled = try? CompiledNetwork(
        network, options: CompileOptions(batch: 2, shard: 2, kernels: kernels)),
      let plan = try? compiled.trainingPlan(samples: 2)
    else { return false }
    return plan.stepNames.contains { $0.kernel.contains(kernel) }
  }
}
