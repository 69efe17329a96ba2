import Foundation
import Tensors
import Testing

@testable import Compute

/// Outputs with targets, as an evaluation has them.
private struct Judged: ShardSource {
  var labels: [Int32] = []
  let targets: AlignedBuffer<Float>
  let outputs: Int
  let range: Range<Int>

  var sampleCount: Int { range.count }
  var element: InputElement { .float32 }
  func pixels(at index: Int) -> UnsafeRawPointer { UnsafeRawPointer(targets.baseAddress) }
  func target(at index: Int) -> SampleTarget {
    labels.isEmpty
      ? .values(targets.baseAddress + (range.lowerBound + index) * outputs)
      : .label(labels[range.lowerBound + index])
  }
}

@Suite("Metrics")
struct MetricTests {
  private static let samples = 37
  private static let outputs = 4

  /// Steps of a quarter, so that equal outputs occur.
  private static func quarters(_ count: Int, seed: UInt64) -> [Float] {
    var stream = RandomStream(seed: seed, purpose: .synthetic)
    return (0..<count).map { _ in Float(stream.nextInteger(below: 17)) / 4 - 2 }
  }

  private let rows = quarters(samples * outputs, seed: 3)

  /// The figures of all samples, from the sums of two parts.
  private func figures(
    _ criterion: Criterion, labels: [Int32] = [], targets: [Float] = [0]
  ) throws -> [Metric: Double] {
    let layout = FigureLayout(criterion, outputs: Self.outputs)
    var total = [Double](repeating: 0, count: layout.count)
    for range in [0..<15, 15..<Self.samples] {
      var sums = [Double](repeating: 0, count: layout.count)
      let source = Judged(
        labels: labels, targets: AlignedBuffer(targets), outputs: Self.outputs, range: range)
      try rows.withUnsafeBufferPointer { rows in
        try sums.withUnsafeMutableBufferPointer { sums in
          guard let sums = sums.baseAddress, let rows = rows.baseAddress else { return }
          try layout.add(rows + range.lowerBound * Self.outputs, of: source, to: sums)
        }
      }
      for index in total.indices { total[index] += sums[index] }
    }
    return Dictionary(
      uniqueKeysWithValues: criterion.metrics.map {
        ($0, layout.figure($0, sums: total, samples: Self.samples) ?? .nan)
      })
  }

  private func row(_ sample: Int) -> [Float] {
    Array(rows[sample * Self.outputs..<(sample + 1) * Self.outputs])
  }

  /// Means over those classes for which there is a share.
  private func means(_ counts: [(right: Int, taken: Int, actual: Int)]) -> [Metric: Double] {
    func mean(_ pairs: [(Int, Int)]) -> Double {
      let known = pairs.filter { $0.1 > 0 }.map { Double($0.0) / Double($0.1) }
      return known.isEmpty ? 0 : known.reduce(0, +) / Double(known.count)
    }
    return [
      .precision: mean(counts.map { ($0.right, $0.taken) }),
      .recall: mean(counts.map { ($0.right, $0.actual) }),
      .f1: mean(counts.map { (2 * $0.right, $0.taken + $0.actual) }),
    ]
  }

  private func expectSame(_ found: [Metric: Double], _ expected: [Metric: Double]) {
    #expect(Set(found.keys) == Set(expected.keys))
    for (metric, value) in expected {
      #expect(abs((found[metric] ?? .nan) - value) < 1e-12, "\(metric)")
    }
  }

  @Test("of classes: accuracy, top-k, and means of precision, recall and F1, as plain loops count them")
  func classes() throws {
    // Class 3 never occurs.
    let labels = (0..<Self.samples).map { Int32($0 * 5 % 3) }
    var expected: [Metric: Double] = [.accuracy: 0, .topAccuracy(2): 0, .topAccuracy(3): 0]
    var counts = [(right: Int, taken: Int, actual: Int)](repeating: (0, 0, 0), count: Self.outputs)
    for sample in 0..<Self.samples {
      let order = row(sample).enumerated().sorted { ($1.element, $0.offset) < ($0.element, $1.offset) }.map(
        \.offset)
      let label = Int(labels[sample])
      counts[label].actual += 1
      counts[order[0]].taken += 1
      if order[0] == label { counts[label].right += 1 }
      for (metric, count) in [(Metric.accuracy, 1), (.topAccuracy(2), 2), (.topAccuracy(3), 3)]
      where order.prefix(count).contains(label) { expected[metric, default: 0] += 1 / Double(Self.samples) }
    }
    expected.merge(means(counts)) { $1 }
    let criterion = Criterion(
      loss: .softmaxCrossEntropy(SoftmaxCrossEntropy()), task: .classes, targets: .classes,
      metrics: [.accuracy, .topAccuracy(2), .topAccuracy(3), .precision, .recall, .f1])
    expectSame(try figures(criterion, labels: labels), expected)
    // The same classes as vectors that are 1 at them.
    let vectors = labels.flatMap { label in (0..<Self.outputs).map { $0 == Int(label) ? 1 : 0 as Float } }
    expectSame(try figures(criterion, targets: vectors), expected)
  }

