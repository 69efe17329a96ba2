/// How a picture lies in its file: what has to be done to its rows and columns so that it is seen as it was taken.
///
/// - SeeAlso: Exif 2.32 (CIPA DC-008), tag 0x0112, whose numbers these are.
public enum PictureOrientation: Int, Hashable, Sendable, CaseIterable {
  /// As it was taken.
  case upright = 1
  /// Left and right are exchanged.
  case mirrored
  /// It needs half a turn.
  case upsideDown
  /// Top and bottom are exchanged.
  case mirroredUpsideDown
  /// Rows are columns: it is mirrored along the diagonal from the upper left.
  case transposed
  /// Its top is at the left: it needs a quarter turn clockwise.
  case turnedLeft
  /// It is mirrored along the other diagonal.
  case mirroredTransposed
  /// Its top is at the right: it needs a quarter turn counter-clockwise.
  case turnedRight

  var swapsSides: Bool {
    switch self {
    case .upright, .mirrored, .upsideDown, .mirroredUpsideDown: false
    case .transposed, .turnedLeft, .mirroredTransposed, .turnedRight: true
    }
  }
}

/// What is done with the orientation that a camera notes in a picture.
public enum OrientationUse: String, Sendable, CaseIterable {
  /// Pictures are turned upright, as people see them.
  case upright
  /// Pixels stay as they are stored, as TensorFlow and torchvision have them.
  case stored
}

extension Image {
  /// The picture as it is seen, where this one lies as `orientation` says.
  public func turnedUpright(from orientation: PictureOrientation) -> Image {
    if orientation == .upright { return self }
    let (newHeight, newWidth) = orientation.swapsSides ? (width, height) : (height, width)
    let size = channels.rawValue
    // Where the pixel of row 0 and column 0 comes from, and how far it is to the next one of a row and of a column.
    let (right, down) = (size, width * size)
    let (lastColumn, lastRow) = ((width - 1) * right, (height - 1) * down)
    let (start, byColumn, byRow) =
      switch orientation {
      case .upright: (0, right, down)
      case .mirrored: (lastColumn, -right, down)
      case .upsideDown: (lastRow + lastColumn, -right, -down)
      case .mirroredUpsideDown: (lastRow, right, -down)
      case .transposed: (0, down, right)
      case .turnedLeft: (lastRow, -down, right)
      case .mirroredTransposed: (lastRow + lastColumn, -down, -right)
      case .turnedRight: (lastColumn, down, -right)
      }
    let turned = [UInt8](unsafeUninitializedCapacity: pixels.count) { target, count in
      pixels.withUnsafeBufferPointer { source in
        var place = 0
        for row in 0..<newHeight {
          var from = start + row * byRow
          for _ in 0..<newWidth {
            for channel in 0..<size { target[place + channel] = source[from + channel] }
            place += size
            from += byColumn
          }
        }
      }
      count = pixels.count
    }
    return Image(height: newHeight, width: newWidth, channels: channels, pixels: turned)
  }
}
