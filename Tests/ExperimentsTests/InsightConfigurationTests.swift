import Foundation
import Insight
import Settings
import TestSupport
import Testing

@testable import Experiments

/// Configurations that look into a trained network.
@Suite("Configurations of looks")
struct InsightConfigurationTests {
  private static let jobs: [String: String] = [
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

  private func load(_ job: String, more: String = "", overrides: [String] = []) throws -> InsightConfiguration
  {
    try InsightConfiguration.load(
      text: "name: look\ncheckpoint: run\n\(more)job: \(job)\n", path: "/folder/look.yaml",
      overrides: overrides.map { Override($0) })
  }

  private func errors(_ job: String, more: String = "") -> [String] {
    do {
      _ = try load(job, more: more)
      return []
    } catch let error as ConfigurationErrors { return error.errors.map(\.description) } catch {
      return ["\(error)"]
    }
  }

  @Test(
    "every kind of look can be written down, and its resolved text means the same",
    arguments: jobs.keys.sorted())
  func kinds(_ kind: String) throws {
    let loaded = try load(try #require(Self.jobs[kind]))
    #expect(loaded.kind == kind && loaded.checkpoint == "/folder/run")
    let again = try InsightConfiguration.load(text: loaded.resolvedYAML, path: "/elsewhere/x.yaml")
    #expect(again.look == loaded.look && again.resolvedYAML == loaded.resolvedYAML)
    #expect(
      try InsightConfiguration.load(text: loaded.annotatedYAML, path: "/elsewhere/x.yaml").look == loaded.look
    )
    #expect(
      try InsightConfiguration.load(text: loaded.canonicalJSON, path: "/elsewhere/x.json").look == loaded.look
    )
  }

  @Test("what is written is what is done")
  func meaning() throws {
    var dream = Dream(layers: [WeightedLayer("x", 0.5), WeightedLayer("y")])
    (dream.frames, dream.zoom, dream.seed) = (3, 1.1, 7)
    let guided = DreamLook(
      image: ImageSource("/folder/a.png"), guide: ImageSource("/folder/g.png"), dream: dream)
    #expect(try load(try #require(Self.jobs["dream"]), more: "seed: 7\n").look == .dream(guided))
    var style = StyleLook(
      content: ImageSource("/folder/a.png", isLarge: true), style: ImageSource("/folder/b.png", isLarge: true)
    )
    (style.rule, style.keepsColour) = (.adam(rate: 3), true)
    style.start = .image(ImageSource("/folder/c.png", isLarge: true))
    #expect(try load(try #require(Self.jobs["style"]), more: "large_images: true\n").look == .style(style))
    let maximize = MaximizeLook(
      target: .neurons(layer: "dense", try NumberList("0,5")),
      ascent: AscentSettings(parameterization: .fourier))
    #expect(try load(try #require(Self.jobs["maximize"])).look == .maximize(maximize))
    #expect(try load("filters").look == .filters(FilterLook()))
  }

