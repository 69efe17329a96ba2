public import Tensors

/// One parameter of a network with its place in the flat canonical buffers.
public struct Parameter: Hashable, Sendable {
  /// The layer that it belongs to.
  public let layer: String
  /// Its name, shape and role.
  public let spec: ParameterSpec
  /// Elements in the trainable buffer if ``ParameterSpec/isTrainable``, otherwise in the statistics buffer.
  public let range: Range<Int>

  /// `layer/name`, unique in the network.
  public var path: String { "\(layer)/\(spec.name)" }
}

/// Where every parameter lies in two flat buffers in canonical (Keras's) layout: what the optimizer trains, and the
/// running statistics that it leaves alone.
public struct ParameterLayout: Hashable, Sendable {
  /// All parameters, in the order of layers.
  public let parameters: [Parameter]
  /// Elements of the buffer that the optimizer trains.
  public let trainableCount: Int
  /// Elements of the buffer of running statistics.
  public let statisticsCount: Int

  /// Lays out the parameters of a network, one behind the other.
  public init(_ network: ResolvedNetwork) {
    var parameters: [Parameter] = []
    var trainable = 0
    var statistics = 0
    for layer in network.layers {
      for spec in layer.parameters {
        let start = spec.isTrainable ? trainable : statistics
        let range = start..<start + spec.shape.elementCount
        if spec.isTrainable { trainable = range.upperBound } else { statistics = range.upperBound }
        parameters.append(Parameter(layer: layer.name, spec: spec, range: range))
      }
    }
    self.parameters = parameters
    trainableCount = trainable
    statisticsCount = statistics
  }

  /// Canonical initial values: each parameter from its own random stream, so that one layer's size does not move another's.
  public func initialValues(seed: UInt64) -> CanonicalParameters {
    let values = CanonicalParameters(layout: self)
    for (index, parameter) in parameters.enumerated() {
      var stream = RandomStream(seed: seed, purpose: .initialization, a: UInt64(index))
      parameter.spec.initializer.fill(values.values(of: parameter), fans: parameter.spec.fans, from: &stream)
      if let row = parameter.spec.zeroRow {
        let width = parameter.range.count / parameter.spec.shape[0]
        UnsafeMutableBufferPointer(rebasing: values.values(of: parameter)[row * width..<(row + 1) * width])
          .update(repeating: 0)
      }
    }
    return values
  }
}

/// All values of a network in canonical layout, outside any plan: what is initialised, saved, loaded and compared.
public final class CanonicalParameters: Sendable {
  /// Where each parameter lies in the two buffers.
  public let layout: ParameterLayout
  /// What the optimizer trains.
  public let trainable: AlignedBuffer<Float>
  /// Running statistics, which the optimizer leaves alone.
  public let statistics: AlignedBuffer<Float>

  /// Parameters that are all zero.
  public init(layout: ParameterLayout) {
    self.layout = layout
    trainable = AlignedBuffer(count: layout.trainableCount)
    statistics = AlignedBuffer(count: layout.statisticsCount)
  }

  /// The values of one parameter, in Keras's layout.
  public func values(of parameter: Parameter) -> UnsafeMutableBufferPointer<Float> {
    let buffer = parameter.spec.isTrainable ? trainable : statistics
    return UnsafeMutableBufferPointer(rebasing: buffer.elements[parameter.range])
  }
}
