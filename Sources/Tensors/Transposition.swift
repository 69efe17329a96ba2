/// Elements of a tensor in another order of its dimensions.
public enum Transposition {
  /// The elements with the dimensions in another order.
  ///
  /// - Parameters:
  ///   - order: for each dimension of the result, the dimension of `source` that it is.
  ///   - source: the elements, the last dimension's side by side.
  ///   - shape: the sizes of `source`, outermost first.
  /// - Complexity: O(elements).
  public static func apply<Element: BitwiseCopyable>(
    _ order: [Int], to source: UnsafeBufferPointer<Element>, shape: [Int]
  ) -> [Element] {
    precondition(order.sorted() == Array(shape.indices), "\(order) is no order of \(shape.count) dimensions")
    precondition(source.count == shape.reduce(1, *), "\(source.count) elements do not have the shape \(shape)")
    guard !source.isEmpty, let start = source.baseAddress else { return [] }
    if order == Array(shape.indices) { return Array(source) }
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in strides.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * shape[axis + 1] }
    let sizes = order.map { shape[$0] }
    let steps = order.map { strides[$0] }
    let (innerSize, innerStep) = (sizes[sizes.count - 1], steps[steps.count - 1])
    return [Element](unsafeUninitializedCapacity: source.count) { target, count in
      var place = [Int](repeating: 0, count: sizes.count)
      var (offset, filled) = (0, 0)
      while filled < source.count {
        for index in 0..<innerSize { target.initializeElement(at: filled + index, to: start[offset + index * innerStep]) }
        filled += innerSize
        // The next row: the innermost dimension but one counts first.
        var axis = sizes.count - 2
        while axis >= 0 {
          place[axis] += 1
          offset += steps[axis]
          if place[axis] < sizes[axis] { break }
          offset -= steps[axis] * sizes[axis]
          place[axis] = 0
          axis -= 1
        }
      }
      count = filled
    }
  }

  /// The elements with the dimensions in another order.
  public static func apply<Element: BitwiseCopyable>(
    _ order: [Int], to source: [Element], shape: [Int]
  ) -> [Element] {
    source.withUnsafeBufferPointer { apply(order, to: $0, shape: shape) }
  }
}
