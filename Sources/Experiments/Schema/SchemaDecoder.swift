internal import Foundation
internal import Paths
internal import Settings

/// Reads nodes into values by a schema, and collects all errors.
struct SchemaDecoder {
  /// The values of a block's parameters while its layers are read.
  struct Parameters {
    enum Argument {
      case value(ConfigurationNode)
      /// Any value will do, while a definition is checked by itself.
      case unknown
    }
    var arguments: [String: Argument]
  }

  var errors = ErrorCollector()
  /// The folder from which relative paths of overrides count.
  let workingDirectory: String
  var expansion = NetworkExpansion()
  /// The section `sweep`; nil where there is none.
  var sweep: SweepDefinition?

  /// The keys that were refused, with the known name that each comes close to.
  ///
  /// A block is read once for each of its uses, and looking for a name takes a hundred times as long as reading a layer.
  var refusedKeys: [RefusedKey: String?] = [:]

  struct RefusedKey: Hashable {
    let location: ConfigurationLocation
    let path: String
    let key: String
  }

  /// The schema of the whole configuration, for hints.
  private(set) var root: ObjectSchema

  init(workingDirectory: String, root: ObjectSchema = RunSchema.root) {
    self.workingDirectory = workingDirectory
    self.root = root
  }

  // MARK: - Values

  /// Reads a node.
  ///
  /// - Parameter path: the key path for messages.
  /// - Returns: nil where there was an error, which is then collected.
  mutating func decode(
    _ node: ConfigurationNode, _ schema: Schema, at path: String, in parameters: Parameters? = nil
  ) -> ResolvedValue? {
    var node = node
    if case .scalar(let text, isPlain: true) = node.content, text.hasPrefix("$"), schema.takesParameters {
      guard let replaced = argument(text, of: node, at: path, in: parameters) else { return nil }
      node = replaced
    }
    switch schema {
    case .integer, .number, .boolean, .text, .formatted, .name, .choice, .byteSize, .path:
      return decodeScalar(node, schema, at: path, allowed: schema)
    case .size(let range): return decodeSize(node, range, at: path, in: parameters)
    case .list(let element, let count): return decodeList(node, element, count, at: path, in: parameters)
    case .layerNames: return decodeNames(node, at: path, in: parameters)
    case .names: return decodeNameMap(node, schema, at: path)
    case .object(let object): return decodeObject(node, object, at: path, in: parameters)
    case .union(let union): return decodeUnion(node, union, at: path, in: parameters)
    case .optional(let word, let inner):
      if node.scalarText == word { return ResolvedValue(.text(word), node.location) }
      if case .scalar(_, isPlain: true) = node.content, inner.isMap {
        return mismatch(node, schema, at: path)
      }
      if inner.isScalar { return decodeScalar(node, inner, at: path, allowed: schema) }
      return decode(node, inner, at: path, in: parameters)
    case .layers: return decodeLayers(node, at: path)
    case .blocks:
      defineBlocks(node, at: path)
      return nil
    case .sweep:
      defineSweep(node, at: path)
      return nil
    }
  }

  mutating func mismatch(_ node: ConfigurationNode, _ schema: Schema, at path: String) -> ResolvedValue? {
    errors.add(node.location, at: path, "found \(node.found), expected \(schema.expectation)")
    return nil
  }

