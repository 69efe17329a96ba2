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
public struct Nadam: AdamVariant {
  /// The rule's settings.
  public var adam: AdamSettings

  /// Takes the rule's settings.
  public init(_ adam: AdamSettings) { self.adam = adam }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<Nadam>(
    "Adam with Nesterov's momentum (Dozat 2016).", Nadam(learningRate: 0.001), SettingKey.adam(.weightDecay))

  /// Keras's class for the rule.
  public var kerasClass: String? { "Nadam" }

  /// Takes the rule's step over a range.
  public func update(_ range: UpdateRange, _ moment: UpdateMoment) {
    let w = range.parameters
    let t = moment.update
    let (now, next) = (momentum(t), momentum(t + 1))
    let (product, nextProduct) = (momentumProduct(t), momentumProduct(t + 1))
    let meanShare = Float(next / (1 - nextProduct))
    let gradientShare = Float((1 - now) / (1 - product))
    let below = Float(1 - pow(adam.beta2, Double(t)))
    let (new1, new2) = (Float(1 - adam.beta1), Float(1 - adam.beta2))
    let (η, ε) = (Float(moment.learningRate), Float(adam.epsilon))
    range.shrink(by: weightDecay * moment.learningRate)
    forLanes(count: range.count) { i in
      let (gradient, mean, squaredMean) = range.followMeans(at: i, new1, new2)
      let direction = mean * meanShare + gradient * gradientShare
      w.store(w.lanes(at: i) - direction * η / ((squaredMean / below).squareRoot() + ε), at: i)
    }
  }

  /// μₜ.
  private func momentum(_ update: Int) -> Double { adam.beta1 * (1 - 0.5 * pow(Self.decay, Double(update))) }

  /// Πₜ.
  private func momentumProduct(_ update: Int) -> Double {
    pow(adam.beta1, Double(update)) * Self.products[min(update, Self.products.count - 1)]
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
