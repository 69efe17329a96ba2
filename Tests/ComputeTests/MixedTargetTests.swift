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
}
