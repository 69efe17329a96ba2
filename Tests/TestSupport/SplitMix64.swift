/// Random numbers for tests, the same for the same seed: none of the program's own, so that a fault in those does not turn
/// what tests are fed into something harmless.
///
/// - SeeAlso: Steele, Lea and Flood 2014, <https://doi.org/10.1145/2660193.2660195>.
public struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// A generator that begins at a seed.
  public init(seed: UInt64) { state = seed }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }

  /// Uniform in [0, 1).
  public mutating func nextUnit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// From 0 to below `bound`, 1 or more; as good as even for the bounds of tests.
  public mutating func next(below bound: Int) -> Int { Int(next() % UInt64(max(bound, 1))) }
}
