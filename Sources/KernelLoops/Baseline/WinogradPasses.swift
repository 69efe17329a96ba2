public import KernelShapes

// The three passes of a convolution. Tiles go through in groups that fit into the second-level cache; products run over the
// real channels alone, so that nothing is multiplied by the zeros that fill a block.

/// Floats of the patch in which tiles at the border are put together.
private let patchCount = 36 * lanes

/// `dst = ReLU(src ∗ weights + bias)` in some tiles and some channels of the output.
///
/// An element is the same whatever other tiles and channels are computed with its own.
/// - Parameters:
///   - panels: of 32 output channels.
///   - weights: of ``transformWeightsForward(inputs:outputs:panels:_:into:)``.
///   - bias: nil adds none.
///   - scratch: ``WinogradShape/scratchCount`` floats.
@inline(never)
public func winogradForward(
  _ shape: WinogradShape, tiles: Range<Int>, panels: Range<Int>, _ src: UnsafePointer<Float>,
  weights: UnsafePointer<Float>, bias: UnsafePointer<Float>?, isRectified: Bool,
  into dst: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
) {
  let (inputs, outputs) = (shape.inputBlocks * 16, shape.outputBlocks * 16)
  let column = panels.lowerBound * 32
  let columns = min(panels.upperBound * 32, outputs) - column
  let image = scratch + patchCount
  let products = image + shape.tilesAtOnce * shape.inputTileStride
  let layout = layoutByTiles(channels: inputs, tileStride: shape.inputTileStride)
  var first = tiles.lowerBound
  while first < tiles.upperBound {
    let group = Range(uncheckedBounds: (first, min(first + shape.tilesAtOnce, tiles.upperBound)))
    transformImage(shape, src, tiles: group, into: image, layout, patch: scratch)
    var point = 0
    while point < WinogradShape.points {
      multiply(
        rows: group.upperBound - first, columns: columns, depth: shape.inputs,
        (
          base: UnsafePointer(image + point * inputs), rowStride: shape.inputTileStride, depthStride: 1
        ),
        (
          base: weights + point * shape.inputs * outputs + column * shape.inputs,
          panelStride: 32 * shape.inputs, rowStride: 32, narrowRowStride: 16
        ),
        (base: products + point * outputs + column, rowStride: shape.outputTileStride), adds: false,
        streams: true)
      point += 1
    }
    writeOutput(
      shape, products, tiles: group, channels: Range(uncheckedBounds: (column, column + columns)), bias: bias,
      isRectified: isRectified, into: dst, patch: scratch)
    first = group.upperBound
  }
}

/// The gradient of the image from that of the output.
///
/// - Parameters:
///   - weights: of ``transformWeightsBackward(inputs:outputs:panels:_:into:scratch:)``.
///   - scratch: ``WinogradShape/scratchCount`` floats.
@inline(never)
public func winogradBackwardData(
  _ shape: WinogradShape, _ diffDst: UnsafePointer<Float>, weights: UnsafePointer<Float>,
  into diffSrc: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
) {
  let (inputs, outputs) = (shape.inputBlocks * 16, shape.outputBlocks * 16)
  let diff = scratch + patchCount
  let products = diff + shape.tilesAtOnce * shape.outputTileStride
  let layout = layoutByTiles(channels: outputs, tileStride: shape.outputTileStride)
  var first = 0
  while first < shape.tiles {
    let group = Range(uncheckedBounds: (first, min(first + shape.tilesAtOnce, shape.tiles)))
    transformOutputGradient(shape, diffDst, tiles: group, into: diff, layout, patch: scratch)
    var point = 0
    while point < WinogradShape.points {
      multiply(
        rows: group.upperBound - first, columns: inputs, depth: shape.outputs,
        (
          base: UnsafePointer(diff + point * outputs), rowStride: shape.outputTileStride, depthStride: 1
        ),
        (
          base: weights + point * shape.outputs * inputs, panelStride: 32 * shape.outputs, rowStride: 32,
          narrowRowStride: 16
        ),
        (base: products + point * inputs, rowStride: shape.inputTileStride), adds: false, streams: true)
      point += 1
    }
    addImageGradient(shape, products, tiles: group, into: diffSrc, patch: scratch)
    first = group.upperBound
  }
}

