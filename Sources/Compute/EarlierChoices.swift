internal import Networks
internal import OneDNN

extension CompiledNetwork {
  /// Whether a selection gives this network's choices everywhere, when it is asked separately for each shard size, each mode and
  /// each part of a layer.
  ///
  /// Selections were asked in this way before one choice held for a whole training.
  /// - Returns: the first layer, in the network's order, for which it gives another choice; nil where there is none.
  public func layerChosenOtherwise(
    by selection: KernelSelection, trainingShards: Set<Int>, evaluationShards: Set<Int>
  ) throws(ComputeError) -> String? {
    var others: Set<String> = []
    for (isTraining, sizes) in [(true, trainingShards), (false, evaluationShards)] {
      for samples in sizes.sorted() {
        var options = options
        (options.shard, options.training, options.kernels) = (samples, isTraining, selection)
        options.mayTakeOwnKernels = false
        others.formUnion(
          try CompiledNetwork(network, options: options).choices.layersChosenOtherwise(in: choices))
      }
    }
    if options.parts > 1 { others.formUnion(try layersWithPartsChosenOtherwise(by: selection)) }
    return network.layers.map(\.name).first(where: others.contains)
  }

  /// The layers that would have other algorithms than the recorded ones, in parts or as a whole.
  private func layersWithPartsChosenOtherwise(
    by selection: KernelSelection
  ) throws(ComputeError) -> Set<String> {
    var wherever = options
    (wherever.kernels, wherever.shard) = (.winograd, shardSize)
    // Without kernels for Winograd, as on most CPUs, every selection comes to direct ones.
    guard try CompiledNetwork(network, options: wherever).choices.hasWinograd else { return [] }
    var others: Set<String> = []
    for operation in Lowering(network).operations {
      guard case .convolution(let conv) = operation.kind, conv.groups == 1 else { continue }
      let geometry = try ConvolutionGeometry(operation, conv, samples: 1)
      for pass in Pass.allCases {
        guard let choice = choices[operation.choiceName, pass] else { continue }
        let problems = geometry.problemsOfSteps(pass, parts: options.parts)
        let isSame = problems.allSatisfy {
          selection.algorithm(layer: operation.choiceName, pass: pass, problem: $0, own: false) == choice
        }
        if !isSame { others.insert(operation.layer) }
      }
    }
    return others
  }
}

extension KernelChoices {
  /// Layers that another record names, too, and gives another kernel or number format.
  fileprivate func layersChosenOtherwise(in other: KernelChoices) -> Set<String> {
    Set(
      layers.filter { layer in
        if let own = self[precisionOf: layer], let its = other[precisionOf: layer], own != its { return true }
        return Pass.allCases.contains { pass in
          guard let own = self[layer, pass], let its = other[layer, pass] else { return false }
          return own != its
        }
      })
  }
}

extension ConvolutionGeometry {
  /// The problems of a pass as a whole, and of each part where channels are cut at blocks of 8 or 16.
  fileprivate func problemsOfSteps(_ pass: Pass, parts: Int) -> [ConvolutionProblem] {
    let channels = pass == .backwardData ? problem.inputChannels : problem.outputChannels
    let widths = [8, 16].flatMap { block in
      let blocks = (channels + block - 1) / block
      let count = min(parts, blocks)
      return (0..<count).map { part in
        min(channels, blocks * (part + 1) / count * block) - blocks * part / count * block
      }
    }
    return [problem]
      + widths.map { pass == .backwardData ? reduced(inputs: $0).problem : reduced(outputs: $0).problem }
  }
}
