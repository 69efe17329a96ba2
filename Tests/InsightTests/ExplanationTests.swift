import Compute
import ImageFiles
import Insight
import Networks
import Parallel
import Tensors
import TestSupport
import Testing

@Suite("Explanations")
struct ExplanationTests {
  /// One filter that copies the image; class 1 likes the upper left quarter bright, class 0 the rest of the image.
  private func quarter() throws -> Subject {
    let network = try Network(
      inputShape: [8, 8, 1],
      chain: [
        .conv2D(Conv2D(filters: 1, kernel: Size2D(1), activation: .relu)), .flatten, .dense(Dense(units: 2)),
      ]
    ).resolved()
    let values = CanonicalParameters(layout: ParameterLayout(network))
    for parameter in values.layout.parameters {
      let target = values.values(of: parameter)
      if parameter.path == "conv2d/kernel" { target[0] = 1 }
      if parameter.path == "dense/kernel" {
        for place in 0..<64 {
          let isInside = place / 8 < 4 && place % 8 < 4
          target[place * 2 + 1] = isInside ? 0.3 : 0
          target[place * 2] = isInside ? 0 : 0.05
        }
      }
    }
    return try Subject(network, values: values, range: .unit)
  }

  @Test("all three maps point at what the class rests on, for any number of workers", arguments: [1, 3])
  func pointsAtReason(_ workers: Int) throws {
    let subject = try quarter()
    let image = [Float](repeating: 0.9, count: 64)
    let explanation = try Explanation(
      of: image, in: subject, Explanation.Settings(patch: 4, stride: 4), pool: WorkerPool(workers: workers))
    #expect(explanation.classIndex == 1)
    for place in 0..<64 {
      let isInside = place / 8 < 4 && place % 8 < 4
      #expect(abs(explanation.saliency.values[place] - (isInside ? 0.3 : 0)) < 1e-6)
    }
    // α = mean of ∂y/∂A = 16 · 0.3 / 64; A = 0.9 everywhere.
    let cam = try #require(explanation.gradCAM)
    expectClose(cam.values, [Float](repeating: 16 * 0.3 / 64 * 0.9, count: 64), relative: 1e-5)
    #expect(explanation.occlusion.values.count == 4)
    #expect(explanation.occlusion.values[0] > 0.1)
    #expect(explanation.occlusion.values[1...].allSatisfy { $0 == 0 })
  }

  @Test("Grad-CAM refuses a layer that something goes around, and says which layer takes it")
  func bypassed() throws {
    let network = try Network(
      inputShape: [4, 4, 1],
      layers: [
        Layer(name: "a", inputs: ["input"], spec: .conv2D(Conv2D(filters: 2, kernel: Size2D(1)))),
        Layer(name: "b", inputs: ["a"], spec: .conv2D(Conv2D(filters: 2, kernel: Size2D(1)))),
        Layer(name: "sum", inputs: ["a", "b"], spec: .add),
        Layer(name: "mean", inputs: ["sum"], spec: .globalAveragePool2D),
      ]
    ).resolved()
    let subject = try Subject(network, values: ParameterLayout(network).initialValues(seed: 1))
    let image = [Float](repeating: 0.5, count: 16)
    func explain(_ layer: String) throws -> Explanation {
      try Explanation(
        of: image, in: subject, Explanation.Settings(layer: layer, patch: 2), pool: WorkerPool(workers: 1))
    }
    let around = #expect(throws: InsightError.self) { try explain("b") }
    #expect(around?.description.hasPrefix("layer 'sum' also takes what goes around 'b'") == true)
    // Its maps are no maps: it is a vector.
    let last = #expect(throws: InsightError.self) { try explain("mean") }
    #expect(last?.description.contains("'mean'") == true, "\(last?.description ?? "")")
    #expect(try explain("sum").gradCAM != nil)
    #expect(try explain("a").gradCAM != nil)
  }

  @Test("a map's degree is the sum over it, and its picture has the layer's contrast")
  func maps() throws {
    let subject = try quarter()
    let image = (0..<64).map { Float($0) / 63 }
    let maps = try FeatureMaps(of: image, layer: "conv2d", in: subject)
    #expect(abs(maps.degree(0) - 32) < 1e-4)
    #expect(maps.map(0) == image)
    let picture = maps.picture(0)
    #expect(picture[0, 0, 0] == 0)
    #expect(picture[7, 7, 0] == 255)
  }

  @Test("a kernel that reads colours in another order is drawn in the image's own")
  func colours() throws {
    let network = try Network(
      inputShape: [6, 6, 3],
      chain: [
        .conv2D(Conv2D(filters: 3, kernel: Size2D(1))),
        .conv2D(Conv2D(filters: 1, kernel: Size2D(2), activation: .relu)), .flatten, .dense(Dense(units: 2)),
      ]
    ).resolved()
    let values = ParameterLayout(network).initialValues(seed: 1)
    for parameter in values.layout.parameters {
      let target = values.values(of: parameter)
      if parameter.path == "conv2d/kernel" {
        // Red and blue change places.
        for place in target.indices { target[place] = place == 2 || place == 4 || place == 6 ? 1 : 0 }
      }
      if parameter.path == "conv2d_1/kernel" {
        target.update(repeating: 0)
        // Its first channel, which is the image's blue.
        target[0] = 1
      }
    }
    let pictures = try FilterPictures(of: try Subject(network, values: values))
    #expect(pictures.layer.name == "conv2d_1")
    #expect(Array(pictures.picture(0).pixels.prefix(3)) == [128, 128, 255])
  }

  @Test("a sheet has room for every tile and its text, whatever their sizes", arguments: [nil, 1, 3, 7])
  func sheets(columns: Int?) {
    // Every tile has a colour of its own, so that what another covers or the edge cuts off is missed.
    let tiles = (1...7).map { size in
      PictureSheet.Tile(
        Image(
          height: size, width: 2 * size, channels: .rgb,
          pixels: (0..<2 * size * size).flatMap { _ in [255, 0, UInt8(size)] }),
        ["tile \(size)", "é is no ASCII"])
    }
    func pixels(_ sheet: Image) -> [[UInt8]: Int] {
      stride(from: 0, to: sheet.pixels.count, by: 3).reduce(into: [:]) {
        $0[Array(sheet.pixels[$1..<$1 + 3]), default: 0] += 1
      }
    }
    let found = pixels(PictureSheet(title: "a title", tiles: tiles, columns: columns, scale: 5).picture())
    for size in 1...7 { #expect(found[[255, 0, UInt8(size)]] == 25 * 2 * size * size, "tile \(size)") }
    let wordless = tiles.map { PictureSheet.Tile($0.image, []) }
    let bare = pixels(PictureSheet(title: "", tiles: wordless, columns: columns, scale: 5).picture())
    // Paper, seven tiles and the ink of text.
    #expect(bare.count == 8 && found.count == 9)
    #expect(PictureSheet(title: "", tiles: []).picture().width > 0)
  }

  @Test("an image is fitted to the network, and a change of its channels is said")
  func prepare() throws {
    let subject = try quarter()
    let grey = Image(height: 20, width: 30, channels: .grey, pixels: [UInt8](repeating: 255, count: 600))
    let (pixels, note) = try subject.prepare(grey)
    #expect(pixels == [Float](repeating: 1, count: 64))
    #expect(note == nil)
    #expect(try subject.prepare(grey.converted(to: .rgb)).note?.contains("grey") == true)
  }
}
