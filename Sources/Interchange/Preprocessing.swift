internal import Networks

/// What `keras.applications` does to an image before the network sees it.
///
/// The import writes it into the network as the first layer, so that a checkpoint takes plain RGB pixels from 0 to 255, here and
/// in Keras.
public enum Preprocessing: String, Hashable, Sendable, CaseIterable {
  /// The pixels as they are.
  case none
  /// Colours in the order blue, green, red, minus ImageNet's means: VGG and ResNet.
  case caffe
  /// Scaled to −1…1: MobileNet, Inception, Xception, ResNetV2.
  case tf
  /// Scaled to 0…1, minus ImageNet's means, divided by its standard deviations: DenseNet.
  case torch

  /// The preprocessing that Keras's model of this name was trained with; nil for an unknown name.
  public init?(modelName: String) {
    let name = modelName.lowercased()
    if ["vgg16", "vgg19", "resnet50", "resnet101", "resnet152"].contains(name) {
      self = .caffe
    } else if name.hasPrefix("mobilenet_") || name.hasPrefix("resnet50v2") || name.hasPrefix("resnet101v2")
      || name.hasPrefix("resnet152v2") || name.hasPrefix("inception_") || name == "xception"
    {
      self = .tf
    } else if name.hasPrefix("densenet") {
      self = .torch
    } else {
      return nil
    }
  }

  /// The layer's name.
  var layerName: String { "\(rawValue)_preprocessing" }

  /// The layer that does the work; nil where nothing is done.
  ///
  /// A change of colours is a 1×1 convolution, which Keras has too; products with 0 and 1 are exact.
  var spec: LayerSpec? {
    switch self {
    case .none: nil
    case .tf: .rescale(Rescale(scale: 1 / 127.5, offset: -1))
    case .caffe, .torch: .conv2D(Conv2D(filters: 3, kernel: .one))
    }
  }

  /// The values of the layer's kernel, `[input colour, output channel]`, and bias.
  var values: (kernel: [Float], bias: [Float]) {
    switch self {
    case .none, .tf: return ([], [])
    case .caffe: return ([0, 0, 1, 0, 1, 0, 1, 0, 0], [-103.939, -116.779, -123.68])
    case .torch:
      let means: [Double] = [0.485, 0.456, 0.406]
      let deviations: [Double] = [0.229, 0.224, 0.225]
      var kernel = [Float](repeating: 0, count: 9)
      for channel in 0..<3 { kernel[channel * 4] = Float(1 / (255 * deviations[channel])) }
      return (kernel, zip(means, deviations).map { Float(-$0 / $1) })
    }
  }

  /// A sentence for the notes of an import.
  var explanation: String {
    switch self {
    case .none: "the network takes pixels as the model did"
    case .caffe: "RGB pixels from 0 to 255 become BGR minus ImageNet's means (layer '\(layerName)')"
    case .tf: "pixels from 0 to 255 become -1 to 1 (layer '\(layerName)')"
    case .torch:
      "RGB pixels from 0 to 255 are normalised by ImageNet's means and deviations (layer '\(layerName)')"
    }
  }
}
