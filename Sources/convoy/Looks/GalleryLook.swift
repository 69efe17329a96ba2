internal import Insight
internal import Networks
internal import Reporting
internal import Training

extension GalleryLook: LookJob {
  func run(in context: LookContext) throws -> LookResult {
    let dataset = try data.open()
    var settings = settings
    if let start { settings.ascent.start = .image(try start.prepared(for: context.subject).pixels) }
    let stop = context.stop
    let line = StatusLine()
    let gallery = try Gallery(
      of: context.subject, dataset, settings, pool: context.pool, while: { !stop.isRequested },
      progress: { layer in
        context.log("layer \(layer)")
        line.update("gallery: \(layer)")
      })
    line.finish()
    guard let gallery else { throw context.stopped("the layers", isKept: false) }
    let file = try context.folder.write(try gallery.html(title: context.title), as: "gallery.html")
    let rooms = gallery.rooms.map { room -> [String: Any] in
      [
        "layer": room.layer.name,
        "filters": room.filters.map { filter in
          [
            "filter": filter.index, "activation": filter.maximum.activation, "mean": filter.mean,
            "active_share": filter.activeShare,
          ] as [String: Any]
        },
      ]
    }
    return LookResult(name: "gallery", object: ["page": file, "layers": rooms], text: file)
  }
}
