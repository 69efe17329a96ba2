extension Image {
  // MARK: - Size

  /// The image at another size.
  ///
  /// Where an axis shrinks, each new pixel is the mean over the area it covers, which keeps fine patterns
  /// from turning into false ones; where it grows, values are interpolated linearly between pixel centres.
  /// Colours are weighted by alpha.
  /// - Complexity: O(old pixels + new pixels), in two passes.
  public func resized(height newHeight: Int, width newWidth: Int) -> Image {
    precondition(newHeight > 0 && newWidth > 0, "cannot resize to \(newHeight)×\(newWidth)")
    if newHeight == height && newWidth == width { return self }
    let count = channels.rawValue
    let columns = AxisWeights(from: width, to: newWidth)
    let rows = AxisWeights(from: height, to: newHeight)
    // Rows of the source are resized one by one and added to the new rows they touch: memory for new rows only.
    var sums = [Float](repeating: 0, count: newHeight * newWidth * count)
    var line = [Float](repeating: 0, count: newWidth * count)
    var touched = Array(repeating: [(row: Int, weight: Float)](), count: height)
    for row in 0..<newHeight {
      for (offset, weight) in rows.weights[row].enumerated() {
        touched[rows.starts[row] + offset].append((row, weight))
      }
    }
    for source in 0..<height where !touched[source].isEmpty {
      resizeLine(source, columns, into: &line)
      for (row, weight) in touched[source] {
        let start = row * newWidth * count
        for index in line.indices { sums[start + index] += weight * line[index] }
      }
    }
    return Image(height: newHeight, width: newWidth, channels: channels, pixels: bytes(of: sums))
  }

  private func resizeLine(_ row: Int, _ columns: AxisWeights, into line: inout [Float]) {
    let count = channels.rawValue
    for column in columns.starts.indices {
      for channel in 0..<count {
        var sum: Float = 0
        for (offset, weight) in columns.weights[column].enumerated() {
          let place = (row * width + columns.starts[column] + offset) * count
          let alpha = channels == .rgba && channel < 3 ? Float(pixels[place + 3]) / 255 : 1
          sum += weight * alpha * Float(pixels[place + channel])
        }
        line[column * count + channel] = sum
      }
    }
  }

  private func bytes(of sums: [Float]) -> [UInt8] {
    func byte(_ value: Float) -> UInt8 { UInt8(min(255, max(0, value.rounded()))) }
    guard channels == .rgba else { return sums.map(byte) }
    var bytes = [UInt8](repeating: 0, count: sums.count)
    for pixel in stride(from: 0, to: sums.count, by: 4) {
      let alpha: Float = sums[pixel + 3] / 255
      for channel in 0..<3 where alpha > 0 {
        bytes[pixel + channel] = byte(sums[pixel + channel] / alpha)
      }
      bytes[pixel + 3] = byte(sums[pixel + 3])
    }
    return bytes
  }

  /// The middle part of the image; where an odd number of pixels is cut off, the bottom and the right lose
  /// one more.
  public func centreCropped(height newHeight: Int, width newWidth: Int) -> Image {
    precondition(
      (1...height).contains(newHeight) && (1...width).contains(newWidth),
      "cannot crop \(height)×\(width) to \(newHeight)×\(newWidth)")
    let count = channels.rawValue
    let (top, left) = ((height - newHeight) / 2, (width - newWidth) / 2)
    var result: [UInt8] = []
    result.reserveCapacity(newHeight * newWidth * count)
    for row in top..<top + newHeight {
      let start = (row * width + left) * count
      result += pixels[start..<start + newWidth * count]
    }
    return Image(height: newHeight, width: newWidth, channels: channels, pixels: result)
  }

  /// The largest centred part with the proportions of `height`×`width`, resized to it: nothing is stretched.
  public func filling(height newHeight: Int, width newWidth: Int) -> Image {
    let part = partFilling(height: newHeight, width: newWidth)
    return centreCropped(height: part.height, width: part.width).resized(height: newHeight, width: newWidth)
  }

  /// The size of the largest part with the proportions of `height`×`width`.
  func partFilling(height newHeight: Int, width newWidth: Int) -> (height: Int, width: Int) {
    (
      height: min(height, max(1, (width * newHeight + newWidth / 2) / newWidth)),
      width: min(width, max(1, (height * newWidth + newHeight / 2) / newHeight))
    )
  }

  // MARK: - Colour

  /// The image in other channels.
  ///
  /// Grey is `0.299·R + 0.587·G + 0.114·B` (ITU-R BT.601, as JPEG and Pillow have it). Where alpha is dropped, the
  /// picture is composed on `background`; where alpha is asked for and was not there, it is 255.
  public func converted(to channels: Channels, background: (UInt8, UInt8, UInt8) = (0, 0, 0)) -> Image {
    if channels == self.channels { return self }
    var result: [UInt8] = []
    result.reserveCapacity(height * width * channels.rawValue)
    for pixel in stride(from: 0, to: pixels.count, by: self.channels.rawValue) {
      let (red, green, blue): (UInt8, UInt8, UInt8)
      switch self.channels {
      case .grey: (red, green, blue) = (pixels[pixel], pixels[pixel], pixels[pixel])
      case .rgb: (red, green, blue) = (pixels[pixel], pixels[pixel + 1], pixels[pixel + 2])
      case .rgba:
        let alpha = Int(pixels[pixel + 3])
        func mix(_ value: UInt8, _ under: UInt8) -> UInt8 {
          UInt8((Int(value) * alpha + Int(under) * (255 - alpha) + 127) / 255)
        }
        red = mix(pixels[pixel], background.0)
        green = mix(pixels[pixel + 1], background.1)
        blue = mix(pixels[pixel + 2], background.2)
      }
      switch channels {
      case .grey:
        let thousandfold: Int = 299 * Int(red) + 587 * Int(green) + 114 * Int(blue)
        result.append(UInt8((thousandfold + 500) / 1000))
      case .rgb: result += [red, green, blue]
      case .rgba: result += [red, green, blue, 255]
      }
    }
    return Image(height: height, width: width, channels: channels, pixels: result)
  }
}

/// For each new place along an axis, the old places it is made of and their weights, which add up to 1.
struct AxisWeights {
  var starts: [Int] = []
  var weights: [[Float]] = []

  init(from old: Int, to new: Int) {
    let scale = Double(old) / Double(new)
    for place in 0..<new {
      if new < old {
        let (low, high) = (Double(place) * scale, Double(place + 1) * scale)
        let first = Int(low)
        let last = min(old, Int(high.rounded(.up)))
        starts.append(first)
        weights.append(
          (first..<max(last, first + 1)).map { index in
            Float((min(high, Double(index + 1)) - max(low, Double(index))) / scale)
          })
      } else {
        let centre = min(max((Double(place) + 0.5) * scale - 0.5, 0), Double(old - 1))
        let first = min(Int(centre), max(0, old - 2))
        let fraction = Float(centre - Double(first))
        starts.append(first)
        weights.append(old == 1 ? [1] : [1 - fraction, fraction])
      }
    }
  }
}
