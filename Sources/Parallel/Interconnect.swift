internal import Tensors

/// A network between nodes, as a model: what a message costs, whatever its length, and what its bytes cost.
///
/// A rank that sends `m` messages of `b` bytes together, and as many the other way, needs
///
///     latency + m · perMessage + b / bytesPerSecond
///
/// seconds for them: messages leave one after another, and each is under way for the latency. Nodes do not slow each other down, as in
/// a network whose switches carry all of them at once.
public struct Interconnect: Hashable, Sendable, BitwiseCopyable {
  /// Seconds from the sending of a short message to its arrival, 0 or more.
  public var latency: Double
  /// Seconds for which each message keeps a rank busy, beside its bytes, 0 or more.
  public var perMessage: Double
  /// Bytes per second out of a node, and as many into it at the same time, above 0.
  public var bytesPerSecond: Double

  /// Takes the three figures.
  public init(latency: Double, perMessage: Double, bytesPerSecond: Double) {
    precondition(
      latency >= 0 && perMessage >= 0 && bytesPerSecond > 0,
      "no network has a latency of \(latency) s, \(perMessage) s a message and \(bytesPerSecond) bytes/s")
    self.latency = latency
    self.perMessage = perMessage
    self.bytesPerSecond = bytesPerSecond
  }

  /// Seconds for some messages that a rank sends, and as many that it gets at the same time.
  ///
  /// - Parameter bytes: the more of what is sent and of what is got.
  public func seconds(messages: Int, bytes: Double) -> Double {
    messages == 0 ? 0 : latency + Double(messages) * perMessage + bytes / bytesPerSecond
  }

  // MARK: - By name

  /// A network that has a name.
  public struct Kind: Hashable, Sendable {
    /// The name, such as `100GbE`.
    public let name: String
    /// Its figures.
    public let interconnect: Interconnect
  }

  /// The networks known by name.
  ///
  /// The latencies and times of messages are assumptions, on the careful side of what MPI over TCP and over InfiniBand shows. The bytes
  /// are the line's without headers: 94% of Ethernet's with packets of 1,500 bytes, 97% of InfiniBand's with 4,096.
  public static let kinds: [Kind] = [
    ethernet(gigabits: 1, latency: 50e-6, perMessage: 10e-6),
    ethernet(gigabits: 10, latency: 30e-6, perMessage: 10e-6),
    ethernet(gigabits: 25, latency: 20e-6, perMessage: 8e-6),
    ethernet(gigabits: 40, latency: 20e-6, perMessage: 8e-6),
    ethernet(gigabits: 100, latency: 10e-6, perMessage: 5e-6),
    ethernet(gigabits: 200, latency: 10e-6, perMessage: 5e-6),
    infiniBand(gigabits: 100), infiniBand(gigabits: 200), infiniBand(gigabits: 400),
  ]

  private static func ethernet(gigabits: Double, latency: Double, perMessage: Double) -> Kind {
    Kind(
      name: "\(Int(gigabits))GbE",
      interconnect: Interconnect(
        latency: latency, perMessage: perMessage, bytesPerSecond: gigabits * 1e9 / 8 * 0.94))
  }

  private static func infiniBand(gigabits: Double) -> Kind {
    Kind(
      name: "\(Int(gigabits))GbIB",
      interconnect: Interconnect(latency: 2e-6, perMessage: 1e-6, bytesPerSecond: gigabits * 1e9 / 8 * 0.97))
  }

  /// Reads a name, whatever its capitals, or figures: `30us,1.1GB/s`, or with the time of a message `30us,5us,1.1GB/s`.
  ///
  /// Times are in `ns`, `us` (or `µs`) and `ms`; rates in `MB/s`, `GB/s`, `Mbit/s` and `Gbit/s`, in powers of ten.
  /// Without a time of its own a message takes the latency, as in a model of two figures.
  /// - Returns: nil for anything else.
  public init?(_ text: String) {
    let word = text.lowercased()
    if let kind = Self.kinds.first(where: { $0.name.lowercased() == word }) {
      self = kind.interconnect
      return
    }
    let parts = word.split(separator: ",", omittingEmptySubsequences: false).map {
      $0.drop { $0 == " " }
    }
    guard parts.count == 2 || parts.count == 3, let latency = Self.number(parts[0], Self.times),
      let perMessage = parts.count == 3 ? Self.number(parts[1], Self.times) : latency,
      let rate = Self.number(parts[parts.count - 1], Self.rates), rate > 0
    else { return nil }
    self.init(latency: latency, perMessage: perMessage, bytesPerSecond: rate)
  }

