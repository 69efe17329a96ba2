import Foundation
import Testing

@testable import Compute

@Suite("Targets of two classes")
struct MixedTargetTests {
  private func loss(_ row: [Float], _ target: SampleTarget, smoothing: Float = 0) throws -> (Double, [Float])
  {
    var gradient = row
    let vector = try TargetVector(target, outputs: row.count)
    let result = row.withUnsafeBufferPointer { row in
      gradient.withUnsafeMutableBufferPointer {
        SoftmaxCrossEntropy(labelSmoothing: smoothing).loss(
          of: row, vector, outputWeights: [], scale: 0.5, gradient: $0.baseAddress)
      }
    }
    return (result, gradient)
  }

  @Test(
    "loss and gradient are the shares of those of the two classes", arguments: [0, 0.1] as [Float],
    [0, 0.3, 0.5, 1] as [Float])
  func linear(smoothing: Float, share: Float) throws {
    let row: [Float] = [0.3, -2, 5, 1.25, 0]
    let first = try loss(row, .label(3), smoothing: smoothing)
    let second = try loss(row, .label(0), smoothing: smoothing)
    let mixed = try loss(row, .mixed(3, 0, share: share), smoothing: smoothing)
    let (one, other) = (Double(share), 1 - Double(share))
    #expect(abs(mixed.0 - (one * first.0 + other * second.0)) < 1e-12)
    for index in row.indices {
      let expected = one * Double(first.1[index]) + other * Double(second.1[index])
      #expect(abs(Double(mixed.1[index]) - expected) < 1e-7)
    }
    // The gradient of a distribution against another sums to nothing.
    #expect(abs(mixed.1.reduce(0, +)) < 1e-6)
  }

  @Test("the gradient is the slope of the loss")
  func slope() throws {
    let row: [Float] = [0.3, -2, 1, 1.25, 0]
    let target = SampleTarget.mixed(1, 4, share: 0.7)
    let gradient = try loss(row, target).1
    for index in row.indices {
      func at(_ step: Float) throws -> Double {
        var moved = row
        moved[index] += step
        return try loss(moved, target).0
      }
      let slope = try (at(0.01) - at(-0.01)) / 0.02
      #expect(abs(slope * 0.5 - Double(gradient[index])) < 1e-4)
    }
  }

