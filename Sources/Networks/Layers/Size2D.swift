public import Settings

/// Height and width of something.
public struct Size2D: Hashable, Sendable, Codable {
  public let height: Int
  public let width: Int

  public init(_ height: Int, _ width: Int) {
    self.height = height
    self.width = width
  }

  public init(_ side: Int) { self.init(side, side) }

  public static let one = Size2D(1)

  /// `3×5`, for tables.
  var text: String { "\(height)×\(width)" }
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

  /// Channels, or units.
  static var width: SettingForm { .integer(1...1 << 20) }
}
