internal import Glibc
public import Settings
internal import Tensors

/// Fills whole rows and whole columns: of a spectrum, a span of time and a band of frequencies.
///
/// Each span of rows has a height drawn uniformly from 0 to ``rows``, and a uniformly random place; columns likewise.
///
/// - SeeAlso: Park et al. 2019, "SpecAugment", <https://arxiv.org/abs/1904.08779>, without its warping of time.
public struct SpectrumMask: Hashable, Sendable {
  /// The most rows of a span: of time, in a spectrum.
  public var rows: Int
  /// The most columns of a span: of frequency, in a spectrum.
  public var columns: Int
  /// How many spans of rows there are, and how many of columns.
  public var count: Int
  /// The value that is filled in.
  public var fill: Double

  /// Masks of at most so many rows and columns, by default one each and filled with 0.
  public init(rows: Int = 0, columns: Int = 0, count: Int = 1, fill: Double = 0) {
    (self.rows, self.columns, self.count, self.fill) = (rows, columns, count, fill)
  }

  /// The settings of `mask`.
  public static let settings = SettingsDescription<SpectrumMask>(
    "Whole rows and whole columns are filled: of a spectrum, spans of time and bands of frequencies (SpecAugment, Park et al. 2019).",
    SpectrumMask(),
    [
      SettingKey(
        "rows", \.rows, .integer(0...65536),
        "The most rows of a span; as many as this or fewer, each number alike."),
      SettingKey(
        "columns", \.columns, .integer(0...65536),
        "The most columns of a span; as many as this or fewer, each number alike."),
      SettingKey("count", \.count, .integer(1...64), "How many spans of rows, and how many of columns."),
      SettingKey("fill", \.fill, .number(.any), "The value that is filled in."),
    ])

  /// The rectangles to fill.
  func draw(_ grid: PixelGrid, _ random: inout RandomStream) -> [PixelRectangle] {
    func span(_ most: Int, of length: Int) -> Range<Int> {
      let size = random.nextInteger(below: min(most, length) + 1)
      let start = random.nextInteger(below: length - size + 1)
      return start..<start + size
    }
    var rectangles: [PixelRectangle] = []
    for _ in 0..<count {
      if rows > 0 {
        rectangles.append(PixelRectangle(rows: span(rows, of: grid.height), columns: 0..<grid.width))
      }
      if columns > 0 {
        rectangles.append(PixelRectangle(rows: 0..<grid.height, columns: span(columns, of: grid.width)))
      }
    }
    return rectangles
  }
}

extension PixelValue {
  /// Adds normal noise to each number; bytes are rounded to the nearest and kept in 0...255.
  static func addNoise(
    _ pixels: UnsafeMutablePointer<Self>, count: Int, deviation: Double, _ random: inout RandomStream
  ) {
    var index = 0
    while index < count {
      // Box and Muller's pairs.
      let radius = deviation * (-2 * log(1 - random.nextUniformDouble())).squareRoot()
      let angle = 2 * Double.pi * random.nextUniformDouble()
      pixels[index] = Self(nearest: pixels[index].float + Float(radius * cos(angle)))
      if index + 1 < count {
        pixels[index + 1] = Self(nearest: pixels[index + 1].float + Float(radius * sin(angle)))
      }
      index += 2
    }
  }
}
