import HDF5

/// Finds a small draw that still fails.
struct Shrinker {
  /// Whether a draw fails in the way that is looked for.
  let fails: (Draw) throws -> Bool
  /// Draws that are tried at most.
  let tries: Int

  /// Takes the first simplification that still fails, again and again, until none does.
  func shrink(_ draw: Draw) throws -> Draw {
    var current = draw
    var tried: Set<Draw> = [draw]
    var position = 0
    while tried.count < tries {
      let candidates = current.simplifications
      var found = false
      for index in min(position, candidates.count)..<candidates.count where tried.count < tries {
        guard tried.insert(candidates[index]).inserted, try fails(candidates[index]) else { continue }
        (current, position, found) = (candidates[index], index, true)
        break
      }
      // What did not help before may help now.
      if !found, position == 0 { break }
      if !found { position = 0 }
    }
    return current
  }
}

extension Draw {
  /// Draws with one thing less, the largest steps first.
  var simplifications: [Draw] {
    // What makes a trial shorter comes first.
    simplerRuns + shorterTrainings + simplerConfigurations + simplerData
  }

  private func with(_ change: (inout Draw) -> Void) -> Draw {
    var draw = self
    change(&draw)
    return draw
  }

  // MARK: - Runs

  private var simplerRuns: [Draw] {
    var result: [Draw] = []
    if otherWorkers != nil { result.append(with { $0.otherWorkers = nil }) }
    if provenRanks != nil { result.append(with { $0.provenRanks = nil }) }
    for ranks in [1, 2] {
      result.append(
        with { draw in
          draw.otherCrew.ranks = min(draw.otherCrew.ranks, ranks)
          draw.eachStart { $0.crew.ranks = min($0.crew.ranks, ranks) }
        })
    }
    for index in interrupted.indices { result.append(with { $0.interrupted.remove(at: index) }) }
    let moments = interrupted.joined().contains { if case .signal = $0.end { true } else { false } }
    for steps in [10, 7, 4, 1] where moments {
      // What happens at a step happens again; what happens at a time may not.
      result.append(
        with { draw in
          for run in draw.interrupted.indices {
            let middle = Start(workers: 1, memory: nil, end: .steps(steps))
            draw.interrupted[run] =
              [Start](repeating: middle, count: 3) + [draw.interrupted[run].last ?? middle]
          }
        })
    }
    result.append(
      with { draw in
        draw.workers = 1
        draw.eachStart { ($0.workers, $0.memory) = (1, nil) }
      })
    for run in interrupted.indices {
      for index in interrupted[run].indices.dropLast() {
        result.append(with { $0.interrupted[run].remove(at: index) })
      }
    }
    result.append(with { $0.eachStart { $0.memory = nil } })
    result.append(with { $0.eachStart { $0.workers = 1 } })
    return result.filter { $0 != self }
  }

  private mutating func eachStart(_ change: (inout Start) -> Void) {
    for run in interrupted.indices {
      for index in interrupted[run].indices { change(&interrupted[run][index]) }
    }
  }

  // MARK: - Length

  private var shorterTrainings: [Draw] {
    var result = [data.samples / 4, data.samples / 2, data.samples * 3 / 4].filter { $0 > 1 }.map { samples in
      with { $0.data.samples = samples }
    }
    if let epochs = training["epochs"]?.integer, epochs > 1 {
      result += Set([1, epochs - 1]).sorted().map { fewer in
        with { $0.configuration["training"]?["epochs"] = Node(fewer) }
      }
    }
    return result
  }

  // MARK: - Configuration

  private static let needed = ["epochs", "batch", "loss", "optimizer"]

  private var simplerConfigurations: [Draw] {
    let bare = with { draw in
      let entries = training.entries?.filter { Self.needed.contains($0.key) || $0.key == "shard" }
      draw.configuration["training"] = .map(entries ?? [])
      draw.configuration["data"] = .map([])
    }
    // Layers first: they are most of what there is to read.
    let networks = (configuration["network"]?.simplifications ?? []).map { network in
      with { $0.configuration["network"] = network }
    }
    let rest = ["training", "data", "checkpoints"].flatMap { section in
      (configuration[section]?.simplifications ?? []).map { value in
        with { $0.configuration[section] = value }
      }
    }
    let bareData = with { $0.configuration["data"] = .map([]) }
    let bareCheckpoints = with { $0.configuration["checkpoints"] = nil }
    return ([bare, bareData] + networks + rest + [bareCheckpoints]).filter { $0 != self }
  }

  // MARK: - Data

  private var simplerData: [Draw] {
    var result = [
      with { $0.data.testSamples = 0 }, with { $0.data.hasWeights = false }, with { $0.data.spikes = 0 },
      with { $0.data.storage = .contiguous }, with { $0.data.type = .float32 },
      with { $0.data.outputs = min(2, $0.data.outputs) },
    ]
    for side in data.shape.indices {
      for size in [1, data.shape[side] / 2] where size >= 1 {
        result.append(with { $0.data.shape[side] = size })
      }
    }
    return result.filter { $0 != self }
  }
}
