internal import Foundation
internal import Tensors

/// Adam, and AdamW when the weight decay is decoupled, in Keras's form.
///
///     w ← w − η·λ·w                      decoupled;  otherwise  g ← g + λ·w
///     α = η·√(1 − β₂ᵗ) / (1 − β₁ᵗ)
///     m ← m + (g − m)·(1 − β₁)
///     v ← v + (g² − v)·(1 − β₂)
///     w ← w − α·m / (√v + ε)
///
/// ε stands beside the uncorrected √v, as in Keras and in the last paragraph of the paper's section 2; PyTorch puts it beside the
/// corrected one.
///
/// - SeeAlso: Kingma & Ba 2015, <https://arxiv.org/abs/1412.6980>; Loshchilov & Hutter 2019,
///   <https://arxiv.org/abs/1711.05101>.
public struct Adam: Optimizer {
  public let beta1: Double
  public let beta2: Double
  public let epsilon: Double
  public let weightDecay: Double
  public let decoupled: Bool

  /// - Parameters:
  ///   - beta1: kept share of the mean gradient, in [0, 1).
  ///   - beta2: kept share of the mean squared gradient, in [0, 1).
  ///   - epsilon: above 0.
  ///   - weightDecay: λ, 0 or more.
  ///   - decoupled: true for AdamW.
  public init(
    beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-7, weightDecay: Double = 0,
    decoupled: Bool = false
  ) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.decoupled = decoupled
  }

  public var slotNames: [String] { ["mean", "squared_mean"] }

  public func update(_ range: UpdateRange, _ moment: UpdateMoment) {
    let w = range.parameters
    let g = range.gradient
    let m = range.slots
    let v = range.slots + range.slotStride
    let t = Double(moment.update)
    let α = Float(moment.learningRate * (1 - pow(beta2, t)).squareRoot() / (1 - pow(beta1, t)))
    let new1 = Float(1 - beta1)
    let new2 = Float(1 - beta2)
    let ε = Float(epsilon)
    if decoupled {
      range.shrink(by: weightDecay * moment.learningRate)
    } else {
      range.addDecayToGradient(weightDecay)
    }
    forLanes(count: range.count) { i in
      let gradient = g.lanes(at: i)
      let mean = m.lanes(at: i) + (gradient - m.lanes(at: i)) * new1
      let squaredMean = v.lanes(at: i) + (gradient * gradient - v.lanes(at: i)) * new2
      m.store(mean, at: i)
      v.store(squaredMean, at: i)
      w.store(w.lanes(at: i) - mean * α / (squaredMean.squareRoot() + ε), at: i)
    } tail: { i in
      m[i] = m[i] + (g[i] - m[i]) * new1
      v[i] = v[i] + (g[i] * g[i] - v[i]) * new2
      w[i] = w[i] - m[i] * α / (v[i].squareRoot() + ε)
    }
  }
}
