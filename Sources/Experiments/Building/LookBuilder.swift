internal import Insight
internal import Settings

/// Makes a look of resolved values, which the schema has already checked.
///
/// Everything returns nil where a value is missing, which only happens while there are errors to report.
struct LookBuilder {
  let seed: UInt64
  /// Whether large images are wanted.
  let large: Bool

  func look(_ job: ResolvedValue) -> Look? {
    guard let values = job.payload else { return nil }
    switch job.kind {
    case "filters":
      return which(values).map { .filters(FilterLook(layer: name(values["layer"]), filters: $0)) }
    case "maps": return maps(values).map { .maps($0) }
    case "examples": return examples(values).map { .examples($0) }
    case "maximize": return maximize(values).map { .maximize($0) }
    case "gallery": return gallery(values).map { .gallery($0) }
    case "explain": return explain(values).map { .explain($0) }
    case "dream": return dream(values).map { .dream($0) }
    case "style": return style(values).map { .style($0) }
    default: return nil
    }
  }

  // MARK: - Parts

  /// A value of an `.optional(word: "auto", …)` of text.
  private func name(_ value: ResolvedValue?) -> String? {
    value?.text.flatMap { $0 == "auto" ? nil : $0 }
  }

  private func which(_ values: ResolvedValue) -> NumberList? {
    values["which"]?.text.flatMap { try? NumberList($0) }
  }

  private func image(_ value: ResolvedValue?) -> ImageSource? {
    value?.text.map { ImageSource($0, isLarge: large) }
  }

  private func data(_ value: ResolvedValue?) -> DataSource? {
    guard let value, let file = value["file"]?.text, let images = value["images"]?.text,
      let labels = value["labels"]?.text
    else { return nil }
    return DataSource(file: file, images: images, labels: labels)
  }

  /// None for `auto`.
  private func layers(_ value: ResolvedValue?) -> [WeightedLayer] {
    (value?.list ?? []).compactMap { entry in
      guard let name = entry["name"]?.text, let weight = entry["weight"]?.number else { return nil }
      return WeightedLayer(name, weight)
    }
  }

  // MARK: - Looking

  private func maps(_ values: ResolvedValue) -> MapLook? {
    guard let image = image(values["image"]), let which = which(values) else { return nil }
    return MapLook(
      image: image, layer: name(values["layer"]), filters: which,
      sharesContrast: values["contrast"]?.text == "shared")
  }

  private func examples(_ values: ResolvedValue) -> ExampleLook? {
    guard let data = data(values["data"]), let which = which(values), let top = values["top"]?.integer else {
      return nil
    }
    return ExampleLook(data: data, layer: name(values["layer"]), filters: which, top: top)
  }

  private func explain(_ values: ResolvedValue) -> ExplainLook? {
    image(values["image"]).map {
      ExplainLook(
        image: $0, classText: name(values["class"]), layer: name(values["layer"]),
        patch: values["patch"]?.integer, stride: values["stride"]?.integer)
    }
  }

  // MARK: - Ascent

  private func maximize(_ values: ResolvedValue) -> MaximizeLook? {
    guard let target = values["target"].flatMap(target), let (ascent, start) = ascent(values) else {
      return nil
    }
    return MaximizeLook(target: target, ascent: ascent, start: start)
  }

  private func gallery(_ values: ResolvedValue) -> GalleryLook? {
    guard let data = data(values["data"]), let filters = values["filters"]?.integer,
      let top = values["top"]?.integer, let inputs = values["inputs"]?.integer,
      let (ascent, start) = ascent(values)
    else { return nil }
    return GalleryLook(
      data: data, settings: Gallery.Settings(ascent: ascent, filters: filters, examples: top, inputs: inputs),
      start: start)
  }

