public import OneDNN

/// Why a network could not be compiled or a plan could not run.
public enum ComputeError: Error, Sendable, CustomStringConvertible {
  /// A kernel library call failed in a layer.
  case library(layer: String, OneDNNError)
  /// No kernel computes the layer with these shapes.
  case noKernel(layer: String, pass: String)
  /// The network's output cannot feed the loss.
  case output(reason: String)
  /// The CPU lacks what the precision needs.
  case precision(String)
  /// A layer that cannot be looked into, or an image that does not fit.
  case trace(reason: String)
  /// A label outside the classes, or a sample of the wrong size.
  case sample(reason: String)

  /// The layer and what is wrong, in one line.
  public var description: String {
    switch self {
    case .library(let layer, let error): "layer '\(layer)': \(error)"
    case .noKernel(let layer, let pass): "layer '\(layer)': no kernel for its \(pass) pass with these shapes"
    case .output(let reason), .precision(let reason), .sample(let reason), .trace(let reason): reason
    }
  }
}
