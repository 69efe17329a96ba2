public import Networks
internal import Tensors

/// Architectures that are recognised in files of weights alone, by the names that Keras gives their layers.
///
/// - SeeAlso: Simonyan & Zisserman 2015, "Very deep convolutional networks for large-scale image recognition",
///   <https://arxiv.org/abs/1409.1556>.
public enum KnownArchitecture: String, Hashable, Sendable, CaseIterable {
  /// VGG with 16 layers of weights.
  case vgg16
  /// VGG with 19 layers of weights.
  case vgg19

  /// The architecture whose layers a file names; nil for any other.
  public init?(layerNames: [String]) {
    let names = Set(layerNames)
    guard names.contains("block1_conv1"), names.contains("block5_conv3") else { return nil }
    self = names.contains("block5_conv4") ? .vgg19 : .vgg16
  }

  /// The number of convolutions in each of the five blocks.
  private var blocks: [Int] {
    switch self {
    case .vgg16: [2, 2, 3, 3, 3]
    case .vgg19: [2, 2, 4, 4, 4]
    }
  }

  /// The network's layers with Keras's names.
  ///
  /// - Parameter classes: the number of outputs, for images of 224×224 pixels; nil leaves the dense layers out.
  public func layers(classes: Int?) -> [Layer] {
    var layers: [Layer] = []
    func add(_ name: String, _ spec: LayerSpec) {
      layers.append(Layer(name: name, inputs: [layers.last?.name ?? Network.inputName], spec: spec))
    }
    for (index, count) in blocks.enumerated() {
      let filters = min(64 << index, 512)
      for conv in 1...count {
        add(
          "block\(index + 1)_conv\(conv)",
          .conv2D(Conv2D(filters: filters, kernel: Size2D(3), padding: .same, activation: .relu)))
      }
      add("block\(index + 1)_pool", .maxPool2D(Pool2D(size: Size2D(2))))
    }
    guard let classes else { return layers }
    add("flatten", .flatten)
    add("fc1", .dense(Dense(units: 4096, activation: .relu)))
    add("fc2", .dense(Dense(units: 4096, activation: .relu)))
    add("predictions", .dense(Dense(units: classes, activation: .softmax)))
    return layers
  }
}
