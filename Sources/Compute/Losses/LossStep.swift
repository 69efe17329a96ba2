internal import OneDNN

/// The loss of a shard's samples with its gradient, and the sums of their figures.
struct LossStep: CustomStep {
  let samples: Int
  let layout: FigureLayout
  let predictions: Operand
  let gradient: Operand

  var name: String { layout.criterion.loss.name.replacing("_", with: " ") }
  var operands: [Operand] { [predictions, gradient] }
  var results: [Operand] { [gradient] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) throws(ComputeError) {
    let rows = memory.floats(predictions)
    let diffs = memory.floats(gradient)
    let outputs = layout.outputs
    let (source, options) = (shard.source, shard.options)
    var sums = [Double](repeating: 0, count: layout.count)
    try sums.withUnsafeMutableBufferPointer { sums throws(ComputeError) in
      guard let sums = sums.baseAddress else { return }
      for sample in 0..<samples {
        let target = try TargetVector(source.target(at: sample), outputs: outputs)
        layout.add(
          UnsafeBufferPointer(start: rows + sample * outputs, count: outputs), target,
          weighedShare: source.weighedShare(at: sample), weight: source.weight(at: sample),
          outputWeights: options.outputWeights, scale: Double(options.scale),
          gradient: diffs + sample * outputs, to: sums)
      }
    }
    shard.result.sums = sums
  }
}
