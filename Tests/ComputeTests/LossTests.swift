import Foundation
import TestSupport
import Testing

@testable import Compute

/// Losses by their formulas, in plain loops and without care for overflow.
private enum PlainLoss {
  static func value(_ loss: Loss, _ z: [Double], _ t: [Double], outputWeights: [Double]) -> Double {
    let count = Double(z.count)
    switch loss {
    case .softmaxCrossEntropy(let rule):
      let s = Double(rule.labelSmoothing)
      let sum = z.map(exp).reduce(0, +)
      return z.indices.reduce(0) { $0 - ((1 - s) * t[$1] + s / count) * log(exp(z[$1]) / sum) }
    case .sigmoidCrossEntropy(let rule):
      let s = Double(rule.labelSmoothing)
      return z.indices.reduce(0) { sum, k in
        let (p, wanted) = (1 / (1 + exp(-z[k])), (1 - s) * t[k] + s / 2)
        let own = -wanted * log(p) - (1 - wanted) * log(1 - p)
        return sum + own * (outputWeights.isEmpty ? 1 : outputWeights[k])
      } / count
    case .sigmoidFocalCrossEntropy(let rule):
      let s = Double(rule.labelSmoothing)
      return z.indices.reduce(0) { sum, k in
        let (p, wanted) = (1 / (1 + exp(-z[k])), (1 - s) * t[k] + s / 2)
        let own = -wanted * log(p) - (1 - wanted) * log(1 - p)
        let right = wanted * p + (1 - wanted) * (1 - p)
        let share = rule.alpha.map { wanted * Double($0) + (1 - wanted) * (1 - Double($0)) } ?? 1
        let focused = share * pow(1 - right, Double(rule.gamma)) * own
        return sum + focused * (outputWeights.isEmpty ? 1 : outputWeights[k])
      } / count
    case .meanSquaredError: return z.indices.reduce(0) { $0 + (z[$1] - t[$1]) * (z[$1] - t[$1]) } / count
    case .meanAbsoluteError: return z.indices.reduce(0) { $0 + abs(z[$1] - t[$1]) } / count
    case .huber(let rule):
      let d = Double(rule.delta)
      return z.indices.reduce(0) { sum, k in
        let e = abs(z[k] - t[k])
        return sum + (e <= d ? e * e / 2 : d * (e - d / 2))
      } / count
    }
  }

  static func slope(_ loss: Loss, _ z: [Double], _ t: [Double], outputWeights: [Double]) -> [Double] {
    z.indices.map { k in
      let step = 1e-5
      var (up, down) = (z, z)
      up[k] += step
      down[k] -= step
      return
        (value(loss, up, t, outputWeights: outputWeights)
        - value(loss, down, t, outputWeights: outputWeights)) / (2 * step)
    }
  }
}

@Suite("Losses")
struct LossTests {
  private static let losses: [Loss] = [
    .softmaxCrossEntropy(SoftmaxCrossEntropy()),
    .softmaxCrossEntropy(SoftmaxCrossEntropy(labelSmoothing: 0.125)),
    .sigmoidCrossEntropy(SigmoidCrossEntropy()),
    .sigmoidCrossEntropy(SigmoidCrossEntropy(labelSmoothing: 0.25)),
    .sigmoidFocalCrossEntropy(SigmoidFocalCrossEntropy()),
    .sigmoidFocalCrossEntropy(SigmoidFocalCrossEntropy(gamma: 1.5, alpha: 0.25, labelSmoothing: 0.125)),
    .sigmoidFocalCrossEntropy(SigmoidFocalCrossEntropy(gamma: 0)), .meanSquaredError,
    .meanAbsoluteError, .huber(Huber(delta: 1)), .huber(Huber(delta: 0.375)),
  ]
  private static let row: [Float] = [0.3, -2, 1.75, 0.1, -0.6]

  /// Loss and gradient as a plan computes them.
  private func compute(
    _ loss: Loss, _ row: [Float], _ target: SampleTarget, weight: Double = 1, outputWeights: [Double] = []
  ) throws -> (loss: Double, gradient: [Float]) {
    let layout = FigureLayout(
      Criterion(loss: loss, task: .classes, targets: .classes, metrics: []), outputs: row.count)
    let vector = try TargetVector(target, outputs: row.count)
    var gradient = row
    var sums = [Double](repeating: 0, count: layout.count)
    row.withUnsafeBufferPointer { row in
      gradient.withUnsafeMutableBufferPointer { gradient in
        sums.withUnsafeMutableBufferPointer { sums in
          guard let sums = sums.baseAddress else { return }
          layout.add(
            row, vector, weight: weight, outputWeights: outputWeights, scale: 0.25,
            gradient: gradient.baseAddress, to: sums)
        }
      }
    }
    return (sums[0], gradient)
  }

  private func check(_ loss: Loss, _ target: SampleTarget, _ vector: [Double], outputWeights: [Double] = [])
    throws
  {
    let z = Self.row.map(Double.init)
    let found = try compute(loss, Self.row, target, weight: 1.5, outputWeights: outputWeights)
    let value = PlainLoss.value(loss, z, vector, outputWeights: outputWeights)
    #expect(abs(found.loss - 1.5 * value) < 1e-9 * max(1, value), "\(loss)")
    let slopes = PlainLoss.slope(loss, z, vector, outputWeights: outputWeights)
    expectClose(found.gradient, slopes.map { 1.5 * 0.25 * $0 }, absolute: 1e-6, "\(loss)")
  }

