internal import Foundation

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
