public import KernelShapes

// The largest element of each window, and its gradient. Among equal ones the first counts, row by row.

#if WIDE
  private typealias Places = SIMD16<Int32>
  private typealias PlaceBytes = SIMD16<UInt8>
#else
  private typealias Places = SIMD8<Int32>
  private typealias PlaceBytes = SIMD8<UInt8>
#endif

/// `dst = max(window of src)`, through ReLU where that is asked for.
///
/// - Parameters:
///   - ceiling: what ReLU lets through at the most, infinity for everything above zero; nil without ReLU.
///   - places: out, where in its window each largest element stands, row by row from 0; nil where no gradient follows.
@inline(never)
public func maxPoolForward(
  _ shape: MaxPoolShape, _ src: UnsafePointer<Float>, ceiling: Float?,
  into dst: UnsafeMutablePointer<Float>, places: UnsafeMutablePointer<UInt8>?
) {
  let windows = shape.windows
  let window = (windows.windowHeight, windows.windowWidth)
  let stride = (windows.strideDown, windows.strideAcross)
  if windows.allAreInside, window == (2, 2), stride == (2, 2) {
    return forwardOfPairs(shape, src, ceiling, dst, places)
  }
  if windows.allAreInside, window == (3, 3) {
    return forwardOfTriples(shape, src, ceiling, dst, places)
  }
  forward(shape, src, ceiling, dst, places, window: window, stride: stride, isInside: false)
}

// With known sizes the loops over a window are no loops. Functions of their own keep the compiler from making one of all sizes again.

/// Windows of 2×2, side by side, that are in the image.
@inline(never)
private func forwardOfPairs(
  _ shape: MaxPoolShape, _ src: UnsafePointer<Float>, _ ceiling: Float?,
  _ dst: UnsafeMutablePointer<Float>, _ places: UnsafeMutablePointer<UInt8>?
) {
  forward(shape, src, ceiling, dst, places, window: (2, 2), stride: (2, 2), isInside: true)
}

/// Windows of 3×3 that are in the image.
@inline(never)
private func forwardOfTriples(
  _ shape: MaxPoolShape, _ src: UnsafePointer<Float>, _ ceiling: Float?,
  _ dst: UnsafeMutablePointer<Float>, _ places: UnsafeMutablePointer<UInt8>?
) {
  let stride = (shape.windows.strideDown, shape.windows.strideAcross)
  forward(shape, src, ceiling, dst, places, window: (3, 3), stride: stride, isInside: true)
}

@inline(__always)
private func forward(
  _ shape: MaxPoolShape, _ src: UnsafePointer<Float>, _ ceiling: Float?,
  _ dst: UnsafeMutablePointer<Float>, _ places: UnsafeMutablePointer<UInt8>?, window: (Int, Int),
  stride: (Int, Int), isInside: Bool
) {
  let windows = shape.windows
  var output = 0
  var plane = 0
  while plane < shape.planes {
    let image = src + plane * windows.height * windows.width * lanes
    var row = 0
    while row < windows.outputHeight {
      let top = row * stride.0 - windows.paddingTop
      let rows = isInside ? (0, window.0) : (max(0, -top), min(window.0, windows.height - top))
      var column = 0
      while column < windows.outputWidth {
        let left = column * stride.1 - windows.paddingLeft
        let columns = isInside ? (0, window.1) : (max(0, -left), min(window.1, windows.width - left))
        var largest = image.block(((top + rows.0) * windows.width + left + columns.0) * lanes)
        var place = Places(repeating: Int32(truncatingIfNeeded: rows.0 * window.1 + columns.0))
        var i = rows.0
        while i < rows.1 {
          var j = columns.0
          while j < columns.1 {
            let value = image.block(((top + i) * windows.width + left + j) * lanes)
            // What is not a number comes through, as it does in a sum.
            let isLarger = (value .> largest) .| (value .!= value)
            largest.replace(with: value, where: isLarger)
            place.replace(
              with: Places(repeating: Int32(truncatingIfNeeded: i * window.1 + j)), where: isLarger)
            j += 1
          }
          i += 1
        }
        if let ceiling {
          largest.replace(with: 0, where: largest .< 0)
          largest.replace(with: ceiling, where: largest .> ceiling)
        }
        dst.store(largest, output * lanes)
        if let places {
          UnsafeMutableRawPointer(places).storeBytes(
            of: PlaceBytes(truncatingIfNeeded: place), toByteOffset: output * lanes, as: PlaceBytes.self)
        }
        output += 1
        column += 1
      }
      row += 1
    }
    plane += 1
  }
}

