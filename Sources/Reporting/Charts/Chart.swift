/// Lines over two axes, as values, which ``Gnuplot`` draws.
public struct Chart: Hashable, Sendable {
  /// One line of a chart.
  public struct Series: Hashable, Sendable {
    /// How a series is drawn.
    public enum Style: Hashable, Sendable {
      /// A line, with a dot at each point where there are few.
      case line
      /// A thin line, for many noisy points behind a smoother one.
      case faint
      /// A dashed line.
      case dashed
      /// Separate points.
      case points
    }

    /// The name in the legend.
    public let name: String
    /// The points; those that are not finite, or not above 0 on a logarithmic axis, are left out.
    public let points: [Point]
    /// How the series is drawn.
    public let style: Style

    /// A series through these points.
    public init(_ name: String, _ points: [Point], style: Style = .line) {
      self.name = name
      self.points = points
      self.style = style
    }

    /// A series of values over 1, 2, 3, …; nil leaves a gap.
    public init(_ name: String, values: [Double?], style: Style = .line) {
      self.init(
        name,
        values.enumerated().compactMap { index, value in value.map { Point(Double(index + 1), $0) } },
        style: style)
    }
  }

  /// A pair of numbers.
  public struct Point: Hashable, Sendable {
    /// The position on the horizontal axis.
    public let x: Double
    /// The position on the vertical axis.
    public let y: Double

    /// A point at these positions.
    public init(_ x: Double, _ y: Double) {
      self.x = x
      self.y = y
    }
  }

  /// A vertical line with a word beside it.
  public struct Mark: Hashable, Sendable {
    /// The position on the horizontal axis.
    public let x: Double
    /// The word.
    public let text: String

    /// A mark at this position.
    public init(x: Double, _ text: String) {
      self.x = x
      self.text = text
    }
  }

  /// The title, which stands outside the drawing.
  public var title: String
  /// The title of the horizontal axis.
  public var xTitle: String
  /// The title of the vertical axis.
  public var yTitle: String
  /// The lines, in the order of their colours.
  public var series: [Series]
  /// The vertical lines.
  public var marks: [Mark] = []
  /// Whether the horizontal axis is logarithmic.
  public var isLogarithmicX = false
  /// Whether the vertical axis is logarithmic.
  public var isLogarithmicY = false
  /// The bounds of the vertical axis; nil lets them follow the values.
  public var yRange: ClosedRange<Double>?

  /// A chart without marks on linear axes.
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
