internal import KernelShapes

// Between images in blocks of channels and tiles at 36 points. A tile that reaches over the image's border goes through a patch of
// working memory, filled up with zeros, so that the arithmetic is written once and has no conditions.

/// Where a tile's point of a channel lies: at `channel / 32 · panel + channel % 32 + point · pointStride + tile · tileStride`, with
/// `narrowTileStride` in a last panel of 16 channels.
typealias PointLayout = (pointStride: Int, panelStride: Int, tileStride: Int, narrowTileStride: Int)

/// Tile after tile, each with all of its points: products over channels read rows of them.
@inline(__always)
func layoutByTiles(channels: Int, tileStride: Int) -> PointLayout {
  (pointStride: channels, panelStride: 32, tileStride: tileStride, narrowTileStride: tileStride)
}

/// Point after point, panel after panel of 32 channels: products over tiles read a panel from its beginning to its end.
///
/// An odd number of cache lines from a point to the next keeps a tile's 36 points from meeting in the same lines of the cache.
@inline(__always)
func layoutByPoints(channels: Int, tiles: Int) -> PointLayout {
  (
    pointStride: (channels / 16 * tiles | 1) * 16, panelStride: 32 * tiles, tileStride: 32,
    narrowTileStride: 16
  )
}

/// The stride from tile to tile in the panel of a channel, of so many in all.
@inline(__always)
private func tileStride(_ layout: PointLayout, _ channel: Int, of channels: Int) -> Int {
  channels - channel / 32 * 32 >= 32 ? layout.tileStride : layout.narrowTileStride
}

/// A tile among those of all samples.
private struct TilePlace {
  var sample: Int
  var row: Int
  var column: Int

  @inline(__always)
  init(_ tile: Int, _ shape: WinogradShape) {
    let perSample = shape.tilesDown * shape.tilesAcross
    sample = tile / perSample
    row = tile % perSample / shape.tilesAcross
    column = tile % shape.tilesAcross
  }

  @inline(__always)
  mutating func advance(_ shape: WinogradShape) {
    column += 1
    if column < shape.tilesAcross { return }
    column = 0
    row += 1
    if row < shape.tilesDown { return }
    row = 0
    sample += 1
  }
}

/// A window of an image that may reach over its borders: the rows and columns of the window that are in the image.
private struct Window {
  let top: Int
  let left: Int
  let rows: Range<Int>
  let columns: Range<Int>
  let isInside: Bool

  @inline(__always)
  init(top: Int, left: Int, size: Int, height: Int, width: Int) {
    (self.top, self.left) = (top, left)
    let (firstRow, firstColumn) = (max(-top, 0), max(-left, 0))
    let (endRow, endColumn) = (min(height - top, size), min(width - left, size))
    rows = Range(uncheckedBounds: (min(firstRow, size), max(endRow, min(firstRow, size))))
    columns = Range(uncheckedBounds: (min(firstColumn, size), max(endColumn, min(firstColumn, size))))
    isInside = firstRow == 0 && firstColumn == 0 && endRow == size && endColumn == size
  }

  /// Copies the window, with zeros where it is outside.
  @inline(__always)
  func read(_ plane: UnsafePointer<Float>, _ width: Int, into patch: UnsafeMutablePointer<Float>, _ size: Int)
  {
    var row = 0
    while row < size {
      let target = patch + row * size * lanes
      if row < rows.lowerBound || row >= rows.upperBound {
        var column = 0
        while column < size {
          target.store(Lanes.zero, column * lanes)
          column += 1
        }
      } else {
        let source = plane + ((top + row) * width + left) * lanes
        var column = 0
        while column < columns.lowerBound {
          target.store(Lanes.zero, column * lanes)
          column += 1
        }
        while column < columns.upperBound {
          target.store(source.block(column * lanes), column * lanes)
          column += 1
        }
        while column < size {
          target.store(Lanes.zero, column * lanes)
          column += 1
        }
      }
      row += 1
    }
  }
}

// MARK: - The image

