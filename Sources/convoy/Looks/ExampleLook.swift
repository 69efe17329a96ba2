internal import Compute
internal import Datasets
internal import ImageFiles
internal import Insight
internal import Networks
internal import Reporting
internal import Tensors
internal import Texts
internal import Training

extension ExampleLook: RunnableLook {
  func run(in context: LookContext) throws -> LookResult {
    let subject = context.subject
    let layer = try layer.map { try subject.layer($0) } ?? subject.lastFeatureLayer()
    let filters = try filters.numbers(
      below: layer.outputShape.dimensions.last ?? 0, of: layer.name,
      word: layer.outputShape.rank == 1 ? "unit" : "filter")
    let dataset = try context.open(data)
    if let handling = dataset.origin?.texts {
      return try phrases(of: dataset, handling, layer, filters, in: context)
    }
    let progress = TerminalOutput.progressLine()
    let stop = context.stop
    let found = try TopExamples(
      dataset, layer: layer.name, in: subject, keep: top, by: ranking ?? .sum, pool: context.pool,
      while: { !stop.isRequested },
      progress: { done in
        progress.update(
          ProgressReading(title: "examples", done: done, total: dataset.count), now: TerminalOutput.seconds)
      })
    progress.finish()
    guard let found else { throw context.stopped("the samples", isKept: false) }
    func label(_ example: TopExamples.Example) -> String? {
      let caption = subject.caption(row: example.row, of: dataset)
      return caption.isEmpty ? nil : caption
    }
    var tiles: [PictureSheet.Tile] = []
    for filter in filters {
      for example in found.examples[filter] {
        let picture = subject.picture(try dataset.pixels(row: example.row, for: subject))
        let side = max(picture.height, picture.width)
        let scale = max(1, (72 + side / 2) / side)
        tiles.append(
          PictureSheet.Tile(
            context.oriented(
              TopExamples.picture(picture, example, layer: layer.name, in: subject.network, scale: scale)),
            [
              "\(filter): \(NumberText.short(example.activation))",
              subject.drawnCaption(row: example.row, of: dataset),
            ]))
      }
    }
    let title = "\(layer.name): the images that excite each filter most, out of \(dataset.count)"
    let path = try context.folder.write(
      PictureSheet(title: title, tiles: tiles, columns: min(top, dataset.count), scale: 1).picture(),
      as: "examples-\(layer.name)")
    let dead = filters.filter { found.activeCounts[$0] == 0 }
    return LookResult(
      name: "examples-\(layer.name)",
      findings: ExampleFindings(
        layer: layer.name, data: ResultPath(dataset.path), samples: dataset.count, picture: ResultPath(path),
        dead: dead,
        filters: filters.map { filter in
          ExampleFindings.Filter(
            filter: filter, mean: found.means[filter], activeSamples: found.activeCounts[filter],
            examples: found.examples[filter].map { example in
              ExampleFindings.Example(
                row: example.row, label: label(example), activation: example.activation,
                receptiveField: receptiveField(of: example, layer.name, subject.network))
            })
        }),
      lines: [title]
        + (dead.isEmpty ? [] : ["never active: \(dead.map(String.init).joined(separator: ", "))"]) + [path],
      pictures: zip(filters.flatMap { filter in found.examples[filter].map { _ in filter } }, tiles).map {
        ($1.image, "\($0) \($1.labels[1])")
      })
  }

  private func receptiveField(
    of example: TopExamples.Example, _ layer: String, _ network: ResolvedNetwork
  ) -> ExampleFindings.Field? {
    example.peak.flatMap { ReceptiveField(row: $0.row, column: $0.column, of: layer, in: network) }.map {
      ExampleFindings.Field(
        top: $0.rows.lowerBound, bottom: $0.rows.upperBound, left: $0.columns.lowerBound,
        right: $0.columns.upperBound)
    }
  }
}

/// The samples that excite the filters of a layer.
private struct ExampleFindings: Encodable {
  /// Rows and columns of the image, the upper ends not included.
  struct Field: Encodable {
    let top: Int
    let bottom: Int
    let left: Int
    let right: Int
  }

  struct Example: Encodable {
    let row: Int
    /// The sample's class, labels or numbers; left out where the file has none.
    let label: String?
    let activation: Double
    /// The field that the most active place sees; left out for units.
    let receptiveField: Field?
  }

  struct Filter: Encodable {
    let filter: Int
    let mean: Double
    let activeSamples: Int
    let examples: [Example]
  }

  let layer: String
  let data: ResultPath
  let samples: Int
  let picture: ResultPath
  /// Filters that no sample excites.
  let dead: [Int]
  let filters: [Filter]
}

extension LookContext {
  /// Opens a dataset's samples with their labels or targets, or alone where the file has neither.
  ///
  /// It warns of samples of another kind than those that the network was trained on.
  func open(_ data: DataSource) throws -> ImageDataset {
    let dataset = try checkpoint.matched(data.open(for: subject.criterion))
    try checkpoint.warnOfPixels(dataset)
    return dataset
  }
}

extension DataSource {
  fileprivate func open(for criterion: Criterion) throws -> ImageDataset {
    guard let labels else {
      return try ImageDataset(path: file, images: images, target: targetBesideImages(criterion))
    }
    do {
      return try ImageDataset(path: file, images: images, target: .labels(labels))
    } catch let error as DatasetError where error.kind == .badData {
      guard let dataset = try? ImageDataset(path: file, images: images, target: .values(labels)) else {
        throw error
      }
      return dataset
    }
  }

  /// The dataset `labels` or `targets` in the images' group, first the one that the network was trained on.
  private func targetBesideImages(_ criterion: Criterion) -> TargetName? {
    guard images.hasSuffix("images"), let contents = try? DatasetFile(file) else { return nil }
    let group = images.dropLast("images".count)
    let known = Set(contents.splits.map(\.target.name) + contents.others)
    let both = [TargetName.labels("\(group)labels"), .values("\(group)targets")]
    return (criterion.targets == .values ? both.reversed() : both).first { known.contains($0.name) }
  }
}
