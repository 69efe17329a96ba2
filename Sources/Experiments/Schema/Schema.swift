/// What may stand at a place in a configuration.
///
/// One value of this type describes all keys; reading, defaults, overrides, the JSON Schema and the reference text
/// all follow it.
indirect enum Schema: Sendable {
  case integer(ClosedRange<Int>)
  case number(NumberRange)
  case boolean
  /// Free text of at least one character.
  case text
  /// A word that names something: letters, digits, `_`, `.`, `-`, starting with a letter.
  case name
  case choice([Choice])
  case byteSize
  /// A file; a relative one counts from the folder of the configuration in which it is written.
  case path
  /// Height and width, `3` or `[3, 5]`.
  case size(ClosedRange<Int>)
  case list(Schema, count: ClosedRange<Int>)
  /// Names of layers: one, or a list.
  case layerNames
  case object(ObjectSchema)
  case union(UnionSchema)
  /// Something, or a word that stands for its absence.
  case optional(word: String, Schema)
  /// The network's layers with `repeat` and uses of blocks.
  case layers
  /// Definitions of blocks.
  case blocks
  /// What a family of runs varies.
  case sweep
}

/// A word among those allowed.
struct Choice: Sendable {
  let word: String
  let summary: String
}

/// Bounds of a number, either of which may itself be allowed or not; at most what a Float holds.
struct NumberRange: Sendable {
  var minimum = -Double(Float.greatestFiniteMagnitude)
  var minimumIsAllowed = true
  var maximum = Double(Float.greatestFiniteMagnitude)
  var maximumIsAllowed = true

  static let any = NumberRange()
  static let positive = NumberRange(minimum: 0, minimumIsAllowed: false)
  static let nonNegative = NumberRange(minimum: 0)
  /// From 0 up to, and without, 1.
  static let share = NumberRange(minimum: 0, maximum: 1, maximumIsAllowed: false)
  /// From 0 to 1.
  static let unit = NumberRange(minimum: 0, maximum: 1)

  func contains(_ value: Double) -> Bool {
    (minimumIsAllowed ? value >= minimum : value > minimum)
      && (maximumIsAllowed ? value <= maximum : value < maximum)
  }

  /// ` from 0 to 1`, ` above 0`, or nothing where every number is allowed.
  var phrase: String {
    var parts: [String] = []
    if minimum > NumberRange.any.minimum {
      parts.append((minimumIsAllowed ? "at least " : "above ") + minimum.plainText)
    }
    if maximum < NumberRange.any.maximum {
      parts.append((maximumIsAllowed ? "at most " : "below ") + maximum.plainText)
    }
    return parts.isEmpty ? "" : " " + parts.joined(separator: " and ")
  }
}

/// A map with known keys.
struct ObjectSchema: Sendable {
  let summary: String
  let keys: [Key]

  init(_ summary: String, _ keys: [Key]) {
    self.summary = summary
    self.keys = keys
  }

  func key(_ name: String) -> Key? { keys.first { $0.name == name } }

  /// The sections that have a key of this name, for hints about keys in the wrong place.
  func homes(of name: String) -> [String] {
    func search(_ object: ObjectSchema, _ path: String) -> [String] {
      object.keys.flatMap { key -> [String] in
        let own = key.name == name ? [path.isEmpty ? "the top of the file" : path] : []
        guard case .object(let inner) = key.schema else { return own }
        return own + search(inner, path.isEmpty ? key.name : "\(path).\(key.name)")
      }
    }
    return search(self, "")
  }

  /// True when an empty map is a complete one.
  var isAllOptional: Bool { keys.allSatisfy { if case .required = $0.fallback { false } else { true } } }
}

/// A key of a map.
struct Key: Sendable {
  /// What holds when the key is left out.
  enum Fallback: Sendable {
    case required
    /// This scalar, read as if it were written.
    case scalar(String)
    /// A map of one key, read as if it were written.
    case kind(String, String)
    /// The empty map, each of whose keys has its own default.
    case emptyMap
    /// Something that follows from other values; the text says what.
    case derived(String)
  }

