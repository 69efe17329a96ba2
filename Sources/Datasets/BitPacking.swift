public import Tensors

/// Samples whose numbers are all 0 or 1, held as bits: eight channels of a point in one byte, the first in the lowest bit.
///
/// Such images are uint8 `[N, H, W, B]` in the file, with an attribute ``attribute`` that says how many channels C the samples
/// have, and B = C ÷ 8, rounded up. `numpy.unpackbits(images, axis=-1, count=C, bitorder="little")` gives `[N, H, W, C]`. They stay packed in memory;
/// whoever reads a sample gets bytes of 0 and 1.
public struct BitPacking: Hashable, Sendable {
  /// How many channels a point has, C.
  public let channels: Int

  /// The name of the attribute with the number of channels in HDF5 files.
  public static let attribute = "packed_channels"

  /// A packing of `channels`, 1 or more.
  public init(channels: Int) {
    precondition(channels > 0, "there are no samples of \(channels) channels")
    self.channels = channels
  }

  /// Bytes of a point, B.
  public var bytesPerPoint: Int { (channels + 7) / 8 }

  /// The shape of samples as they are stored, `[H, W, B]`.
  ///
  /// - Parameter shape: as they are read, `[H, W, C]`.
  public func storedShape(_ shape: Shape) -> Shape { Shape(shape.dimensions.dropLast() + [bytesPerPoint]) }

  /// Writes the numbers of packed points as bytes.
  ///
  /// - Parameters:
  ///   - source: `points` × ``bytesPerPoint`` bytes.
  ///   - target: room for `points` × ``channels`` bytes.
  func unpack(_ source: UnsafePointer<UInt8>, points: Int, into target: UnsafeMutablePointer<UInt8>) {
    if channels & 7 == 0 {
      // Eight bytes at a time: bit k of the byte goes to bit 8k, as bytes of memory from the lowest.
      let words = UnsafeMutableRawPointer(target)
      for index in 0..<points &* bytesPerPoint {
        words.storeBytes(of: Self.spread(source[index]), toByteOffset: 8 &* index, as: UInt64.self)
      }
      return
    }
    for point in 0..<points {
      let from = source + point &* bytesPerPoint
      let to = target + point &* channels
      for channel in 0..<channels { to[channel] = from[channel &>> 3] &>> UInt8(channel & 7) & 1 }
    }
  }

  /// A byte's bits as eight bytes of 0 or 1.
  @inline(__always)
  private static func spread(_ byte: UInt8) -> UInt64 {
    // Seven bits land in places that do not touch by one product; the eighth would, and is added.
    let low = (UInt64(byte & 0x7f) &* 0x0002_0408_1020_4081) & 0x0001_0101_0101_0101
    return (low | UInt64(byte & 0x80) &<< 49).littleEndian
  }

  /// The least and the largest number of a packed sample.
  func span(_ bytes: UnsafeRawBufferPointer) -> (low: UInt8, high: UInt8) {
    // Bits behind the last channel say nothing.
    let last = UInt8(truncatingIfNeeded: (1 << (channels - 8 * (bytesPerPoint - 1))) - 1)
    var (some, all) = (UInt8(0), UInt8(0xff))
    for index in bytes.indices {
      let mask = index % bytesPerPoint == bytesPerPoint - 1 ? last : 0xff
      some |= bytes[index] & mask
      all &= bytes[index] | ~mask
    }
    return (all == 0xff ? 1 : 0, some == 0 ? 0 : 1)
  }
}
