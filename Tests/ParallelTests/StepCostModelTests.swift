import Synchronization
import Tensors
import Testing

@testable import Parallel

@Suite("Costs of a step on several nodes")
struct StepCostModelTests {
  static let work = StepCostModel.Work(
    secondsPerShard: 0.02, gradientBytes: 4e6, parameterBytes: 4.2e6, slots: 1, memoryBytesPerSecond: 20e9,
    secondsPerStep: 1e-3)

  static func model(_ draw: inout RandomStream, _ exchange: StepCostModel.Exchange) -> StepCostModel {
    var work = Self.work
    work.gradientBytes = 1e4 * (1 + Double(draw.nextInteger(below: 1000)))
    work.parameterBytes = work.gradientBytes * 1.1
    work.bucketBytes = 1e5 * (1 + Double(draw.nextInteger(below: 20)))
    work.agreements = draw.nextInteger(below: 6)
    let network = Interconnect(
      latency: Double(draw.nextUniform()) * 1e-4, perMessage: Double(draw.nextUniform()) * 1e-5,
      bytesPerSecond: 1e8 * (1 + Double(draw.nextInteger(below: 200))))
    return StepCostModel(work, network, exchange: exchange)
  }

  // MARK: - Messages, one by one

  /// Ranks whose messages leave and arrive one after another; time passes only by them.
  struct Ports {
    let network: Interconnect
    var out: [Double]
    var into: [Double]
    var sent: [Double]

    init(_ network: Interconnect, ranks: Int) {
      self.network = network
      (out, into, sent) = ([], [], [])
      out = Array(repeating: 0, count: ranks)
      (into, sent) = (out, out)
    }

    /// Sends a message as soon as the sender's port is free, and lets it in as soon as it has arrived and the receiver's port is free.
    mutating func send(from: Int, to: Int, bytes: Double) {
      let duration = network.perMessage + bytes / network.bytesPerSecond
      let start = out[from]
      out[from] = start + duration
      into[to] = max(into[to], start + network.latency) + duration
      sent[from] += bytes
    }

    /// Everybody waits for all that was sent.
    mutating func meet() {
      let end = max(out.max() ?? 0, into.max() ?? 0)
      out = out.map { _ in end }
      into = out
    }

    /// Every rank sends every other one something, and waits for all of it.
    mutating func exchange(_ bytes: (_ from: Int, _ to: Int) -> Double) {
      send(bytes)
      meet()
    }

    /// Every rank sends every other one something, the nearest first, as the plug-in does.
    mutating func send(_ bytes: (_ from: Int, _ to: Int) -> Double) {
      let size = out.count
      for distance in 1..<size {
        for rank in 0..<size {
          let other = (rank + distance) % size
          send(from: rank, to: other, bytes: bytes(rank, other))
        }
      }
    }
  }

  /// Seconds and sent bytes of all that ranks tell each other in a step, message by message.
  static func simulateDirect(_ model: StepCostModel, _ ranges: [Range<Int>]) -> (Double, Double) {
    let size = ranges.count
    let tree = SumTree(count: ranges.last?.upperBound ?? 0)
    let nodes = ranges.map { Double(tree.maximalNodes(in: $0).count) }
    var ports = Ports(model.interconnect, ranks: size)
    for _ in 0..<model.work.agreements { ports.exchange { _, _ in 0 } }
    // A bucket after the other, without waiting for each.
    let part = model.work.gradientBytes / Double(size)
    let buckets = max(Int((part / model.work.bucketBytes).rounded(.up)), 1)
    for _ in 0..<buckets { ports.send { from, _ in nodes[from] * part / Double(buckets) } }
    ports.meet()
    ports.exchange { _, _ in model.work.parameterBytes / Double(size) }
    return (ports.out[0], ports.sent.max() ?? 0)
  }

