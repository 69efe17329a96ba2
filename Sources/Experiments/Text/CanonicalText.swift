internal import Foundation
internal import Networks
internal import Settings

extension LoadedConfiguration {
  /// The whole configuration with every default, as YAML that loads to the same run from any folder.
  ///
  /// Equal configurations have equal text: keys stand in the schema's order, blocks and repetitions are written out,
  /// each layer has its name and inputs, and paths are absolute.
  public var resolvedYAML: String { CanonicalYAML(isAnnotated: false).text(values) }

  /// The same with a comment behind each value that says where it comes from.
  public var annotatedYAML: String { CanonicalYAML(isAnnotated: true).text(values) }

  /// The same as JSON on one line with sorted keys, for checkpoints; it can be loaded like a file.
  public var canonicalJSON: String { values.json.text(isPretty: false) }
}

/// Writes resolved values as YAML.
struct CanonicalYAML {
  /// Whether comments say where values come from; layers then take several lines each.
  let isAnnotated: Bool

  func text(_ root: ResolvedValue) -> String {
    var lines: [(text: String, origin: ConfigurationLocation?)] = []
    write(root, indent: "", to: &lines)
    guard isAnnotated else { return lines.map { $0.text + "\n" }.joined() }
    let width = min(lines.filter { $0.origin != nil }.map(\.text.count).max() ?? 0, 56)
    return lines.map { line in
      guard let origin = line.origin else { return line.text + "\n" }
      let gap = String(repeating: " ", count: max(width - line.text.count, 0) + 2)
      return "\(line.text)\(gap)# \(origin)\n"
    }.joined()
  }

  private typealias Lines = [(text: String, origin: ConfigurationLocation?)]

  private func write(_ value: ResolvedValue, indent: String, to lines: inout Lines) {
    switch value.content {
    case .map(let members):
      for member in members {
        write(member.value, after: "\(indent)\(scalar(member.key)):", indent: indent, to: &lines)
      }
    case .kind(let name, .some(let payload)):
      write(payload, after: "\(indent)\(name):", indent: indent, to: &lines)
    case .list(let items):
      for item in items {
        if case .kind(let name, .some(let payload)) = item.content, payload.members != nil {
          let head = "\(indent)- \(name):"
          if isAnnotated {
            write(payload, after: head, indent: indent + "  ", to: &lines)
          } else {
            lines.append(("\(head) \(flow(payload))", item.origin))
          }
        } else {
          lines.append(("\(indent)- \(flow(item))", item.origin))
        }
      }
    case .integer, .number, .boolean, .text, .path, .byteSize, .kind(_, nil):
      lines.append(("\(indent)\(flow(value))", value.origin))
    }
  }

  private func write(_ value: ResolvedValue, after head: String, indent: String, to lines: inout Lines) {
    if value.isShort {
      lines.append(("\(head) \(flow(value))", value.origin))
    } else {
      lines.append((head, nil))
      write(value, indent: indent + "  ", to: &lines)
    }
  }

  func flow(_ value: ResolvedValue) -> String {
    switch value.content {
    case .integer(let number): "\(number)"
    case .number(let number): number.plainText
    case .boolean(let truth): "\(truth)"
    case .text(let text), .path(let text): scalar(text)
    case .byteSize(let count): ScalarText.byteText(count)
    case .list(let items): "[" + items.map(flow).joined(separator: ", ") + "]"
    case .map(let members):
      "{" + members.map { "\(scalar($0.key)): \(flow($0.value))" }.joined(separator: ", ") + "}"
    case .kind(let name, nil): name
    case .kind(let name, .some(let payload)): "{\(name): \(flow(payload))}"
    }
  }

  /// Plain where every reader takes it for text, in double quotes otherwise.
  private func scalar(_ text: String) -> String {
    let isPlain = text.utf8.enumerated().allSatisfy { index, byte in
      switch byte {
      case 0x41...0x5A, 0x61...0x7A, 0x2F, 0x5F: true
      case 0x30...0x39, 0x2D, 0x2E: index > 0
      default: false
      }
    }
    if isPlain, !text.isEmpty { return text }
    guard text.utf8.contains(0xF4) else { return JSONValue.text(text).text(isPretty: false) }
    // JSON's escapes are YAML's, but for characters of two units.
    var quoted = ""
    for scalar in text.unicodeScalars {
      quoted +=
        scalar.value >= 0x10_0000
        ? "\\U00\(String(scalar.value, radix: 16, uppercase: true))"
        : String(JSONValue.text(String(scalar)).text(isPretty: false).dropFirst().dropLast())
    }
    return "\"\(quoted)\""
  }
}

extension ResolvedValue {
  /// Whether the value fits on the line of its key.
  fileprivate var isShort: Bool {
    switch content {
    case .list(let items): items.allSatisfy { $0.members == nil && $0.kind == nil }
    case .map(let members): members.isEmpty
    case .kind(_, let payload): payload.map { $0.members == nil } ?? true
    case .integer, .number, .boolean, .text, .path, .byteSize: true
    }
  }

  /// The value in JSON's types.
  var json: JSONValue {
    switch content {
    case .integer(let number): .integer(number)
    case .number(let number): .number(number)
    case .boolean(let truth): .boolean(truth)
    case .text(let text), .path(let text): .text(text)
    case .byteSize(let count): .text(ScalarText.byteText(count))
    case .list(let items): .list(items.map(\.json))
    case .map(let members):
      .map(Dictionary(members.map { ($0.key, $0.value.json) }, uniquingKeysWith: { first, _ in first }))
    case .kind("true", nil): .boolean(true)
    case .kind("false", nil): .boolean(false)
    case .kind(let name, nil): .text(name)
    case .kind(let name, .some(let payload)): .map([name: payload.json])
    }
  }
}

/// A JSON document.
indirect enum JSONValue: Encodable, Sendable {
  case integer(Int)
  case number(Double)
  case boolean(Bool)
  case text(String)
  case list([JSONValue])
  case map([String: JSONValue])

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .boolean(let value): try container.encode(value)
    case .text(let value): try container.encode(value)
    case .list(let values): try container.encode(values)
    case .map(let values): try container.encode(values)
    }
  }

  /// JSON with sorted keys.
  func text(isPretty: Bool) -> String {
    // Every number here is finite, which is all that a writer can object to.
    (try? JSONWriter(isPretty: isPretty).text(self)) ?? "null"
  }
}
