import Networks
import Tensors
import Testing

@testable import Interchange

@Suite("Calls of layers in Keras's functional models")
struct KerasCallTests {
  private func call(_ className: String, _ inbound: String, _ config: String = "{}") throws -> KerasCall {
    let text =
      #"{"class_name": "\#(className)", "config": \#(config), "name": "x", "inbound_nodes": \#(inbound)}"#
    return try KerasCall(try JSONValue(parsing: text), place: "m.h5: layer 'x' (\(className))")
  }

  private func problem(_ className: String, _ inbound: String, _ config: String = "{}") -> String {
    do {
      _ = try call(className, inbound, config)
      return "nothing"
    } catch { return "\(error)" }
  }

  private static let tensor =
    #"{"class_name": "__keras_tensor__", "config": {"shape": [null, 4], "keras_history": ["a", 0, 0]}}"#

  @Test("the number of an operation makes it a factor and an offset")
  func arithmetic() throws {
    let t = Self.tensor
    for (name, arguments, scale, offset) in [
      ("Multiply", "\(t), 2.0", 2, 0), ("Multiply", "3, \(t)", 3, 0), ("Add", "\(t), 1.5", 1, 1.5),
      ("Subtract", "\(t), 3", 1, -3), ("Subtract", "3, \(t)", -1, 3), ("TrueDivide", "\(t), 4", 0.25, 0),
    ] as [(String, String, Double, Double)] {
      let call = try call(name, #"[{"args": [\#(arguments)], "kwargs": {}}]"#)
      #expect(call.sources.map(\.layer) == ["a"])
      #expect(call.layer["class_name"] == "Rescaling", "\(name)")
      #expect(
        call.layer["config"]?["scale"]?.double == scale && call.layer["config"]?["offset"]?.double == offset)
    }
    let function = #"{"function": "math.multiply", "name": "x"}"#
    let old = try call("TFOpLambda", #"[["a", 0, 0, {"y": 2.0, "name": null}]]"#, function)
    #expect(old.layer["config"]?["scale"]?.double == 2 && old.sources.count == 1)
    let turned = try call("TFOpLambda", #"[["_CONSTANT_VALUE", -1, 2.0, {"y": ["a", 0, 0]}]]"#, function)
    #expect(turned.layer["config"]?["scale"]?.double == 2 && turned.sources.map(\.layer) == ["a"])
    let both = try call("TFOpLambda", #"[["a", 0, 0, {"y": ["b", 0, 0]}]]"#, function)
    #expect(both.layer["class_name"] == "Multiply" && both.sources.map(\.layer) == ["a", "b"])
  }

  @Test("the sum of Keras's InceptionResNetV2 is one with a factor before its second input")
  func scaledSum() throws {
    let network = try Network(
      inputShape: [4, 4, 2],
      layers: [
        Layer(name: "a", inputs: ["input"], spec: .activation(.relu)),
        Layer(name: "b", inputs: ["input"], spec: .activation(.tanh)),
        Layer(name: "sum", inputs: ["a", "b"], spec: .add),
      ]
    ).resolved()
    var model = ModelDescription(network, name: "m")
    let index = try #require(model.layers.firstIndex { $0.className == "Add" })
    model.layers[index].className = "CustomScaleLayer"
    model.layers[index].options = .object(["scale": .number(0.17)])
    KerasOperations.rewrite(&model)
    let sum = try #require(model.layers.first { $0.className == "Add" })
    let factor = try #require(model.layers.first { $0.className == "Rescaling" })
    #expect(sum.inputs == ["a", factor.name] && factor.inputs == ["b"])
    #expect(factor.options["scale"]?.double == 0.17 && factor.options["offset"]?.double == 0)
  }

  @Test("layers of two inputs are called with them, alone or in a list")
  func several() throws {
    let t = Self.tensor
    for arguments in ["\(t), \(t)", "[\(t), \(t)]"] {
      let call = try call("Add", #"[{"args": [\#(arguments)], "kwargs": {}}]"#)
      #expect(call.layer["class_name"] == "Add" && call.sources.count == 2)
    }
    #expect(try call("Add", #"[[["a", 0, 0, {}], ["b", 0, 0, {}]]]"#).sources.map(\.layer) == ["a", "b"])
  }

  @Test("what would change the result, or is no result of a layer, is named")
  func problems() {
    let t = Self.tensor
    for (className, inbound, wanted) in [
      ("Multiply", #"[{"args": [\#(t), {"class_name": "__numpy__"}], "kwargs": {}}]"#, "takes the constant"),
      ("Dense", #"[{"args": [\#(t), 2], "kwargs": {}}]"#, "takes the constant 2.0"),
      (
        "BatchNormalization", #"[{"args": [\#(t)], "kwargs": {"training": true}}]"#,
        "called with training = true"
      ),
      ("Dropout", #"[[["a", 0, 0, {"training": true}]]]"#, "called with training = true"),
      ("Dense", #"[[["a", 0, 1, {}]]]"#, "second result of 'a'"),
      ("Dense", #"[[["a", 0, 0, {}]], [["b", 0, 0, {}]]]"#, "called 2 times"),
    ] as [(String, String, String)] {
      #expect(problem(className, inbound).contains(wanted), "\(problem(className, inbound))")
    }
    #expect(
      problem("Dropout", #"[{"args": [\#(t)], "kwargs": {"training": false, "mask": null}}]"#) == "nothing")
  }
}