  @Test("of labels: decisions that are right, samples that are all right, and the means over labels")
  func labels() throws {
    let targets = Self.quarters(Self.samples * Self.outputs, seed: 5).map { $0 > 0.5 ? 1 : 0 as Float }
    var (right, exact) = (0, 0)
    var counts = [(right: Int, taken: Int, actual: Int)](repeating: (0, 0, 0), count: Self.outputs)
    for sample in 0..<Self.samples {
      var own = 0
      for (k, z) in row(sample).enumerated() {
        let (taken, actual) = (1 / (1 + exp(-Double(z))) > 0.5, targets[sample * Self.outputs + k] == 1)
        if taken == actual { own += 1 }
        if taken { counts[k].taken += 1 }
        if actual { counts[k].actual += 1 }
        if taken, actual { counts[k].right += 1 }
      }
      right += own
      if own == Self.outputs { exact += 1 }
    }
    var expected = means(counts)
    expected[.accuracy] = Double(right) / Double(Self.samples * Self.outputs)
    expected[.exactMatch] = Double(exact) / Double(Self.samples)
    let criterion = Criterion(
      loss: .sigmoidCrossEntropy(SigmoidCrossEntropy()), task: .labels, targets: .values,
      metrics: [.accuracy, .exactMatch, .precision, .recall, .f1])
    expectSame(try figures(criterion, targets: targets), expected)
  }

  @Test("of numbers: absolute and squared errors, and what is explained of the spread of each output")
  func numbers() throws {
    let targets = Self.quarters(Self.samples * Self.outputs, seed: 7).enumerated().map {
      // One output has nothing to explain.
      $0.offset % Self.outputs == 2 ? 3 : $0.element * Float($0.offset % Self.outputs + 1) + 10
    }
    var (absolute, squared, r2) = (0.0, 0.0, 0.0)
    let count = Double(Self.samples)
    for k in 0..<Self.outputs {
      let wanted = (0..<Self.samples).map { Double(targets[$0 * Self.outputs + k]) }
      let errors = (0..<Self.samples).map { Double(row($0)[k]) - wanted[$0] }
      let mean = wanted.reduce(0, +) / count
      let squares = errors.reduce(0) { $0 + $1 * $1 }
      absolute += errors.reduce(0) { $0 + abs($1) }
      squared += squares
      if k != 2 { r2 += 1 - squares / wanted.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } }
    }
    let cosines = (0..<Self.samples).map { sample in
      let (z, t) = (
        row(sample).map(Double.init), (0..<Self.outputs).map { Double(targets[sample * Self.outputs + $0]) }
      )
      let (a, b) = (z.reduce(0) { $0 + $1 * $1 }, t.reduce(0) { $0 + $1 * $1 })
      return zip(z, t).reduce(0) { $0 + $1.0 * $1.1 } / (a.squareRoot() * b.squareRoot())
    }
    let all = count * Double(Self.outputs)
    let criterion = Criterion(
      loss: .meanSquaredError, task: .values, targets: .values,
      metrics: [.meanAbsoluteError, .meanSquaredError, .rootMeanSquaredError, .r2, .cosineSimilarity])
    expectSame(
      try figures(criterion, targets: targets),
      [
        .meanAbsoluteError: absolute / all, .meanSquaredError: squared / all,
        .rootMeanSquaredError: (squared / all).squareRoot(), .r2: r2 / Double(Self.outputs),
        .cosineSimilarity: cosines.reduce(0, +) / count,
      ])
  }

  /// The next kind of metric, so that the compiler asks for a new one here.
  private static func next(after metric: Metric) -> Metric? {
    switch metric {
    case .accuracy: .topAccuracy(5)
    case .topAccuracy: .exactMatch
    case .exactMatch: .precision
    case .precision: .recall
    case .recall: .f1
    case .f1: .meanAbsoluteError
    case .meanAbsoluteError: .meanSquaredError
    case .meanSquaredError: .rootMeanSquaredError
    case .rootMeanSquaredError: .r2
    case .r2: .cosineSimilarity
    case .cosineSimilarity: nil
    }
  }

  @Test("names of metrics read back, and others are none")
  func names() {
    let all = Array(sequence(first: Metric.accuracy, next: Self.next))
    #expect(Set(all.map(\.name)).count == 11)
    for metric in all { #expect(Metric(name: metric.name) == metric) }
    for name in ["top_1_accuracy", "top_05_accuracy", "top_5", "loss", "", "top_5_accuracy_"] {
      #expect(Metric(name: name) == nil, "\(name)")
    }
  }
}
