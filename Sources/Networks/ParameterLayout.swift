public import Tensors

/// One parameter of a network with its place in the flat canonical buffers.
public struct Parameter: Hashable, Sendable {
  public let layer: String
  public let spec: ParameterSpec
  /// Elements in the trainable buffer if ``ParameterSpec/isTrainable``, otherwise in the statistics buffer.
  public let range: Range<Int>

  /// `layer/name`, unique in the network.
  public var path: String { "\(layer)/\(spec.name)" }
}

/// Where every parameter lies in two flat buffers in canonical (Keras's) layout: what the optimizer trains, and the
/// running statistics that it leaves alone.
public struct ParameterLayout: Hashable, Sendable {
  public let parameters: [Parameter]
  public let trainableCount: Int
  public let statisticsCount: Int

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
  public let layout: ParameterLayout
  public let trainable: AlignedBuffer<Float>
  public let statistics: AlignedBuffer<Float>

  /// All zeros.
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
