internal import Tensors

/// Where the points of a sample go: what a step that moves them has drawn.
///
/// Pixels and answers are moved by the same value, so that they stay together.
enum Move: Sendable {
  case flipHorizontal
  case flipVertical
  case symmetry(BoardSymmetry)
  case shift(down: Int, right: Int, border: Border)
  case warp(AffineMap, border: Border)

  /// Moves all points of a grid.
  func apply<T: PixelValue>(to frame: inout Frame<T>, _ grid: PixelGrid) {
    switch self {
    case .flipHorizontal: frame.replace(grid.flipHorizontal)
    case .flipVertical: frame.replace(grid.flipVertical)
    case .symmetry(let symmetry):
      if symmetry.isTransposed { frame.replace(grid.transpose) }
      if symmetry.isFlippedVertically { frame.replace(grid.flipVertical) }
      if symmetry.isFlippedHorizontally { frame.replace(grid.flipHorizontal) }
    case .shift(let down, let right, let border):
      frame.replace {
        grid.shift($0, $1, down: down, right: right, border: border, zero: T(nearest: 0))
      }
    case .warp(let map, let border):
      frame.replace { map.warp(grid, $0, $1, border: border) }
    }
  }

  /// Where a point goes, row by row; nil where it does not go to one point.
  func place(of point: Int, _ grid: PixelGrid) -> Int? {
    var (row, column) = point.quotientAndRemainder(dividingBy: grid.width)
    switch self {
    case .flipHorizontal: column = grid.width - 1 - column
    case .flipVertical: row = grid.height - 1 - row
    case .symmetry(let symmetry):
      if symmetry.isTransposed { (row, column) = (column, row) }
      if symmetry.isFlippedVertically { row = grid.height - 1 - row }
      if symmetry.isFlippedHorizontally { column = grid.width - 1 - column }
    case .shift, .warp: return nil
    }
    return row * grid.width + column
  }
}

extension AugmentationStep {
  /// The move that the step makes this time; nil where it moves nothing.
  func drawMove(_ grid: PixelGrid, _ random: inout RandomStream) -> Move? {
    switch self {
    case .flipHorizontal(let flip):
      return random.nextUniformDouble() < flip.probability ? .flipHorizontal : nil
    case .flipVertical(let flip):
      return random.nextUniformDouble() < flip.probability ? .flipVertical : nil
    case .padAndCrop(let crop):
      let (rows, columns) = (crop.padding.rows, crop.padding.columns)
      let down = random.nextInteger(below: 2 * rows + 1) - rows
      let right = random.nextInteger(below: 2 * columns + 1) - columns
      return down == 0 && right == 0 ? nil : .shift(down: down, right: right, border: crop.border)
    case .rotate(let rotation): return rotation.affine.drawMove(grid, &random)
    case .affine(let affine): return affine.drawMove(grid, &random)
    case .boardSymmetry(let symmetry):
      return .symmetry(BoardSymmetry(index: symmetry.index ?? random.nextInteger(below: 8)))
    case .brightness, .contrast, .saturation, .randomErasing, .cutout, .mixup, .cutmix: return nil
    }
  }
}

extension RandomAffine {
  fileprivate func drawMove(_ grid: PixelGrid, _ random: inout RandomStream) -> Move? {
    guard random.nextUniformDouble() < probability else { return nil }
    let map = AffineMap(
      grid, degrees: random.uniform(-degrees, degrees),
      scale: random.uniform(scale.lowerBound, scale.upperBound),
      shear: random.uniform(-shear, shear), down: random.uniform(-translate, translate) * Double(grid.height),
      right: random.uniform(-translate, translate) * Double(grid.width))
    return .warp(map, border: border)
  }
}
