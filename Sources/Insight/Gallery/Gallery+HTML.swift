internal import Compute
internal import Foundation
internal import ImageFiles
internal import Mustache
internal import Networks
internal import Tensors

extension Gallery {
  /// The gallery as one self-contained HTML page, which can be read without scripts: they only switch the image that flows.
  public func html(title: String) throws -> String {
    let page = GalleryPage(
      title: title, samples: "\(sampleCount)", data: dataName, inputShape: "\(network.inputShape)",
      parameters: "\(network.parameterCount)",
      inputs: try inputs.enumerated().map { index, input in
        GalleryPage.Input(
          index: "\(index)", image: try uri(input.picture),
          label: input.label.isEmpty ? "row \(input.row)" : input.label, row: "\(input.row)",
          pressed: index == 0 ? "true" : "false")
      },
      verdict: inputs.first.map(verdict) ?? "", rooms: try rooms.enumerated().map { try room($0, $1) },
      script: try script())
    return try MustacheTemplate(string: GalleryTemplate.text).render(page)
  }

  private func room(_ index: Int, _ room: Room) throws -> GalleryPage.Room {
    let name = room.layer.name
    let parameters = room.layer.parameterCount
    var about = "\(room.layer.spec.word) \u{2192} \(room.layer.outputShape)"
    if parameters > 0 { about += ", \(counted(parameters, "parameter"))" }
    let field = ReceptiveField.size(of: name, in: network)
    if room.layer.outputShape.rank == 3, let field {
      about += ", each place sees \(field.height)\u{00D7}\(field.width) pixels"
    }
    let shown = room.filters.count
    return GalleryPage.Room(
      name: name, about: about, kind: room.layer.spec.word, shape: "\(room.layer.outputShape)",
      from: room.layer.layer.inputs.joined(separator: ", "), follows: follows(index),
      isLearned: !room.filters.isEmpty,
      isMap: room.layer.outputShape.rank == 3, flow: try room.flow.first.map(uri) ?? "",
      hasFlow: !room.flow.isEmpty,
      flowWidth: "\(min(960, max(120, (room.flow.first?.width ?? 1) * 3)))",
      previous: rooms[index].layer.layer.inputs.filter { $0 != Network.inputName },
      next: rooms.filter { $0.layer.layer.inputs.contains(name) }.map(\.layer.name),
      more: shown < room.filterCount && shown > 0 ? "The first \(shown) of \(room.filterCount)." : "",
      filters: try room.filters.map(filter))
  }

  private func follows(_ index: Int) -> Bool {
    rooms[index].layer.layer.inputs == [index > 0 ? rooms[index - 1].layer.name : Network.inputName]
  }

  private func filter(_ filter: Filter) throws -> GalleryPage.Filter {
    return GalleryPage.Filter(
      label: filter.label, hasKernel: filter.kernel != nil, kernel: try filter.kernel.map(uri) ?? "",
      maximum: try uri(filter.maximumPicture), activation: Self.short(filter.maximum.activation),
      mean: Self.short(filter.mean), share: "\(Int((filter.activeShare * 100).rounded()))",
      isDead: filter.activeShare == 0,
      examples: try filter.examples.map { example in
        GalleryPage.Example(
          image: try uri(example.picture),
          text: "\(Self.name(example.label, example.row)): \(Self.short(example.activation))")
      })
  }

  private func verdict(_ input: Input) -> String {
    let values = input.verdict.map { name, value in
      givesProbabilities
        ? "\(name) \(String(format: "%.1f", value * 100))%" : "\(name) = \(Self.short(value))"
    }
    let verb =
      switch task {
      case .classes: "is taken for"
      case .labels: "is said to have"
      case .values: "gives"
      }
    return "\(Self.name(input.label, input.row)), \(verb) \(values.joined(separator: ", "))"
  }

  /// A sample by what it is and its row.
  private static func name(_ label: String, _ row: Int) -> String {
    label.isEmpty ? "row \(row)" : "\(label), row \(row)"
  }

  /// The pictures of every input at each layer, for the page's script.
  private func script() throws -> String {
    var flows: [String: [String]] = [:]
    for room in rooms { flows[room.layer.name] = try room.flow.map(uri) }
    let text = try JSONWriter().text(GalleryPage.Script(flows: flows, verdicts: inputs.map(verdict)))
    // Between script tags `</script` and `<!--` have a meaning, and a class may be called anything: JSON can do without `<`.
    return text.replacingOccurrences(of: "<", with: "\\u003C")
  }

  private func uri(_ image: Image) throws -> String {
    "data:image/png;base64," + Data(try PNG.encode(image)).base64EncodedString()
  }

  private static func short(_ number: Double) -> String {
    abs(number) >= 100 ? String(format: "%.0f", number) : String(format: "%.2f", number)
  }
}

/// What the gallery's template shows, under the names that it uses.
private struct GalleryPage {
  struct Input {
    let index: String
    let image: String
    let label: String
    let row: String
    let pressed: String
  }

  struct Room {
    let name: String
    let about: String
    let kind: String
    let shape: String
    let from: String
    /// Whether the layer takes what the one before it gives and nothing else.
    let follows: Bool
    let isLearned: Bool
    let isMap: Bool
    let flow: String
    let hasFlow: Bool
    let flowWidth: String
    /// The layers that it takes.
    let previous: [String]
    /// The layers that take it.
    let next: [String]
    let more: String
    let filters: [Filter]
  }

  struct Filter {
    let label: String
    let hasKernel: Bool
    let kernel: String
    let maximum: String
    let activation: String
    let mean: String
    let share: String
    let isDead: Bool
    let examples: [Example]
  }

  struct Example {
    let image: String
    let text: String
  }

  /// The page's script reads it.
  struct Script: Encodable {
    /// By layer, its picture for every input.
    let flows: [String: [String]]
    let verdicts: [String]
  }

  let title: String
  let samples: String
  let data: String
  let inputShape: String
  let parameters: String
  let inputs: [Input]
  let verdict: String
  let rooms: [Room]
  let script: String
}
