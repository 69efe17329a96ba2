public import HDF5
public import Networks

/// Writes the model of a checkpoint in the form of a program that opens the file without Convoy.
public protocol ModelWriter: Sendable {
  /// Writes the network, its values and how it is trained into a file that is still empty.
  ///
  /// The values of each parameter have to lie at ``CheckpointFile/path(ofValuesOf:)``, in Keras's layout of the parameter:
  /// reading takes them from there. Convoy adds its own group `/convoy` afterwards.
  func write(_ checkpoint: Checkpoint, to root: Group) throws
}

extension CheckpointFile {
  /// The group of a checkpoint's file that holds the values of the parameters.
  public static let valuesGroup = "model_weights"

  /// The dataset that holds the values of a parameter.
  public static func path(ofValuesOf parameter: Parameter) -> String {
    "\(valuesGroup)/\(parameter.layer)/\(parameter.path)"
  }
}
