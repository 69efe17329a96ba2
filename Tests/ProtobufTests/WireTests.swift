import Protobuf
import Testing

/// Bytes as <https://protobuf.dev/programming-guides/encoding/> has them.
struct WireTests {
  @Test("numbers, texts and messages are written as the guide says")
  func writing() {
    var inner = WireMessage()
    inner.add(1, 150)
    var message = WireMessage()
    message.add(2, "testing")
    message.add(3, inner)
    message.add(4, packed: [3, 270, 86_942])
    #expect(
      message.bytes == [0x12, 0x07] + Array("testing".utf8) + [0x1A, 0x03, 0x08, 0x96, 0x01] + [0x22, 0x06, 0x03, 0x8E, 0x02, 0x9E, 0xA7, 0x05])
  }

  @Test("repeated numbers are read alone and one after another, and negative ones come back")
  func repeated() throws {
    var message = WireMessage()
    message.add(1, -2)
    message.add(1, packed: [1, -3, .max])
    message.add(2, Float(0.5))
    let fields = try #require(WireFields(message.bytes[...])).fields
    #expect(fields.prefix(2).flatMap { WireFields.integers($0.content) ?? [] } == [-2, 1, -3, .max])
    #expect(WireFields.floats(fields[2].content) == [0.5])
    #expect(WireFields.floats(.bytes([0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0])) == [1, -2])
    #expect(WireFields.floats(.bytes([0, 0, 0x80])) == nil)
    #expect(WireFields.integers(.bytes([0x80])) == nil)
  }

  @Test("bytes that end within a field, or hold no field, are no message", arguments: [
    [0x08], [0x12, 0x05, 0x00], [0x0D, 0, 0, 0], [0x09, 0], [0x0B], [0x00], [0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
  ] as [[UInt8]])
  func damaged(bytes: [UInt8]) {
    #expect(WireFields(bytes[...]) == nil)
  }
}
