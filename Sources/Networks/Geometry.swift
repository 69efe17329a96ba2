/// Output extent and padding of a window that slides along one axis, as Keras computes them.
public struct WindowGeometry: Hashable, Sendable {
  public let output: Int
  public let paddingBefore: Int
  public let paddingAfter: Int

  /// - Returns: nil where the window does not fit once.
  public init?(input: Int, window: Int, stride: Int, dilation: Int = 1, padding: Padding) {
    let extent = (window - 1) * dilation + 1
    switch padding {
    case .valid:
      guard input >= extent else { return nil }
      output = (input - extent) / stride + 1
      paddingBefore = 0
      paddingAfter = 0
    case .same:
      guard input > 0 else { return nil }
      output = (input + stride - 1) / stride
      let total = max((output - 1) * stride + extent - input, 0)
      paddingBefore = total / 2
      paddingAfter = total - total / 2
    case .causal:
      guard input > 0 else { return nil }
      output = (input + stride - 1) / stride
      paddingBefore = extent - 1
      paddingAfter = 0
    }
  }
}

/// Geometry of a window that slides over an image.
public struct WindowGeometry2D: Hashable, Sendable {
  public let height: WindowGeometry
  public let width: WindowGeometry

  public init?(height: Int, width: Int, conv: Conv2D) {
    guard
      let vertical = WindowGeometry(
        input: height, window: conv.kernel.height, stride: conv.stride.height,
        dilation: conv.dilation.height, padding: conv.padding),
      let horizontal = WindowGeometry(
        input: width, window: conv.kernel.width, stride: conv.stride.width,
        dilation: conv.dilation.width, padding: conv.padding)
    else { return nil }
    self.height = vertical
    self.width = horizontal
  }

  public init?(height: Int, width: Int, pool: Pool2D) {
    guard
      let vertical = WindowGeometry(
        input: height, window: pool.size.height, stride: pool.stride.height, padding: pool.padding),
      let horizontal = WindowGeometry(
        input: width, window: pool.size.width, stride: pool.stride.width, padding: pool.padding)
    else { return nil }
    self.height = vertical
    self.width = horizontal
  }
}

/// Where a transposed convolution writes: the geometry of the convolution that would lead back, from its output to its input.
public struct TransposedGeometry: Hashable, Sendable {
  public let output: Int
  public let paddingBefore: Int
  /// Negative where the output has positions behind the last window's.
  public let paddingAfter: Int

  public init(input: Int, window: Int, stride: Int, padding: Padding) {
    let reach = (input - 1) * stride + window
    if padding == .same {
      output = input * stride
      paddingBefore = max(reach - output, 0) / 2
    } else {
      output = input * stride + max(window - stride, 0)
      paddingBefore = 0
    }
    paddingAfter = reach - output - paddingBefore
  }
}
