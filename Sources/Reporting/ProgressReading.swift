/// Where a long piece of work stands, in numbers.
public struct ProgressReading: Hashable, Sendable {
  /// The kind of work: `epoch 3/10`, `test`, `evaluate`.
  public var title: String
  /// The number of pieces done, of `total`.
  public var done: Int
  /// The number of pieces, whatever they are.
  public var total: Int
  /// The mean loss so far; nil where there is none.
  public var loss: Double?
  /// A named figure next to the loss; nil for none.
  public var figure: Figure?
  /// The speed; nil where it is unknown.
  public var imagesPerSecond: Double?
  /// The estimated time left, in seconds; nil where it is unknown.
  public var secondsLeft: Double?

  /// A reading; figures that are nil are not shown.
  public init(
    title: String, done: Int, total: Int, loss: Double? = nil, figure: Figure? = nil,
    imagesPerSecond: Double? = nil, secondsLeft: Double? = nil
  ) {
    self.title = title
    self.done = done
    self.total = total
    self.loss = loss
    self.figure = figure
    self.imagesPerSecond = imagesPerSecond
    self.secondsLeft = secondsLeft
  }

  /// A named number.
  public struct Figure: Hashable, Sendable {
    /// The figure's name, such as `accuracy`.
    public var name: String
    /// The figure's value.
    public var value: Double

    /// A figure with its name.
    public init(_ name: String, _ value: Double) {
      self.name = name
      self.value = value
    }
  }

  /// The share of the work that is done, in [0, 1].
  var fraction: Double { total > 0 ? min(1, max(0, Double(done) / Double(total))) : 0 }

  /// Short texts of the known figures, with their importance: the least important are dropped first when the line is too long.
  private var figures: [(text: String, importance: Int)] {
    var figures: [(text: String, importance: Int)] = []
    if let loss { figures.append(("loss \(NumberText.short(loss))", 4)) }
    if let figure { figures.append(("\(figure.name) \(NumberText.short(figure.value))", 3)) }
    if let imagesPerSecond {
      figures.append(("\(NumberText.grouped(Int(imagesPerSecond.rounded()))) images/s", 1))
    }
    if let secondsLeft { figures.append(("\(NumberText.duration(secondsLeft)) left", 2)) }
    return figures
  }

  /// One line with a bar, never longer than `columns`: figures are dropped, the least important first, before the bar is.
  public func bar(columns: Int, unicode: Bool = true) -> String {
    var figures = figures
    let percent = "\(Int(fraction * 100))%"
    let percentField = String(repeating: " ", count: 4 - percent.count) + percent
    while true {
      let tail = ([percentField] + figures.map(\.text)).joined(separator: "  ")
      // Title, bar, tail, with a space and two spaces between them.
      let room = columns - TextWidth.columns(title) - 1 - 1 - TextWidth.columns(tail)
      if room >= 8 || (figures.isEmpty && room >= 3) {
        return "\(title) \(drawnBar(width: min(room, 32), unicode: unicode)) \(tail)"
      }
      guard let least = figures.indices.min(by: { figures[$0].importance < figures[$1].importance }) else {
        return TextWidth.truncated("\(title) \(percent)", to: columns)
      }
      figures.remove(at: least)
    }
  }

  /// The figures without a bar, for a log file.
  var plainLine: String {
    (["\(title)  \(Int(fraction * 100))%"] + figures.map(\.text)).joined(separator: "  ")
  }

  private func drawnBar(width: Int, unicode: Bool) -> String {
    if unicode {
      // Half a column is the bar's resolution.
      let halves = Int(fraction * Double(2 * width))
      let full = String(repeating: "━", count: halves / 2)
      let tip = halves.isMultiple(of: 2) ? "" : "╸"
      return full + tip + String(repeating: "─", count: width - halves / 2 - (tip.isEmpty ? 0 : 1))
    }
    let full = Int(fraction * Double(width - 2))
    return "[" + String(repeating: "#", count: full) + String(repeating: ".", count: width - 2 - full) + "]"
  }
}
