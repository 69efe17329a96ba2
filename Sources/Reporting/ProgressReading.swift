/// Where a long piece of work stands, in numbers.
public struct ProgressReading: Hashable, Sendable {
  /// What goes on: `epoch 3/10`, `test`, `evaluate`.
  public var title: String
  /// Pieces done of `total`; what they are does not matter.
  public var done: Int
  public var total: Int
  public var loss: Double?
  /// A figure beside the loss, with its name.
  public var figure: Figure?
  public var imagesPerSecond: Double?
  public var secondsLeft: Double?

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
    public var name: String
    public var value: Double

    public init(_ name: String, _ value: Double) {
      self.name = name
      self.value = value
    }
  }

  /// In [0, 1].
  public var fraction: Double { total > 0 ? min(1, max(0, Double(done) / Double(total))) : 0 }

  /// Short texts of the figures that are known, with the order in which they go when the line is too long.
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

  /// One line with a bar, never longer than `columns`: figures go, the least important first, before the bar does.
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
  public var plainLine: String {
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
