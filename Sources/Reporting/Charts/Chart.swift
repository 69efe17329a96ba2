/// Lines over two axes, as values; ``Gnuplot`` draws it.
public struct Chart: Hashable, Sendable {
  /// One line of a chart.
  public struct Series: Hashable, Sendable {
    /// How a series is drawn.
    public enum Style: Hashable, Sendable {
      case line
      /// A thin line, for many noisy points behind a smoother one.
      case faint
      case dashed
      /// Separate points.
      case points
    }

    public let name: String
    /// Points that are not finite, or not above 0 on a logarithmic axis, are left out.
    public let points: [Point]
    public let style: Style

    public init(_ name: String, _ points: [Point], style: Style = .line) {
      self.name = name
      self.points = points
      self.style = style
    }

    /// Values over 1, 2, 3, …; nil is a gap.
    public init(_ name: String, values: [Double?], style: Style = .line) {
      self.init(
        name,
        values.enumerated().compactMap { index, value in value.map { Point(Double(index + 1), $0) } },
        style: style)
    }
  }

  /// A pair of numbers.
  public struct Point: Hashable, Sendable {
    public let x: Double
    public let y: Double

    public init(_ x: Double, _ y: Double) {
      self.x = x
      self.y = y
    }
  }

  /// A vertical line with a word beside it.
  public struct Mark: Hashable, Sendable {
    public let x: Double
    public let text: String

    public init(x: Double, _ text: String) {
      self.x = x
      self.text = text
    }
  }

  public var title: String
  public var xTitle: String
  public var yTitle: String
  public var series: [Series]
  public var marks: [Mark] = []
  public var isLogarithmicX = false
  public var isLogarithmicY = false
  /// Bounds of the vertical axis; nil follows the values.
  public var yRange: ClosedRange<Double>?

  public init(_ title: String, x: String, y: String, _ series: [Series]) {
    self.title = title
    xTitle = x
    yTitle = y
    self.series = series
  }

  /// The points of a series that its axes can show.
  func visiblePoints(_ series: Series) -> [Point] {
    series.points.filter { point in
      point.x.isFinite && point.y.isFinite && (!isLogarithmicX || point.x > 0)
        && (!isLogarithmicY || point.y > 0)
    }
  }

  /// Whether there is anything to draw.
  public var isEmpty: Bool { series.allSatisfy { visiblePoints($0).isEmpty } }
}
