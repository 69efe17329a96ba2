internal import Foundation
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
  public let decay: Double
  public let rises: Bool

  /// - Parameters:
  ///   - decay: kept share of the average, in [0, 1).
  ///   - rises: whether the kept share begins low.
  public init(decay: Double, rises: Bool = false) {
    precondition(decay >= 0 && decay < 1, "an average cannot keep a share of \(decay)")
    self.decay = decay
    self.rises = rises
  }

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
    } tail: { i in
      average[i] = average[i] + (w[i] - average[i]) * share
    }
  }
}
