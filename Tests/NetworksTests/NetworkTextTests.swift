import Foundation
import Networks
import Tensors
import Testing

/// One layer of every kind with unusual settings, with an input that it takes.
let everyLayer: [(input: Shape, spec: LayerSpec)] =
  [
    (
      [29, 4],
      .conv1D(
        Conv1D(
          filters: 6, kernel: 3, stride: 2, dilation: 1, padding: .causal, groups: 2, useBias: false,
          activation: .silu))
    ),
    (
      [13, 11, 4],
      .conv2D(Conv2D(filters: 6, kernel: Size2D(3, 2), stride: Size2D(2), padding: .same, activation: .gelu))
    ),
    ([13, 11, 4], .depthwiseConv2D(DepthwiseConv2D(kernel: Size2D(3), multiplier: 2, activation: .elu))),
    (
      [13, 11, 4],
      .conv2DTranspose(
        Conv2DTranspose(filters: 3, kernel: Size2D(4), stride: Size2D(2), activation: .softplus))
    ),
    ([29, 4], .maxPool1D(Pool1D(size: 3, stride: 2))),
    ([29, 4], .averagePool1D(Pool1D(size: 3, padding: .same))),
    ([13, 11, 4], .maxPool2D(Pool2D(size: Size2D(2, 3)))),
    ([13, 11, 4], .averagePool2D(Pool2D(size: Size2D(2), stride: Size2D(1)))),
    ([29, 4], .globalAveragePool1D), ([29, 4], .globalMaxPool1D), ([13, 11, 4], .globalAveragePool2D),
    ([13, 11, 4], .globalMaxPool2D), ([29, 4], .zeroPadding1D(Margins1D(before: 1, after: 2))),
    ([13, 11, 4], .zeroPadding2D(Margins2D(top: 1, bottom: 2, left: 3, right: 4))),
    ([29, 4], .cropping1D(Margins1D(before: 1, after: 2))),
    ([13, 11, 4], .cropping2D(Margins2D(top: 1, bottom: 2, left: 3, right: 4))),
    ([29, 4], .upSampling1D(UpSampling1D(size: 3))),
    ([13, 11, 4], .upSampling2D(UpSampling2D(size: Size2D(2, 3), interpolation: .bilinear))),
    ([13, 11, 4], .flatten), ([13, 11, 4], .reshape(Reshape([143, 4]))),
    ([9], .dense(Dense(units: 3, activation: .hardSigmoid))),
    ([9], .embedding(Embedding(vocabulary: 7, dimension: 3, paddingWord: 0, isFrozen: true))),
    ([9], .leakyReLU(LeakyReLU(negativeSlope: 0.1))), ([9], .elu(ELU(alpha: 0.5))),
    ([13, 11, 4], .prelu(PReLU(sharesPositions: true))),
    ([9], .dropout(Dropout(rate: 0.25))), ([13, 11, 4], .batchNorm(BatchNorm(momentum: 0.9, scale: false))),
    ([13, 11, 4], .layerNorm(LayerNorm(epsilon: 1e-5))),
    ([13, 11, 4], .localResponseNorm(LocalResponseNorm(radius: 2, beta: 0.75))),
    ([2], .normalization(Normalization(mean: [1, 2], variance: [3, 4]))),
    ([9], .rescale(Rescale(scale: 0.5, offset: 1))),
    ([13, 11, 4], .positionBias),
  ] + Activation.allCases.map { ([9], .activation($0)) }

@Suite("Networks as text")
struct NetworkTextTests {
  @Test("the list of layers is complete")
  func complete() {
    let joins = ["add", "multiply", "concat"]
    #expect(Set(everyLayer.map(\.spec.kind)).count + joins.count == 44)
  }

  @Test("a network comes back from its JSON as it was", arguments: everyLayer.indices)
  func roundTrip(_ index: Int) throws {
    let network = try Network(inputShape: everyLayer[index].input, chain: [everyLayer[index].spec])
    let text = try network.json()
    #expect(try Network(json: text) == network)
    #expect(try Network(json: text).json() == text)
  }

  @Test("joins come back from their JSON, and unknown layers are an error")
  func joins() throws {
    for spec in [LayerSpec.add, .multiply, .concat] {
      let network = try Network(
        inputShape: [4], layers: [Layer(name: "a", inputs: ["input", "input"], spec: spec)])
      #expect(try Network(json: network.json()) == network)
      let broken = try network.json().replacing(spec.kind, with: "conv4d")
      #expect(throws: (any Error).self) { try Network(json: broken) }
    }
  }
}
