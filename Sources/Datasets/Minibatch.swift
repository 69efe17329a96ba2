internal import Glibc
public import Tensors

internal import enum HDF5.NumberType

/// How the pixels of samples are held in memory.
public enum PixelType: String, Sendable, Hashable {
  /// Numbers from 0 to 255.
  case uint8
  /// Any numbers.
  case float32

  /// The size of one number in bytes.
  public var byteCount: Int { self == .uint8 ? 1 : 4 }

  var number: NumberType { self == .uint8 ? .uint8 : .float32 }
}

/// The samples of one optimizer step, in memory, never changed: workers read them without locks.
///
/// A copy shares the pixels; they live as long as any copy does.
public struct Minibatch: Sendable {
  /// The epoch that it is part of, from 0.
  public let epoch: Int
  /// The place of its first sample in the epoch's order; a checkpoint saves `position + count`.
  public let position: Int
  /// Whether no minibatch of the epoch follows.
  public let isLastOfEpoch: Bool
  /// How its pixels are held.
  public let pixelType: PixelType
  /// `[H, W, C]`, or `[F]`.
  public let sampleShape: Shape
  /// The samples' rows in the dataset.
  public let sampleIndices: [Int32]
  /// The class of each sample; empty where samples have vectors of numbers instead, or come without an
  /// answer.
  public let labels: [Int32]
  /// The targets of all samples of the dataset.
  let targets: TargetTable?
  /// The weight of each row of the dataset; nil where all weigh 1.
  public let weights: [Float]?
  /// The size of one sample in memory in bytes.
  public let sampleByteCount: Int
  /// How samples are held as bits; nil where they lie in memory as they are lent.
  let packing: BitPacking?

  /// Where the pixels are, and who keeps them in memory.
  enum Pixels: Sendable {
    /// All samples of the dataset, in its order.
    case dataset(AlignedBuffer<UInt8>)
    /// The samples of this minibatch, in its order.
    case own(AlignedBuffer<UInt8>)
    /// In cells anywhere, which are given back later.
    case leased(SampleLease)
  }

  let pixels: Pixels

  /// Samples given as bytes one after another, whose labels are not known and held as 0.
  ///
  /// - Parameter pixels: a whole number of samples.
  public init(pixels: [UInt8], sampleShape: Shape) {
    let size = sampleShape.elementCount
    precondition(pixels.count.isMultiple(of: size), "\(pixels.count) bytes are not whole samples of \(size)")
    let count = pixels.count / size
    self.init(
      epoch: 0, position: 0, isLastOfEpoch: true, pixelType: .uint8, sampleShape: sampleShape,
      sampleIndices: (0..<Int32(count)).map { $0 }, labels: [Int32](repeating: 0, count: count),
      sampleByteCount: size, pixels: .own(AlignedBuffer(pixels)))
  }

  /// Samples given as floats one after another, whose labels are not known and held as 0.
  ///
  /// - Parameter values: a whole number of samples.
  public init(values: [Float], sampleShape: Shape) {
    let size = sampleShape.elementCount
    precondition(values.count.isMultiple(of: size), "\(values.count) floats are not whole samples of \(size)")
    let count = values.count / size
    self.init(
      epoch: 0, position: 0, isLastOfEpoch: true, pixelType: .float32, sampleShape: sampleShape,
      sampleIndices: (0..<Int32(count)).map { $0 }, labels: [Int32](repeating: 0, count: count),
      sampleByteCount: size * PixelType.float32.byteCount,
      pixels: .own(AlignedBuffer(values.withUnsafeBytes { Array($0) })))
  }

  init(
    epoch: Int, position: Int, isLastOfEpoch: Bool, pixelType: PixelType, sampleShape: Shape,
    sampleIndices: [Int32], labels: [Int32], sampleByteCount: Int, pixels: Pixels,
    targets: TargetTable? = nil, weights: [Float]? = nil, packing: BitPacking? = nil
  ) {
    self.packing = packing
    self.targets = targets
    self.weights = weights
    self.epoch = epoch
    self.position = position
    self.isLastOfEpoch = isLastOfEpoch
    self.pixelType = pixelType
    self.sampleShape = sampleShape
    self.sampleIndices = sampleIndices
    self.labels = labels
    self.sampleByteCount = sampleByteCount
    self.pixels = pixels
  }