  private func ascent(_ values: ResolvedValue) -> (AscentSettings, ImageSource?)? {
    guard let steps = values["steps"]?.integer,
      let rule = values["optimizer"]?.text.flatMap(AscentRule.init(rawValue:)),
      let l1 = values["l1"]?.number, let l2 = values["l2"]?.number,
      let variation = values["total_variation"]?.number, let blur = values["blur"]?.number,
      let start = values["start"], let attempts = values["attempts"]?.integer
    else { return nil }
    let begin: ImageStart =
      switch start.kind {
      case "grey": .grey
      case "black": .black
      default: .noise
      }
    let settings = AscentSettings(
      steps: steps, rule: rule, rate: values["rate"]?.number,
      prior: ImagePrior(l1: l1, l2: l2, totalVariation: variation),
      parameterization: values["parameterization"]?.text.flatMap(ImageParameterization.init(rawValue:)),
      start: begin, jitter: values["jitter"]?.integer, scale: values["scale"]?.number,
      rotation: values["rotation"]?.number, blur: blur, seed: seed, warmUp: values["warm_up"]?.integer,
      attempts: attempts)
    return (settings, start.kind == "image" ? image(start.payload) : nil)
  }

  private func target(_ value: ResolvedValue) -> TargetChoice? {
    guard let values = value.payload else { return nil }
    if value.kind == "classes" {
      return values["which"]?.text.map { TargetChoice.classes(named: $0) }
    }
    guard let layer = values["layer"]?.text, let which = which(values) else { return nil }
    return value.kind == "filters" ? .filters(layer: layer, which) : .neurons(layer: layer, which)
  }

  // MARK: - Pictures

  private func dream(_ values: ResolvedValue) -> DreamLook? {
    guard let image = image(values["image"]), let steps = values["steps"]?.integer,
      let rate = values["rate"]?.number, let octaves = values["octaves"]?.integer,
      let scale = values["octave_scale"]?.number, let jitter = values["jitter"]?.integer,
      let tile = values["tile"]?.integer, let frames = values["frames"]?.integer,
      let zoom = values["zoom"]?.number, let saveEvery = values["save_every"]?.number
    else { return nil }
    var dream = Dream(layers: layers(values["layers"]))
    (dream.steps, dream.rate, dream.octaves, dream.octaveScale) = (steps, rate, octaves, scale)
    (dream.jitter, dream.tile, dream.frames, dream.zoom, dream.seed) = (jitter, tile, frames, zoom, seed)
    let guide = values["guide"]
    return DreamLook(
      image: image, guide: guide?.text == "none" ? nil : self.image(guide), size: values["size"]?.integer,
      dream: dream, saveEvery: saveEvery)
  }

  private func style(_ values: ResolvedValue) -> StyleLook? {
    guard let content = image(values["content"]), let style = image(values["style"]),
      let size = values["size"]?.integer, let steps = values["steps"]?.integer,
      let optimizer = values["optimizer"], let variation = values["total_variation"]?.number,
      let start = values["start"], let keepsColour = values["keep_colour"]?.boolean,
      let saveEvery = values["save_every"]?.number
    else { return nil }
    var look = StyleLook(content: content, style: style)
    (look.size, look.styleSize, look.steps) = (size, values["style_size"]?.integer, steps)
    if let rate = optimizer.payload?["rate"]?.number { look.rule = .adam(rate: rate) }
    look.contentLayers = layers(values["content_layers"])
    look.styleLayers = layers(values["style_layers"])
    look.contentWeight = values["content_weight"]?.number
    look.styleWeight = values["style_weight"]?.number
    (look.totalVariation, look.keepsColour, look.seed) = (variation, keepsColour, seed)
    (look.pictureEvery, look.saveEvery) = (values["picture_every"]?.integer, saveEvery)
    look.usesExactKernels = values["kernels"]?.text == "direct"
    switch start.kind {
    case "noise": look.start = .noise
    case "image":
      guard let image = image(start.payload) else { return nil }
      look.start = .image(image)
    default: break
    }
    return look
  }
}
