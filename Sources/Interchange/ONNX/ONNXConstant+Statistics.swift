// Means and deviations of constants, added in Double.

extension ONNXConstant {
  /// The means over some dimensions.
  ///
  /// - Parameter keepsDimensions: whether these stay with size 1.
  /// - Returns: nil for dimensions that do not exist, and where nothing is in them.
  func means(over axes: Set<Int>, keepsDimensions: Bool) -> ONNXConstant? {
    guard axes.allSatisfy(dimensions.indices.contains), (1...1 << 24).contains(count) else { return nil }
    let kept = dimensions.indices.map { axes.contains($0) ? 1 : dimensions[$0] }
    let means = means(floats.lazy.map(Double.init), in: kept).map { Float($0) }
    let left = dimensions.indices.filter { !axes.contains($0) }.map { dimensions[$0] }
    return ONNXConstant(keepsDimensions ? kept : left, .floats(means))
  }

  /// The means of numbers, one for each element, over the dimensions whose size in `kept` is 1.
  private func means(_ numbers: some Sequence<Double>, in kept: [Int]) -> [Double] {
    let places = ONNXConstant(kept, .floats([])).expanded(to: dimensions)
    var sums = [Double](repeating: 0, count: kept.reduce(1, *))
    for (number, place) in zip(numbers, places) { sums[place] += number }
    let share = Double(count / sums.count)
    return sums.map { $0 / share }
  }

  /// `(x − mean) / √(variance + epsilon) · scale + offset`, with numbers for each index of the second dimension.
  ///
  /// - Parameter statistics: means and variances; nil takes those of the elements.
  /// - Returns: nil where a list is not as long as that dimension.
  func normalized(
    scale: [Float], offset: [Float], _ statistics: (means: [Float], variances: [Float])?, epsilon: Double
  ) -> ONNXConstant? {
    guard dimensions.count >= 2, (1...1 << 24).contains(count), scale.count == dimensions[1],
      offset.count == scale.count
    else {
      return nil
    }
    let kept = dimensions.indices.map { $0 == 1 ? dimensions[1] : 1 }
    let channels = ONNXConstant(kept, .floats([])).expanded(to: dimensions)
    let values = floats.map(Double.init)
    let means = statistics?.means.map(Double.init) ?? means(values, in: kept)
    guard means.count == scale.count else { return nil }
    let variances =
      statistics?.variances.map(Double.init)
      ?? self.means(zip(values, channels).map { ($0 - means[$1]) * ($0 - means[$1]) }, in: kept)
    guard variances.count == scale.count else { return nil }
    let result = zip(values, channels).map { value, channel in
      Float(
        (value - means[channel]) / (variances[channel] + epsilon).squareRoot() * Double(scale[channel])
          + Double(offset[channel]))
    }
    return ONNXConstant(dimensions, .floats(result))
  }
}