  /// The same samples at the same place of another epoch.
  func inEpoch(_ epoch: Int) -> Minibatch {
    Minibatch(
      epoch: epoch, position: position, isLastOfEpoch: isLastOfEpoch, pixelType: pixelType,
      sampleShape: sampleShape, sampleIndices: sampleIndices, labels: labels,
      sampleByteCount: sampleByteCount, pixels: pixels, targets: targets, weights: weights, packing: packing)
  }

  /// How many samples it has.
  public var count: Int { sampleIndices.count }

  /// The class of a sample, counted from 0.
  public func label(_ index: Int) -> Int32 { labels[index] }

  /// The vector that a sample's outputs should be; nil where samples have classes.
  ///
  /// Valid while the minibatch lives.
  public func targetValues(_ index: Int) -> UnsafePointer<Float>? {
    targets.map { UnsafePointer($0.values.baseAddress + Int(sampleIndices[index]) * $0.width) }
  }

  /// A sample's class; where it has shares of classes, the class with the largest share, the first of equal
  /// ones.
  public func mainClass(_ index: Int) -> Int {
    targets.map { $0.mainColumn(ofRow: Int(sampleIndices[index])) } ?? Int(labels[index])
  }

  /// Whether samples lie in memory as bits, so that each reading unpacks them.
  public var isPacked: Bool { packing != nil }

  /// Lends the pixels of a sample, `[H, W, C]` or `[F]`, channels innermost, aligned for their type.
  public func withSample<Result>(
    _ index: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    guard isPacked else { return try withExtendedLifetime(pixels) { try body(bytes(index)) } }
    return try withUnsafeTemporaryAllocation(byteCount: sampleShape.elementCount, alignment: 64) { memory in
      if let start = memory.baseAddress { unpack(index, into: start.assumingMemoryBound(to: UInt8.self)) }
      return try body(UnsafeRawBufferPointer(memory))
    }
  }

  /// Writes the numbers of a packed sample, `[H, W, C]`, as bytes.
  ///
  /// - Parameter target: room for one sample.
  public func unpack(_ index: Int, into target: UnsafeMutablePointer<UInt8>) {
    guard let packing else { preconditionFailure("the samples are not packed") }
    withExtendedLifetime(pixels) {
      packing.unpack(
        address(index).assumingMemoryBound(to: UInt8.self), points: sampleShape.elementCount / packing.channels,
        into: target)
    }
  }

  /// Writes samples one after another as floats: uint8 pixels keep their values, 0 to 255.
  ///
  /// - Parameter target: memory for exactly `samples.count` samples.
  public func copyPixels(of samples: Range<Int>, to target: UnsafeMutableBufferPointer<Float>) {
    let size = sampleShape.elementCount
    precondition(
      target.count == samples.count * size,
      "expected memory for \(samples.count * size) floats, got \(target.count)")
    withExtendedLifetime(pixels) {
      for (place, sample) in samples.enumerated() {
        guard let start = target.baseAddress?.advanced(by: place * size) else { return }
        withSample(sample) { source in
          switch pixelType {
          case .float32:
            UnsafeMutableRawPointer(start).copyMemory(
              from: source.baseAddress ?? UnsafeRawPointer(start), byteCount: source.count)
          case .uint8:
            for index in 0..<size { start[index] = Float(source[index]) }
          }
        }
      }
    }
  }

  /// Where a sample's pixels begin as they lie in memory; valid while the minibatch lives.
  func address(_ index: Int) -> UnsafeRawPointer {
    precondition(index >= 0 && index < count, "sample \(index) is outside a minibatch of \(count)")
    switch pixels {
    case .dataset(let buffer):
      return UnsafeRawPointer(buffer.baseAddress + Int(sampleIndices[index]) * sampleByteCount)
    case .own(let buffer): return UnsafeRawPointer(buffer.baseAddress + index * sampleByteCount)
    case .leased(let lease): return lease.address(index)
    }
  }

  private func bytes(_ index: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: address(index), count: sampleByteCount)
  }
}
