internal import Foundation
public import Settings
internal import Tensors

/// Nadam: Adam with Nesterov's momentum, in Keras's form.
///
///     w ← w − η·λ·w                      weight decay λ, decoupled
///     μₜ = β₁·(1 − ½·0.96ᵗ),   Πₜ = μ₁·…·μₜ
///     m ← m + (g − m)·(1 − β₁)
///     v ← v + (g² − v)·(1 − β₂)
///     d = μₜ₊₁·m / (1 − Πₜ₊₁) + (1 − μₜ)·g / (1 − Πₜ)
///     w ← w − η·d / (√(v / (1 − β₂ᵗ)) + ε)
///
/// PyTorch's is this with `momentum_decay` 0.004, by which the 0.96 is raised again.
///
/// - SeeAlso: Dozat 2016, <https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ>.
public struct Nadam: Optimizer {
  /// η, the step width before the schedule scales it.
  public var learningRate: Double
  /// β₁, the kept share of the gradient's running mean, in [0, 1).
  public var beta1: Double
  /// β₂, the kept share of the squared gradient's running mean, in [0, 1).
  public var beta2: Double
  /// ε, against division by zero.
  public var epsilon: Double
  /// λ, the weight decay; 0 for none.
  public var weightDecay: Double

  /// Takes the rule's settings.
  ///
  /// - Parameters:
  ///   - learningRate: η, which the schedule scales; above 0.
  ///   - beta1: kept share of the mean gradient, in [0, 1).
  ///   - beta2: kept share of the mean squared gradient, in [0, 1).
  ///   - epsilon: above 0.
  ///   - weightDecay: λ, 0 or more.
  public init(
    learningRate: Double, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-7,
    weightDecay: Double = 0
  ) {
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<Nadam>(
    "Adam with Nesterov's momentum (Dozat 2016).", Nadam(learningRate: 0.001),
    [
      .learningRate, .meanShare(\.beta1), .squaredMeanShare(\.beta2), .epsilon(\.epsilon), .weightDecay,
    ])

  /// Keras's class for the rule.
  public var kerasClass: String? { "Nadam" }

  /// What the rule remembers of each parameter.
  public var slotNames: [String] { ["mean", "squared_mean"] }

  /// Takes the rule's step over a range.
  public func update(_ range: UpdateRange, _ moment: UpdateMoment) {
    let (w, g, m) = (range.parameters, range.gradient, range.slots)
    let v = range.slots + range.slotStride
    let t = moment.update
    let (now, next) = (momentum(t), momentum(t + 1))
    let (product, nextProduct) = (momentumProduct(t), momentumProduct(t + 1))
    let meanShare = Float(next / (1 - nextProduct))
    let gradientShare = Float((1 - now) / (1 - product))
    let below = Float(1 - pow(beta2, Double(t)))
    let (new1, new2) = (Float(1 - beta1), Float(1 - beta2))
    let (η, ε) = (Float(moment.learningRate), Float(epsilon))
    range.shrink(by: weightDecay * moment.learningRate)
    forLanes(count: range.count) { i in
      let gradient = g.lanes(at: i)
      let mean = m.lanes(at: i) + (gradient - m.lanes(at: i)) * new1
      let squares = v.lanes(at: i) + (gradient * gradient - v.lanes(at: i)) * new2
      m.store(mean, at: i)
      v.store(squares, at: i)
      let direction = mean * meanShare + gradient * gradientShare
      w.store(w.lanes(at: i) - direction * η / ((squares / below).squareRoot() + ε), at: i)
    }
  }

  /// μₜ.
  private func momentum(_ update: Int) -> Double { beta1 * (1 - 0.5 * pow(Self.decay, Double(update))) }

  /// Πₜ.
  private func momentumProduct(_ update: Int) -> Double {
    pow(beta1, Double(update)) * Self.products[min(update, Self.products.count - 1)]
  }

  private static let decay = 0.96

  /// Products of 1 − ½·0.96ⁱ over i from 1 to the index; behind the last the factors are 1 in `Double`.
  private static let products: [Double] = {
    var products = [1.0]
    while true {
      let factor = 1 - 0.5 * pow(decay, Double(products.count))
      if factor == 1 { return products }
      products.append(products[products.count - 1] * factor)
    }
  }()
}