  @Test("even shares take exactly as long as their messages one by one", arguments: [2, 3, 4, 7, 16, 33])
  func evenDirect(size: Int) {
    for seed in 0..<20 {
      var draw = RandomStream(seed: UInt64(seed), purpose: .synthetic)
      let model = Self.model(&draw, .direct)
      // A power of two of shards for each rank: one partial sum.
      let share = 1 << draw.nextInteger(below: 4)
      let ranges = (0..<size).map { $0 * share..<($0 + 1) * share }
      let step = model.step(ranges, workers: Array(repeating: 1, count: size))
      let (seconds, sent) = Self.simulateDirect(model, ranges)
      #expect(abs(step.communication - seconds) < 1e-9 * seconds)
      #expect(abs(step.bytesSent - sent) < 1e-6 * sent)
    }
  }

  @Test("any shares take at least what the model says, and those that it chooses at most a quarter more")
  func drawnDirect() {
    for seed in 0..<200 {
      var draw = RandomStream(seed: UInt64(seed), purpose: .synthetic, a: 1)
      let model = Self.model(&draw, .direct)
      let size = 2 + draw.nextInteger(below: 12)
      let count = size + draw.nextInteger(below: 200)
      let workers = (0..<size).map { _ in 1 + draw.nextInteger(below: 3) }
      let bounds = [0] + (1..<size).map { _ in draw.nextInteger(below: count + 1) }.sorted() + [count]
      let any = zip(bounds, bounds.dropFirst()).map { $0..<$1 }
      let chosen = model.partition(workers: workers).ranges(of: count)
      for (ranges, most) in [(any, Double.infinity), (chosen, 1.25)] {
        let step = model.step(ranges, workers: workers)
        let (seconds, sent) = Self.simulateDirect(model, ranges)
        #expect(step.communication <= seconds * (1 + 1e-9))
        #expect(seconds <= step.communication * most, "\(ranges)")
        #expect(abs(step.bytesSent - sent) < 1e-6 * sent)
      }
    }
  }

  /// The same by halves: ranks keep the nodes that they know of the slices that they still have, and add siblings as soon as they have both.
  static func simulateHalving(_ model: StepCostModel, _ ranges: [Range<Int>]) -> (Double, Double) {
    let size = ranges.count
    let tree = SumTree(count: ranges.last?.upperBound ?? 0)
    var known = ranges.map { Set(tree.maximalNodes(in: $0)) }
    var ports = Ports(model.interconnect, ranks: size)
    func double(_ bytes: Double) {
      // Blocks that grow: every rank ends up with all of them.
      var distance = 1
      while distance < size {
        for rank in 0..<size { ports.send(from: rank, to: rank ^ distance, bytes: bytes * Double(distance)) }
        ports.meet()
        distance *= 2
      }
    }
    for _ in 0..<model.work.agreements { double(0) }
    var (distance, part) = (1, model.work.gradientBytes)
    while distance < size {
      part /= 2
      let before = known
      for rank in 0..<size {
        let other = rank ^ distance
        ports.send(from: rank, to: other, bytes: Double(before[rank].count) * part)
        known[other].formUnion(before[rank])
      }
      ports.meet()
      for rank in 0..<size {
        while let node = known[rank].first(where: { $0 != tree.root && known[rank].contains($0.sibling) }) {
          known[rank].subtract([node, node.sibling])
          known[rank].insert(tree.raised(node.parent))
        }
      }
      distance *= 2
    }
    #expect(known.allSatisfy { $0 == [tree.root] })
    double(model.work.parameterBytes / Double(size))
    return (ports.out[0], ports.sent.max() ?? 0)
  }