  /// - Parameter allowed: what messages give as expected: the schema, or one that allows more.
  private mutating func decodeScalar(
    _ node: ConfigurationNode, _ schema: Schema, at keyPath: String, allowed: Schema
  ) -> ResolvedValue? {
    guard case .scalar(let text, let isPlain) = node.content, !(isPlain && text.isEmpty) else {
      return mismatch(node, allowed, at: keyPath)
    }
    var content: ResolvedValue.Content?
    switch schema {
    case .integer(let range):
      if isPlain, let value = ScalarText.integer(text), range.contains(value) { content = .integer(value) }
    case .number(let range):
      // Minus zero is zero, so that equal configurations have equal text.
      if isPlain, let value = ScalarText.number(text) {
        guard !NumberRange.vanishes(value) else {
          errors.add(
            node.location, at: keyPath,
            "found \(node.found), which is 0 as 32 bits hold it; write a number of at least 1.5e-45, or 0 where that is meant"
          )
          return nil
        }
        if range.contains(value) { content = .number(value + 0) }
        if range.exceedsFloat(value) {
          errors.add(
            node.location, at: keyPath, "found \(node.found), expected a number\(range.phraseWithSize)")
          return nil
        }
      }
    case .boolean:
      if isPlain, text == "true" || text == "false" { content = .boolean(text == "true") }
    case .text:
      if !text.isEmpty { content = .text(text) }
    case .formatted(let format):
      if format.accepts(text) { content = .text(text) }
    case .name:
      if text.isConfigurationName { content = .text(text) }
    case .choice(let choices):
      guard choices.contains(where: { $0.word == text }) else {
        let hint = NearestName.hint(text, among: choices.map(\.word))
        errors.add(
          node.location, at: keyPath, "found \(node.found), expected \(allowed.expectation)\(hint)")
        return nil
      }
      content = .text(text)
    case .byteSize:
      if let value = ScalarText.byteCount(text) { content = .byteSize(value) }
    case .path:
      guard !text.isEmpty else { break }
      let path = absolute(text, from: node.location)
      guard !Self.waitsForShell(text, path) else {
        errors.add(
          node.location, at: keyPath,
          "'\(text.shortened)': ~ and $NAME are not replaced here; write the whole path")
        return nil
      }
      content = .path(path)
    case .size, .list, .layerNames, .names, .object, .union, .optional, .layers, .blocks, .sweep:
      break
    }
    guard let content else { return mismatch(node, allowed, at: keyPath) }
    return ResolvedValue(content, node.location)
  }

  /// Whether a path is written for a shell, with a home folder or a variable, and no file has that name.
  private static func waitsForShell(_ text: String, _ path: String) -> Bool {
    let hasVariable = zip(text.utf8, text.utf8.dropFirst()).contains { sign, next in
      sign == UInt8(ascii: "$") && (next == UInt8(ascii: "{") || next == 0x5F || next.isASCIILetter)
    }
    return (text.hasPrefix("~") || hasVariable) && !FileStatus.exists(path)
  }

  /// An absolute path without `.` and `..`; relative paths count from the file, and those of overrides from the working directory.
  ///
  /// Options of commands keep their paths as they were typed, since nothing of them is kept that is read from elsewhere.
  func absolute(_ path: String, from location: ConfigurationLocation) -> String {
    var folder = workingDirectory
    switch location {
    case .flag: return path
    case .file(let file, _, _): folder = SchemaDecoder.folder(of: file, workingDirectory: workingDirectory)
    case .wholeFile, .override, .environment, .builtIn: break
    }
    return SchemaDecoder.normalized(path.hasPrefix("/") ? path : folder + "/" + path)
  }

  static func folder(of file: String, workingDirectory: String) -> String {
    let absolute = file.hasPrefix("/") ? file : workingDirectory + "/" + file
    return absolute.split(separator: "/").dropLast().map { "/" + $0 }.joined()
  }

  static func normalized(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }

  private mutating func decodeSize(
    _ node: ConfigurationNode, _ range: ClosedRange<Int>, at path: String, in parameters: Parameters?
  ) -> ResolvedValue? {
    if case .list(let items) = node.content {
      guard items.count == 2 else { return mismatch(node, .size(range), at: path) }
      let sides = items.compactMap { decode($0, .integer(range), at: path, in: parameters) }
      return sides.count == 2 ? ResolvedValue(.list(sides), node.location) : nil
    }
    guard case .scalar(let text, isPlain: true) = node.content, let side = ScalarText.integer(text),
      range.contains(side)
    else { return mismatch(node, .size(range), at: path) }
    let value = ResolvedValue(.integer(side), node.location)
    return ResolvedValue(.list([value, value]), node.location)
  }

  private mutating func decodeList(
    _ node: ConfigurationNode, _ element: Schema, _ count: ClosedRange<Int>, at path: String,
    in parameters: Parameters?
  ) -> ResolvedValue? {
    guard case .list(let items) = node.content else {
      return mismatch(node, .list(element, count: count), at: path)
    }
    guard count.contains(items.count) else {
      errors.add(node.location, at: path, "found \(items.count) entries, expected \(count.phrase)")
      return nil
    }
    var values: [ResolvedValue] = []
    for (index, item) in items.enumerated() {
      if let value = decode(item, element, at: "\(path).\(index)", in: parameters) { values.append(value) }
    }
    return values.count == items.count ? ResolvedValue(.list(values), node.location) : nil
  }

