public import ImageFiles
internal import Protobuf

/// What TensorBoard shows besides curves; field numbers are those of its `summary.proto` and of its plug-in `hparams`.
extension EventLog {
  /// A setting of a run, for TensorBoard's page HPARAMS.
  public struct HyperParameter: Hashable, Sendable {
    /// The setting's name.
    public let name: String
    /// The value, which is shown as a number, true or false where it is one.
    public let text: String

    /// A setting with its value.
    public init(_ name: String, _ text: String) {
      (self.name, self.text) = (name, text)
    }

    /// As `google.protobuf.Value`.
    fileprivate var value: WireMessage {
      var value = WireMessage()
      if let number = Double(text), number.isFinite {
        value.add(2, number)
      } else if let isOn = Bool(text) {
        value.add(4, Int(isOn ? 1 : 0))
      } else {
        value.add(3, text)
      }
      return value
    }
  }

  /// Adds the settings of the run; this is done once, before its figures.
  public func append(_ settings: [HyperParameter], time: Double) throws {
    var start = WireMessage()
    for setting in settings {
      var entry = WireMessage()
      entry.add(1, setting.name)
      entry.add(2, setting.value)
      start.add(1, entry)
    }
    start.add(5, time)
    var content = WireMessage()
    content.add(3, start)
    var plugin = WireMessage()
    plugin.add(1, "hparams")
    plugin.add(2, content)
    var metadata = WireMessage()
    metadata.add(1, plugin)
    try append("_hparams_/session_start_info", field: 9, metadata, step: 0, time: time)
  }

  /// Adds a picture, under the name `tag`.
  public func append(_ image: Image, tag: String, step: Int, time: Double) throws {
    var picture = WireMessage()
    picture.add(1, image.height)
    picture.add(2, image.width)
    picture.add(3, image.channels.rawValue)
    picture.add(4, bytes: try PNG.encode(image))
    try append(tag, field: 4, picture, step: step, time: time)
  }

  /// Adds a histogram, under the name `tag`.
  public func append(_ histogram: Histogram, tag: String, step: Int, time: Double) throws {
    var message = WireMessage()
    for (field, number) in [
      histogram.least, histogram.largest, Double(histogram.count), histogram.sum, histogram.sumOfSquares,
    ].enumerated() {
      message.add(field + 1, number)
    }
    message.add(6, packed: histogram.limits)
    message.add(7, packed: histogram.counts.map { Double($0) })
    try append(tag, field: 5, message, step: step, time: time)
  }

  private func append(_ tag: String, field: Int, _ content: WireMessage, step: Int, time: Double) throws {
    var value = WireMessage()
    value.add(1, tag)
    value.add(field, content)
    try append(value.bytes, step: step, time: time)
  }
}

/// How many values lie in each of a row of bins.
public struct Histogram: Hashable, Sendable {
  /// The least value.
  public let least: Double
  /// The largest value.
  public let largest: Double
  /// The number of values.
  public let count: Int
  /// The sum of the values.
  public let sum: Double
  /// The sum of the values' squares.
  public let sumOfSquares: Double
  /// The upper limit of each bin; the last one is ``largest``.
  public let limits: [Double]
  /// The number of values in each bin.
  public let counts: [Int]

  /// Counts values in bins of equal width from the least to the largest.
  ///
  /// - Parameters:
  ///   - values: the values; those that are not finite are left out.
  ///   - bins: the number of bins, at least 1; values that are all equal take one.
  /// - Returns: nil where there are no values.
  public init?(_ values: some Collection<Float>, bins: Int = 30) {
    precondition(bins >= 1, "a histogram needs a bin, got \(bins)")
    let numbers = values.lazy.filter(\.isFinite).map { Double($0) }
    var (low, high) = (Double.infinity, -Double.infinity)
    var (count, sum, squares) = (0, 0.0, 0.0)
    for number in numbers {
      (low, high) = (min(low, number), max(high, number))
      (count, sum, squares) = (count + 1, sum + number, squares + number * number)
    }
    guard count > 0 else { return nil }
    let width = (high - low) / Double(bins)
    var counts = [Int](repeating: 0, count: width > 0 ? bins : 1)
    for number in numbers {
      counts[width > 0 ? min(bins - 1, Int((number - low) / width)) : 0] += 1
    }
    (least, largest, self.count, self.sum, sumOfSquares) = (low, high, count, sum, squares)
    self.counts = counts
    limits = counts.indices.map { $0 == counts.count - 1 ? high : low + width * Double($0 + 1) }
  }
}
