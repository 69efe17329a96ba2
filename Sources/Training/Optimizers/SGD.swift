internal import Tensors

/// Stochastic gradient descent with momentum, in Keras's form.
///
///     w ← w − η·λ·w                      weight decay λ, decoupled
///     m ← μ·m − η·g
///     w ← w + m                          or with Nesterov  w ← w + μ·m − η·g
///
/// The learning rate η is inside m, so a change of rate acts on new gradients only (PyTorch keeps it outside).
///
/// - SeeAlso: Sutskever, Martens, Dahl and Hinton, "On the importance of initialization and momentum in deep learning",
///   ICML 2013.
public struct SGD: Optimizer {
  public let momentum: Double
  public let nesterov: Bool
  public let weightDecay: Double

  /// - Parameters:
  ///   - momentum: μ in [0, 1); 0 needs no slot.
  ///   - weightDecay: λ, 0 or more.
  public init(momentum: Double = 0, nesterov: Bool = false, weightDecay: Double = 0) {
    self.momentum = momentum
    self.nesterov = nesterov
    self.weightDecay = weightDecay
  }

  public var slotNames: [String] { momentum == 0 ? [] : ["momentum"] }

  public func update(_ range: UpdateRange, _ moment: UpdateMoment) {
    let w = range.parameters
    let g = range.gradient
    let m = range.slots
    let η = Float(moment.learningRate)
    let μ = Float(momentum)
    range.shrink(by: weightDecay * moment.learningRate)
    if momentum == 0 {
      forLanes(count: range.count) { i in
        w.store(w.lanes(at: i) - g.lanes(at: i) * η, at: i)
      } tail: { i in
        w[i] = w[i] - g[i] * η
      }
    } else if nesterov {
      forLanes(count: range.count) { i in
        let rated = g.lanes(at: i) * η
        let velocity = m.lanes(at: i) * μ - rated
        m.store(velocity, at: i)
        w.store(w.lanes(at: i) + (velocity * μ - rated), at: i)
      } tail: { i in
        let rated = g[i] * η
        m[i] = m[i] * μ - rated
        w[i] = w[i] + (m[i] * μ - rated)
      }
    } else {
      forLanes(count: range.count) { i in
        let velocity = m.lanes(at: i) * μ - g.lanes(at: i) * η
        m.store(velocity, at: i)
        w.store(w.lanes(at: i) + velocity, at: i)
      } tail: { i in
        m[i] = m[i] * μ - g[i] * η
        w[i] = w[i] + m[i]
      }
    }
  }
}

/// `w ← w − w·share`.
func decay(_ w: UnsafeMutablePointer<Float>, by share: Float, count: Int) {
  forLanes(count: count) { i in
    w.store(w.lanes(at: i) - w.lanes(at: i) * share, at: i)
  } tail: { i in
    w[i] = w[i] - w[i] * share
  }
}