  @Test(
    "an exchange by halves keeps the tree's order and takes as long as its messages one by one",
    arguments: [2, 4, 8, 32])
  func halving(size: Int) {
    for seed in 0..<30 {
      var draw = RandomStream(seed: UInt64(seed), purpose: .synthetic, a: 2)
      let model = Self.model(&draw, .halving)
      let workers = Array(repeating: 1, count: size)
      let ranges = model.partition(workers: workers).ranges(of: size + draw.nextInteger(below: 100))
      let step = model.step(ranges, workers: workers)
      let (seconds, sent) = Self.simulateHalving(model, ranges)
      #expect(abs(step.communication - seconds) < 1e-9 * seconds, "\(ranges)")
      // The model adds the most of each round, which need not be the same rank's.
      #expect(sent <= step.bytesSent * (1 + 1e-9) && sent >= step.bytesSent * 0.6)
    }
  }

  // MARK: - Facts

  @Test("a thousand nodes: many messages against few, as a calculation by hand has it")
  func thousandNodes() {
    // ResNet-18's 11.17 M parameters, 12.5 GB/s, 10 µs for each message.
    var work = Self.work
    (work.gradientBytes, work.parameterBytes, work.agreements) = (44.7e6, 44.7e6, 0)
    let network = Interconnect(latency: 0, perMessage: 10e-6, bytesPerSecond: 12.5e9)
    let workers = Array(repeating: 64, count: 1024)
    let ranges = (0..<1024).map { $0 * 64..<($0 + 1) * 64 }
    let bytes = 2 * 44.7e6 / 12.5e9 * 1023 / 1024
    let direct = StepCostModel(work, network).step(ranges, workers: workers)
    #expect(abs(direct.communication - (bytes + 2 * 1023 * 10e-6)) < 1e-9)
    let halving = StepCostModel(work, network, exchange: .halving).step(ranges, workers: workers)
    #expect(abs(halving.communication - (bytes + 2 * 10 * 10e-6)) < 1e-9)
  }

  @Test("one rank tells nobody anything, and does all the work itself")
  func alone() {
    for exchange in StepCostModel.Exchange.allCases {
      let model = StepCostModel(
        Self.work, Interconnect(latency: 1, perMessage: 1, bytesPerSecond: 1), exchange: exchange)
      let step = model.step([0..<7], workers: [2])
      #expect(step.communication == 0 && step.bytesSent == 0)
      #expect(step.shards == 4 * 0.02)
      // 7 gradients once, parameters and a slot twice.
      #expect(abs(step.update - (7 * 4e6 + 4 * 4.2e6) / 20e9) < 1e-15)
      #expect(abs(step.seconds - step.shards - step.update - 1e-3) < 1e-15)
    }
  }

  @Test("a better network never makes a step longer, and more slots or bytes never shorter")
  func monotonic() {
    for seed in 0..<100 {
      var draw = RandomStream(seed: UInt64(seed), purpose: .synthetic, a: 3)
      let exchange = StepCostModel.Exchange.allCases[draw.nextInteger(below: 2)]
      let model = Self.model(&draw, exchange)
      let size = 2 + draw.nextInteger(below: 40)
      let workers = Array(repeating: 1 + draw.nextInteger(below: 4), count: size)
      let ranges = ShardPartition(workers: workers).ranges(of: 1 + draw.nextInteger(below: 300))
      let seconds = model.step(ranges, workers: workers).seconds
      let changes: [(StepCostModel) -> StepCostModel] = [
        {
          var m = $0; m.interconnect.latency += 1e-5; return m
        },
        {
          var m = $0; m.interconnect.perMessage += 1e-6; return m
        },
        {
          var m = $0; m.interconnect.bytesPerSecond /= 2; return m
        },
        {
          var m = $0; m.work.slots += 1; return m
        },
        {
          var m = $0; m.work.gradientBytes *= 2; return m
        },
        {
          var m = $0; m.work.parameterBytes *= 2; return m
        },
        {
          var m = $0; m.work.statisticsBytes += 1e4; return m
        },
        {
          var m = $0; m.work.rowBytesPerShard += 1e4; return m
        },
        {
          var m = $0; m.work.secondsPerShard *= 2; return m
        },
      ]
      for (number, change) in changes.enumerated() {
        #expect(change(model).step(ranges, workers: workers).seconds > seconds, "change \(number)")
      }
    }
  }

