/// A value that is of one of several kinds: an enum whose cases hold the settings of a kind each.
///
/// Two switches hold the list of kinds together, one over the cases and one over the words: the compiler asks for both when a
/// case is added.
public protocol SettingsVariant: Sendable {
  /// The words of the kinds, in the order of references.
  associatedtype Kind: CaseIterable & RawRepresentable<String>

  /// What the kinds are kinds of, for messages: `optimizer`.
  static var noun: String { get }

  /// The kind that the value is of.
  var kind: Kind { get }

  /// A kind's word, and what may be written behind it.
  static func description(of kind: Kind) -> SettingsKind<Self>
}

extension SettingsVariant {
  /// All kinds.
  public static var settings: SettingsUnion<Self> { SettingsUnion(noun, Kind.allCases.map(description)) }

  /// The word of the value's kind.
  public var word: String { kind.rawValue }
}