  /// What a change of the value between two runs means for going on with the first.
  enum Change: Sendable {
    /// The numbers would differ: another run.
    case meaning
    /// The numbers stay the same.
    case free
    /// A larger value only goes on for longer, as long as no schedule is stretched by it.
    case extend
  }

  let name: String
  let schema: Schema
  let fallback: Fallback
  let summary: String
  let change: Change

  init(
    _ name: String, _ schema: Schema, _ fallback: Fallback, change: Change = .meaning, _ summary: String
  ) {
    self.name = name
    self.schema = schema
    self.fallback = fallback
    self.summary = summary
    self.change = change
  }
}

/// One of several kinds, named by a single key: `adam: {learning_rate: 1e-3}`, or by a bare word: `flatten`.
struct UnionSchema: Sendable {
  struct Kind: Sendable {
    let name: String
    /// Nil for a kind that is only a word.
    let payload: Schema?
    let summary: String

    init(_ name: String, _ payload: Schema?, _ summary: String) {
      self.name = name
      self.payload = payload
      self.summary = summary
    }

    /// Whether the bare word is enough.
    var canBeBare: Bool {
      switch payload {
      case nil: true
      case .object(let object): object.isAllOptional
      default: false
      }
    }
  }

  /// What the kinds are kinds of, for messages: `optimizer`.
  let noun: String
  let kinds: [Kind]

  init(_ noun: String, _ kinds: [Kind]) {
    self.noun = noun
    self.kinds = kinds
  }

  func kind(_ name: String) -> Kind? { kinds.first { $0.name == name } }
}

extension Int {
  /// Large bounds as powers of two.
  var boundText: String {
    switch self {
    case Int.max: "2^63 − 1"
    case 1 << 40: "2^40"
    default: "\(self)"
    }
  }
}

extension Double {
  /// `5` instead of `5.0`, otherwise the shortest text that reads back as the same number.
  var plainText: String {
    self == rounded() && abs(self) < 1e15 ? String(Int(self)) : description
  }
}

extension Schema {
  /// What is allowed, for the second half of an error message.
  var expectation: String {
    switch self {
    case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound.boundText)"
    case .number(let range): "a number\(range.phrase)"
    case .boolean: "true or false"
    case .text: "text"
    case .name: "a name of letters, digits, '_', '.' and '-' that starts with a letter"
    case .choice(let choices): "one of \(choices.map(\.word).joined(separator: ", "))"
    case .byteSize: "a size with its unit, such as 512 MiB (\(ScalarText.byteUnits))"
    case .path: "the path of a file"
    case .size(let range):
      "a size such as 3 or [3, 5] (height, width), each from \(range.lowerBound) to \(range.upperBound)"
    case .list(let element, let count):
      "a list of \(count.phrase) entries, each \(element.expectation)"
    case .layerNames: "the name of a layer, or a list of names"
    case .object(let object): "a map with \(object.keys.map(\.name).joined(separator: ", "))"
    case .union(let union): "\(union.noun.withArticle): \(union.forms)"
    case .optional(let word, .boolean): "true, false or \(word)"
    case .optional(let word, let schema): "\(word), or \(schema.expectation)"
    case .layers: "a list of layers"
    case .blocks: "a map of blocks by name"
    case .sweep: SchemaDecoder.sweepForms
    }
  }
}

extension ClosedRange<Int> {
  /// `2`, `1 to 3`, `at least 1`.
  var phrase: String {
    if lowerBound == upperBound { return "\(lowerBound)" }
    return upperBound == Int.max ? "at least \(lowerBound)" : "\(lowerBound) to \(upperBound)"
  }
}

extension UnionSchema {
  /// `stop or {skip: …}`.
  var forms: String {
    kinds.map { kind in
      kind.payload == nil ? kind.name : kind.canBeBare ? kind.name : "{\(kind.name): …}"
    }.joined(separator: ", ")
  }
}

extension String {
  var withArticle: String { ("aeiou".contains(first ?? " ") ? "an " : "a ") + self }
}
