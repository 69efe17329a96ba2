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

  @Test("an unknown layer is an error that names it")
  func unknown() throws {
    let text = try Network(inputShape: [4], chain: [.positionBias]).json()
    let error = #expect(throws: DecodingError.self) {
      try Network(json: text.replacing("\"kind\":\"position_bias\"", with: "\"kind\":\"conv4d\""))
    }
    #expect("\(try #require(error))".contains("there is no layer called 'conv4d'"))
  }
}
