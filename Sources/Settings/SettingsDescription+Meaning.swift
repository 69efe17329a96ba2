extension SettingsDescription {
  /// All that decides what comes of a value, on one line: equal settings have equal text, different ones different text.
  ///
  /// It leaves out keys that may change while work goes on: those that only make it longer, and those that change no
  /// number.
  ///
  /// - Parameter file: gives what stands for the file at a path, such as a digest, so that a file may be moved.
  public func meaning(of root: Root, file: (String) throws -> String) rethrows -> String {
    var parts: [String] = []
    for key in keys where key.makeKey(prototype).change == .meaning {
      guard let content = key.write(root) else { continue }
      parts.append("\(key.name) \(try text(of: content, file))")
    }
    return parts.joined(separator: ", ")
  }

  private func text(
    of content: ResolvedValue.Content, _ file: (String) throws -> String
  ) rethrows -> String {
    switch content {
    case .integer(let value), .byteSize(let value): return "\(value)"
    case .number(let value): return "\(value)"
    case .boolean(let value): return "\(value)"
    case .text(let text): return quoted(text)
    case .path(let path): return "file \(try file(path))"
    case .list(let items):
      return "[" + (try items.map { try text(of: $0.content, file) }).joined(separator: ", ") + "]"
    case .map(let members):
      let parts = try members.map { "\($0.key) \(try text(of: $0.value.content, file))" }
      return "{" + parts.joined(separator: ", ") + "}"
    case .kind(let name, let payload):
      return try payload.map { "{\(name) \(try text(of: $0.content, file))}" } ?? name
    }
  }

  /// Text between quotes, so that none can pass for two values.
  private func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}
