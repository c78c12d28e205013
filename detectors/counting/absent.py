"""Why a value is not there: bit patterns of NaN in numeric columns; in those of texts, the same as ints. No text is an int."""

NULL, INVALID, MISSING = 0x7FF8_0000_0000_0000, 0x7FF8_0000_0000_0001, 0x7FF8_0000_0000_0002
