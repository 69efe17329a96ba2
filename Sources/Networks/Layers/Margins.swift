internal import Settings
internal import Tensors

/// Positions before and after a sequence: zeros to add, or positions to take away.
public struct Margins1D: Hashable, Sendable, Codable {
  /// How many before the first position.
  public var before: Int
  /// How many behind the last position.
  public var after: Int

  /// Margins of these sizes.
  public init(before: Int, after: Int) {
    self.before = before
    self.after = after
  }

  /// The same margin at both ends.
  public init(_ all: Int) { self.init(before: all, after: all) }

  /// The same margins for an image of height 1.
  public var asImage: Margins2D { Margins2D(top: 0, bottom: 0, left: before, right: after) }
}

/// Rows and columns around an image: zeros to add, or pixels to take away.
public struct Margins2D: Hashable, Sendable, Codable {
  /// Rows above the first.
  public var top: Int
  /// Rows below the last.
  public var bottom: Int
  /// Columns before the first.
  public var left: Int
  /// Columns behind the last.
  public var right: Int

  /// Margins of these sizes.
  public init(top: Int, bottom: Int, left: Int, right: Int) {
    self.top = top
    self.bottom = bottom
    self.left = left
    self.right = right
  }

  /// The same margin on every side.
  public init(_ all: Int) { self.init(top: all, bottom: all, left: all, right: all) }

  fileprivate var label: String {
    top == bottom && top == left && top == right ? "\(top)" : "\(top), \(bottom), \(left), \(right)"
  }
}

extension LayerDescription where Settings == Margins2D {
  static let zeroPadding2D = LayerDescription(
    .zeroPadding2D, "Zeros around an image.", Margins2D(0), SettingKey.imageMargins,
    keras: KerasLayer("ZeroPadding2D", options: [.imageMargins("padding", default: Margins2D(1))]),
    make: LayerSpec.zeroPadding2D, label: { "zeros \($0.label)" },
    infer: { try $0.pad(try $1.image(), $1) })

  static let cropping2D = LayerDescription(
    .cropping2D, "Removes rows and columns at the edges of an image.", Margins2D(0), SettingKey.imageMargins,
    keras: KerasLayer("Cropping2D", options: [.imageMargins("cropping", default: Margins2D(0))]),
    make: LayerSpec.cropping2D, label: { "crop \($0.label)" }, infer: { try $0.crop(try $1.image(), $1) })
}

extension LayerDescription where Settings == Margins1D {
  static let zeroPadding1D = LayerDescription(
    .zeroPadding1D, "Zeros before and after a sequence.", Margins1D(0), SettingKey.sequenceMargins,
    keras: KerasLayer("ZeroPadding1D", options: [.sequenceMargins("padding")]),
    make: LayerSpec.zeroPadding1D, label: { "zeros \($0.before), \($0.after)" },
    infer: { try $0.asImage.pad(try $1.sequence(), $1) })

  static let cropping1D = LayerDescription(
    .cropping1D, "Removes positions at both ends of a sequence.", Margins1D(0),
    SettingKey.sequenceMargins, keras: KerasLayer("Cropping1D", options: [.sequenceMargins("cropping")]),
    make: LayerSpec.cropping1D, label: { "crop \($0.before), \($0.after)" },
    infer: { try $0.asImage.crop(try $1.sequence(), $1) })
}

// MARK: - In configurations

extension SettingKey where Root == Margins2D {
  fileprivate static var imageMargins: [SettingKey] {
    margins([("top", \.top), ("bottom", \.bottom), ("left", \.left), ("right", \.right)])
  }
}

extension SettingKey where Root == Margins1D {
  fileprivate static var sequenceMargins: [SettingKey] {
    margins([("before", \.before), ("after", \.after)])
  }
}

