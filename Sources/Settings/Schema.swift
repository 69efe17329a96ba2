/// What may stand at a place in a configuration.
///
/// One value of this type describes all keys; reading, defaults, overrides, the JSON Schema and the reference text
/// all follow it.
public indirect enum Schema: Sendable {
  case integer(ClosedRange<Int>)
  case number(NumberRange)
  case boolean
  /// Free text of at least one character.
  case text
  /// Text in a form of its own.
  case formatted(TextFormat)
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

/// A form that text must have.
public struct TextFormat: Sendable {
  /// What is expected, for messages: `numbers and ranges like 0,5,10-12, or all`.
  public let expectation: String
  public let accepts: @Sendable (String) -> Bool

  public init(_ expectation: String, accepts: @escaping @Sendable (String) -> Bool) {
    self.expectation = expectation
    self.accepts = accepts
  }
}

/// A word among those allowed.
public struct Choice: Sendable {
  public let word: String
  public let summary: String

  public init(word: String, summary: String) {
    self.word = word
    self.summary = summary
  }
}

/// Bounds of a number, either of which may itself be allowed or not; at most what a Float holds.
public struct NumberRange: Sendable {
  public var minimum: Double
  public var minimumIsAllowed: Bool
  public var maximum: Double
  public var maximumIsAllowed: Bool

  public init(
    minimum: Double = -Double(Float.greatestFiniteMagnitude), minimumIsAllowed: Bool = true,
    maximum: Double = Double(Float.greatestFiniteMagnitude), maximumIsAllowed: Bool = true
  ) {
    self.minimum = minimum
    self.minimumIsAllowed = minimumIsAllowed
    self.maximum = maximum
    self.maximumIsAllowed = maximumIsAllowed
  }

  public static let any = NumberRange()
  public static let positive = NumberRange(minimum: 0, minimumIsAllowed: false)
  public static let nonNegative = NumberRange(minimum: 0)
  /// From 0 up to, and without, 1.
  public static let share = NumberRange(minimum: 0, maximum: 1, maximumIsAllowed: false)
  /// Between 0 and 1, without both.
  public static let openUnit = NumberRange(
    minimum: 0, minimumIsAllowed: false, maximum: 1, maximumIsAllowed: false)
  /// From 0 to 1.
  public static let unit = NumberRange(minimum: 0, maximum: 1)

  /// Whether the number lies in the range.
  public func contains(_ value: Double) -> Bool {
    (minimumIsAllowed ? value >= minimum : value > minimum)
      && (maximumIsAllowed ? value <= maximum : value < maximum)
  }
}
