/// Output extent and padding of a window that slides along one axis, as Keras computes them.
public struct WindowGeometry: Hashable, Sendable {
  /// Places of the output.
  public let output: Int
  /// Places of padding before the first of the input, as far as windows reach.
  public let paddingBefore: Int
  /// Places of padding behind the last of the input, as far as windows reach.
  public let paddingAfter: Int

  /// Slides a window of `window` elements, `dilation` places apart, over `input` places, `stride` places at a time.
  ///
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

/// Output extent and padding of a window that slides over an image.
public struct WindowGeometry2D: Hashable, Sendable {
  /// Along the rows.
  public let height: WindowGeometry
  /// Along the columns.
  public let width: WindowGeometry

  /// The windows of a convolution over an image of this size; nil where they do not fit once.
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

  /// The windows of a pooling layer over an image of this size; nil where they do not fit once.
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
  /// Places of the output.
  public let output: Int
  /// Places before the first of the output that windows reach, and nothing is written to.
  public let paddingBefore: Int
  /// Places behind the last of the output that windows reach; negative where the output goes beyond the last window.
  public let paddingAfter: Int

  /// Lets each of `input` places write a window of `window` places, `stride` places apart; padding is `valid` or `same`.
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
