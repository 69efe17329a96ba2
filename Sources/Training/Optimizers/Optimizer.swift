/// A rule that turns gradients into new parameters, element by element.
///
/// A value without state: what it remembers lies in *slots*, flat buffers that mirror the parameters and start at zero.
/// Since every element is updated on its own, how the buffers are cut into ranges changes no bit.
public protocol Optimizer: Sendable {
  /// Names of the slots, as checkpoints call them.
  var slotNames: [String] { get }

  /// Updates the parameters and slots of a range in place.
  func update(_ range: UpdateRange, _ moment: UpdateMoment)
}

/// A range of the flat buffers, all starting at the same element.
public struct UpdateRange {
  public let parameters: UnsafeMutablePointer<Float>
  /// Of the minibatch's mean loss; the optimizer may use it as working memory.
  public let gradient: UnsafeMutablePointer<Float>
  /// The range in slot 0; that in slot `k` is `k · slotStride` further on.
  public let slots: UnsafeMutablePointer<Float>
  public let slotStride: Int
  public let count: Int
  /// What the rule's weight decay is multiplied by for these parameters; 0 where none acts.
  public let decayScale: Double
  /// Whether weight decay acts on these parameters.
  public var decays: Bool { decayScale != 0 }

  public init(
    parameters: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>,
    slots: UnsafeMutablePointer<Float>, slotStride: Int, count: Int, decayScale: Double
  ) {
    self.parameters = parameters
    self.gradient = gradient
    self.slots = slots
    self.slotStride = slotStride
    self.count = count
    self.decayScale = decayScale
  }
}

/// Where in the training an update happens.
public struct UpdateMoment: Hashable, Sendable {
  /// Number of this update, from 1; skipped steps do not count.
  public let update: Int
  /// The optimizer's rate times the schedule's factor.
  public let learningRate: Double

  public init(update: Int, learningRate: Double) {
    self.update = update
    self.learningRate = learningRate
  }
}

extension OptimizerConfiguration {
  /// The rule that the configuration describes.
  public func makeOptimizer() -> any Optimizer {
    switch self {
    case .sgd(_, let momentum, let nesterov, let weightDecay):
      SGD(momentum: momentum, nesterov: nesterov, weightDecay: weightDecay)
    case .adam(_, let beta1, let beta2, let epsilon, let weightDecay, let decoupled):
      Adam(beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay, decoupled: decoupled)
    case .rmsprop(_, let rule): rule
    case .adagrad(_, let rule): rule
    case .adadelta(_, let rule): rule
    case .lion(_, let rule): rule
    case .lars(_, let rule): rule
    case .lamb(_, let rule): rule
    }
  }

  /// Whether steps depend on norms over whole tensors.
  var isLayerwise: Bool {
    switch self {
    case .lars, .lamb: true
    default: false
    }
  }

  /// Keras's class for the rule; nil where Keras has none.
  public var kerasName: String? {
    switch self {
    case .sgd: "SGD"
    case .adam(_, _, _, _, _, let decoupled): decoupled ? "AdamW" : "Adam"
    case .rmsprop: "RMSprop"
    case .adagrad: "Adagrad"
    case .adadelta: "Adadelta"
    case .lion: "Lion"
    case .lars: nil
    // Keras's has its weight decay outside the norms.
    case .lamb(_, let rule): rule.weightDecay == 0 ? "Lamb" : nil
    }
  }
}
