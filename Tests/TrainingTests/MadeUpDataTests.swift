import Datasets
import Networks
import Tensors
import Testing

@testable import Training

@Suite("Made-up data")
struct MadeUpDataTests {
  @Test("samples of every rank are written, and an epoch of them trains")
  func ranks() throws {
    let dense = LayerSpec.dense(Dense(units: 3))
    let networks: [(Shape, [LayerSpec])] = [
      ([9], [dense]),
      ([30, 2], [.conv1D(Conv1D(filters: 4, kernel: 3)), .flatten, dense]),
      ([12], [.embedding(Embedding(vocabulary: 7, dimension: 4)), .globalAveragePool1D, dense]),
      ([8, 6, 3], [.flatten, dense]),
    ]
    for (shape, layers) in networks {
      let folder = try TemporaryFolder()
      let network = try Network(inputShape: shape, chain: layers)
      let source = try Benchmark.writeSyntheticDataset(
        for: network.resolved(), samples: 10, to: folder("data.h5"))
      var configuration = try SmallRun.configuration(data: folder("data.h5"))
      configuration.network = network
      configuration.data = DataConfiguration(train: source)
      configuration.training.batch = 5
      let benchmark = try Benchmark(
        RunRequest(configuration: configuration, resolvedConfiguration: "", directory: "", workers: 2),
        stop: StopRequest())
      #expect(try benchmark.training(seconds: 0).imagesPerSecond > 0)
    }
  }
}
