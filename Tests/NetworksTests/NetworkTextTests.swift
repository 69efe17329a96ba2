import Foundation
import Networks
import Tensors
import TestSupport
import Testing

@Suite("Networks as text")
struct NetworkTextTests {
  @Test("a network comes back from its JSON as it was", arguments: LayerExample.all)
  func roundTrip(_ example: LayerExample) throws {
    let network = try example.network()
    let text = try network.json()
    #expect(try Network(json: text) == network)
    #expect(try Network(json: text).json() == text)
  }

  @Test("unknown layers, and settings that are missing, are errors", arguments: LayerExample.all)
  func mistakes(_ example: LayerExample) throws {
    let text = try example.network().json()
    let unknown = text.replacing("\"kind\":\"\(example.spec.word)\"", with: "\"kind\":\"conv4d\"")
    #expect(unknown != text)
    let error = #expect(throws: (any Error).self) { try Network(json: unknown) }
    #expect("\(try #require(error))".contains("there is no layer called 'conv4d'"))
    guard let bare = try Self.withoutSettings(text) else { return }
    // Without settings, some words stand for a function.
    if let function = Activation(rawValue: example.spec.word) {
      #expect(try Network(json: bare).layers.last?.spec == .activation(function))
    } else {
      let missing = #expect(throws: DecodingError.self) { try Network(json: bare) }
      guard case .keyNotFound? = missing else {
        Issue.record("\(String(describing: missing))")
        return
      }
    }
  }

  /// A network of one layer with the layer's settings left out; nil if it has none.
  private static func withoutSettings(_ text: String) throws -> String? {
    var document = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    var layers = try #require(document["layers"] as? [[String: Any]])
    var spec = try #require(layers[0]["spec"] as? [String: Any])
    guard spec.removeValue(forKey: "settings") != nil else { return nil }
    layers[0]["spec"] = spec
    document["layers"] = layers
    return String(decoding: try JSONSerialization.data(withJSONObject: document), as: UTF8.self)
  }

  @Test("networks of checkpoints that exist are read, and written as they were")
  func existing() throws {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/every-layer.json").path
    let text = try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .newlines)
    let network = try Network(json: text)
    #expect(try network.json() == text)
    _ = try network.resolved()
    let kinds = Set(network.layers.map(\.spec.kind))
    #expect(kinds.count >= 36)
  }
}
