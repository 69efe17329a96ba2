public import Networks

/// Where a window stands along one axis, as Keras and TensorFlow document it.
///
/// It shares nothing with the geometry that plans are made from, and `KerasWindowTests` holds it to Keras's own results.
public struct ReferenceWindow: Sendable {
  /// How many places the window takes.
  public let count: Int
  /// Elements of padding before the first one of the axis.
  public let before: Int
  private let stride: Int
  private let dilation: Int

  /// - `valid`: no padding, `ceil((extent − (size − 1)·dilation) / stride)` places.
  /// - `same`: `ceil(extent / stride)` places. With a reach of `(size − 1)·dilation + 1` the padding is
  ///   `max(reach − stride, 0)` where the stride divides the extent, else `max(reach − extent mod stride, 0)`; the smaller
  ///   half comes first.
  /// - `causal`: `(size − 1)·dilation` elements of padding in front, then as `valid`.
  /// - SeeAlso: the notes on padding of <https://www.tensorflow.org/api_docs/python/tf/nn>, and
  ///   <https://keras.io/api/layers/convolution_layers/convolution1d/> for `causal`.
  public init(extent: Int, size: Int, stride: Int, dilation: Int = 1, padding: Padding) {
    func places(_ length: Int) -> Int { Int((Double(length) / Double(stride)).rounded(.up)) }
    let reach = (size - 1) * dilation + 1
    switch padding {
    case .valid:
      count = places(extent - (size - 1) * dilation)
      before = 0
    case .same:
      count = places(extent)
      let left = extent % stride
      before = max(left == 0 ? reach - stride : reach - left, 0) / 2
    case .causal:
      before = (size - 1) * dilation
      count = places(extent + before - (size - 1) * dilation)
    }
    precondition(count >= 1, "a window of \(size), dilation \(dilation), does not fit into \(extent)")
    (self.stride, self.dilation) = (stride, dilation)
  }

  /// The element of the axis under an element of the window; outside the axis for padding.
  public func element(_ offset: Int, at place: Int) -> Int { place * stride + offset * dilation - before }
}

// MARK: - Layers seen as others

extension ReferenceKernels {
  /// A convolution of a sequence as one over images of height 1.
  public static func image(_ conv: Conv1D) -> Conv2D {
    Conv2D(
      filters: conv.filters, kernel: Size2D(1, conv.kernel), stride: Size2D(1, conv.stride),
      dilation: Size2D(1, conv.dilation), padding: conv.padding, groups: conv.groups)
  }

  /// A pool of a sequence as one over images of height 1.
  public static func image(_ pool: Pool1D) -> Pool2D {
    Pool2D(size: Size2D(1, pool.size), stride: Size2D(1, pool.stride), padding: pool.padding)
  }

  /// Margins of a sequence as those of images of height 1.
  public static func image(_ margins: Margins1D) -> Margins2D {
    Margins2D(top: 0, bottom: 0, left: margins.before, right: margins.after)
  }

  /// A depthwise convolution as one with a group for each channel; its kernel [KH, KW, C, M] holds the same elements in
  /// the same order as [KH, KW, 1, C·M].
  public static func grouped(_ conv: DepthwiseConv2D, channels: Int) -> Conv2D {
    Conv2D(
      filters: channels * conv.multiplier, kernel: conv.kernel, stride: conv.stride, dilation: conv.dilation,
      padding: conv.padding, groups: channels)
  }
}
