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

  /// A residual block, a concatenation and a product behind each other, so that every layer but the first has ways around it.
  private func branched() throws -> Subject {
    func conv(_ filters: Int) -> LayerSpec {
      .conv2D(Conv2D(filters: filters, kernel: Size2D(3), padding: .same, activation: .tanh))
    }
    let network = try Network(
      inputShape: [6, 5, 2],
      layers: [
        Layer(name: "a", inputs: ["input"], spec: conv(3)), Layer(name: "b", inputs: ["a"], spec: conv(3)),
        Layer(name: "sum", inputs: ["a", "b"], spec: .add), Layer(name: "c", inputs: ["sum"], spec: conv(2)),
        Layer(name: "both", inputs: ["c", "a"], spec: .concat),
        Layer(name: "d", inputs: ["both"], spec: conv(5)),
        Layer(name: "product", inputs: ["d", "both"], spec: .multiply),
        Layer(name: "flat", inputs: ["product"], spec: .flatten),
        Layer(name: "out", inputs: ["flat"], spec: .dense(Dense(units: 3))),
      ]
    ).resolved()
    return try Subject(network, values: ParameterLayout(network).initialValues(seed: 5), range: .unit)
  }

  @Test(
    "Grad-CAM's derivative is that of the output, whatever goes around the layer",
    arguments: ["a", "b", "sum", "c", "both", "d", "product"])
  func bypassed(_ name: String) throws {
    let subject = try branched()
    let image = (0..<60).map { Float($0 * 37 % 101) / 101 }
    let (layer, output) = (LayerTap(name), subject.logits)
    let session = try LayerTrace(
      subject.network, values: subject.values, taps: [output, layer], keptGradients: [layer]
    ).makeSession()
    _ = try session.gradient(of: image, seeds: [output: [0, 1, 0]])
    let found = try Array(#require(session.gradient(at: layer)))
    // The same derivative by adding to one value of the layer: (y(+ε) − y(−ε)) / 2ε.
    let epsilon: Float = 1e-2
    for index in stride(from: 0, to: found.count, by: 7) {
      let values = try [epsilon, -epsilon].map { change in
        try moved(subject, behind: name, place: index, by: change, image)
      }
      let slope = (values[0] - values[1]) / Double(2 * epsilon)
      #expect(abs(slope - Double(found[index])) <= 2e-3 * max(1, abs(slope)), "\(name) \(index)")
    }
    let explanation = try Explanation(
      of: image, in: subject, Explanation.Settings(classIndex: 1, layer: name, patch: 2),
      pool: WorkerPool(workers: 1))
    // The maps in the shares of their derivatives' means, where that speaks for the output.
    let maps = try #require(try session.values(for: image)[layer])
    let count = maps.count / 30
    let shares = (0..<count).map { filter -> Double in
      stride(from: filter, to: found.count, by: count).reduce(0.0) { $0 + Double(found[$1]) } / 30
    }
    let sums = (0..<30).map { place -> Double in
      (0..<count).reduce(0.0) { $0 + shares[$1] * Double(maps[place * count + $1]) }
    }
    expectClose(try #require(explanation.gradCAM).values, sums.map { max($0, 0) }, absolute: 1e-5)
  }

  /// Output 1 where a number is added to one value of a layer.
  private func moved(
    _ subject: Subject, behind name: String, place: Int, by change: Float, _ image: [Float]
  ) throws -> Double {
    var layers: [Layer] = []
    for layer in subject.network.network.layers {
      layers.append(
        Layer(name: layer.name, inputs: layer.inputs.map { $0 == name ? "moved" : $0 }, spec: layer.spec))
      if layer.name == name { layers.append(Layer(name: "moved", inputs: [name], spec: .positionBias)) }
    }
    let network = try Network(inputShape: subject.network.inputShape, layers: layers).resolved()
    let values = CanonicalParameters(layout: ParameterLayout(network))
    for parameter in values.layout.parameters {
      if let own = subject.values.layout.parameters.first(where: { $0.path == parameter.path }) {
        _ = values.values(of: parameter).update(fromContentsOf: subject.values.values(of: own))
      } else {
        values.values(of: parameter)[place] = change
      }
    }
    let other = try Subject(network, values: values, range: .unit)
    let session = try LayerTrace(network, values: values, taps: [other.logits], gradient: false).makeSession()
    return Double(try session.values(for: image)[other.logits]?[1] ?? .nan)
  }

  @Test("a layer without maps is refused for Grad-CAM, and without any there are the two other maps")
  func vectors() throws {
    let subject = try branched()
    let image = [Float](repeating: 0.5, count: 60)
    let error = #expect(throws: InsightError.self) {
      try Explanation(
        of: image, in: subject, Explanation.Settings(layer: "out"), pool: WorkerPool(workers: 1))
    }
    #expect(error?.description.contains("'out'") == true)
    let dense = try Network(inputShape: [4, 4, 1], chain: [.flatten, .dense(Dense(units: 2))]).resolved()
    let plain = try Explanation(
      of: [Float](repeating: 0.5, count: 16),
      in: Subject(dense, values: ParameterLayout(dense).initialValues(seed: 1)), Explanation.Settings(),
      pool: WorkerPool(workers: 1))
    #expect(plain.gradCAM == nil && plain.saliency.values.count == 16)
  }

  @Test(
    "squares reach the image's edges, and their map lies where they were",
    arguments: [(4, 3), (3, 3), (5, 4)])
  func edges(_ patch: Int, _ stride: Int) throws {
    let subject = try quarter()
    let image = [Float](repeating: 0.9, count: 64)
    let map = try Explanation(
      of: image, in: subject, Explanation.Settings(classIndex: 0, patch: patch, stride: stride),
      pool: WorkerPool(workers: 2)
    ).occlusion
    let places = try #require(map.places)
    #expect(places.rows.first == Float(patch - 1) / 2)
    #expect(places.rows.last == 7 - Float(patch - 1) / 2)
    #expect(zip(places.rows, places.rows.dropFirst()).allSatisfy { $1 > $0 && $1 - $0 <= Float(stride) })
    #expect(map.height == places.rows.count && map.width == places.columns.count)
    // Class 0 rests on all but the upper left quarter: the last square takes something away.
    #expect((map.values.last ?? 0) > 0)
  }

  @Test("outputs are read as the network was trained: classes, labels or numbers")
  func meanings() throws {
    let network = try Network(
      inputShape: [2, 2, 1], chain: [.flatten, .dense(Dense(units: 1))]
    ).resolved()
    let values = CanonicalParameters(layout: ParameterLayout(network))
    for parameter in values.layout.parameters where parameter.path == "dense/kernel" {
      values.values(of: parameter).update(repeating: 0.25)
    }
    let image = [Float](repeating: 0.5, count: 4)
    func explained(_ loss: Loss, _ targets: Criterion.Targets) throws -> (Subject, Explanation) {
      let subject = try Subject(
        network, values: values, classNames: ["cat", "dog"],
        criterion: Criterion(loss: loss, targets: targets, outputs: 1), range: .unit)
      return (
        subject,
        try Explanation(
          of: image, in: subject, Explanation.Settings(patch: 1), pool: WorkerPool(workers: 1))
      )
    }
    // y = 4 · 0.25 · 0.5 = 0.5; a square covered with mid-grey changes nothing.
    let (dog, label) = try explained(.sigmoidCrossEntropy(SigmoidCrossEntropy()), .classes)
    #expect(dog.classNames == ["dog"])
    #expect(abs(label.outputs[0] - 0.62245933) < 1e-6)
    let (_, number) = try explained(.meanSquaredError, .values)
    #expect(abs(number.outputs[0] - 0.5) < 1e-6)
    #expect(number.occlusion.values.allSatisfy { $0 < 1e-6 })
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
