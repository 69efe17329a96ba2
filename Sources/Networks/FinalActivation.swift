extension LayerSpec {
  /// The function that the layer ends in; linear for one that ends in none, or in one with settings of its own.
  public var finalActivation: Activation {
    switch self {
    case .activation(let activation): activation
    case .dense(let dense): dense.activation
    case .conv1D(let conv): conv.activation
    case .conv2D(let conv): conv.activation
    case .depthwiseConv2D(let conv): conv.activation
    case .conv2DTranspose(let conv): conv.activation
    default: .linear
    }
  }
}
