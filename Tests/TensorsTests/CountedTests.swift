import Tensors
import Testing

@Suite("Counts with nouns")
struct CountedTests {
  @Test("a noun is in the singular after 1 alone")
  func nouns() {
    #expect(
      ["sample", "class", "epoch", "minibatch"].map { counted(1, $0) } == [
        "1 sample", "1 class", "1 epoch", "1 minibatch",
      ])
    #expect(
      ["sample", "class", "epoch", "minibatch"].map { counted(0, $0) } == [
        "0 samples", "0 classes", "0 epochs", "0 minibatches",
      ])
    #expect(counted(1000, "test sample", as: "1,000") == "1,000 test samples")
  }
}
