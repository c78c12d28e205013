"""Why a value is not there: bit patterns of NaN in numeric columns, codes in categorical ones."""

NULL, INVALID, MISSING = 0x7FF8_0000_0000_0000, 0x7FF8_0000_0000_0001, 0x7FF8_0000_0000_0002
