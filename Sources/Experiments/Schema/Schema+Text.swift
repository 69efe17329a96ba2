internal import Settings

extension NumberRange {
  /// Whether a number is refused only because a Float cannot hold its magnitude.
  func exceedsFloat(_ value: Double) -> Bool {
    let any = NumberRange.any
    return maximum == any.maximum && value > maximum || minimum == any.minimum && value < minimum
  }

  /// The numbers that are expected in its place.
  var phraseWithSize: String {
    "\(phrase)\(phrase.isEmpty ? "" : " and") of at most 3.4e38, as 32 bits hold it"
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

extension Int {
  /// The number, written as a power of two where it is a large one.
  var boundText: String {
    switch self {
    case Int.max: "2^63 − 1"
    // Smaller powers of two are known by their digits.
    case let bound where bound > 1 << 20 && bound.nonzeroBitCount == 1: "2^\(bound.trailingZeroBitCount)"
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
  /// The allowed values, for the second half of an error message.
  var expectation: String {
    switch self {
    case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound.boundText)"
    case .number(let range): "a number\(range.phrase)"
    case .boolean: "true or false"
    case .text: "text"
    case .formatted(let format): format.expectation
    case .name: "a name of at most 200 letters, digits, '_', '.' and '-' that starts with a letter"
    case .choice(let choices): "one of \(choices.map(\.word).joined(separator: ", "))"
    case .byteSize: "a size with its unit, such as 512 MiB (\(ScalarText.byteUnits))"
    case .path: "the path of a file"
    case .size(let range):
      "a size such as 3 or [3, 5] (height, width), each from \(range.lowerBound) to \(range.upperBound)"
    case .list(let element, let count):
      "a list of \(count.phrase) entries, each \(element.expectation)"
    case .layerNames: "the name of a layer, or a list of names"
    case .names(let what): "a map of \(what)"
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
  /// The kinds as they are written: `stop, {skip: …}`.
  var forms: String {
    kinds.map { kind in
      kind.payload == nil ? kind.name : kind.canBeBare ? kind.name : "{\(kind.name): …}"
    }.joined(separator: ", ")
  }
}

extension String {
  var withArticle: String { ("aeiou".contains(first ?? " ") ? "an " : "a ") + self }
}
