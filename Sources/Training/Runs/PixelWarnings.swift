internal import Datasets
internal import Networks

extension PreparedTraining {
  /// Warns where pixels are of another size than the network, or the test data, seems to be made for.
  func warnOfPixels(_ observer: any TrainerObserver) throws {
    if let text = network.warning(ofPixels: data.pixels) { observer.receive(.warning(text)) }
    // Numbers of words have no size that means anything.
    guard data.training.dataset.origin?.texts == nil else { return }
    guard let test = try data.test?.dataset.pixelSpan(), test.isUnlike(data.pixels) else { return }
    observer.receive(
      .warning(
        "the test samples are \(test), but the training samples \(data.pixels): were both made in the same way?"
      )
    )
  }
}

extension ResolvedNetwork {
  /// The warning about pixels that reach a layer with weights much larger or smaller than networks are made for.
  ///
  /// - Returns: nil where there is nothing to warn of, or where that cannot be told.
  func warning(ofPixels pixels: PixelSpan) -> String? {
    guard let arrival = arrival(of: pixels.low...pixels.high) else { return nil }
    let reach = max(abs(arrival.values.lowerBound), abs(arrival.values.upperBound))
    let come =
      "the training samples are \(pixels), and reach layer '\(arrival.layer)' as "
      + "\(PixelSpan.text(arrival.values.lowerBound)) to \(PixelSpan.text(arrival.values.upperBound))"
    if reach > 0, reach < 1.0 / 32, arrival.isScaled {
      return
        "\(come): rescale seems to be meant for larger numbers; leave it out, or divide by the largest of these"
    }
    if reach > 32 {
      let scale = pixels.high == 255 ? "1/255" : PixelSpan.text(1 / pixels.reach)
      return
        "\(come): most networks learn better from numbers of about 1, as `rescale: {scale: \(scale)}` in front makes them"
    }
    return nil
  }

  /// The numbers between which the network's input lies at the first layer that multiplies it by weights.
  ///
  /// - Returns: the layer, and whether a rescaling lies before it; nil where values are normalised or looked up before, or come
  ///   to no such layer by a straight way.
  private func arrival(
    of values: ClosedRange<Float>
  ) -> (layer: String, values: ClosedRange<Float>, isScaled: Bool)? {
    var known = [Network.inputName: (values: values, isScaled: false)]
    for layer in layers {
      guard let input = layer.layer.inputs.first, layer.layer.inputs.count == 1, let coming = known[input]
      else {
        continue
      }
      if layer.parameters.contains(where: { $0.name == "kernel" || $0.name.hasSuffix("_kernel") }) {
        return (layer.name, coming.values, coming.isScaled)
      }
      if case .rescale(let rescale) = layer.spec {
        let ends = [coming.values.lowerBound, coming.values.upperBound].map { end in
          Float(Double(end) * rescale.scale + rescale.offset)
        }
        known[layer.name] = (min(ends[0], ends[1])...max(ends[0], ends[1]), true)
      } else if layer.keepsValues {
        known[layer.name] = coming
      }
    }
    return nil
  }
}

extension ResolvedLayer {
  /// Whether what comes out lies between the same bounds as what goes in, or nearly: pools, margins, other shapes.
  fileprivate var keepsValues: Bool {
    if case .normalization = spec { return false }
    if case .localResponseNorm = spec { return false }
    let activation = spec.finalActivation
    return parameters.isEmpty && (activation == .linear || activation == .relu)
  }
}
