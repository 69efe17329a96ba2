import Compute
import Datasets
import Foundation
import HDF5
import ImageFiles
import Networks
import Parallel
import Tensors
import TestSupport
import Testing

@testable import Insight

/// A dataset of bright squares, and a network whose filters are known.
private struct Squares {
  let subject: Subject
  let dataset: ImageDataset
  let pixels: [UInt8]
  static let count = 70
  private let folder: TemporaryDirectory

  init() throws {
    folder = try TemporaryDirectory()
    let network = try Network(
      inputShape: [8, 8, 1],
      chain: [
        .conv2D(Conv2D(filters: 3, kernel: Size2D(3), activation: .relu)),
        .maxPool2D(Pool2D(size: Size2D(2))),
        .flatten, .dense(Dense(units: 2)),
      ]
    ).resolved()
    let values = ParameterLayout(network).initialValues(seed: 4)
    for parameter in values.layout.parameters where parameter.path.hasPrefix("conv2d/") {
      let target = values.values(of: parameter)
      // Filter 0 copies the middle pixel, filter 1 never answers, filter 2 sees what is darker below than above.
      target.update(repeating: 0)
      if parameter.path == "conv2d/kernel" {
        target[4 * 3] = 1
        for column in 0..<3 { (target[column * 3 + 2], target[(6 + column) * 3 + 2]) = (1, -1) }
      } else {
        target[1] = -1
      }
    }
    subject = try Subject(network, values: values, classNames: ["left", "</script>"])
    var pixels: [UInt8] = []
    for row in 0..<Self.count {
      let (top, left) = (row % 6, row / 6 % 6)
      let brightness = UInt8(100 + row * 2 % 150)
      for y in 0..<8 {
        for x in 0..<8 {
          pixels.append((top...top + 1).contains(y) && (left...left + 1).contains(x) ? brightness : 0)
        }
      }
    }
    self.pixels = pixels
    let file = try HDF5.File.create(folder.file("squares.h5"), overwrite: true)
    try file.root.makeDataset("test/images", type: .uint8, shape: [Self.count, 8, 8, 1]).write(pixels)
    try file.root.makeDataset("test/labels", type: .int32, shape: [Self.count])
      .write((0..<Self.count).map { Int32($0 % 2) })
    try file.close()
    dataset = try ImageDataset(path: folder.file("squares.h5"), images: "test/images", labels: "test/labels")
  }

  /// A filter's sum over its map by plain loops, and where the map is largest.
  func activation(_ row: Int, _ filter: Int) -> (sum: Double, peak: TopExamples.Place) {
    func pixel(_ y: Int, _ x: Int) -> Double { Double(pixels[row * 64 + y * 8 + x]) }
    var (sum, best, peak) = (0.0, -1.0, TopExamples.Place(row: 0, column: 0))
    for y in 0..<6 {
      for x in 0..<6 {
        let value =
          switch filter {
          case 0: pixel(y + 1, x + 1)
          case 1: 0.0
          default: max(0, (0..<3).reduce(0.0) { $0 + pixel(y, x + $1) - pixel(y + 2, x + $1) })
          }
        sum += value
        if value > best { (best, peak) = (value, TopExamples.Place(row: y, column: x)) }
      }
    }
    return (sum, peak)
  }
}

@Suite("Top examples")
struct TopExamplesTests {
  @Test(
    "the images that excite a filter most are those that plain loops find, in their order", arguments: [1, 3])
  func ranking(_ workers: Int) throws {
    let squares = try Squares()
    let found = try #require(
      try TopExamples(
        squares.dataset, layer: "conv2d", in: squares.subject, keep: 5, pool: WorkerPool(workers: workers)))
    #expect(found.sampleCount == Squares.count)
    for filter in 0..<3 {
      let all = (0..<Squares.count).map { squares.activation($0, filter) }
      let ranked = all.indices.sorted { (all[$1].sum, $0) < (all[$0].sum, $1) }
      #expect(found.examples[filter].map(\.row) == Array(ranked.prefix(5)), "filter \(filter)")
      for example in found.examples[filter] {
        #expect(abs(example.activation - all[example.row].sum) <= 1e-3 * max(1, all[example.row].sum))
        if filter != 1 { #expect(example.peak == all[example.row].peak) }
      }
      let mean = all.reduce(0) { $0 + $1.sum } / Double(Squares.count)
      #expect(abs(found.means[filter] - mean) <= 1e-4 * max(1, mean))
      #expect(found.activeCounts[filter] == all.filter { $0.sum > 0 }.count)
    }
    #expect(found.activeCounts[1] == 0)
  }

