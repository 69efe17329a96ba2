import Foundation
import TestSupport
import Testing

/// A training of a small network that has every layer there is, on 20 images made here.
struct EveryLayerRun {
  let folder: TemporaryDirectory
  let config: String
  let data: String

  /// - Parameter replacing: words of the configuration and what stands in their place.
  init(replacing: [String: String] = [:]) throws {
    folder = try TemporaryDirectory()
    var pixels: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 20, 0, 0, 0, 28, 0, 0, 0, 28]
    pixels += (0..<20 * 784).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) }
    let images = try folder.write(pixels, to: "images")
    let labels = try folder.write(
      [0, 0, 8, 1, 0, 0, 0, 20] + (0..<20).map { UInt8($0 * 7 % 10) }, to: "labels")
    data = folder.file("data.h5")
    let imported = try Program.run(["import", "idx", "--images", images, "--labels", labels, "--to", data])
    try #require(imported.code == 0, "\(imported.errors)")
    var text = Self.text
    for (old, new) in replacing { text = text.replacing(old, with: new) }
    config = try folder.write(text, to: "every.yaml")
  }

  static let text = """
    name: every-layer
    data:
      train: {file: data.h5, images: train/images, labels: train/labels}
    network:
      input: [28, 28, 1]
      layers:
        # Pixels as words: a row of 36 of them, each with a vector.
        - cropping2d: {name: corner, top: 11, bottom: 11, left: 12, right: 10}
        - flatten: {name: row}
        - embedding: {name: word, vocabulary: 256, dimension: 6, padding_word: 0}
        - embedding: {name: fixed, inputs: row, vocabulary: 256, dimension: 6, frozen: true}
        - add: {inputs: [word, fixed]}
        - zero_padding1d: {before: 1, after: 2}
        - conv1d: {filters: 8, kernel: 3, padding: causal, dilation: 2, activation: elu}
        - layer_norm
        - max_pool1d: {size: 2}
        - up_sampling1d: {size: 2}
        - average_pool1d: {size: 3, stride: 2, padding: same}
        - cropping1d: {before: 1}
        - global_average_pool1d: {name: mean_word}
        - global_max_pool1d: {name: most_word, inputs: cropping1d}
        # Pixels as an image.
        - normalization: {name: scaled, inputs: input, mean: [127], variance: [5000]}
        - average_pool2d: {size: 2}
        - zero_padding2d: {top: 1, left: 1}
        - conv2d: {filters: 8, kernel: 3, stride: 2, padding: same, use_bias: false}
        - batch_norm: {momentum: 0.9}
        - relu: {name: stem}
        - conv2d: {filters: 8, kernel: 3, padding: same, groups: 2, activation: leaky_relu}
        - local_response_norm: {radius: 2, alpha: 0.1, beta: 0.75}
        - group_norm: {groups: 4}
        - depthwise_conv2d: {kernel: 3, padding: same, multiplier: 2, activation: gelu}
        - separable_conv2d: {filters: 16, kernel: 3, padding: same, multiplier: 2, activation: relu}
        - prelu: {shared: true}
        - global_average_pool2d
        - dense: {units: 4, activation: silu}
        - dense: {units: 16, activation: hard_sigmoid}
        - reshape: {name: gate, shape: [1, 1, 16]}
        - multiply: {inputs: [prelu, gate]}
        - conv2d: {filters: 8, kernel: 1, dilation: 1}
        - add: {inputs: [conv2d_2, stem]}
        - leaky_relu
        - relu: {max_value: 6}
        - elu: {alpha: 0.5}
        - position_bias
        - max_pool2d: {size: 2}
        - up_sampling2d: {size: 2, interpolation: bilinear}
        - conv2d_transpose: {filters: 6, kernel: 3, stride: 2, padding: same, activation: tanh}
        - prelu
        - softplus
        - relu6
        - rescale: {scale: 0.5, offset: -0.25}
        - linear
        - gelu
        - silu
        - hard_sigmoid
        - tanh
        - dropout: {rate: 0.1}
        - global_max_pool2d: {name: most}
        - sigmoid: {name: last}
        - concat: {inputs: [mean_word, most_word, last]}
        - dense: {units: 12, activation: softmax}
        - dense: {units: 10}
    training:
      epochs: 3
      batch: 10
      shard: 3
      loss: softmax_cross_entropy
      optimizer: {adam: {learning_rate: 0.01}}
    checkpoints:
      every: {epochs: 1}
    """
}

