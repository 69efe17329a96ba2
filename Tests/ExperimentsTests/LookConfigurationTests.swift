import Foundation
import Insight
import TestSupport
import Testing

@testable import Experiments

/// Configurations that look into a trained network.
@Suite("Configurations of looks")
struct LookConfigurationTests {
  private static let looks: [String: String] = [
    "filters": "filters", "maps": "{maps: {image: a.png, layer: conv, which: 0-3, contrast: each}}",
    "examples": "{examples: {data: {file: d.h5}, top: 3}}",
    "maximize": "{maximize: {target: {neurons: {layer: dense, which: '0,5'}}, parameterization: fourier}}",
    "gallery": "{gallery: {data: {file: d.h5, images: i, labels: l}, steps: 10}}",
    "explain": "{explain: {image: a.png, class: Bag, patch: 4}}",
    "dream":
      "{dream: {image: a.png, guide: g.png, layers: [{name: x, weight: 0.5}, {name: y}], frames: 3, zoom: 1.1}}",
    "style":
      "{style: {content: a.png, style: b.png, optimizer: {adam: {rate: 3}}, start: {image: c.png}, keep_colour: true}}",
  ]

  private func load(_ look: String, more: String = "", overrides: [String] = []) throws -> LookConfiguration {
    try LookConfiguration.load(
      text: "name: look\ncheckpoint: run\n\(more)look: \(look)\n", path: "/folder/look.yaml",
      overrides: overrides.map { Override($0) })
  }

  private func errors(_ look: String, more: String = "") -> [String] {
    do {
      _ = try load(look, more: more)
      return []
    } catch let error as ConfigurationErrors { return error.errors.map(\.description) } catch {
      return ["\(error)"]
    }
  }

