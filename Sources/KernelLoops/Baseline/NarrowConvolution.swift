public import KernelShapes

// The gradient of weights that read an image of one channel or few. A kernel that takes channels in blocks multiplies mostly zeros
// there; this one multiplies each pixel with the gradients of the outputs that saw it.

/// The gradients of the weights, [KH, KW, C, K], and of the bias.
///
/// Each sum runs over the samples and in these over bands of ``NarrowConvolutionShape/rowsAtOnce`` rows of the output; that of a band is a
/// chain, row by row.
///
/// - Parameters:
///   - src: [N, C, H, W].
///   - diffBias: nil where there is none.
///   - scratch: ``NarrowConvolutionShape/scratchCount`` floats.
@inline(never)
public func narrowBackwardWeights(
  _ shape: NarrowConvolutionShape, _ src: UnsafePointer<Float>, _ diffDst: UnsafePointer<Float>,
  into diffWeights: UnsafeMutablePointer<Float>, diffBias: UnsafeMutablePointer<Float>?,
  scratch: UnsafeMutablePointer<Float>
) {
  if let diffBias {
    sumOutputGradient(
      samples: shape.samples, outputs: shape.outputs,
      positions: shape.windows.outputHeight * shape.windows.outputWidth,
      diffDst, into: diffBias)
  }
  var index = 0
  while index < shape.weightCount {
    diffWeights[index] = 0
    index += 1
  }
  let blocks = imageBlocks(shape.outputs)
  let plane = shape.windows.outputHeight * shape.windows.outputWidth * lanes
  var sample = 0
  while sample < shape.samples {
    var channel = 0
    while channel < shape.inputs {
      pad(
        shape, src + (sample * shape.inputs + channel) * shape.windows.height * shape.windows.width,
        into: scratch)
      var block = 0
      while block < blocks {
        // As many chains at once as registers hold; how many does not change them.
        let count = blocks - block >= 4 ? 4 : blocks - block >= 2 ? 2 : 1
        addWindows(
          shape, scratch, diffDst + (sample * blocks + block) * plane, blocks: count,
          outputs: shape.outputs - block * lanes,
          into: diffWeights + channel * shape.outputs + block * lanes)
        block += count
      }
      channel += 1
    }
    sample += 1
  }
}

/// One channel with its padding.
@inline(__always)
private func pad(
  _ shape: NarrowConvolutionShape, _ channel: UnsafePointer<Float>,
  into padded: UnsafeMutablePointer<Float>
) {
  let (rows, columns) = (shape.paddedHeight, shape.paddedWidth)
  var row = 0
  while row < rows {
    let source = row - shape.windows.paddingTop
    let target = padded + row * columns
    var column = 0
    if source >= 0, source < shape.windows.height {
      let line = channel + source * shape.windows.width - shape.windows.paddingLeft
      while column < min(shape.windows.paddingLeft, columns) {
        target[column] = 0
        column += 1
      }
      let end = min(columns, shape.windows.paddingLeft + shape.windows.width)
      while column < end {
        target[column] = line[column]
        column += 1
      }
    }
    while column < columns {
      target[column] = 0
      column += 1
    }
    row += 1
  }
}

/// Adds what one sample's channel gives to the weights of some blocks of output channels, band by band: the gradients of a band stay in the
/// first-level cache while all places of the window pass.
///
/// - Parameters:
///   - blocks: 1, 2 or 4.
///   - outputs: output channels from the first of these blocks on.
@inline(__always)
private func addWindows(
  _ shape: NarrowConvolutionShape, _ padded: UnsafePointer<Float>, _ diff: UnsafePointer<Float>, blocks: Int,
  outputs: Int, into target: UnsafeMutablePointer<Float>
) {
  let most = blocks == 4 ? 3 : 6
  let place = shape.inputs * shape.outputs
  var first = 0
  while first < shape.windows.outputHeight {
    let rows = Range(uncheckedBounds: (first, min(first + shape.rowsAtOnce, shape.windows.outputHeight)))
    var i = 0
    while i < shape.windows.windowHeight {
      var j = 0
      while j < shape.windows.windowWidth {
        let columns = min(most, shape.windows.windowWidth - j)
        let start = padded + i * shape.paddedWidth + j
        let to = target + (i * shape.windows.windowWidth + j) * place
        addColumns(columns, shape, start, diff, rows: rows, blocks: blocks, outputs: outputs, to)
        j += columns
      }
      i += 1
    }
    first = rows.upperBound
  }
}

