internal import Foundation
internal import ImageFiles
internal import Mustache
internal import Networks
internal import Tensors

extension Gallery {
  /// The gallery as one self-contained HTML page; readable without scripts, which only switch the image that flows.
  public func html(title: String) throws -> String {
    let page = GalleryPage(
      title: title, samples: "\(sampleCount)", data: dataName, inputShape: "\(network.inputShape)",
      parameters: "\(network.parameterCount)",
      inputs: try inputs.enumerated().map { index, input in
        GalleryPage.Input(
          index: "\(index)", image: try uri(input.picture), label: input.label, row: "\(input.row)",
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
    if parameters > 0 { about += ", \(parameters) parameters" }
    let field = ReceptiveField.size(of: name, in: network)
    if room.layer.outputShape.rank == 3, let field {
      about += ", each place sees \(field.height)\u{00D7}\(field.width) pixels"
    }
    let shown = room.filters.count
    return GalleryPage.Room(
      name: name, about: about, kind: room.layer.spec.word, shape: "\(room.layer.outputShape)",
      from: room.layer.layer.inputs.joined(separator: ", "), isLearned: !room.filters.isEmpty,
      isMap: room.layer.outputShape.rank == 3, flow: try room.flow.first.map(uri) ?? "",
      hasFlow: !room.flow.isEmpty,
      flowWidth: "\(min(960, max(120, (room.flow.first?.width ?? 1) * 3)))",
      previous: index > 0 ? rooms[index - 1].layer.name : "", hasPrevious: index > 0,
      next: index + 1 < rooms.count ? rooms[index + 1].layer.name : "", hasNext: index + 1 < rooms.count,
      more: shown < room.filterCount && shown > 0 ? "The first \(shown) of \(room.filterCount)." : "",
      filters: try room.filters.map(filter))
  }

  private func filter(_ filter: Filter) throws -> GalleryPage.Filter {
    let maximum = Picture.image(filter.maximum.image, shape: network.inputShape)
    return GalleryPage.Filter(
      label: filter.label, hasKernel: filter.kernel != nil, kernel: try filter.kernel.map(uri) ?? "",
      maximum: try uri(maximum), activation: Self.short(filter.maximum.activation),
      mean: Self.short(filter.mean), share: "\(Int((filter.activeShare * 100).rounded()))",
      isDead: filter.activeShare == 0,
      examples: try filter.examples.map { example in
        GalleryPage.Example(
          image: try uri(example.picture),
          text: "\(example.label), row \(example.row): \(Self.short(example.activation))")
      })
  }

  private func verdict(_ input: Input) -> String {
    let classes = input.verdict.map { "\($0.name) \(String(format: "%.1f", $0.probability * 100))%" }
    return "\(input.label), row \(input.row), is taken for \(classes.joined(separator: ", "))"
  }

  /// The pictures of every input's way, for the page's script.
  private func script() throws -> String {
    var flows: [String: [String]] = [:]
    for room in rooms { flows[room.layer.name] = try room.flow.map(uri) }
    let text = try JSONWriter().text(GalleryPage.Script(flows: flows, verdicts: inputs.map(verdict)))
    // A class could be named so that it ends the script.
    return text.replacingOccurrences(of: "</", with: "<\\/")
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
    let isLearned: Bool
    let isMap: Bool
    let flow: String
    let hasFlow: Bool
    let flowWidth: String
    let previous: String
    let hasPrevious: Bool
    let next: String
    let hasNext: Bool
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
    /// Of each layer what it makes of every input.
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
