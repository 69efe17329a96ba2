/// What names of classes have to be, and what is odd about them.
public enum ClassNaming {
  /// Why these cannot be the names of classes, which need one each; nil where they can.
  public static func problem(_ names: [String]) -> String? {
    // By bytes: text compares by what it looks like, and what looks alike may be meant to differ.
    var places: [[UInt8]: Int] = [:]
    for (place, name) in names.enumerated() {
      if isBlank(name) { return "class \(place) has no name" }
      if let first = places.updateValue(place, forKey: Array(name.utf8)) {
        return "classes \(first) and \(place) are both called '\(name)'; each needs a name of its own"
      }
    }
    return nil
  }

  /// Names that may be meant as one, or as none: one line each.
  ///
  /// - Parameter noun: what has the names: `label`.
  static func doubts(_ names: [String], noun: String = "label") -> [String] {
    alike(names, noun)
      + names.filter { CSVMissing.words.contains($0.lowercased()) }.map {
        "the \(noun) \"\($0)\", which often stands for a missing value, was taken as a class"
      }
  }

  /// Names that are equal in all but case, blanks at their ends, or in how an accent is written: one line for each group.
  static func alike(_ names: [String], _ noun: String) -> [String] {
    Dictionary(grouping: names) { trimmed($0).lowercased() }.sorted { $0.key < $1.key }.compactMap {
      _, alike in
      alike.count == 1
        ? nil
        : "the \(noun == "class" ? "classe" : noun)s \(alike.map { "\"\($0)\"" }.joined(separator: " and ")) look alike and were taken as different classes"
    }
  }

  /// Names of several lines, of which a table's row swallowed the next ones where a quote is not closed: one line each.
  static func broken(_ names: [String]) -> [String] {
    names.filter { $0.contains(where: \.isNewline) }.map { name in
      "the label that begins with \"\(name.prefix { !$0.isNewline }.prefix(40))\" contains a line break; is the end of a quote missing?"
    }
  }

  static func isBlank(_ name: String) -> Bool { name.allSatisfy(\.isWhitespace) }

  private static func trimmed(_ name: String) -> Substring {
    var text = name[...].drop(while: \.isWhitespace)
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}