extension SettingKey {
  /// A key for all sides, and one for each side that differs.
  fileprivate static func margins(
    _ sides: [(name: String, path: any WritableKeyPath<Root, Int> & Sendable)]
  ) -> [SettingKey] {
    let amount = SettingForm<Int>.integer(0...65_536)
    /// What stands on most sides; with several such numbers, on the first of them.
    @Sendable func common(_ root: Root) -> Int {
      let values = sides.map { root[keyPath: $0.path] }
      return values.allSatisfy { $0 == values[0] } ? values[0] : 0
    }
    let all = SettingKey(
      "all", amount.schema, "How many on every side.",
      read: { value, root in
        guard let number = value.flatMap(amount.decode) else { return false }
        for side in sides { root[keyPath: side.path] = number }
        return true
      }, write: { amount.encode(common($0)) })
    return [all]
      + sides.map { side in
        SettingKey(
          side.name, .optional(word: "all", amount.schema),
          "How many on this side; `all` takes the number of that key.",
          read: { value, root in
            guard let value, value.text != "all" else { return value != nil }
            guard let number = amount.decode(value) else { return false }
            root[keyPath: side.path] = number
            return true
          },
          write: { root in
            let number = root[keyPath: side.path]
            return number == common(root) ? .text("all") : amount.encode(number)
          })
      }
  }
}

// MARK: - In Keras

extension KerasLayer.Option where Settings == Margins2D {
  /// `n`, `[rows, columns]` or `[[top, bottom], [left, right]]`.
  fileprivate static func imageMargins(_ name: String, default fallback: Margins2D) -> Self {
    .made(
      name, supported: "a number, [rows, columns] or [[top, bottom], [left, right]]",
      write: { margins, _ in
        .array([
          .array([.integer(margins.top), .integer(margins.bottom)]),
          .array([.integer(margins.left), .integer(margins.right)]),
        ])
      },
      read: { value, margins in
        guard let value else {
          margins = fallback
          return true
        }
        if let all = value.integer {
          margins = Margins2D(all)
          return true
        }
        let sides = (value.elements ?? []).map { side in
          side.integer.map { [$0, $0] } ?? side.elements?.compactMap(\.integer) ?? []
        }
        guard sides.count == 2, sides.allSatisfy({ $0.count == 2 }) else { return false }
        margins = Margins2D(top: sides[0][0], bottom: sides[0][1], left: sides[1][0], right: sides[1][1])
        return true
      })
  }
}

extension KerasLayer.Option where Settings == Margins1D {
  /// `n` or `[before, after]`; 1 where it is left out.
  fileprivate static func sequenceMargins(_ name: String) -> Self {
    .made(
      name, supported: "one or two whole numbers",
      write: { margins, _ in .array([.integer(margins.before), .integer(margins.after)]) },
      read: { value, margins in
        let value = value ?? .integer(1)
        if let both = value.integer {
          margins = Margins1D(both)
          return true
        }
        guard let sides = value.elements?.compactMap(\.integer), sides.count == 2 else { return false }
        margins = Margins1D(before: sides[0], after: sides[1])
        return true
      })
  }
}

// MARK: - Shapes

extension Margins2D {
  fileprivate func pad(_ grid: LayerInference.Grid, _ inference: LayerInference) throws -> ResolvedLayer {
    try require(inference)
    return inference.make(
      output: grid.shape(grid.height + top + bottom, grid.width + left + right, grid.channels),
      view: .shifted(down: -top, right: -left), flopsPerElement: 0)
  }

  fileprivate func crop(_ grid: LayerInference.Grid, _ inference: LayerInference) throws -> ResolvedLayer {
    try require(inference)
    let height = grid.height - top - bottom
    let width = grid.width - left - right
    guard height > 0, width > 0 else {
      throw inference.mismatch(
        "cropping leaves nothing of the \(inference.input) that '\(inference.layer.inputs[0])' gives; crop less"
      )
    }
    return inference.make(
      output: grid.shape(height, width, grid.channels), view: .shifted(down: top, right: left),
      flopsPerElement: 0)
  }

  private func require(_ inference: LayerInference) throws {
    for (name, value) in [("top", top), ("bottom", bottom), ("left", left), ("right", right)] {
      try inference.require(value, atLeast: 0, name)
    }
  }
}