  private static let times: [(unit: String, factor: Double)] = [
    ("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("μs", 1e-6), ("ms", 1e-3),
  ]
  private static let rates: [(unit: String, factor: Double)] = [
    ("mb/s", 1e6), ("gb/s", 1e9), ("mbit/s", 1e6 / 8), ("gbit/s", 1e9 / 8),
  ]

  private static func number(_ text: Substring, _ units: [(unit: String, factor: Double)]) -> Double? {
    guard let (unit, factor) = units.first(where: { text.hasSuffix($0.unit) }),
      let number = Double(text.dropLast(unit.count)), number >= 0, number <= 1e6
    else { return nil }
    return number * factor
  }
}

// MARK: - Measured

extension Interconnect {
  /// Measures the network between ranks; all of them call it, and all get the first one's figures.
  ///
  /// A short exchange with everybody gives latency and messages together, which are told apart only where there are several others;
  /// exchanges of a few megabytes give the bytes per second. Each counts with the shortest of some rounds.
  /// - Parameter clock: seconds since any moment.
  /// - Returns: nil where there is nobody to send to.
  /// - Throws: ``CommunicationError`` where a rank is gone or does not answer in time.
  public static func measured(
    by communicator: any Communicator, clock: @escaping () -> Double
  ) throws(CommunicationError) -> Interconnect? {
    if communicator.isAlone { return nil }
    let rounds = MeasuringRounds(communicator, clock)
    let others = communicator.size - 1
    let one = try rounds.shortest(bytes: MeasuringRounds.word, reach: 1, rounds: 50)
    let all = try rounds.shortest(bytes: MeasuringRounds.word, reach: others, rounds: 50)
    let perMessage = others > 1 ? max((all - one) / Double(others - 1), 0) : 0
    let found = Interconnect(
      latency: max(one - perMessage, 0), perMessage: perMessage,
      bytesPerSecond: try rounds.bytesPerSecond(rounds: 3))
    return try communicator.first(found)
  }

  /// Measures how fast bytes travel between ranks, and nothing else; all of them call it, and all get the first one's figure.
  ///
  /// It takes four exchanges, and on a network of 1 Gbit/s a tenth of a second.
  /// - Parameter clock: seconds since any moment.
  /// - Returns: bytes per second out of a rank; nil where there is nobody to send to.
  /// - Throws: ``CommunicationError`` where a rank is gone or does not answer in time.
  public static func measuredBytesPerSecond(
    by communicator: any Communicator, clock: @escaping () -> Double
  ) throws(CommunicationError) -> Double? {
    if communicator.isAlone { return nil }
    // The first round of all also opens the connections; the shortest counts.
    return try communicator.first(try MeasuringRounds(communicator, clock).bytesPerSecond(rounds: 2))
  }
}

/// Rounds in which ranks send each other bytes of no meaning.
private struct MeasuringRounds {
  /// Bytes of a message of no length worth speaking of, and of those by which bytes are timed.
  static let word = 8
  private static let (short, long) = (1 << 20, 4 << 20)

  private let communicator: any Communicator
  private let clock: () -> Double
  private let memory: [AlignedBuffer<UInt8>]

  init(_ communicator: any Communicator, _ clock: @escaping () -> Double) {
    self.communicator = communicator
    self.clock = clock
    memory = (0..<2).map { _ in AlignedBuffer(count: Self.long + communicator.size * Self.word) }
  }

  /// Seconds of the shortest round in which everybody sends `bytes` to those who are up to `reach` ranks away.
  func shortest(bytes: Int, reach: Int, rounds: Int) throws(CommunicationError) -> Double {
    let (size, rank) = (communicator.size, communicator.rank)
    func length(_ other: Int, _ sign: Int) -> Int {
      let distance = ((other - rank) * sign + size) % size
      return distance >= 1 && distance <= reach ? bytes : 0
    }
    // Long messages go to one rank alone, and may begin anywhere.
    let outgoing = (0..<size).map {
      UnsafeRawBufferPointer(start: memory[0].baseAddress + $0 * Self.word, count: length($0, 1))
    }
    let incoming = (0..<size).map {
      UnsafeMutableRawBufferPointer(start: memory[1].baseAddress + $0 * Self.word, count: length($0, -1))
    }
    var best = Double.infinity
    for _ in 0..<rounds {
      try communicator.meet()
      let start = clock()
      try communicator.exchange(outgoing, incoming)
      best = min(best, try communicator.gather(clock() - start).max() ?? .infinity)
    }
    return best
  }

  /// How fast bytes travel to a neighbour.
  ///
  /// Two sizes: what does not depend on the length falls out of their difference. Limits on bandwidth often let a first burst pass.
  func bytesPerSecond(rounds: Int) throws(CommunicationError) -> Double {
    let short = try shortest(bytes: Self.short, reach: 1, rounds: rounds)
    let long = try shortest(bytes: Self.long, reach: 1, rounds: rounds)
    let rate =
      long > short ? Double(Self.long - Self.short) / (long - short) : Double(Self.long) / max(long, 1e-9)
    return max(rate, 1)
  }
}
