internal import Networks
internal import Tensors

/// The names that another program has for layers and parameters.
public struct TorchNames: Sendable {
  private let names: [String: String]

  /// The same names as here.
  public init() { names = [:] }

  /// Names from a document such as `{"conv1": "features.0", "head/kernel": "classifier.weight"}`: those of modules by layers, or of
  /// tensors by parameters.
  ///
  /// - Parameter path: the document's file, for messages.
  /// - Throws: ``InterchangeError`` for another document.
  public init(json text: String, path: String) throws {
    guard let members = (try? JSONValue(parsing: text))?.members else {
      throw InterchangeError(.badData, "\(path) is no JSON object such as {\"conv1\": \"features.0\"}")
    }
    var names: [String: String] = [:]
    for (layer, name) in members {
      guard let name = name.string else {
        throw InterchangeError(.badData, "\(path): the name for '\(layer)' is no text")
      }
      names[layer] = name
    }
    self.names = names
  }

  /// - Throws: ``InterchangeError`` for names of layers and parameters that the network does not have.
  func check(_ layout: ParameterLayout) throws {
    let known = Set(layout.parameters.flatMap { [$0.layer, $0.path] })
    guard let unknown = names.keys.filter({ !known.contains($0) }).min() else { return }
    throw InterchangeError(
      .usage, "the names are for '\(unknown)', which is no layer or parameter with values of this network")
  }

  /// The tensor of a parameter.
  func tensor(of parameter: TorchParameter) -> String {
    let own = parameter.parameter
    return names[own.path] ?? "\(names[own.layer] ?? own.layer).\(parameter.ending)"
  }
}
