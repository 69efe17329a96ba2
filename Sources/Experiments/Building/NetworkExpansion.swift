internal import Settings

/// The network so far, while its layers are read: blocks on one side, layers in their final order on the other.
struct NetworkExpansion {
  /// A network of more layers than this is taken for a mistake in `times`.
  static let limit = 4096

  /// A group of layers with a name and parameters.
  struct Block {
    let name: String
    /// Its place among the blocks; a block may use those before it.
    let index: Int
    /// The parameters with their defaults; nil for `required`.
    let parameters: [(name: String, fallback: ConfigurationNode?)]
    let layers: ConfigurationNode
  }

  /// A layer after `repeat` and blocks are written out.
  struct FlatLayer {
    let name: String
    let inputs: [String]
    let word: String
    /// The layer's own values, without its name and inputs.
    let fields: ResolvedValue
    let value: ResolvedValue
    let location: ConfigurationLocation
    /// Where the outermost block or repetition around it is used; nil outside of both.
    let use: ConfigurationLocation?
  }

  var blocks: [Block] = []
  var layers: [FlatLayer] = []
  /// Where the first layers came from; nil where all are written.
  var source: Source?
  /// How many items have been written out so far, including faulty ones.
  var work = 0
  var failed = false
  /// The names of all definitions, including those that are still to be read.
  var definedNames: Set<String> = []
  /// Whether a block's definition is being read for its own sake.
  var isChecking = false
}

/// The names that layers can refer to, inside one list of layers.
struct LayerScope {
  /// The text before every name in this list: `residual_1.`.
  let prefix: String
  /// The full name of the layer before the list; ``previous`` is that of the latest layer in it.
  let input: String
  var previous: String
  let parameters: SchemaDecoder.Parameters?
  /// How many blocks are defined where the list stands.
  let visibleBlocks: Int
  let use: ConfigurationLocation?
  var names: [String: String] = [:]
  var explicit: Set<String> = []
  var counts: [String: Int] = [:]

  init(
    prefix: String, input: String, parameters: SchemaDecoder.Parameters?, visibleBlocks: Int,
    use: ConfigurationLocation?
  ) {
    self.prefix = prefix
    self.input = input
    self.previous = input
    self.parameters = parameters
    self.visibleBlocks = visibleBlocks
    self.use = use
  }

  /// The word, then the word with `_1`, `_2`, …, skipping names that are given by hand.
  mutating func automaticName(_ word: String) -> String {
    while true {
      let count = counts[word, default: 0]
      counts[word] = count + 1
      let name = count == 0 ? word : "\(word)_\(count)"
      if !explicit.contains(name) { return name }
    }
  }
}
