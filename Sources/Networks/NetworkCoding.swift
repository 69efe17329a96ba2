internal import Foundation
internal import Tensors

// Networks as JSON: the form in which checkpoints carry them. Reading it gives the same network again, and what is read
// passes the same checks as what is written in a config.

extension Network: Codable {
  private enum CodingKeys: String, CodingKey {
    case inputShape
    case layers
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      inputShape: try container.decode(Shape.self, forKey: .inputShape),
      layers: try container.decode([Layer].self, forKey: .layers))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(inputShape, forKey: .inputShape)
    try container.encode(layers, forKey: .layers)
  }

  /// The network on one line of JSON; equal networks give equal text.
  public func json() throws -> String { try JSONWriter().text(self) }

  /// Reads what ``json()`` wrote.
  ///
  /// - Throws: ``NetworkError`` for a network that makes no sense, or Foundation's `DecodingError`.
  public init(json: String) throws {
    self = try JSONDecoder().decode(Network.self, from: Data(json.utf8))
  }
}

extension Layer: Codable {
  private enum CodingKeys: String, CodingKey {
    case name
    case inputs
    case spec
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      name: try container.decode(String.self, forKey: .name),
      inputs: try container.decode([String].self, forKey: .inputs),
      spec: try container.decode(LayerSpec.self, forKey: .spec))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encode(inputs, forKey: .inputs)
    try container.encode(spec, forKey: .spec)
  }
}

extension LayerSpec: Codable {
  private enum CodingKeys: String, CodingKey {
    case kind
    case settings
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let kind = try container.decode(String.self, forKey: .kind)
    func settings<Settings: Decodable>(_ type: Settings.Type = Settings.self) throws -> Settings {
      try container.decode(Settings.self, forKey: .settings)
    }
    switch kind {
    case "conv1d": self = .conv1D(try settings())
    case "conv2d": self = .conv2D(try settings())
    case "depthwise_conv2d": self = .depthwiseConv2D(try settings())
    case "conv2d_transpose": self = .conv2DTranspose(try settings())
    case "max_pool1d": self = .maxPool1D(try settings())
    case "average_pool1d": self = .averagePool1D(try settings())
    case "global_average_pool1d": self = .globalAveragePool1D
    case "global_max_pool1d": self = .globalMaxPool1D
    case "zero_padding1d": self = .zeroPadding1D(try settings())
    case "zero_padding2d": self = .zeroPadding2D(try settings())
    case "cropping1d": self = .cropping1D(try settings())
    case "cropping2d": self = .cropping2D(try settings())
    case "up_sampling1d": self = .upSampling1D(try settings())
    case "up_sampling2d": self = .upSampling2D(try settings())
    case "reshape": self = .reshape(try settings())
    case "embedding": self = .embedding(try settings())
    case "leaky_relu" where container.contains(.settings): self = .leakyReLU(try settings())
    case "elu" where container.contains(.settings): self = .elu(try settings())
    case "prelu": self = .prelu(try settings())
    case "layer_norm": self = .layerNorm(try settings())
    case "local_response_norm": self = .localResponseNorm(try settings())
    case "normalization": self = .normalization(try settings())
    case "multiply": self = .multiply
    case "max_pool2d": self = .maxPool2D(try settings())
    case "average_pool2d": self = .averagePool2D(try settings())
    case "global_average_pool2d": self = .globalAveragePool2D
    case "global_max_pool2d": self = .globalMaxPool2D
    case "flatten": self = .flatten
    case "dense": self = .dense(try settings())
    case "dropout": self = .dropout(try settings())
    case "batch_norm": self = .batchNorm(try settings())
    case "add": self = .add
    case "concat": self = .concat
    case "rescale": self = .rescale(try settings())
    case "position_bias": self = .positionBias
    default:
      guard let activation = Activation(rawValue: kind) else {
        throw DecodingError.dataCorruptedError(
          forKey: .kind, in: container, debugDescription: "there is no layer called '\(kind)'")
      }
      self = .activation(activation)
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(kind, forKey: .kind)
    if let settings { try container.encode(settings, forKey: .settings) }
  }

  /// What the layer is told; nil for one that needs nothing.
  private var settings: (any Encodable)? {
    switch self {
    case .conv1D(let settings): settings
    case .conv2D(let settings): settings
    case .depthwiseConv2D(let settings): settings
    case .conv2DTranspose(let settings): settings
    case .maxPool1D(let settings), .averagePool1D(let settings): settings
    case .maxPool2D(let settings), .averagePool2D(let settings): settings
    case .zeroPadding1D(let settings), .cropping1D(let settings): settings
    case .zeroPadding2D(let settings), .cropping2D(let settings): settings
    case .upSampling1D(let settings): settings
    case .upSampling2D(let settings): settings
    case .reshape(let settings): settings
    case .dense(let settings): settings
    case .embedding(let settings): settings
    case .leakyReLU(let settings): settings
    case .elu(let settings): settings
    case .prelu(let settings): settings
    case .dropout(let settings): settings
    case .batchNorm(let settings): settings
    case .layerNorm(let settings): settings
    case .localResponseNorm(let settings): settings
    case .normalization(let settings): settings
    case .rescale(let settings): settings
    case .globalAveragePool1D, .globalMaxPool1D, .globalAveragePool2D, .globalMaxPool2D, .flatten,
      .activation,
      .add, .multiply, .concat, .positionBias:
      nil
    }
  }
}