  @Test(
    "every kind of look can be written down, and its resolved text means the same",
    arguments: looks.keys.sorted())
  func kinds(_ kind: String) throws {
    let loaded = try load(try #require(Self.looks[kind]))
    #expect(loaded.kind == kind && loaded.request.checkpoint == "/folder/run")
    let again = try LookConfiguration.load(text: loaded.resolvedYAML, path: "/elsewhere/x.yaml")
    #expect(again.request == loaded.request && again.resolvedYAML == loaded.resolvedYAML)
    #expect(
      try LookConfiguration.load(text: loaded.annotatedYAML, path: "/elsewhere/x.yaml").request
        == loaded.request
    )
    #expect(
      try LookConfiguration.load(text: loaded.canonicalJSON, path: "/elsewhere/x.json").request
        == loaded.request
    )
  }

  @Test("what is written is what is done")
  func meaning() throws {
    var guided = DreamLook(image: ImageSource("/folder/a.png"))
    guided.guide = ImageSource("/folder/g.png")
    guided.dream.layers = [WeightedLayer("x", 0.5), WeightedLayer("y")]
    (guided.dream.frames, guided.dream.zoom) = (3, 1.1)
    let dream = try load(try #require(Self.looks["dream"]), more: "seed: 7\n").request
    #expect(dream.look == .dream(guided) && dream.seed == 7 && !dream.readsLargeImages)
    var painted = StyleLook(content: ImageSource("/folder/a.png"), style: ImageSource("/folder/b.png"))
    (painted.rule, painted.keepsColour) = (.adam(rate: 3), true)
    painted.start = .image(ImageSource("/folder/c.png"))
    let style = try load(
      try #require(Self.looks["style"]), more: "large_images: true\nblack: -1\nwhite: 0.5\n"
    ).request
    #expect(style.look == .style(painted) && style.readsLargeImages)
    #expect(style.black == -1 && style.white == 0.5 && dream.black == nil)
    var maximize = MaximizeLook(target: .neurons(layer: "dense", try #require(NumberList("0,5"))))
    maximize.ascent.parameterization = .fourier
    #expect(try load(try #require(Self.looks["maximize"])).request.look == .maximize(maximize))
    #expect(try load("filters").request.look == .filters(FilterLook()))
  }

  @Test("defaults are those of the types")
  func defaults() throws {
    let image = ImageSource("/folder/a.png")
    let data = DataSource(file: "/folder/d.h5")
    let looks: [(String, Look)] = [
      ("{maps: {image: a.png}}", .maps(MapLook(image: image))),
      ("{examples: {data: {file: d.h5}}}", .examples(ExampleLook(data: data))),
      ("{gallery: {data: {file: d.h5}}}", .gallery(GalleryLook(data: data))),
      ("{explain: {image: a.png}}", .explain(ExplainLook(image: image))),
      ("{dream: {image: a.png}}", .dream(DreamLook(image: image))),
      ("{style: {content: a.png, style: a.png}}", .style(StyleLook(content: image, style: image))),
      ("{maximize: {target: classes}}", .maximize(MaximizeLook(target: .classes(.all)))),
    ]
    for (text, look) in looks { #expect(try load(text).request.look == look) }
  }

  @Test("all mistakes are reported at once, each with its place and the nearest name")
  func mistakes() {
    let found = errors(
      "{dream: {imge: a.png, steps: 0, layers: [{nme: x}], tile: 8}}", more: "white: 0\nblack: 0\n")
    #expect(found.count == 5, "\(found)")
    #expect(
      found.contains { $0.hasPrefix("/folder/look.yaml:3:8: white: found '0', expected more than black, 0") })
    #expect(found.contains { $0.contains("look.yaml:5:16: unknown key 'imge'") && $0.contains("'image'?") })
    #expect(found.contains { $0.contains("look.dream.steps: found '0', expected a whole number from 1") })
    #expect(found.contains { $0.contains("unknown key 'nme' in look.dream.layers.0") })
    #expect(errors("{drem: {}}")[0].contains("unknown look 'drem'"))
    #expect(
      errors("{maps: {image: a.png, which: 3-1}}")[0].contains(
        "look.maps.which: found '3-1', expected numbers and ranges like 0,5,10-12, or all"))
    #expect(
      errors("{maximize: {target: {filters: {layer: x, which: a}}}}")[0]
        .contains("look.yaml:3:55: look.maximize.target.filters.which: found 'a', expected numbers"))
    #expect(
      errors("{maximize: {target: classes, seed: 3}}")[0].contains("'seed' belongs to the top of the file"))
  }

  @Test("values are overridden and inherited as those of trainings are")
  func overrides() throws {
    let changed = try load(
      "{dream: {image: a.png}}",
      overrides: ["look.dream.steps=3", "octaves=2", "look.dream.layers=[{name: z}]"])
    guard case .dream(let look) = changed.request.look else {
      Issue.record("no dream")
      return
    }
    #expect(look.dream.steps == 3 && look.dream.octaves == 2 && look.dream.layers == [WeightedLayer("z")])
    let folder = try TemporaryDirectory()
    try folder.write("name: a\ncheckpoint: run\nlook: {dream: {image: a.png, steps: 4}}\n", to: "base.yaml")
    let path = try folder.write("extends: base.yaml\nlook: {dream: {octaves: 7}}\n", to: "look.yaml")
    let inherited = try AnyConfiguration.load(path: path)
    guard case .look(let configuration) = inherited, case .dream(let look) = configuration.request.look else {
      Issue.record("no dream")
      return
    }
    #expect(look.dream.steps == 4 && look.dream.octaves == 7 && look.image.path == folder.file("a.png"))
  }

  @Test("the key's former word is good in files, in what they extend, and in overrides; both at once are not")
  func formerWord() throws {
    let folder = try TemporaryDirectory()
    try folder.write("name: a\ncheckpoint: run\njob: {dream: {image: a.png, steps: 4}}\n", to: "base.yaml")
    let path = try folder.write("extends: base.yaml\nlook: {dream: {octaves: 7}}\n", to: "look.yaml")
    let old = try LookConfiguration.load(
      path: path, overrides: ["job.dream.tile=64", "job.dream.frames=2", "jitter=3"])
    let new = try LookConfiguration.load(
      path: path, overrides: ["look.dream.tile=64", "look.dream.frames=2", "look.dream.jitter=3"])
    #expect(old.request == new.request && old.meaning(.bytes) == new.meaning(.bytes))
    #expect(old.meaning(.bytes).contains("look.dream.tile = 64") && !old.resolvedYAML.contains("job"))
    let both = try folder.write("name: a\ncheckpoint: run\nlook: filters\njob: filters\n", to: "both.yaml")
    #expect(throws: ConfigurationErrors.self) { try LookConfiguration.load(path: both) }
  }

  @Test("what only saves more often or goes on for longer keeps a look's meaning")
  func keepsMeaning() throws {
    let first = try load("{style: {content: a.png, style: b.png}}").meaning(.bytes)
    #expect(
      try load("{style: {content: a.png, style: b.png, steps: 900, save_every: 1, picture_every: 2}}")
        .meaning(.bytes)
        == first)
    #expect(try load("{style: {content: a.png, style: b.png, size: 100}}").meaning(.bytes) != first)
  }

  @Test("a training is told from a look, and each is sent to its own command")
  func sorts() throws {
    let folder = try TemporaryDirectory()
    let look = try folder.write("name: a\ncheckpoint: r\nlook: filters\n", to: "look.yaml")
    let noTraining = #expect(throws: ConfigurationErrors.self) { try ConfigurationFile.load(path: look) }
    #expect(
      noTraining?.description
        == "\(look):3:1: this is a look into a trained network, not a training; run it with convoy look run"
    )
    let training = Shipped.path("fashion-mnist")
    let noLook = #expect(throws: ConfigurationErrors.self) { try LookConfiguration.load(path: training) }
    #expect(noLook?.description.contains("run it with convoy train") == true, "\(noLook?.description ?? "")")
    guard case .training = try AnyConfiguration.load(path: training) else {
      Issue.record("not taken for a training")
      return
    }
  }

  @Test("there are several shipped looks")
  func shippedCount() { #expect(Shipped.lookNames.count >= 4) }

  @Test("the shipped looks are correct", arguments: Shipped.lookNames)
  func shipped(_ name: String) throws {
    let loaded = try LookConfiguration.load(path: Shipped.path(name))
    #expect(loaded.request.name == name)
  }
}