/// `V = Bᵀ d B` of some tiles and all channels.
@inline(never)
func transformImage(
  _ shape: WinogradShape, _ src: UnsafePointer<Float>, tiles: Range<Int>,
  into points: UnsafeMutablePointer<Float>, _ layout: PointLayout, patch: UnsafeMutablePointer<Float>
) {
  let blocks = imageBlocks(shape.inputs)
  let plane = shape.height * shape.width * lanes
  var block = 0
  while block < blocks {
    var place = TilePlace(tiles.lowerBound, shape)
    let channel = block * lanes
    var target = points + channel / 32 * layout.panelStride + channel % 32
    let stride = tileStride(layout, channel, of: shape.inputBlocks * 16)
    var tile = tiles.lowerBound
    while tile < tiles.upperBound {
      let image = src + (place.sample * blocks + block) * plane
      let window = Window(
        top: place.row * 4 - shape.paddingTop, left: place.column * 4 - shape.paddingLeft, size: 6,
        height: shape.height, width: shape.width)
      if window.isInside {
        transformImage(
          image + (window.top * shape.width + window.left) * lanes, shape.width * lanes, target,
          layout.pointStride)
      } else {
        window.read(image, shape.width, into: patch, 6)
        transformImage(UnsafePointer(patch), 6 * lanes, target, layout.pointStride)
      }
      target += stride
      place.advance(shape)
      tile += 1
    }
    block += 1
  }
}

/// One tile: rows of points in an order that leaves few values waiting in registers.
@inline(__always)
private func transformImage(
  _ d: UnsafePointer<Float>, _ stride: Int, _ target: UnsafeMutablePointer<Float>, _ point: Int
) {
  @inline(__always) func column(_ j: Int) -> Six {
    imagePoints(
      (
        d.block(j * lanes), d.block(stride + j * lanes), d.block(2 * stride + j * lanes),
        d.block(3 * stride + j * lanes), d.block(4 * stride + j * lanes), d.block(5 * stride + j * lanes)
      ))
  }
  @inline(__always) func store(_ i: Int, _ points: Six) {
    storeSix(imagePoints(points), target + i * 6 * point, point)
  }
  let (c0, c1, c2, c3, c4, c5) = (column(0), column(1), column(2), column(3), column(4), column(5))
  store(0, (c0.0, c1.0, c2.0, c3.0, c4.0, c5.0))
  store(1, (c0.1, c1.1, c2.1, c3.1, c4.1, c5.1))
  store(2, (c0.2, c1.2, c2.2, c3.2, c4.2, c5.2))
  store(3, (c0.3, c1.3, c2.3, c3.3, c4.3, c5.3))
  store(4, (c0.4, c1.4, c2.4, c3.4, c4.4, c5.4))
  store(5, (c0.5, c1.5, c2.5, c3.5, c4.5, c5.5))
}

@inline(__always)
private func storeSix(_ six: Six, _ target: UnsafeMutablePointer<Float>, _ stride: Int) {
  target.store(six.0, 0)
  target.store(six.1, stride)
  target.store(six.2, 2 * stride)
  target.store(six.3, 3 * stride)
  target.store(six.4, 4 * stride)
  target.store(six.5, 5 * stride)
}

@inline(__always)
private func loadSix(_ source: UnsafePointer<Float>, _ stride: Int) -> Six {
  (
    source.block(0), source.block(stride), source.block(2 * stride), source.block(3 * stride),
    source.block(4 * stride), source.block(5 * stride)
  )
}

/// `dX += B dV Bᵀ` of some tiles, whose windows overlap; a sample's plane is cleared before its first tile.
///
/// Tiles must come in order, since that is the order in which what overlaps is added.
@inline(never)
func addImageGradient(
  _ shape: WinogradShape, _ points: UnsafePointer<Float>, tiles: Range<Int>,
  into diffSrc: UnsafeMutablePointer<Float>, patch: UnsafeMutablePointer<Float>
) {
  let channels = shape.inputBlocks * 16
  let blocks = imageBlocks(shape.inputs)
  let plane = shape.height * shape.width * lanes
  var block = 0
  while block < blocks {
    var place = TilePlace(tiles.lowerBound, shape)
    var source = points + block * lanes
    var tile = tiles.lowerBound
    while tile < tiles.upperBound {
      let image = diffSrc + (place.sample * blocks + block) * plane
      if place.row == 0, place.column == 0 {
        var index = 0
        while index < plane {
          image.store(Lanes.zero, index)
          index += lanes
        }
      }
      let window = Window(
        top: place.row * 4 - shape.paddingTop, left: place.column * 4 - shape.paddingLeft, size: 6,
        height: shape.height, width: shape.width)
      if window.isInside {
        let target = image + (window.top * shape.width + window.left) * lanes
        imageGradient(source, channels) { i, j, vector in
          let at = i * shape.width * lanes + j * lanes
          target.store(target.block(at) + vector, at)
        }
      } else {
        imageGradient(source, channels) { i, j, vector in patch.store(vector, (i * 6 + j) * lanes) }
        var row = window.rows.lowerBound
        while row < window.rows.upperBound {
          let target = image + ((window.top + row) * shape.width + window.left) * lanes
          var column = window.columns.lowerBound
          while column < window.columns.upperBound {
            target.store(
              target.block(column * lanes) + patch.block((row * 6 + column) * lanes), column * lanes)
            column += 1
          }
          row += 1
        }
      }
      source += shape.inputTileStride
      place.advance(shape)
      tile += 1
    }
    block += 1
  }
}