  // MARK: - Who takes which shards

  @Test("a range's maximal nodes are counted without making them", arguments: 1...40)
  func nodeCount(count: Int) {
    let tree = SumTree(count: count)
    for start in 0..<count {
      for end in start...count {
        #expect(tree.nodeCount(in: start..<end) == tree.maximalNodes(in: start..<end).count)
      }
    }
  }

  @Test(
    "of all divisions of up to 12 shards none is done earlier, and none as early sends fewer sums",
    arguments: 1...12)
  func bruteForce(count: Int) {
    let tree = SumTree(count: count)
    var seen = 0
    for size in 2...(count <= 7 ? 5 : 4) {
      let all = RankReductionTests.partitions(count, ranks: size)
      for seed in 0..<12 {
        var draw = RandomStream(seed: UInt64(seed), purpose: .synthetic, a: 4)
        let workers = (0..<size).map { _ in 1 + draw.nextInteger(below: 4) }
        let cost = [0, 0.1, 0.5, 1, 3, 20][draw.nextInteger(below: 6)] * (0.5 + Double(draw.nextUniform()))
        let partition = ShardPartition(workers: workers, nodeCost: cost)
        /// By its definition: the slowest rank's turns, and the most sums.
        func time(_ ranges: [Range<Int>]) -> Double {
          let turns = zip(ranges, workers).map { (Double($0.count) / Double($1)).rounded(.up) }.max() ?? 0
          return turns + cost * Double(ranges.map { tree.maximalNodes(in: $0).count }.max() ?? 0)
        }
        func sums(_ ranges: [Range<Int>]) -> Int {
          ranges.reduce(0) { $0 + tree.maximalNodes(in: $1).count }
        }
        let least = all.map(time).min() ?? 0
        let chosen = partition.ranges(of: count)
        #expect(chosen.count == size && chosen.flatMap(Array.init) == Array(0..<count))
        #expect(abs(time(chosen) - least) < 1e-9, "\(count) shards, \(workers), \(cost): \(chosen)")
        // Where sums cost nothing, limits of all kinds are as good.
        let fewest = all.filter { time($0) <= least + 1e-9 }.map(sums).min() ?? 0
        #expect(cost == 0 || sums(chosen) == fewest, "\(chosen) sends \(sums(chosen)), others \(fewest)")
        seen += 1
      }
    }
    #expect(seen >= 36)
  }

  @Test(
    "many shards and ranks are dealt fast, each rank nearly its share", arguments: [17, 100, 256, 300, 1000])
  func manyRanks(size: Int) {
    for count in [size, 3 * size + 1, 128 * size, 100 * size + 77] {
      let partition = ShardPartition(workers: Array(repeating: 1, count: size), nodeCost: 0.1)
      let ranges = partition.ranges(of: count)
      #expect(ranges.count == size && ranges.first?.lowerBound == 0 && ranges.last?.upperBound == count)
      #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
      let share = Double(count) / Double(size)
      #expect(partition.time(ranges) <= (share + 1) * 1.1 + 1, "\(count) shards")
    }
  }
}

@Suite("Networks between nodes")
struct InterconnectTests {
  @Test("a network is read by its name or its figures")
  func reading() throws {
    for kind in Interconnect.kinds {
      #expect(Interconnect(kind.name) == kind.interconnect)
      #expect(Interconnect(kind.name.uppercased()) == kind.interconnect)
    }
    let rates = [("1.5GB/s", 1.5e9), ("20MB/s", 2e7), ("10Gbit/s", 1.25e9), ("800Mbit/s", 1e8)]
    for (text, rate) in rates {
      let two = try #require(Interconnect("30us,\(text)"))
      #expect(abs(two.latency - 30e-6) < 1e-15 && two.perMessage == two.latency)
      #expect(abs(two.bytesPerSecond / rate - 1) < 1e-12)
      let three = try #require(Interconnect("2ms, 500ns, \(text)"))
      #expect(abs(three.latency - 2e-3) < 1e-15 && abs(three.perMessage - 5e-7) < 1e-18)
    }
  }

