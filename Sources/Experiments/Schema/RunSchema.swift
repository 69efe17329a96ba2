internal import Settings
internal import Training

/// The schema of a run's configuration, put together from the descriptions of its parts.
enum RunSchema {
  static let root = ObjectSchema(
    "A run: its data, its network, how it is trained, and what is kept of it.",
    [
      Key(
        "extends", .path, .derived("nothing"), change: .free,
        "Another configuration to start from: maps are merged key by key, lists and values are replaced."
      ),
      Key("name", .name, .required, change: .free, "Name of the folder that gets the run's results."),
      Key(
        "seed", .integer(0...Int.max), .scalar("0"),
        "Seeds initial parameters, the order of samples, dropout and augmentation."),
      Key("data", .object(DataConfiguration.settings.object), .required, "Where the samples are."),
      Key("network", .object(network), .required, "The layers."),
      Key("training", .object(TrainingConfiguration.settings.object), .required, "How the network learns."),
      Key(
        "checkpoints", .object(CheckpointConfiguration.settings.object), .emptyMap, change: .free,
        "When the state of the run is saved, and what is kept."),
      Key(
        "ranks", .object(RankConfiguration.settings.object), .emptyMap, change: .free,
        "How ranks on several nodes train together; no result depends on it."),
      Key(
        "sweep", .sweep, .derived("no sweep"), change: .free,
        "A family of runs, which `convoy sweep` trains; see Sweeps above."),
    ])

  static let network = ObjectSchema(
    "A graph of layers over one input.",
    [
      Key(
        "from", .path, .derived("nothing"),
        "A checkpoint, a run or the name of one in `Results`, whose layers stand before those of `layers`; `training.start` takes its values, too."
      ),
      Key("until", .text, .derived("its output"), "The last layer that is taken from there."),
      Key(
        "input", .list(.integer(1...65_536), count: 1...3), .required,
        "Shape of one sample, such as [height, width, channels] or [features]."),
      Key(
        "blocks", .blocks, .derived("no blocks"),
        "Groups of layers with a name and parameters, for use in `layers`."),
      Key(
        "layers", .layers, .required, "The layers, first to last; each takes the output of the one before it."
      ),
    ])
}
