internal import Tensors

/// RMSprop, in Keras's form.
///
///     w ← w − η·λ·w                      weight decay λ, decoupled
///     v ← ρ·v + (1 − ρ)·g²
///     a ← ρ·a + (1 − ρ)·g                centred only
///     d = g / √(v + ε)                   or centred  g / √(v − a² + ε)
///     w ← w − η·d                        or with momentum  m ← μ·m + η·d;  w ← w − m
///
/// ε stands inside the root (PyTorch has it outside).
///
/// - SeeAlso: Tieleman & Hinton, "Lecture 6.5", Coursera 2012; Graves 2013, <https://arxiv.org/abs/1308.0850>.
public struct RMSprop: Optimizer, Hashable {
  public let rho: Double
  public let momentum: Double
  public let epsilon: Double
  public let centered: Bool
  public let weightDecay: Double

  /// - Parameters:
  ///   - rho: kept share of the mean squared gradient, in [0, 1).
  ///   - momentum: μ in [0, 1); 0 needs no slot.
  ///   - epsilon: above 0.
  ///   - centered: divides by the standard deviation of the gradient instead of its root mean square.
  ///   - weightDecay: λ, 0 or more.
  public init(
    rho: Double = 0.9, momentum: Double = 0, epsilon: Double = 1e-7, centered: Bool = false,
    weightDecay: Double = 0
  ) {
    self.rho = rho
    self.momentum = momentum
    self.epsilon = epsilon
    self.centered = centered
    self.weightDecay = weightDecay
  }

  public var slotNames: [String] {
    ["squared_mean"] + (momentum > 0 ? ["momentum"] : []) + (centered ? ["mean"] : [])
  }

  public func update(_ range: UpdateRange, _ moment: UpdateMoment) {
    let (w, g, v) = (range.parameters, range.gradient, range.slots)
    let m = range.slots + range.slotStride
    let a = range.slots + range.slotStride * (momentum > 0 ? 2 : 1)
    let (η, μ, ε) = (Float(moment.learningRate), Float(momentum), Float(epsilon))
    let (ρ, new) = (Float(rho), Float(1 - rho))
    range.shrink(by: weightDecay * moment.learningRate)
    // One loop for each of the four forms would save nothing: the time is that of memory.
    forLanes(count: range.count) { i in
      let gradient = g.lanes(at: i)
      let squares = v.lanes(at: i) * ρ + gradient * gradient * new
      v.store(squares, at: i)
      var below = squares + ε
      if centered {
        let mean = a.lanes(at: i) * ρ + gradient * new
        a.store(mean, at: i)
        below = squares - mean * mean + ε
      }
      var change = gradient * η / below.squareRoot()
      if μ > 0 {
        change = m.lanes(at: i) * μ + change
        m.store(change, at: i)
      }
      w.store(w.lanes(at: i) - change, at: i)
    } tail: { i in
      v[i] = v[i] * ρ + g[i] * g[i] * new
      var below = v[i] + ε
      if centered {
        a[i] = a[i] * ρ + g[i] * new
        below = v[i] - a[i] * a[i] + ε
      }
      var change = g[i] * η / below.squareRoot()
      if μ > 0 {
        change = m[i] * μ + change
        m[i] = change
      }
      w[i] = w[i] - change
    }
  }
}

/// Adagrad, in Keras's form.
///
///     w ← w − η·λ·w                      weight decay λ, decoupled
///     s ← s + g²                         from s₀, the initial accumulator
///     w ← w − η·g / √(s + ε)
///
/// - SeeAlso: Duchi, Hazan & Singer, JMLR 12, 2011.
public struct Adagrad: Optimizer, Hashable {
  public let initialAccumulator: Double
  public let epsilon: Double
  public let weightDecay: Double

  /// - Parameters:
  ///   - initialAccumulator: s₀, 0 or more; the slot holds what has been added to it, so that slots start at zero.
  ///   - epsilon: above 0.
  ///   - weightDecay: λ, 0 or more.
  public init(initialAccumulator: Double = 0.1, epsilon: Double = 1e-7, weightDecay: Double = 0) {
    self.initialAccumulator = initialAccumulator
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  public var slotNames: [String] { ["squared_sum"] }

  public func update(_ range: UpdateRange, _ moment: UpdateMoment) {
    let (w, g, s) = (range.parameters, range.gradient, range.slots)
    let (η, start) = (Float(moment.learningRate), Float(initialAccumulator + epsilon))
    range.shrink(by: weightDecay * moment.learningRate)
    forLanes(count: range.count) { i in
      let gradient = g.lanes(at: i)
      let sum = s.lanes(at: i) + gradient * gradient
      s.store(sum, at: i)
      w.store(w.lanes(at: i) - gradient * η / (sum + start).squareRoot(), at: i)
    } tail: { i in
      s[i] = s[i] + g[i] * g[i]
      w[i] = w[i] - g[i] * η / (s[i] + start).squareRoot()
    }
  }
}

/// Adadelta, in Keras's form.
///
///     w ← w − η·λ·w                      weight decay λ, decoupled
///     v ← ρ·v + (1 − ρ)·g²
///     d = g·√(u + ε) / √(v + ε)
///     u ← ρ·u + (1 − ρ)·d²
///     w ← w − η·d
///
/// The paper has η = 1.
///
/// - SeeAlso: Zeiler 2012, <https://arxiv.org/abs/1212.5701>.
public struct Adadelta: Optimizer, Hashable {
  public let rho: Double
  public let epsilon: Double
  public let weightDecay: Double

