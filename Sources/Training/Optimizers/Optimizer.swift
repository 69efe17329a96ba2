public import Settings
internal import Tensors

/// A rule that turns gradients into new parameters, element by element, with its settings.
///
/// A value without state: what it remembers lies in *slots*, flat buffers that mirror the parameters and start at zero.
/// Since every element is updated on its own, how the buffers are cut into ranges changes no bit.
public protocol Optimizer: Hashable, Sendable {
  /// The rule's settings, as configurations and Keras write them.
  static var settings: SettingsDescription<Self> { get }

  /// η before the schedule scales it.
  var learningRate: Double { get set }
  /// λ; what it does is the rule's own.
  var weightDecay: Double { get set }

  /// Keras's class for the rule; nil where Keras has none that it finds again in a file.
  var kerasClass: String? { get }

  /// Names of the slots, as checkpoints call them.
  var slotNames: [String] { get }

  /// Updates the parameters and slots of a range in place.
  func update(_ range: UpdateRange, _ moment: UpdateMoment)

  /// Whether parameters without weight decay keep their bits while their gradient is zero, and ``rest(_:updates:)`` gives the slots
  /// the bits that as many updates would give them.
  var restsWithoutGradient: Bool { get }

  /// Does to a range's slots what `updates` updates with a gradient of zero do, where ``restsWithoutGradient``.
  func rest(_ range: UpdateRange, updates: Int)
}

extension Optimizer {
  /// By default parameters may move without a gradient, as momentum moves them.
  public var restsWithoutGradient: Bool { false }

  /// By default slots stay, as well.
  public func rest(_ range: UpdateRange, updates: Int) {}
}

extension UpdateRange {
  /// `slot ← slot·share`, several times over: as often as updates without a gradient do it.
  ///
  /// Once the product is the number itself, at zero or among the smallest numbers that there are, nothing more happens.
  func decay(slot: Int, by share: Float, times: Int) {
    let values = slots + slot * slotStride
    forLanes(count: count) { i in
      var lanes = values.lanes(at: i)
      for _ in 0..<times {
        let next = lanes * share
        if next == lanes { break }
        lanes = next
      }
      values.store(lanes, at: i)
    }
  }
}

extension Optimizer {
  /// The rule in Keras; nil where Keras has none that computes the same and that all its versions find again in a file.
  ///
  /// With weight decay there is none: Keras 2 reads optimizers of HDF5 files by classes that do not know the word, and a model
  /// with it would not open there at all.
  public var keras: KerasObject? {
    guard weightDecay == 0, let kerasClass else { return nil }
    return KerasObject(
      kerasClass, Self.settings.kerasSettings(of: self).merging(["name": .text(kerasClass)]) { $1 })
  }
}

/// Where in the training an update happens.
public struct UpdateMoment: Hashable, Sendable {
  /// Number of this update, from 1; skipped steps do not count.
  public let update: Int
  /// The optimizer's rate times the schedule's factor.
  public let learningRate: Double

  /// Takes the number of an update, from 1, and its rate.
  public init(update: Int, learningRate: Double) {
    self.update = update
    self.learningRate = learningRate
  }
}

// MARK: - Settings that several rules have

extension SettingKey where Root: Optimizer {
  static var learningRate: SettingKey {
    SettingKey(
      "learning_rate", \.learningRate, .number(.positive), default: .required, keras: "learning_rate",
      "The step width, which the schedule scales.")
  }

  /// Weight decay that ``UpdateRange/shrink(by:)`` does, as in Keras.
  static var weightDecay: SettingKey {
    SettingKey(
      "weight_decay", \.weightDecay, .number(.nonNegative),
      "Parameters shrink by this times the learning rate in each step.")
  }

  /// Weight decay that ``UpdateRange/addDecayToGradient(_:)`` does, which Keras does not have.
  static var gradientDecay: SettingKey {
    SettingKey(
      "weight_decay", \.weightDecay, .number(.nonNegative),
      "This times the parameter is added to the gradient, as in PyTorch's Adam.")
  }

  /// Weight decay that is a part of the step whose norm counts.
  static var directionDecay: SettingKey {
    SettingKey(
      "weight_decay", \.weightDecay, .number(.nonNegative),
      "This times the parameter is added to the direction. Parameters that `weight_decay_on` or a rule leaves out take plain steps."
    )
  }

  /// A share that a running value keeps, in [0, 1).
  static func share(
    _ name: String, _ path: any WritableKeyPath<Root, Double> & Sendable, keras: KerasOption? = nil,
    _ summary: String
  ) -> SettingKey {
    SettingKey(name, path, .number(.share), keras: keras, summary)
  }

  static func epsilon(_ path: any WritableKeyPath<Root, Double> & Sendable) -> SettingKey {
    SettingKey(
      "epsilon", path, .number(.positive), keras: "epsilon", "A small number against division by zero."
    )
  }
}