/// The gradient of the image: that of each output, at the place of its largest element.
///
/// Where windows overlap, an element's gradients are added in the order of the windows, row by row.
///
/// - Parameters:
///   - output: what the forward pass wrote through ReLU, so that no gradient goes where it is not between zero and `ceiling`; nil without
///     ReLU.
///   - ceiling: of the forward pass; infinity lets every gradient through that is above zero.
///   - places: of the forward pass.
@inline(never)
public func maxPoolBackward(
  _ shape: MaxPoolShape, _ diffDst: UnsafePointer<Float>, places: UnsafePointer<UInt8>,
  output: UnsafePointer<Float>?, ceiling: Float, into diffSrc: UnsafeMutablePointer<Float>
) {
  let windows = shape.windows
  let window = (windows.windowHeight, windows.windowWidth)
  if windows.isPartition, window == (2, 2) {
    return backwardOfPairs(shape, diffDst, places, output, ceiling, diffSrc)
  }
  let stride = (windows.strideDown, windows.strideAcross)
  backward(
    shape, diffDst, places, output, ceiling, diffSrc, window: window, stride: stride,
    isPartition: windows.isPartition)
}

/// Windows of 2×2 that cover the image.
@inline(never)
private func backwardOfPairs(
  _ shape: MaxPoolShape, _ diffDst: UnsafePointer<Float>, _ places: UnsafePointer<UInt8>,
  _ output: UnsafePointer<Float>?, _ ceiling: Float, _ diffSrc: UnsafeMutablePointer<Float>
) {
  backward(
    shape, diffDst, places, output, ceiling, diffSrc, window: (2, 2), stride: (2, 2), isPartition: true)
}

/// - Parameter isPartition: where each element is in one window it is written once; otherwise gradients are added up.
@inline(__always)
private func backward(
  _ shape: MaxPoolShape, _ diffDst: UnsafePointer<Float>, _ places: UnsafePointer<UInt8>,
  _ output: UnsafePointer<Float>?, _ ceiling: Float, _ diffSrc: UnsafeMutablePointer<Float>,
  window: (Int, Int),
  stride: (Int, Int), isPartition: Bool
) {
  let windows = shape.windows
  let zero = Lanes.zero
  var number = 0
  var plane = 0
  while plane < shape.planes {
    let image = diffSrc + plane * windows.height * windows.width * lanes
    if !isPartition {
      var pixel = 0
      while pixel < windows.height * windows.width {
        image.store(zero, pixel * lanes)
        pixel += 1
      }
    }
    var row = 0
    while row < windows.outputHeight {
      let top = row * stride.0 - windows.paddingTop
      let rows = isPartition ? (0, window.0) : (max(0, -top), min(window.0, windows.height - top))
      var column = 0
      while column < windows.outputWidth {
        let left = column * stride.1 - windows.paddingLeft
        let columns = isPartition ? (0, window.1) : (max(0, -left), min(window.1, windows.width - left))
        var diff = diffDst.block(number * lanes)
        if let output {
          let value = output.block(number * lanes)
          diff = zero.replacing(with: diff, where: value .> 0)
          if ceiling < .infinity { diff.replace(with: 0, where: value .>= ceiling) }
        }
        let bytes = UnsafeRawPointer(places).loadUnaligned(
          fromByteOffset: number * lanes, as: PlaceBytes.self)
        let place = Places(truncatingIfNeeded: bytes)
        var i = rows.0
        while i < rows.1 {
          var j = columns.0
          while j < columns.1 {
            let isHere = place .== Places(repeating: Int32(truncatingIfNeeded: i * window.1 + j))
            let part = zero.replacing(with: diff, where: isHere)
            let target = ((top + i) * windows.width + left + j) * lanes
            image.store(isPartition ? part : image.block(target) + part, target)
            j += 1
          }
          i += 1
        }
        number += 1
        column += 1
      }
      row += 1
    }
    plane += 1
  }
}
