internal import Compute
public import Datasets
public import ImageFiles
public import Networks
public import Parallel
internal import Tensors

/// The images of a dataset that excite a layer's filters (or units) most, and how much all of them do on average.
public struct TopExamples: Sendable {
  /// A sample that excites a unit, with how much.
  public struct Example: Hashable, Sendable {
    /// In the dataset.
    public let row: Int
    /// The sum of the filter's map, or the unit's value.
    public let activation: Double
    /// Where the map is largest; nil for units.
    public let peak: Place?
  }

  /// Where in a feature map an activation is largest.
  public struct Place: Hashable, Sendable {
    public let row: Int
    public let column: Int
  }

  public let layer: ResolvedLayer
  /// By filter, most exciting first; of equal ones the earlier row.
  public let examples: [[Example]]
  /// By filter: the mean activation over all samples.
  public let means: [Double]
  /// By filter: in how many samples it is above zero.
  public let activeCounts: [Int]
  public let sampleCount: Int

  /// Samples of one pass; fixed, so that bytes do not depend on workers.
  private static let shard = 32
  private static let chunk = 1024

  /// - Parameters:
  ///   - keep: how many examples of each filter.
  ///   - progress: told how many samples are done.
  /// - Returns: nil where `admits` said no.
  public init?(
    _ dataset: ImageDataset, layer name: String, in subject: Subject, keep: Int, pool: WorkerPool,
    while admits: @Sendable () -> Bool = { true }, progress: (Int) -> Void = { _ in }
  ) throws {
    let layer = try subject.layer(name)
    try subject.check(dataset)
    let tap = LayerTap(name)
    let filters = layer.outputShape.dimensions.last ?? 1
    let places = layer.outputShape.elementCount / filters
    let width = layer.outputShape.rank == 3 ? layer.outputShape[1] : 1
    let hasMaps = layer.outputShape.rank == 3
    var sums = [Double](repeating: 0, count: filters)
    var active = [Int](repeating: 0, count: filters)
    var best = [[Example]](repeating: [], count: filters)
    var plans: [Int: LayerTrace] = [:]
    let sessions = IndexedValues<[Int: LayerTrace.Session]>(count: pool.workerCount)
    for first in stride(from: 0, to: dataset.count, by: Self.chunk) {
      let rows = Array(first..<min(first + Self.chunk, dataset.count))
      let batch = try dataset.samples(rows, threads: pool.workerCount)
      let sharding = Sharding(sampleCount: rows.count, shardSize: Self.shard)
      for size in sharding.sizes where plans[size] == nil {
        plans[size] = try LayerTrace(
          subject.network, values: subject.values, taps: [tap], samples: size, gradient: false)
      }
      let known = plans
      let activations = AlignedBuffer<Double>(count: rows.count * filters)
      let peaks = AlignedBuffer<Int32>(count: rows.count * filters)
      let done = try pool.forEach(in: 0..<sharding.count, while: { _ in admits() }) { shard, worker in
        let range = sharding[shard]
        guard let trace = known[range.count] else { return }
        let session = try sessions[worker]?[range.count] ?? trace.makeSession()
        sessions[worker, default: [:]][range.count] = session
        let pixels = AlignedBuffer<Float>(count: range.count * trace.imageShape.elementCount)
        batch.copyPixels(of: range, to: pixels.elements)
        try session.forward(pixels.baseAddress)
        let values = session.value(of: tap)
        for sample in range {
          for filter in 0..<filters {
            let start = (sample - range.lowerBound) * places * filters + filter
            var (sum, peak) = (0.0, 0)
            for place in 0..<places {
              let value = values[start + place * filters]
              sum += Double(value)
              if value > values[start + peak * filters] { peak = place }
            }
            activations.baseAddress[sample * filters + filter] = sum
            peaks.baseAddress[sample * filters + filter] = Int32(peak)
          }
        }
      }
      guard done == sharding.count else { return nil }
      for (index, row) in rows.enumerated() {
        for filter in 0..<filters {
          let activation = activations[index * filters + filter]
          sums[filter] += activation
          if activation > 0 { active[filter] += 1 }
          if best[filter].count == keep, let last = best[filter].last, activation <= last.activation {
            continue
          }
          let peak = Int(peaks[index * filters + filter])
          let example = Example(
            row: row, activation: activation,
            peak: hasMaps ? Place(row: peak / width, column: peak % width) : nil)
          let place = best[filter].firstIndex { $0.activation < activation } ?? best[filter].count
          best[filter].insert(example, at: place)
          if best[filter].count > keep { best[filter].removeLast() }
        }
      }
      progress(min(first + Self.chunk, dataset.count))
    }
    self.layer = layer
    examples = best
    means = sums.map { $0 / Double(dataset.count) }
    activeCounts = active
    sampleCount = dataset.count
  }

  /// An example's picture with the receptive field of its map's largest value framed.
  public static func picture(
    _ image: Image, _ example: Example, layer: String, in network: ResolvedNetwork, scale: Int = 1
  ) -> Image {
    var result = image.converted(to: .rgb).enlarged(by: scale)
    guard let peak = example.peak,
      let field = ReceptiveField(row: peak.row, column: peak.column, of: layer, in: network)
    else { return result }
    result.frame(
      rows: field.rows.lowerBound * scale..<field.rows.upperBound * scale,
      columns: field.columns.lowerBound * scale..<field.columns.upperBound * scale, color: [255, 80, 60])
    return result
  }
}
