internal import Foundation

/// Softmax cross-entropy of logits for evaluation, in `Double`.
enum CrossEntropy {
  /// Sum of `log Σ exp(x) − x[label]` over rows, and how many rows have their largest logit at the label.
  ///
  /// Of equal logits the first counts as the largest.
  /// - Parameter logits: [rows, classes], row by row; at least as many rows as labels.
  static func sums(
    logits: UnsafeBufferPointer<Float>, classes: Int, labels: ArraySlice<Int32>
  ) -> (loss: Double, correct: Int) {
    var loss = 0.0
    var correct = 0
    for (row, label) in labels.enumerated() {
      let values = logits[row * classes..<(row + 1) * classes]
      var largest = values[values.startIndex]
      var predicted = 0
      for (index, value) in values.enumerated() where value > largest {
        largest = value
        predicted = index
      }
      var sum = 0.0
      for value in values { sum += exp(Double(value) - Double(largest)) }
      loss += log(sum) + Double(largest) - Double(values[values.startIndex + Int(label)])
      if predicted == Int(label) { correct += 1 }
    }
    return (loss, correct)
  }
}

extension CrossEntropy {
  /// The class of each row's largest logit, the first of equal ones.
  static func predictions(logits: [Float], classes: Int) -> [Int32] {
    stride(from: 0, to: logits.count, by: classes).map { start in
      var best = start
      for index in start..<start + classes where logits[index] > logits[best] { best = index }
      return Int32(best - start)
    }
  }

  /// `exp(x) / Σ exp(x)` of one row.
  static func probabilities(_ logits: ArraySlice<Float>) -> [Double] {
    let largest = Double(logits.max() ?? 0)
    let powers = logits.map { exp(Double($0) - largest) }
    let sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
  }
}
