internal import Foundation
public import Settings
internal import Tensors

/// An exponential moving average of the parameters, which evaluation uses instead of the parameters themselves.
///
///     a ← w                              after the first update
///     a ← a + (w − a)·(1 − d)            after each other, with  d = decay
///
/// Keras's `use_ema` with `ema_momentum` d, and PyTorch's `get_ema_multi_avg_fn(d)`. Short trainings can let the decay rise:
/// `d = min(decay, (1 + t) / (10 + t))` at update t, as TensorFlow's `ExponentialMovingAverage` does.
///
/// - SeeAlso: Polyak & Juditsky 1992, <https://doi.org/10.1137/0330046>.
public struct MovingAverage: Hashable, Sendable {
  /// The share of the average that each step keeps, in [0, 1).
  public var decay: Double
  /// Whether that share begins low, for short trainings.
  public var rises: Bool

  /// Takes the share that an average keeps.
  ///
  /// - Parameters:
  ///   - decay: kept share of the average, in [0, 1).
  ///   - rises: whether the kept share begins low.
  public init(decay: Double = 0.999, rises: Bool = false) {
    precondition(decay >= 0 && decay < 1, "an average cannot keep a share of \(decay)")
    self.decay = decay
    self.rises = rises
  }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<MovingAverage>(
    "A running average of the parameters: evaluation, the best checkpoint and the Keras model use it.",
    MovingAverage(),
    [
      SettingKey(
        "decay", \.decay, .number(.share), keras: "ema_momentum",
        "The share of the average that each step keeps, Keras's `ema_momentum`."),
      SettingKey(
        "rise", \.rises, .boolean,
        "Whether the share begins low, for short trainings: it is at most (1 + t) / (10 + t) in step t."),
    ])

  /// The share of the new value in the average after an update, counted from 1.
  func newShare(update: Int) -> Double {
    if update <= 1 { return 1 }
    let t = Double(update)
    return 1 - (rises ? min(decay, (1 + t) / (10 + t)) : decay)
  }

  func follow(
    _ parameters: UnsafePointer<Float>, _ average: UnsafeMutablePointer<Float>, count: Int, update: Int
  ) {
    let share = Float(newShare(update: update))
    if share == 1 { return average.update(from: parameters, count: count) }
    let w = UnsafeMutablePointer(mutating: parameters)
    forLanes(count: count) { i in
      average.store(average.lanes(at: i) + (w.lanes(at: i) - average.lanes(at: i)) * share, at: i)
    }
  }
}
