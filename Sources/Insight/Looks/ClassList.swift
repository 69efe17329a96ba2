internal import Settings

/// Names or numbers of a network's outputs as people write them: `Shirt,Ankle boot`, `0,3` or `all`.
///
/// Names may contain commas, so that only a network can tell where one ends.
public struct ClassList: Hashable, Sendable {
  /// The list as it was written, without spaces at its ends.
  public let text: String

  /// All outputs of the network.
  public static let all = ClassList(checked: "all")

  private init(checked text: String) { self.text = text }

  /// Reads a list.
  ///
  /// - Returns: nil for empty text, and for text with nothing before or after a comma.
  public init?(_ text: String) {
    let parts = Self.parts(of: text)
    guard parts.allSatisfy({ !$0.isEmpty }) else { return nil }
    self.init(checked: Self.trimmed(text[...]))
  }

  /// The numbers of the outputs, from 0, in the order of the list.
  ///
  /// - Throws: ``InsightError`` of kind `usage` that lists the outputs, or the readings of an ambiguous list.
  public func indices(in subject: Subject) throws(InsightError) -> [Int] {
    if text == "all" { return Array(subject.classNames.indices) }
    let parts = Self.parts(of: text)
    var readings = Self.readings(parts, names: Set(subject.classNames), count: subject.classNames.count)
    if readings.isEmpty {
      // No reading consists of names alone: reading part by part gives a message about the first that is missing.
      readings = [parts]
    }
    guard readings.count == 1 else {
      let found = readings.map { "'" + $0.joined(separator: "' and '") + "'" }
      throw .usage("'\(text)' could be \(found.joined(separator: " or ")); name them by their numbers")
    }
    var indices: [Int] = []
    for name in readings[0] {
      let index = try subject.classIndex(name)
      guard !indices.contains(index) else {
        throw .usage("'\(text)' names \(subject.outputNoun) \(index), '\(subject.classNames[index])', twice")
      }
      indices.append(index)
    }
    return indices
  }

  /// The ways (at most two) to join neighbouring parts so that each is a name or a number.
  private static func readings(_ parts: [String], names: Set<String>, count: Int) -> [[String]] {
    // The ways to read what is left from each part on, from the end: each is found once, however many ways lead there.
    var rest = [[[String]]](repeating: [], count: parts.count) + [[[]]]
    for start in parts.indices.reversed() {
      for end in start..<parts.count where rest[start].count < 2 {
        let spaced = parts[start...end].joined(separator: ", ")
        let tight = parts[start...end].joined(separator: ",")
        let isNumber = end == start && Int(tight).map { (0..<count).contains($0) } == true
        let name = names.contains(spaced) ? spaced : names.contains(tight) || isNumber ? tight : nil
        guard let name else { continue }
        rest[start] += rest[end + 1].map { [name] + $0 }
      }
    }
    return Array(rest[0].prefix(2))
  }

  private static func parts(of text: String) -> [String] {
    text.split(separator: ",", omittingEmptySubsequences: false).map(trimmed)
  }

  private static func trimmed(_ text: Substring) -> String {
    var text = text.drop { $0 == " " }
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}

extension SettingForm where Value == ClassList {
  /// Names and numbers with commas between them, or `all`.
  static var classes: SettingForm {
    .formatted(
      "names or numbers of classes like Shirt,3, or all", read: { ClassList($0) }, write: { $0.text })
  }
}
