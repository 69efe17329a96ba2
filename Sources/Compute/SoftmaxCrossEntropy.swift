internal import Foundation
internal import OneDNN

/// Softmax cross-entropy of logits against class labels.
///
/// loss = log Σ exp(z) − Σ t·z with targets t = (1 − s)·[label] + s / classes, where [label] of a mixture is
/// share·[first] + (1 − share)·[second]; gradient = (softmax(z) − t)·scale.
/// Sums run in Double, in order, from the largest logit down so that nothing overflows.
struct SoftmaxCrossEntropyStep: CustomStep {
  let samples: Int
  let classes: Int
  let logits: Operand
  /// Nil where only loss and accuracy are wanted.
  let gradient: Operand?

  var name: String { "softmax cross-entropy" }
  var operands: [Operand] { [logits] + (gradient.map { [$0] } ?? []) }
  var results: [Operand] { gradient.map { [$0] } ?? [] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) throws(ComputeError) {
    let rows = memory.floats(logits)
    let diffs = gradient.map(memory.floats)
    for sample in 0..<samples {
      let target = ClassTarget(shard.source.target(at: sample))
      for label in [target.first, target.second] where label < 0 || label >= classes {
        throw .sample(reason: "label \(label) is outside the network's \(classes) classes")
      }
      let row = UnsafeBufferPointer(start: rows + sample * classes, count: classes)
      let (loss, best) = SoftmaxCrossEntropyStep.loss(
        of: row, target, options: shard.options, gradient: diffs.map { $0 + sample * classes })
      shard.result.lossSum += loss
      if best == target.main { shard.result.correct += 1 }
    }
  }

  /// - Returns: one sample's loss and the index of its largest logit.
  static func loss(
    of row: UnsafeBufferPointer<Float>, _ target: ClassTarget, options: ShardOptions,
    gradient: UnsafeMutablePointer<Float>?
  ) -> (loss: Double, best: Int) {
    var best = 0
    for index in row.indices where row[index] > row[best] { best = index }
    let largest = Double(row[best])
    let smoothing = Double(options.labelSmoothing)
    let share = smoothing / Double(row.count)
    var sum = 0.0
    var weighted = 0.0
    for index in row.indices {
      sum += exp(Double(row[index]) - largest)
      if smoothing > 0 { weighted += share * (Double(row[index]) - largest) }
    }
    let (first, second) = (target.share, 1 - target.share)
    weighted +=
      (1 - smoothing)
      * (first * (Double(row[target.first]) - largest) + second * (Double(row[target.second]) - largest))
    if let gradient {
      for index in row.indices {
        let own = (index == target.first ? first : 0) + (index == target.second ? second : 0)
        let wanted = (1 - smoothing) * own + share
        let probability = exp(Double(row[index]) - largest) / sum
        gradient[index] = Float((probability - wanted) * Double(options.scale))
      }
    }
    return (log(sum) - weighted, best)
  }
}

/// A target over classes: one class, or two with shares that add up to 1.
struct ClassTarget {
  let first: Int
  let second: Int
  /// Of the first class; 1 where there is one only.
  let share: Double

  init(_ target: SampleTarget) {
    switch target {
    case .label(let label): (first, second, share) = (Int(label), Int(label), 1)
    case .mixed(let one, let other, let part): (first, second, share) = (Int(one), Int(other), Double(part))
    }
  }

  /// The class with the larger share.
  var main: Int { share >= 0.5 ? first : second }
}

/// Softmax in the middle of a network, over the rows of a matrix.
struct SoftmaxStep: CustomStep {
  let rows: Int
  let columns: Int
  let src: Operand
  let dst: Operand

  var name: String { "softmax" }
  var operands: [Operand] { [src, dst] }
  var results: [Operand] { [dst] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    let (source, target) = (memory.floats(src), memory.floats(dst))
    for row in 0..<rows {
      softmax(
        UnsafeBufferPointer(start: source + row * columns, count: columns), into: target + row * columns)
    }
  }
}

/// `diffSrc = y · (diffDst − Σ diffDst·y)`, row by row.
struct SoftmaxGradientStep: CustomStep {
  let rows: Int
  let columns: Int
  let output: Operand
  let diffDst: Operand
  let diffSrc: Operand

  var name: String { "softmax gradient" }
  var operands: [Operand] { [output, diffDst, diffSrc] }
  var results: [Operand] { [diffSrc] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    let (y, diff, target) = (memory.floats(output), memory.floats(diffDst), memory.floats(diffSrc))
    for row in 0..<rows {
      let start = row * columns
      var dot = 0.0
      for index in start..<start + columns { dot += Double(diff[index]) * Double(y[index]) }
      for index in start..<start + columns {
        target[index] = Float(Double(y[index]) * (Double(diff[index]) - dot))
      }
    }
  }
}

/// Probabilities of logits; sums run in Double.
public func softmax(_ logits: UnsafeBufferPointer<Float>, into probabilities: UnsafeMutablePointer<Float>) {
  let largest = Double(logits.max() ?? 0)
  var sum = 0.0
  for logit in logits { sum += exp(Double(logit) - largest) }
  for (index, logit) in logits.enumerated() {
    probabilities[index] = Float(exp(Double(logit) - largest) / sum)
  }
}