/// Adds the sums over a band of rows, of some columns of a window's row.
///
/// - Parameters:
///   - columns: 1 to 6, of 4 blocks 1 to 3.
///   - pixels: what the first column sees from the output's first row on.
@inline(never)
private func addColumns(
  _ columns: Int, _ shape: NarrowConvolutionShape, _ pixels: UnsafePointer<Float>,
  _ diff: UnsafePointer<Float>, rows: Range<Int>, blocks: Int, outputs: Int,
  _ target: UnsafeMutablePointer<Float>
) {
  switch blocks * 8 + columns {
  case 33: addSums(1, 4, shape, pixels, diff, rows, outputs, target)
  case 34: addSums(2, 4, shape, pixels, diff, rows, outputs, target)
  case 35: addSums(3, 4, shape, pixels, diff, rows, outputs, target)
  case 17: addSums(1, 2, shape, pixels, diff, rows, outputs, target)
  case 18: addSums(2, 2, shape, pixels, diff, rows, outputs, target)
  case 19: addSums(3, 2, shape, pixels, diff, rows, outputs, target)
  case 20: addSums(4, 2, shape, pixels, diff, rows, outputs, target)
  case 21: addSums(5, 2, shape, pixels, diff, rows, outputs, target)
  case 22: addSums(6, 2, shape, pixels, diff, rows, outputs, target)
  case 9: addSums(1, 1, shape, pixels, diff, rows, outputs, target)
  case 10: addSums(2, 1, shape, pixels, diff, rows, outputs, target)
  case 11: addSums(3, 1, shape, pixels, diff, rows, outputs, target)
  case 12: addSums(4, 1, shape, pixels, diff, rows, outputs, target)
  case 13: addSums(5, 1, shape, pixels, diff, rows, outputs, target)
  default: addSums(6, 1, shape, pixels, diff, rows, outputs, target)
  }
}

/// Columns and blocks are constants where it is inlined, so that the sums live in registers.
@inline(__always)
private func addSums(
  _ columns: Int, _ blocks: Int, _ shape: NarrowConvolutionShape, _ pixels: UnsafePointer<Float>,
  _ diff: UnsafePointer<Float>, _ rows: Range<Int>, _ outputs: Int, _ target: UnsafeMutablePointer<Float>
) {
  let plane = shape.windows.outputHeight * shape.windows.outputWidth * lanes
  let zero = Lanes.zero
  // Not by `repeating`, a generic function that the compiler may leave as one.
  var sums: InlineArray<12, Lanes> = [
    zero, zero, zero, zero, zero, zero, zero, zero, zero, zero, zero, zero,
  ]
  var y = rows.lowerBound
  while y < rows.upperBound {
    var line = diff + y * shape.windows.outputWidth * lanes
    var pixel = pixels + y * shape.windows.strideDown * shape.paddedWidth
    var x = 0
    while x < shape.windows.outputWidth {
      for block in 0..<blocks {
        let gradient = line.block(block * plane)
        for column in 0..<columns {
          let place = column * blocks + block
          sums[unchecked: place] = fused(
            Lanes(repeating: pixel[column]), gradient, sums[unchecked: place])
        }
      }
      line += lanes
      pixel += shape.windows.strideAcross
      x += 1
    }
    y += 1
  }
  for column in 0..<columns {
    let weights = target + column * shape.inputs * shape.outputs
    for block in 0..<blocks {
      addFirst(
        outputs - block * lanes, of: sums[unchecked: column * blocks + block], to: weights + block * lanes)
    }
  }
}

/// Adds the first `count` of a block's channels.
@inline(__always)
private func addFirst(_ count: Int, of block: Lanes, to target: UnsafeMutablePointer<Float>) {
  if count >= lanes { return target.store(target.block(0) + block, 0) }
  var index = 0
  while index < count {
    target[index] += block[index]
    index += 1
  }
}
