internal import Insight
internal import Networks
internal import Reporting
internal import Training

extension GalleryLook: RunnableLook {
  func run(in context: LookContext) throws -> LookResult {
    let dataset = try context.open(data)
    var settings = gallery
    settings.ascent.seed = context.seed
    let start = try context.pixels(of: settings.ascent.start)
    let stop = context.stop
    let line = StatusLine()
    let gallery = try Gallery(
      of: context.subject, dataset, settings, start: start, pool: context.pool, while: { !stop.isRequested },
      progress: { layer in
        context.log("layer \(layer)")
        line.update("gallery: \(layer)")
      })
    line.finish()
    guard let gallery else { throw context.stopped("the layers", isKept: false) }
    let file = try context.folder.write(try gallery.html(title: context.title), as: "gallery.html")
    let layers = gallery.rooms.map { room in
      GalleryFindings.Layer(layer: room.layer.name, filters: room.filters.map(GalleryFindings.Filter.init))
    }
    return LookResult(
      name: "gallery", findings: GalleryFindings(page: ResultPath(file), layers: layers), lines: [file])
  }
}

/// What the filters of all layers respond to.
private struct GalleryFindings: Encodable {
  struct Filter: Encodable {
    let filter: Int
    let activation: Double
    let mean: Double
    let activeShare: Double

    init(_ filter: Gallery.Filter) {
      self.filter = filter.index
      activation = filter.maximum.activation
      mean = filter.mean
      activeShare = filter.activeShare
    }
  }

  struct Layer: Encodable {
    let layer: String
    let filters: [Filter]
  }

  let page: ResultPath
  let layers: [Layer]
}
