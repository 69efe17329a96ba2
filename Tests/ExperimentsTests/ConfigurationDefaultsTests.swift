import Settings
import TestSupport
import Testing
import Training

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
      ["shuffle=true"], ["layers.2.size=[2, 2]"], ["layers.1.padding=valid"], ["monitor=accuracy"],
      ["training.metrics=[accuracy]"],
      ["training.loss={softmax_cross_entropy: {class_weights: none}}"], ["data.train.weights=none"],
    ])
  func writtenDefaults(overrides: [String]) throws {
    #expect(try meaning(set: overrides) == meaning())
  }

  @Test("every value of a resolved configuration can be written out, and the run stays the same")
  func everyDefault() throws {
    let base = try ChangedConfiguration.load()
    let leaves = ConfigurationLeaf.all(of: base.values, RunSchema.root)
    var count = 0
    for leaf in leaves where !leaf.path.hasPrefix("network.layers") {
      // A kind with settings of its own is written with them.
      if leaves.contains(where: { $0.path.hasPrefix("\(leaf.path).") }) { continue }
      let written = try ChangedConfiguration.load(set: ["\(leaf.path)=\(leaf.text)"])
      #expect(written.meaning == base.meaning, "\(leaf.path)=\(leaf.text)")
      #expect(base.differences(to: written).isEmpty && written.run == base.run, "\(leaf.path)=\(leaf.text)")
      count += 1
    }
    #expect(count > 35, "\(count)")
    for key in ["metrics: [accuracy]", "monitor: accuracy", "class_weights: none", "weights: none"] {
      #expect(base.resolvedYAML.contains(key), "\(key)")
    }
    let again = try ConfigurationFile.load(text: base.resolvedYAML, path: "/c.yaml")
    #expect(again.meaning == base.meaning && again.run == base.run)
  }

  @Test("metrics and the monitored figure that are not usual for the loss name a run")
  func unusual() throws {
    let plain = try meaning()
    #expect(try meaning(set: ["monitor=loss"]) == (plain + ["training.monitor = loss"]).sorted())
    #expect(
      try meaning(set: ["training.metrics=[accuracy, f1]"])
        == (plain + ["training.metrics = [accuracy, f1]"]).sorted())
    // Without accuracy the loss is what is usual.
    #expect(
      try meaning(set: ["training.metrics=[f1]", "monitor=loss"])
        == (plain + ["training.metrics = [f1]"]).sorted())
  }

  @Test("a run that an earlier version named by a default that was written out is known by that name, too")
  func former() throws {
    let plain = try ChangedConfiguration.load()
    #expect(plain.formerMeaning == plain.meaning)
    let written = try ChangedConfiguration.load(set: ["monitor=accuracy", "training.metrics=[accuracy]"])
    #expect(written.meaning == plain.meaning)
    #expect(
      written.formerMeaning
        == (plain.meaning + ["training.metrics = [accuracy]", "training.monitor = accuracy"]).sorted())
    let weights = try ChangedConfiguration.load(set: [
      "training.loss={softmax_cross_entropy: {class_weights: none}}"
    ])
    #expect(
      weights.formerMeaning
        == (plain.meaning + ["training.loss.softmax_cross_entropy.class_weights = none"]).sorted())
  }

  @Test("a key is looked up by its path or the end of it")
  func values() throws {
    let loaded = try ChangedConfiguration.load()
    #expect(loaded.value(of: "learning_rate") == "0.05" && loaded.value(of: "training.optimizer") == "sgd")
    #expect(loaded.value(of: "sgd.momentum") == "0.9" && loaded.value(of: "training.learning_rate") == "0.05")
    #expect(loaded.value(of: "conv2d.filters") == "25" && loaded.value(of: "clipping") == "none")
    #expect(loaded.value(of: "beta1") == nil && loaded.value(of: "") == nil)
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
