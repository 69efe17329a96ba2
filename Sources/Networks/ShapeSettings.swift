// What layers that move elements without changing them are told.

/// Positions before and after a sequence: zeros to add, or positions to take away.
public struct Margins1D: Hashable, Sendable, Codable {
  public var before: Int
  public var after: Int

  public init(before: Int, after: Int) {
    self.before = before
    self.after = after
  }

  /// The same for an image of height 1.
  public var asImage: Margins2D { Margins2D(top: 0, bottom: 0, left: before, right: after) }
}

/// Rows and columns around an image: zeros to add, or pixels to take away.
public struct Margins2D: Hashable, Sendable, Codable {
  public var top: Int
  public var bottom: Int
  public var left: Int
  public var right: Int

  public init(top: Int, bottom: Int, left: Int, right: Int) {
    self.top = top
    self.bottom = bottom
    self.left = left
    self.right = right
  }

  public init(_ all: Int) { self.init(top: all, bottom: all, left: all, right: all) }
}

/// How an enlarged image gets its new pixels.
public enum Interpolation: String, Hashable, Sendable, Codable, CaseIterable {
  /// Each pixel several times over.
  case nearest
  /// Weighted means of the two or four pixels around, whose centres lie at half pixels; edges are continued.
  case bilinear
}

/// Enlarges an image by whole factors.
public struct UpSampling2D: Hashable, Sendable, Codable {
  public var size: Size2D
  public var interpolation: Interpolation

  public init(size: Size2D, interpolation: Interpolation = .nearest) {
    self.size = size
    self.interpolation = interpolation
  }
}

/// Repeats each position of a sequence.
public struct UpSampling1D: Hashable, Sendable, Codable {
  public var size: Int

  public init(size: Int) { self.size = size }
}

/// The same elements in the same (channels-last) order under another shape.
public struct Reshape: Hashable, Sendable, Codable {
  /// Without N; 1 to 3 dimensions.
  public var shape: [Int]

  public init(_ shape: [Int]) { self.shape = shape }
}
