import Networks
import Tensors
import TestSupport
import Testing

@Suite("Every layer against plain loops in Double")
struct EveryLayerTests {
  /// All but dropout, of which `DropoutTests` know what it leaves out.
  static let examples = LayerExample.all.filter { if case .dropout = $0.spec { false } else { true } }

  @Test("a layer of each kind, forward and backward", arguments: examples)
  func agrees(_ example: LayerExample) throws {
    let tail: [LayerSpec] = [.flatten, .dense(Dense(units: 3))]
    if case .embedding(let embedding) = example.spec {
      let words = ReferenceTensor([2, 9], (0..<18).map { Double($0 * 5 % embedding.vocabulary) })
      try expectMatchesReference(example.network(after: tail), samples: 2, input: words)
    } else {
      // A function before it, so that there is a gradient to be handed on, and none is with respect to scaled values.
      try expectMatchesReference(
        example.network(before: [.activation(.tanh)], after: tail), samples: 5, tolerance: 1e-4)
    }
  }

  /// Layers that take any image.
  static let behindImages = examples.filter { example in
    switch example.spec {
    case .reshape, .normalization, .embedding, .dense: false
    default: example.input == [13, 11, 4]
    }
  }

  /// The library gives the outputs of such groups in blocks of four channels, for which other layers have no kernel.
  @Test("a layer of each kind behind convolutions in groups", arguments: behindImages, [12, 20])
  func behindGroups(_ example: LayerExample, width: Int) throws {
    let groups: [LayerSpec] = [
      .conv2D(Conv2D(filters: 40, kernel: Size2D(1), groups: 2, useBias: false, activation: .tanh)),
      .conv2D(Conv2D(filters: 2 * width, kernel: Size2D(1), groups: 2, useBias: false, activation: .tanh)),
    ]
    try expectMatchesReference(
      example.network(before: groups, after: [.flatten, .dense(Dense(units: 3))]), samples: 3,
      tolerance: 1e-4)
  }

  /// Groups of 8 channels give blocks of 8, which on a CPU with wider vectors are no layout of its other kernels.
  @Test(
    "a function of a sum behind convolutions in groups", arguments: [8, 12, 16, 20],
    [.relu, .elu, .sigmoid] as [Activation])
  func sumBehindGroups(_ width: Int, _ function: Activation) throws {
    func groups(_ name: String, _ input: String) -> Layer {
      Layer(
        name: name, inputs: [input],
        spec: .conv2D(Conv2D(filters: 3 * width, kernel: Size2D(3), padding: .same, groups: 3)))
    }
    let network = try Network(
      inputShape: [5, 6, 3],
      layers: [
        groups("a", "input"), groups("b", "a"), groups("c", "b"),
        Layer(name: "sum", inputs: ["b", "c"], spec: .add),
        Layer(name: "function", inputs: ["sum"], spec: .activation(function)),
        Layer(name: "largest", inputs: ["function"], spec: .globalMaxPool2D),
        Layer(name: "out", inputs: ["largest"], spec: .dense(Dense(units: 3))),
      ])
    try expectMatchesReference(network, samples: 3, tolerance: 1e-4)
  }
}
