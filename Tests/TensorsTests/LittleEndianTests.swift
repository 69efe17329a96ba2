import Tensors
import Testing

struct LittleEndianTests {
  @Test("numbers come back from their bytes, whatever holds the bytes")
  func numbers() {
    let bytes: [UInt8] = [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0]
    #expect([Float](littleEndian: bytes) == [1, -2])
    #expect([Float](littleEndian: ([7] + bytes + [7])[1...8]) == [1, -2])
    #expect([Float](littleEndian: bytes.lazy.map { $0 }) == [1, -2])
    #expect([UInt16](littleEndian: [0x34, 0x12]) == [0x1234])
    #expect([Int64](littleEndian: [UInt8](repeating: 0xFF, count: 8)) == [-1])
    #expect([Double](littleEndian: []) == [])
  }

  @Test("bytes that are no whole number of elements are no numbers")
  func remainders() {
    #expect([Float](littleEndian: [0, 0, 0x80]) == nil)
    #expect([UInt64](littleEndian: [UInt8](repeating: 0, count: 9)) == nil)
  }
}
