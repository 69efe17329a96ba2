/// What the headers of files in chunks, WAV and AIFF, say of their length: libsndfile takes what is there for all of it.
enum SoundHeader {
  /// How many bytes of sound a file says that it has, and how many are there; nil where none is missing, or the file does not say it.
  static func shortage(of bytes: [UInt8]) -> (said: Int, there: Int)? {
    guard bytes.count >= 12 else { return nil }
    let form = word(bytes, 0)
    let isLittle = form == "RIFF"
    guard isLittle || form == "FORM" else { return nil }
    var place = 12
    while place + 8 <= bytes.count {
      let name = word(bytes, place)
      let size = number(bytes, place + 4, isLittle)
      place += 8
      if name == (isLittle ? "data" : "SSND") {
        // Programs that write into a pipe know no length, and leave nothing or as much as fits.
        guard size < 0x7FFF_0000, size > bytes.count - place else { return nil }
        return (size, bytes.count - place)
      }
      // Chunks have an even length.
      place += size + size % 2
    }
    return nil
  }

  private static func word(_ bytes: [UInt8], _ place: Int) -> String {
    String(decoding: bytes[place..<place + 4], as: UTF8.self)
  }

  private static func number(_ bytes: [UInt8], _ place: Int, _ isLittle: Bool) -> Int {
    let four = bytes[place..<place + 4]
    return (isLittle ? Array(four.reversed()) : Array(four)).reduce(0) { $0 << 8 | Int($1) }
  }
}