  @Test("a mixture of one class with itself is that class, bit for bit, and the larger share counts as right")
  func same() throws {
    let row: [Float] = [0.3, -2, 5]
    let (one, mixed) = try (loss(row, .label(1)), loss(row, .mixed(1, 1, share: 1)))
    #expect(one.0 == mixed.0 && one.1 == mixed.1)
    #expect(
      ClassTarget(.mixed(2, 0, share: 0.6)).main == 2 && ClassTarget(.mixed(2, 0, share: 0.4)).main == 0)
  }

  /// Loss, gradient and figures of one mixture, as a plan takes them.
  private func judged(
    _ loss: Loss, _ metrics: [Metric], _ row: [Float], _ target: SampleTarget, weighedShare: Float? = nil,
    weight: Double = 1
  ) throws -> (sums: MetricReading, gradient: [Float]) {
    let task: Criterion.Task = loss.outputs == .numbers ? .values : .classes
    let layout = FigureLayout(
      Criterion(loss: loss, task: task, targets: .values, metrics: metrics), outputs: row.count)
    let vector = try TargetVector(target, outputs: row.count)
    var gradient = row
    var sums = [Double](repeating: 0, count: layout.count)
    row.withUnsafeBufferPointer { row in
      gradient.withUnsafeMutableBufferPointer { gradient in
        sums.withUnsafeMutableBufferPointer { sums in
          guard let sums = sums.baseAddress else { return }
          layout.add(
            row, vector, weighedShare: weighedShare, weight: weight, gradient: gradient.baseAddress, to: sums)
        }
      }
    }
    return (
      MetricReading(loss: sums[0], figures: metrics.map { layout.figure($0, sums: sums, samples: 1) }),
      gradient
    )
  }

  private struct MetricReading {
    let loss: Double
    let figures: [Double?]
  }

  @Test(
    "of samples of unequal weights a cross-entropy is the two losses in their shares and weights, and the figures are of the mixture alone",
    arguments: [0.25, 0.625] as [Float])
  func unequalWeights(share: Float) throws {
    let row: [Float] = [2, -1, 0.5]
    let (own, other) = (0.5, 8.0)
    let weight = Double(share) * own + (1 - Double(share)) * other
    let cross = Loss.softmaxCrossEntropy(SoftmaxCrossEntropy(labelSmoothing: 0.1))
    let mixed = try judged(
      cross, [.accuracy, .precision], row, .mixed(0, 2, share: share),
      weighedShare: Float(Double(share) * own / weight), weight: weight)
    let (first, second) = (try judged(cross, [], row, .label(0)), try judged(cross, [], row, .label(2)))
    let (a, b) = (Double(share) * own, (1 - Double(share)) * other)
    #expect(abs(mixed.sums.loss - (a * first.sums.loss + b * second.sums.loss)) < 1e-5)
    for index in row.indices {
      let expected = a * Double(first.gradient[index]) + b * Double(second.gradient[index])
      #expect(abs(Double(mixed.gradient[index]) - expected) < 1e-5)
    }
    // Class 0 has the largest output, and is right where its share is the larger one, whatever the weights.
    #expect(mixed.sums.figures == (share > 0.5 ? [1, 1] : [0, 0]))
  }

  @Test("what is not linear in its targets takes the mixture as it is, whatever its samples weigh")
  func unequalWeightsOfFocus() throws {
    let (up, down): ([Float], [Float]) = ([1, 0], [0, 0])
    try up.withUnsafeBufferPointer { up in
      try down.withUnsafeBufferPointer { down in
        guard let up = up.baseAddress, let down = down.baseAddress else { return }
        let focal = Loss.sigmoidFocalCrossEntropy(SigmoidFocalCrossEntropy(gamma: 2))
        let row: [Float] = [0.7, -1.3]
        let mixed = try judged(
          focal, [], row, .mixedValues(up, down, share: 0.75), weighedShare: 0.125, weight: 3)
        // (1 − p of the target)^γ · entropy, by its definition, of the blended targets ¾ and 0.
        let expected = zip(row.map(Double.init), [0.75, 0]).map { logit, wanted in
          let probability = 1 / (1 + exp(-logit))
          let entropy = -(wanted * log(probability) + (1 - wanted) * log(1 - probability))
          return pow(1 - (wanted * probability + (1 - wanted) * (1 - probability)), 2) * entropy
        }
        #expect(abs(mixed.sums.loss - 3 * (expected[0] + expected[1]) / 2) < 1e-9)
      }
    }
  }

  @Test(
    "numbers are mixed as samples are, whatever these weigh: their errors are of the blended target",
    arguments: [Loss.meanSquaredError, .meanAbsoluteError, .huber(Huber(delta: 0.25))])
  func blendedNumbers(loss: Loss) throws {
    let (up, down): ([Float], [Float]) = ([1, 1], [-1, -1])
    try up.withUnsafeBufferPointer { up in
      try down.withUnsafeBufferPointer { down in
        guard let up = up.baseAddress, let down = down.baseAddress else { return }
        let mixed = try judged(
          loss, [.meanAbsoluteError], [0, 0.5], .mixedValues(up, down, share: 0.75), weighedShare: 0.125,
          weight: 3)
        // ¾·1 + ¼·(−1) = ½.
        let expected: Double =
          switch loss {
          case .meanAbsoluteError: 0.25
          case .huber: 0.25 * (0.5 - 0.125) / 2
          default: 0.125
          }
        #expect(abs(mixed.sums.loss - 3 * expected) < 1e-12 && mixed.sums.figures == [0.25])
        #expect(mixed.gradient[1] == 0 && mixed.gradient[0] < 0)
      }
    }
  }
}