  @Test(
    "what is no network is refused",
    arguments: [
      "", "fast", "11GbE", "30us", "30us,", "30,1GB/s", "30us,0GB/s", "-1us,1GB/s", "nanus,1GB/s",
      "30us,infGB/s",
      "1us,1us,1us,1GB/s", "30us,1GB", "1e9us,1GB/s",
    ])
  func refusing(text: String) { #expect(Interconnect(text) == nil) }

  @Test("ranks measure one network, and all hear the first one's figures", arguments: [2, 3, 5])
  func measured(size: Int) throws {
    let found = try RankThreads.run(size) { ranks in
      let clock = ContinuousClock()
      let start = clock.now
      return try Interconnect.measured(by: ranks) { Double((clock.now - start) / .nanoseconds(1)) * 1e-9 }
    }
    #expect(found.count == size && found.allSatisfy { $0 == found[0] })
    let network = try #require(found[0])
    #expect(network.latency >= 0 && network.latency < 1 && network.bytesPerSecond > 1e6)
    #expect(try Interconnect.measured(by: SoleRank()) { 0 } == nil)
  }

  /// A rank that counts its exchanges.
  final class Counting: Communicator {
    let inner: any Communicator
    let exchanges = Atomic<Int>(0)

    init(_ inner: any Communicator) { self.inner = inner }

    var rank: Int { inner.rank }
    var size: Int { inner.size }
    var nodes: [String] { inner.nodes }

    func startExchange(
      _ outgoing: [UnsafeRawBufferPointer], _ incoming: [UnsafeMutableRawBufferPointer]
    ) throws(CommunicationError) -> Exchange {
      exchanges.add(1, ordering: .relaxed)
      return try inner.startExchange(outgoing, incoming)
    }

    func finish(_ exchange: Exchange) throws(CommunicationError) { try inner.finish(exchange) }

    func gather(_ base: UnsafeMutableRawPointer, parts: [Range<Int>]) throws(CommunicationError) {
      try inner.gather(base, parts: parts)
    }

    func abort(code: Int32) { inner.abort(code: code) }
  }

  @Test("what a training needs of the network is measured by four exchanges", arguments: [2, 3, 5])
  func measuredBytesPerSecond(size: Int) throws {
    let found = try RankThreads.run(size) { inner in
      let (ranks, clock) = (Counting(inner), ContinuousClock())
      let start = clock.now
      let rate = try Interconnect.measuredBytesPerSecond(by: ranks) {
        Double((clock.now - start) / .nanoseconds(1)) * 1e-9
      }
      return (rate: rate, exchanges: ranks.exchanges.load(ordering: .relaxed))
    }
    let rate = try #require(found[0].rate)
    #expect(rate > 1e6 && found.allSatisfy { $0.rate == rate && $0.exchanges == 4 })
    #expect(try Interconnect.measuredBytesPerSecond(by: SoleRank()) { 0 } == nil)
  }

  @Test("how shards are dealt depends on how fast bytes travel, and on nothing else of a network")
  func dealing() {
    let work = StepCostModel.Work(
      secondsPerShard: 1e-3, gradientBytes: 4e6, parameterBytes: 4e6, slots: 1, memoryBytesPerSecond: 1e14)
    var seen: Set<[Range<Int>]> = []
    for rate in [1e7, 1e8, 1e9, 1e11] {
      let ranges = [(1e-7, 0), (1e-3, 1e-4)].map { latency, message in
        StepCostModel(
          work, Interconnect(latency: latency, perMessage: message, bytesPerSecond: rate)
        ).partition(workers: [1, 1, 1]).ranges(of: 100)
      }
      #expect(ranges[0] == ranges[1])
      seen.insert(ranges[0])
    }
    #expect(seen.count > 1)
  }
}
