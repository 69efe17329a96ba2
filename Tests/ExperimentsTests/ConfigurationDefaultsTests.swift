import Settings
import TestSupport
import Testing

@testable import Experiments

@Suite("What names a run")
struct ConfigurationDefaultsTests {
  private func meaning(_ edits: [(String, String)] = [], set overrides: [String] = []) throws -> [String] {
    var text = try BrokenConfiguration.base()
    for (old, new) in edits {
      try #require(text.contains(old))
      text = text.replacing(old, with: new)
    }
    return try ConfigurationFile.load(
      text: text, path: "/configs/c.yaml", overrides: overrides.map { Override($0) }
    ).meaning
  }

  @Test("only what differs from its default counts, so that a new key renames no run")
  func shortest() throws {
    let found = try meaning()
    #expect(
      found == [
        "data.test.images = test/images", "data.test.labels = test/labels",
        "data.train.images = train/images", "data.train.labels = train/labels",
        "network.input = [28, 28, 1]",
        "network.layers = [rescale, conv2d, max_pool2d, flatten, dense, dense_1]",
        "network.layers.conv2d = conv2d", "network.layers.conv2d.activation = relu",
        "network.layers.conv2d.filters = 25", "network.layers.conv2d.inputs = [rescale]",
        "network.layers.conv2d.kernel = [3, 3]", "network.layers.dense = dense",
        "network.layers.dense.activation = relu", "network.layers.dense.inputs = [flatten]",
        "network.layers.dense.units = 100", "network.layers.dense_1 = dense",
        "network.layers.dense_1.inputs = [dense]", "network.layers.dense_1.units = 10",
        "network.layers.flatten = flatten", "network.layers.flatten.inputs = [max_pool2d]",
        "network.layers.max_pool2d = max_pool2d", "network.layers.max_pool2d.inputs = [conv2d]",
        "network.layers.rescale = rescale", "network.layers.rescale.inputs = [input]",
        "network.layers.rescale.scale = 0.00392156862745098", "training.batch = 128",
        "training.loss = softmax_cross_entropy", "training.optimizer = sgd",
        "training.optimizer.sgd.learning_rate = 0.05", "training.optimizer.sgd.momentum = 0.9",
      ], "\(found)")
  }

  @Test(
    "a default that is written out means the same as one left out",
    arguments: [
      ["seed=0"], ["schedule=constant"], ["schedule={constant: {warmup: none}}"], ["clipping=none"],
      ["nesterov=false"], ["training.loss={softmax_cross_entropy: {label_smoothing: 0}}"],
      ["shuffle=true"], ["layers.2.size=[2, 2]"], ["layers.1.padding=valid"],
    ])
  func writtenDefaults(overrides: [String]) throws {
    #expect(try meaning(set: overrides) == meaning())
  }

  @Test(
    "every other value means something else, also inside lists and kinds",
    arguments: [
      ["seed=1"], ["schedule={constant: {warmup: {steps: 1}}}"], ["schedule=cosine"], ["nesterov=true"],
      ["training.augmentation=[flip_horizontal]"],
      ["training.augmentation=[flip_horizontal: {probability: 0.4}]"], ["layers.1.padding=same"],
      ["layers.1.name=first"], ["data.test=none"],
    ])
  func otherValues(overrides: [String]) throws {
    let plain = try meaning()
    #expect(try meaning(set: overrides) != plain)
    #expect(
      try meaning(set: ["training.augmentation=[flip_horizontal: {probability: 0.5}]"])
        == meaning(set: ["training.augmentation=[flip_horizontal]"]))
  }
}
