import Experiments
import TestSupport
import Testing

/// What people write who come from other programs.
@Suite("Words of other programs")
struct ForeignWordTests {
  private static let text = """
    name: words
    data: {train: {file: d.h5, images: x, labels: y}}
    network:
      input: [8, 8, 1]
      layers: [conv2d: {filters: 2, kernel: 3}, flatten, dense: {units: 3}]
    training: {epochs: 1, batch: 4, loss: softmax_cross_entropy, optimizer: {sgd: {learning_rate: 0.1}}}
    """

  private func message(_ change: (from: String, to: String)) throws -> String {
    let text = Self.text.replacing(change.from, with: change.to)
    try #require(text != Self.text)
    do {
      _ = try ConfigurationFile.load(text: text, path: "words.yaml")
      return "accepted"
    } catch {
      return "\(error)"
    }
  }

  @Test(
    "a word of Keras's or PyTorch's is answered by ours",
    arguments: [
      ("loss: softmax_cross_entropy", "loss: categorical_crossentropy", "softmax_cross_entropy"),
      ("loss: softmax_cross_entropy", "loss: sparse_categorical_crossentropy", "softmax_cross_entropy"),
      ("loss: softmax_cross_entropy", "loss: CrossEntropyLoss", "softmax_cross_entropy"),
      ("loss: softmax_cross_entropy", "loss: binary_crossentropy", "sigmoid_cross_entropy"),
      ("loss: softmax_cross_entropy", "loss: mse", "mean_squared_error"),
      ("conv2d:", "Conv2D:", "conv2d"), ("flatten", "MaxPooling2D: {size: 2}, flatten", "max_pool2d"),
      ("flatten", "BatchNormalization, flatten", "batch_norm"), ("dense:", "Linear:", "dense"),
      ("learning_rate:", "lr:", "learning_rate"), ("batch: 4", "batch_size: 4", "batch"),
      ("kernel: 3", "kernel_size: 3", "kernel"), ("sgd:", "SGD:", "sgd"),
      ("epochs: 1", "num_epochs: 1", "epochs"),
    ])
  func translated(from: String, to: String, ours: String) throws {
    let message = try message((from, to))
    #expect(message.contains("did you mean '\(ours)'?"), "\(message)")
  }

  @Test("a key at the wrong place is told its place, under its name here")
  func places() throws {
    let rate = try message(("epochs: 1", "epochs: 1, lr: 0.1"))
    #expect(rate.contains("'learning_rate' here and belongs to") && rate.contains("sgd"), "\(rate)")
    let decay = try message(("epochs: 1", "epochs: 1, weight_decay: 0.1"))
    #expect(decay.contains("'weight_decay' belongs to"), "\(decay)")
  }

  @Test("an override below a single value, or of one strange letter, proposes no place in a list")
  func overrides() throws {
    for (override, part) in [("training.batch.x=3", "training.batch is one value"), ("x=3", "images")] {
      do {
        _ = try ConfigurationFile.load(text: Self.text, path: "words.yaml", overrides: [Override(override)])
        Issue.record("\(override) was accepted")
      } catch {
        #expect("\(error)".contains(part) && !"\(error)".contains("input.0"), "\(error)")
      }
    }
  }

  @Test(
    "a path that waits for a shell is refused with the reason",
    arguments: ["~/d.h5", "$HOME/d.h5", "${HOME}/d.h5", "data/$USER/d.h5", "~"])
  func paths(_ path: String) throws {
    let message = try message(("file: d.h5", "file: \"\(path)\""))
    #expect(message.contains("~ and $NAME are not replaced"), "\(message)")
  }

  @Test("a price or a tilde inside of a name is a name", arguments: ["a~b.h5", "5$.h5", "a$.h5"])
  func names(_ path: String) throws {
    #expect(try message(("file: d.h5", "file: \"\(path)\"")) == "accepted")
  }

  @Test("files of other kinds are called by their kind")
  func kinds() throws {
    let folder = try TemporaryDirectory()
    let hdf5: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
    let files: [(bytes: [UInt8], word: String)] = [
      (hdf5 + [UInt8](repeating: 0, count: 100), "an HDF5 file"),
      ([UInt8](repeating: 1, count: 512) + hdf5, "a checkpoint"),
      ([0x89, 0x50, 0x4E, 0x47, 0x0D], "a PNG picture"), ([0x50, 0x4B, 3, 4, 0], "a ZIP archive"),
    ]
    for (index, file) in files.enumerated() {
      let path = try folder.write(file.bytes, to: "\(index)")
      do {
        _ = try ConfigurationFile.load(path: path)
        Issue.record("accepted")
      } catch {
        #expect("\(error)".contains("this is \(file.word)"), "\(error)")
      }
    }
  }
}