  private mutating func decodeNames(
    _ node: ConfigurationNode, at path: String, in parameters: Parameters?
  ) -> ResolvedValue? {
    if case .list = node.content { return decodeList(node, .name, 1...64, at: path, in: parameters) }
    guard case .scalar(let text, _) = node.content, text.isConfigurationName else {
      return mismatch(node, .layerNames, at: path)
    }
    return ResolvedValue(.list([ResolvedValue(.text(text), node.location)]), node.location)
  }

  /// A map of names to names, whose keys are free and not empty.
  private mutating func decodeNameMap(
    _ node: ConfigurationNode, _ schema: Schema, at path: String
  ) -> ResolvedValue? {
    guard let entries = node.entries else { return mismatch(node, schema, at: path) }
    var members: [ResolvedValue.Member] = []
    for entry in entries {
      guard let value = decode(entry.value, .text, at: "\(path).\(entry.key.shortened)") else { continue }
      members.append(ResolvedValue.Member(key: entry.key, value: value))
    }
    return members.count == entries.count ? ResolvedValue(.map(members), node.location) : nil
  }

  // MARK: - Parameters of blocks

  private mutating func argument(
    _ text: String, of node: ConfigurationNode, at path: String, in parameters: Parameters?
  ) -> ConfigurationNode? {
    guard let parameters else {
      errors.add(
        node.location, at: path,
        "'\(text.shortened)' stands for a block's parameter, and this is not inside a block; "
          + "write the value, in quotes if it is text")
      return nil
    }
    let name = String(text.dropFirst())
    switch parameters.arguments[name] {
    case .value(let value):
      return value
    case .unknown:
      return nil
    case nil:
      let known = parameters.arguments.keys.sorted()
      errors.add(
        node.location,
        "\(path): '\(text.shortened)' is not a parameter of this block; "
          + (known.isEmpty
            ? "it has none; add it under 'parameters'" : "it has \(known.joined(separator: ", "))")
          + NearestName.hint(name, among: known))
      return nil
    }
  }
}

extension Schema {
  /// Whether a bare word can never stand here.
  fileprivate var isMap: Bool {
    switch self {
    case .object: true
    case .union(let union): union.kinds.allSatisfy { !$0.canBeBare }
    case .integer, .number, .boolean, .text, .formatted, .name, .choice, .byteSize, .path, .size, .list,
      .layerNames, .names, .optional, .layers, .blocks, .sweep:
      false
    }
  }

  /// Whether this is a single value in the text.
  fileprivate var isScalar: Bool {
    switch self {
    case .integer, .number, .boolean, .text, .formatted, .name, .choice, .byteSize, .path: true
    case .size, .list, .layerNames, .names, .object, .union, .optional, .layers, .blocks, .sweep: false
    }
  }

  /// Whether this is a definition, which reading uses up and which leaves no value.
  var isDefinition: Bool {
    switch self {
    case .blocks, .sweep: true
    case .integer, .number, .boolean, .text, .formatted, .name, .choice, .byteSize, .path, .size, .list,
      .layerNames, .names, .object, .union, .optional, .layers:
      false
    }
  }

  /// Whether a block's parameter may stand here.
  fileprivate var takesParameters: Bool {
    switch self {
    case .integer, .number, .boolean, .choice, .size: true
    case .optional(_, let inner): inner.takesParameters
    case .text, .formatted, .name, .byteSize, .path, .list, .layerNames, .names, .object, .union, .layers,
      .blocks,
      .sweep:
      false
    }
  }
}

extension String {
  /// Whether this is a name: letters, digits, `_`, `.`, `-`; it starts with a letter and has at most 200 characters.
  var isConfigurationName: Bool {
    guard let first = utf8.first, first.isASCIILetter, utf8.count <= 200 else { return false }
    return utf8.allSatisfy {
      $0.isASCIILetter || (0x30...0x39).contains($0) || [0x5F, 0x2E, 0x2D].contains($0)
    }
  }
}

extension UInt8 {
  fileprivate var isASCIILetter: Bool { (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self) }
}
