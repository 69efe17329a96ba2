/// `1 sample`, `3 samples`: a number with its noun, whose plural ends in s.
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