/// The gradients of the weights, [3, 3, C, K], and of the bias.
///
/// - Parameters:
///   - diffBias: nil where there is none.
///   - scratch: ``WinogradShape/weightsGradientScratchCount`` floats.
@inline(never)
public func winogradBackwardWeights(
  _ shape: WinogradShape, _ src: UnsafePointer<Float>, _ diffDst: UnsafePointer<Float>,
  into diffWeights: UnsafeMutablePointer<Float>, diffBias: UnsafeMutablePointer<Float>?,
  scratch: UnsafeMutablePointer<Float>
) {
  if let diffBias {
    sumOutputGradient(
      samples: shape.samples, outputs: shape.outputs, positions: shape.outputHeight * shape.outputWidth,
      diffDst, into: diffBias)
  }
  let tilesAtOnce = shape.isWeightsGradientBlocked ? shape.tiles : shape.tilesAtOnce
  let image = scratch + patchCount
  let diff = image + shape.imagePointsCount
  let products = diff + shape.outputPointsCount
  var first = 0
  while first < shape.tiles {
    let group = Range(uncheckedBounds: (first, min(first + tilesAtOnce, shape.tiles)))
    let count = group.upperBound - first
    transformImage(
      shape, src, tiles: group, into: image, layoutByPoints(channels: shape.inputBlocks * 16, tiles: count),
      patch: scratch)
    transformOutputGradient(
      shape, diffDst, tiles: group, into: diff,
      layoutByPoints(channels: shape.outputBlocks * 16, tiles: count), patch: scratch)
    if shape.isWeightsGradientBlocked {
      writeWeightsGradientByBlocks(shape, image, diff, products, into: diffWeights)
    } else {
      addWeightsGradient(shape, image, diff, tiles: count, adds: first > 0, into: products)
    }
    first = group.upperBound
  }
  if shape.isWeightsGradientBlocked { return }
  let columns = shape.outputBlocks * 16
  var block = 0
  while block < shape.outputBlocks {
    writeWeightsGradient(
      products + block * 16, rowStride: columns, point: shape.inputs * columns, rows: shape.inputs,
      count: shape.outputs - block * 16, inputs: shape.inputs, outputs: shape.outputs,
      into: diffWeights + block * 16)
    block += 1
  }
}

/// `dU (+)= Vᵀ · A dY Aᵀ` at all points, over some tiles.
@inline(__always)
private func addWeightsGradient(
  _ shape: WinogradShape, _ image: UnsafePointer<Float>, _ diff: UnsafePointer<Float>, tiles: Int, adds: Bool,
  into products: UnsafeMutablePointer<Float>
) {
  let (inputs, outputs) = (shape.inputBlocks * 16, shape.outputBlocks * 16)
  let imagePoint = layoutByPoints(channels: inputs, tiles: tiles).pointStride
  let outputPoint = layoutByPoints(channels: outputs, tiles: tiles).pointStride
  var point = 0
  while point < WinogradShape.points {
    var input = 0
    while input < shape.inputs {
      multiply(
        rows: min(shape.inputs - input, 32), columns: outputs, depth: tiles,
        leftPanel(image + point * imagePoint, input, of: inputs, tiles: tiles),
        (
          base: diff + point * outputPoint, panelStride: 32 * tiles, rowStride: 32, narrowRowStride: 16
        ),
        (base: products + (point * shape.inputs + input) * outputs, rowStride: outputs), adds: adds)
      input += 32
    }
    point += 1
  }
}

/// Up to 32 input channels at one point, as the left factor of a product over tiles.
@inline(__always)
private func leftPanel(
  _ point: UnsafePointer<Float>, _ input: Int, of inputs: Int, tiles: Int
) -> LeftFactor {
  (base: point + input * tiles, rowStride: 1, depthStride: inputs - input >= 32 ? 32 : 16)
}

/// Tiles whose panels of two times 32 channels fit into the first-level cache.
private let tilesInCache = 96

/// The gradient of the weights, 32 by 32 channels at a time, from all tiles: what is multiplied is transformed while in cache.
@inline(__always)
private func writeWeightsGradientByBlocks(
  _ shape: WinogradShape, _ image: UnsafePointer<Float>, _ diff: UnsafePointer<Float>,
  _ products: UnsafeMutablePointer<Float>, into diffWeights: UnsafeMutablePointer<Float>
) {
  let (inputs, outputs) = (shape.inputBlocks * 16, shape.outputBlocks * 16)
  let tiles = shape.tiles
  let imagePoint = layoutByPoints(channels: inputs, tiles: tiles).pointStride
  let outputPoint = layoutByPoints(channels: outputs, tiles: tiles).pointStride
  var output = 0
  while output < outputs {
    let columns = min(outputs - output, 32)
    var input = 0
    while input < shape.inputs {
      let rows = min(shape.inputs - input, 32)
      var point = 0
      while point < WinogradShape.points {
        let left = leftPanel(image + point * imagePoint, input, of: inputs, tiles: tiles)
        let right = diff + point * outputPoint + output * tiles
        var tile = 0
        while tile < tiles {
          multiply(
            rows: rows, columns: columns, depth: min(tilesInCache, tiles - tile),
            (
              base: left.base + tile * left.depthStride, rowStride: 1, depthStride: left.depthStride
            ),
            (base: right + tile * columns, panelStride: 0, rowStride: 32, narrowRowStride: 16),
            (base: products + point * 1024, rowStride: 32), adds: tile > 0)
          tile += tilesInCache
        }
        point += 1
      }
      var block = 0
      while block < columns {
        writeWeightsGradient(
          products + block, rowStride: 32, point: 1024, rows: rows, count: shape.outputs - output - block,
          inputs: shape.inputs, outputs: shape.outputs,
          into: diffWeights + input * shape.outputs + output + block)
        block += 16
      }
      input += 32
    }
    output += 32
  }
}
