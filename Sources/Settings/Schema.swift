/// What may stand at a place in a configuration.
///
/// One value of this type describes all keys; reading, defaults, overrides, the JSON Schema and the reference text
/// all follow it.
public indirect enum Schema: Sendable {
  /// A whole number in a range.
  case integer(ClosedRange<Int>)
  /// A number in a range.
  case number(NumberRange)
  /// `true` or `false`.
  case boolean
  /// Free text of at least one character.
  case text
  /// Text in a form of its own.
  case formatted(TextFormat)
  /// A word that names something: letters, digits, `_`, `.`, `-`, starting with a letter.
  case name
  /// One word of a few.
  case choice([Choice])
  /// A number of bytes, written with its unit: `512 MiB`.
  case byteSize
  /// A file; a relative one counts from the folder of the configuration in which it is written.
  case path
  /// Height and width, `3` or `[3, 5]`.
  case size(ClosedRange<Int>)
  /// As many values of a form as `count` allows.
  case list(Schema, count: ClosedRange<Int>)
  /// Names of layers: one, or a list.
  case layerNames
  /// A map of names to names; the text says which.
  case names(String)
  /// A map with known keys.
  case object(ObjectSchema)
  /// One of several kinds, with its settings.
  case union(UnionSchema)
  /// A value of a form, or a word that stands for its absence.
  case optional(word: String, Schema)
  /// The network's layers with `repeat` and uses of blocks.
  case layers
  /// Definitions of blocks.
  case blocks
  /// What a family of runs varies.
  case sweep
}

/// A form that text must have.
public struct TextFormat: Sendable {
  /// What is expected, for messages: `numbers and ranges like 0,5,10-12, or all`.
  public let expectation: String
  /// Whether text has the form.
  public let accepts: @Sendable (String) -> Bool

  /// A form, by its description in words and by a check.
  public init(_ expectation: String, accepts: @escaping @Sendable (String) -> Bool) {
    self.expectation = expectation
    self.accepts = accepts
  }
}

/// A word among those allowed.
public struct Choice: Sendable {
  /// The word itself.
  public let word: String
  /// What the word means, in a few words; empty where the word says it all.
  public let summary: String

  /// A word with its meaning.
  public init(word: String, summary: String) {
    self.word = word
    self.summary = summary
  }
}

/// Bounds of a number, each of which may be allowed or not; without bounds, all that a `Float` holds.
public struct NumberRange: Sendable {
  /// The lower bound.
  public var minimum: Double
  /// Whether the lower bound itself is in the range.
  public var minimumIsAllowed: Bool
  /// The upper bound.
  public var maximum: Double
  /// Whether the upper bound itself is in the range.
  public var maximumIsAllowed: Bool

  /// A range; a bound that is left out is the largest that a `Float` holds, and allowed.
  public init(
    minimum: Double = -Double(Float.greatestFiniteMagnitude), minimumIsAllowed: Bool = true,
    maximum: Double = Double(Float.greatestFiniteMagnitude), maximumIsAllowed: Bool = true
  ) {
    self.minimum = minimum
    self.minimumIsAllowed = minimumIsAllowed
    self.maximum = maximum
    self.maximumIsAllowed = maximumIsAllowed
  }

  /// Any number that a `Float` holds.
  public static let any = NumberRange()
  /// Above 0.
  public static let positive = NumberRange(minimum: 0, minimumIsAllowed: false)
  /// From 0.
  public static let nonNegative = NumberRange(minimum: 0)
  /// From 0, below 1.
  public static let share = NumberRange(minimum: 0, maximum: 1, maximumIsAllowed: false)
  /// Above 0, below 1.
  public static let openUnit = NumberRange(
    minimum: 0, minimumIsAllowed: false, maximum: 1, maximumIsAllowed: false)
  /// From 0 to 1.
  public static let unit = NumberRange(minimum: 0, maximum: 1)

  /// Whether a number that is not 0 becomes 0 where 32 bits hold it, as they hold nearly all numbers of a training.
  public static func vanishes(_ value: Double) -> Bool { value != 0 && Float(value) == 0 }

  /// Whether the number lies in the range.
  public func contains(_ value: Double) -> Bool {
    (minimumIsAllowed ? value >= minimum : value > minimum)
      && (maximumIsAllowed ? value <= maximum : value < maximum)
  }
}
