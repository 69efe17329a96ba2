internal import Networks
internal import Settings

/// The options of one Keras layer, read strictly: an option that is neither read nor known to change no result is an error.
struct KerasOptions {
  private let layer: ModelDescription.Layer
  private let path: String
  private let members: [String: JSONValue]
  private var unread: Set<String>
  /// The axis that the layer works along; nil for a layer that has none.
  private(set) var axis: Int?

  /// Options that decide how a layer trains, is built or is named, but not what it computes.
  private static let ignorable: Set<String> = [
    "name", "trainable", "dtype", "batch_input_shape", "batch_shape", "input_shape", "input_dim",
    "input_length", "build_config", "registered_name", "module", "noise_shape", "seed", "synchronized",
    "quantization_config", "sparse", "ragged", "optional", "lora_rank", "lora_alpha", "renorm",
    "renorm_clipping", "renorm_momentum", "fused", "virtual_batch_size", "adjustment",
  ]
  private static let ignorableEndings = ["_initializer", "_regularizer", "_constraint"]

  init(_ layer: ModelDescription.Layer, path: String) {
    self.layer = layer
    self.path = path
    members = layer.options.members ?? [:]
    unread = Set(
      members.keys.filter { key in
        !Self.ignorable.contains(key) && !Self.ignorableEndings.contains(where: key.hasSuffix)
      })
  }

  /// `layer 'name' (Class)`, for messages.
  var place: String { "\(path): layer '\(layer.name)' (\(layer.className))" }

  /// An option's value; nil where it is absent or null.
  private mutating func value(_ name: String) -> JSONValue? {
    unread.remove(name)
    guard let value = members[name], !value.isNull else { return nil }
    return value
  }

  // MARK: - Settings

  /// Reads the option of a setting, if Keras has it.
  ///
  /// - Parameter prototype: holds the value of an option that is left out.
  mutating func read<Root>(_ key: SettingKey<Root>, default prototype: Root, into root: inout Root) throws {
    guard let option = key.keras else { return }
    // Every word is read, so that none counts as unknown later.
    let found = option.names.map { (name: $0, value: value($0)) }
    guard let (name, value) = found.first(where: { $0.value != nil }), let value else {
      guard !key.isRequired, let content = key.content(of: prototype) else { throw missing(option.name) }
      precondition(key.take(content, into: &root), "\(key.name) does not take its own default \(content)")
      return
    }
    guard let content = option.read(value.asContent)?.fitted(to: key.schema), key.take(content, into: &root)
    else { throw unsupported(name, value, key.schema.supported) }
  }

  /// Reads an option that does not correspond to a single setting.
  mutating func read<Settings>(
    _ option: KerasLayer<Settings>.Option, into settings: inout Settings
  ) throws {
    switch option {
    case .only(let name, let values):
      guard let value = value(name) else { return }
      let isSupported = values.contains { $0 == value || ($0.double != nil && $0.double == value.double) }
      guard isSupported else {
        throw unsupported(name, value, values.first.flatMap { try? $0.text() } ?? "none")
      }
    case .channelAxis: axis = try readAxis()
    case .made(let name, let supported, _, let read):
      let value = value(name)
      guard read(value, &settings) else { throw unsupported(name, value ?? .null, supported) }
    }
  }

  /// Reads the axis, which Keras 2 writes as a list.
  private mutating func readAxis() throws -> Int {
    guard let value = value("axis") else { return -1 }
    guard let axis = value.integer ?? (value.elements?.count == 1 ? value.elements?[0].integer : nil) else {
      throw unsupported("axis", value, "-1, the channels")
    }
    return axis
  }

  mutating func requireChannelsLast() throws {
    if let value = value("data_format"), value.string != "channels_last" {
      throw unsupported("data_format", value, "channels_last")
    }
  }

  /// Refuses options that nothing read.
  func finish() throws {
    guard let name = unread.filter({ members[$0].map { !$0.isNull } ?? false }).min() else { return }
    throw unsupported(name, members[name] ?? .null, nil)
  }

