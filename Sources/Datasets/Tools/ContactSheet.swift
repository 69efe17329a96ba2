public import ImageFiles
internal import Tensors

/// Samples side by side in one picture, to be looked at.
public enum ContactSheet {
  /// Pixels between pictures.
  private static let gap = 3
  /// Small pictures are enlarged to about this width.
  private static let cellWidth = 84

  /// Draws samples in rows of `columns`; where they are augmented, each has a row: as it is, then as the
  /// first epochs have it.
  ///
  /// - Parameters:
  ///   - rows: the samples' places in the dataset; for mixtures they count as one minibatch.
  ///   - epochs: how many variants of each sample.
  /// - Throws: ``DatasetError`` where samples are not pictures, or a step does not fit them.
  public static func draw(
    _ dataset: ImageDataset, rows: [Int], augmentation: Augmentation, seed: UInt64, epochs: Int,
    columns: Int = 10
  ) throws -> Image {
    let shape = dataset.sampleShape
    guard shape.rank == 3, let channels = Image.Channels(rawValue: shape[2]), channels != .rgba else {
      throw DatasetError(
        .badData, "\(dataset.path) has samples of \(shape), which are not grey or RGB pictures")
    }
    for step in augmentation.steps {
      if let problem = Augmentation.problem(of: step, for: shape) {
        throw DatasetError(.badData, "\(dataset.path) does not fit the augmentation: \(problem)")
      }
    }
    let minibatch = try dataset.samples(rows)
    let originals = rows.indices.map { index in
      minibatch.withSample(index) { bytes in
        Pixels(bytes.baseAddress ?? minibatch.address(index), minibatch)
      }
    }
    let ranges = originals.map(\.range)
    func picture(_ pixels: Pixels, _ range: ClosedRange<Float>) -> Image {
      Image(height: shape[0], width: shape[1], channels: channels, pixels: pixels.bytes(range))
    }
    guard !augmentation.steps.isEmpty else {
      return tile(zip(originals, ranges).map(picture), columns: min(columns, rows.count), wideGap: false)
    }
    let augmenter = Augmenter(augmentation, sampleShape: shape, seed: seed)
    var pictures: [Image] = []
    for index in rows.indices {
      pictures.append(picture(originals[index], ranges[index]))
      for epoch in 0..<epochs {
        let pixels = Pixels(augmenter.pixels(index, of: minibatch.inEpoch(epoch)), minibatch)
        pictures.append(picture(pixels, ranges[index]))
      }
    }
    return tile(pictures, columns: 1 + epochs, wideGap: true)
  }

  /// - Parameter wideGap: whether the first column stands apart.
  private static func tile(_ pictures: [Image], columns: Int, wideGap: Bool) -> Image {
    let (height, width) = (pictures[0].height, pictures[0].width)
    let factor = max(1, cellWidth / width)
    let (cellHeight, cellWidth) = (height * factor, width * factor)
    let rows = (pictures.count + columns - 1) / columns
    let extra = wideGap ? 3 * gap : 0
    let sheetWidth = columns * (cellWidth + gap) + gap + extra
    let sheetHeight = rows * (cellHeight + gap) + gap
    let channels = pictures[0].channels
    let count = channels.rawValue
    var pixels = [UInt8](repeating: 128, count: sheetHeight * sheetWidth * count)
    for (index, picture) in pictures.enumerated() {
      let (row, column) = index.quotientAndRemainder(dividingBy: columns)
      let top = gap + row * (cellHeight + gap)
      let left = gap + column * (cellWidth + gap) + (column > 0 ? extra : 0)
      for y in 0..<cellHeight {
        for x in 0..<cellWidth {
          let from = (y / factor * width + x / factor) * count
          let to = ((top + y) * sheetWidth + left + x) * count
          for channel in 0..<count { pixels[to + channel] = picture.pixels[from + channel] }
        }
      }
    }
    return Image(height: sheetHeight, width: sheetWidth, channels: channels, pixels: pixels)
  }

  /// A sample's numbers, copied.
  private struct Pixels {
    private let values: [Float]
    private let isBytes: Bool

    init(_ start: UnsafeRawPointer, _ minibatch: Minibatch) {
      let count = minibatch.sampleShape.elementCount
      isBytes = minibatch.pixelType == .uint8
      values =
        isBytes
        ? UnsafeBufferPointer(start: start.assumingMemoryBound(to: UInt8.self), count: count).map(Float.init)
        : Array(UnsafeBufferPointer(start: start.assumingMemoryBound(to: Float.self), count: count))
    }

    /// What becomes black and what white.
    var range: ClosedRange<Float> {
      if isBytes { return 0...255 }
      let (low, high) = (values.min() ?? 0, values.max() ?? 1)
      return low < high ? low...high : low...(low + 1)
    }

    func bytes(_ range: ClosedRange<Float>) -> [UInt8] {
      values.map {
        UInt8(min(max(($0 - range.lowerBound) / (range.upperBound - range.lowerBound), 0), 1) * 255 + 0.5)
      }
    }
  }
}