  /// - Parameters:
  ///   - rho: kept share of both running means, in [0, 1).
  ///   - epsilon: above 0; it decides how large the first steps are.
  ///   - weightDecay: λ, 0 or more.
  public init(rho: Double = 0.95, epsilon: Double = 1e-7, weightDecay: Double = 0) {
    self.rho = rho
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  public var slotNames: [String] { ["squared_mean", "squared_change"] }

  public func update(_ range: UpdateRange, _ moment: UpdateMoment) {
    let (w, g, v) = (range.parameters, range.gradient, range.slots)
    let u = range.slots + range.slotStride
    let (η, ε) = (Float(moment.learningRate), Float(epsilon))
    let (ρ, new) = (Float(rho), Float(1 - rho))
    range.shrink(by: weightDecay * moment.learningRate)
    forLanes(count: range.count) { i in
      let gradient = g.lanes(at: i)
      let squares = v.lanes(at: i) * ρ + gradient * gradient * new
      let change = gradient * (u.lanes(at: i) + ε).squareRoot() / (squares + ε).squareRoot()
      v.store(squares, at: i)
      u.store(u.lanes(at: i) * ρ + change * change * new, at: i)
      w.store(w.lanes(at: i) - change * η, at: i)
    } tail: { i in
      v[i] = v[i] * ρ + g[i] * g[i] * new
      let change = g[i] * (u[i] + ε).squareRoot() / (v[i] + ε).squareRoot()
      u[i] = u[i] * ρ + change * change * new
      w[i] = w[i] - change * η
    }
  }
}

/// Lion: the sign of a mean gradient, so every element moves by the same.
///
///     w ← w − η·λ·w                      weight decay λ, decoupled
///     w ← w − η·sign(β₁·m + (1 − β₁)·g)
///     m ← β₂·m + (1 − β₂)·g
///
/// - SeeAlso: Chen et al. 2023, <https://arxiv.org/abs/2302.06675>.
public struct Lion: Optimizer, Hashable {
  public let beta1: Double
  public let beta2: Double
  public let weightDecay: Double

  /// - Parameters:
  ///   - beta1: share of the mean in the direction, in [0, 1).
  ///   - beta2: kept share of the mean, in [0, 1).
  ///   - weightDecay: λ, 0 or more.
  public init(beta1: Double = 0.9, beta2: Double = 0.99, weightDecay: Double = 0) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.weightDecay = weightDecay
  }

  public var slotNames: [String] { ["mean"] }

  public func update(_ range: UpdateRange, _ moment: UpdateMoment) {
    let (w, g, m) = (range.parameters, range.gradient, range.slots)
    let η = Float(moment.learningRate)
    let (β1, new1) = (Float(beta1), Float(1 - beta1))
    let (β2, new2) = (Float(beta2), Float(1 - beta2))
    range.shrink(by: weightDecay * moment.learningRate)
    forLanes(count: range.count) { i in
      let (gradient, mean) = (g.lanes(at: i), m.lanes(at: i))
      let direction = mean * β1 + gradient * new1
      var change = Lanes.zero
      change.replace(with: η, where: direction .> 0)
      change.replace(with: -η, where: direction .< 0)
      w.store(w.lanes(at: i) - change, at: i)
      m.store(mean * β2 + gradient * new2, at: i)
    } tail: { i in
      let direction = m[i] * β1 + g[i] * new1
      w[i] = w[i] - (direction > 0 ? η : direction < 0 ? -η : 0)
      m[i] = m[i] * β2 + g[i] * new2
    }
  }
}

extension UpdateRange {
  /// `w ← w − w·share`, as far as weight decay acts.
  @inline(__always) func shrink(by share: Double) {
    if share != 0, decays { decay(parameters, by: Float(share * decayScale), count: count) }
  }
}
