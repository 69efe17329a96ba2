internal import Datasets
internal import ImageFiles
internal import Insight
internal import Networks
internal import Reporting
internal import Tensors
internal import Texts
internal import Training

extension FilterLook: RunnableLook {
  func run(in context: LookContext) throws -> LookResult {
    let pictures = try FilterPictures(of: context.subject, layer: layer)
    let name = pictures.layer.name
    let filters = try filters.numbers(below: pictures.count, of: name)
    let channels = context.checkpoint.identity.channelNames
    if !channels.isEmpty, pictures.inputChannels == channels.count, pictures.readsInput {
      return try named(pictures, filters, channels, in: context)
    }
    let tiles = filters.map { PictureSheet.Tile(context.oriented(pictures.picture($0)), ["\($0)"]) }
    let title =
      "\(name): \(pictures.count) kernels, full contrast at \(NumberText.short(Double(pictures.largest)))"
    let path = try context.folder.write(
      PictureSheet(title: title, tiles: tiles).picture(), as: "filters-\(name)")
    return LookResult(
      name: "filters-\(name)",
      findings: FilterFindings(
        layer: name, filters: filters, inputChannels: pictures.inputChannels,
        largestWeight: Double(pictures.largest), picture: ResultPath(path)), lines: [title, path],
      pictures: zip(filters, tiles).map { ($1.image.enlarged(by: 4), "\($0)") })
  }
}

extension FilterLook {
  /// What filters look for in channels that have names: for each filter the channels in which it is strongest.
  private func named(
    _ pictures: FilterPictures, _ filters: [Int], _ channels: [String], in context: LookContext
  ) throws -> LookResult {
    let name = pictures.layer.name
    let shown = min(5, channels.count)
    var tiles: [PictureSheet.Tile] = []
    var lines: [String] = []
    for filter in filters {
      let strongest = pictures.strongestChannels(filter, count: shown)
      tiles += strongest.map { channel in
        PictureSheet.Tile(pictures.picture(filter, channel: channel), ["\(filter): \(channels[channel])"])
      }
      let words = strongest.prefix(3).map { channel in
        let peak = pictures.peak(filter, channel: channel)
        return
          "\(channels[channel]) \(NumberText.short(Double(peak.weight))) \(Self.place(peak.down, peak.right))"
      }
      lines.append("\(filter): \(words.joined(separator: "; "))")
    }
    let title =
      "\(name): the \(shown) strongest channels of each filter; red above 0, blue below, full colour at \(NumberText.short(Double(pictures.largest)))"
    let path = try context.folder.write(
      PictureSheet(title: title, tiles: tiles, columns: shown, scale: 14).picture(), as: "filters-\(name)")
    return LookResult(
      name: "filters-\(name)",
      findings: FilterFindings(
        layer: name, filters: filters, inputChannels: pictures.inputChannels,
        largestWeight: Double(pictures.largest), picture: ResultPath(path)), lines: [title] + lines + [path])
  }

  /// Where a weight lies, seen from the kernel's centre.
  private static func place(_ down: Int, _ right: Int) -> String {
    if down == 0, right == 0 { return "on the point" }
    let rows = down == 0 ? [] : ["\(abs(down)) \(down > 0 ? "below" : "above")"]
    let columns = right == 0 ? [] : ["\(abs(right)) \(right > 0 ? "right" : "left")"]
    return (rows + columns).joined(separator: ", ")
  }
}

/// The kernels of a convolution.
private struct FilterFindings: Encodable {
  let layer: String
  let filters: [Int]
  let inputChannels: Int
  let largestWeight: Double
  let picture: ResultPath
}

extension MapLook: RunnableLook {
  func run(in context: LookContext) throws -> LookResult {
    let subject = context.subject
    let name = try subject.layerWithMaps(layer).name
    let (picture, pixels) = try context.prepared(image)
    let maps = try FeatureMaps(of: pixels, layer: name, in: subject)
    let filters = try filters.numbers(below: maps.count, of: name)
    let tiles = filters.map { filter in
      PictureSheet.Tile(
        context.oriented(maps.picture(filter, shared: contrast == .shared)),
        ["\(filter)", "sum \(NumberText.short(maps.degree(filter)))"])
    }
    let title = "\(name): maps of \(maps.height)x\(maps.width), with the sum over each"
    let sheet = PictureSheet(
      title: title, tiles: [PictureSheet.Tile(context.oriented(picture), ["image"])] + tiles)
    let path = try context.folder.write(sheet.picture(), as: "maps-\(name)")
    var table = Table([
      Table.Column("filter", .trailing), Table.Column("degree", .trailing),
      Table.Column("largest", .trailing),
    ])
    let ranked = filters.sorted { (maps.degree($1), $0) < (maps.degree($0), $1) }
    for filter in ranked.prefix(10) {
      table.add([
        "\(filter)", NumberText.short(maps.degree(filter)),
        NumberText.short(Double(maps.map(filter).max() ?? 0)),
      ])
    }
    let terminal = TerminalOutput.standardOutput
    return LookResult(
      name: "maps-\(name)",
      findings: MapFindings(
        layer: name, image: ResultPath(image.path), height: maps.height, width: maps.width,
        picture: ResultPath(path),
        maps: filters.map { MapFindings.Map(filter: $0, degree: maps.degree($0)) }),
      lines: ["\(title); the most active:"]
        + table.lines(width: terminal.tableWidth, unicode: terminal.hasUnicode) + [path],
      pictures: zip(filters, tiles).map { ($1.image, "\($0): \(NumberText.short(maps.degree($0)))") })
  }
}

