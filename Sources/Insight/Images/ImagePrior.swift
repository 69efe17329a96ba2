public import Tensors

/// The penalties that are subtracted from an objective so that images look like images, for pixels in 0…1.
public struct ImagePrior: Hashable, Sendable {
  /// λ of `λ·Σ|x|`, the lecture's penalty, which keeps pixels black that are not needed.
  public var l1: Double
  /// λ of `λ·Σ (x − 0.5)²`, which holds pixels near mid-grey (Simonyan 2013).
  public var l2: Double
  /// λ of `λ·Σ √(Δ² + 10⁻⁶)` over the differences Δ of neighbours, down and to the right (Mahendran and Vedaldi 2014).
  public var totalVariation: Double

  /// Penalties with these factors; a factor of 0 leaves its penalty out.
  public init(l1: Double = 0, l2: Double = 0, totalVariation: Double = 0) {
    self.l1 = l1
    self.l2 = l2
    self.totalVariation = totalVariation
  }

  private static let smoothing = 1e-6

  /// The sum of the penalties.
  ///
  /// - Parameter image: pixels in 0…1, `[H, W, C]`.
  public func value(_ image: [Float], shape: Shape) -> Double {
    var sum = 0.0
    if l1 != 0 { sum += l1 * image.reduce(0.0) { $0 + abs(Double($1)) } }
    if l2 != 0 { sum += l2 * image.reduce(0.0) { $0 + (Double($1) - 0.5) * (Double($1) - 0.5) } }
    if totalVariation != 0 {
      var total = 0.0
      forEachPair(shape) { first, second in
        let difference = Double(image[second]) - Double(image[first])
        total += (difference * difference + Self.smoothing).squareRoot()
      }
      sum += totalVariation * total
    }
    return sum
  }

  /// Subtracts the gradient of ``value(_:shape:)``.
  ///
  /// Where x is 0, the derivative of |x| is taken as 1, because pixels cannot be negative.
  public func subtractGradient(_ image: [Float], shape: Shape, from gradient: inout [Float]) {
    if l1 != 0 {
      for index in image.indices { gradient[index] -= image[index] < 0 ? -Float(l1) : Float(l1) }
    }
    if l2 != 0 {
      for index in image.indices { gradient[index] -= Float(2 * l2) * (image[index] - 0.5) }
    }
    if totalVariation != 0 {
      forEachPair(shape) { first, second in
        let difference = Double(image[second]) - Double(image[first])
        let slope = Float(
          totalVariation * difference / (difference * difference + Self.smoothing).squareRoot())
        gradient[second] -= slope
        gradient[first] += slope
      }
    }
  }

  private func forEachPair(_ shape: Shape, _ body: (Int, Int) -> Void) {
    let (height, width, channels) = (shape[0], shape[1], shape[2])
    for row in 0..<height {
      for column in 0..<width {
        for channel in 0..<channels {
          let place = (row * width + column) * channels + channel
          if row + 1 < height { body(place, place + width * channels) }
          if column + 1 < width { body(place, place + channels) }
        }
      }
    }
  }
}
