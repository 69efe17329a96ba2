public import Settings

/// A height and a width: of a window, a stride, a factor.
public struct Size2D: Hashable, Sendable, Codable {
  /// Rows.
  public let height: Int
  /// Columns.
  public let width: Int

  /// A size in that order: height, then width.
  public init(_ height: Int, _ width: Int) {
    self.height = height
    self.width = width
  }

  /// A square.
  public init(_ side: Int) { self.init(side, side) }

  /// A single place; as a stride or dilation, no gap.
  public static let one = Size2D(1)

  /// `3×5`, for tables.
  var text: String { "\(height)×\(width)" }

  /// `, stride 2×2`: what a layer's label says of a stride or a dilation; nothing where it is the usual one.
  func label(_ word: String) -> String { self == .one ? "" : ", \(word) \(text)" }
}

extension SettingForm where Value == Size2D {
  /// `3` or `[3, 5]`.
  public static func size(_ range: ClosedRange<Int>) -> SettingForm {
    SettingForm(
      .size(range),
      decode: { value in
        guard let sides = value.list?.compactMap(\.integer), sides.count == 2 else { return nil }
        return Size2D(sides[0], sides[1])
      },
      encode: { .list(of: [.integer($0.height), .integer($0.width)]) })
  }

  /// A window, its stride or its dilation.
  static var window: SettingForm { .size(SettingForm<Int>.windowRange) }
}

extension SettingForm where Value == Int {
  fileprivate static var windowRange: ClosedRange<Int> { 1...1024 }

  /// A window along a sequence, its stride or its dilation.
  static var window: SettingForm { .integer(windowRange) }

  /// A number of channels or units.
  static var width: SettingForm { .integer(1...1 << 20) }
}
