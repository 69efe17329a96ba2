internal import Tensors

/// A range of the flat buffers, all starting at the same element.
public struct UpdateRange {
  /// The parameters of the range, which the update moves.
  public let parameters: UnsafeMutablePointer<Float>
  /// The gradient of the minibatch's mean loss; the optimizer may use it as working memory.
  public let gradient: UnsafeMutablePointer<Float>
  /// The range in slot 0; that in slot `k` is `k · slotStride` further on.
  public let slots: UnsafeMutablePointer<Float>
  /// Elements from one slot to the next.
  public let slotStride: Int
  /// A multiple of the lanes: what rounds a parameter up is zero, and every rule leaves it zero.
  public let count: Int
  /// What the rule's weight decay is multiplied by for these parameters; 0 where none acts.
  public let decayScale: Double
  /// Whether weight decay acts on these parameters.
  public var decays: Bool { decayScale != 0 }

  /// Takes addresses that all belong to the same first element.
  ///
  /// - Parameter count: elements of the range, a multiple of the lanes.
  public init(
    parameters: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>,
    slots: UnsafeMutablePointer<Float>, slotStride: Int, count: Int, decayScale: Double
  ) {
    precondition(
      count % Lanes.scalarCount == 0, "\(count) elements are not a multiple of \(Lanes.scalarCount)")
    self.parameters = parameters
    self.gradient = gradient
    self.slots = slots
    self.slotStride = slotStride
    self.count = count
    self.decayScale = decayScale
  }
}

extension UpdateRange {
  /// `w ← w − w·share`, as far as weight decay acts.
  @inline(__always) func shrink(by share: Double) {
    guard share != 0, decays else { return }
    let (w, share) = (parameters, Float(share * decayScale))
    forLanes(count: count) { i in
      w.store(w.lanes(at: i) - w.lanes(at: i) * share, at: i)
    }
  }

  /// `g ← g + λ·w`, as far as weight decay acts.
  @inline(__always) func addDecayToGradient(_ weightDecay: Double) {
    guard weightDecay != 0, decays else { return }
    let (w, g, λ) = (parameters, gradient, Float(weightDecay * decayScale))
    forLanes(count: count) { i in
      g.store(g.lanes(at: i) + w.lanes(at: i) * λ, at: i)
    }
  }
}
