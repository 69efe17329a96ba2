import Tensors
import TestSupport
import Testing

@testable import Training

@Suite("Rules at rest")
struct RestingRuleTests {
  private static let resting: [any Optimizer] = [
    SGD(learningRate: 0.1), Adagrad(learningRate: 0.1), Adadelta(learningRate: 1, rho: 0.95, epsilon: 1e-6),
    Adadelta(learningRate: 1, rho: 0, epsilon: 1e-6), RMSprop(learningRate: 0.01),
    RMSprop(learningRate: 0.01, rho: 0.5),
  ]

  @Test("so many updates without a gradient, and their replay, give the same bytes")
  func replay() {
    let count = 64
    for rule in Self.resting {
      #expect(rule.restsWithoutGradient)
      for updates in [1, 2, 3, 17, 400, 5000] {
        var random = SplitMix64(seed: UInt64(updates))
        let slots = rule.slotNames.count
        let start = (0..<count).map { _ in Float(random.next(below: 2001)) / 1000 - 1 }
        // Sizes down to the smallest that there are.
        let slotStart = (0..<count * max(1, slots)).map { place in
          Float(random.next(below: 1000)) * [1, 1e-20, 1e-38, 1e-42, 0][place % 5]
        }
        func buffers() -> (AlignedBuffer<Float>, AlignedBuffer<Float>) {
          (AlignedBuffer(start), AlignedBuffer(slotStart))
        }
        let (moved, movedSlots) = buffers()
        let (rested, restedSlots) = buffers()
        let gradient = AlignedBuffer<Float>(count: count)
        func range(_ parameters: AlignedBuffer<Float>, _ slots: AlignedBuffer<Float>) -> UpdateRange {
          UpdateRange(
            parameters: parameters.baseAddress, gradient: gradient.baseAddress, slots: slots.baseAddress,
            slotStride: count, count: count, decayScale: 0)
        }
        for update in 1...updates {
          gradient.elements.update(repeating: 0)
          rule.update(range(moved, movedSlots), UpdateMoment(update: update, learningRate: 0.3))
        }
        rule.rest(range(rested, restedSlots), updates: updates)
        #expect(moved.elements.map(\.bitPattern) == start.map(\.bitPattern), "\(rule)")
        #expect(
          movedSlots.elements.map(\.bitPattern) == restedSlots.elements.map(\.bitPattern),
          "\(rule), \(updates) updates")
      }
    }
  }

  @Test("rules that go on without a gradient do not rest")
  func others() {
    let rules: [any Optimizer] = [
      SGD(learningRate: 0.1, momentum: 0.9), RMSprop(learningRate: 0.1, momentum: 0.5),
      RMSprop(learningRate: 0.1, centered: true), Adam(learningRate: 0.1), AdamW(learningRate: 0.1),
      Nadam(learningRate: 0.1), Lion(learningRate: 0.1), LAMB(learningRate: 0.1),
    ]
    for rule in rules { #expect(!rule.restsWithoutGradient, "\(rule)") }
  }
}
