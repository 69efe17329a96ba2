public import ImageFiles

/// A small picture of a row of numbers, from left to right, with the least at the bottom.
public enum CurvePicture {
  /// Draws values from left to right; the largest lies at the top, and gaps stand for values that are not finite.
  public static func draw(_ values: [Double], height: Int = 60, width: Int = 120) -> Image {
    var pixels = [UInt8](repeating: 255, count: height * width * 3)
    func set(_ row: Int, _ column: Int, _ color: [UInt8]) {
      for channel in 0..<3 { pixels[(row * width + column) * 3 + channel] = color[channel] }
    }
    let finite = values.filter(\.isFinite)
    let low = finite.min() ?? 0
    let span = max((finite.max() ?? 0) - low, .leastNormalMagnitude)
    func row(_ value: Double) -> Int { height - 2 - Int((value - low) / span * Double(height - 4)) }
    if low < 0, low + span > 0 { for column in 0..<width { set(row(0), column, [215, 215, 220]) } }
    var last: Int?
    for column in 0..<width where !values.isEmpty {
      let value = values[min(column * values.count / width, values.count - 1)]
      guard value.isFinite else { continue }
      let place = row(value)
      for y in min(place, last ?? place)...max(place, last ?? place) { set(y, column, [40, 90, 190]) }
      last = place
    }
    return Image(height: height, width: width, channels: .rgb, pixels: pixels)
  }
}