/// How strongly a layer's filters respond to an image.
private struct MapFindings: Encodable {
  struct Map: Encodable {
    let filter: Int
    /// The sum over the map.
    let degree: Double
  }

  let layer: String
  let image: ResultPath
  let height: Int
  let width: Int
  let picture: ResultPath
  let maps: [Map]
}

extension ExplainLook: RunnableLook {
  func run(in context: LookContext) throws -> LookResult {
    let subject = context.subject
    if let handling = context.checkpoint.identity.origin?.texts { return try words(handling, in: context) }
    let (picture, pixels) = try context.prepared(image)
    let settings = Explanation.Settings(
      classIndex: try classText.map { try subject.classIndex($0) }, layer: layer, patch: patch, stride: stride
    )
    let explanation = try Explanation(of: pixels, in: subject, settings, pool: context.pool)
    let name = TextWidth.printable(subject.classNames[explanation.classIndex])
    let isProbability = subject.criterion.givesProbabilities
    let value = explanation.outputs[explanation.classIndex]
    let side = max(picture.height, picture.width)
    let large = context.oriented(picture).enlarged(by: max(1, (168 + side / 2) / side))
    var tiles = [PictureSheet.Tile(large.converted(to: .rgb), ["image", ""])]
    func draw(_ map: Explanation.Map, _ word: String) throws -> ExplanationFindings.Map {
      let drawn = context.oriented(map).drawn(over: large)
      tiles.append(PictureSheet.Tile(drawn, [word, "most \(NumberText.short(Double(map.largest)))"]))
      let path = try context.folder.write(drawn, as: "explain-\(word)")
      return ExplanationFindings.Map(
        picture: ResultPath(path), height: map.height, width: map.width, largest: Double(map.largest),
        values: map.values.map { Double($0) }, rows: map.places?.rows.map { Double($0) },
        columns: map.places?.columns.map { Double($0) })
    }
    let saliency = try draw(explanation.saliency, "saliency")
    let gradCAM = try explanation.gradCAM.map { try draw($0, "grad-cam") }
    let occlusion = try draw(explanation.occlusion, "occlusion")
    let title =
      isProbability
      ? "\(name): p \(NumberText.fixed(value, 4))" : "\(name): \(NumberText.short(value))"
    let path = try context.folder.write(
      PictureSheet(
        title: BitmapFont.canDraw(title) ? title : "\(subject.outputNoun) \(explanation.classIndex)",
        tiles: tiles,
        columns: tiles.count, scale: 1
      ).picture(), as: "explain")
    return LookResult(
      name: "explain",
      findings: ExplanationFindings(
        image: ResultPath(image.path), class: subject.classNames[explanation.classIndex],
        probability: isProbability ? value : nil,
        probabilities: isProbability ? explanation.outputs : nil, value: isProbability ? nil : value,
        values: isProbability ? nil : explanation.outputs, classes: subject.classNames,
        picture: ResultPath(path),
        saliency: saliency, gradCAM: gradCAM, occlusion: occlusion), lines: [title, path],
      pictures: tiles.map { ($0.image, $0.labels[0]) })
  }
}

/// The parts of an image that a network's answer rests on.
private struct ExplanationFindings: Encodable {
  struct Map: Encodable {
    let picture: ResultPath
    let height: Int
    let width: Int
    let largest: Double
    /// The values, row by row.
    let values: [Double]
    /// Where the middles of the rows and columns lie in the image, in pixels from the middle of the first one; left out where the map
    /// is the image at another size.
    let rows: [Double]?
    let columns: [Double]?
  }

  let image: ResultPath
  let `class`: String
  /// The probability of the class or label; left out for numbers.
  let probability: Double?
  /// The probability of each class or label.
  let probabilities: [Double]?
  /// The number; left out for classes and labels.
  let value: Double?
  /// All outputs that are numbers.
  let values: [Double]?
  let classes: [String]
  let picture: ResultPath
  let saliency: Map
  /// Left out for networks without a layer that gives maps.
  let gradCAM: Map?
  let occlusion: Map
}
