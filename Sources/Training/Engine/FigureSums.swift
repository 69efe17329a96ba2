public import Compute
internal import Parallel

/// Sums over samples from which loss and metrics follow; added up in a fixed order.
public struct FigureSums: Hashable, Sendable {
  /// What the sums mean; nil where nothing has been added yet.
  public private(set) var layout: FigureLayout?
  /// The sums in the order of the layout.
  public private(set) var values: [Double] = []
  /// How many samples were summed up.
  public private(set) var samples = 0

  /// Nothing, to which anything can be added.
  public init() {}

  /// Takes sums of this many samples.
  ///
  /// - Parameter values: the sums in the order of the layout; nil for zeros.
  public init(_ layout: FigureLayout, values: [Double]? = nil, samples: Int = 0) {
    self.layout = layout
    self.values = values ?? [Double](repeating: 0, count: layout.count)
    self.samples = samples
    precondition(self.values.count == layout.count, "expected \(layout.count) sums, got \(self.values.count)")
  }

  /// The sums of a minibatch: those of its shards, one row after another, added in the order of ``SumTree``.
  init(_ layout: FigureLayout, shards rows: [Double], samples: Int) {
    self.init(layout, values: SumTree.sumRows(rows, width: layout.count), samples: samples)
  }

  /// Adds the sums of other samples, of the same figures.
  public static func += (sums: inout FigureSums, more: FigureSums) {
    guard let layout = more.layout else { return }
    if sums.layout == nil { sums = FigureSums(layout) }
    precondition(sums.values.count == more.values.count, "sums of different figures cannot be added")
    for index in more.values.indices { sums.values[index] += more.values[index] }
    sums.samples += more.samples
  }

  /// The same sums for another layout with the same places; nothing where it has others.
  func fitted(to other: FigureLayout) -> FigureSums {
    guard layout?.blocks == other.blocks else { return FigureSums(other) }
    return FigureSums(other, values: values, samples: samples)
  }

  /// Mean loss of a sample; 0 without samples.
  public var meanLoss: Double { samples == 0 ? 0 : (values.first ?? 0) / Double(samples) }

  /// The figure of a metric; nil for one that was not taken.
  public func figure(_ metric: Metric) -> Double? {
    layout?.figure(metric, sums: values, samples: samples)
  }

  /// The accuracy; nil where it was not taken.
  public var accuracy: Double? { figure(.accuracy) }

  /// The loss, then the metrics in the order of the criterion.
  public var figures: [Figure] {
    let metrics = layout?.criterion.metrics ?? []
    return [Figure(name: "loss", value: meanLoss)]
      + metrics.map { Figure(name: $0.name, value: figure($0) ?? 0) }
  }

  /// A figure with its name in tables.
  public struct Figure: Hashable, Sendable {
    /// The name, such as `accuracy`.
    public let name: String
    /// The figure of all samples.
    public let value: Double
  }
}

extension Criterion {
  /// Names of the figures: the loss, then the metrics.
  public var figureNames: [String] { ["loss"] + metrics.map(\.name) }
}
