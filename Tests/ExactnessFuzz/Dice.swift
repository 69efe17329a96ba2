/// Random decisions that follow from their key alone, by SplitMix64.
struct Dice {
  private var state: UInt64

  init(_ key: UInt64...) {
    state = 0
    // Each part goes through a whole round, so that neighbouring keys have nothing in common.
    for part in key { state = next() ^ part }
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }

  mutating func integer(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + Int(next() % UInt64(range.count))
  }

  /// Uniform in 0 ..< 1.
  mutating func share() -> Double { Double(next() >> 11) / Double(1 << 53) }

  mutating func number(_ range: ClosedRange<Double>) -> Double {
    range.lowerBound + share() * (range.upperBound - range.lowerBound)
  }

  mutating func chance(_ probability: Double) -> Bool { share() < probability }

  mutating func pick<T>(_ choices: [T]) -> T {
    precondition(!choices.isEmpty, "nothing to pick from")
    return choices[integer(0...choices.count - 1)]
  }

  /// One of some, each as often as its weight says.
  mutating func pick<T>(weighted choices: [(weight: Double, value: T)]) -> T {
    precondition(!choices.isEmpty, "nothing to pick from")
    var left = share() * choices.reduce(0) { $0 + $1.weight }
    for choice in choices {
      left -= choice.weight
      if left < 0 { return choice.value }
    }
    return choices[choices.count - 1].value
  }

  // MARK: - As configurations have them

  /// A number of few digits.
  mutating func decimal(_ range: ClosedRange<Double>) -> Node {
    .scalar("\((number(range) * 1000).rounded() / 1000)")
  }

  mutating func word(_ choices: [String]) -> Node { .scalar(pick(choices)) }
}
