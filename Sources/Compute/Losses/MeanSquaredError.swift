internal import Settings

/// The mean of (z − t)².
struct MeanSquaredError: ErrorLoss {
  static let settings = SettingsDescription<MeanSquaredError>(
    "For numbers: the squared difference, averaged over outputs and minibatch.", MeanSquaredError(), [])

  func keras(_ targets: Criterion.Targets, takesLogits: Bool) -> KerasObject {
    KerasObject("mean_squared_error")
  }

  @inline(__always) func function(_ error: Double) -> (value: Double, slope: Double) {
    (error * error, 2 * error)
  }
}