@Suite("A network of every layer")
struct EveryLayerTests {
  @Test("the same bytes for any number of workers, and when a run is taken up again from its checkpoint")
  func exactness() throws {
    let run = try EveryLayerRun()
    let proof = try Program.run(["prove", run.config, "--steps", "6", "--workers", "1,2,3"])
    #expect(proof.code == 0, "\(proof.output)\(proof.errors)")
    #expect(proof.output.contains("the same bytes after each of 6 steps"), "\(proof.output)")
  }

  @Test("the configuration has every layer of the reference")
  func complete() throws {
    let reference = try Program.run(["config", "reference"]).output
    let start = try #require(reference.range(of: "Every layer also takes"))
    let end = try #require(reference.range(of: "### `repeat`"))
    let words = reference[start.upperBound..<end.lowerBound].matches(of: /\*\*`(\w+)`\*\*/).map {
      String($0.1)
    }
    #expect(words.count > 40)
    for word in words {
      #expect(EveryLayerRun.text.contains(try Regex("- \(word)\\b")) || word == "softmax", "\(word)")
    }
  }

  /// Which Keras, and what of the configuration it would read otherwise.
  enum Keras: String, CaseIterable, Sendable {
    case keras3 = "keras"
    case keras2 = "tf_keras"
  }

  @Test(
    "Keras opens the checkpoint and predicts what `convoy predict` does",
    .enabled(if: kerasPython != nil, "needs CONVOY_KERAS_PYTHON; Scripts/test --all sets it"),
    arguments: Keras.allCases)
  func keras(_ version: Keras) throws {
    // Keras 2 has another hard sigmoid, of slope 0.2.
    let run = try EveryLayerRun(replacing: version == .keras2 ? ["hard_sigmoid": "sigmoid"] : [:])
    let checkpoint = try Self.trained(run)
    try Self.expectSame(
      try Self.predictions(run, checkpoint),
      try Self.answer("keras_predict.py", [version.rawValue, checkpoint, run.data]))
  }

  @Test(
    "a checkpoint that Keras trained on comes back and predicts what Keras does",
    .enabled(if: kerasPython != nil, "needs CONVOY_KERAS_PYTHON; Scripts/test --all sets it"),
    arguments: [(Keras.keras3, "keras"), (.keras3, "h5"), (.keras2, "h5")])
  func trainedInKeras(_ version: Keras, _ ending: String) throws {
    let run = try EveryLayerRun()
    let model = run.folder.file("model.\(ending)")
    let wanted = try Self.answer(
      "keras_retrain.py", [version.rawValue, try Self.trained(run), run.data, model])
    let again = run.folder.file("again.h5")
    let imported = try Program.run(
      ["import", "keras", model, "--to", again, "--preprocessing", "none", "--loss", "softmax_cross_entropy"])
    try #require(imported.code == 0, "\(imported.errors)")
    try Self.expectSame(try Self.predictions(run, again), wanted)
  }

  /// Trains, and returns the last checkpoint.
  private static func trained(_ run: EveryLayerRun) throws -> String {
    let directory = run.folder.file("run")
    let trained = try Program.run(["train", run.config, "--run-dir", directory])
    try #require(trained.code == 0, "\(trained.errors)")
    let checkpoint = try #require(
      FileManager.default.enumerator(atPath: directory)?.compactMap { $0 as? String }
        .filter { $0.hasSuffix(".h5") }.max())
    return "\(directory)/\(checkpoint)"
  }

  private static func predictions(_ run: EveryLayerRun, _ checkpoint: String) throws -> [[Double]] {
    let own = try Program.run([
      "predict", checkpoint, "--data", run.data, "--images", "train/images", "--labels", "train/labels",
      "--rows", "0-19", "--json",
    ])
    try #require(own.code == 0, "\(own.errors)")
    struct Prediction: Decodable { let probabilities: [Double] }
    return try JSONDecoder().decode([Prediction].self, from: Data(own.output.utf8)).map(\.probabilities)
  }

  /// What a script of the fixtures prints on its last line.
  private static func answer(_ script: String, _ arguments: [String]) throws -> [[Double]] {
    let python = try #require(kerasPython)
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/\(script)").path
    let answer = try Program.run([path] + arguments, program: python)
    try #require(answer.code == 0, "\(answer.errors)")
    let line = try #require(answer.output.split(separator: "\n").last)
    return try JSONDecoder().decode([[Double]].self, from: Data(line.utf8))
  }

  private static func expectSame(_ found: [[Double]], _ wanted: [[Double]]) throws {
    #expect(found.count == 20 && wanted.count == 20)
    expectClose(
      found.flatMap(\.self), wanted.flatMap(\.self), absolute: 2e-6, relative: 1e-4, "probabilities")
  }
}

/// The Python with Keras that `Scripts/test --all` sets up.
private let kerasPython = ProcessInfo.processInfo.environment["CONVOY_KERAS_PYTHON"]
