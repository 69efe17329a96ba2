internal import Foundation

/// A line of JSON with a text and its label.
enum TextRecord {
  /// The text and label of a line: an object with these keys; several texts are joined by a blank.
  static func of(
    _ line: String, texts: [String], label: String, place: String
  ) throws -> (text: String, label: String) {
    let value: Any
    do { value = try JSONSerialization.jsonObject(with: Data(line.utf8)) } catch {
      throw DatasetError(.badData, "\(place): it is not a JSON object")
    }
    guard let object = value as? [String: Any] else {
      throw DatasetError(.badData, "\(place): it is JSON, but not an object with keys")
    }
    func field(_ key: String) throws -> Any {
      guard let field = object[key] else {
        let keys = object.keys.sorted().prefix(12).map { "\"\($0)\"" }.joined(separator: ", ")
        throw DatasetError(.badData, "\(place): there is no key \"\(key)\"; it has \(keys)")
      }
      return field
    }
    let parts = try texts.map { key -> String in
      guard let text = try field(key) as? String else {
        throw DatasetError(.badData, "\(place): \"\(key)\" is not a text")
      }
      return text
    }
    return (parts.joined(separator: " "), try self.label(try field(label), "\(place): \"\(label)\""))
  }

  /// A text, a whole number, or a truth value as text.
  private static func label(_ value: Any, _ place: String) throws -> String {
    if let text = value as? String {
      guard !text.allSatisfy(\.isWhitespace) else { throw DatasetError(.badData, "\(place) is empty") }
      return text
    }
    if let number = value as? NSNumber {
      if isTruthValue(number) { return number.boolValue ? "true" : "false" }
      if let whole = Int(exactly: number.doubleValue) { return "\(whole)" }
    }
    throw DatasetError(.badData, "\(place) is no label, which is a text, a whole number, true or false")
  }

  /// Whether JSON had `true` or `false`, which Foundation keeps as a number of its own kind.
  private static func isTruthValue(_ number: NSNumber) -> Bool { String(cString: number.objCType) == "c" }
}
