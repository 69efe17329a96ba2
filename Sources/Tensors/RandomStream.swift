/// What a stream of random numbers is used for; streams of different purposes never overlap.
///
/// The raw values are part of what makes a run repeatable: never renumber them.
public enum RandomPurpose: UInt32, Sendable {
  /// Initial parameters.
  case initialization = 1
  /// The order of samples in an epoch.
  case sampleOrder = 2
  /// Which values dropout sets to zero.
  case dropout = 3
  /// How samples are varied.
  case augmentation = 4
  /// Which samples are set aside when a data set is divided.
  case split = 5
  /// The settings that a sweep draws.
  case sweep = 6
  /// Images that are made by ascent, and the noise in them.
  case insight = 7
  /// Data that a program makes up.
  case synthetic = 8
}

/// Random numbers that are a pure function of (seed, purpose, a, b, position): Philox4x32-10.
///
/// There is no state to save: a resumed run makes the same stream again. `a` and `b` are free indices of the purpose,
/// for instance the layer and the sample.
///
/// - SeeAlso: Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.
public struct RandomStream: Sendable, RandomNumberGenerator {
  private let key: SIMD2<UInt32>
  private var counter: SIMD4<UInt32>
  private var block = SIMD4<UInt32>()
  private var used = 4

  /// - Parameters:
  ///   - seed: the run's seed.
  ///   - a: first index, for instance an epoch or a layer.
  ///   - b: second index, for instance a sample or a step.
  public init(seed: UInt64, purpose: RandomPurpose, a: UInt64 = 0, b: UInt64 = 0) {
    // The 128-bit counter has 32 bits for the position; the other indices are mixed into key and counter by one
    // keyed Philox call, so that neighbouring indices give unrelated streams.
    let mixed = philox4x32(
      counter: SIMD4(
        UInt32(truncatingIfNeeded: a), UInt32(truncatingIfNeeded: a >> 32), purpose.rawValue, 0x636f_6e76),
      key: SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
    key = SIMD2(mixed[0], mixed[1])
    counter = SIMD4(
      0, UInt32(truncatingIfNeeded: b), UInt32(truncatingIfNeeded: b >> 32), mixed[2])
  }

  /// The next 32 random bits.
  public mutating func nextUInt32() -> UInt32 {
    if used == 4 {
      block = philox4x32(counter: counter, key: key)
      counter[0] &+= 1
      used = 0
    }
    defer { used += 1 }
    return block[used]
  }

  /// Whether the next number is the first of a block.
  var isAtBlock: Bool { used == 4 }

  /// The next blocks, of which none has been begun.
  @inline(__always)
  mutating func nextBlocks() -> PhiloxBlocks {
    defer { counter[0] &+= UInt32(PhiloxBlocks.count) }
    return PhiloxBlocks(counter: counter, key: key)
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    let low = UInt64(nextUInt32())
    return low | UInt64(nextUInt32()) << 32
  }

  /// A multiple of 2⁻²⁴ in [0, 1).
  public mutating func nextUniform() -> Float {
    Float(nextUInt32() >> 8) * 0x1p-24
  }

  /// A double in [0, 1), a multiple of 2⁻⁵³.
  public mutating func nextUniformDouble() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// An unbiased integer in `0..<bound` (Lemire 2019).
  ///
  /// Written here rather than taken from the standard library, whose algorithm may change between versions.
  public mutating func nextInteger(below bound: Int) -> Int {
    precondition(bound > 0, "the bound must be positive, got \(bound)")
    let bound = UInt64(bound)
    var product = next().multipliedFullWidth(by: bound)
    if product.low < bound {
      let threshold = (0 &- bound) % bound
      while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
    }
    return Int(product.high)
  }
}

/// One block of Philox4x32-10: ten rounds, constants of the paper's reference.
@inlinable
public func philox4x32(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
  var x = counter
  var k = key
  for _ in 0..<10 {
    let p0 = UInt64(0xD251_1F53) &* UInt64(x[0])
    let p1 = UInt64(0xCD9E_8D57) &* UInt64(x[2])
    x = SIMD4(
      UInt32(truncatingIfNeeded: p1 >> 32) ^ x[1] ^ k[0], UInt32(truncatingIfNeeded: p1),
      UInt32(truncatingIfNeeded: p0 >> 32) ^ x[3] ^ k[1], UInt32(truncatingIfNeeded: p0))
    k[0] &+= 0x9E37_79B9
    k[1] &+= 0xBB67_AE85
  }
  return x
}
