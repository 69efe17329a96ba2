import Compute
import Networks
import Tensors
import Testing

@testable import Interchange

@Suite("Losses that files of Keras name")
struct KerasLossTests {
  private func loss(_ text: String) throws -> KerasLoss? { KerasLoss(try JSONValue(parsing: text)) }

  @Test("every way to write a loss is read")
  func forms() throws {
    for (text, wanted) in [
      (#"{"loss": "mse"}"#, .meanSquaredError), (#"{"loss": ["MAE"]}"#, .meanAbsoluteError),
      (#"{"loss": {"dense_3": "mean_squared_error"}}"#, .meanSquaredError),
      (
        #"{"loss": {"class_name": "MeanSquaredError", "config": {"reduction": "auto", "fn": "mean_squared_error"}}}"#,
        .meanSquaredError
      ),
      (#"{"loss": {"class_name": "function", "config": "mean_absolute_error"}}"#, .meanAbsoluteError),
      (#"{"loss": {"class_name": "Huber", "config": {"delta": 2.5}}}"#, .huber(Huber(delta: 2.5))),
      (#"{"loss": "sparse_categorical_crossentropy"}"#, .softmaxCrossEntropy(SoftmaxCrossEntropy())),
      (
        #"{"loss": {"class_name": "CategoricalCrossentropy", "config": {"label_smoothing": 0.5}}}"#,
        .softmaxCrossEntropy(SoftmaxCrossEntropy(labelSmoothing: 0.5))
      ),
      (#"{"loss": "binary_crossentropy"}"#, .sigmoidCrossEntropy(SigmoidCrossEntropy())),
      (
        #"{"loss": {"class_name": "BinaryFocalCrossentropy", "config": {"gamma": 3.0, "alpha": 0.5}}}"#,
        .sigmoidFocalCrossEntropy(SigmoidFocalCrossEntropy(gamma: 3))
      ),
      (#"{"loss": "poisson"}"#, nil), (#"{"loss": {"a": "mse", "b": "mse"}}"#, nil),
      (#"{"loss": null}"#, nil),
      (#"{"loss": {"class_name": "CategoricalCrossentropy", "config": {"axis": 1}}}"#, nil),
    ] as [(String, Loss?)] {
      #expect(try loss(text)?.loss == wanted, "\(text)")
    }
    #expect(try loss(#"{"loss": {"class_name": "Huber", "config": {}}}"#)?.note?.contains("delta") == true)
    #expect(try loss(#"{"loss": "huber"}"#)?.note == nil)
  }

  @Test("a loss of probabilities needs them, and a softmax never comes onto outputs that have none")
  func suits() throws {
    func criterion(_ activation: Activation, _ text: String) throws -> KerasCriterion {
      let network = try Network(
        inputShape: [4], chain: [.dense(Dense(units: 3, activation: activation))]
      ).resolved()
      return try KerasCriterion(network, chosen: nil, compiled: try loss(text))
    }
    let sparse = #"{"loss": "sparse_categorical_crossentropy"}"#
    let logits =
      #"{"loss": {"class_name": "SparseCategoricalCrossentropy", "config": {"from_logits": true}}}"#
    #expect(try criterion(.softmax, sparse).criterion == .classification)
    #expect(try criterion(.linear, logits).criterion == .classification)
    #expect(try criterion(.linear, logits).notes.isEmpty)
    let doubtful = try criterion(.linear, sparse)
    #expect(doubtful.criterion.loss == .meanSquaredError && doubtful.notes.count == 1)
    // Numbers may come out of any function.
    #expect(try criterion(.softmax, #"{"loss": "mse"}"#).criterion.task == .values)
    #expect(try criterion(.tanh, #"{"loss": "mae"}"#).criterion.loss == .meanAbsoluteError)
    let labels = #"{"loss": "binary_crossentropy"}"#
    #expect(try criterion(.sigmoid, labels).criterion.task == .labels)
    let mixed = try criterion(.softmax, labels)
    #expect(mixed.criterion == .classification && mixed.notes.count == 1)
    let unknown = try criterion(.relu, #"{"loss": "my_loss"}"#)
    #expect(unknown.criterion.task == .values && unknown.notes[0].contains("'my_loss'"))
  }

  @Test("a loss that the network's end does not suit cannot be chosen")
  func chosen() throws {
    let network = try Network(
      inputShape: [4], chain: [.dense(Dense(units: 3, activation: .sigmoid))]
    ).resolved()
    let error = #expect(throws: InterchangeError.self) {
      try KerasCriterion(network, chosen: .softmaxCrossEntropy, compiled: nil)
    }
    #expect(error?.kind == .usage && error?.description.contains("ends in sigmoid") == true)
    for kind in Loss.Kind.allCases where kind != .softmaxCrossEntropy {
      #expect(try KerasCriterion(network, chosen: kind, compiled: nil).criterion.loss.kind == kind)
    }
  }
}
