internal import Settings

/// The mean of ½·e² where e = |z − t| ≤ δ, of δ·(e − ½·δ) elsewhere.
///
/// - SeeAlso: Huber 1964, <https://doi.org/10.1214/aoms/1177703732>.
public struct Huber: ErrorLoss {
  /// δ, above 0.
  public var delta: Float

  /// Takes δ, above 0.
  public init(delta: Float = 1) { self.delta = delta }

  static let settings = SettingsDescription<Huber>(
    "For numbers: differences up to `delta` count squared, larger ones only in proportion.", Huber(),
    [
      SettingKey(
        "delta", \.delta, .number(.positive), keras: "delta",
        "The difference at which one becomes the other.")
    ])

  func keras(_ targets: Criterion.Targets, takesLogits: Bool) -> KerasObject {
    KerasObject("Huber", kerasSettings)
  }

  @inline(__always) func function(_ error: Double) -> (value: Double, slope: Double) {
    let delta = Double(delta)
    return abs(error) <= delta
      ? (0.5 * error * error, error) : (delta * (abs(error) - 0.5 * delta), error > 0 ? delta : -delta)
  }
}
