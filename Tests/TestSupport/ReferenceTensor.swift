public import Tensors

/// A dense tensor of `Double` in channels-last order: what reference kernels take and give.
///
/// The shape has all dimensions, N included: images are `[N, H, W, C]`, vectors `[N, C]`.
public struct ReferenceTensor: Equatable, Sendable {
  /// The sizes along the axes.
  public let shape: Shape
  /// The elements, row-major.
  public var values: [Double]

  /// A tensor of these elements.
  public init(_ shape: Shape, _ values: [Double]) {
    precondition(
      shape.elementCount == values.count,
      "a tensor of \(shape) has \(shape.elementCount) values, got \(values.count)")
    self.shape = shape
    self.values = values
  }

  /// A tensor of these elements.
  public init(_ shape: Shape, repeating value: Double = 0) {
    self.init(shape, [Double](repeating: value, count: shape.elementCount))
  }

  /// Values that are exactly the given floats.
  public init(_ shape: Shape, floats: some Collection<Float>) {
    self.init(shape, floats.map(Double.init))
  }

  /// Uniform in ±`scale`, the same for the same seed, and each exactly a `Float`, so that a kernel in single precision can
  /// be given the same numbers.
  public static func random(_ shape: Shape, seed: UInt64, scale: Double = 1) -> ReferenceTensor {
    var random = SplitMix64(seed: seed << 32 ^ UInt64(shape.elementCount))
    let values = (0..<shape.elementCount).map { _ in Double(Float((random.nextUnit() * 2 - 1) * scale)) }
    return ReferenceTensor(shape, values)
  }

  /// Distinct values that lie at least `2·scale / count` apart, in random order: no ties for a maximum to break.
  public static func shuffled(_ shape: Shape, seed: UInt64, scale: Double = 1) -> ReferenceTensor {
    let count = shape.elementCount
    var random = SplitMix64(seed: seed << 32 ^ UInt64(count))
    var values = (0..<count).map { Double(Float(((Double($0) + 0.5) / Double(count) * 2 - 1) * scale)) }
    for index in stride(from: count - 1, to: 0, by: -1) {
      values.swapAt(index, random.next(below: index + 1))
    }
    return ReferenceTensor(shape, values)
  }

  /// The elements rounded to single precision.
  public var floats: [Float] { values.map(Float.init) }

  /// The values as memory that a plan can read.
  public func makeBuffer() -> AlignedBuffer<Float> { AlignedBuffer(floats) }

  /// The same elements in another shape of as many.
  public func reshaped(to shape: Shape) -> ReferenceTensor { ReferenceTensor(shape, values) }

  /// A tensor of the function of each element.
  public func map(_ transform: (Double) -> Double) -> ReferenceTensor {
    ReferenceTensor(shape, values.map(transform))
  }

  /// Σ self·other: turns a tensor-valued function into a number whose gradient is the function's backward pass of `other`.
  public func dot(_ other: ReferenceTensor) -> Double {
    precondition(shape == other.shape, "expected \(shape), got \(other.shape)")
    var sum = 0.0
    for index in values.indices { sum += values[index] * other.values[index] }
    return sum
  }

  // MARK: - Elements

  /// Value at `[n, h, w, c]` of an image tensor.
  public subscript(n: Int, h: Int, w: Int, c: Int) -> Double {
    get { values[offset(n, h, w, c)] }
    set { values[offset(n, h, w, c)] = newValue }
  }

  /// Value at `[row, column]` of a matrix.
  public subscript(row: Int, column: Int) -> Double {
    get { values[row * shape.dimensions[1] + column] }
    set { values[row * shape.dimensions[1] + column] = newValue }
  }

  private func offset(_ n: Int, _ h: Int, _ w: Int, _ c: Int) -> Int {
    let d = shape.dimensions
    return ((n * d[1] + h) * d[2] + w) * d[3] + c
  }

  /// Index along each dimension of an element in memory order.
  public static func coordinates(of offset: Int, in shape: Shape) -> [Int] {
    var rest = offset
    var coordinates: [Int] = []
    for dimension in shape.dimensions.reversed() {
      coordinates.insert(rest % max(dimension, 1), at: 0)
      rest /= max(dimension, 1)
    }
    return coordinates
  }
}
