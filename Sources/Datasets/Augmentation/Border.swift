public import Settings

/// What lies outside a sample.
public enum Border: String, Hashable, Sendable, CaseIterable, SettingWord {
  /// Zeros.
  case zero
  /// The nearest pixel, repeated.
  case edge
  /// The sample mirrored at its outermost pixels, which are not repeated.
  case reflect

  /// What the word means, for references.
  public var summary: String {
    switch self {
    case .zero: "zeros"
    case .edge: "the nearest pixel"
    case .reflect: "the sample mirrored at its outermost pixels"
    }
  }

  /// The index in `0..<count` whose value stands at any index, inside or outside; nil where a zero stands.
  @inline(__always)
  func resolve(_ index: Int, _ count: Int) -> Int? {
    if index >= 0 && index < count { return index }
    switch self {
    case .zero: return nil
    case .edge: return index < 0 ? 0 : count - 1
    case .reflect:
      guard count > 1 else { return 0 }
      let period = 2 * (count - 1)
      let place = ((index % period) + period) % period
      return place < count ? place : period - place
    }
  }
}

extension SettingKey {
  static func border(_ path: any WritableKeyPath<Root, Border> & Sendable) -> SettingKey {
    SettingKey("border", path, .word, "What lies outside the sample.")
  }
}