@inline(__always)
private func imageGradient(
  _ m: UnsafePointer<Float>, _ channels: Int, _ give: (_ row: Int, _ column: Int, Lanes) -> Void
) {
  @inline(__always) func column(_ j: Int) -> Six { imageGradient(loadSix(m + j * channels, 6 * channels)) }
  @inline(__always) func row(_ i: Int, _ values: Six) {
    let result = imageGradient(values)
    give(i, 0, result.0)
    give(i, 1, result.1)
    give(i, 2, result.2)
    give(i, 3, result.3)
    give(i, 4, result.4)
    give(i, 5, result.5)
  }
  let (c0, c1, c2, c3, c4, c5) = (column(0), column(1), column(2), column(3), column(4), column(5))
  row(0, (c0.0, c1.0, c2.0, c3.0, c4.0, c5.0))
  row(1, (c0.1, c1.1, c2.1, c3.1, c4.1, c5.1))
  row(2, (c0.2, c1.2, c2.2, c3.2, c4.2, c5.2))
  row(3, (c0.3, c1.3, c2.3, c3.3, c4.3, c5.3))
  row(4, (c0.4, c1.4, c2.4, c3.4, c4.4, c5.4))
  row(5, (c0.5, c1.5, c2.5, c3.5, c4.5, c5.5))
}

// MARK: - The output

/// `Y = Aᵀ M A` of some tiles and channels, plus bias, through ReLU where that is asked for.
///
/// - Parameters:
///   - channels: whole sixteens.
///   - bias: as many as there are real channels; those of the last block beyond them stay zero.
@inline(never)
func writeOutput(
  _ shape: WinogradShape, _ points: UnsafePointer<Float>, tiles: Range<Int>, channels written: Range<Int>,
  bias: UnsafePointer<Float>?, isRectified: Bool, into dst: UnsafeMutablePointer<Float>,
  patch: UnsafeMutablePointer<Float>
) {
  let channels = shape.outputBlocks * 16
  let blocks = imageBlocks(shape.outputs)
  let plane = shape.outputHeight * shape.outputWidth * lanes
  var block = written.lowerBound / lanes
  let end = min(written.upperBound / lanes, blocks)
  while block < end {
    var offset = Lanes.zero
    if let bias { offset = first(shape.outputs - block * lanes, of: bias + block * lanes) }
    var place = TilePlace(tiles.lowerBound, shape)
    var source = points + block * lanes
    var tile = tiles.lowerBound
    while tile < tiles.upperBound {
      let image = dst + (place.sample * blocks + block) * plane
      let (rows, columns) = (shape.outputHeight - place.row * 4, shape.outputWidth - place.column * 4)
      let target = image + (place.row * 4 * shape.outputWidth + place.column * 4) * lanes
      if rows >= 4, columns >= 4 {
        outputs(source, channels, offset, isRectified, target, shape.outputWidth * lanes)
      } else {
        outputs(source, channels, offset, isRectified, patch, 4 * lanes)
        var row = 0
        while row < min(rows, 4) {
          var column = 0
          while column < min(columns, 4) {
            target.store(patch.block((row * 4 + column) * lanes), (row * shape.outputWidth + column) * lanes)
            column += 1
          }
          row += 1
        }
      }
      source += shape.outputTileStride
      place.advance(shape)
      tile += 1
    }
    block += 1
  }
}