  @Test("value and gradient are those of the formula, for classes, vectors and mixtures", arguments: losses)
  func formulas(loss: Loss) throws {
    try check(loss, .label(2), [0, 0, 1, 0, 0])
    try check(loss, .mixed(4, 1, share: 0.75), [0, 0.25, 0, 0, 0.75])
    let first: [Float] = [0.25, 0, 0.5, 0.125, 0.125]
    let second: [Float] = [0, 1, 0, 0, 0]
    try first.withUnsafeBufferPointer { first in
      try second.withUnsafeBufferPointer { second in
        guard let one = first.baseAddress, let other = second.baseAddress else { return }
        try check(loss, .values(one), first.map(Double.init))
        try check(
          loss, .mixedValues(one, other, share: 0.5), zip(first, second).map { Double($0 + $1) / 2 })
      }
    }
  }

  @Test("labels have weights of their own in the mean over them")
  func outputWeights() throws {
    let flags: [Float] = [1, 0, 1, 0, 0]
    try flags.withUnsafeBufferPointer { flags in
      guard let start = flags.baseAddress else { return }
      for loss in [
        Loss.sigmoidCrossEntropy(SigmoidCrossEntropy()),
        .sigmoidCrossEntropy(SigmoidCrossEntropy(labelSmoothing: 0.1)),
      ] {
        try check(loss, .values(start), flags.map(Double.init), outputWeights: [1, 2, 0.5, 0, 3])
      }
    }
  }

  /// The loss of the outputs 400, −400 and 0 where the second class is right, worked out by hand: e⁻⁴⁰⁰ is no part of it.
  private static func large(_ loss: Loss) -> Double {
    switch loss {
    case .softmaxCrossEntropy(let settings):
      // Every class costs what its output lies below 400: 0, 800 and 400.
      let s = Double(settings.labelSmoothing)
      return 800 * (1 - s) + 1200 * s / 3
    case .sigmoidCrossEntropy(let settings):
      // 400 for both wrong ones, of which smoothing takes half of itself away, and log 2 for the even one.
      let wrong = 400 * (1 - Double(settings.labelSmoothing) / 2)
      return (wrong + wrong + log(2)) / 3
    case .sigmoidFocalCrossEntropy(let settings):
      // As above; the wrong ones are in no doubt but that of smoothing, and the even one is half decided.
      let (s, gamma) = (Double(settings.labelSmoothing), Double(settings.gamma))
      func share(_ wanted: Double) -> Double {
        settings.alpha.map { wanted * Double($0) + (1 - wanted) * (1 - Double($0)) } ?? 1
      }
      let wrong: Double = 400 * pow(1 - s / 2, gamma) * (1 - s / 2)
      let even: Double = share(s / 2) * pow(0.5, gamma) * log(2)
      return ((share(s / 2) + share(1 - s / 2)) * wrong + even) / 3
    case .meanSquaredError: return (160_000 + 160_801) / 3
    case .meanAbsoluteError: return 801.0 / 3
    case .huber(let settings):
      let d = Double(settings.delta)
      return d * (801 - d) / 3
    }
  }

  @Test("large outputs neither overflow nor lose the loss", arguments: losses)
  func large(loss: Loss) throws {
    let found = try compute(loss, [400, -400, 0], .label(1))
    #expect(abs(found.loss - Self.large(loss)) < 1e-9 * found.loss, "\(loss)")
    #expect(found.gradient.allSatisfy { $0.isFinite } && found.gradient[0] > 0 && found.gradient[1] < 0)
  }

  @Test("where output and target agree, regression's gradients are zero")
  func agreement() throws {
    for loss in [Loss.meanSquaredError, .meanAbsoluteError, .huber(Huber(delta: 1))] {
      let found = try compute(loss, [0, 1, 0], .label(1))
      #expect(found.loss == 0 && found.gradient == [0, 0, 0], "\(loss)")
    }
  }

  @Test("one output is compared with the class's number, several with a 1 at the class")
  func singleOutput() throws {
    #expect(try compute(.meanSquaredError, [0.5], .label(3)).loss == 6.25)
    let even = try compute(.sigmoidCrossEntropy(SigmoidCrossEntropy()), [0], .label(1)).loss
    #expect(abs(even - log(2)) < 1e-15)
    for target in [SampleTarget.label(2), .mixed(0, 2, share: 0.5)] {
      let error = #expect(throws: ComputeError.self) { try compute(.meanSquaredError, [0.5, 1], target) }
      #expect(error?.description == "label 2 is outside the network's 2 classes")
    }
  }

  @Test("a sample of weight 0 gives no loss and no gradient")
  func weightless() throws {
    for loss in Self.losses {
      let found = try compute(loss, Self.row, .label(0), weight: 0)
      #expect(found.loss == 0 && found.gradient.allSatisfy { $0 == 0 }, "\(loss)")
    }
  }
}
