internal import Settings

/// The mean of |z − t|, with gradient 0 where they agree.
struct MeanAbsoluteError: ErrorLoss {
  static let settings = SettingsDescription<MeanAbsoluteError>(
    "For numbers: the absolute difference, averaged over outputs and minibatch.", MeanAbsoluteError(), [])

  func keras(_ targets: Criterion.Targets, takesLogits: Bool) -> KerasObject {
    KerasObject("mean_absolute_error")
  }

  @inline(__always) func function(_ error: Double) -> (value: Double, slope: Double) {
    (abs(error), error > 0 ? 1 : error < 0 ? -1 : 0)
  }
}