  // MARK: - Messages

  private func unsupported(_ name: String, _ value: JSONValue, _ wanted: String?) -> InterchangeError {
    // A Lambda's value is a compiled function.
    let whole = (try? value.text()) ?? "?"
    let text = whole.count > 100 ? "\(whole.prefix(100))…" : whole
    let end = wanted.map { "; supported: \($0)" } ?? ""
    return InterchangeError(.badData, "\(place): the option \(name) = \(text) is not supported\(end)")
  }

  private func missing(_ name: String) -> InterchangeError {
    InterchangeError(.badData, "\(place): the option \(name) is missing")
  }
}

extension ResolvedValue.Content {
  /// A value of Keras in the form that a schema has: Keras may write a size as one number, and a number as a list of one.
  ///
  /// - Returns: nil for a value of another form, or outside the schema's range.
  fileprivate func fitted(to schema: Schema) -> ResolvedValue.Content? {
    switch (schema, self) {
    case (.boolean, .boolean), (.choice, .text), (.text, .text), (.name, .text): self
    case (.integer(let range), .integer(let value)): range.contains(value) ? self : nil
    case (.formatted(let format), .text(let value)): format.accepts(value) ? self : nil
    case (.number(let range), .number(let value)): range.contains(value) ? self : nil
    case (.number, .integer(let value)): Self.number(Double(value)).fitted(to: schema)
    case (.integer, .number(let value)): Int(exactly: value).flatMap { Self.integer($0).fitted(to: schema) }
    case (.integer, .list(let values)): values.count == 1 ? values[0].content.fitted(to: schema) : nil
    case (.size(let range), .list(let values)):
      values.count == 2 ? fitted(to: .list(.integer(range), count: 2...2)) : nil
    case (.size(let range), _):
      fitted(to: .integer(range)).map { .list(of: [$0, $0]) }
    case (.list(let element, let count), .list(let values)):
      count.contains(values.count) ? Self.list(values.map { $0.content.fitted(to: element) }) : nil
    case (.optional(_, let inner), _): fitted(to: inner)
    case (.integer, _), (.number, _), (.boolean, _), (.choice, _), (.text, _), (.formatted, _), (.name, _),
      (.list, _),
      (.byteSize, _), (.path, _), (.layerNames, _), (.names, _), (.object, _), (.union, _), (.layers, _),
      (.blocks, _),
      (.sweep, _):
      nil
    }
  }

  private static func list(_ contents: [ResolvedValue.Content?]) -> ResolvedValue.Content? {
    let known = contents.compactMap(\.self)
    return known.count == contents.count ? .list(of: known) : nil
  }
}

extension Schema {
  /// What a Keras option may be, for messages.
  fileprivate var supported: String {
    switch self {
    case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .number(let range): range.supported
    case .boolean: "true or false"
    case .choice(let choices): choices.map(\.word).joined(separator: ", ")
    case .size(let range): "two whole numbers from \(range.lowerBound) to \(range.upperBound)"
    case .list(.integer, _): "whole numbers"
    case .list(let element, _): "a list, each \(element.supported)"
    case .optional(_, let inner): inner.supported
    case .formatted(let format): format.expectation
    case .text, .name, .path, .layerNames, .byteSize: "text"
    case .names, .object, .union, .layers, .blocks, .sweep: "another value"
    }
  }
}

extension NumberRange {
  /// The range in words, without bounds that hold for every number.
  fileprivate var supported: String {
    let (least, most) = (NumberRange.any.minimum, NumberRange.any.maximum)
    var bounds: [String] = []
    if minimum > least { bounds.append((minimumIsAllowed ? "at least " : "above ") + "\(minimum)") }
    if maximum < most { bounds.append((maximumIsAllowed ? "at most " : "below ") + "\(maximum)") }
    return (["a number"] + (bounds.isEmpty ? [] : [bounds.joined(separator: " and ")])).joined(separator: " ")
  }
}