@inline(__always)
private func outputs(
  _ m: UnsafePointer<Float>, _ channels: Int, _ offset: Lanes, _ isRectified: Bool,
  _ target: UnsafeMutablePointer<Float>, _ stride: Int
) {
  @inline(__always) func column(_ j: Int) -> Four { outputs(loadSix(m + j * channels, 6 * channels)) }
  @inline(__always) func finished(_ value: Lanes) -> Lanes {
    let sum = value + offset
    return isRectified ? rectified(sum) : sum
  }
  @inline(__always) func row(_ i: Int, _ values: Six) {
    let result = outputs(values)
    target.store(finished(result.0), i * stride)
    target.store(finished(result.1), i * stride + lanes)
    target.store(finished(result.2), i * stride + 2 * lanes)
    target.store(finished(result.3), i * stride + 3 * lanes)
  }
  let (c0, c1, c2, c3, c4, c5) = (column(0), column(1), column(2), column(3), column(4), column(5))
  row(0, (c0.0, c1.0, c2.0, c3.0, c4.0, c5.0))
  row(1, (c0.1, c1.1, c2.1, c3.1, c4.1, c5.1))
  row(2, (c0.2, c1.2, c2.2, c3.2, c4.2, c5.2))
  row(3, (c0.3, c1.3, c2.3, c3.3, c4.3, c5.3))
}

/// The first `count` of a block's channels, with zeros behind them.
@inline(__always)
private func first(_ count: Int, of floats: UnsafePointer<Float>) -> Lanes {
  if count >= lanes { return floats.block(0) }
  var result = Lanes.zero
  var index = 0
  while index < count {
    result[index] = floats[index]
    index += 1
  }
  return result
}

/// `A dY Aᵀ` of some tiles and all channels.
@inline(never)
func transformOutputGradient(
  _ shape: WinogradShape, _ diffDst: UnsafePointer<Float>, tiles: Range<Int>,
  into points: UnsafeMutablePointer<Float>, _ layout: PointLayout, patch: UnsafeMutablePointer<Float>
) {
  let channels = shape.outputBlocks * 16
  let blocks = imageBlocks(shape.outputs)
  let plane = shape.outputHeight * shape.outputWidth * lanes
  var block = 0
  while block < blocks {
    var place = TilePlace(tiles.lowerBound, shape)
    let channel = block * lanes
    var target = points + channel / 32 * layout.panelStride + channel % 32
    let stride = tileStride(layout, channel, of: channels)
    var tile = tiles.lowerBound
    while tile < tiles.upperBound {
      let image = diffDst + (place.sample * blocks + block) * plane
      let window = Window(
        top: place.row * 4, left: place.column * 4, size: 4, height: shape.outputHeight,
        width: shape.outputWidth)
      if window.isInside {
        let source = image + (window.top * shape.outputWidth + window.left) * lanes
        transformOutputGradient(source, shape.outputWidth * lanes, target, layout.pointStride)
      } else {
        window.read(image, shape.outputWidth, into: patch, 4)
        transformOutputGradient(UnsafePointer(patch), 4 * lanes, target, layout.pointStride)
      }
      target += stride
      place.advance(shape)
      tile += 1
    }
    block += 1
  }
  let channel = blocks * lanes
  if channel < channels {
    clear(
      points + channel / 32 * layout.panelStride + channel % 32, tiles: tiles.upperBound - tiles.lowerBound,
      tileStride(layout, channel, of: channels), layout.pointStride)
  }
}

/// Zeros in the half of the last sixteen columns that no block of the image fills.
@inline(__always)
private func clear(
  _ points: UnsafeMutablePointer<Float>, tiles: Int, _ stride: Int, _ pointStride: Int
) {
  var tile = 0
  while tile < tiles {
    var point = 0
    while point < WinogradShape.points {
      points.store(Lanes.zero, tile * stride + point * pointStride)
      point += 1
    }
    tile += 1
  }
}

@inline(__always)
private func transformOutputGradient(
  _ y: UnsafePointer<Float>, _ stride: Int, _ target: UnsafeMutablePointer<Float>, _ point: Int
) {
  @inline(__always) func column(_ j: Int) -> Six {
    outputPoints(
      (
        y.block(j * lanes), y.block(stride + j * lanes), y.block(2 * stride + j * lanes),
        y.block(3 * stride + j * lanes)
      ))
  }
  @inline(__always) func row(_ i: Int, _ values: Four) {
    storeSix(outputPoints(values), target + i * 6 * point, point)
  }
  let (c0, c1, c2, c3) = (column(0), column(1), column(2), column(3))
  row(0, (c0.0, c1.0, c2.0, c3.0))
  row(1, (c0.1, c1.1, c2.1, c3.1))
  row(2, (c0.2, c1.2, c2.2, c3.2))
  row(3, (c0.3, c1.3, c2.3, c3.3))
  row(4, (c0.4, c1.4, c2.4, c3.4))
  row(5, (c0.5, c1.5, c2.5, c3.5))
}
