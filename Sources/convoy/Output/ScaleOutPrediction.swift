internal import Experiments
internal import Parallel
internal import Reporting
internal import Tensors
internal import Training

/// What a training would take on several nodes: predictions, for people and for machines.
struct ScaleOutPrediction {
  let plan: ScaleOutPlan
  /// The network as it was named.
  let network: String
  /// The processor that was measured.
  let cpu: String
  let nodes: [Int]
  let minibatch: Int
  let perNode: Int

  private var figures: TrainingFigures { plan.figures }

  private var cases: [(title: String, word: String, scaling: ScaleOutPlan.Scaling)] {
    [
      (
        "a minibatch of \(NumberText.grouped(minibatch)) for all nodes together", "strong",
        .strong(minibatch: minibatch)
      ),
      (
        "a minibatch of \(NumberText.grouped(perNode)) for each node", "weak", .weak(perNode: perNode)
      ),
    ]
  }

  /// What is to be said of a way by which partial sums travel.
  private static func title(_ exchange: StepCostModel.Exchange) -> String {
    switch exchange {
    case .direct: "direct exchange"
    case .halving: "exchange by halves in the tree's order, which this version cannot do yet"
    }
  }

  // MARK: - Text

  func text(_ terminal: Terminal) -> String {
    let width = terminal.tableWidth
    let net = plan.interconnect
    var text = """
      measured: \(figures.name), shards of \(counted(figures.shardSize, "sample")), \(counted(figures.workers, "worker")) of \(cpu), \
      \(figures.day), \(counted(figures.steps, "step"))
        \(Self.time(figures.stepSeconds)) for \(counted(figures.minibatch, "sample")); a shard \
      \(Self.time(figures.work.secondsPerShard)) on \(figures.sharesShards ? "all workers" : "one worker"), sum and optimizer at \
      \(NumberText.scaled(figures.work.memoryBytesPerSecond))B/s, \(Self.time(figures.work.secondsPerStep)) of other work
      predicted, not measured: nodes of \(counted(plan.nodeWorkers, "worker")) on \(network), assumed to take \
      \(Self.time(net.latency)), and \(Self.time(net.perMessage)) for each message, and to carry \
      \(NumberText.scaled(net.bytesPerSecond))B/s each way


      """
    for exchange in StepCostModel.Exchange.allCases {
      for item in cases {
        let rows = plan.rows(item.scaling, nodes: nodes, exchange: exchange)
        text += "\(item.title), \(Self.title(exchange))\n"
        text += Self.table(rows).text(width: width, unicode: terminal.hasUnicode)
        text += "\(Self.verdict(rows))\n\n"
      }
    }
    return text
  }

  private static func table(_ rows: [ScaleOutPlan.Row]) -> Table {
    var table = Table([
      Table.Column("nodes", .trailing), Table.Column("shards", .trailing, isOptional: true),
      Table.Column("step", .trailing), Table.Column("exchange", .trailing),
      Table.Column("images/s", .trailing), Table.Column("efficiency", .trailing),
      Table.Column("sent by a rank", .trailing), Table.Column("memory of a rank", .trailing),
      Table.Column("limit"),
    ])
    for row in rows {
      table.add([
        NumberText.grouped(row.nodes), NumberText.grouped(row.shards), time(row.step.seconds),
        time(row.step.communication), NumberText.grouped(row.imagesPerSecond),
        NumberText.fixed(row.efficiency * 100, row.efficiency < 0.0995 ? 1 : 0) + "%",
        bytes(row.step.bytesSent), bytes(row.memoryBytes), row.limit.rawValue,
      ])
    }
    return table
  }

  /// How far it pays, of the numbers of nodes that were asked for.
  private static func verdict(_ rows: [ScaleOutPlan.Row]) -> String {
    func most(_ share: Double) -> Int? { rows.last { $0.efficiency >= share }?.nodes }
    func upTo(_ share: Double) -> String {
      let percent = "\(Int(share * 100))%"
      return most(share).map {
        "at least \(percent) efficient up to \(counted($0, "node", as: NumberText.grouped($0)))"
      }
        ?? "nowhere \(percent) efficient"
    }
    let fastest = rows.max { $0.imagesPerSecond < $1.imagesPerSecond }
    return [
      upTo(0.8), upTo(0.5),
      fastest.map { "fastest with \(counted($0.nodes, "node", as: NumberText.grouped($0.nodes)))" },
    ].compactMap(\.self).joined(separator: ", ")
  }

  static func time(_ seconds: Double) -> String {
    switch seconds {
    case ..<1e-3: NumberText.fixed(seconds * 1e6, seconds < 9.95e-6 ? 1 : 0) + " µs"
    case ..<1: NumberText.fixed(seconds * 1e3, seconds < 9.95e-3 ? 2 : seconds < 0.0995 ? 1 : 0) + " ms"
    default: NumberText.fixed(seconds, seconds < 100 ? 2 : 0) + " s"
    }
  }

  private static func bytes(_ count: Double) -> String {
    count < 1e18 ? NumberText.bytes(Int(count)) : NumberText.short(count)
  }

  // MARK: - JSON

  func json() throws -> String {
    let predictions = StepCostModel.Exchange.allCases.flatMap { exchange in
      cases.map { item in
        Prediction(
          exchange: exchange.rawValue, isBuilt: exchange == .direct, scaling: item.word,
          rows: plan.rows(item.scaling, nodes: nodes, exchange: exchange).map(Prediction.Row.init))
      }
    }
    return try ResultJSON.text(
      Document(
        measured: figures, cpu: cpu, network: network, latencySeconds: plan.interconnect.latency,
        messageSeconds: plan.interconnect.perMessage, bytesPerSecond: plan.interconnect.bytesPerSecond,
        nodeWorkers: plan.nodeWorkers, predictions: predictions))
  }

  private struct Document: Encodable {
    let measured: TrainingFigures
    let cpu: String
    let network: String
    let latencySeconds: Double
    let messageSeconds: Double
    let bytesPerSecond: Double
    let nodeWorkers: Int
    let predictions: [Prediction]
  }

  private struct Prediction: Encodable {
    struct Row: Encodable {
      let nodes: Int
      let minibatch: Int
      let shards: Int
      let stepSeconds: Double
      let shardsSeconds: Double
      let updateSeconds: Double
      let exchangeBytesSeconds: Double
      let gatherBytesSeconds: Double
      let messagesSeconds: Double
      let fixedSeconds: Double
      let imagesPerSecond: Double
      let efficiency: Double
      let sentBytes: Double
      let memoryBytes: Double
      let limit: String

      init(_ row: ScaleOutPlan.Row) {
        nodes = row.nodes
        minibatch = row.minibatch
        shards = row.shards
        stepSeconds = row.step.seconds
        shardsSeconds = row.step.shards
        updateSeconds = row.step.update
        exchangeBytesSeconds = row.step.exchangeBytes
        gatherBytesSeconds = row.step.gatherBytes
        messagesSeconds = row.step.messages
        fixedSeconds = row.step.fixed
        imagesPerSecond = row.imagesPerSecond
        efficiency = row.efficiency
        sentBytes = row.step.bytesSent
        memoryBytes = row.memoryBytes
        limit = row.limit == .nothing ? "none" : row.limit.rawValue
      }
    }

    /// How partial sums travel, and whether this version can do it.
    let exchange: String
    let isBuilt: Bool
    /// `strong`: one minibatch for all nodes; `weak`: one for each.
    let scaling: String
    let rows: [Row]
  }
}