  @Test("defaults of flags and of configurations are one")
  func defaults() throws {
    let image = ImageSource("/folder/a.png")
    let data = DataSource(file: "/folder/d.h5")
    #expect(try load("{maps: {image: a.png}}").look == .maps(MapLook(image: image)))
    #expect(try load("{examples: {data: {file: d.h5}}}").look == .examples(ExampleLook(data: data)))
    #expect(try load("{gallery: {data: {file: d.h5}}}").look == .gallery(GalleryLook(data: data)))
    #expect(try load("{explain: {image: a.png}}").look == .explain(ExplainLook(image: image)))
    #expect(try load("{dream: {image: a.png}}").look == .dream(DreamLook(image: image)))
    #expect(
      try load("{style: {content: a.png, style: a.png}}").look
        == .style(StyleLook(content: image, style: image)))
    #expect(
      try load("{maximize: {target: classes}}").look == .maximize(MaximizeLook(target: .classes([]))))
  }

  @Test("all mistakes are reported at once, each with its place and the nearest name")
  func mistakes() {
    let found = errors("{dream: {imge: a.png, steps: 0, layers: [{nme: x}], tile: 8}}", more: "white: 0\n")
    #expect(found.count == 5, "\(found)")
    #expect(
      found.contains { $0.hasPrefix("/folder/look.yaml:3:8: white: found '0', expected more than black, 0") })
    #expect(found.contains { $0.contains("look.yaml:4:15: unknown key 'imge'") && $0.contains("'image'?") })
    #expect(found.contains { $0.contains("job.dream.steps: found '0', expected a whole number from 1") })
    #expect(found.contains { $0.contains("unknown key 'nme' in job.dream.layers.0") })
    #expect(errors("{drem: {}}")[0].contains("unknown job 'drem'"))
    #expect(
      errors("{maps: {image: a.png, which: 3-1}}")[0].contains("job.maps.which: expected numbers and ranges"))
    #expect(
      errors("{maximize: {target: {filters: {layer: x, which: a}}}}")[0]
        .contains("look.yaml:3:54: job.maximize.target.filters.which: expected numbers"))
    #expect(
      errors("{maximize: {target: classes, seed: 3}}")[0].contains("'seed' belongs to the top of the file"))
  }

  @Test("values are overridden and inherited as those of trainings are")
  func overrides() throws {
    let changed = try load(
      "{dream: {image: a.png}}",
      overrides: ["job.dream.steps=3", "octaves=2", "job.dream.layers=[{name: z}]"])
    guard case .dream(let look) = changed.look else {
      Issue.record("no dream")
      return
    }
    #expect(look.dream.steps == 3 && look.dream.octaves == 2 && look.dream.layers == [WeightedLayer("z")])
    let folder = try TemporaryDirectory()
    try folder.write("name: a\ncheckpoint: run\njob: {dream: {image: a.png, steps: 4}}\n", to: "base.yaml")
    let path = try folder.write("extends: base.yaml\njob: {dream: {octaves: 7}}\n", to: "look.yaml")
    let inherited = try AnyConfiguration.load(path: path)
    guard case .look(let configuration) = inherited, case .dream(let look) = configuration.look else {
      Issue.record("no dream")
      return
    }
    #expect(look.dream.steps == 4 && look.dream.octaves == 7 && look.image.path == folder.file("a.png"))
  }

  @Test("what only saves more often or goes on for longer keeps a look's meaning")
  func keepsMeaning() throws {
    let first = try load("{style: {content: a.png, style: b.png}}").meaning
    #expect(
      try load("{style: {content: a.png, style: b.png, steps: 900, save_every: 1, picture_every: 2}}").meaning
        == first)
    #expect(try load("{style: {content: a.png, style: b.png, size: 100}}").meaning != first)
  }

  @Test("a training is told from a look, and each is sent to its own command")
  func sorts() throws {
    let folder = try TemporaryDirectory()
    let look = try folder.write("name: a\ncheckpoint: r\njob: filters\n", to: "look.yaml")
    let noTraining = #expect(throws: ConfigurationErrors.self) { try ConfigurationFile.load(path: look) }
    #expect(
      noTraining?.description
        == "\(look):3:1: this is a look into a trained network and no training; convoy visualize run takes it"
    )
    let training = Shipped.path("fashion-mnist")
    let noLook = #expect(throws: ConfigurationErrors.self) { try InsightConfiguration.load(path: training) }
    #expect(noLook?.description.contains("convoy train takes it") == true, "\(noLook?.description ?? "")")
    guard case .training = try AnyConfiguration.load(path: training) else {
      Issue.record("not taken for a training")
      return
    }
  }

  @Test("there are several shipped looks")
  func shippedCount() { #expect(Shipped.lookNames.count >= 4) }

  @Test("the shipped looks are correct", arguments: Shipped.lookNames)
  func shipped(_ name: String) throws {
    let loaded = try InsightConfiguration.load(path: Shipped.path(name))
    #expect(loaded.name == name)
  }
}
