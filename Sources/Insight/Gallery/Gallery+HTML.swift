internal import Foundation
internal import ImageFiles
internal import Mustache
internal import Networks
internal import Tensors

extension Gallery {
  /// The gallery as one self-contained HTML page; readable without scripts, which only switch the image that flows.
  public func html(title: String) throws -> String {
    let page: [String: Any] = [
      "title": title, "samples": "\(sampleCount)", "data": dataName,
      "inputShape": "\(network.inputShape)", "parameters": "\(network.parameterCount)",
      "inputs": try inputs.enumerated().map { index, input in
        [
          "index": "\(index)", "image": try uri(input.picture), "label": input.label, "row": "\(input.row)",
          "pressed": index == 0 ? "true" : "false",
        ]
      },
      "verdict": inputs.first.map(verdict) ?? "",
      "rooms": try rooms.enumerated().map { try room($0, $1) },
      "script": try script(),
    ]
    return try MustacheTemplate(string: GalleryTemplate.text).render(page)
  }

  private func room(_ index: Int, _ room: Room) throws -> [String: Any] {
    let name = room.layer.name
    let parameters = room.layer.parameterCount
    var about = "\(room.layer.spec.word) \u{2192} \(room.layer.outputShape)"
    if parameters > 0 { about += ", \(parameters) parameters" }
    let field = ReceptiveField.size(of: name, in: network)
    if room.layer.outputShape.rank == 3, let field {
      about += ", each place sees \(field.height)\u{00D7}\(field.width) pixels"
    }
    let shown = room.filters.count
    return [
      "name": name, "about": about, "kind": room.layer.spec.word, "shape": "\(room.layer.outputShape)",
      "from": room.layer.layer.inputs.joined(separator: ", "), "isLearned": !room.filters.isEmpty,
      "isMap": room.layer.outputShape.rank == 3,
      "flow": try room.flow.first.map(uri) ?? "", "hasFlow": !room.flow.isEmpty,
      "flowWidth": "\(min(960, max(120, (room.flow.first?.width ?? 1) * 3)))",
      "previous": index > 0 ? rooms[index - 1].layer.name : "", "hasPrevious": index > 0,
      "next": index + 1 < rooms.count ? rooms[index + 1].layer.name : "",
      "hasNext": index + 1 < rooms.count,
      "more": shown < room.filterCount && shown > 0 ? "The first \(shown) of \(room.filterCount)." : "",
      "filters": try room.filters.map(filter),
    ]
  }

  private func filter(_ filter: Filter) throws -> [String: Any] {
    let maximum = Picture.image(filter.maximum.image, shape: network.inputShape)
    return [
      "label": filter.label, "hasKernel": filter.kernel != nil, "kernel": try filter.kernel.map(uri) ?? "",
      "maximum": try uri(maximum), "activation": Self.short(filter.maximum.activation),
      "mean": Self.short(filter.mean), "share": "\(Int((filter.activeShare * 100).rounded()))",
      "isDead": filter.activeShare == 0,
      "examples": try filter.examples.map { example in
        [
          "image": try uri(example.picture),
          "text": "\(example.label), row \(example.row): \(Self.short(example.activation))",
        ]
      },
    ]
  }

  private func verdict(_ input: Input) -> String {
    let classes = input.verdict.map { "\($0.name) \(String(format: "%.1f", $0.probability * 100))%" }
    return "\(input.label), row \(input.row), is taken for \(classes.joined(separator: ", "))"
  }

  /// The pictures of every input's way, for the page's script.
  private func script() throws -> String {
    var flows: [String: [String]] = [:]
    for room in rooms { flows[room.layer.name] = try room.flow.map(uri) }
    let data = try JSONSerialization.data(
      withJSONObject: ["flows": flows, "verdicts": inputs.map(verdict)] as [String: Any],
      options: [.sortedKeys, .withoutEscapingSlashes])
    // A class could be named so that it ends the script.
    return String(decoding: data, as: UTF8.self).replacingOccurrences(of: "</", with: "<\\/")
  }

  private func uri(_ image: Image) throws -> String {
    "data:image/png;base64," + Data(try PNG.encode(image)).base64EncodedString()
  }

  private static func short(_ number: Double) -> String {
    abs(number) >= 100 ? String(format: "%.0f", number) : String(format: "%.2f", number)
  }
}