  @Test("a filter is active where its map is above zero somewhere, whatever the sum over the map")
  func activeSomewhere() throws {
    let squares = try Squares()
    let network = try Network(
      inputShape: squares.subject.network.inputShape,
      layers: [
        Layer(
          name: "linear", inputs: [Network.inputName],
          spec: .conv2D(Conv2D(filters: 2, kernel: Size2D(1)))),
        Layer(name: "flat", inputs: ["linear"], spec: .flatten),
        Layer(name: "end", inputs: ["flat"], spec: .dense(Dense(units: 2))),
      ]
    ).resolved()
    let values = ParameterLayout(network).initialValues(seed: 4)
    for parameter in values.layout.parameters where parameter.path.hasPrefix("linear/") {
      let target = values.values(of: parameter)
      // The first filter is above zero in the square alone, and the second nowhere.
      (target[0], target[1]) = parameter.path == "linear/kernel" ? (1, 0) : (-50, -1)
    }
    let subject = try Subject(network, values: values)
    let found = try #require(
      try TopExamples(squares.dataset, layer: "linear", in: subject, keep: 2, pool: WorkerPool(workers: 1)))
    #expect(found.means[0] < 0 && found.activeCounts[0] == Squares.count)
    #expect(found.activeCounts[1] == 0)
  }

  @Test("the frame is drawn around what the filter saw and nowhere else")
  func frame() throws {
    let squares = try Squares()
    let picture = Image(height: 8, width: 8, channels: .grey, pixels: [UInt8](repeating: 7, count: 64))
    let example = TopExamples.Example(
      row: 0, activation: 1, peak: TopExamples.Place(row: 2, column: 4))
    let framed = TopExamples.picture(
      picture, example, layer: "conv2d", in: squares.subject.network, scale: 3)
    for y in 0..<24 {
      for x in 0..<24 {
        let isInside = (6..<15).contains(y) && (12..<21).contains(x)
        let isEdge = isInside && (y == 6 || y == 14 || x == 12 || x == 20)
        #expect((framed[y, x, 0] == 255) == isEdge, "\(y) \(x)")
      }
    }
  }

  @Test("work that is stopped gives nothing, and images of another size are refused")
  func refusals() throws {
    let squares = try Squares()
    let pool = WorkerPool(workers: 1)
    let stopped = try TopExamples(
      squares.dataset, layer: "dense", in: squares.subject, keep: 2, pool: pool, while: { false })
    #expect(stopped == nil)
    let other = try Network(inputShape: [9, 9, 1], chain: [.flatten, .dense(Dense(units: 2))]).resolved()
    let subject = try Subject(other, values: ParameterLayout(other).initialValues(seed: 1))
    let error = #expect(throws: InsightError.self) {
      try TopExamples(squares.dataset, layer: "dense", in: subject, keep: 2, pool: pool)
    }
    #expect(error?.description.contains("8×8×1") == true)
  }
}

