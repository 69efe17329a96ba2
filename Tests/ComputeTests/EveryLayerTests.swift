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
}
