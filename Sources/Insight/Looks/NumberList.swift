public import Settings

/// Numbers of filters or units as people write them: `0,5,10-12` or `all`.
public struct NumberList: Hashable, Sendable {
  /// The ranges in their order; nil for all numbers.
  private let ranges: [ClosedRange<Int>]?

  /// All filters or units.
  public static let all = NumberList(ranges: nil)

  private init(ranges: [ClosedRange<Int>]?) { self.ranges = ranges }

  /// Reads a list.
  ///
  /// - Returns: nil for text of another form.
  public init?(_ text: String) {
    guard text != "all" else {
      ranges = nil
      return
    }
    var ranges: [ClosedRange<Int>] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard let first = ends.first.flatMap(\.self), let last = ends.last.flatMap(\.self), ends.count <= 2,
        first >= 0, first <= last
      else { return nil }
      ranges.append(first...last)
    }
    self.ranges = ranges
  }

  /// The list as it is written.
  public var text: String {
    guard let ranges else { return "all" }
    return ranges.map {
      $0.lowerBound == $0.upperBound ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)"
    }
    .joined(separator: ",")
  }

  /// The numbers of the list, each once, in its order.
  ///
  /// - Parameters:
  ///   - count: how many filters or units the layer has; numbers go from 0 to `count` − 1.
  ///   - layer: the layer's name, for the message.
  ///   - word: what the numbers count, for the message.
  /// - Throws: ``InsightError`` of kind `usage` for a number that is too large.
  public func numbers(below count: Int, of layer: String, word: String = "filter") throws(InsightError)
    -> [Int]
  {
    guard let ranges else { return Array(0..<count) }
    if let range = ranges.first(where: { $0.upperBound >= count }) {
      throw .usage(
        "layer '\(layer)' has no \(word) \(range.upperBound); it has \(count), from 0 to \(count - 1)")
    }
    var seen: Set<Int> = []
    return ranges.flatMap { Array($0) }.filter { seen.insert($0).inserted }
  }
}

extension SettingForm where Value == NumberList {
  /// Numbers and ranges with commas between them, or `all`.
  public static var numbers: SettingForm {
    .formatted("numbers and ranges like 0,5,10-12, or all", read: { NumberList($0) }, write: { $0.text })
  }
}