@Suite("The gallery")
struct GalleryTests {
  private func gallery(_ squares: Squares, workers: Int) throws -> Gallery {
    var settings = Gallery.Settings()
    settings.ascent.steps = 8
    (settings.filters, settings.examples, settings.inputs) = (2, 3, 3)
    return try #require(
      try Gallery(of: squares.subject, squares.dataset, settings, pool: WorkerPool(workers: workers)))
  }

  @Test(
    "every layer is a room, those that learn with their filters, and every input flows through all of them")
  func rooms() throws {
    let squares = try Squares()
    let gallery = try gallery(squares, workers: 2)
    #expect(gallery.rooms.map(\.layer.name) == ["conv2d", "max_pool2d", "flatten", "dense"])
    #expect(gallery.rooms.map(\.filters.count) == [2, 0, 0, 2])
    #expect(gallery.rooms.map(\.filterCount) == [3, 3, 27, 2])
    #expect(gallery.rooms.allSatisfy { $0.flow.count == 3 })
    // One of each class in turn.
    #expect(gallery.inputs.map(\.row) == [0, 1, 2])
    #expect(gallery.inputs.map(\.label) == ["left", "</script>", "left"])
    for input in gallery.inputs { #expect(abs(input.verdict.reduce(0) { $0 + $1.value } - 1) < 1e-6) }
    let dead = gallery.rooms[0].filters[1]
    #expect(dead.activeShare == 0 && dead.mean == 0)
    #expect(gallery.rooms[0].filters[0].kernel != nil && gallery.rooms[3].filters[0].kernel == nil)
  }

  @Test("spectra are drawn with time to the right wherever a picture is one of the sample")
  func spectra() throws {
    let squares = try Squares()
    var settings = Gallery.Settings()
    (settings.ascent.steps, settings.filters, settings.examples, settings.inputs) = (3, 1, 2, 1)
    let galleries = try [false, true].map { drawsSpectra in
      let subject = try Subject(
        squares.subject.network, values: squares.subject.values, drawsSpectra: drawsSpectra)
      return try #require(try Gallery(of: subject, squares.dataset, settings, pool: WorkerPool(workers: 1)))
    }
    func pictures(_ gallery: Gallery) -> [Image] {
      let filter = gallery.rooms[0].filters[0]
      return [gallery.inputs[0].picture, filter.maximumPicture] + [filter.kernel].compactMap(\.self)
        + filter.examples.map(\.picture)
    }
    let (usual, turned) = (pictures(galleries[0]), pictures(galleries[1]))
    #expect(usual.count == 5)
    #expect(turned == usual.map(\.asSpectrum) && turned != usual)
    #expect(galleries[1].rooms[0].flow != galleries[0].rooms[0].flow)
  }

  @Test("the page is one file that loads nothing, says the same on any number of workers, and escapes names")
  func page() throws {
    let squares = try Squares()
    let page = try gallery(squares, workers: 1).html(title: "a <b>")
    #expect(try gallery(squares, workers: 3).html(title: "a <b>") == page)
    #expect(page.contains("<h1>a &lt;b&gt;</h1>"))
    for name in ["conv2d", "max_pool2d", "flatten", "dense"] {
      #expect(page.contains("id=\"layer-\(name)\""))
    }
    for word in ["http://", "https://", "src=\"/", "@import", "url("] {
      #expect(!page.contains(word), "\(word)")
    }
    // The page's own two scripts end, and no class name ends one.
    #expect(page.components(separatedBy: "</script>").count == 3)
    #expect(page.contains("never active"))
    let json = try #require(
      page.components(separatedBy: "id=\"pictures\">").last?.components(separatedBy: "</script>").first)
    let data = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
    let flows = try #require(data?["flows"] as? [String: [String]])
    #expect(flows.count == 4 && flows.values.allSatisfy { $0.count == 3 })
    #expect((data?["verdicts"] as? [String])?.count == 3)
    #expect(!json.contains("<"))
  }
}

@Suite("The gallery of a network with branches")
struct BranchedGalleryTests {
  @Test(
    "an arrow leads to a layer only from the one before it, and each layer names what it takes and what takes it"
  )
  func arrows() throws {
    let network = try Network(
      inputShape: [8, 8, 1],
      layers: [
        Layer(name: "a", inputs: ["input"], spec: .conv2D(Conv2D(filters: 2, kernel: Size2D(1)))),
        Layer(name: "b", inputs: ["input"], spec: .conv2D(Conv2D(filters: 2, kernel: Size2D(1)))),
        Layer(name: "sum", inputs: ["a", "b"], spec: .add),
        Layer(name: "flat", inputs: ["sum"], spec: .flatten),
        Layer(name: "out", inputs: ["flat"], spec: .dense(Dense(units: 2))),
      ]
    ).resolved()
    let squares = try Squares()
    let subject = try Subject(network, values: ParameterLayout(network).initialValues(seed: 1))
    var settings = Gallery.Settings()
    (settings.ascent.steps, settings.ascent.attempts) = (1, 1)
    (settings.filters, settings.examples, settings.inputs) = (1, 1, 1)
    let gallery = try #require(
      try Gallery(of: subject, squares.dataset, settings, pool: WorkerPool(workers: 1)))
    let page = try gallery.html(title: "branches")
    for (layer, follows) in [("a", true), ("b", false), ("sum", false), ("flat", true), ("out", true)] {
      let item = try #require(
        page.components(separatedBy: "<li").first { $0.contains("href=\"#layer-\(layer)\">\(layer)<small>") })
      #expect(item.hasPrefix(" class=\"follows\">") == follows, "\(layer): \(item)")
    }
    let sum = try #require(page.components(separatedBy: "id=\"layer-sum\"").last?.prefix(600))
    for link in ["#layer-a\">&larr; a", "#layer-b\">&larr; b", "#layer-flat\">flat &rarr;"] {
      #expect(sum.contains(link), "\(link)")
    }
  }
}
